/** What runs and how it is, asked of the bus (heartbeats) and of Redis (the mirror's own beat, checkpoints, gaps). */

import { Subscriber } from '../bus/subscriber.js'
import type { Problem } from '../bus/subscriber.js'
import { sleep } from '../core/backoff.js'
import type { Clock } from '../core/clock.js'
import type { Settings } from '../core/config.js'
import { messageOf } from '../core/errors.js'
import type { Heartbeat } from '../messages/heartbeat.js'
import { parseHeartbeat } from '../messages/heartbeat.js'
import { HEALTH_PREFIX } from '../messages/topics.js'
import { connectRedis } from '../redis/connection.js'
import type { RedisClient } from '../redis/connection.js'
import { redisKeys } from '../redis/keys.js'
import type { RedisKeys } from '../redis/keys.js'
import { allEndpoints } from '../roles/wiring.js'
import { operatorKeys } from './operator-keys.js'
import type { ClosedDoor } from './operator-keys.js'
import { judge } from './status-report.js'
import type { HeardBeat, RedisFindings, RedisState, StatusReport } from './status-report.js'

export interface StatusOptions {
  readonly settings: Settings
  readonly clock: Clock
  /** Three heartbeats and some. */
  readonly listenMs?: number
}

const LISTEN_MS = 700
const REDIS_TIMEOUT_MS = 1_500

/** What is down is reported, not thrown. Throws for keys that cannot be read (exit 4). */
export async function readStatus({
  settings,
  clock,
  listenMs = LISTEN_MS,
}: StatusOptions): Promise<StatusReport> {
  const beats = new Map<string, HeardBeat>()
  const strangers: Problem[] = []
  const closedDoors: ClosedDoor[] = []
  const endpoints = allEndpoints(settings)
  const subscriber = new Subscriber({
    endpoints,
    // Not only the publishers that belong there: a stranger on their port is to be named.
    prefixes: [HEALTH_PREFIX],
    env: settings.env,
    clock,
    keys: operatorKeys(settings, (door) => closedDoors.push(door)),
    onMessage: () => undefined,
    onHeartbeat: (heartbeat, _endpoint, recvUs) =>
      beats.set(heartbeat.publisher, { heartbeat, heardUs: recvUs }),
    onProblem: (problem) => strangers.push(problem),
  })
  await sleep(listenMs)
  const sources = endpoints.flatMap((endpoint) => endpoint.sources)
  const redis = await askRedis(settings, sources)
  // The beats of this very moment: what Redis was asked later is not behind them.
  subscriber.close()
  const [nowUs, nowMs] = [clock.monoUs(), clock.nowMs()]
  return judge({ settings, endpoints, beats, strangers, closedDoors, redis, nowUs, nowMs })
}

async function askRedis(settings: Settings, sources: readonly string[]): Promise<RedisFindings> {
  try {
    const link = await connectRedis(settings.redis_url, 'arbees-status', REDIS_TIMEOUT_MS)
    try {
      const keys = redisKeys(settings.env)
      const [mirror, gaps, checkpoints] = await Promise.all([
        readMirrorBeat(link.redis, keys),
        link.redis.xlen(keys.gaps()),
        readCheckpoints(link.redis, keys, sources),
      ])
      const version = (await link.ready()).version
      return { url: link.shownUrl, version, mirror, gaps, checkpoints }
    } finally {
      link.close()
    }
  } catch (error) {
    return { error: messageOf(error) }
  }
}

/** The mirror publishes nothing on the bus: its heartbeat is in Redis. */
async function readMirrorBeat(redis: RedisClient, keys: RedisKeys): Promise<Heartbeat | undefined> {
  const text = await redis.get(keys.health('mirror'))
  return text === null ? undefined : parseHeartbeat(text)
}

async function readCheckpoints(
  redis: RedisClient,
  keys: RedisKeys,
  sources: readonly string[],
): Promise<RedisState['checkpoints']> {
  const found = await Promise.all(
    sources.map(async (source) => {
      const [epoch, seq] = await redis.hmget(keys.checkpoint(source), 'epoch', 'seq')
      return epoch == null || seq == null
        ? undefined
        : ([source, { epoch: Number(epoch), seq: Number(seq) }] as const)
    }),
  )
  return new Map(found.filter((entry) => entry !== undefined))
}
