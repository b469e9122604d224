/**
 * `arbees journal verify`: reads every byte of every journal, and says exactly where one is wrong. What is gone before
 * the oldest file is no flaw: retention removes the oldest first, and leaves no trace.
 */

import type { EpochEntry } from '../bus/journal/epoch-index.js'
import { openJournalReader } from '../bus/journal/reader.js'
import type { JournalReader } from '../bus/journal/reader.js'
import { indexSegment } from '../bus/journal/segment-index.js'
import type { JournalStorage } from '../bus/journal/storage.js'
import { codeOf } from '../core/errors.js'
import { findJournals } from './journal-folders.js'
import type { JournalFolder } from './journal-folders.js'

/** Something that a journal should have and has not. */
export interface Flaw {
  /** `torn`: a write that a crash cut short, sent to nobody; the next start cuts it off. */
  readonly kind: 'damaged' | 'missing' | 'torn'
  /** Null for messages that no file has. */
  readonly file: string | null
  readonly offset: number | null
  readonly bytes: number | null
  readonly epoch: number
  /** The messages that cannot be read; `to` is null when nobody knows how far. */
  readonly from: number
  readonly to: number | null
}

export interface VerifiedJournal {
  readonly source: string
  readonly segments: number
  readonly bytes: number
  /** Whole records whose checksum is right. */
  readonly records: number
  readonly flaws: readonly Flaw[]
  /** Lines of the index of epochs that cannot be read. */
  readonly damaged_lines: number
}

export interface Verification {
  readonly ok: boolean
  readonly journals: readonly VerifiedJournal[]
}

/** Verifies the journals in `dir`. Throws `NO_JOURNAL`. */
export function verifyJournals(dir: string): Verification {
  const journals = findJournals(dir).map(verifyJournal)
  const ok = journals.every(
    ({ flaws, damaged_lines: lines }) => lines === 0 && flaws.every(({ kind }) => kind === 'torn'),
  )
  return { ok, journals }
}

function verifyJournal({ source, storage }: JournalFolder): VerifiedJournal {
  const journal = openJournalReader(storage)
  const epochs = journal.epochs.map((entry) => verifyEpoch(entry, journal, storage))
  return {
    source,
    segments: journal.segments.length,
    bytes: epochs.reduce((sum, { bytes }) => sum + bytes, 0),
    records: epochs.reduce((sum, { records }) => sum + records, 0),
    flaws: epochs.flatMap(({ flaws }) => flaws),
    damaged_lines: journal.damagedLines,
  }
}

/** Of an epoch, the first message that a file must have; undefined where retention may have taken the first ones. */
function firstDue(
  { epoch, newestSegment }: EpochEntry,
  { epochs, segments }: JournalReader,
): number | undefined {
  const [oldest] = segments
  if (oldest !== undefined) return epoch > oldest.epoch ? 1 : undefined
  // Retention leaves the newest file alone.
  const newest = epochs.findLast(({ last }) => last > 0)
  return epoch === newest?.epoch ? Math.max(1, newestSegment) : undefined
}

function verifyEpoch(
  entry: EpochEntry,
  journal: JournalReader,
  storage: JournalStorage,
): Pick<VerifiedJournal, 'bytes' | 'records' | 'flaws'> {
  const { epoch, last } = entry
  const flaws: Flaw[] = []
  let bytes = 0
  let records = 0
  let next = firstDue(entry, journal)
  const segments = journal.segments.filter((each) => each.epoch === epoch)
  for (const [index, { name, first }] of segments.entries()) {
    const content = readSegment(storage, name, journal.writer !== undefined)
    if (content === undefined) {
      // And with it all that came before.
      next = undefined
      continue
    }
    flaws.push(...missing(journal, epoch, next ?? first, first - 1))
    const { runs, damages } = indexSegment(content, { epoch, seq: first }, { thorough: true })
    bytes += content.length
    records += runs.reduce((sum, run) => sum + run.last - run.first + 1, 0)
    next = Math.max(first, ...runs.map((run) => run.last + 1))
    const end = (segments[index + 1]?.first ?? last + 1) - 1
    for (const { offset, bytes: size, from, to, isTorn } of damages) {
      const isTail = isTorn && from > end
      // What its publisher is writing right now is no flaw.
      if (isTail && journal.writer !== undefined) continue
      const until = to ?? (end >= from ? end : null)
      flaws.push({
        kind: isTail ? 'torn' : 'damaged',
        file: name,
        offset,
        bytes: size,
        epoch,
        from,
        to: until,
      })
      next = Math.max(next, (until ?? 0) + 1)
    }
  }
  if (next !== undefined) flaws.push(...missing(journal, epoch, next, last))
  return { bytes, records, flaws }
}

/** Undefined when its publisher's retention has removed it meanwhile. */
function readSegment(storage: JournalStorage, name: string, isLive: boolean): Buffer | undefined {
  try {
    return storage.read(name)
  } catch (error) {
    if (isLive && codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Messages that no file has, without those that the journal knows were never written. */
function missing({ lost }: JournalReader, epoch: number, from: number, to: number): Flaw[] {
  const flaws: Flaw[] = []
  let next = from
  const holes = lost.filter((hole) => hole.epoch === epoch && hole.to >= from && hole.from <= to)
  for (const hole of [...holes, { from: to + 1, to }]) {
    if (hole.from > next) {
      const place = { file: null, offset: null, bytes: null }
      flaws.push({ kind: 'missing', ...place, epoch, from: next, to: hole.from - 1 })
    }
    next = Math.max(next, hole.to + 1)
  }
  return flaws
}
