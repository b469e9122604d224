/**
 * A channel for whoever comes late and needs the newest value of each topic, not the past: a snapshot first, then
 * everything behind it. The snapshot is as of its first chunk; what lies between that and the first live message is
 * pulled, so that the two join without a seam. A large hole, one that cannot be filled, and a new epoch begin it again.
 * Pure, as the `ChannelReader` that it drives.
 */

import { ChannelReader } from './channel-reader.js'
import type { ChannelReaderOptions, ReaderItem, Reception } from './channel-reader.js'
import { Patience } from './patience.js'
import { NOWHERE, isBefore, laterOf } from './position.js'
import type { Checkpoint, Position } from './position.js'
import type { RangeReply, RangeRequest, SnapshotReply } from './range.js'

/** The newest message of a topic as of the snapshot, or a step behind it. */
export type SnapshotItem<T> =
  (Position & { readonly kind: 'value'; readonly topic: string; readonly value: T }) | ReaderItem<T>

export type SnapshotRequest =
  /** The chunk that begins at `cursor`; 0 begins. */
  { readonly kind: 'snapshot'; readonly cursor: number } | ({ readonly kind: 'range' } & RangeRequest)

export type SnapshotReaderOptions = Omit<ChannelReaderOptions, 'maxBehind'>

/** More than this is not pulled one by one: the newest values say as much. */
const LARGE_HOLE = 1_000
/** After a snapshot that was not answered, or does not fit the chunk before. */
const RETRY_MS = 100
/** After snapshots were given up: topics that are not spoken of are not known until one is there. */
const TRY_AGAIN_MS = 1_000
/** A source that was not heard for so long is away, not out of reach. */
const AWAY_MS = 1_000

export class SnapshotReader<T extends { readonly topic: string }> {
  private readonly inner: ChannelReader<T>
  /** Values of the snapshot that is being read: not given out before its end, they may be newer than what comes live. */
  private arrived: SnapshotItem<T>[] = []
  /** Given out before anything that comes live. */
  private ready: SnapshotItem<T>[] = []
  /** Nothing goes out live before a snapshot is there. */
  private joining = true
  /** The chunk that is wanted next; undefined when none is. */
  private cursor: number | undefined = 0
  /** Where the snapshot that is being read, or was read last, began. */
  private base: Position | undefined
  private complete = true
  /** Topics whose value in the snapshot is newer than `base`, and the last of them. */
  private readonly newer = new Map<string, number>()
  private newerUntil = 0
  /** Where it was when it last began again; it never goes back behind that. */
  private left: Position = NOWHERE
  /** Everything up to here was given out, or something newer of its topic: no snapshot needs to say it again. */
  private known: Position = NOWHERE
  /** It joined by a snapshot that left nothing out. */
  private isWhole = false
  private gaveUp = false
  private outstanding: SnapshotRequest['kind'] | undefined
  private retryAtMs = -Infinity
  private readonly patience = new Patience()
  private heardMs = -Infinity
  /** The epoch of its last heartbeat, or a later one that was heard of since. */
  private liveEpoch = 0
  /** Whether the source can be asked; not known before its first heartbeat. */
  private recoverable: boolean | undefined

  constructor(private readonly options: SnapshotReaderOptions) {
    this.inner = new ChannelReader(options)
  }

  /** Where it is; undefined while a snapshot is awaited. */
  get position(): Checkpoint | undefined {
    return this.joining ? undefined : this.inner.position
  }

  /** The furthest that the source is known to be. */
  get sourceHead(): Checkpoint {
    return this.inner.sourceHead
  }

  /** The latest epoch that is known of the source. */
  get latestEpoch(): number {
    return Math.max(this.left.epoch, this.inner.sourceHead.epoch, this.inner.position?.epoch ?? 0)
  }

  /** As `ChannelReader` has it: nothing is taken of an epoch before the latest. */
  get isRegressed(): boolean {
    return this.liveEpoch > 0 && this.liveEpoch < this.latestEpoch
  }

  /** What it has given out is not known to be the newest. */
  get hasHole(): boolean {
    return this.joining || this.ready.length > 0 || this.inner.hasHole
  }

