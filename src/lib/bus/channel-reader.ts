/**
 * A channel without holes: what comes live, what was missed and is pulled from the journal, and where neither helps, a
 * gap that says exactly what is missing. Pure: messages, heartbeats, replies and the time go in; items in order and
 * requests come out. The sockets are `recovering-subscriber.ts` and the mirror; the simulator drives the same class.
 *
 * A position moves over a message only when that message, or a gap that covers it, was taken. Whoever keeps positions
 * elsewhere starts the reader again where that place says that it is.
 */

import type { GapReason } from './gap.js'
import { Patience } from './patience.js'
import { NOWHERE, isBefore, isSame } from './position.js'
import type { Checkpoint, Position } from './position.js'
import type { RangeReply, RangeRequest } from './range.js'

/** One step of a channel. Each begins where the one before it ended. */
export type ReaderItem<T> =
  | (Position & { readonly kind: 'record'; readonly value: T })
  | GapItem
  /** Leaves epoch `from` for `to`; with a reason when what is missing at the end of `from` is not known. */
  | { readonly kind: 'epoch'; readonly from: number; readonly to: number; readonly reason: GapReason | null }
  /** The source said that its epoch ends here. */
  | (Position & { readonly kind: 'closed' })

/** A hole within an epoch, `from` to `to`. */
export interface GapItem {
  readonly kind: 'gap'
  readonly epoch: number
  readonly from: number
  readonly to: number
  readonly reason: GapReason
}

export interface ChannelReaderOptions {
  /** Live messages that wait for a hole before them to be filled; beyond that they are pulled again later. */
  readonly maxWaiting: { readonly records: number; readonly bytes: number }
  /** A hole of a live source that is not filled for so long is given up. */
  readonly outOfReachMs: number
  /** Where there is no use for more: what lies further behind the source than this is a gap `trimmed`. */
  readonly maxBehind?: number
}

/** What a message was to the reader. */
export type Reception = 'taken' | 'duplicate' | 'old_epoch' | 'full'

interface Waiting<T> extends Position {
  readonly value: T
  readonly bytes: number
}

/** What the last reply says of what lies behind its records. */
interface Answer extends Position, Pick<RangeReply<unknown>, 'known' | 'hole' | 'last' | 'end' | 'next'> {}

/** After a reply that brought nothing, or none. */
const RETRY_MS = 100
/** A source that was not heard for so long is away, not out of reach. */
const AWAY_MS = 1_000

export class ChannelReader<T> {
  private at: Checkpoint | undefined
  /** Behind the position, in order; may have holes. */
  private waiting: Waiting<T>[] = []
  /** How many at its beginning were let go; cut off in one piece now and then. */
  private gone = 0
  private waitingBytes = 0
  /** Pulled, in order, from `at` on. */
  private pulled: readonly { readonly seq: number; readonly value: T | null }[] = []
  private pulledNext = 0
  private answer: Answer | undefined
  private outstanding: RangeRequest | undefined
  private retryAtMs = -Infinity
  private readonly patience = new Patience()
  private heardMs = -Infinity
  /** The furthest that the source is known to be. */
  private head: Checkpoint = NOWHERE
  /** The epoch of its last heartbeat, or one that is known to be later. */
  private beatEpoch = 0
  /** Whether the source keeps a journal; not known before its first heartbeat. */
  private recoverable: boolean | undefined

  constructor(private readonly options: ChannelReaderOptions) {}

  /** Where it is: everything up to here was taken. Undefined until `startAt`. */
  get position(): Checkpoint | undefined {
    return this.at
  }

  /** The furthest that the source is known to be. */
  get sourceHead(): Checkpoint {
    return this.head
  }

  /** Something that the source has published is missing, and waits to be pulled or given up. */
  get hasHole(): boolean {
    const { at } = this
    if (at === undefined || !isBefore(at, this.head)) return false
    const first = this.firstWaiting(at)
    return first === undefined || !follows(at, first)
  }

  /** How many messages are missing right behind the position, as far as is known. */
  get holeSize(): number {
    const { at, head } = this
    if (at === undefined || !this.hasHole) return 0
    const first = this.firstWaiting(at)
    if (first?.epoch === at.epoch) return first.seq - 1 - at.seq
    return head.epoch === at.epoch ? head.seq - at.seq : head.seq
  }

  /** The next message that is here to be taken, perhaps behind a hole. */
  get nextAtHand(): T | undefined {
    return this.pulled[this.pulledNext]?.value ?? this.firstWaiting(this.at ?? NOWHERE)?.value
  }

