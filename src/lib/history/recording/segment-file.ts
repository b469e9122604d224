/** One compressed file of a recording while it is written. */

import { createWriteStream } from 'node:fs'
import type { WriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { constants, createGzip } from 'node:zlib'
import type { Gzip } from 'node:zlib'
import { lineOf } from './line.js'

/** Fast: a recorder must keep up with the bus on a part of a core. */
const LEVEL = 1

export class SegmentFile {
  private readonly gzip: Gzip
  private readonly file: WriteStream
  private readonly done: Promise<void>

  /** Makes the file; `exclusive` refuses one that is there. What fails is thrown by the next call. */
  constructor(
    readonly path: string,
    { exclusive = false } = {},
  ) {
    this.gzip = createGzip({ level: LEVEL })
    // Durable before it is closed.
    this.file = createWriteStream(path, { flags: exclusive ? 'wx' : 'w', mode: 0o600, flush: true })
    this.done = pipeline(this.gzip, this.file)
    this.done.catch(() => undefined)
  }

  /** Bytes in the file so far, about. */
  get bytes(): number {
    return this.file.bytesWritten
  }

  /** Whole lines. Resolves when there is room for more. */
  async write(lines: Buffer): Promise<void> {
    await this.unlessFailed(new Promise<void>((resolve) => void this.gzip.write(lines, () => resolve())))
  }

  /** What was written can be read from now on, whatever becomes of this process. */
  async flush(): Promise<void> {
    await this.unlessFailed(
      new Promise<void>((resolve) => this.gzip.flush(constants.Z_SYNC_FLUSH, () => resolve())),
    )
  }

  /** Says that it is whole; on disk when this resolves. */
  async close(): Promise<void> {
    this.gzip.end(lineOf({ kind: 'end' }))
    await this.done
  }

  /** Lets it go as it is. */
  abandon(): void {
    this.gzip.destroy()
    this.file.destroy()
  }

  /** `done` ends before `close` only by a failure. */
  private async unlessFailed(step: Promise<void>): Promise<void> {
    await Promise.race([step, this.done])
    if (this.gzip.destroyed) await this.done
  }
}