  /** The short way, as `ChannelReader` has it. */
  passes(epoch: number, seq: number, nowMs: number): boolean {
    const isPlain = !this.joining && this.ready.length === 0 && this.newer.size === 0
    if (!isPlain || !this.inner.passes(epoch, seq, nowMs)) return false
    this.heardMs = nowMs
    return true
  }

  /** A live message; `bytes` is what it weighs while it waits. */
  receive(message: Position & { readonly value: T }, bytes: number, nowMs: number): Reception {
    this.heardMs = nowMs
    this.liveEpoch = Math.max(this.liveEpoch, message.epoch)
    return message.epoch < this.left.epoch ? 'old_epoch' : this.inner.receive(message, bytes, nowMs)
  }

  /** A heartbeat's word on the channel; `journal` is false where nothing can be asked. */
  reached(
    beat: Position & { readonly closing: boolean; readonly journal: boolean },
    nowMs: number,
  ): 'taken' | 'old_epoch' {
    this.heardMs = nowMs
    this.liveEpoch = beat.epoch
    if (beat.epoch < this.left.epoch) return 'old_epoch'
    const reception = this.inner.reached(beat, nowMs)
    if (reception === 'taken') this.recoverable = beat.journal
    return reception
  }

  /** Values of the snapshot, and steps that can be taken now; at most `max`. */
  take(max: number, nowMs: number): SnapshotItem<T>[] {
    if (this.joining && this.isHopeless(nowMs)) this.joinWithoutSnapshot(nowMs)
    const items = this.ready.splice(0, max)
    while (!this.joining && items.length < max) {
      const at = this.inner.position ?? NOWHERE
      const [item] = this.inner.take(1, nowMs)
      if (item === undefined) break
      if (this.canAsk && (item.kind === 'gap' || item.kind === 'epoch')) this.beginAgain(at)
      else if (!this.isSuperseded(item)) items.push(item)
    }
    this.forgetSuperseded()
    return items
  }

  /** What to ask, after everything that can be taken was; remembered as outstanding. */
  nextRequest(nowMs: number): SnapshotRequest | undefined {
    if (this.outstanding !== undefined) return undefined
    const { position } = this
    if (position !== undefined && this.canAsk && this.isFarBehind(position)) this.beginAgain(position)
    const request = this.nextSnapshot(nowMs) ?? this.nextRange(nowMs)
    this.outstanding = request?.kind
    return request
  }

  /** The answer to the outstanding range; another one is refused. */
  onReply(reply: RangeReply<T>, nowMs: number): boolean {
    if (this.outstanding !== 'range') return false
    this.outstanding = undefined
    return this.inner.onReply(reply, nowMs)
  }

  /** The answer to the outstanding snapshot request; with one that does not fit the chunk before it begins again. */
  onSnapshot(reply: SnapshotReply<T>, nowMs: number): boolean {
    const { cursor } = this
    if (this.outstanding !== 'snapshot' || cursor === undefined) return false
    this.outstanding = undefined
    if (!this.joining) {
      // A source that did not answer before does now: asked again, with what comes live held back.
      this.beginAgain(this.inner.position ?? NOWHERE)
      return true
    }
    if (!this.fits(reply, cursor)) {
      this.restart(nowMs + RETRY_MS)
      return false
    }
    if (cursor === 0) this.base = this.seamOf(reply)
    this.liveEpoch = Math.max(this.liveEpoch, reply.epoch)
    this.complete = reply.complete && (cursor === 0 || this.complete)
    this.patience.reset()
    this.keepValues(reply)
    if (reply.next === null) this.join()
    else this.cursor = reply.next
    return true
  }

  /** As `ChannelReader` has it. */
  onBusy(): void {
    this.patience.reset()
    this.inner.onBusy()
  }

  /** The outstanding request got no answer. */
  onNoReply(nowMs: number): void {
    const kind = this.outstanding
    this.outstanding = undefined
    if (kind === 'range') this.inner.onNoReply(nowMs)
    else this.retryAtMs = nowMs + (this.joining ? RETRY_MS : TRY_AGAIN_MS)
  }

