/** A past with what it lacks and somebody else may have: what lies before it, and what it says is missing. */

import type { Gap } from '../bus/gap.js'
import type { Position } from '../bus/position.js'
import type { MadePages, Pages, Past, PastItem, StreamItem } from './past.js'

/**
 * What there is of a source before `before`, or up to its end: behind `after`, or as far back as it was asked for.
 * Nothing where nobody has it.
 */
export type Earlier = (source: string, before: Position | undefined, after?: Position) => Past

export interface EarlierOptions {
  /** Sources that begin with what is earlier; one that has nothing else comes at the end. */
  readonly begin: readonly string[]
  /** Older than this, publisher's wall clock, nothing was asked for. */
  readonly sinceMs: number
  readonly earlier: Earlier
}

/** The journal may have them still, or again. */
const ELSEWHERE: ReadonlySet<Gap['reason']> = new Set(['trimmed', 'out_of_reach', 'missed'])

/** What is found stands where it belongs, in the place of the gap. */
export async function* withEarlier<T extends StreamItem>(
  past: Pages<T>,
  { begin, sinceMs, earlier }: EarlierOptions,
): MadePages<T | PastItem> {
  const waiting = new Set(begin)
  for await (const page of past) {
    let kept: (T | PastItem)[] = []
    for (const each of page) {
      const item: StreamItem = each
      if (item.kind === 'refused') {
        kept.push(each)
        continue
      }
      const isFirst = waiting.delete(item.kind === 'gap' ? item.gap.source : item.source)
      const found = item.timestampMs < sinceMs ? undefined : lookedFor(item, isFirst, earlier)
      if (found === undefined) {
        kept.push(item)
        continue
      }
      yield kept
      kept = []
      let hasFound = false
      for await (const before of found.past) {
        hasFound ||= before.length > 0
        yield before
      }
      if (!found.isInstead || !hasFound) kept.push(item)
    }
    yield kept
  }
  for (const source of waiting) yield* earlier(source, undefined)
}

/** Undefined where nothing is to be looked for. */
function lookedFor(
  item: PastItem,
  isFirst: boolean,
  earlier: Earlier,
): { readonly past: Past; readonly isInstead: boolean } | undefined {
  if (item.kind === 'message')
    return isFirst ? { past: earlier(item.source, item), isInstead: false } : undefined
  const { source, epoch, from, to, reason } = item.gap
  if (to === null || !ELSEWHERE.has(reason)) {
    return isFirst ? { past: earlier(source, { epoch, seq: from }), isInstead: false } : undefined
  }
  const after = isFirst ? undefined : { epoch, seq: from - 1 }
  return { past: earlier(source, { epoch, seq: to + 1 }, after), isInstead: true }
}
