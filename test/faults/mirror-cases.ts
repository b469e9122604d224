/** What only the mirror meets: deaths in a row, a second mirror, everything at once, a clock that is set back. */

import { sleep } from '../../src/lib/core/backoff.js'
import { readStream } from '../lib/redis/support.js'
import { staged } from './fault-case.js'
import type { FaultCase } from './fault-case.js'
import { STREAM } from './side.js'
import type { Stage } from './stage.js'
import type { Outcome } from './verdict.js'

const RATE = 1_000
const DEATHS = 8
const HOUR_MS = 3_600_000

export const mirrorCases = (): FaultCase[] => [
  staged('mirror', {
    name: 'mirror-kill-2s',
    aboutMs: 9_000,
    control: 'must_lose',
    atLeastSent: 3_000,
    play: deadFor2s,
  }),
  staged('mirror', {
    name: 'mirror-kill-8-times-in-4s',
    aboutMs: 11_000,
    control: 'must_lose',
    atLeastSent: 3_000,
    play: killedInARow,
  }),
  staged('mirror', {
    name: 'two-mirrors',
    aboutMs: 8_000,
    control: 'must_lose',
    atLeastSent: 1_000,
    stage: { mirrors: 2 },
    play: twoMirrors,
  }),
  staged('mirror', {
    name: 'all-kill',
    aboutMs: 11_000,
    control: 'must_lose',
    atLeastSent: 1_000,
    stage: { appendSync: 'everysec' },
    play: allKilled,
  }),
  staged('mirror', {
    name: 'clock-set-back',
    aboutMs: 11_000,
    control: 'must_lose',
    atLeastSent: 2_000,
    play: clockSetBack,
  }),
]

async function deadFor2s(stage: Stage): Promise<Outcome> {
  stage.rate(RATE)
  await sleep(800)
  await stage.killReaders()
  await sleep(2_000)
  await stage.startReaders()
  return on(stage)
}

/** Faster than it starts on a busy machine: some deaths meet it before it is ready. */
async function killedInARow(stage: Stage): Promise<Outcome> {
  stage.rate(RATE)
  for (let death = 0; death < DEATHS; death++) {
    const cycle = sleep(4_000 / DEATHS)
    await stage.killReaders()
    const starting = stage.startReaders().catch(() => undefined)
    await cycle
    if (death < DEATHS - 1) continue
    await starting
  }
  return on(stage)
}

/** Both from the start; one of each pair is killed on the way and comes back. */
async function twoMirrors(stage: Stage): Promise<Outcome> {
  const seconds = stage.sides.flatMap(({ actors }) => actors.slice(1))
  stage.rate(RATE)
  await sleep(1_000)
  await Promise.all(seconds.map((actor) => actor.kill()))
  await sleep(500)
  await Promise.all(seconds.map((actor) => actor.start()))
  return on(stage)
}

async function allKilled(stage: Stage): Promise<Outcome> {
  stage.rate(RATE)
  await sleep(1_000)
  const redis = stage.sides.flatMap((side) => side.redis ?? [])
  await Promise.all([stage.killReaders(), stage.publisher.kill(), ...redis.map((each) => each.kill())])
  await Promise.all(redis.map((each) => each.start()))
  await stage.startPublisher()
  await sleep(600)
  await stage.startReaders()
  return on(stage)
}

/** An hour, then one more, while nobody mirrors: epochs must go on rising, and so must what the messages call now. */
async function clockSetBack(stage: Stage): Promise<Outcome> {
  stage.rate(RATE)
  await sleep(800)
  const epochs = [stage.head.epoch]
  for (const hours of [1, 2]) {
    await stage.killReaders()
    await stage.publisher.kill()
    epochs.push(await stage.startPublisher({ clockOffsetMs: -hours * HOUR_MS }))
    await sleep(600)
    await stage.startReaders()
    await sleep(300)
  }
  const outcome = await on(stage)
  const fallen = fallsIn(epochs) + fallsIn(await timestamps(stage))
  const problems = fallen === 0 ? [] : [`${fallen} epochs or timestamps before the one before them`]
  return { ...outcome, problems: [...outcome.problems, ...problems], details: { epochs } }
}

async function timestamps(stage: Stage): Promise<readonly number[]> {
  const { redis } = stage.ours
  if (redis === undefined) return []
  const entries = await readStream(redis.look, STREAM)
  return entries.map(({ data }) => (JSON.parse(data.toString()) as { timestamp_ms: number }).timestamp_ms)
}

const fallsIn = (values: readonly number[]): number =>
  values.filter((value, index) => value < (values[index - 1] ?? 0)).length

async function on(stage: Stage): Promise<Outcome> {
  const recoveryMs = await stage.caughtUp()
  await sleep(500)
  return stage.finish(recoveryMs)
}
