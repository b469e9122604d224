/**
 * Lines into a stream that may not be read: what waits is bounded, the newest lines are left out, and a mark in the
 * stream says where and how many.
 */

import { once } from 'node:events'
import type { Writable } from 'node:stream'

export interface LineOutputOptions {
  readonly output: Writable
  /** The line that stands where so many were left out. */
  readonly dropMark: (lines: number) => string
  /** What may wait to be read; 4 MiB when not said. */
  readonly maxBytes?: number
}

const MAX_BYTES = 4 * 1024 * 1024

export class LineOutput {
  private total = 0
  /** Left out since the last mark. */
  private skipped = 0

  constructor(private readonly options: LineOutputOptions) {}

  /** Lines that were left out. */
  get dropped(): number {
    return this.total
  }

  /** Makes a line without its end, where there is room for it; never waits. */
  line(make: () => string): void {
    const { output, maxBytes = MAX_BYTES } = this.options
    // Once it is full, half of it must be read: marks would be as many as lines.
    const limit = this.skipped === 0 ? maxBytes : maxBytes / 2
    if (output.writableLength >= limit) {
      if (this.skipped === 0) output.once('drain', () => this.mark())
      this.skipped++
      this.total++
      return
    }
    this.mark()
    output.write(`${make()}\n`)
  }

  /** Resolves when what was written is taken. Throws when the signal aborts meanwhile. */
  async room(signal: AbortSignal): Promise<void> {
    if (this.options.output.writableNeedDrain) await once(this.options.output, 'drain', { signal })
  }

  /** Says what was left out since the last mark, however full it is. */
  mark(): void {
    const { output, dropMark } = this.options
    if (this.skipped === 0) return
    output.write(`${dropMark(this.skipped)}\n`)
    this.skipped = 0
  }
}
