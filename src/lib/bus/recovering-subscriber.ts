/**
 * The connecting side of the bus for whoever may miss nothing, or must know the newest of everything: live messages,
 * what was missed and pulled, and a gap where neither helps, through one gate by (source, epoch, seq). A message that is
 * the next one of a channel without holes is handed on within the call that brought it.
 */

import type { Clock } from '../core/clock.js'
import { messageOf } from '../core/errors.js'
import { decode } from '../messages/codec.js'
import type { Heartbeat } from '../messages/heartbeat.js'
import type { Env } from '../model/venue.js'
import type { Reception } from './channel-reader.js'
import { Conflater } from './conflater.js'
import type { BusKeys } from './curve.js'
import type { PublisherEndpoint } from './endpoints.js'
import type { Gap } from './gap.js'
import type { Position } from './position.js'
import { RecoveringChannel } from './recovering-channel.js'
import type { ChannelState, ReaderMode, RecoverySource } from './recovering-channel.js'
import { RecoveryClient } from './recovery/recovery-client.js'
import type { PulledRecord } from './recovery/recovery-client.js'
import { Subscriber, coversChannel } from './subscriber.js'
import type { Problem, Received, ReceivedLegacy } from './subscriber.js'

export interface RecoveringHandlers {
  /** In order within its channel and never twice; in snapshot mode the newest of each topic first. */
  onMessage(received: Received): void
  /** Missing for good. */
  onGap(gap: Gap): void
  /** Every change; all begin as JOINING. What was missing has been handed on before LIVE. */
  onState?(source: string, state: ChannelState): void
  onHeartbeat?(heartbeat: Heartbeat, endpoint: PublisherEndpoint, recvUs: number): void
  onLegacy?(received: ReceivedLegacy): void
  onProblem?(problem: Problem): void
}

export type RecoveringSubscriberOptions = RecoveringHandlers & {
  readonly endpoints: readonly PublisherEndpoint[]
  /** Topic prefixes, each ending in a dot; channels that they do not take as a whole are left out. */
  readonly prefixes: readonly string[]
  readonly env: Env
  readonly clock: Clock
  readonly keys?: BusKeys | undefined
  /** A hole of a source that lives and does not answer is given up after so long. */
  readonly outOfReachMs: number
} & (
    | {
        readonly mode: 'gap-filled'
        /** What the reader has of a source; `live`: nothing, and it wants only what comes. */
        readonly startAt: (source: string) => Position | 'live'
        /** What lies further behind its source than so many messages is a gap. */
        readonly maxBehind?: number
      }
    | {
        readonly mode: 'snapshot'
        /** While prices and books wait to be handed on, only the newest of each topic. */
        readonly conflate?: boolean
      }
  )

/** How often what waits for an answer is looked at. */
const TICK_MS = 50

export class RecoveringSubscriber {
  private readonly subscriber: Subscriber
  private readonly links: readonly RecoveringLink[]
  private readonly channels = new Map<string, RecoveringChannel>()
  private readonly ticker: NodeJS.Timeout

  /** Connects at once; publishers may start later. Throws `UNKNOWN_KEY` (exit 4). */
  constructor(private readonly options: RecoveringSubscriberOptions) {
    const { endpoints, prefixes, env, clock, keys } = options
    this.links = endpoints.map((endpoint) => new RecoveringLink(endpoint, options))
    for (const link of this.links) {
      for (const [source, channel] of link.channels) this.channels.set(source, channel)
    }
    const linkOf = new Map(this.links.map((link) => [link.endpoint, link]))
    this.subscriber = new Subscriber({
      endpoints,
      prefixes,
      env,
      clock,
      keys,
      gate: 'none',
      onMessage: (received) => this.onMessage(received),
      onHeartbeat: (heartbeat, endpoint, recvUs) => {
        this.onBeat(heartbeat, endpoint)
        options.onHeartbeat?.(heartbeat, endpoint, recvUs)
      },
      onLegacy: (received) => options.onLegacy?.(received),
      onProblem: (problem) => options.onProblem?.(problem),
      onDrained: (endpoint) => linkOf.get(endpoint)?.conflater?.flush(),
    })
    this.ticker = setInterval(() => {
      for (const channel of this.channels.values()) channel.tick()
    }, TICK_MS)
    this.ticker.unref()
  }

  /** Values that were replaced by a newer one of their topic before anyone saw them. */
  get conflated(): number {
    return this.links.reduce((sum, { conflater }) => sum + (conflater?.replaced ?? 0), 0)
  }

  /** Everything of a source up to here was handed on or told as a gap; undefined while joining. */
  position(source: string): Position | undefined {
    return this.channels.get(source)?.position
  }

  state(source: string): ChannelState {
    return this.channels.get(source)?.state ?? 'JOINING'
  }

