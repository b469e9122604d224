/** A replay into a file, which `arbees replay --from-file` reads. */

import { existsSync } from 'node:fs'
import { ArbeesError, EXIT } from '../core/errors.js'
import { lineOf } from '../history/recording/line.js'
import { SegmentFile } from '../history/recording/segment-file.js'
import type { ReplaySink } from './replay.js'

/**
 * Made with the first thing that is written into it; of a selection what stands between is not missing. Throws
 * `FILE_EXISTS` (usage).
 */
export function recordingFile(path: string, { isSelection = false } = {}): ReplaySink {
  if (existsSync(path)) {
    throw new ArbeesError('FILE_EXISTS', `${path} is there already`, {
      exit: EXIT.USAGE,
      hint: 'name another file, or remove it first',
    })
  }
  let file: SegmentFile | undefined
  return {
    write: (items) => {
      const isFirst = file === undefined
      file ??= new SegmentFile(path, { exclusive: true })
      const head = isFirst && isSelection ? [lineOf({ kind: 'selection' })] : []
      return file.write(Buffer.concat([...head, ...items.map(lineOf)]))
    },
    close: async () => file?.close(),
  }
}