  /** The source lives in an epoch before the position's: its clock was set back, or its name is used twice. */
  get isRegressed(): boolean {
    return this.at !== undefined && this.beatEpoch > 0 && this.beatEpoch < this.at.epoch
  }

  /** Wants everything after `position`, whatever was taken before. What waits beyond it is kept. */
  startAt(position: Checkpoint): void {
    this.at = position
    this.forgetPulled()
    this.patience.reset()
    this.retryAtMs = -Infinity
  }

  /** Wants what was heard and what will be; false when nothing was heard yet. */
  startLive(): boolean {
    const first = this.firstWaiting(NOWHERE)
    const start = first === undefined ? this.head : { epoch: first.epoch, seq: first.seq - 1, closed: false }
    if (start.epoch === 0) return false
    this.startAt(start)
    return true
  }

  /** The position is not known any more: nothing is given out until `startAt`. */
  stop(): void {
    this.at = undefined
    this.forgetPulled()
  }

  /**
   * The short way of a live message that is the very next while nothing waits: true, and the position is behind it; it
   * is the caller's to give out. False: `receive` it.
   */
  passes(epoch: number, seq: number, nowMs: number): boolean {
    const { at } = this
    if (at?.epoch !== epoch || at.seq + 1 !== seq) return false
    if (this.waiting.length > this.gone || this.hasPulled) return false
    const position = { epoch, seq, closed: false }
    this.at = position
    if (isBefore(this.head, position)) this.head = position
    this.heardMs = nowMs
    this.patience.reset()
    return true
  }

  /** A live message; `bytes` is what it weighs while it waits. */
  receive(message: Position & { readonly value: T }, bytes: number, nowMs: number): Reception {
    const { at } = this
    this.heardMs = nowMs
    const verdict = this.judge(message)
    if (verdict !== undefined) return verdict
    if (isBefore(this.head, message)) this.head = { epoch: message.epoch, seq: message.seq, closed: false }
    const { maxWaiting } = this.options
    const count = this.waiting.length - this.gone
    const isNext = at !== undefined && follows(at, message)
    const isFull = count >= maxWaiting.records || this.waitingBytes + bytes > maxWaiting.bytes
    if (isFull && !isNext) return 'full'
    const { epoch, seq, value } = message
    return this.insert({ epoch, seq, value, bytes }) ? 'taken' : 'duplicate'
  }

  /** A heartbeat's word on the channel; `journal` is false where nothing can be pulled. */
  reached(
    beat: Position & { readonly closing: boolean; readonly journal: boolean },
    nowMs: number,
  ): 'taken' | 'old_epoch' {
    this.heardMs = nowMs
    const { epoch, seq, closing } = beat
    this.beatEpoch = epoch
    if (this.isOldEpoch(beat)) return 'old_epoch'
    this.recoverable = beat.journal
    if (!isBefore(beat, this.head)) this.head = { epoch, seq, closed: closing }
    return 'taken'
  }

  /** Steps that can be taken now, at most `max`; the position is behind them. */
  take(max: number, nowMs: number): ReaderItem<T>[] {
    const items: ReaderItem<T>[] = []
    while (items.length < max) {
      const item = this.next(nowMs)
      if (item === undefined) break
      this.advance(item)
      items.push(item)
    }
    return items
  }

  /** What to ask the journal for, after everything that can be taken was; remembered as outstanding. */
  nextRequest(nowMs: number): RangeRequest | undefined {
    const { at } = this
    const isIdle = this.outstanding === undefined && nowMs >= this.retryAtMs && !this.hasPulled
    if (at === undefined || !isIdle || this.recoverable !== true || !this.hasHole) return undefined
    const first = this.firstWaiting(at)
    const request: RangeRequest = {
      epoch: at.epoch,
      from: at.seq + 1,
      ...(first?.epoch === at.epoch ? { to: first.seq - 1 } : {}),
    }
    this.outstanding = request
    this.patience.begin(nowMs)
    return request
  }

  /** The answer to the outstanding request; another one, or one that contradicts itself, is refused. */
  onReply(reply: RangeReply<T>, nowMs: number): boolean {
    const asked = this.outstanding
    const { at } = this
    if (asked?.epoch !== reply.epoch || asked.from !== reply.from || at === undefined) return false
    if (!isSound(reply)) return this.refuse(nowMs)
    this.outstanding = undefined
    this.pulled = reply.records
    this.pulledNext = 0
    const { epoch, known, hole, last, end, next } = reply
    this.answer = { epoch, seq: reply.from - 1 + reply.records.length, known, hole, last, end, next }
    this.retryAtMs = nowMs + (reply.records.length > 0 ? 0 : RETRY_MS)
    return true
  }

