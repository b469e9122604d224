/**
 * Who reads under a fault: ours, or its control. Both can be started, paused and killed at once, and both leave behind
 * what arrived.
 */

import { join } from 'node:path'
import { redisKeys } from '../../src/lib/redis/keys.js'
import { readGaps, readStream } from '../lib/redis/support.js'
import { Actor } from './actor.js'
import type { Programs } from './actor.js'
import type { Harm } from './harm.js'
import { SOURCE } from './market-load.js'
import type { NaiveMirrorConfig } from './naive-mirror-child.js'
import type { NaiveReaderConfig } from './naive-reader-child.js'
import type { ReaderConfig } from './reader-child.js'
import type { RedisProcess } from './redis-process.js'
import { lastPlace, readSightings, sizeOf } from './sightings.js'
import type { Arrivals, Place } from './tally.js'
import type { TcpProxy } from './tcp-proxy.js'
import { sightingOf } from './wire.js'

export interface Side {
  readonly actors: readonly Actor[]
  readonly redis?: RedisProcess
  /** In front of its publisher, the publisher's recovery socket, its Redis; where the case has them. */
  readonly links: readonly TcpProxy[]
  start(): Promise<void>
  kill(): Promise<void>
  /** Behind everything that it has, or has told to be missing; undefined while that is nothing, or cannot be seen. */
  place(): Promise<Place | undefined>
  /** Grows with what has arrived. */
  size(): Promise<number>
  arrivals(): Promise<Arrivals>
  close(): Promise<void>
}

/** Where a side finds what it needs. */
export interface SideOptions {
  readonly programs: Programs
  readonly dir: string
  /** `ours`, `control`; its files are named so. */
  readonly name: string
  readonly url: string
  readonly recoveryUrl: string
  readonly namespace?: string | undefined
  readonly links: readonly TcpProxy[]
  readonly isOurs: boolean
}

export function readerSide(
  options: SideOptions & { readonly slowMs?: number | undefined; readonly harm?: Harm | undefined },
): Side {
  const { programs, dir, name, url, recoveryUrl, namespace, links, isOurs, slowMs, harm } = options
  const notes = join(dir, `${name}.notes`)
  const naive: NaiveReaderConfig = { url, notes, ...(slowMs === undefined ? {} : { slowMs }) }
  const config: ReaderConfig = { ...naive, recoveryUrl, harm }
  const program = isOurs ? 'reader-child' : 'naive-reader-child'
  const actor = new Actor({ programs, dir, name, program, config: isOurs ? config : naive, namespace })
  return {
    actors: [actor],
    links,
    start: async () => void (await actor.start()),
    kill: () => actor.kill(),
    place: () => Promise.resolve(lastPlace(notes)),
    size: () => Promise.resolve(sizeOf(notes)),
    arrivals: () => Promise.resolve(readSightings(notes)),
    close: () => actor.end(),
  }
}

/** Where a mirror writes. */
export const STREAM = redisKeys('sim').prices('kalshi')
const CHECKPOINT = redisKeys('sim').checkpoint(SOURCE)
/** Looking must not hang with a Redis that is paused. */
const LOOK_MS = 300

export function mirrorSide(
  options: SideOptions & {
    readonly redis: RedisProcess
    /** Where its mirrors find Redis, a proxy or itself. */
    readonly redisUrl: string
    readonly mirrors: number
    readonly resends: boolean
    readonly maxLength?: number | undefined
  },
): Side {
  const { programs, dir, name, url, recoveryUrl, namespace, links, isOurs } = options
  const { redis, redisUrl, mirrors, resends, maxLength = 2_000_000 } = options
  const naive: NaiveMirrorConfig = { url, redisUrl, stream: STREAM, resends }
  const environment = mirrorEnvironment({ url, recoveryUrl, redisUrl, dir, maxLength })
  const actors = Array.from({ length: mirrors }, (_, index) => {
    const actorName = index === 0 ? name : `${name}-${index + 1}`
    return isOurs
      ? new Actor({
          programs,
          dir,
          name: actorName,
          program: 'mirror-child',
          config: {},
          environment,
          namespace,
        })
      : new Actor({ programs, dir, name: actorName, program: 'naive-mirror-child', config: naive, namespace })
  })
  return {
    actors,
    redis,
    links,
    start: async () => void (await Promise.all(actors.map((actor) => actor.start()))),
    kill: async () => void (await Promise.all(actors.map((actor) => actor.kill()))),
    place: async () => {
      const found = await inTime(redis.look.hmget(CHECKPOINT, 'epoch', 'seq'))
      const [epoch, seq] = found ?? []
      return epoch == null || seq == null ? undefined : { epoch: Number(epoch), seq: Number(seq) }
    },
    size: async () => (await inTime(redis.look.xlen(STREAM))) ?? 0,
    arrivals: async () => {
      const messages = isOurs ? await recorded(redis) : await copied(redis)
      const gaps = (await readGaps(redis.look)).filter(({ channel }) => channel === SOURCE)
      return { messages, gaps }
    },
    close: async () => {
      await Promise.all(actors.map((actor) => actor.end()))
      await redis.kill()
    },
  }
}

/** What our mirror wrote: position by its fields, contents by its envelope. */
async function recorded(redis: RedisProcess) {
  const entries = await readStream(redis.look, STREAM)
  return entries.map(({ epoch, seq, data }) => {
    const within = sightingOf(data)
    // Fields that contradict the envelope are a message that nobody sent.
    return { epoch, seq, n: within.epoch === epoch && within.seq === seq ? within.n : -1 }
  })
}

/** The control writes envelopes alone. */
async function copied(redis: RedisProcess) {
  const entries = await redis.look.xrange(STREAM, '-', '+')
  return entries.map(([, fields]) => sightingOf(fields[fields.indexOf('data') + 1] ?? ''))
}

async function inTime<T>(promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((done) => {
    timer = setTimeout(() => done(undefined), LOOK_MS)
  })
  try {
    return await Promise.race([promise.catch(() => undefined), late])
  } finally {
    clearTimeout(timer)
  }
}

function mirrorEnvironment(where: {
  readonly url: string
  readonly recoveryUrl: string
  readonly redisUrl: string
  readonly dir: string
  readonly maxLength: number
}): Record<string, string> {
  // Nobody is there: a publisher of this machine must not be heard.
  const nowhere = 'tcp://127.0.0.1:9'
  return {
    ARBEES_ENV: 'sim',
    ARBEES_DATA_DIR: where.dir,
    ARBEES_LOG_LEVEL: 'warn',
    ARBEES_REDIS_URL: where.redisUrl,
    ARBEES_ENDPOINTS__KALSHI: where.url,
    ARBEES_RECOVERY__KALSHI: where.recoveryUrl,
    ARBEES_ENDPOINTS__POLY: nowhere,
    ARBEES_ENDPOINTS__ORCHESTRATOR: nowhere,
    ARBEES_ENDPOINTS__SHARDS: nowhere,
    ARBEES_ENDPOINTS__EXEC: nowhere,
    ARBEES_MIRROR__PRICES_MAXLEN: String(where.maxLength),
  }
}
