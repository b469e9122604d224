/** One channel as its reader has it: carries out what the pure reader asks for, and hands on what it gives out. */

import type { Clock } from '../core/clock.js'
import { messageOf } from '../core/errors.js'
import { decode } from '../messages/codec.js'
import { topicPrefixOf } from '../messages/sources.js'
import type { Env } from '../model/venue.js'
import { ChannelReader } from './channel-reader.js'
import type { Reception } from './channel-reader.js'
import type { PublisherEndpoint } from './endpoints.js'
import type { Gap } from './gap.js'
import { NOWHERE, isBefore } from './position.js'
import type { Checkpoint, Position } from './position.js'
import type { PulledRecord, RecoveryClient } from './recovery/recovery-client.js'
import { SnapshotReader } from './snapshot-reader.js'
import type { SnapshotItem, SnapshotRequest } from './snapshot-reader.js'
import type { Received } from './subscriber.js'

/** JOINING: nothing is complete yet. GAP: something is missing, and being pulled. LIVE: nothing is known to be missing. */
export type ChannelState = 'JOINING' | 'LIVE' | 'GAP'

/** A source that lives in an epoch before the latest that was read of it: its clock was set back, its journal is gone. */
export interface Regression {
  readonly epoch: number
  readonly latest: number
}

export interface ChannelHandlers {
  /** In order and never twice. */
  onMessage(received: Received): void
  /** Whatever `onMessage` holds back is to be seen: a stretch ended, or the state is about to change. */
  onSettle(isState: boolean): void
  /** Missing for good; said before what comes behind it. */
  onGap(gap: Gap): void
  onState(source: string, state: ChannelState): void
  /** Nothing of the source is taken until it lives in a later epoch; undefined once it does. */
  onRegression(source: string, regression: Regression | undefined): void
  /** A handler threw: its message counts as handed on. */
  onFailure(detail: string): void
}

export interface RecoveringChannelOptions extends ChannelHandlers {
  readonly source: string
  readonly endpoint: PublisherEndpoint
  /** Asks the publisher; undefined where there is nobody to ask. */
  readonly client: RecoveryClient | undefined
  readonly env: Env
  readonly clock: Clock
  readonly outOfReachMs: number
  /** Where it begins: at the newest values, behind a position, or with what is heard. */
  readonly start: 'snapshot' | 'live' | Position
  /** What lies further behind the source than so many messages is a gap. */
  readonly maxBehind?: number | undefined
}

/** What waits while a hole is filled; beyond that it is pulled again. */
const MAX_WAITING = { records: 10_000, bytes: 16 * 1024 * 1024 } as const
/** What is handed on in one go; then the event loop has its turn. */
const STRETCH_MS = 8
/** A heartbeat of the life before may come behind the first of a new one. */
const REGRESSED_AFTER_MS = 500

export class RecoveringChannel {
  private readonly reader: ChannelReader<Received> | SnapshotReader<Received>
  private state: ChannelState = 'JOINING'
  /** What was given out last: a gap at the end of an epoch begins behind it. */
  private last: Position = NOWHERE
  /** The last that came live: one that was pulled before it came is no duplicate. */
  private live: Position = NOWHERE
  /** The epoch of the last heartbeat. */
  private beatEpoch = 0
  private regressedSinceMs: number | undefined
  private isToldRegressed = false
  private asking = false
  private giving = false
  private closed = false
  /** More can be handed on, in the next turn. */
  private rest: NodeJS.Immediate | undefined

  constructor(private readonly options: RecoveringChannelOptions) {
    const { start, outOfReachMs, maxBehind } = options
    const readerOptions = { maxWaiting: MAX_WAITING, outOfReachMs }
    if (start === 'snapshot') {
      this.reader = new SnapshotReader(readerOptions)
      return
    }
    this.reader = new ChannelReader({ ...readerOptions, ...(maxBehind === undefined ? {} : { maxBehind }) })
    if (start === 'live') return
    this.last = start
    this.reader.startAt({ closed: false, ...start })
  }

