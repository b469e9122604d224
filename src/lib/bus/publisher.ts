/**
 * The binding side of the bus: one PUB socket, its channels, and a heartbeat every 200 ms.
 *
 * A channel numbers its messages from 1 in each epoch. Sends are synchronous and un-awaited (`sendTimeout: 0`); a
 * subscriber that is too slow loses messages at its high-water mark and sees it by seq.
 */

import { Publisher as PubSocket } from 'zeromq'
import { ArbeesError, codeOf, messageOf } from '../core/errors.js'
import type { Clock } from '../core/clock.js'
import { hostId } from '../core/ids.js'
import { MAX_MESSAGE_BYTES, encode } from '../messages/codec.js'
import { HEARTBEAT_MS } from '../messages/heartbeat.js'
import type { Counts, FeedBeat, Heartbeat, HopBeat } from '../messages/heartbeat.js'
import type { Stamps } from '../messages/payloads.js'
import { healthTopic } from '../messages/topics.js'
import type { Env } from '../model/venue.js'
import { assertBindAllowed } from './endpoints.js'
import { JOIN_GRACE_MS, PUBLISHER_OPTIONS } from './socket-options.js'

/** What a role adds to each heartbeat. */
export interface BeatDetails {
  readonly feeds?: readonly FeedBeat[]
  readonly counts?: Counts
  readonly hops?: Readonly<Record<string, HopBeat>>
}

export interface PublisherOptions {
  /** `kalshi`, `poly`, `orchestrator`, `shard-0`, `exec`. */
  readonly name: string
  /** `tcp://127.0.0.1:5555`; port `*` picks a free one. */
  readonly url: string
  readonly env: Env
  readonly clock: Clock
  /** The channels, by source. */
  readonly sources: readonly string[]
  readonly allowPlainBind?: boolean
  /** Asked at each heartbeat. */
  readonly details?: () => BeatDetails
}

/** Identity of a published message. */
export interface Published {
  readonly epoch: number
  readonly seq: number
}

export interface PublishOptions {
  /** Stamps taken before; `pub` is added here. */
  readonly stamps?: Stamps
  /** The chain this message belongs to; its own identity when not said. */
  readonly trace?: string
  /** First-design fields repeated at top level (`legacyPriceFields`). */
  readonly topLevel?: string
}

interface TopicState {
  /** Pre-encoded first frame: a third cheaper to send than the string. */
  readonly frame: Buffer
  lastSeq: number
}

/** Families whose messages carry `prev`: readers follow single topics of them. */
const CARRIES_PREV = /\.(prices|orderbook|games)$/

export class Publisher {
  /** Where it is bound; the port is known even when `*` was asked. */
  readonly url: string
  private readonly channels = new Map<string, Channel>()
  private readonly beatTopic: Buffer
  private readonly timer: NodeJS.Timeout
  private readonly boundUs: number
  private closed = false

  private constructor(
    private readonly socket: PubSocket,
    private readonly options: PublisherOptions,
  ) {
    this.url = socket.lastEndpoint ?? options.url
    this.beatTopic = Buffer.from(healthTopic(options.name))
    const epoch = options.clock.nowMs()
    for (const source of options.sources) {
      this.channels.set(source, new Channel(socket, source, epoch, options))
    }
    this.boundUs = options.clock.monoUs()
    this.beat(false)
    this.timer = setInterval(() => this.beat(false), HEARTBEAT_MS)
  }

  /** Binds and starts the heartbeat. Throws `PORT_IN_USE`, `PLAIN_BIND_REFUSED`, `BIND_FAILED`. */
  static async bind(options: PublisherOptions): Promise<Publisher> {
    assertBindAllowed(options.url, options.allowPlainBind ?? false)
    const socket = new PubSocket(PUBLISHER_OPTIONS)
    try {
      await socket.bind(options.url)
    } catch (error) {
      socket.close()
      throw bindError(options, error)
    }
    return new Publisher(socket, options)
  }

  /** The channel of a source given at bind. Throws `UNKNOWN_SOURCE`. */
  channel(source: string): Channel {
    const channel = this.channels.get(source)
    if (channel === undefined) {
      throw new ArbeesError('UNKNOWN_SOURCE', `publisher '${this.options.name}' has no channel '${source}'`)
    }
    return channel
  }

  /** Milliseconds left until subscribers have had time to rejoin; publish nothing before it is 0. */
  joinGraceLeftMs(): number {
    return Math.max(0, JOIN_GRACE_MS - (this.options.clock.monoUs() - this.boundUs) / 1000)
  }

