/** A replay into a file, which `arbees replay --from-file` reads. */

import { existsSync } from 'node:fs'
import { ArbeesError, EXIT } from '../core/errors.js'
import { lineOf } from '../history/recording/line.js'
import { SegmentFile } from '../history/recording/segment-file.js'
import type { ReplaySink } from './replay.js'

/** Made with the first thing that is written into it. Throws `FILE_EXISTS` (usage). */
export function recordingFile(path: string): ReplaySink {
  if (existsSync(path)) {
    throw new ArbeesError('FILE_EXISTS', `${path} is there already`, {
      exit: EXIT.USAGE,
      hint: 'name another file, or remove it first',
    })
  }
  let file: SegmentFile | undefined
  return {
    write: (items) => {
      file ??= new SegmentFile(path, { exclusive: true })
      return file.write(Buffer.concat(items.map(lineOf)))
    },
    close: async () => file?.close(),
  }
}
