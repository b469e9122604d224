/**
 * Reads the bus live, `--transport zmq`, and from Redis what only we do not hear: a publisher that is silent here while
 * its checkpoint in Redis passes us. Who was away begins with what Redis has of that time: the publisher may have lost
 * it since. All ways end in one gate. Redis is not asked, nor needed, while everyone is heard.
 */

import { coversChannel } from '../bus/subscriber.js'
import type { Problem } from '../bus/subscriber.js'
import type { PublisherEndpoint } from '../bus/endpoints.js'
import { isSame } from '../bus/position.js'
import type { Position } from '../bus/position.js'
import { RecoveringSubscriber } from '../bus/recovering-subscriber.js'
import type { ChannelState } from '../bus/recovering-subscriber.js'
import { RedisLink } from '../redis/connection.js'
import { redisKeys } from '../redis/keys.js'
import type { RedisKeys } from '../redis/keys.js'
import { parseRedisUrl } from '../redis/url.js'
import type { BusReader, BusReaderOptions } from './bus-reader.js'
import { readCheckpoints } from './checkpoints.js'
import { CheckpointWatch } from './checkpoint-watch.js'
import { messageOfEntry } from './entry-message.js'
import { Link } from './link-state.js'
import type { LinkState } from './link-state.js'
import { refusalOfEntry } from './stream-entry.js'
import type { StreamEntry } from './stream-entry.js'
import { StreamReader } from './stream-reader.js'

/** One publisher as this reader stands to it. */
interface Followed {
  readonly endpoint: PublisherEndpoint
  readonly sources: readonly string[]
  readonly link: Link
  /** Redis had news of it since the last step. */
  hasNews: boolean
  /** Open from the first fallback until it is live again. */
  streams: StreamReader | undefined
}

const STEP_MS = 50
/** Redis has so long for what came while we were away; then the publishers are asked for it. */
const BACKLOG_MS = 1_000

export class FallbackReader implements BusReader {
  private readonly subscriber: RecoveringSubscriber
  private readonly followed: readonly Followed[]
  private readonly channelStates = new Map<string, ChannelState>()
  /** As the owner was told. */
  private readonly told = new Map<string, ChannelState>()
  private readonly keys: RedisKeys
  private readonly watch = new CheckpointWatch()
  private readonly timer: NodeJS.Timeout
  /** Open while someone is silent. */
  private redis: RedisLink | undefined
  private isAsking = false
  /** Until it has handed on what came while we were away. */
  private backlog: { readonly streams: StreamReader; readonly timer: NodeJS.Timeout } | undefined

  /** Connects at once; publishers may start later. Throws `UNKNOWN_KEY` and `BAD_REDIS_URL` (exit 4). */
  constructor(private readonly options: BusReaderOptions) {
    const { endpoints, prefixes, env, clock, redisUrl } = options
    parseRedisUrl(redisUrl)
    this.keys = redisKeys(env)
    this.followed = endpoints
      .map((endpoint) => ({
        endpoint,
        sources: endpoint.sources.filter((source) => coversChannel(prefixes, source)),
        link: new Link(clock.monoUs() / 1000),
        hasNews: false,
        streams: undefined,
      }))
      .filter(({ sources }) => sources.length > 0)
    const away = this.followed
      .flatMap(({ sources }) => sources)
      // What a replay published is not in Redis.
      .filter((source) => this.keys.streamsOf(source).length > 0)
      .filter((source) => options.mode === 'gap-filled' && options.startAt(source) !== 'live')
    this.subscriber = new RecoveringSubscriber({
      ...options,
      isHeld: away.length > 0,
      onHeartbeat: (heartbeat, endpoint, recvUs) => {
        this.followed.find((each) => each.endpoint === endpoint)?.link.heard(recvUs / 1000)
        options.onHeartbeat?.(heartbeat, endpoint, recvUs)
      },
      onState: (source, state) => {
        this.channelStates.set(source, state)
        this.tellState(source)
      },
    })
    this.timer = setInterval(() => this.step(), STEP_MS)
    if (away.length > 0) this.readBacklog(away)
  }

  position(source: string): Position | undefined {
    return this.subscriber.position(source)
  }

  close(): void {
    clearInterval(this.timer)
    this.closeBacklog()
    for (const { streams } of this.followed) streams?.close()
    this.redis?.close()
    this.subscriber.close()
  }

