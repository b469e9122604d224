/**
 * Recorded gaps that stand beside no message: of sources that a part of the streams has nothing of. A stream gives its
 * gaps with its messages, and cannot say what is missing where all of it is.
 */

import type { Gap } from '../bus/gap.js'
import type { Position } from '../bus/position.js'
import type { PatientReader } from '../redis/patient-reader.js'
import { readGapRecords } from './gap-records.js'
import type { MadePages, Pages, PastPages, StreamItem } from './past.js'

/** The first message of each source that was read. */
export type Beginnings = Map<string, Position>

/** Takes down where each source begins. */
export async function* noteBeginnings<T extends StreamItem>(
  past: Pages<T>,
  beginnings: Beginnings,
): MadePages<T> {
  for await (const page of past) {
    for (const item of page) {
      if (item.kind !== 'message' || beginnings.has(item.source)) continue
      beginnings.set(item.source, { epoch: item.epoch, seq: item.seq })
    }
    yield page
  }
}

export interface LoneGapsOptions {
  readonly reader: PatientReader
  /** The stream of gaps: its key, and its last entry when there is one. */
  readonly gaps: { readonly key: string; readonly to: string | undefined }
  /** Id from which on they count: Redis's clock, as the ids of the streams are. */
  readonly from: string
  /** Whether the source belongs into a stream that was read. */
  readonly wants: (source: string) => boolean
  readonly beginnings: Beginnings
  /** More was asked for than what begins there: what lies in epochs before it counts, too. */
  readonly asksBefore: boolean
}

/** In the order in which they were recorded. Throws what `PatientReader.ask` throws. */
export async function* loneGaps(options: LoneGapsOptions): PastPages {
  const { reader, gaps, from, wants, beginnings, asksBefore } = options
  if (gaps.to === undefined) return
  const isLone = ({ source, epoch }: Gap): boolean => {
    const first = beginnings.get(source)
    return wants(source) && (first === undefined || (asksBefore && epoch < first.epoch))
  }
  for await (const page of readGapRecords(reader, gaps.key, from, gaps.to)) {
    const found = page.filter(({ gap }) => isLone(gap))
    yield found.map(({ gap, recordedMs }) => ({
      kind: 'gap',
      gap,
      afterMs: -Infinity,
      timestampMs: recordedMs,
    }))
  }
}
