/** Redis dies, forgets, stands still, is full, or is not the primary any more. */

import { sleep } from '../../src/lib/core/backoff.js'
import { staged } from './fault-case.js'
import type { FaultCase } from './fault-case.js'
import { RedisProcess } from './redis-process.js'
import { STREAM, readerSide } from './side.js'
import type { Stage } from './stage.js'
import { hopProblems } from './verdict.js'
import type { Hops, Outcome } from './verdict.js'

const RATE = 1_000
/** In a minute more than a publisher keeps for a subscriber that does not read. */
const OUTAGE_RATE = 2_500
const MINUTE_MS = 60_000
/** Place of the proxy in front of Redis, and the port of the Redis that takes over. */
const REDIS_LINK = 2
const FIRST_SPARE_PORT = 6479

const redisOf = (stage: Stage) => stage.sides.flatMap(({ redis }) => (redis === undefined ? [] : [redis]))

export const redisCases = (): FaultCase[] => [
  ...(['always', 'everysec', 'none'] as const).map((appendSync) =>
    staged('mirror', {
      name: `redis-kill-aof-${appendSync}`,
      aboutMs: 10_000,
      control: 'must_lose',
      atLeastSent: 1_500,
      stage: { appendSync },
      play: killed,
    }),
  ),
  staged('mirror', {
    name: 'redis-flushall',
    aboutMs: 8_000,
    control: 'must_lose',
    atLeastSent: 1_000,
    play: flushed,
  }),
  staged('mirror', {
    name: 'redis-old-rdb-restored',
    aboutMs: 10_000,
    control: 'must_lose',
    atLeastSent: 2_000,
    play: restored,
  }),
  staged('mirror', {
    name: 'redis-stop-3s',
    aboutMs: 10_000,
    control: 'may_lose',
    atLeastSent: 2_000,
    play: (stage) => stopped(stage, 3_000),
  }),
  staged('mirror', {
    name: 'redis-stop-60s',
    aboutMs: 150_000,
    alone: true,
    control: 'must_lose',
    atLeastSent: OUTAGE_RATE * 100,
    play: stoppedForAMinute,
  }),
  staged('mirror', {
    name: 'redis-out-of-memory',
    aboutMs: 10_000,
    control: 'must_lose',
    atLeastSent: 2_000,
    play: outOfMemory,
  }),
  staged('mirror', {
    name: 'redis-wrong-type',
    aboutMs: 10_000,
    control: 'must_lose',
    atLeastSent: 2_000,
    play: wrongType,
  }),
  staged('mirror', {
    name: 'redis-failover-read-only',
    aboutMs: 12_000,
    control: 'must_lose',
    atLeastSent: 2_000,
    stage: { proxied: true },
    play: failedOver,
  }),
  staged('mirror', {
    name: 'redis-replies-swallowed',
    aboutMs: 11_000,
    control: 'must_lose',
    atLeastSent: 2_000,
    stage: { proxied: true, resends: true },
    play: repliesSwallowed,
  }),
]

/** What its file has not is written again from the journal: without a file, everything. */
async function killed(stage: Stage): Promise<Outcome> {
  stage.rate(RATE)
  await sleep(800)
  await Promise.all(redisOf(stage).map((redis) => redis.kill()))
  await sleep(1_000)
  await Promise.all(redisOf(stage).map((redis) => redis.start()))
  return caughtUpAndOn(stage)
}

async function flushed(stage: Stage): Promise<Outcome> {
  stage.rate(RATE)
  await sleep(1_000)
  await Promise.all(redisOf(stage).map((redis) => redis.look.flushall()))
  return caughtUpAndOn(stage)
}

async function restored(stage: Stage): Promise<Outcome> {
  const servers = redisOf(stage)
  stage.rate(RATE)
  await sleep(600)
  await Promise.all(servers.map((redis) => redis.backUp()))
  await sleep(1_000)
  await Promise.all(servers.map((redis) => redis.kill()))
  for (const redis of servers) redis.restore()
  await Promise.all(servers.map((redis) => redis.start()))
  return caughtUpAndOn(stage)
}

async function stopped(stage: Stage, ms: number): Promise<Outcome> {
  stage.rate(RATE)
  await sleep(800)
  for (const redis of redisOf(stage)) redis.pause()
  await sleep(ms)
  for (const redis of redisOf(stage)) redis.resume()
  return caughtUpAndOn(stage)
}

