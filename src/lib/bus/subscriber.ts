/**
 * The connecting side of the bus: one SUB socket per publisher endpoint, so that a source can be held to the endpoint
 * it is configured for. Frames are decoded, judged by sequence and handed on; nothing thrown by bad input.
 */

import { setImmediate } from 'node:timers/promises'
import { Subscriber as SubSocket } from 'zeromq'
import type { Clock } from '../core/clock.js'
import { messageOf } from '../core/errors.js'
import { decode } from '../messages/codec.js'
import type { LegacyMessage, Message } from '../messages/codec.js'
import { parseHeartbeat } from '../messages/heartbeat.js'
import type { Heartbeat } from '../messages/heartbeat.js'
import type { Header } from '../messages/payloads.js'
import { isSource, legacySource, topicPrefixOf } from '../messages/sources.js'
import { HEALTH_PREFIX, healthTopic } from '../messages/topics.js'
import type { Env } from '../model/venue.js'
import { curveClientOptions } from './curve.js'
import type { BusKeys } from './curve.js'
import { watchClient } from './handshakes.js'
import { unlessClosed } from './closed.js'
import type { PublisherEndpoint } from './endpoints.js'
import { receiveApart } from './receive-buffers.js'
import { SequenceTracker } from './sequence-tracker.js'
import type { Gap } from './gap.js'
import { RECREATE_AFTER_MS, SUBSCRIBER_OPTIONS } from './socket-options.js'

export interface Received {
  readonly message: Message
  /** The second frame as it came. */
  readonly bytes: Buffer
  readonly topic: string
  /** Our monotonic clock on arrival, us. */
  readonly recvUs: number
  readonly endpoint: PublisherEndpoint
  /** It was missed live and came later, another way. */
  readonly isLate?: true
}

export interface ReceivedLegacy {
  readonly legacy: LegacyMessage
  readonly bytes: Buffer
  readonly topic: string
  /** `legacy.<endpoint>`. */
  readonly source: string
  readonly endpoint: PublisherEndpoint
}

/** Why something that arrived was not handed on: a stable word to count, and what was found. */
export interface Problem {
  readonly kind:
    'parse_error' | 'duplicate' | 'old_epoch' | 'wrong_source' | 'legacy_refused' | 'foreign_heartbeat'
  readonly reason: string
  readonly detail: string
  readonly endpoint: PublisherEndpoint
}

export interface SubscriberHandlers {
  /** In order and never twice, after `onGap` when something before it is missing; as it comes without a gate. */
  onMessage(received: Received): void
  onGap?(gap: Gap): void
  onHeartbeat?(heartbeat: Heartbeat, endpoint: PublisherEndpoint, recvUs: number): void
  onLegacy?(received: ReceivedLegacy): void
  onProblem?(problem: Problem): void
  /** Where the bus has no keys: a handshake with the publisher failed. With keys, they are told. */
  onRefused?(reason: string, publisher: string): void
  /** Nothing more waits on the endpoint's socket, or much was handed on since it was said last. */
  onDrained?(endpoint: PublisherEndpoint): void
}

export interface SubscriberOptions extends SubscriberHandlers {
  readonly endpoints: readonly PublisherEndpoint[]
  /** Topic prefixes, each ending in a dot (`prices.kalshi.`); an empty list takes heartbeats alone. */
  readonly prefixes: readonly string[]
  /** Data of another env are refused. */
  readonly env: Env
  readonly clock: Clock
  /** The bus's keys; undefined where it has none. A legacy sender has none in any case. */
  readonly keys?: BusKeys | undefined
  /**
   * Who judges order, loss and duplicates: by default the tracker here, which pulls nothing; with `none` whoever takes
   * the messages, which come as the network brought them.
   */
  readonly gate?: 'tracker' | 'none'
}

/**
 * So often everybody else has a turn, however much waits here. Whoever waits for an answer before it goes on, as the
 * mirror does for Redis's, gets one at most so often while messages pile up.
 */
const YIELD_EVERY_US = 2_000
/** A message that is there already comes sooner than that behind the one before. */
const WAITED_US = 50

