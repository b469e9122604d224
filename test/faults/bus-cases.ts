/** What only readers of the bus meet: a slow one beside quick ones, and a thousand that come late. */

import { sleep } from '../../src/lib/core/backoff.js'
import { Actor } from './actor.js'
import { Book } from './book.js'
import { staged } from './fault-case.js'
import type { FaultCase } from './fault-case.js'
import type { JoinerConfig, Joined } from './joiner-child.js'
import { marketIndexOf, marketOf } from './market-load.js'
import type { NaiveJoinerConfig } from './naive-joiner-child.js'
import { readerSide } from './side.js'
import type { Stage } from './stage.js'
import { isBefore, tally } from './tally.js'
import type { Sighting } from './tally.js'
import type { Outcome } from './verdict.js'

const SLOW_MS = 10
const FOR_SLOW_ONE = 4_000
/** It needs ten times as long as it took to publish. */
const SLOW_PATIENCE_MS = 240_000
/** Of what the slow one is behind: more would mean that it holds the others up. */
const MOST_BEHIND_SHARE = 0.1
const JOINERS = 1_000
const AT_ONCE = 20
/** Each looks as soon as it is LIVE, and some hundred messages later. */
const LOOKS = 2
/** All of them: half a minute on a quiet machine. */
const JOINED_MS = 600_000
const MARKETS = 400
const BURST_RATE = 2_000

export const busCases = (): FaultCase[] => [
  staged('bus', {
    name: 'slow-reader',
    aboutMs: 60_000,
    control: 'may_lose',
    atLeastSent: FOR_SLOW_ONE,
    stage: { slowMs: SLOW_MS },
    play: slowReader,
  }),
  staged('bus', {
    name: 'late-joiners-1000',
    aboutMs: 40_000,
    control: 'must_lose',
    atLeastSent: 5_000,
    stage: { markets: MARKETS },
    play: lateJoiners,
  }),
]

/** Ours and the control take 10 ms over each message; a third reader, ours, takes none and must not feel it. */
async function slowReader(stage: Stage): Promise<Outcome> {
  const quick = readerSide({
    ...stage.sideOptions,
    name: 'quick',
    isOurs: true,
    links: [],
  })
  stage.extras.push(quick)
  await quick.start()
  stage.rate(1_000)
  let mostBehindMs = 0
  while (stage.sent.length < FOR_SLOW_ONE) {
    await sleep(100)
    mostBehindMs = Math.max(mostBehindMs, (await stage.caughtUp(quick, 5_000)) ?? Infinity)
  }
  const slow = await stage.ours.place()
  if (slow === undefined || !isBefore(slow, stage.head)) stage.problems.push('the slow reader was not slow')
  stage.rate(0)
  await stage.caughtUp(quick)
  const others = tally(stage.sent, await quick.arrivals())
  const unhurt = others.lost + others.duplicated + others.outOfOrder + others.foreign + others.gapped === 0
  if (!unhurt || others.received !== others.sent) stage.problems.push('the quick reader was hurt')
  const slowBehindMs = await stage.caughtUp(stage.ours, SLOW_PATIENCE_MS)
  if (mostBehindMs > (slowBehindMs ?? 0) * MOST_BEHIND_SHARE) {
    stage.problems.push(`the quick reader was ${mostBehindMs} ms behind, the slow one ${slowBehindMs} ms`)
  }
  const { received, lost, duplicated, outOfOrder } = others
  const told = { received, lost, duplicated, out_of_order: outOfOrder, most_behind_ms: mostBehindMs }
  return stage.finish(slowBehindMs, { others: told })
}

/** Each must have, when it calls itself LIVE, exactly the book that the publisher had at that place; and 300 later. */
async function lateJoiners(stage: Stage): Promise<Outcome> {
  await stage.burst(MARKETS)
  stage.rate(BURST_RATE)
  const where: JoinerConfig = {
    url: stage.url,
    recoveryUrl: stage.recoveryUrl,
    count: JOINERS / 2,
    atOnce: AT_ONCE / 2,
  }
  const naive: NaiveJoinerConfig = { ...where, count: 50, markets: MARKETS }
  const [ours, others, control] = await Promise.all([
    joined(stage, 'joiner-child', 'joiners-1', where),
    joined(stage, 'joiner-child', 'joiners-2', where),
    joined(stage, 'naive-joiner-child', 'joiners-naive', naive),
  ])
  const all = [...ours, ...others]
  stage.rate(0)
  const outcome = await stage.finish(0)
  const digests = digestsOf(stage.sent, [...all, ...control].flat())
  const isRight = ({ epoch, seq, digest }: Joined) => digests.get(`${epoch}/${seq}`) === digest
  const looks = all.flat()
  const unfinished = all.filter((each) => each.length !== LOOKS).length
  const wrong = all.filter((each) => !each.every(isRight)).length
  const repeated = looks.reduce((sum, each) => sum + each.repeated, 0)
  const gaps = looks.reduce((sum, each) => sum + each.gaps, 0)
  const joinMs = all.flatMap(([first]) => (first === undefined ? [] : [first.joinMs])).sort((a, b) => a - b)
  const at = (share: number) => Math.round(joinMs[Math.floor((joinMs.length - 1) * share)] ?? 0)
  const problems = [...outcome.problems]
  if (all.length !== JOINERS) problems.push(`${all.length} came instead of ${JOINERS}`)
  if (unfinished > 0) problems.push(`${unfinished} joiners were not LIVE, or did not go on, in time`)
  if (wrong > 0) problems.push(`${wrong} joiners had another book than the publisher`)
  if (gaps > 0) problems.push(`${gaps} gaps were told to joiners`)
  const wrongControls = control.filter((each) => !each.some(isRight)).length
  return {
    ...outcome,
    // Beside the stage's own reader: a joiner that lost is one whose book is not the publisher's.
    ours: {
      ...outcome.ours,
      lost: outcome.ours.lost + wrong,
      duplicated: outcome.ours.duplicated + repeated,
    },
    control: { ...outcome.control, received: control.length, lost: wrongControls },
    problems,
    details: {
      joiners: all.length,
      equal: all.length - wrong,
      unfinished,
      join_p50_ms: at(0.5),
      join_p99_ms: at(0.99),
    },
  }
}

/** Runs a process full of joiners; what each of them saw. */
async function joined(
  stage: Stage,
  program: string,
  name: string,
  config: object,
): Promise<(readonly Joined[])[]> {
  const { dir, round } = stage
  const actor = new Actor({ programs: round.programs, dir, name, program, config })
  stage.extras.push({ close: () => actor.end() })
  const found: (readonly Joined[])[] = []
  actor.on('joined', ({ looks }) => found.push(looks as readonly Joined[]))
  await actor.start()
  await actor.next('all', JOINED_MS)
  return found
}

/** The publisher's own book at each place that somebody looked at. */
function digestsOf(sent: readonly Sighting[], looks: readonly Joined[]): Map<string, string> {
  const wanted = new Set(looks.map(({ epoch, seq }) => `${epoch}/${seq}`))
  const digests = new Map<string, string>()
  const book = new Book()
  for (const { epoch, seq, n } of sent) {
    book.apply(marketOf(marketIndexOf(n, MARKETS)), n)
    const place = `${epoch}/${seq}`
    if (wanted.has(place)) digests.set(place, book.digest)
  }
  return digests
}
