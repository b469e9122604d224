/**
 * One channel on its way into Redis, without I/O: a reader that knows no holes in front, one call in flight, batches
 * that grow with the backlog. Messages, heartbeats, chunks of the journal, Redis's answers and the time go in; the next
 * call and the next question to the journal come out.
 *
 * Where the channel stands is what Redis says, never what is remembered: at the start and after every failure the
 * checkpoint is read before anything is written, and what lies between it and the source's head is pulled again. A call
 * whose answer was lost is therefore neither repeated nor forgotten.
 */

import { ChannelReader } from '../bus/channel-reader.js'
import type { ChannelReaderOptions, Reception } from '../bus/channel-reader.js'
import { NOWHERE, isBefore, isSame } from '../bus/position.js'
import type { Checkpoint, Position } from '../bus/position.js'
import type { RangeReply, RangeRequest } from '../bus/range.js'
import { Portion } from '../redis/portion.js'
import { endOf, isGap, weightOf } from './item.js'
import type { GapStep, Item, MirrorRecord } from './item.js'

/** What to ask Redis next. */
export type MirrorAction =
  | { readonly kind: 'read' }
  /** Moves the checkpoint from `base`, where Redis was last seen, over `items`. */
  | { readonly kind: 'write'; readonly base: Position; readonly items: readonly Item[] }

/** What a write came to, whoever stores it; `mirror-script.ts` says what each word means. */
export interface WriteOutcome {
  readonly status: 'OK' | 'ERROR' | 'BEHIND' | 'MOVED' | 'EPOCH_REGRESSED' | 'BROKEN_BATCH'
  /** What the store holds after it; not to be used after ERROR. */
  readonly checkpoint: Checkpoint
  readonly written: number
  readonly gaps: number
}

/** What is known to be stored since the last answer. */
export interface Settled {
  readonly written: number
  /** How many messages further the store is, whoever wrote them. */
  readonly advanced: number
  readonly gaps: readonly GapStep[]
}

export interface MirrorCoreOptions {
  /** Entries that the store keeps of the channel: what lies further behind its head is not pulled. */
  readonly maxBehind: number
  readonly maxWaiting?: ChannelReaderOptions['maxWaiting']
  readonly outOfReachMs?: number
}

/** A larger call holds Redis up for all others; a smaller one is all that a slow link carries in time. */
const BATCH = { records: 512, bytes: 512 * 1024 }
/** Live messages that are kept while Redis is away or a hole is filled; the rest is pulled afterwards. */
const MAX_WAITING = { records: 20_000, bytes: 16 * 1024 * 1024 }
const OUT_OF_REACH_MS = 10_000
/** After a failure. */
const RETRY_MS = 200
/** How often a checkpoint is looked at that nobody should have moved. */
const REREAD_MS = 1_000

const NOTHING: Settled = { written: 0, advanced: 0, gaps: [] }

export class MirrorCore {
  private readonly reader: ChannelReader<MirrorRecord>
  /** Steps of a call whose answer is not known. */
  private unanswered: readonly Item[] = []
  private inFlight: MirrorAction['kind'] | undefined
  /** Redis was away since the call in flight began: its answer may be of a life before. */
  private doubted = false
  private stored: Checkpoint | undefined
  private retryAtMs = -Infinity
  private answeredMs = -Infinity
  private beatEpoch = 0
  private readonly batchBytes = new Portion(BATCH.bytes)

  constructor({ maxBehind, maxWaiting, outOfReachMs }: MirrorCoreOptions) {
    this.reader = new ChannelReader({
      maxBehind,
      maxWaiting: maxWaiting ?? MAX_WAITING,
      outOfReachMs: outOfReachMs ?? OUT_OF_REACH_MS,
    })
  }

  /** The last position that Redis told of. */
  get position(): Checkpoint | undefined {
    return this.stored
  }

  /** Messages that the source is ahead of Redis, as far as its epoch tells. */
  get lag(): number {
    const { sourceHead: head } = this.reader
    const at = this.stored ?? NOWHERE
    if (at.epoch > head.epoch) return 0
    return at.epoch === head.epoch ? Math.max(0, head.seq - at.seq) : head.seq
  }

  /** The oldest message at hand that Redis is not known to hold; others before it may still have to be pulled. */
  get oldestAtHand(): MirrorRecord | undefined {
    const unanswered = this.unanswered.find((item) => item.kind === 'record')
    return unanswered?.value ?? this.reader.nextAtHand
  }

  /** Redis is not known to hold all that the source is known to have published. */
  get isBehind(): boolean {
    const { sourceHead: head } = this.reader
    const at = this.stored ?? NOWHERE
    return this.inFlight === 'write' || isBefore(at, head) || (isSame(at, head) && head.closed && !at.closed)
  }

  /** The epoch that the source lives in, when that is before the one that Redis holds: nothing of it is written. */
  get regressedEpoch(): number | undefined {
    return this.reader.isRegressed ? this.beatEpoch : undefined
  }

  /** A live message. */
  receive(message: Position & { readonly value: MirrorRecord }, nowMs: number): Reception {
    return this.reader.receive(message, weightOf(message.value), nowMs)
  }

