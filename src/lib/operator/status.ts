/** What runs and how it is, asked of the bus (heartbeats) and of Redis (the mirror's own beat, checkpoints, gaps). */

import { NOWHERE, isBefore } from '../bus/position.js'
import type { Position } from '../bus/position.js'
import { sleep } from '../core/backoff.js'
import type { Clock } from '../core/clock.js'
import type { Settings } from '../core/config.js'
import { messageOf } from '../core/errors.js'
import { readCheckpoints } from '../history/checkpoints.js'
import type { Heartbeat } from '../messages/heartbeat.js'
import { parseHeartbeat } from '../messages/heartbeat.js'
import { connectRedis } from '../redis/connection.js'
import type { RedisClient, RedisLink } from '../redis/connection.js'
import { redisKeys } from '../redis/keys.js'
import type { RedisKeys } from '../redis/keys.js'
import { BeatListener, LISTEN_MS, publisherNowMs } from './beat-listener.js'
import type { HeardBeat } from './beat-listener.js'
import { JournalLook } from './journal-look.js'
import { RED_GAP_MS, judge } from './status-report.js'
import type { ChannelLag, RedisFindings, StatusReport } from './status-report.js'

export interface StatusOptions {
  readonly settings: Settings
  readonly clock: Clock
}

const REDIS_TIMEOUT_MS = 1_500
/** Nobody needs to know by how many more it is wrong. */
const MOST_GAPS = 10_000

/** What is down is reported, not thrown. Throws for keys that cannot be read (exit 4). */
export async function readStatus(options: StatusOptions): Promise<StatusReport> {
  const look = new StatusLook(options)
  try {
    await sleep(LISTEN_MS)
    return await look.read()
  } finally {
    look.close()
  }
}

/** Listens from its making on, and tells as often as it is asked. */
export class StatusLook {
  private readonly bus: BeatListener

  /** Throws for keys that cannot be read (exit 4). */
  constructor(private readonly options: StatusOptions) {
    this.bus = new BeatListener(options.settings, options.clock)
  }

  async read(): Promise<StatusReport> {
    const { bus } = this
    const { settings, clock } = this.options
    const redis = await askRedis(settings, clock, bus)
    const { endpoints, beats, strangers, closedDoors } = bus
    const [nowUs, nowMs] = [clock.monoUs(), clock.nowMs()]
    return judge({ settings, endpoints, beats, strangers, closedDoors, redis, nowUs, nowMs })
  }

  close(): void {
    this.bus.close()
  }
}

async function askRedis(settings: Settings, clock: Clock, bus: BeatListener): Promise<RedisFindings> {
  try {
    const link = await connectRedis(settings.redis_url, 'arbees-status', REDIS_TIMEOUT_MS)
    try {
      return await readRedis(link, redisKeys(settings.env), clock, bus)
    } finally {
      link.close()
    }
  } catch (error) {
    return { error: messageOf(error) }
  }
}

async function readRedis(
  link: RedisLink,
  keys: RedisKeys,
  clock: Clock,
  bus: BeatListener,
): Promise<RedisFindings> {
  const { redis, shownUrl: url } = link
  const sources = bus.endpoints.flatMap((endpoint) => endpoint.sources)
  // What publishers said before Redis was asked: what it does not have then, it is behind by.
  const said = new Map(bus.beats)
  const askedUs = clock.monoUs()
  const redSince = String(clock.nowMs() - RED_GAP_MS)
  const [mirror, gaps, recentGaps, checkpoints] = await Promise.all([
    readMirrorBeat(redis, keys),
    redis.xlen(keys.gaps()),
    // Ids begin with the ms at which Redis took the record.
    redis.xrange(keys.gaps(), redSince, '+', 'COUNT', MOST_GAPS),
    readCheckpoints(redis, keys, sources),
  ])
  if (checkpoints === undefined) throw new Error(`Redis at ${url} does not tell its checkpoints`)
  const lags = await measureLags({ said, checkpoints, askedUs, clock, bus })
  const { version, refusesWrites } = await link.ready()
  return { url, version, refusesWrites, mirror, gaps, recentGaps: recentGaps.length, lags }
}

/** The mirror publishes nothing on the bus: its heartbeat is in Redis. */
async function readMirrorBeat(redis: RedisClient, keys: RedisKeys): Promise<Heartbeat | undefined> {
  const text = await redis.get(keys.health('mirror'))
  return text === null ? undefined : parseHeartbeat(text)
}

interface LagQuestion {
  readonly said: ReadonlyMap<string, HeardBeat>
  readonly checkpoints: ReadonlyMap<string, Position>
  readonly askedUs: number
  readonly clock: Clock
  readonly bus: BeatListener
}

/** By source. The journal of each that is behind tells how old the first message is that Redis does not have. */
async function measureLags({
  said,
  checkpoints,
  askedUs,
  clock,
  bus,
}: LagQuestion): Promise<Map<string, ChannelLag>> {
  const journals = new JournalLook({ endpoints: bus.endpoints, clock, keys: bus.keys })
  const lags = new Map<string, ChannelLag>()
  try {
    const measured = [...said.values()].map(async (heard) => {
      for (const { source, epoch, last_seq: seq, journal } of heard.heartbeat.channels) {
        const at = checkpoints.get(source)
        if (!isBefore(at ?? NOWHERE, { epoch, seq })) {
          lags.set(source, { messages: 0, ms: 0 })
          continue
        }
        // Of an earlier life of the source Redis has nothing of this one.
        const messages = at?.epoch === epoch ? seq - at.seq : seq
        const missing = journal === 'none' ? undefined : await journals.next(source, at)
        const ageMs = missing === undefined ? null : publisherNowMs(heard, askedUs) - missing.timestampMs
        lags.set(source, { messages, ms: ageMs === null ? null : Math.max(0, Math.round(ageMs)) })
      }
    })
    await Promise.all(measured)
    return lags
  } finally {
    journals.close()
  }
}
