/**
 * The mirror: everything that crosses the bus into Redis, for the slower services. It is the only writer of Redis
 * streams. Nothing waits for it: what it misses, and what it cannot keep while Redis is away, it pulls from the
 * publishers' journals.
 */

import type { PublisherEndpoint } from '../bus/endpoints.js'
import { RecoveryClient } from '../bus/recovery/recovery-client.js'
import { Subscriber } from '../bus/subscriber.js'
import type { Problem } from '../bus/subscriber.js'
import { sleep } from '../core/backoff.js'
import { SUSPECT_MS } from '../messages/heartbeat.js'
import type { Heartbeat } from '../messages/heartbeat.js'
import { FAMILIES } from '../messages/topics.js'
import { ChannelMirror } from '../mirror/channel-mirror.js'
import type { ChannelEvents } from '../mirror/channel-mirror.js'
import { LegacyMirror } from '../mirror/legacy-mirror.js'
import { mirrorReply } from '../mirror/pulled.js'
import { maxLengthOf, publicStream, recordOf, streamLengths } from '../mirror/routes.js'
import type { StreamLengths } from '../mirror/routes.js'
import { BatchWriter } from '../mirror/writer.js'
import { RedisLink } from '../redis/connection.js'
import { isConnectionCode } from '../redis/errors.js'
import { redisKeys } from '../redis/keys.js'
import type { RedisServer } from '../redis/server-info.js'
import { countProblem } from './count-problem.js'
import { MirrorHealth } from './mirror-health.js'
import type { RoleContext } from './role.js'
import { allEndpoints } from './wiring.js'

/** How often a channel looks for what is due: a retry, a hole to give up. */
const STEP_MS = 50
/** A stop waits at most so long for what is on its way. */
const DRAIN_MS = 3_000
/** The first of each kind of problem is logged; the counters have the rest. */
const MAX_LOGGED_PROBLEMS = 100

/** Runs until the lifecycle closes. Throws `BAD_REDIS_URL`, `REDIS_TOO_OLD`, `REDIS_CLUSTER`, `REDIS_AUTH` (exit 4). */
export async function runMirror(context: RoleContext): Promise<void> {
  const mirror = new Mirror(context)
  context.lifecycle.defer('drain', () => mirror.drain())
  await mirror.link.ready()
  context.ready()
}

class Mirror {
  readonly link: RedisLink
  private readonly channels = new Map<string, ChannelMirror>()
  private readonly legacy: LegacyMirror
  private readonly health: MirrorHealth
  private readonly subscriber: Subscriber
  private readonly keys
  private readonly clients: RecoveryClient[] = []
  private readonly timer: NodeJS.Timeout
  private readonly lastHeardUs = new Map<string, { readonly us: number; readonly closing: boolean }>()
  private readonly loggedProblems = new Set<string>()

  constructor(private readonly context: RoleContext) {
    const { settings, clock, counters } = context
    const { env } = settings
    this.keys = redisKeys(env)
    this.link = new RedisLink({
      url: settings.redis_url,
      name: 'arbees-mirror',
      writes: true,
      onUp: (server) => this.onRedisUp(server),
      onDown: (error) => {
        counters.add('redis_errors', error.code)
        const hint = error.hint === undefined ? '' : ` (${error.hint})`
        context.log.warn(`${error.message}${hint}: what comes is kept until it is back`)
      },
    })
    // Closed last, so registered first: the drain needs it.
    context.lifecycle.defer('redis', () => this.closeRedis())
    const { redis } = this.link
    const lengths = streamLengths(settings)
    const endpoints = allEndpoints(settings)
    for (const endpoint of endpoints) this.addChannels(endpoint, lengths)
    this.legacy = new LegacyMirror({ redis, isUp: () => this.link.isUp, counters, maxLength: lengths.prices })
    this.health = new MirrorHealth({
      context,
      link: this.link,
      keys: this.keys,
      lengths,
      channels: this.channels,
    })
    context.report = () => ({ counts: this.health.counts(), hops: {} })
    context.heartbeat = () => this.health.heartbeat()
    this.subscriber = new Subscriber({
      endpoints,
      prefixes: FAMILIES.map((family) => `${family}.`),
      env,
      clock,
      keys: context.keys,
      gate: 'none',
      onMessage: ({ message, topic, bytes }) => {
        const record = recordOf(this.keys, message, topic, bytes)
        if (record === undefined) counters.add('parse_errors', 'unknown_venue')
        else this.channels.get(message.header.source)?.add(message.header, record)
      },
      onHeartbeat: (heartbeat, _endpoint, recvUs) => this.onHeartbeat(heartbeat, recvUs),
      onLegacy: ({ legacy, topic, bytes, source }) => {
        const stream = publicStream(this.keys, legacy.topic)
        if (stream === undefined) counters.add('parse_errors', 'unknown_venue')
        else this.legacy.add({ stream, source, topic, data: bytes })
      },
      onProblem: (problem) => this.onProblem(problem),
    })
    this.timer = setInterval(() => {
      for (const channel of this.channels.values()) channel.step()
    }, STEP_MS)
  }

