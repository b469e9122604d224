/** A journal as a past: what lay in its folder when it was opened, with its holes. */

import { setImmediate } from 'node:timers/promises'
import { epochPages } from '../bus/journal/epoch-pages.js'
import type { JournalReader } from '../bus/journal/reader.js'
import type { JournalRecord } from '../bus/journal/record.js'
import type { TimeSpan } from './merge.js'
import { SourcePast } from './past.js'
import type { PastItem, PastPages } from './past.js'

export interface JournalPastOptions {
  readonly source: string
  readonly journal: JournalReader
  /** What lies outside is passed over where that is quick; the rest is for `within` to leave out. */
  readonly times: TimeSpan
  /** No more than the last so many within the times are wanted. */
  readonly last?: number | undefined
}

/** Throws what reading a file throws. */
export async function* readJournal({ source, journal, times, last: wanted }: JournalPastOptions): PastPages {
  const start = firstSegment(journal, times, wanted)
  const asksBefore = start === 0 && times.sinceMs > -Infinity
  const past = new SourcePast(source, asksBefore ? 'retention' : undefined)
  const first = journal.segments[start]
  for (const { epoch, end, last } of journal.epochs) {
    if (first === undefined || epoch < first.epoch) continue
    for (const { records, hole } of epochPages(journal, epoch, epoch === first.epoch ? first.first : 1)) {
      const items: PastItem[] = []
      for (const record of records) past.message({ kind: 'message', source, ...record }, 'corrupt', items)
      if (hole !== null) past.gap({ source, epoch, ...hole }, 'corrupt')
      yield items
      if ((records.at(-1)?.timestampMs ?? 0) > times.untilMs) return
      // Reading is synchronous: everybody else has a turn.
      await setImmediate()
    }
    if (end === 'unknown')
      past.gap({ source, epoch, from: last + 1, to: null, reason: 'epoch_end_unknown' }, 'corrupt')
  }
  const rest: PastItem[] = []
  past.end(rest)
  yield rest
}

/** The last segment that nothing before is wanted of. */
function firstSegment(journal: JournalReader, { sinceMs, untilMs }: TimeSpan, wanted = Infinity): number {
  let found = 0
  for (let i = journal.segments.length - 1; i > 0; i--) {
    let beganMs: number | undefined
    for (const { timestampMs } of recordsOf(journal, i)) {
      beganMs ??= timestampMs
      if (wanted === Infinity) break
      if (timestampMs <= untilMs) found++
    }
    if ((beganMs ?? Infinity) < sinceMs || found >= wanted) return i
  }
  return 0
}

/** What can be read of a segment. */
function* recordsOf(journal: JournalReader, index: number): Generator<JournalRecord> {
  const segment = journal.segments[index]
  if (segment === undefined) return
  const { epoch, first } = segment
  const next = journal.segments[index + 1]
  const end = next?.epoch === epoch ? next.first : Infinity
  for (const { records } of epochPages(journal, epoch, first)) {
    for (const record of records) {
      if (record.seq >= end) return
      yield record
    }
  }
}
