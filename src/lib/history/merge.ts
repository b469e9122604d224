/** Several pasts as one, by time, and the part of it that lies between two times. */

import type { MadePages, Pages, Past, PastPages, StreamItem } from './past.js'

/** What is left of one past. */
interface Head<T extends StreamItem> {
  readonly pages: AsyncIterator<readonly T[]>
  page: readonly T[]
  next: number
  /** Never falls: an item that is older than the one before it comes right behind that. */
  timeMs: number
}

const PAGE = 500

/**
 * Oldest first by the publishers' wall clocks; the order within each past stays as it is. Holds a page of each.
 */
export async function* mergeByTime<T extends StreamItem>(pasts: readonly Pages<T>[]): MadePages<T> {
  const opened = pasts.map((past) => past[Symbol.asyncIterator]())
  try {
    const heads: Head<T>[] = []
    for (const pages of opened) {
      const head: Head<T> = { pages, page: [], next: 0, timeMs: -Infinity }
      if (await advance(head)) heads.push(head)
    }
    let page: T[] = []
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
async function advance<T extends StreamItem>(head: Head<T>): Promise<boolean> {
  while (head.next >= head.page.length) {
    const result = await head.pages.next()
    if (result.done === true) return false
    head.page = result.value
    head.next = 0
  }
  noteTime(head)
  return true
}

function noteTime<T extends StreamItem>(head: Head<T>): void {
  const item = head.page[head.next]
  // Of another clock: it stays where it is.
  if (item === undefined || item.kind === 'refused') return
  head.timeMs = Math.max(head.timeMs, item.timestampMs)
}

/** Publishers' wall clocks, both included. */
export interface TimeSpan {
  readonly sinceMs: number
  readonly untilMs: number
}

/** What lies within, and every gap that may reach into it. */
export async function* within<T extends StreamItem>(
  past: Pages<T>,
  { sinceMs, untilMs }: TimeSpan,
): MadePages<T> {
  for await (const page of past) {
    yield page.filter(
      (item) =>
        item.timestampMs >= sinceMs && (item.kind === 'gap' ? item.afterMs : item.timestampMs) <= untilMs,
    )
  }
}

/**
 * The last `count` messages, with the gaps between and behind them. Reads twice what `open` opens, and holds a page; what
 * came to its end meanwhile is left out.
 */
export async function* lastOf(count: number, open: () => Past): PastPages {
  let total = 0
  for await (const page of open()) total += page.filter(({ kind }) => kind === 'message').length
  let surplus = total - count
  let left = Math.min(total, count)
  let hasBegun = surplus <= 0
  for await (const page of open()) {
    const start = hasBegun ? 0 : page.findIndex(({ kind }) => kind === 'message' && surplus-- <= 0)
    if (start === -1) continue
    hasBegun = true
    const end = page.findIndex(({ kind }, i) => i >= start && kind === 'message' && left-- <= 0)
    yield page.slice(start, end === -1 ? undefined : end)
    if (end !== -1) return
  }
}
