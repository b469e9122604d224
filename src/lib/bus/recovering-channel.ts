/** One channel of a `RecoveringSubscriber`: its reader, what it asks the publisher, and the word on its state. */

import type { ChannelBeat } from '../messages/heartbeat.js'
import { ChannelReader } from './channel-reader.js'
import type { Reception } from './channel-reader.js'
import type { Gap } from './gap.js'
import { NOWHERE } from './position.js'
import type { Position } from './position.js'
import type { RangeReply, RangeRequest, SnapshotReply } from './range.js'
import type { SnapshotItem } from './snapshot-reader.js'
import { SnapshotReader } from './snapshot-reader.js'
import type { Received } from './subscriber.js'

/** JOINING: its past, or its newest values, are not there yet. GAP: something is missing. LIVE: neither. */
export type ChannelState = 'JOINING' | 'LIVE' | 'GAP'

/** What a reader wants of a channel. */
export type ReaderMode =
  /** Everything behind `start`, in order; `live`: what comes from now on. */
  | {
      readonly kind: 'gap-filled'
      readonly start: Position | 'live'
      /** What lies further behind the source is a gap `trimmed`. */
      readonly maxBehind?: number | undefined
    }
  /** The newest value of each topic, and what comes behind it. */
  | { readonly kind: 'snapshot' }

/** Where missed messages are asked for; undefined: no answer. */
export interface RecoverySource {
  range(request: RangeRequest): Promise<RangeReply<Received> | undefined>
  snapshot(cursor: number): Promise<SnapshotReply<Received> | undefined>
}

export interface RecoveringChannelOptions {
  readonly source: string
  readonly mode: ReaderMode
  readonly outOfReachMs: number
  readonly recovery: RecoverySource
  /** Monotonic, ms. */
  readonly nowMs: () => number
  readonly deliver: (received: Received) => void
  /** Whatever waits for its delivery is delivered now. */
  readonly settle: () => void
  readonly onGap: (gap: Gap) => void
  readonly onState: (state: ChannelState) => void
}

/** Live messages that wait for a hole before them; the rest is pulled afterwards. */
const MAX_WAITING = { records: 20_000, bytes: 16 * 1024 * 1024 }
/** Items that are taken at once, and for how long before the event loop has its turn. */
const BATCH = 32
const STRETCH_MS = 8

export class RecoveringChannel {
  private readonly reader: ChannelReader<Received> | SnapshotReader<Received>
  private told: ChannelState = 'JOINING'
  /** More can be taken, in the next turn. */
  private rest: NodeJS.Immediate | undefined
  private closed = false

  constructor(private readonly options: RecoveringChannelOptions) {
    const { mode, outOfReachMs } = options
    if (mode.kind === 'snapshot') {
      this.reader = new SnapshotReader({ maxWaiting: MAX_WAITING, outOfReachMs })
      return
    }
    const { start, maxBehind } = mode
    const reader = new ChannelReader<Received>({
      maxWaiting: MAX_WAITING,
      outOfReachMs,
      ...(maxBehind === undefined ? {} : { maxBehind }),
    })
    if (start !== 'live') reader.startAt({ closed: false, ...start })
    this.reader = reader
  }

  get state(): ChannelState {
    return this.told
  }

  /** Everything up to here was delivered or told as a gap; undefined while joining. */
  get position(): Position | undefined {
    return this.reader.position
  }

  /** A message, whichever way it came; delivered within the call when it is the next one. */
  receive(received: Received): Reception {
    const { epoch, seq } = received.message.header
    const nowMs = received.recvUs / 1000
    if (this.reader.passes(epoch, seq, nowMs)) {
      this.options.deliver(received)
      if (this.told !== 'LIVE') this.pump()
      return 'taken'
    }
    const reception = this.reader.receive({ epoch, seq, value: received }, received.bytes.length, nowMs)
    if (reception === 'taken' || reception === 'full') this.pump()
    return reception
  }

  /** The publisher's word on the channel; `canAsk`: it has a socket that answers. */
  reached({ epoch, last_seq: seq, journal }: ChannelBeat, closing: boolean, canAsk: boolean): void {
    const beat = { epoch, seq, closing, journal: canAsk && journal !== 'none' }
    if (this.reader.reached(beat, this.options.nowMs()) === 'taken') this.pump()
  }

  /** Time has passed: what was not answered is asked again, or given up. */
  tick(): void {
    if (this.told !== 'LIVE') this.pump()
  }

  close(): void {
    this.closed = true
    clearImmediate(this.rest)
  }

  private pump(): void {
    if (this.closed || this.rest !== undefined) return
    const { reader, options } = this
    if (reader instanceof ChannelReader && reader.position === undefined) reader.startLive()
    const startMs = options.nowMs()
    for (let nowMs = startMs; nowMs - startMs < STRETCH_MS; nowMs = options.nowMs()) {
      let at: Position = reader.position ?? NOWHERE
      const items = reader.take(BATCH, nowMs)
      for (const item of items) at = this.give(item, at)
      if (items.length === BATCH) continue
      this.ask(nowMs)
      this.tellState()
      return
    }
    this.tellState()
    this.rest = setImmediate(() => {
      this.rest = undefined
      this.pump()
    })
  }

  /** Returns the position behind the item. */
  private give(item: SnapshotItem<Received>, at: Position): Position {
    const { source, deliver, onGap } = this.options
    switch (item.kind) {
      case 'record':
      case 'value':
        deliver(item.value)
        return item
      case 'gap':
        onGap({ source, epoch: item.epoch, from: item.from, to: item.to, reason: item.reason })
        return { epoch: item.epoch, seq: item.to }
      case 'epoch':
        if (item.reason !== null) {
          onGap({ source, epoch: item.from, from: at.seq + 1, to: null, reason: item.reason })
        }
        return { epoch: item.to, seq: 0 }
      case 'closed':
        return item
    }
  }

  private ask(nowMs: number): void {
    const { reader, options } = this
    const { recovery } = options
    const request = reader.nextRequest(nowMs)
    if (request === undefined) return
    if ('cursor' in request) {
      void this.settle(recovery.snapshot(request.cursor), (reply) => {
        if (reader instanceof SnapshotReader) reader.onSnapshot(reply, options.nowMs())
      })
      return
    }
    const { epoch, from, to } = request
    void this.settle(recovery.range({ epoch, from, ...(to === undefined ? {} : { to }) }), (reply) => {
      reader.onReply(reply, options.nowMs())
    })
  }

  private async settle<R>(answer: Promise<R | undefined>, onReply: (reply: R) => void): Promise<void> {
    const reply = await answer.catch(() => undefined)
    if (this.closed) return
    if (reply === undefined) this.reader.onNoReply(this.options.nowMs())
    else onReply(reply)
    this.pump()
  }

  private tellState(): void {
    const { position, hasHole } = this.reader
    const state = position === undefined ? 'JOINING' : hasHole || this.rest !== undefined ? 'GAP' : 'LIVE'
    if (state === this.told) return
    this.options.settle()
    this.told = state
    this.options.onState(state)
  }
}