  /** Everything up to here was handed on or is a gap; undefined before it has begun. */
  get position(): Checkpoint | undefined {
    return this.reader.position
  }

  /** A live message. */
  receive(received: Received): Reception {
    const { epoch, seq } = received.message.header
    const isRepeated = !isBefore(this.live, { epoch, seq })
    if (!isRepeated) this.live = { epoch, seq }
    const reception = this.admit(received)
    return reception === 'duplicate' && !isRepeated ? 'taken' : reception
  }

  /** A message that came another way than live, from any place of the channel. */
  admit(received: Received): Reception {
    const { epoch, seq } = received.message.header
    if (!this.giving && this.reader.passes(epoch, seq, this.nowMs())) {
      this.last = { epoch, seq }
      this.hand(received)
      if (this.state !== 'LIVE') this.step()
      return 'taken'
    }
    const message = { epoch, seq, value: received }
    const reception = this.reader.receive(message, received.bytes.length, this.nowMs())
    this.step()
    return reception
  }

  /**
   * The source's own word on how far it got. Without a `journal` there is nobody to ask: whoever of ours binds a recovery
   * socket keeps one.
   */
  reached(beat: Position & { readonly closing: boolean; readonly journal: boolean }): void {
    const journal = beat.journal && this.options.client !== undefined
    this.beatEpoch = beat.epoch
    this.reader.reached({ ...beat, journal }, this.nowMs())
    this.step()
  }

  /** Word of somebody who has the channel whole; a reader of snapshots asks for one at a new epoch in any case. */
  ended(end: Position, next: number): void {
    if (this.reader instanceof ChannelReader) this.reader.onEnd(end, next)
  }

  /** Does what is due by now; call it some times a second. */
  step(): void {
    if (this.closed || this.giving || this.rest !== undefined) return
    const { reader } = this
    const waitsForStart = reader instanceof ChannelReader && reader.position === undefined
    if (waitsForStart) reader.startLive()
    if (this.options.client?.isHeldOff === true) reader.onBusy()
    this.tellState()
    this.give()
    this.tellState()
    this.tellRegression()
    if (!this.asking) void this.ask()
  }

  /** Nothing is handed on any more. */
  close(): void {
    this.closed = true
    clearImmediate(this.rest)
  }

  private give(): void {
    this.giving = true
    try {
      this.giveStretch()
    } finally {
      this.giving = false
    }
    this.options.onSettle(false)
  }

  private giveStretch(): void {
    const endMs = this.nowMs() + STRETCH_MS
    // One by one: the position is never ahead of what was handed on.
    for (;;) {
      const nowMs = this.nowMs()
      if (nowMs > endMs) {
        this.goOnLater()
        break
      }
      const [item] = this.reader.take(1, nowMs)
      if (item === undefined) break
      // Before it, so that the message that makes the channel whole again is handed on as live.
      if (item.kind === 'record' || item.kind === 'value') this.tellState()
      this.handItem(item)
      if (this.isClosed) break
    }
  }

  private goOnLater(): void {
    this.rest = setImmediate(() => {
      this.rest = undefined
      this.step()
    })
  }

  private handItem(item: SnapshotItem<Received>): void {
    const { source } = this.options
    const { last } = this
    switch (item.kind) {
      case 'record':
      case 'value':
        this.last = { epoch: item.epoch, seq: item.seq }
        return this.hand(item.value)
      case 'gap': {
        const { epoch, from, to, reason } = item
        this.last = { epoch, seq: to }
        return this.handGap({ source, epoch, from, to, reason })
      }
      case 'epoch': {
        const { from: epoch, reason } = item
        const from = last.epoch === epoch ? last.seq + 1 : 1
        this.last = { epoch: item.to, seq: 0 }
        if (reason !== null) this.handGap({ source, epoch, from, to: null, reason })
        return
      }
      case 'closed':
        return
    }
  }

  private hand(received: Received): void {
    try {
      this.options.onMessage(received)
    } catch (error) {
      this.options.onFailure(`${received.topic}: ${messageOf(error)}`)
    }
  }

