/** What a past was so far. */

import type { PastItem } from '../history/past.js'

export class PastTally {
  messages = 0
  gaps = 0
  /** Messages inside gaps whose two ends are known. */
  missing = 0
  /** Of the first and of the last message, publishers' wall clocks. */
  firstMs: number | undefined
  lastMs: number | undefined

  note(item: PastItem): void {
    if (item.kind === 'gap') {
      const { from, to } = item.gap
      this.gaps++
      if (to !== null) this.missing += to - from + 1
      return
    }
    this.messages++
    this.firstMs ??= item.timestampMs
    this.lastMs = item.timestampMs
  }
}
