/**
 * A subscriber that misses nothing that can still be had: what was lost on the way is pulled from the publisher's
 * journal, and who comes late begins with the newest values. The channels that it reads it must take whole.
 */

import type { Clock } from '../core/clock.js'
import { messageOf } from '../core/errors.js'
import type { Heartbeat } from '../messages/heartbeat.js'
import type { Env } from '../model/venue.js'
import { Conflater, isConflated } from './conflater.js'
import type { BusKeys } from './curve.js'
import type { PublisherEndpoint } from './endpoints.js'
import type { Gap } from './gap.js'
import type { Checkpoint, Position } from './position.js'
import { RecoveringChannel } from './recovering-channel.js'
import type { ChannelState, Regression } from './recovering-channel.js'
import { RecoveryClient } from './recovery/recovery-client.js'
import { Subscriber, coversChannel } from './subscriber.js'
import type { Problem, Received, ReceivedLegacy } from './subscriber.js'

export type { ChannelState, Regression } from './recovering-channel.js'

export interface RecoveringHandlers {
  /** In order and never twice; `isLate` where it was pulled. */
  onMessage(received: Received): void
  /** Missing for good; said before what comes behind it. */
  onGap?(gap: Gap): void
  /** Of each channel when it changes; JOINING before it is said first. */
  onState?(source: string, state: ChannelState): void
  /** A source has lived in an epoch before its latest for a while; undefined once it lives in a later one. */
  onRegression?(source: string, regression: Regression | undefined): void
  /** After what it says was taken in: channels that are behind it are in GAP by then. */
  onHeartbeat?(heartbeat: Heartbeat, endpoint: PublisherEndpoint, recvUs: number): void
  onLegacy?(received: ReceivedLegacy): void
  onProblem?(problem: Problem): void
}

/**
 * `snapshot`: the newest value of each topic first, then every message; a large hole begins it again. Where nobody can
 * be asked it begins with what is heard, and a hole is a gap at once. `gap-filled`: every message from a place on.
 */
export type RecoveringMode =
  | {
      readonly mode: 'snapshot'
      /** While messages wait to be handed on: of prices and books only the newest of each topic. Told what was left out. */
      readonly onConflated?: (received: Received) => void
    }
  | {
      readonly mode: 'gap-filled'
      /** What lies further behind its source than so many messages is a gap, `trimmed`. */
      readonly maxBehind?: number
      /** What the owner has of a source; `live`: nothing, and it wants only what comes. */
      readonly startAt: (source: string) => Position | Checkpoint | 'live'
    }

export type RecoveringSubscriberOptions = RecoveringHandlers &
  RecoveringMode & {
    readonly endpoints: readonly PublisherEndpoint[]
    /** Topic prefixes, each ending in a dot; a channel that they cut through is not read. */
    readonly prefixes: readonly string[]
    readonly env: Env
    readonly clock: Clock
    readonly keys?: BusKeys | undefined
    /** Nothing is asked for and nothing given up before `release`: what the owner can `feed` it comes first. */
    readonly isHeld?: boolean
    /** A hole of a publisher that lives and does not answer is given up after so long. */
    readonly outOfReachMs?: number
  }

const OUT_OF_REACH_MS = 1_000
/** How often a channel looks for what is due: a retry, a hole to give up. */
const STEP_MS = 20

export class RecoveringSubscriber {
  private readonly channels = new Map<string, RecoveringChannel>()
  private readonly clients: RecoveryClient[] = []
  private readonly conflaters = new Map<PublisherEndpoint, Conflater<Received>>()
  private readonly subscriber: Subscriber
  private readonly timer: NodeJS.Timeout
  /** While it is held: the last word of each publisher. */
  private heldBeats: Map<PublisherEndpoint, Heartbeat> | undefined

  /** Connects at once; publishers may start later. Throws `UNKNOWN_KEY` (exit 4). */
  constructor(private readonly options: RecoveringSubscriberOptions) {
    const { endpoints, prefixes, env, clock, keys } = options
    if (options.isHeld === true) this.heldBeats = new Map()
    for (const endpoint of endpoints) this.addChannels(endpoint)
    this.subscriber = new Subscriber({
      endpoints,
      prefixes,
      env,
      clock,
      keys,
      gate: 'none',
      onMessage: (received) => this.onMessage(received),
      onHeartbeat: (heartbeat, endpoint, recvUs) => this.onHeartbeat(heartbeat, endpoint, recvUs),
      onLegacy: (received) => options.onLegacy?.(received),
      onProblem: (problem) => options.onProblem?.(problem),
      ...(this.conflaters.size === 0
        ? {}
        : { onDrained: (endpoint) => this.conflaters.get(endpoint)?.flush() }),
    })
    this.timer = setInterval(() => {
      for (const channel of this.channels.values()) channel.step()
    }, STEP_MS)
    this.timer.unref()
  }

