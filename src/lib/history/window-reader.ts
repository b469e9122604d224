/**
 * Reads the bus as Redis has it, `--transport redis`: first what the streams still hold, then what comes, through one
 * gate. Everything here is what the mirror wrote; nothing is asked of a publisher, so a hole is final when it is seen.
 */

import { Conflater, isConflated } from '../bus/conflater.js'
import type { Gap } from '../bus/gap.js'
import { coversChannel } from '../bus/subscriber.js'
import type { Problem, Received } from '../bus/subscriber.js'
import { messageOf } from '../core/errors.js'
import type { PublisherEndpoint } from '../bus/endpoints.js'
import { isSame } from '../bus/position.js'
import type { Position } from '../bus/position.js'
import { SequenceTracker } from '../bus/sequence-tracker.js'
import type { Heartbeat } from '../messages/heartbeat.js'
import { redisKeys } from '../redis/keys.js'
import { parseRedisUrl } from '../redis/url.js'
import type { BusReader, BusReaderOptions } from './bus-reader.js'
import { messageOfEntry } from './entry-message.js'
import { HealthReader } from './health-reader.js'
import { HeldBeats } from './held-beats.js'
import { refusalOfEntry } from './stream-entry.js'
import type { StreamEntry } from './stream-entry.js'
import { StreamReader } from './stream-reader.js'

export class WindowReader implements BusReader {
  private readonly endpoints = new Map<string, PublisherEndpoint>()
  /** What comes from Redis and is wrong is Redis's. */
  private readonly redis: PublisherEndpoint
  private readonly tracker = new SequenceTracker(() => true)
  private readonly streams: StreamReader
  private readonly health: HealthReader
  private readonly beats: HeldBeats
  private readonly conflater: Conflater<Received> | undefined
  private isFollowing = false

  /** Connects in the background and keeps trying. Throws `BAD_REDIS_URL`. */
  constructor(private readonly options: BusReaderOptions) {
    const { endpoints, prefixes, env, name, redisUrl } = options
    this.redis = { publisher: 'redis', url: parseRedisUrl(redisUrl).shown, sources: [] }
    for (const endpoint of endpoints) {
      for (const source of endpoint.sources.filter((each) => coversChannel(prefixes, each))) {
        this.endpoints.set(source, endpoint)
        this.begin(source)
      }
    }
    const sources = [...this.endpoints.keys()]
    const keys = redisKeys(env)
    this.beats = new HeldBeats(new Set(sources))
    this.conflater =
      options.mode === 'snapshot' && options.onConflated !== undefined
        ? new Conflater(options.clock, (received) => this.tryDeliver(received), options.onConflated)
        : undefined
    this.streams = new StreamReader({
      redisUrl,
      name: `arbees-${name}-streams`,
      keys,
      sources,
      startOf: (source) => this.position(source) ?? (options.mode === 'snapshot' ? 'window' : 'live'),
      maxBehind: options.mode === 'snapshot' ? undefined : options.maxBehind,
      onEntry: (entry, previous) => this.onEntry(entry, previous),
      onDrained: () => this.conflater?.flush(),
      onFollowing: (isFollowing) => this.onFollowing(isFollowing),
      onProblem: (reason, detail) => this.problem('parse_error', reason, detail),
      onDown: (error) => options.onRedisDown?.(error),
    })
    this.health = new HealthReader({
      redisUrl,
      name: `arbees-${name}-health`,
      keys,
      publishers: [...new Set([...this.endpoints.values()].map(({ publisher }) => publisher))],
      onHeartbeat: (heartbeat, publisher) => this.onHeartbeat(heartbeat, publisher),
      onUnreadable: (publisher) => this.problem('parse_error', 'bad_heartbeat', `health of ${publisher}`),
    })
  }

  position(source: string): Position | undefined {
    return this.tracker.position(source)
  }

  close(): void {
    this.streams.close()
    this.health.close()
    this.conflater?.close()
  }