  /** Says `closing` on the bus and closes the socket. */
  close(): void {
    if (this.closed) return
    clearInterval(this.timer)
    this.beat(true)
    this.closed = true
    // libzmq hands queued frames to the kernel in its own thread: linger 0 would cut the last of them.
    this.socket.linger = 200
    this.socket.close()
  }

  private beat(closing: boolean): void {
    const { clock, details, env, name } = this.options
    const { feeds = [], counts = {}, hops = {} } = details?.() ?? {}
    const heartbeat: Heartbeat = {
      v: 1,
      publisher: name,
      env,
      host: hostId(),
      pid: process.pid,
      timestamp_ms: clock.nowMs(),
      mono_us: clock.monoUs(),
      channels: [...this.channels.values()].map((channel) => channel.beat()),
      feeds,
      counts,
      hops,
      closing,
    }
    send(this.socket, this.beatTopic, JSON.stringify(heartbeat))
  }
}

/** One publisher and one family: a numbered sequence of messages. */
export class Channel {
  private seq = 0
  private lastTimestampMs = 0
  private readonly topics = new Map<string, TopicState>()
  private readonly host = hostId()
  private readonly carriesPrev: boolean

  constructor(
    private readonly socket: PubSocket,
    readonly source: string,
    /** Wall clock at the start of this life of the source. */
    readonly epoch: number,
    private readonly options: { readonly env: Env; readonly clock: Clock },
  ) {
    this.carriesPrev = CARRIES_PREV.test(source)
  }

  /** Messages published in this epoch. */
  get lastSeq(): number {
    return this.seq
  }

  /** The seq that the next message will have: a decision can name itself before it is sent. */
  get nextSeq(): number {
    return this.seq + 1
  }

  /** Numbers, encodes and sends one message. Throws `MESSAGE_TOO_LARGE`, and then nothing was numbered. */
  publish(topic: string, payload: object, { stamps, trace, topLevel }: PublishOptions = {}): Published {
    const { clock, env } = this.options
    const topicState = this.topicState(topic)
    const seq = this.seq + 1
    const timestampMs = Math.max(this.lastTimestampMs, clock.nowMs())
    const text = encode(
      {
        env,
        source: this.source,
        epoch: this.epoch,
        seq,
        ...(this.carriesPrev ? { prev: topicState.lastSeq } : {}),
        timestampMs,
        host: this.host,
        ...(trace === undefined ? {} : { trace }),
        stamps: { ...stamps, pub: clock.monoUs() },
      },
      payload,
      topLevel,
    )
    if (text.length * 3 > MAX_MESSAGE_BYTES && Buffer.byteLength(text) > MAX_MESSAGE_BYTES) {
      throw new ArbeesError(
        'MESSAGE_TOO_LARGE',
        `${Buffer.byteLength(text)} bytes on ${topic}, at most ${MAX_MESSAGE_BYTES}`,
      )
    }
    this.seq = seq
    topicState.lastSeq = seq
    this.lastTimestampMs = timestampMs
    send(this.socket, topicState.frame, text)
    return { epoch: this.epoch, seq }
  }

  beat(): Heartbeat['channels'][number] {
    return { source: this.source, epoch: this.epoch, last_seq: this.seq, oldest: null, journal: 'none' }
  }

  private topicState(topic: string): TopicState {
    let state = this.topics.get(topic)
    if (state === undefined) {
      state = { frame: Buffer.from(topic), lastSeq: 0 }
      // Signals, orders and trades have a topic of their own each: nothing to remember.
      if (this.carriesPrev) this.topics.set(topic, state)
    }
    return state
  }
}

/** PUB with `sendTimeout: 0` completes within the call; what it drops shows as a gap at the reader. */
function send(socket: PubSocket, topic: Buffer, text: string): void {
  socket.send([topic, text]).catch(() => undefined)
}

function bindError({ name, url }: PublisherOptions, error: unknown): ArbeesError {
  if (codeOf(error) === 'EADDRINUSE') {
    return new ArbeesError(
      'PORT_IN_USE',
      `port ${url.slice(url.lastIndexOf(':') + 1)} (${url}) of ${name} is in use`,
      {
        hint: `stop what holds it, or set endpoints.${name.startsWith('shard-') ? 'shards' : name} to another port`,
        cause: error,
      },
    )
  }
  return new ArbeesError('BIND_FAILED', `${name} cannot bind ${url}: ${messageOf(error)}`, { cause: error })
}
