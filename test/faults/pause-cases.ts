/** SIGSTOP, a wire that is cut or misbehaves: nobody dies, and nobody is told. */

import { sleep } from '../../src/lib/core/backoff.js'
import { staged } from './fault-case.js'
import type { FaultCase } from './fault-case.js'
import type { Family, Stage } from './stage.js'
import type { Outcome } from './verdict.js'

const RATE = 1_000
/** In 30 s more than a publisher keeps for a subscriber that does not read. */
const FAST = 5_000
/** Before and after a pause of the publisher. */
const AROUND_PAUSE = 1_500

export function pauseCases(family: Family): FaultCase[] {
  const reader = family === 'bus' ? 'reader' : 'mirror'
  return [1, 5, 30].flatMap((seconds) => {
    const aboutMs = 7_000 + seconds * 1_000
    const perSecond = seconds === 30 || (seconds === 5 && family === 'mirror') ? FAST : RATE
    const readerCase = staged(family, {
      name: `${reader}-stop-${seconds}s`,
      aboutMs: perSecond === FAST ? aboutMs + seconds * 500 : aboutMs,
      control: seconds === 30 ? 'must_lose' : 'may_lose',
      atLeastSent: perSecond * seconds,
      play: (stage) => pauseOfReaders(stage, perSecond, seconds * 1_000),
    })
    const publisherCase = staged(family, {
      name: `publisher-stop-${seconds}s`,
      aboutMs,
      control: 'may_lose',
      atLeastSent: AROUND_PAUSE,
      play: (stage) => pauseOfPublisher(stage, seconds * 1_000),
    })
    return family === 'bus' ? [readerCase, publisherCase] : [readerCase]
  })
}

async function pauseOfReaders(stage: Stage, perSecond: number, ms: number): Promise<Outcome> {
  stage.rate(perSecond)
  await sleep(800)
  stage.pauseReaders()
  const before = stage.sent.length
  await sleep(ms)
  // On a busy machine it published less than that rate.
  const missing = (perSecond * ms) / 1_000 - (stage.sent.length - before)
  if (missing > 0) await stage.burst(missing)
  stage.resumeReaders()
  // Whether it keeps up with what overran it is the machine's; what it missed must come anyway.
  stage.rate(RATE)
  const recoveryMs = await stage.caughtUp()
  await sleep(300)
  return stage.finish(recoveryMs)
}

async function pauseOfPublisher(stage: Stage, ms: number): Promise<Outcome> {
  stage.rate(RATE)
  await sleep(800)
  stage.publisher.pause()
  await sleep(ms)
  stage.publisher.resume()
  const recoveryMs = await stage.caughtUp()
  await stage.sentAtLeast(AROUND_PAUSE)
  return stage.finish(recoveryMs)
}

/** Places of a side's proxies. */
const PUB_LINK = 0
const RECOVERY_LINK = 1

export function linkCases(family: Family): FaultCase[] {
  return [
    staged(family, {
      name: 'partition-5s',
      aboutMs: 14_000,
      control: 'may_lose',
      atLeastSent: 5_000,
      stage: { network: true },
      play: partition,
    }),
    staged(family, {
      name: 'link-cut-mid-frame',
      aboutMs: 9_000,
      control: 'must_lose',
      atLeastSent: 2_000,
      stage: { proxied: true },
      play: cuts,
    }),
    staged(family, {
      name: 'link-blackhole-3s',
      aboutMs: 10_000,
      control: 'must_lose',
      atLeastSent: 3_000,
      stage: { proxied: true },
      play: blackhole,
    }),
    staged(family, {
      name: 'recovery-replies-swallowed',
      aboutMs: 12_000,
      control: 'must_lose',
      atLeastSent: 2_000,
      stage: { proxied: true },
      play: swallowedReplies,
    }),
    staged(family, {
      name: 'link-delay-50ms',
      aboutMs: 8_000,
      control: 'may_lose',
      atLeastSent: 1_000,
      stage: { proxied: true },
      play: delay,
    }),
  ]
}

async function partition(stage: Stage): Promise<Outcome> {
  stage.rate(RATE)
  await sleep(1_000)
  stage.network?.cut()
  await sleep(5_000)
  stage.network?.heal()
  const recoveryMs = await stage.caughtUp()
  await sleep(1_000)
  return stage.finish(recoveryMs)
}

async function cuts(stage: Stage): Promise<Outcome> {
  stage.rate(RATE)
  for (let i = 0; i < 6; i++) {
    await sleep(400)
    for (const { links } of stage.sides) for (const link of links.slice(0, 2)) link.cutMidFrame()
  }
  const recoveryMs = await stage.caughtUp()
  await sleep(500)
  return stage.finish(recoveryMs)
}

async function blackhole(stage: Stage): Promise<Outcome> {
  stage.rate(RATE)
  await sleep(800)
  for (const { links } of stage.sides) for (const link of links.slice(0, 2)) link.blackhole()
  await sleep(3_000)
  for (const { links } of stage.sides) for (const link of links) link.heal()
  const recoveryMs = await stage.caughtUp()
  await sleep(500)
  return stage.finish(recoveryMs)
}

async function swallowedReplies(stage: Stage): Promise<Outcome> {
  await stage.killReaders()
  await stage.burst(2_000)
  const link = stage.ours.links[RECOVERY_LINK]
  link?.swallowReplies()
  await stage.startReaders()
  await sleep(2_500)
  if ((link?.swallowed ?? 0) === 0) stage.problems.push('no reply was swallowed')
  link?.heal()
  return stage.finish(await stage.caughtUp())
}

async function delay(stage: Stage): Promise<Outcome> {
  for (const { links } of stage.sides) for (const link of links) link.delay(50)
  stage.rate(RATE)
  await sleep(1_000)
  for (const { links } of stage.sides) links[PUB_LINK]?.cutMidFrame()
  await sleep(1_000)
  stage.rate(0)
  return stage.finish(await stage.caughtUp())
}