  private addChannels(endpoint: PublisherEndpoint, lengths: StreamLengths): void {
    const { settings, clock, counters, keys: busKeys } = this.context
    const { env } = settings
    const { redis } = this.link
    const client = new RecoveryClient({ endpoint, clock, keys: busKeys })
    this.clients.push(client)
    for (const source of endpoint.sources) {
      const maxLength = maxLengthOf(source, lengths)
      const channel = { env, source, keys: this.keys }
      const mirror = new ChannelMirror({
        source,
        writer: new BatchWriter({ redis, env, source, maxLength }),
        maxBehind: maxLength,
        clock,
        counters,
        events: this.channelEvents(),
        isUp: () => this.link.isUp,
        pull: async (request) => {
          const reply = await client.range(source, request)
          return reply === undefined ? undefined : mirrorReply(reply, channel)
        },
      })
      this.channels.set(source, mirror)
    }
  }

  /** Waits until what was sent before now has come and is in Redis, within `DRAIN_MS`. */
  async drain(): Promise<void> {
    const { clock, log } = this.context
    const startUs = clock.monoUs()
    const inTime = () => clock.monoUs() - startUs < DRAIN_MS * 1000
    while (this.mayStillCome(startUs)) await sleep(10)
    this.subscriber.close()
    while (inTime() && this.link.isUp && this.isBehind) await sleep(5)
    if (this.lag > 0) log.warn(`${this.lag} messages are not in Redis: the next mirror pulls them`)
    clearInterval(this.timer)
    await this.health.close()
  }

  private closeRedis(): void {
    for (const channel of this.channels.values()) channel.stop()
    for (const client of this.clients) client.close()
    this.link.close()
  }

  private get isBehind(): boolean {
    return this.legacy.pending > 0 || [...this.channels.values()].some((channel) => channel.isBehind)
  }

  /** Messages that are known of and not in Redis. */
  private get lag(): number {
    return [...this.channels.values()].reduce((sum, { lag }) => sum + lag, this.legacy.pending)
  }

  /**
   * A publisher's heartbeat follows everything that it sent before: until each live one has beaten, more may come. One
   * that is silent for so long is gone.
   */
  private mayStillCome(sinceUs: number): boolean {
    const suspectUs = SUSPECT_MS * 1000
    if (this.context.clock.monoUs() - sinceUs > suspectUs) return false
    return [...this.lastHeardUs.values()].some(
      ({ us, closing }) => !closing && us < sinceUs && sinceUs - us < suspectUs,
    )
  }

  private onRedisUp({ version, evicts }: RedisServer): void {
    const { log } = this.context
    log.info(`Redis ${version} at ${this.link.shownUrl}, ${this.lag} messages wait for it`)
    if (evicts !== undefined) {
      log.warn(
        `Redis may throw away a stream that its checkpoint vouches for: maxmemory-policy ${evicts}, set noeviction`,
      )
    }
    for (const channel of this.channels.values()) channel.resume()
    this.legacy.resume()
    this.health.redisUp()
  }

  private onHeartbeat(heartbeat: Heartbeat, recvUs: number): void {
    this.lastHeardUs.set(heartbeat.publisher, { us: recvUs, closing: heartbeat.closing })
    for (const beat of heartbeat.channels) this.channels.get(beat.source)?.reached(beat, heartbeat.closing)
    this.health.heard(heartbeat, recvUs)
  }

  private onProblem(problem: Problem): void {
    const { counters, log } = this.context
    countProblem(counters, problem)
    const { kind, reason, detail, endpoint } = problem
    const seen = `${kind} ${reason} ${endpoint.url}`
    if (this.loggedProblems.has(seen) || this.loggedProblems.size >= MAX_LOGGED_PROBLEMS) return
    this.loggedProblems.add(seen)
    log.warn(`refused from ${endpoint.publisher}: ${reason}, ${detail} (further ones are only counted)`)
  }

  private channelEvents(): ChannelEvents {
    const { log } = this.context
    return {
      onGap: (source, gap) => this.health.noteGap(source, gap),
      onFailing: (source, code, message) => {
        // The connection speaks for itself, once for all channels.
        if (!isConnectionCode(code)) log.error(`${source} cannot be mirrored: ${code}, ${message}`)
      },
      onRecovered: (source, code) => {
        if (!isConnectionCode(code)) log.info(`${source} is mirrored again`)
      },
    }
  }
}