/** Messages that are handed on before `onDrained` is said even though more wait. */
const MAX_BURST = 256

export class Subscriber {
  private readonly tracker: SequenceTracker | undefined
  private readonly links: Link[]
  private readonly watchdog: NodeJS.Timeout

  /** Connects at once; publishers may start later. Throws `UNKNOWN_KEY` (exit 4). */
  constructor(options: SubscriberOptions) {
    receiveApart()
    this.tracker =
      options.gate === 'none'
        ? undefined
        : new SequenceTracker((source) => coversChannel(options.prefixes, source))
    this.links = options.endpoints.map((endpoint) => new Link(endpoint, options, this.tracker))
    this.watchdog = setInterval(() => {
      for (const link of this.links) link.recreateWhenSilent()
    }, RECREATE_AFTER_MS / 2)
    this.watchdog.unref()
  }

  /** The last (epoch, seq) that the tracker saw of a source. */
  position(source: string): { readonly epoch: number; readonly seq: number } | undefined {
    return this.tracker?.position(source)
  }

  close(): void {
    clearInterval(this.watchdog)
    for (const link of this.links) link.close()
  }
}

/** Whether `prefixes` take everything that a source publishes, so that its seq may have no holes. */
export function coversChannel(prefixes: readonly string[], source: string): boolean {
  const whole = topicPrefixOf(source)
  return prefixes.some((prefix) => whole.startsWith(prefix))
}

/** One endpoint's socket and its receive loop. */
class Link {
  private socket: SubSocket | undefined
  private lastHeardUs: number
  private burst = 0
  private yieldedUs = 0
  /** When the last message was handed on. */
  private handledUs = 0
  private closed = false

  constructor(
    private readonly endpoint: PublisherEndpoint,
    private readonly options: SubscriberOptions,
    private readonly tracker: SequenceTracker | undefined,
  ) {
    this.lastHeardUs = options.clock.monoUs()
    this.connect()
  }

  /** After an oversize frame libzmq leaves the session dead without an event: a silent link gets a new socket. */
  recreateWhenSilent(): void {
    const silentUs = this.options.clock.monoUs() - this.lastHeardUs
    if (this.closed || silentUs < RECREATE_AFTER_MS * 1000) return
    this.lastHeardUs = this.options.clock.monoUs()
    this.socket?.close()
    this.connect()
  }

  close(): void {
    this.closed = true
    this.socket?.close()
    this.socket = undefined
  }

  private connect(): void {
    const { endpoint, options } = this
    const keys = endpoint.legacy === true ? undefined : options.keys
    const socket = new SubSocket({ ...SUBSCRIBER_OPTIONS, ...curveClientOptions(keys, endpoint.publisher) })
    socket.subscribe(
      endpoint.legacy === true ? HEALTH_PREFIX : healthTopic(endpoint.publisher),
      ...options.prefixes,
    )
    watchClient(socket, keys ?? options, endpoint.publisher)
    socket.connect(endpoint.url)
    this.socket = socket
    this.receive(socket).catch(unlessClosed(socket))
  }

  private async receive(socket: SubSocket): Promise<void> {
    // Its async iterator makes two more promises of each message.
    while (!socket.closed) {
      const frames = await socket.receive()
      const nowUs = this.options.clock.monoUs()
      // It was waited for: everybody else had a turn.
      if (nowUs - this.handledUs > WAITED_US) this.yieldedUs = nowUs
      this.lastHeardUs = nowUs
      const [topic, body] = frames
      if (frames.length !== 2 || topic === undefined || body === undefined) {
        this.problem('parse_error', 'bad_frames', `${frames.length} frames`)
      } else {
        this.tryHandle(topic.toString('utf8'), body, this.lastHeardUs)
      }
      if (this.options.onDrained !== undefined) this.tellDrained(socket)
      this.handledUs = this.options.clock.monoUs()
      // Messages that wait are handed over in microtasks: timers and other sockets would wait for all of them.
      if (this.handledUs - this.yieldedUs > YIELD_EVERY_US) {
        await setImmediate()
        this.yieldedUs = this.options.clock.monoUs()
      }
    }
  }

