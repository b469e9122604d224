/** A journal as a past: what lay in its folder when it was opened, with its holes. */

import { setImmediate } from 'node:timers/promises'
import type { Gap } from '../bus/gap.js'
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
  const past = new SourcePast(source)
  const first = journal.segments[start]
  if (asksBefore) for (const gap of removed(source, journal, times)) past.gap(gap, 'retention')
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
  past.end(rest, first === undefined ? Infinity : undefined)
  yield rest
}

/** What lay before the first file, as far as it can lie within the times: the index still knows of it. */
function removed(source: string, { epochs, segments }: JournalReader, times: TimeSpan): Gap[] {
  const [first] = segments
  return epochs.flatMap(({ epoch, last, end, timestampMs }, i) => {
    // An epoch is named for the time at which it began, and no message is younger than the next.
    const endMs = end === 'known' ? timestampMs : (epochs[i + 1]?.epoch ?? Infinity)
    if (epoch > (first?.epoch ?? Infinity) || endMs < times.sinceMs || epoch > times.untilMs) return []
    const to = epoch === first?.epoch ? first.first - 1 : last
    const known: Gap = { source, epoch, from: 1, to, reason: 'retention' }
    const unknown: Gap = { source, epoch, from: last + 1, to: null, reason: 'epoch_end_unknown' }
    return [...(to > 0 ? [known] : []), ...(end === 'unknown' && epoch !== first?.epoch ? [unknown] : [])]
  })
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