  private step(): void {
    const nowMs = this.options.clock.monoUs() / 1000
    for (const followed of this.followed) {
      const { link, sources, hasNews: storeMoved } = followed
      const before = link.state
      const isWhole = sources.every((source) => this.channelStates.get(source) === 'LIVE')
      followed.hasNews = false
      const state = link.step({ nowMs, storeMoved, isWhole })
      if (state !== before) this.onLinkState(followed, state)
    }
    void this.askRedis()
  }

  private onLinkState(followed: Followed, state: LinkState): void {
    const { endpoint, sources } = followed
    if (state === 'FALLBACK') followed.streams ??= this.openStreams(sources)
    if (state === 'LIVE') {
      followed.streams?.close()
      followed.streams = undefined
    }
    this.options.onLink?.(endpoint.publisher, state)
    for (const source of sources) this.tellState(source)
  }

  /** A channel is live where its publisher is heard and nothing of it is missing. */
  private tellState(source: string): void {
    const own = this.channelStates.get(source) ?? 'JOINING'
    const link = this.followed.find(({ sources }) => sources.includes(source))?.link
    const state = own === 'LIVE' && link?.state !== 'LIVE' ? 'GAP' : own
    if (this.told.get(source) === state) return
    this.told.set(source, state)
    this.options.onState?.(source, state)
  }

  private async askRedis(): Promise<void> {
    if (this.isAsking) return
    const silent = this.followed.filter(({ link }) => link.state !== 'LIVE' && link.state !== 'REJOIN')
    const sources = silent.flatMap((each) => each.sources)
    if (sources.length === 0) {
      this.redis?.close()
      this.redis = undefined
      this.watch.look([])
      return
    }
    const { redisUrl, name } = this.options
    this.redis ??= new RedisLink({ url: redisUrl, name: `arbees-${name}-checkpoints` })
    if (!this.redis.isUp) return
    this.isAsking = true
    const stored = await readCheckpoints(this.redis.redis, this.keys, sources)
    this.isAsking = false
    if (stored === undefined) return
    const looks = sources.map((source) => ({
      source,
      stored: stored.get(source),
      taken: this.position(source),
    }))
    const moved = this.watch.look(looks)
    for (const each of silent) each.hasNews ||= each.sources.some((source) => moved.has(source))
  }

  private readBacklog(sources: readonly string[]): void {
    const end = () => {
      this.closeBacklog()
      this.subscriber.release()
    }
    const streams = this.openStreams(sources, { onFollowing: end, onDown: end })
    this.backlog = { streams, timer: setTimeout(end, BACKLOG_MS) }
  }

  private closeBacklog(): void {
    clearTimeout(this.backlog?.timer)
    this.backlog?.streams.close()
    this.backlog = undefined
  }

  private openStreams(
    sources: readonly string[],
    { onFollowing, onDown }: { readonly onFollowing?: () => void; readonly onDown?: () => void } = {},
  ): StreamReader {
    const { options } = this
    const { redisUrl, name } = options
    return new StreamReader({
      redisUrl,
      name: `arbees-${name}-fallback`,
      keys: this.keys,
      sources,
      startOf: (source) => this.position(source) ?? 'live',
      maxBehind: options.mode === 'gap-filled' ? options.maxBehind : undefined,
      onEntry: (entry, previous) => this.onEntry(entry, previous),
      onFollowing: () => onFollowing?.(),
      onProblem: (reason, detail) => this.problem(reason, detail),
      onDown: (error) => {
        options.onRedisDown?.(error)
        onDown?.()
      },
    })
  }

  private onEntry(entry: StreamEntry, previous: Position | undefined): void {
    const endpoint = this.followed.find(({ sources }) => sources.includes(entry.source))?.endpoint
    if (endpoint === undefined) return
    const message = messageOfEntry(entry, this.options.env)
    if ('reason' in message) {
      const { reason, detail } = refusalOfEntry(message, entry)
      return this.problem(reason, detail)
    }
    const at = this.position(entry.source)
    // What the mirror could not have of the end of an epoch, it has recorded as a gap.
    const isNext = at !== undefined && previous !== undefined && isSame(at, previous)
    if (isNext && at.epoch < entry.epoch && entry.seq === 1) {
      this.subscriber.feedEnd(entry.source, at, entry.epoch)
    }
    const recvUs = this.options.clock.monoUs()
    this.subscriber.feed({ message, bytes: entry.data, topic: entry.topic, recvUs, endpoint })
  }

  private problem(reason: string, detail: string): void {
    const endpoint = { publisher: 'redis', url: parseRedisUrl(this.options.redisUrl).shown, sources: [] }
    const problem: Problem = { kind: 'parse_error', reason, detail, endpoint }
    this.options.onProblem?.(problem)
  }
}