  private tellDrained(socket: SubSocket): void {
    this.burst++
    if (this.burst < MAX_BURST && !socket.closed && socket.readable) return
    this.burst = 0
    try {
      this.options.onDrained?.(this.endpoint)
    } catch (error) {
      this.problem('parse_error', 'handler_failed', messageOf(error))
    }
  }

  /** A handler that throws must not end the link: its message is one that could not be read. */
  private tryHandle(topic: string, bytes: Buffer, recvUs: number): void {
    try {
      this.handle(topic, bytes, recvUs)
    } catch (error) {
      this.problem('parse_error', 'handler_failed', `${topic}: ${messageOf(error)}`)
    }
  }

  private handle(topic: string, bytes: Buffer, recvUs: number): void {
    if (topic.startsWith(HEALTH_PREFIX)) this.handleHeartbeat(topic, bytes, recvUs)
    else this.handleMessage(topic, bytes, recvUs)
  }

  private handleHeartbeat(topic: string, bytes: Buffer, recvUs: number): void {
    const { endpoint, options, tracker } = this
    const heartbeat = parseHeartbeat(bytes.toString('utf8'))
    if (heartbeat === undefined) return this.problem('parse_error', 'bad_heartbeat', topic)
    const ours =
      heartbeat.publisher === endpoint.publisher &&
      heartbeat.env === options.env &&
      heartbeat.channels.every(({ source }) => endpoint.sources.includes(source))
    if (!ours) {
      const found = `${heartbeat.publisher} (${heartbeat.env}) instead of ${endpoint.publisher} (${options.env})`
      return this.problem('foreign_heartbeat', 'foreign_heartbeat', found)
    }
    for (const channel of heartbeat.channels) {
      tracker?.beat(channel, heartbeat.closing, (gap) => options.onGap?.(gap))
    }
    options.onHeartbeat?.(heartbeat, endpoint, recvUs)
  }

  private handleMessage(topic: string, bytes: Buffer, recvUs: number): void {
    const { endpoint, options } = this
    const decoded = decode(topic, bytes, options.env)
    switch (decoded.kind) {
      case 'refused':
        return this.problem('parse_error', decoded.refusal.reason, decoded.refusal.detail)
      case 'legacy':
        return this.handleLegacy(decoded.legacy, topic, bytes)
      case 'message':
        break
    }
    const { message } = decoded
    const { source } = message.header
    if (!endpoint.sources.includes(source)) {
      const shown = isSource(source) ? source : 'an ill-formed source'
      return this.problem(
        'wrong_source',
        'wrong_source',
        `${shown} from ${endpoint.url} (${endpoint.publisher})`,
      )
    }
    if (!topic.startsWith(topicPrefixOf(source))) {
      return this.problem('parse_error', 'topic_of_other_source', `${source} on ${topic}`)
    }
    if (!this.admits(message.header, topic)) return
    options.onMessage({ message, bytes, topic, recvUs, endpoint })
  }

  /** What the tracker says of a message; without one everything goes on. */
  private admits(header: Header, topic: string): boolean {
    const { tracker, options } = this
    const verdict = tracker?.observe(header, topic, (gap) => options.onGap?.(gap))
    if (verdict === undefined || verdict.kind === 'next') return true
    if (verdict.kind === 'gap') {
      options.onGap?.(verdict.gap)
      return true
    }
    this.problem(verdict.kind, verdict.kind, `${header.source}/${header.epoch}/${header.seq}`)
    return false
  }

  private handleLegacy(legacy: LegacyMessage, topic: string, bytes: Buffer): void {
    const { endpoint, options } = this
    const accepted = endpoint.legacy === true && (legacy.family === 'prices' || legacy.family === 'games')
    if (!accepted) return this.problem('legacy_refused', 'legacy_refused', `${topic} from ${endpoint.url}`)
    options.onLegacy?.({ legacy, bytes, topic, source: legacySource(endpoint.url), endpoint })
  }

  private problem(kind: Problem['kind'], reason: string, detail: string): void {
    this.options.onProblem?.({ kind, reason, detail, endpoint: this.endpoint })
  }
}