  private handGap(gap: Gap): void {
    // What came before the gap is handed on before it.
    this.options.onSettle(true)
    try {
      this.options.onGap(gap)
    } catch (error) {
      this.options.onFailure(`gap on ${gap.source}: ${messageOf(error)}`)
    }
  }

  private tellState(): void {
    const { reader } = this
    const isBegun = reader.position !== undefined && reader.sourceHead.epoch > 0
    const isWhole = isBegun && !reader.hasHole && !reader.isRegressed && this.rest === undefined
    const state = isWhole ? 'LIVE' : this.state === 'JOINING' ? 'JOINING' : 'GAP'
    if (state === this.state) return
    this.options.onSettle(true)
    this.state = state
    try {
      this.options.onState(this.options.source, state)
    } catch (error) {
      this.options.onFailure(`state ${state} of ${this.options.source}: ${messageOf(error)}`)
    }
  }

  private tellRegression(): void {
    const { reader, options, beatEpoch: epoch } = this
    const nowMs = this.nowMs()
    this.regressedSinceMs = reader.isRegressed ? (this.regressedSinceMs ?? nowMs) : undefined
    const isRegressed =
      this.regressedSinceMs !== undefined && nowMs - this.regressedSinceMs >= REGRESSED_AFTER_MS
    if (isRegressed === this.isToldRegressed) return
    this.isToldRegressed = isRegressed
    const latest = Math.max(
      reader.sourceHead.epoch,
      reader.position?.epoch ?? 0,
      reader instanceof SnapshotReader ? reader.latestEpoch : 0,
    )
    try {
      options.onRegression(options.source, isRegressed ? { epoch, latest } : undefined)
    } catch (error) {
      options.onFailure(`regression of ${options.source}: ${messageOf(error)}`)
    }
  }

  private async ask(): Promise<void> {
    const { client, source } = this.options
    const request = client === undefined ? undefined : this.nextRequest()
    if (client === undefined || request === undefined) return
    this.asking = true
    const isAnswered = await this.pull(client, source, request)
    this.asking = false
    if (!isAnswered) this.reader.onNoReply(this.nowMs())
    this.step()
  }

  private async pull(client: RecoveryClient, source: string, request: SnapshotRequest): Promise<boolean> {
    const { reader } = this
    if (request.kind === 'snapshot') {
      const reply = await client.snapshot(source, request.cursor)
      if (reply === undefined || !(reader instanceof SnapshotReader)) return false
      const values = reply.values.map((each) => ({ ...each, value: this.readPulled(each.value) }))
      reader.onSnapshot({ ...reply, values }, this.nowMs())
      return true
    }
    const { epoch, from, to } = request
    const reply = await client.range(source, { epoch, from, ...(to === undefined ? {} : { to }) })
    if (reply === undefined) return false
    const records = reply.records.map(({ seq, value }) => ({ seq, value: this.readPulled(value) }))
    reader.onReply({ ...reply, records }, this.nowMs())
    return true
  }

  private nextRequest(): SnapshotRequest | undefined {
    const { reader } = this
    if (reader instanceof SnapshotReader) return reader.nextRequest(this.nowMs())
    const request = reader.nextRequest(this.nowMs())
    return request === undefined ? undefined : { kind: 'range', ...request }
  }

  /** Null for what is no message of this channel and place. */
  private readPulled(record: PulledRecord | null): Received | null {
    if (record === null) return null
    const { env, source, endpoint, clock } = this.options
    const { topic, data, epoch, seq } = record
    const decoded = decode(topic, data, env)
    if (decoded.kind !== 'message' || !topic.startsWith(topicPrefixOf(source))) return null
    const { message } = decoded
    const { header } = message
    const isItself = header.source === source && header.epoch === epoch && header.seq === seq
    if (!isItself) return null
    return { message, bytes: data, topic, recvUs: clock.monoUs(), endpoint, isLate: true }
  }

  /** A handler may have closed it. */
  private get isClosed(): boolean {
    return this.closed
  }

  private nowMs(): number {
    return this.options.clock.monoUs() / 1000
  }
}