  /** Word of somebody who has the channel whole: right behind `end`, where its epoch ends, comes epoch `next`. */
  onEnd(end: Position, next: number): void {
    if (this.at === undefined || !isSame(this.at, end) || this.hasPulled) return
    const { epoch, seq } = end
    this.answer = { epoch, seq, known: true, hole: null, last: seq, end: 'known', next }
  }

  /** The source was asked and says to come again: it is not out of reach. */
  onBusy(): void {
    this.patience.reset()
  }

  /** The outstanding request got no answer. */
  onNoReply(nowMs: number): void {
    this.refuse(nowMs)
  }

  /** Judged before anything is kept: what was taken already, and lives that are over, go no further. */
  protected judge(message: Position): 'duplicate' | 'old_epoch' | undefined {
    if (this.isOldEpoch(message)) return 'old_epoch'
    return this.isKnown(message) ? 'duplicate' : undefined
  }

  protected isOldEpoch({ epoch }: Position): boolean {
    return this.at !== undefined && epoch < this.at.epoch
  }

  protected isKnown(message: Position): boolean {
    return this.at !== undefined && !isBefore(this.at, message)
  }

  private next(nowMs: number): ReaderItem<T> | undefined {
    const { at } = this
    if (at === undefined) return undefined
    const pulled = this.nextPulled(at)
    if (pulled !== undefined) return pulled
    const first = this.firstWaiting(at)
    if (first !== undefined && follows(at, first)) {
      this.dropFirst()
      const { epoch, seq, value } = first
      return { kind: 'record', epoch, seq, value }
    }
    if (!isBefore(at, this.head)) {
      const closes =
        this.head.closed && !at.closed && at.epoch === this.head.epoch && at.seq === this.head.seq
      return closes ? { kind: 'closed', epoch: at.epoch, seq: at.seq } : undefined
    }
    return this.nextOverHole(at, first, nowMs)
  }

  private nextPulled(at: Position): ReaderItem<T> | undefined {
    while (this.hasPulled) {
      const record = this.pulled[this.pulledNext++]
      if (record === undefined || record.seq <= at.seq) continue
      const { seq, value } = record
      return value === null
        ? { kind: 'gap', epoch: at.epoch, from: seq, to: seq, reason: 'illegible' }
        : { kind: 'record', epoch: at.epoch, seq, value }
    }
    return undefined
  }

  /** Something is missing right behind the position: what the journal said of it, or a reason not to wait for it. */
  private nextOverHole(
    at: Checkpoint,
    first: Position | undefined,
    nowMs: number,
  ): ReaderItem<T> | undefined {
    const { recoverable, answer } = this
    const isAnswered = answer?.epoch === at.epoch && answer.seq === at.seq
    if (recoverable === undefined && !isAnswered) return undefined
    if (recoverable === false) return this.giveUp(at, first, 'no_journal')
    const trimmed = this.trim(at, first)
    if (trimmed !== undefined) return trimmed
    if (isAnswered) {
      const item = this.followAnswer(at, answer, first)
      if (item !== undefined) return item
    }
    if (nowMs - this.heardMs > AWAY_MS) this.patience.reset()
    if (!this.patience.isSpent(this.options.outOfReachMs, nowMs)) return undefined
    return this.giveUp(at, first, 'out_of_reach')
  }

  /** What was heard live is not missing, whatever the journal says: a hole ends before it, and so does no epoch. */
  private followAnswer(
    at: Checkpoint,
    answer: Answer,
    first: Position | undefined,
  ): ReaderItem<T> | undefined {
    const { epoch } = at
    const { hole, known, next, last, end } = answer
    const heard = first?.epoch === epoch ? first.seq - 1 : undefined
    if (known && hole !== null && hole.to !== null) {
      const to = Math.min(hole.to, heard ?? Infinity)
      return { kind: 'gap', epoch, from: at.seq + 1, to, reason: hole.reason }
    }
    const isOver = !known || hole !== null || (at.seq >= last && end !== null)
    if (next === null || !isOver) return undefined
    const reason = reasonOfEnd(answer)
    return heard === undefined
      ? { kind: 'epoch', from: epoch, to: next, reason }
      : { kind: 'gap', epoch, from: at.seq + 1, to: heard, reason: reason ?? 'epoch_end_unknown' }
  }

