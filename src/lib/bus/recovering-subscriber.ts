/**
 * A subscriber that misses nothing that can still be had: what was lost on the way is pulled from the publisher's
 * journal, and who comes late begins with the newest values. The channels that it reads it must take whole.
 */

import type { Clock } from '../core/clock.js'
import type { Heartbeat } from '../messages/heartbeat.js'
import type { Env } from '../model/venue.js'
import type { BusKeys } from './curve.js'
import type { PublisherEndpoint } from './endpoints.js'
import type { Gap } from './gap.js'
import type { Checkpoint, Position } from './position.js'
import { RecoveringChannel } from './recovering-channel.js'
import type { ChannelState } from './recovering-channel.js'
import { RecoveryClient } from './recovery/recovery-client.js'
import { Subscriber, coversChannel } from './subscriber.js'
import type { Problem, Received, ReceivedLegacy } from './subscriber.js'

export type { ChannelState } from './recovering-channel.js'

export interface RecoveringHandlers {
  /** In order and never twice; `isLate` where it was pulled. */
  onMessage(received: Received): void
  /** Missing for good; said before what comes behind it. */
  onGap?(gap: Gap): void
  /** Of each channel when it changes; JOINING before it is said first. */
  onState?(source: string, state: ChannelState): void
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
  | { readonly mode: 'snapshot' }
  | {
      readonly mode: 'gap-filled'
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
    /** A hole of a publisher that lives and does not answer is given up after so long. */
    readonly outOfReachMs?: number
  }

const OUT_OF_REACH_MS = 1_000
/** How often a channel looks for what is due: a retry, a hole to give up. */
const STEP_MS = 20

export class RecoveringSubscriber {
  private readonly channels = new Map<string, RecoveringChannel>()
  private readonly clients: RecoveryClient[] = []
  private readonly subscriber: Subscriber
  private readonly timer: NodeJS.Timeout

  /** Connects at once; publishers may start later. Throws `UNKNOWN_KEY` (exit 4). */
  constructor(private readonly options: RecoveringSubscriberOptions) {
    const { endpoints, prefixes, env, clock, keys } = options
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
  }

  /** Where whom `feed` has its messages from knows that an epoch ended, before the first message of the next. */
  feedEnd(source: string, end: Position, next: number): void {
    this.channels.get(source)?.ended(end, next)
  }

  /** Nothing is handed on any more. */
  close(): void {
    clearInterval(this.timer)
    this.subscriber.close()
    for (const channel of this.channels.values()) channel.close()
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
    for (const source of sources) {
      const channel = new RecoveringChannel({
        source,
        endpoint,
        client,
        env,
        clock,
        outOfReachMs,
        start: options.mode === 'snapshot' ? 'snapshot' : options.startAt(source),
        onMessage: (received) => options.onMessage(received),
        onGap: (gap) => options.onGap?.(gap),
        onState: (of, state) => options.onState?.(of, state),
        onFailure: (detail) => this.problem('parse_error', 'handler_failed', detail, endpoint),
      })
      this.channels.set(source, channel)
    }
  }

  private onMessage(received: Received): void {
    const { source, epoch, seq } = received.message.header
    const reception = this.channels.get(source)?.receive(received)
    if (reception === 'duplicate' || reception === 'old_epoch') {
      this.problem(reception, reception, `${source}/${epoch}/${seq}`, received.endpoint)
    }
  }

  private onHeartbeat(heartbeat: Heartbeat, endpoint: PublisherEndpoint, recvUs: number): void {
    const { channels, closing } = heartbeat
    for (const { source, epoch, last_seq: seq, journal } of channels) {
      this.channels.get(source)?.reached({ epoch, seq, closing, journal: journal !== 'none' })
    }
    this.options.onHeartbeat?.(heartbeat, endpoint, recvUs)
  }

  private problem(kind: Problem['kind'], reason: string, detail: string, endpoint: PublisherEndpoint): void {
    this.options.onProblem?.({ kind, reason, detail, endpoint })
  }
}
