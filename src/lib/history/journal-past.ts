/** A journal as a past: what lay in its folder when it was opened, with its holes. */

import { setImmediate } from 'node:timers/promises'
import { epochPages } from '../bus/journal/epoch-pages.js'
import type { JournalReader } from '../bus/journal/reader.js'
import type { Segment } from '../bus/journal/segments.js'
import type { TimeSpan } from './merge.js'
import { SourcePast } from './past.js'
import type { PastItem, PastPages } from './past.js'

export interface JournalPastOptions {
  readonly source: string
  readonly journal: JournalReader
  /** What lies outside is passed over where that is quick; the rest is for `within` to leave out. */
  readonly times: TimeSpan
}

/** Throws what reading a file throws. */
export async function* readJournal({ source, journal, times }: JournalPastOptions): PastPages {
  const start = firstSegment(journal, times.sinceMs)
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

/** The last segment that begins before that time: no message before it is that young. */
function firstSegment(journal: JournalReader, sinceMs: number): number {
  const { segments } = journal
  for (let i = segments.length - 1; i > 0; i--) {
    const segment = segments[i]
    if (segment !== undefined && beganMs(journal, segment) < sinceMs) return i
  }
  return 0
}

function beganMs(journal: JournalReader, { epoch, first }: Segment): number {
  for (const { records } of epochPages(journal, epoch, first)) {
    const [record] = records
    if (record !== undefined) return record.timestampMs
  }
  return Infinity
}
