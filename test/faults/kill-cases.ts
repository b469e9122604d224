/** SIGKILL of reader, publisher or both: while idle, in a burst, in the middle of a recovery, between two epochs. */

import { sleep } from '../../src/lib/core/backoff.js'
import { jitter, staged } from './fault-case.js'
import type { FaultCase } from './fault-case.js'
import type { Family, Stage } from './stage.js'
import { isBefore } from './tally.js'
import type { ControlExpectation, Outcome } from './verdict.js'

type Who = 'reader' | 'publisher' | 'both'
type When = 'idle' | 'burst' | 'recovery' | 'epoch'

const RATE = 1_000
/** Long enough to be struck in the middle; grows when the refill was over before. */
const BACKLOG = 20_000
const MOST_TRIES = 4

interface Scene {
  readonly aboutMs: number
  readonly atLeastSent: number
  readonly play: (stage: Stage, who: Who) => Promise<Outcome>
}

const SCENES: Readonly<Record<When, Scene>> = {
  idle: { aboutMs: 7_000, atLeastSent: 200, play: idle },
  burst: { aboutMs: 9_000, atLeastSent: 1_200, play: burst },
  recovery: { aboutMs: 11_000, atLeastSent: BACKLOG, play: duringRecovery },
  epoch: { aboutMs: 11_000, atLeastSent: 800, play: duringEpochChange },
}

/** Whoever is not there misses what is said; a publisher's own death need not cost anything that was heard. */
function controlOf(who: Who, when: When): ControlExpectation {
  return who === 'publisher' && when !== 'recovery' ? 'may_lose' : 'must_lose'
}

export function killCases(family: Family): FaultCase[] {
  const reader = family === 'bus' ? 'reader' : 'mirror'
  return (['reader', 'publisher', 'both'] as const).flatMap((who) =>
    (['idle', 'burst', 'recovery', 'epoch'] as const).map((when) => {
      const { play, ...scene } = SCENES[when]
      return staged(family, {
        name: `${who === 'reader' ? reader : who}-kill-${when}`,
        control: controlOf(who, when),
        ...scene,
        play: (stage) => play(stage, who),
      })
    }),
  )
}

async function kill(stage: Stage, who: Who): Promise<void> {
  await Promise.all([
    ...(who === 'publisher' ? [] : [stage.killReaders()]),
    ...(who === 'reader' ? [] : [stage.publisher.kill()]),
  ])
}

/** Publisher first, and what it says before its readers are back is missed. */
async function startAgain(stage: Stage, who: Who, missed: () => Promise<unknown>): Promise<void> {
  if (who !== 'reader') await stage.startPublisher()
  await missed()
  if (who !== 'publisher') await stage.startReaders()
}

async function idle(stage: Stage, who: Who): Promise<Outcome> {
  await stage.caughtUp()
  await sleep(300 + jitter(300))
  await kill(stage, who)
  // Nothing follows it: only a heartbeat can tell that it is missing.
  await startAgain(stage, who, () => stage.burst(200))
  return stage.finish(await stage.caughtUp())
}

async function burst(stage: Stage, who: Who): Promise<Outcome> {
  stage.rate(RATE)
  await sleep(700 + jitter(500))
  await kill(stage, who)
  await sleep(400)
  await startAgain(stage, who, () => sleep(700))
  const recoveryMs = await stage.caughtUp()
  await sleep(500)
  return stage.finish(recoveryMs)
}

async function duringRecovery(stage: Stage, who: Who): Promise<Outcome> {
  let backlog = BACKLOG
  for (let tries = 1; ; tries++, backlog *= 2) {
    await stage.caughtUp()
    await stage.killReaders()
    const before = stage.head
    await stage.burst(backlog)
    const goal = stage.head
    const starting = stage.startReaders()
    const isStruck = await isInMiddle(stage, before, goal)
    await starting
    await kill(stage, who)
    const place = await stage.ours.place()
    if (isStruck && place !== undefined && isBefore(place, goal)) break
    if (tries === MOST_TRIES) {
      stage.problems.push(`the kill missed the recovery of ${backlog} messages`)
      break
    }
    await startAgain(stage, who, () => Promise.resolve())
  }
  await sleep(200)
  await startAgain(stage, who, () => stage.burst(200))
  return stage.finish(await stage.caughtUp())
}

/** Resolves true as soon as ours has some of it, and not all. */
async function isInMiddle(
  stage: Stage,
  before: { readonly epoch: number; readonly seq: number },
  goal: { readonly epoch: number; readonly seq: number },
): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < 20_000; waitedMs += 3) {
    const place = await stage.ours.place()
    if (place !== undefined && isBefore(before, place)) return isBefore(place, goal)
    await sleep(3)
  }
  return false
}

async function duringEpochChange(stage: Stage, who: Who): Promise<Outcome> {
  stage.rate(RATE)
  await sleep(600 + jitter(400))
  await stage.publisher.kill()
  const epoch = await stage.startPublisher()
  // It has opened its epoch and said nothing in it yet.
  await kill(stage, who)
  const place = await stage.ours.place()
  const isBetween = place !== undefined && place.epoch < epoch
  if (who !== 'publisher' && !isBetween) stage.problems.push('the kill missed the change of epoch')
  if (who === 'publisher') {
    stage.rate(0)
    await stage.startPublisher()
    await stage.burst(3)
    await stage.publisher.kill()
    stage.rate(RATE)
  }
  await sleep(200)
  await startAgain(stage, who, () => sleep(700))
  const recoveryMs = await stage.caughtUp()
  await sleep(500)
  return stage.finish(recoveryMs)
}