  /** A message that came another way, through the same gate; undefined for a source that is not read. */
  feed(received: Received): Reception | undefined {
    return this.channels.get(received.message.header.source)?.receive(received)
  }

  close(): void {
    clearInterval(this.ticker)
    this.subscriber.close()
    for (const link of this.links) link.close()
  }

  private onMessage(received: Received): void {
    const { source, epoch, seq } = received.message.header
    const reception = this.channels.get(source)?.receive(received)
    if (reception !== 'duplicate' && reception !== 'old_epoch') return
    const { endpoint } = received
    this.options.onProblem?.({
      kind: reception,
      reason: reception,
      detail: `${source}/${epoch}/${seq}`,
      endpoint,
    })
  }

  private onBeat({ channels, closing }: Heartbeat, { recoveryUrl }: PublisherEndpoint): void {
    for (const beat of channels) {
      this.channels.get(beat.source)?.reached(beat, closing, recoveryUrl !== undefined)
    }
  }
}

/** What belongs to one endpoint: its channels, whom they ask, and what waits to be handed on. */
class RecoveringLink {
  readonly channels = new Map<string, RecoveringChannel>()
  readonly conflater: Conflater<Received> | undefined
  private readonly client: RecoveryClient

  constructor(
    readonly endpoint: PublisherEndpoint,
    private readonly options: RecoveringSubscriberOptions,
  ) {
    const { clock, keys, outOfReachMs, prefixes, mode } = options
    this.client = new RecoveryClient({ endpoint, clock, keys })
    const deliver = (received: Received): void => this.deliver(received)
    const conflater =
      mode === 'snapshot' && options.conflate === true
        ? new Conflater<Received>(() => clock.monoUs(), deliver)
        : undefined
    this.conflater = conflater
    for (const source of endpoint.sources) {
      if (!coversChannel(prefixes, source)) continue
      const channel = new RecoveringChannel({
        source,
        mode: modeOf(options, source),
        outOfReachMs,
        recovery: this.recoveryOf(source),
        nowMs: () => clock.monoUs() / 1000,
        deliver: conflater !== undefined && isConflated(source) ? (value) => conflater.offer(value) : deliver,
        settle: () => conflater?.flushAll(),
        onGap: (gap) => options.onGap(gap),
        onState: (state) => options.onState?.(source, state),
      })
      this.channels.set(source, channel)
    }
  }

  close(): void {
    for (const channel of this.channels.values()) channel.close()
    this.conflater?.close()
    this.client.close()
  }

  /** A handler that throws must end neither the socket's loop nor the reader's. */
  private deliver(received: Received): void {
    try {
      this.options.onMessage(received)
    } catch (error) {
      this.problem('handler_failed', `${received.topic}: ${messageOf(error)}`)
    }
  }

  private recoveryOf(source: string): RecoverySource {
    const { client } = this
    return {
      range: async (request) => {
        const reply = await client.range(source, request)
        if (reply === undefined) return undefined
        return {
          ...reply,
          records: reply.records.map(({ seq, value }) => ({ seq, value: this.read(source, value) })),
        }
      },
      snapshot: async (cursor) => {
        const reply = await client.snapshot(source, cursor)
        if (reply === undefined) return undefined
        const values = reply.values.map(({ topic, seq, value }) => ({
          topic,
          seq,
          value: this.read(source, value),
        }))
        return { ...reply, values }
      },
    }
  }

  /** Null for a record that is no message of the source, or not the one that it says. */
  private read(source: string, record: PulledRecord | null): Received | null {
    if (record === null) return null
    const { topic, data, epoch, seq } = record
    const decoded = decode(topic, data, this.options.env)
    if (decoded.kind === 'refused') {
      this.problem(decoded.refusal.reason, decoded.refusal.detail)
      return null
    }
    const header = decoded.kind === 'message' ? decoded.message.header : undefined
    if (
      decoded.kind !== 'message' ||
      header?.source !== source ||
      header.epoch !== epoch ||
      header.seq !== seq
    ) {
      this.problem('wrong_record', `${source}/${epoch}/${seq} on ${topic}`)
      return null
    }
    const { endpoint, options } = this
    return {
      message: decoded.message,
      bytes: data,
      topic,
      recvUs: options.clock.monoUs(),
      endpoint,
      isLate: true,
    }
  }

  private problem(reason: string, detail: string): void {
    this.options.onProblem?.({ kind: 'parse_error', reason, detail, endpoint: this.endpoint })
  }
}

function modeOf(options: RecoveringSubscriberOptions, source: string): ReaderMode {
  return options.mode === 'snapshot'
    ? { kind: 'snapshot' }
    : { kind: 'gap-filled', start: options.startAt(source), maxBehind: options.maxBehind }
}

/** Each message of a price or a book is its whole state; of a game too, but its changes are few and all count. */
const isConflated = (source: string): boolean => source.endsWith('.prices') || source.endsWith('.orderbook')
