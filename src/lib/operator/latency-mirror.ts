/**
 * Mirror lag, from outside: what a heartbeat says was published, until Redis has all of it. Each heartbeat of a channel
 * that moved is one sample, whatever the ones before it wait for.
 */

import { isBefore } from '../bus/position.js'
import type { Position } from '../bus/position.js'
import { sleep } from '../core/backoff.js'
import type { Clock } from '../core/clock.js'
import { evictOldest } from '../core/evict-oldest.js'
import { messageOf } from '../core/errors.js'
import { hostId } from '../core/ids.js'
import { readCheckpoints } from '../history/checkpoints.js'
import type { Heartbeat } from '../messages/heartbeat.js'
import type { Env } from '../model/venue.js'
import { RedisLink } from '../redis/connection.js'
import { redisKeys } from '../redis/keys.js'

export interface MirrorLagOptions {
  readonly redisUrl: string
  readonly env: Env
  readonly clock: Clock
  /** Channels of interest. */
  readonly sources: readonly string[]
  readonly onLag: (source: string, us: number) => void
  /** Redis cannot be asked: there will be no samples. */
  readonly onUnreachable: (why: string) => void
}

const REDIS_TIMEOUT_MS = 1_500

interface Claim extends Position {
  readonly source: string
  /** Our host's monotonic clock. */
  readonly saidUs: number
}

/** How soon Redis is asked again, from as long as it takes on: a mirror that is well needs a few ms. */
const ASK_AGAIN_MS = 1
const LATE_MS = 50
const ASK_LATE_MS = 20
/** Claims that wait, two minutes of eight channels that stand still, are enough to tell. */
const MAX_WAITING = 5_000

export class MirrorLag {
  private readonly waiting = new Map<string, Claim>()
  private readonly lastSaid = new Map<string, Position>()
  private asking = false
  private closed = false
  private link: RedisLink | undefined
  private wasUp = false

  /** Connects in the background; never throws. */
  constructor(private readonly options: MirrorLagOptions) {
    void this.connect()
  }

  /** The clock of a heartbeat of this host; of another host's its arrival. */
  beat({ host, mono_us: monoUs, channels }: Heartbeat, recvUs: number): void {
    const saidUs = host === hostId() ? monoUs : recvUs
    for (const { source, epoch, last_seq: seq } of channels) {
      if (!this.options.sources.includes(source)) continue
      const before = this.lastSaid.get(source)
      this.lastSaid.set(source, { epoch, seq })
      // When what the first one speaks of was published nobody knows.
      if (before === undefined || !isBefore(before, { epoch, seq })) continue
      this.waiting.set(`${source} ${epoch} ${seq}`, { source, epoch, seq, saidUs })
      evictOldest(this.waiting, MAX_WAITING)
    }
    if (!this.asking && this.wasUp && this.link !== undefined) void this.ask(this.link)
  }

  /** What is late by now is recorded with the time it has taken so far. Returns how much that is. */
  close(): number {
    if (this.closed) return 0
    this.closed = true
    this.link?.close()
    if (!this.wasUp) return 0
    const nowUs = this.options.clock.monoUs()
    const late = [...this.waiting.values()].filter(({ saidUs }) => nowUs - saidUs > LATE_MS * 1000)
    for (const { source, saidUs } of late) this.options.onLag(source, nowUs - saidUs)
    return late.length
  }

  private async connect(): Promise<void> {
    try {
      this.link = new RedisLink({ url: this.options.redisUrl, name: 'arbees-latency' })
      await this.link.ready(REDIS_TIMEOUT_MS)
      // What waited for the connection waited for us.
      this.waiting.clear()
      this.wasUp = true
    } catch (error) {
      this.link?.close()
      if (!this.closed) this.options.onUnreachable(messageOf(error))
    }
  }

  /** Asks Redis as long as something waits. */
  private async ask({ redis }: RedisLink): Promise<void> {
    const { clock } = this.options
    const keys = redisKeys(this.options.env)
    this.asking = true
    while (this.waiting.size > 0 && !this.closed) {
      const sources = [...new Set([...this.waiting.values()].map(({ source }) => source))]
      const checkpoints = await readCheckpoints(redis, keys, sources)
      if (this.closed) return
      const nowUs = clock.monoUs()
      for (const [key, claim] of this.waiting) {
        const at = checkpoints?.get(claim.source)
        if (at === undefined || isBefore(at, claim)) continue
        this.waiting.delete(key)
        this.options.onLag(claim.source, nowUs - claim.saidUs)
      }
      const [oldest] = this.waiting.values()
      const isLate = oldest !== undefined && nowUs - oldest.saidUs > LATE_MS * 1000
      await sleep(isLate ? ASK_LATE_MS : ASK_AGAIN_MS)
    }
    this.asking = false
  }
}