  /** Where the owner is, when it knows: what lies behind that in the stream comes next, the rest is a gap. */
  private begin(source: string): void {
    if (this.options.mode === 'snapshot') return
    const start = this.options.startAt(source)
    if (start === 'live') return
    this.tracker.beat({ source, epoch: start.epoch, last_seq: start.seq }, false, () => undefined)
  }

  private onEntry(entry: StreamEntry, previous: Position | undefined): void {
    const { source, topic, data } = entry
    const endpoint = this.endpoints.get(source)
    if (endpoint === undefined) return
    const message = messageOfEntry(entry, this.options.env)
    if ('reason' in message) {
      const { reason, detail } = refusalOfEntry(message, entry)
      return this.problem('parse_error', reason, detail)
    }
    if (!this.isNew(message.header, topic, previous)) return
    const recvUs = this.options.clock.monoUs()
    const late = this.isFollowing ? {} : { isLate: true as const }
    const received: Received = { message, bytes: data, topic, recvUs, endpoint, ...late }
    if (this.conflater !== undefined && isConflated(source)) this.conflater.offer(received)
    else this.options.onMessage(received)
    this.releaseBeats()
  }

  private tryDeliver(received: Received): void {
    try {
      this.options.onMessage(received)
    } catch (error) {
      this.problem('parse_error', 'handler_failed', `${received.topic}: ${messageOf(error)}`)
    }
  }

  /**
   * Tells of a hole before it. A new epoch right behind what was taken is none: the mirror writes all of the old one
   * first. Where the stream has not even what was taken any more, nobody knows how the old one ended.
   */
  private isNew(
    header: Position & { readonly source: string },
    topic: string,
    previous: Position | undefined,
  ): boolean {
    const { source, epoch, seq } = header
    const { tracker } = this
    const at = tracker.position(source)
    if (at !== undefined && previous !== undefined && at.epoch < epoch && isSame(at, previous)) {
      tracker.beat({ source, epoch: at.epoch, last_seq: at.seq }, true, () => undefined)
    }
    const verdict = tracker.observe({ source, epoch, seq }, topic, (gap) => this.tellGap(gap))
    if (verdict.kind === 'duplicate' || verdict.kind === 'old_epoch') {
      this.problem(verdict.kind, verdict.kind, `${source}/${epoch}/${seq}`)
      return false
    }
    if (verdict.kind === 'gap') this.tellGap(verdict.gap)
    return true
  }

  /** What came before it is handed on before it. */
  private tellGap(gap: Gap): void {
    this.conflater?.flushAll()
    this.options.onGap?.(gap)
  }

  private onHeartbeat(heartbeat: Heartbeat, publisher: string): void {
    if (heartbeat.publisher !== publisher || heartbeat.env !== this.options.env) {
      return this.problem('foreign_heartbeat', 'foreign_heartbeat', `${heartbeat.publisher} for ${publisher}`)
    }
    this.beats.note(heartbeat)
    this.releaseBeats()
  }

  private releaseBeats(): void {
    if (!this.isFollowing) return
    for (const heartbeat of this.beats.release((source) => this.position(source))) {
      const endpoint = this.options.endpoints.find(({ publisher }) => publisher === heartbeat.publisher)
      if (endpoint !== undefined) {
        this.conflater?.flushAll()
        this.options.onHeartbeat?.(heartbeat, endpoint, this.options.clock.monoUs())
      }
    }
  }

  private onFollowing(isFollowing: boolean): void {
    this.conflater?.flushAll()
    this.isFollowing = isFollowing
    for (const source of this.endpoints.keys()) this.options.onState?.(source, isFollowing ? 'LIVE' : 'GAP')
    this.releaseBeats()
  }

  private problem(kind: Problem['kind'], reason: string, detail: string): void {
    this.options.onProblem?.({ kind, reason, detail, endpoint: this.redis })
  }
}