  /** What nobody needs any more is not pulled: more than `maxBehind` messages lie behind it, over epochs. */
  private trim(at: Checkpoint, first: Position | undefined): GapItem | undefined {
    const { maxBehind } = this.options
    const { head, answer } = this
    if (maxBehind === undefined || at.epoch === 0) return undefined
    const last = answer?.epoch === at.epoch ? answer.last : at.seq
    const needed = at.epoch === head.epoch ? head.seq - maxBehind : last - Math.max(0, maxBehind - head.seq)
    const to = Math.min(needed, first?.epoch === at.epoch ? first.seq - 1 : Infinity)
    if (to <= at.seq) return undefined
    return { kind: 'gap', epoch: at.epoch, from: at.seq + 1, to, reason: 'trimmed' }
  }

  /** A gap as far as the hole is known to go. */
  private giveUp(at: Checkpoint, first: Position | undefined, reason: GapReason): ReaderItem<T> {
    const { head } = this
    const { epoch } = at
    if (first?.epoch === epoch) return { kind: 'gap', epoch, from: at.seq + 1, to: first.seq - 1, reason }
    if (head.epoch === epoch) return { kind: 'gap', epoch, from: at.seq + 1, to: head.seq, reason }
    const to = first?.epoch ?? head.epoch
    // Where a journal is out of reach, a whole epoch may lie between: only it could tell that none does.
    const isWhole = epoch === 0 || (at.closed && reason === 'no_journal')
    return {
      kind: 'epoch',
      from: epoch,
      to,
      reason: isWhole ? null : reason === 'no_journal' ? 'epoch_end_unknown' : reason,
    }
  }

  private advance(item: ReaderItem<T>): void {
    this.patience.reset()
    switch (item.kind) {
      case 'record':
        this.at = { epoch: item.epoch, seq: item.seq, closed: false }
        break
      case 'gap':
        this.at = { epoch: item.epoch, seq: item.to, closed: false }
        break
      case 'closed':
        this.at = { epoch: item.epoch, seq: item.seq, closed: true }
        break
      case 'epoch':
        this.at = { epoch: item.to, seq: 0, closed: false }
        this.beatEpoch = Math.max(this.beatEpoch, item.to)
        this.forgetPulled()
        break
    }
  }

  private get hasPulled(): boolean {
    return this.pulledNext < this.pulled.length
  }

  private refuse(nowMs: number): false {
    this.outstanding = undefined
    this.retryAtMs = nowMs + RETRY_MS
    return false
  }

  private forgetPulled(): void {
    this.pulled = []
    this.pulledNext = 0
    this.answer = undefined
    this.outstanding = undefined
    this.retryAtMs = -Infinity
  }

  /** The first that waits behind the position; what the position has passed is let go. */
  private firstWaiting(at: Position): Waiting<T> | undefined {
    for (;;) {
      const first = this.waiting[this.gone]
      if (first === undefined || isBefore(at, first)) return first
      this.dropFirst()
    }
  }

  private dropFirst(): void {
    this.waitingBytes -= this.waiting[this.gone]?.bytes ?? 0
    this.gone++
    if (this.gone === this.waiting.length || this.gone > 1_000) {
      this.waiting.splice(0, this.gone)
      this.gone = 0
    }
  }

  /** Keeps order; almost always at the end. False when it waits already. */
  private insert(entry: Waiting<T>): boolean {
    const { waiting } = this
    let place = waiting.length
    const behind = () => (place > this.gone ? waiting[place - 1] : undefined)
    for (let before = behind(); before !== undefined && isBefore(entry, before); before = behind()) place--
    const before = behind()
    if (before !== undefined && isSame(before, entry)) return false
    waiting.splice(place, 0, entry)
    this.waitingBytes += entry.bytes
    return true
  }
}

/** Nothing in it may lead back to where the reader was. */
function isSound({ epoch, from, known, records, hole, next }: RangeReply<unknown>): boolean {
  const behind = from + records.length
  return (
    records.every(({ seq }, i) => seq === from + i) &&
    (known || (records.length === 0 && hole === null)) &&
    (hole === null || hole.to === null || hole.to >= behind) &&
    (next === null || next > epoch)
  )
}

/** What is missing at the end of an epoch that the journal says is over; null for nothing. */
function reasonOfEnd({ epoch, known, hole, end }: Answer): GapReason | null {
  if (!known) return epoch === 0 ? null : 'journal_lost'
  if (hole !== null) return hole.reason
  return end === 'known' ? null : 'epoch_end_unknown'
}

const follows = (at: Position, next: Position): boolean => next.epoch === at.epoch && next.seq === at.seq + 1