  /** A heartbeat's word on the channel; `journal` is false where nothing can be pulled. */
  beat(beat: Position & { readonly closing: boolean; readonly journal: boolean }, nowMs: number): void {
    this.beatEpoch = beat.epoch
    this.reader.reached(beat, nowMs)
  }

  /** The next chunk to ask the journal for; ask again only after `onReply` or `onNoReply`. */
  nextRequest(nowMs: number): RangeRequest | undefined {
    return this.reader.nextRequest(nowMs)
  }

  onReply(reply: RangeReply<MirrorRecord>, nowMs: number): void {
    this.reader.onReply(reply, nowMs)
  }

  onNoReply(nowMs: number): void {
    this.reader.onNoReply(nowMs)
  }

  /** The next call, now in flight until one of the answers below; undefined when there is nothing to do. */
  nextAction(nowMs: number): MirrorAction | undefined {
    if (this.inFlight !== undefined || nowMs < this.retryAtMs) return undefined
    const action = this.plan(nowMs)
    this.inFlight = action?.kind
    return action
  }

  /** The checkpoint was read. */
  onRead(checkpoint: Checkpoint, nowMs: number): Settled {
    if (!this.isAnswered(nowMs)) return NOTHING
    const stored = this.unanswered.filter((item) => !isBefore(checkpoint, endOf(item)))
    this.unanswered = []
    const advanced = this.advance(stored, checkpoint)
    this.standAt(checkpoint)
    return { written: recordsIn(stored), advanced, gaps: stored.filter(isGap) }
  }

  /** The write was answered. Anything but OK makes it read the checkpoint again, a little later. */
  onWritten(outcome: WriteOutcome, nowMs: number): Settled {
    const steps = this.unanswered
    this.unanswered = []
    const isCertain = this.isAnswered(nowMs)
    const settled = { written: outcome.written, gaps: steps.filter(isGap).slice(0, outcome.gaps) }
    if (outcome.status !== 'OK') this.forgetPosition(nowMs)
    // How far Redis came by a call that did not end well, the next read says.
    if (outcome.status !== 'OK' || !isCertain) return { ...settled, advanced: 0 }
    this.batchBytes.cameInTime()
    const advanced = this.advance(steps, outcome.checkpoint)
    this.standAt(outcome.checkpoint)
    return { ...settled, advanced }
  }

  /** The call in flight failed, or nobody knows how it ended: it may have been too large to be answered in time. */
  onFailure(nowMs: number, wasTooLong = false): void {
    if (wasTooLong && this.inFlight === 'write') this.batchBytes.tookTooLong()
    this.isAnswered(nowMs)
    this.forgetPosition(nowMs)
  }

  /** Redis was away: whatever it said before may be true no more. */
  forget(): void {
    this.doubted = this.inFlight !== undefined
    this.reader.stop()
    this.retryAtMs = -Infinity
  }

  private plan(nowMs: number): MirrorAction | undefined {
    const base = this.reader.position
    if (base === undefined) return { kind: 'read' }
    const items = this.takeBatch(nowMs)
    if (items.length > 0) {
      this.unanswered = items
      return { kind: 'write', base, items }
    }
    return nowMs - this.answeredMs < REREAD_MS ? undefined : { kind: 'read' }
  }

  private takeBatch(nowMs: number): readonly Item[] {
    const items: Item[] = []
    let bytes = 0
    while (items.length < BATCH.records && bytes < this.batchBytes.size) {
      const [item] = this.reader.take(1, nowMs)
      if (item === undefined) break
      items.push(item)
      if (item.kind === 'record') bytes += weightOf(item.value)
    }
    return items
  }

  /** Takes the call off the line; false when its answer is too old to be believed. */
  private isAnswered(nowMs: number): boolean {
    const { doubted } = this
    this.inFlight = undefined
    this.doubted = false
    this.answeredMs = nowMs
    return !doubted
  }

  /**
   * Messages that the store got from where it was last seen to `checkpoint`: those of `steps`, which it has, and what
   * others wrote behind them. None when it has less than before; of a channel that it had nothing of, nobody knows how
   * much of what lies before `checkpoint` is a gap.
   */
  private advance(steps: readonly Item[], checkpoint: Checkpoint): number {
    const last = steps.at(-1)
    const from = last === undefined ? this.stored : endOf(last)
    if (from === undefined || from.epoch === 0 || isBefore(checkpoint, from)) return recordsIn(steps)
    const others = checkpoint.epoch === from.epoch ? checkpoint.seq - from.seq : checkpoint.seq
    return recordsIn(steps) + others
  }

  /** Redis or another mirror may be elsewhere than the reader. */
  private standAt(checkpoint: Checkpoint): void {
    this.stored = checkpoint
    const at = this.reader.position
    const isThere = at !== undefined && isSame(at, checkpoint) && at.closed === checkpoint.closed
    if (!isThere) this.reader.startAt(checkpoint)
  }

  private forgetPosition(nowMs: number): void {
    this.reader.stop()
    this.retryAtMs = nowMs + RETRY_MS
  }
}

const recordsIn = (items: readonly Item[]): number => items.filter(({ kind }) => kind === 'record').length
