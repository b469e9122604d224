/** What only the mirror meets: Redis that dies, forgets, stands still or does not answer, and a second mirror. */

import { sleep } from '../../src/lib/core/backoff.js'
import { staged } from './fault-case.js'
import type { FaultCase } from './fault-case.js'
import type { Stage } from './stage.js'
import type { Outcome } from './verdict.js'

const RATE = 1_000
/** Place of the proxy in front of Redis. */
const REDIS_LINK = 2

const redisOf = (stage: Stage) => stage.sides.flatMap(({ redis }) => (redis === undefined ? [] : [redis]))

export const mirrorCases = (): FaultCase[] => [
  staged('mirror', {
    name: 'redis-kill',
    aboutMs: 10_000,
    control: 'must_lose',
    atLeastSent: 1_500,
    play: (stage) => redisKilled(stage),
  }),
  staged('mirror', {
    name: 'redis-emptied',
    aboutMs: 8_000,
    control: 'must_lose',
    atLeastSent: 1_000,
    play: (stage) => redisEmptied(stage),
  }),
  staged('mirror', {
    name: 'redis-stop-3s',
    aboutMs: 10_000,
    control: 'may_lose',
    atLeastSent: 2_000,
    play: (stage) => redisStopped(stage),
  }),
  staged('mirror', {
    name: 'redis-replies-swallowed',
    aboutMs: 11_000,
    control: 'must_lose',
    atLeastSent: 2_000,
    stage: { proxied: true, resends: true },
    play: (stage) => repliesSwallowed(stage),
  }),
  staged('mirror', {
    name: 'two-mirrors',
    aboutMs: 8_000,
    control: 'must_lose',
    atLeastSent: 1_000,
    stage: { mirrors: 2 },
    play: (stage) => twoMirrors(stage),
  }),
  staged('mirror', {
    name: 'all-kill',
    aboutMs: 11_000,
    control: 'must_lose',
    atLeastSent: 1_000,
    play: (stage) => allKilled(stage),
  }),
]

/** It comes back empty: everything that the journal has is written again. */
async function redisKilled(stage: Stage): Promise<Outcome> {
  stage.rate(RATE)
  await sleep(800)
  await Promise.all(redisOf(stage).map((redis) => redis.kill()))
  await sleep(1_000)
  await Promise.all(redisOf(stage).map((redis) => redis.start()))
  const recoveryMs = await stage.caughtUp()
  await sleep(500)
  return stage.finish(recoveryMs)
}

async function redisEmptied(stage: Stage): Promise<Outcome> {
  stage.rate(RATE)
  await sleep(1_000)
  await Promise.all(redisOf(stage).map((redis) => redis.look.flushall()))
  const recoveryMs = await stage.caughtUp()
  await sleep(500)
  return stage.finish(recoveryMs)
}

async function redisStopped(stage: Stage): Promise<Outcome> {
  stage.rate(RATE)
  await sleep(800)
  for (const redis of redisOf(stage)) redis.pause()
  await sleep(3_000)
  for (const redis of redisOf(stage)) redis.resume()
  const recoveryMs = await stage.caughtUp()
  await sleep(500)
  return stage.finish(recoveryMs)
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
  const recoveryMs = await stage.caughtUp()
  await sleep(500)
  return stage.finish(recoveryMs)
}

/** Both from the start; one of each pair is killed on the way and comes back. */
async function twoMirrors(stage: Stage): Promise<Outcome> {
  const seconds = stage.sides.flatMap(({ actors }) => actors.slice(1))
  stage.rate(RATE)
  await sleep(1_000)
  await Promise.all(seconds.map((actor) => actor.kill()))
  await sleep(500)
  await Promise.all(seconds.map((actor) => actor.start()))
  const recoveryMs = await stage.caughtUp()
  await sleep(700)
  return stage.finish(recoveryMs)
}

async function allKilled(stage: Stage): Promise<Outcome> {
  stage.rate(RATE)
  await sleep(1_000)
  const redis = redisOf(stage)
  await Promise.all([stage.killReaders(), stage.publisher.kill(), ...redis.map((each) => each.kill())])
  await Promise.all(redis.map((each) => each.start()))
  await stage.startPublisher()
  await sleep(600)
  await stage.startReaders()
  const recoveryMs = await stage.caughtUp()
  await sleep(500)
  return stage.finish(recoveryMs)
}
