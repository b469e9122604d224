/** The lines of one file of a recording, as far as they can be read. */

import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { constants, createGunzip } from 'node:zlib'
import { codeOf } from '../../core/errors.js'
import { MAX_MESSAGE_BYTES } from '../../messages/codec.js'
import { parseLine } from './line.js'
import type { RecordingLine } from './line.js'

/** The largest envelope in base64, and what stands beside it. */
const MAX_LINE_BYTES = 2 * MAX_MESSAGE_BYTES
const LINE_END = 0x0a

/**
 * Pages of lines; undefined stands for what is damaged. What was cut off in the middle of a line is left out: a file
 * that was closed ends with `end`. Throws what reading a file throws.
 */
export async function* readSegment(path: string): AsyncGenerator<readonly (RecordingLine | undefined)[]> {
  const gunzip = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH })
  pipeline(createReadStream(path), gunzip, () => undefined)
  const lines = new Lines()
  try {
    for await (const chunk of gunzip) yield lines.split(chunk as Buffer)
  } catch (error) {
    if (codeOf(error)?.startsWith('Z_') !== true) throw error
    yield [undefined]
  } finally {
    gunzip.destroy()
  }
}

/** Cuts chunks into lines. */
class Lines {
  private rest: Buffer = Buffer.alloc(0)

  split(chunk: Buffer): (RecordingLine | undefined)[] {
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk])
    const lines: (RecordingLine | undefined)[] = []
    let start = 0
    for (let end = bytes.indexOf(LINE_END); end !== -1; end = bytes.indexOf(LINE_END, start)) {
      lines.push(parseLine(bytes.subarray(start, end)))
      start = end + 1
    }
    this.rest = bytes.subarray(start)
    if (this.rest.length > MAX_LINE_BYTES) {
      this.rest = Buffer.alloc(0)
      lines.push(undefined)
    }
    return lines
  }
}
