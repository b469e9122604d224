/** Where in a publisher's journal something lies: asked in few questions, each for one record at most. */

import type { Position } from '../bus/position.js'
import type { RangeReply } from '../bus/range.js'
import type { PulledRecord, RecoveryClient } from '../bus/recovery/recovery-client.js'

/** What of an epoch is to be read. */
export interface EpochSpan {
  readonly epoch: number
  /** Its last message, or the one before where another past begins; 0 for none. */
  readonly to: number
  /** The epoch after it: about when that began. Null when there is none. */
  readonly next: number | null
  /** The machine crashed, and nobody knows how far the epoch went. */
  readonly isEndUnknown: boolean
}

/** Where it begins: behind a place; at what is not older, by the publisher's wall clock; or at the last so many. */
export type PulledFrom =
  { readonly after: Position } | { readonly sinceMs: number } | { readonly last: number }

/** A range that lies behind everything: its answer says how far an epoch goes, and reads no disk. */
const BEYOND = Number.MAX_SAFE_INTEGER
/** So far back from the end is looked first, then twice as far, and so on: what is asked for is mostly young. */
const FIRST_STEP = 1_000

/** Answers are undefined where the publisher gives none. */
export class PulledJournal {
  constructor(
    private readonly client: RecoveryClient,
    private readonly source: string,
  ) {}

  /** Its epochs in order, up to `before`. */
  async spans(before: Position | undefined): Promise<EpochSpan[] | undefined> {
    const spans: EpochSpan[] = []
    for (let epoch: number | null = 0; epoch !== null && epoch <= (before?.epoch ?? Infinity);) {
      const reply = await this.ask(epoch, BEYOND)
      if (reply === undefined) return undefined
      const { known, last, end, next } = reply
      const isLast = epoch === before?.epoch
      const to = isLast ? Math.min(last, before.seq - 1) : last
      if (known) spans.push({ epoch, to, next, isEndUnknown: end === 'unknown' && !isLast })
      // It goes up, whatever a stranger answers.
      if (next !== null && next <= epoch) return undefined
      epoch = next
    }
    return spans
  }

  /** The first message that is wanted, or one right behind the last. */
  async findStart(spans: readonly EpochSpan[], from: PulledFrom): Promise<Position | undefined> {
    if ('last' in from) return lastStart(spans, from.last)
    if ('after' in from) return { epoch: from.after.epoch, seq: from.after.seq + 1 }
    const { sinceMs } = from
    const span = spans.find(({ next }) => next === null || next > sinceMs) ?? spans.at(-1)
    if (span === undefined) return { epoch: Infinity, seq: 1 }
    const seq = await this.firstSince(span, sinceMs)
    return seq === undefined ? undefined : { epoch: span.epoch, seq }
  }

  /** Times never fall within a source. */
  private async firstSince({ epoch, to }: EpochSpan, sinceMs: number): Promise<number | undefined> {
    // Everything from `high` on is wanted, nothing before `low`.
    let low = 1
    let high = to + 1
    let step = FIRST_STEP
    let isBracketed = false
    while (low < high) {
      const probe = isBracketed ? Math.floor((low + high) / 2) : Math.max(low, high - step)
      const found = await this.firstAt(epoch, probe, high - 1)
      if (found === undefined) return undefined
      if (found.timestampMs >= sinceMs) high = probe
      else {
        low = found.seq + 1
        isBracketed = true
      }
      step *= 2
    }
    return low
  }

  /** The first message that can be had; of time Infinity where there is none. */
  private async firstAt(
    epoch: number,
    from: number,
    to: number,
  ): Promise<{ readonly seq: number; readonly timestampMs: number } | undefined> {
    for (let seq = from; seq <= to;) {
      const reply = await this.ask(epoch, seq)
      const [record] = reply?.records ?? []
      if (reply === undefined) return undefined
      if (record?.value) return { seq, timestampMs: record.value.timestampMs }
      seq = Math.max(seq, reply.hole?.to ?? seq) + 1
    }
    return { seq: to, timestampMs: Infinity }
  }

  private ask(epoch: number, seq: number): Promise<RangeReply<PulledRecord> | undefined> {
    return this.client.range(this.source, { epoch, from: seq, to: seq })
  }
}

function lastStart(spans: readonly EpochSpan[], last: number): Position {
  let left = last
  let start: Position = { epoch: Infinity, seq: 1 }
  for (const { epoch, to } of [...spans].reverse()) {
    start = { epoch, seq: Math.max(1, to - left + 1) }
    left -= to
    if (left <= 0) break
  }
  return start
}
