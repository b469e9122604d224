/** Several pasts as one, by time, and the part of it that lies between two times. */

import type { Past, PastItem, PastPages } from './past.js'

/** What is left of one past. */
interface Head {
  readonly pages: AsyncIterator<readonly PastItem[]>
  page: readonly PastItem[]
  next: number
  /** Never falls: an item that is older than the one before it comes right behind that. */
  timeMs: number
}

const PAGE = 500

/**
 * Oldest first by the publishers' wall clocks; the order within each past stays as it is. Holds a page of each.
 */
export async function* mergeByTime(pasts: readonly Past[]): PastPages {
  const opened = pasts.map((past) => past[Symbol.asyncIterator]())
  try {
    const heads: Head[] = []
    for (const pages of opened) {
      const head = { pages, page: [], next: 0, timeMs: -Infinity }
      if (await advance(head)) heads.push(head)
    }
    let page: PastItem[] = []
    while (heads.length > 0) {
      const oldest = heads.reduce((best, head) => (head.timeMs < best.timeMs ? head : best))
      const item = oldest.page[oldest.next++]
      if (item !== undefined) page.push(item)
      const isAtEnd = oldest.next >= oldest.page.length
      if (page.length >= PAGE || (isAtEnd && page.length > 0)) {
        yield page
        page = []
      }
      if (!isAtEnd) noteTime(oldest)
      else if (!(await advance(oldest))) heads.splice(heads.indexOf(oldest), 1)
    }
    if (page.length > 0) yield page
  } finally {
    for (const pages of opened) await pages.return?.()
  }
}

/** Sees to it that there is a next item; false at the end. */
async function advance(head: Head): Promise<boolean> {
  while (head.next >= head.page.length) {
    const result = await head.pages.next()
    if (result.done === true) return false
    head.page = result.value
    head.next = 0
  }
  noteTime(head)
  return true
}

function noteTime(head: Head): void {
  head.timeMs = Math.max(head.timeMs, head.page[head.next]?.timestampMs ?? -Infinity)
}

/** Publishers' wall clocks, both included. */
export interface TimeSpan {
  readonly sinceMs: number
  readonly untilMs: number
}

/** What lies within, and every gap that may reach into it. */
export async function* within(past: Past, { sinceMs, untilMs }: TimeSpan): PastPages {
  for await (const page of past) {
    yield page.filter(
      (item) =>
        item.timestampMs >= sinceMs && (item.kind === 'gap' ? item.afterMs : item.timestampMs) <= untilMs,
    )
  }
}

/** The last `count` messages, with the gaps between and behind them. Reads twice what `open` opens, and holds a page. */
export async function* lastOf(count: number, open: () => Past): PastPages {
  let total = 0
  for await (const page of open()) total += page.filter(({ kind }) => kind === 'message').length
  let surplus = total - count
  let hasBegun = surplus <= 0
  for await (const page of open()) {
    const start = hasBegun ? 0 : page.findIndex(({ kind }) => kind === 'message' && surplus-- <= 0)
    if (start === -1) continue
    hasBegun = true
    yield start === 0 ? page : page.slice(start)
  }
}