  /** Everything of a source up to here was handed on or is a gap; undefined while it has not begun. */
  position(source: string): Position | undefined {
    return this.channels.get(source)?.position
  }

  /** Takes in a message that came another way than the bus, from any place: out of order and twice is no harm. */
  feed(received: Received): void {
    this.channels.get(received.message.header.source)?.admit(received)
    this.conflaters.get(received.endpoint)?.flush()
  }

  /** Where whom `feed` has its messages from knows that an epoch ended, before the first message of the next. */
  feedEnd(source: string, end: Position, next: number): void {
    this.channels.get(source)?.ended(end, next)
  }

  /** What is still missing is asked for from now on. */
  release(): void {
    const beats = this.heldBeats ?? []
    this.heldBeats = undefined
    for (const [, heartbeat] of beats) this.reached(heartbeat)
  }

  /** Nothing is handed on any more. */
  close(): void {
    clearInterval(this.timer)
    this.subscriber.close()
    for (const channel of this.channels.values()) channel.close()
    for (const conflater of this.conflaters.values()) conflater.close()
    for (const client of this.clients) client.close()
  }

  private addChannels(endpoint: PublisherEndpoint): void {
    const { options } = this
    const { clock, env, keys, prefixes, outOfReachMs = OUT_OF_REACH_MS } = options
    const sources = endpoint.sources.filter((source) => coversChannel(prefixes, source))
    if (sources.length === 0) return
    const client =
      endpoint.recoveryUrl === undefined ? undefined : new RecoveryClient({ endpoint, clock, keys })
    if (client !== undefined) this.clients.push(client)
    const onFailure = (detail: string) => this.problem('parse_error', 'handler_failed', detail, endpoint)
    const conflater = this.conflaterOf(onFailure)
    if (conflater !== undefined) this.conflaters.set(endpoint, conflater)
    for (const source of sources) {
      const conflated = isConflated(source) ? conflater : undefined
      const channel = new RecoveringChannel({
        source,
        endpoint,
        client,
        env,
        clock,
        outOfReachMs,
        start: options.mode === 'snapshot' ? 'snapshot' : options.startAt(source),
        maxBehind: options.mode === 'gap-filled' ? options.maxBehind : undefined,
        onMessage: (received) =>
          conflated === undefined ? options.onMessage(received) : conflated.offer(received),
        onSettle: (isState) => (isState ? conflater?.flushAll() : conflater?.flush()),
        onGap: (gap) => options.onGap?.(gap),
        onState: (of, state) => options.onState?.(of, state),
        onRegression: (of, regression) => options.onRegression?.(of, regression),
        onFailure,
      })
      this.channels.set(source, channel)
    }
  }

  private conflaterOf(onFailure: (detail: string) => void): Conflater<Received> | undefined {
    const { options } = this
    if (options.mode !== 'snapshot' || options.onConflated === undefined) return undefined
    const deliver = (received: Received) => {
      try {
        options.onMessage(received)
      } catch (error) {
        onFailure(`${received.topic}: ${messageOf(error)}`)
      }
    }
    return new Conflater(options.clock, deliver, options.onConflated)
  }

  private onMessage(received: Received): void {
    const { source, epoch, seq } = received.message.header
    const reception = this.channels.get(source)?.receive(received)
    if (reception === 'duplicate' || reception === 'old_epoch') {
      this.problem(reception, reception, `${source}/${epoch}/${seq}`, received.endpoint)
    }
  }

  private onHeartbeat(heartbeat: Heartbeat, endpoint: PublisherEndpoint, recvUs: number): void {
    // It speaks of everything sent before it: what of that waits is handed on first.
    this.conflaters.get(endpoint)?.flushAll()
    if (this.heldBeats === undefined) this.reached(heartbeat)
    else this.heldBeats.set(endpoint, heartbeat)
    this.options.onHeartbeat?.(heartbeat, endpoint, recvUs)
  }

  private reached({ channels, closing }: Heartbeat): void {
    for (const { source, epoch, last_seq: seq, journal } of channels) {
      this.channels.get(source)?.reached({ epoch, seq, closing, journal: journal !== 'none' })
    }
  }

  private problem(kind: Problem['kind'], reason: string, detail: string, endpoint: PublisherEndpoint): void {
    this.options.onProblem?.({ kind, reason, detail, endpoint })
  }
}
