/**
 * Where the messages of one segment lie in its bytes: runs of records without holes, and the damage between them.
 *
 * A segment is indexed by the heads of its records, which say epoch and seq; the crc is checked when a record is
 * read. Eight MiB are indexed in a millisecond or two.
 */

import type { Position } from '../position.js'
import { endOfRecord, findRecord, isIntact, isTorn, readRecord } from './record.js'

/** Offsets are kept of each so manieth record. */
const MARK_EVERY = 64

/** Records one behind the other, `first` to `last`, from byte `start` to byte `end`. */
export class RecordRun {
  last: number
  end: number
  private readonly marks: number[] = []

  constructor(
    readonly first: number,
    readonly start: number,
  ) {
    this.last = first - 1
    this.end = start
  }

  /** The next record ends at `end`. */
  extend(end: number): void {
    if ((++this.last - this.first) % MARK_EVERY === 0) this.marks.push(this.end)
    this.end = end
  }

  /** Forgets what lies behind message `last`. */
  rewind(last: number, bytes: Buffer): void {
    if (last >= this.last) return
    this.end = this.offsetOf(last + 1, bytes)
    this.last = last
    this.marks.length = Math.ceil((last - this.first + 1) / MARK_EVERY)
  }

  /** Where the record of `seq` begins; of `last` + 1, where it would. */
  offsetOf(seq: number, bytes: Buffer): number {
    if (seq > this.last) return this.end
    const place = seq - this.first
    let offset = this.marks[Math.floor(place / MARK_EVERY)] ?? this.start
    for (let left = place % MARK_EVERY; left > 0; left--) offset += 8 + bytes.readUInt32LE(offset)
    return offset
  }
}

/** Bytes that hold no readable record. */
export interface Damage {
  readonly offset: number
  readonly bytes: number
  /** The messages that were there; `to` is null when nothing readable follows in this file. */
  readonly from: number
  readonly to: number | null
  /** A write that was cut short, at the end of the file. */
  readonly isTorn: boolean
}

/** Bounds of what is read at once. */
export interface ChunkLimits {
  readonly records: number
  readonly bytes: number
}

export interface Chunk {
  readonly count: number
  /** Whole records, one behind the other. */
  readonly bytes: Buffer
  /** With nothing read: where messages can be read again in this segment; null when nowhere. */
  readonly resumesAt: number | null
}

const NOTHING = Buffer.alloc(0)

/** The bytes of a segment and what lies where. */
export class SegmentContent {
  constructor(
    readonly bytes: Buffer,
    readonly runs: readonly RecordRun[],
    readonly damages: readonly Damage[] = [],
    /** Bytes from this process's own memory need no crc check. */
    private readonly isTrusted = false,
  ) {}

  static ofMemory(bytes: Buffer, run: RecordRun): SegmentContent {
    return new SegmentContent(bytes, [run], [], true)
  }

  /** The last message in it; 0 when there is none. */
  get last(): number {
    return this.runs.at(-1)?.last ?? 0
  }

  /** Messages from `from` on, at most to `to`; at least one if it is readable, however large. */
  read(from: number, to: number, limits: ChunkLimits): Chunk {
    const { bytes } = this
    const run = this.runs.find(({ last }) => last >= from)
    if (run === undefined || run.first > from)
      return { count: 0, bytes: NOTHING, resumesAt: run?.first ?? null }
    const start = run.offsetOf(from, bytes)
    const most = Math.min(limits.records, run.last - from + 1, to - from + 1)
    let end = start
    let count = 0
    while (count < most) {
      const next = end + 8 + bytes.readUInt32LE(end)
      if (count > 0 && next - start > limits.bytes) break
      if (!this.isTrusted && !isIntact(bytes, end)) break
      end = next
      count++
    }
    return count > 0
      ? { count, bytes: bytes.subarray(start, end), resumesAt: null }
      : { count: 0, bytes: NOTHING, resumesAt: from + 1 }
  }
}

/** Indexes the bytes of the segment that begins with message `seq` of `epoch`; `thorough` checks every crc too. */
export function indexSegment(
  bytes: Buffer,
  { epoch, seq: first }: Position,
  { thorough = false } = {},
): SegmentContent {
  const runs: RecordRun[] = []
  const damages: Damage[] = []
  let run = new RecordRun(first, 0)
  const endOf = (offset: number, seq: number): number | undefined => {
    const end = endOfRecord(bytes, offset, { epoch, seq })
    return end === undefined || !thorough || readRecord(bytes, offset).kind === 'record' ? end : undefined
  }
  while (run.end < bytes.length) {
    const end = endOf(run.end, run.last + 1)
    if (end !== undefined) {
      run.extend(end)
      continue
    }
    dropDamagedLast(run, bytes)
    const offset = run.end
    const from = run.last + 1
    const found = findRecord(bytes, offset, { epoch, seq: from })
    const to = found === undefined ? null : found.seq - 1
    const until = found?.offset ?? bytes.length
    damages.push({
      offset,
      bytes: until - offset,
      from,
      to,
      isTorn: found === undefined && isTorn(bytes, offset),
    })
    if (run.last >= run.first) runs.push(run)
    if (found === undefined) return new SegmentContent(bytes, runs, damages)
    run = new RecordRun(found.seq, found.offset)
  }
  if (run.last >= run.first) runs.push(run)
  return new SegmentContent(bytes, runs, damages)
}

/** What follows a record is not its successor: perhaps its own length is wrong. */
function dropDamagedLast(run: RecordRun, bytes: Buffer): void {
  if (run.last < run.first) return
  const offset = run.offsetOf(run.last, bytes)
  if (readRecord(bytes, offset).kind !== 'record') run.rewind(run.last - 1, bytes)
}
