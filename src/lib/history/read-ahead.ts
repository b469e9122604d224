/**
 * Reads on while what was read is played: a stream is trimmed at its old end, and who plays it at the speed at which it
 * was written would lose what it has not read yet.
 */

import type { MadePages, Pages, StreamItem } from './past.js'

/** The same pages, as many of them read beforehand as weigh `maxBytes`. */
export async function* readAhead<T extends StreamItem>(past: Pages<T>, maxBytes: number): MadePages<T> {
  const pages: (readonly T[])[] = []
  const state = { bytes: 0, isOver: false, hasLeft: false }
  let wake: () => void = () => undefined
  const changed = (): Promise<void> => new Promise((resolve) => (wake = resolve))
  const read = async (): Promise<void> => {
    for await (const page of past) {
      pages.push(page)
      state.bytes += weightOf(page)
      wake()
      while (state.bytes >= maxBytes && !state.hasLeft) await changed()
      if (state.hasLeft) return
    }
  }
  const reading = read().finally(() => {
    state.isOver = true
    wake()
  })
  reading.catch(() => undefined)
  try {
    for (;;) {
      const page = pages.shift()
      if (page !== undefined) {
        yield page
        state.bytes -= weightOf(page)
        wake()
      } else if (state.isOver) return await reading
      else await changed()
    }
  } finally {
    state.hasLeft = true
    wake()
    await reading.catch(() => undefined)
  }
}

/** Of the objects around a message. */
const OVERHEAD_BYTES = 200

const weightOf = (page: readonly StreamItem[]): number =>
  page.reduce((sum, item) => sum + OVERHEAD_BYTES + (item.kind === 'message' ? item.data.length : 0), 0)
