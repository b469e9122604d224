/** One epoch of a journal from its first message on disk to its last, a page at a time. */

import type { HoleReason } from '../range.js'
import type { JournalReader } from './reader.js'
import { readRecords } from './record.js'
import type { JournalRecord } from './record.js'

export interface EpochPage {
  readonly records: readonly JournalRecord[]
  /** What is missing right behind the records; `to` is null when nobody knows how far. */
  readonly hole: { readonly from: number; readonly to: number | null; readonly reason: HoleReason } | null
  /** Where the next page begins. */
  readonly next: number
}

const PAGE = { records: 500, bytes: 256 * 1024 }

/** Nothing where the epoch has no file. Throws what reading a file throws. */
export function* epochPages(journal: JournalReader, epoch: number, from?: number): Generator<EpochPage> {
  let seq = from ?? journal.segments.find((segment) => segment.epoch === epoch)?.first
  while (seq !== undefined) {
    const { bytes, count, hole, last } = journal.answer({ epoch, from: seq }, PAGE)
    const next = hole === null ? seq + count : (hole.to ?? last) + 1
    if (next === seq) return
    yield {
      records: readRecords(bytes) ?? [],
      hole: hole === null ? null : { from: seq + count, to: hole.to, reason: hole.reason },
      next,
    }
    seq = next
  }
}