/** A reader of the bus beside it: what a hop costs while Redis is there, and while it is not. */
async function stoppedForAMinute(stage: Stage): Promise<Outcome> {
  const reader = readerSide({ ...stage.sideOptions, name: 'reader', isOurs: true, links: [] })
  stage.extras.push(reader)
  await reader.start()
  const hops = async (): Promise<Hops> => {
    const [actor] = reader.actors
    const told = actor?.next('hops', 10_000)
    actor?.tell({ op: 'hops' })
    const { p50_us, p99_us, n } = { ...(await told) }
    return { p50_us: Number(p50_us), p99_us: Number(p99_us), n: Number(n) }
  }
  stage.rate(OUTAGE_RATE)
  await sleep(3_000)
  await hops()
  await sleep(MINUTE_MS)
  const hopBefore = await hops()
  for (const redis of redisOf(stage)) redis.pause()
  await sleep(MINUTE_MS)
  const hopDuring = await hops()
  for (const redis of redisOf(stage)) redis.resume()
  const details = { hop_before: hopBefore, hop_during: hopDuring }
  const outcome = await stage.finish(await stage.caughtUp(), details)
  return { ...outcome, problems: [...outcome.problems, ...hopProblems(hopBefore, hopDuring)] }
}

async function outOfMemory(stage: Stage): Promise<Outcome> {
  const servers = redisOf(stage)
  const limit = (bytes: number) =>
    Promise.all(servers.map((redis) => redis.look.config('SET', 'maxmemory', String(bytes))))
  stage.rate(RATE)
  await sleep(800)
  await limit(1)
  await sleep(2_000)
  await limit(0)
  return caughtUpAndOn(stage, 'OOM')
}

/** The stream is put aside, and where it was is a string. */
async function wrongType(stage: Stage): Promise<Outcome> {
  const servers = redisOf(stage)
  const aside = `${STREAM}:aside`
  stage.rate(RATE)
  await sleep(800)
  await Promise.all(
    servers.map(({ look }) => look.multi().rename(STREAM, aside).set(STREAM, 'not a stream').exec()),
  )
  await sleep(2_000)
  await Promise.all(servers.map(({ look }) => look.multi().del(STREAM).rename(aside, STREAM).exec()))
  return caughtUpAndOn(stage, 'WRONGTYPE')
}

/**
 * The replica takes over a little before the primary steps down: what the primary wrote meanwhile is gone. The mirror
 * goes on talking to the old one, which is read-only now, until the address moves.
 */
async function failedOver(stage: Stage): Promise<Outcome> {
  const pairs = redisOf(stage).map((primary, index) => {
    const { host } = primary
    const spare = new RedisProcess({
      name: `${primary.name}-spare`,
      dir: stage.dir,
      host,
      port: FIRST_SPARE_PORT + index,
    })
    stage.extras.push({ close: () => spare.kill() })
    return { primary, spare }
  })
  await Promise.all(pairs.map(({ spare, primary }) => spare.start().then(() => spare.follow(primary))))
  stage.rate(RATE)
  await sleep(1_000)
  await Promise.all(pairs.map(({ spare }) => spare.takeOver()))
  await sleep(200)
  await Promise.all(pairs.map(({ primary, spare }) => primary.follow(spare)))
  await sleep(1_500)
  for (const [index, { links }] of stage.sides.entries()) {
    const spare = pairs[index]?.spare
    if (spare !== undefined) links[REDIS_LINK]?.moveTo({ host: spare.host, port: spare.port })
  }
  return caughtUpAndOn(stage, 'READONLY')
}

/** What Redis did is not heard of. Three times, then the connection is cut. */
async function repliesSwallowed(stage: Stage): Promise<Outcome> {
  const links = stage.sides.flatMap((side) => side.links[REDIS_LINK] ?? [])
  stage.rate(RATE)
  for (let i = 0; i < 3; i++) {
    await sleep(600)
    for (const link of links) link.swallowReplies()
    await sleep(300)
    for (const link of links) link.heal()
  }
  if (links.some(({ swallowed }) => swallowed === 0)) stage.problems.push('no reply was swallowed')
  return caughtUpAndOn(stage)
}

/** `alarm`: what ours must have said of it, in one line. */
async function caughtUpAndOn(stage: Stage, alarm?: string): Promise<Outcome> {
  const recoveryMs = await stage.caughtUp()
  await sleep(500)
  const outcome = await stage.finish(recoveryMs)
  if (alarm === undefined) return outcome
  const said = stage.ours.actors.flatMap((actor) => actor.said)
  const alarms = said.filter((line) => isError(line) && line.includes(alarm))
  const problems = alarms.length === 1 ? [] : [`${alarms.length} alarms that say ${alarm}, not one`]
  return { ...outcome, problems: [...outcome.problems, ...problems], details: { alarms: alarms.length } }
}

/** Of a log in JSON. */
const isError = (line: string): boolean => /"level":(50|60)\b/.test(line)