  /** Where a snapshot stands whose first chunk this is: the first live message must join it. */
  protected seamOf({ epoch, seq }: Position): Position {
    return { epoch, seq }
  }

  /** The snapshot had this or something newer of its topic. */
  protected isSuperseded(item: ReaderItem<T>): boolean {
    if (item.kind !== 'record' || item.epoch !== this.base?.epoch) return false
    return item.seq <= (this.newer.get(item.value.topic) ?? 0)
  }

  private forgetSuperseded(): void {
    const { position, base } = this
    if (position === undefined || base === undefined || this.newer.size === 0) return
    if (position.epoch !== base.epoch || position.seq >= this.newerUntil) this.newer.clear()
  }

  private get canAsk(): boolean {
    return this.recoverable === true && !this.gaveUp
  }

  private isFarBehind(at: Position): boolean {
    if (!this.inner.hasHole) return false
    return at.epoch < this.sourceHead.epoch || this.inner.holeSize > LARGE_HOLE
  }

  private nextSnapshot(nowMs: number): SnapshotRequest | undefined {
    const { cursor } = this
    if (cursor === undefined || this.recoverable !== true || nowMs < this.retryAtMs) return undefined
    this.patience.begin(nowMs)
    return { kind: 'snapshot', cursor }
  }

  private nextRange(nowMs: number): SnapshotRequest | undefined {
    const request = this.joining ? undefined : this.inner.nextRequest(nowMs)
    return request === undefined ? undefined : { kind: 'range', ...request }
  }

  private fits({ epoch, seq, next }: SnapshotReply<T>, cursor: number): boolean {
    const { base } = this
    if (next !== null && next <= cursor) return false
    return cursor > 0 && base !== undefined
      ? epoch === base.epoch && seq >= base.seq
      : epoch >= this.sourceHead.epoch && !isBefore({ epoch, seq }, this.left)
  }

  private keepValues({ epoch, values }: SnapshotReply<T>): void {
    for (const { topic, seq, value } of values) {
      if (seq > (this.base?.seq ?? 0)) {
        this.newer.set(topic, seq)
        this.newerUntil = Math.max(this.newerUntil, seq)
      }
      if (!isBefore(this.known, { epoch, seq })) continue
      this.arrived.push(
        value === null
          ? { kind: 'gap', epoch, from: seq, to: seq, reason: 'illegible' }
          : { kind: 'value', epoch, seq, topic, value },
      )
    }
  }

  private join(): void {
    const { base } = this
    if (base === undefined) return
    this.ready.push(...this.arrived.splice(0))
    this.joining = false
    this.cursor = undefined
    this.gaveUp = false
    this.isWhole = this.complete
    this.inner.startAt({ ...base, closed: false })
  }

  /** Back to a snapshot from `at`; what comes live waits. */
  private beginAgain(at: Position): void {
    this.joining = true
    this.gaveUp = false
    this.left = laterOf(this.left, at)
    this.known = this.isWhole ? this.left : NOWHERE
    this.patience.reset()
    this.inner.stop()
    this.restart(-Infinity)
  }

  private restart(atMs: number): void {
    this.arrived = []
    this.cursor = 0
    this.base = undefined
    this.newer.clear()
    this.newerUntil = 0
    this.retryAtMs = atMs
  }

  /** There is nobody to ask, or he lives and does not answer. */
  private isHopeless(nowMs: number): boolean {
    if (this.recoverable === false) return true
    if (nowMs - this.heardMs > AWAY_MS) this.patience.reset()
    return this.patience.isSpent(this.options.outOfReachMs, nowMs)
  }

  /** Every topic is known again only when it is spoken of; a snapshot is asked for now and then. */
  private joinWithoutSnapshot(nowMs: number): void {
    if (this.left.epoch > 0) this.inner.startAt({ ...this.left, closed: false })
    else if (!this.inner.startLive()) return
    this.joining = false
    this.isWhole = false
    this.gaveUp = true
    this.restart(nowMs + TRY_AGAIN_MS)
  }
}
