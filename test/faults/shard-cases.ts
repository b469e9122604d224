/**
 * Games that go from one shard to another while quotes come and opportunities open and close: nothing is signaled
 * twice, nothing by whose shard it is not, and nothing is missed but while nobody could trade. The control hands games
 * over the moment that it is said, as shards do that have no lease and no look at what is there already.
 */

import { sleep } from '../../src/lib/core/backoff.js'
import type { FaultCase } from './fault-case.js'
import { ShardStage } from './shard-stage.js'
import type { Fleet } from './shard-stage.js'
import { outageOf, tallyShards } from './shard-tally.js'
import type { Outage, Played } from './shard-tally.js'
import type { ControlExpectation, Outcome } from './verdict.js'

/** The shard that meets the fault. */
const STRUCK = 1
/** From the orchestrator's first word until games are traded, and a hold is over that began before. */
const SETTLE_MS = 6_500
/** A shard that is back is believed after 5 s, and its games come 3 s later. */
const BACK_MS = 8_500
/** Behind the last change, long enough that a second signal would show. */
const CALM_MS = 3_000
/** Of a silent shard: 4 s until it is dead, 3 s until its games are another's. */
const DEAD_MS = 7_500
/** A shard without the orchestrator's word decides for less than this. */
const LEASE_MS = 2_500

type Seen = Pick<Played, 'words' | 'isNaive'>

interface Play {
  readonly name: string
  readonly aboutMs: number
  readonly control: ControlExpectation
  /** Games that must have gone from one shard to another, of 8. */
  readonly moves: number
  /** Shards that are there from the beginning. */
  readonly begin?: readonly number[]
  /** Says when it struck, and while whom nobody could trade. */
  readonly play: (stage: ShardStage) => Promise<(seen: Seen) => readonly Outage[]>
}

export const shardCases = (): FaultCase[] => PLAYS.map(caseOf)

const restart = (index: number) => async (fleet: Fleet) => {
  await fleet.shards[index]?.start()
}

const PLAYS: readonly Play[] = [
  {
    name: 'move-under-load',
    aboutMs: 26_000,
    control: 'must_lose',
    moves: 1,
    begin: [0],
    play: async (stage) => {
      await stage.both(restart(STRUCK))
      await sleep(BACK_MS)
      return () => []
    },
  },
  {
    name: 'kill-and-back',
    aboutMs: 32_000,
    control: 'must_lose',
    moves: 2,
    play: async (stage) => {
      const fromMs = Date.now()
      await stage.both((fleet) => fleet.shards[STRUCK]?.kill())
      await sleep(DEAD_MS)
      await stage.both(restart(STRUCK))
      await sleep(BACK_MS)
      return (seen) => [outageOf(seen, { shard: STRUCK, fromMs, backMs: Infinity })]
    },
  },
  {
    name: 'kill-and-restart-at-once-twice',
    aboutMs: 24_000,
    control: 'must_lose',
    moves: 0,
    play: async (stage) => {
      const spans: { readonly fromMs: number; readonly backMs: number }[] = []
      for (let life = 0; life < 2; life++) {
        const fromMs = Date.now()
        await stage.both((fleet) => fleet.shards[STRUCK]?.kill())
        await stage.both(restart(STRUCK))
        // Its books and games come with the first heartbeats.
        spans.push({ fromMs, backMs: Date.now() + 1_000 })
        await sleep(2 * CALM_MS)
      }
      return (seen) => spans.map((span) => outageOf(seen, { shard: STRUCK, ...span }))
    },
  },
  {
    name: 'pause-6s',
    aboutMs: 30_000,
    control: 'must_lose',
    moves: 2,
    play: async (stage) => {
      const fromMs = Date.now()
      await stage.both((fleet) => fleet.shards[STRUCK]?.pause())
      await sleep(6_000)
      await stage.both((fleet) => fleet.shards[STRUCK]?.resume())
      await sleep(1_000 + BACK_MS)
      return (seen) => [outageOf(seen, { shard: STRUCK, fromMs, backMs: Infinity })]
    },
  },
  {
    name: 'orchestrator-kill',
    aboutMs: 30_000,
    control: 'may_lose',
    moves: 0,
    play: async (stage) => {
      const killedMs = Date.now()
      await stage.both((fleet) => fleet.games.kill())
      await sleep(1_000)
      await stage.both((fleet) => fleet.games.start().then(() => undefined))
      await sleep(2 * SETTLE_MS)
      // What was known holds as long as the last word; what is known again begins with the first of the new life.
      return ({ words, isNaive }) => {
        const again = words.filter(({ atMs }) => atMs > killedMs).map(({ handover }) => handover?.atMs ?? 0)
        const fromMs = killedMs + LEASE_MS - 500
        return isNaive ? [] : [{ shard: 'all', fromMs, untilMs: Math.max(fromMs, ...again) }]
      }
    },
  },
]

const caseOf = ({ name, aboutMs, control, moves, begin = [0, STRUCK], play }: Play): FaultCase => ({
  name: `shard/${name}`,
  family: 'shard',
  aboutMs,
  alone: true,
  expected: { control, atLeastSent: 12, gapped: 0 },
  run: async (round) => {
    const stage = await ShardStage.set(round)
    try {
      await stage.both((fleet) => fleet.games.start())
      await stage.both((fleet) => Promise.all(begin.map((index) => restart(index)(fleet))))
      await sleep(begin.length === 1 ? SETTLE_MS + 4_500 : SETTLE_MS)
      const fromMs = Date.now()
      const outages = await play(stage)
      await sleep(CALM_MS)
      const untilMs = Date.now()
      await stage.end()
      return outcomeOf(stage, { fromMs: fromMs - 2_000, untilMs, outages, moves })
    } finally {
      await stage.end()
      stage.close()
    }
  },
})

interface Span {
  readonly fromMs: number
  readonly untilMs: number
  readonly outages: (seen: Seen) => readonly Outage[]
  readonly moves: number
}

function outcomeOf(stage: ShardStage, { fromMs, untilMs, outages, moves }: Span): Outcome {
  const tallied = [stage.ours, stage.control].map((fleet) => {
    const seen = stage.seen(fleet)
    const outage = outages(seen)
    return { seen, outage, ...tallyShards({ ...seen, fromMs, untilMs, outages: outage }) }
  })
  const [ours, control] = tallied
  if (ours === undefined || control === undefined) throw new Error('nothing was tallied')
  const problems = stage.accidents()
  if (ours.moves < moves) problems.push(`${ours.moves} games moved instead of ${moves} at least`)
  const ownerlessMs = Math.max(0, ...ours.outage.map((each) => each.untilMs - each.fromMs))
  const endMs = Math.max(fromMs, ...ours.outage.map((each) => each.untilMs))
  const again = ours.seen.signals.find(({ atMs }) => atMs > endMs)
  const { opportunities, signals, doubled, missed, stale } = ours
  return {
    ours: ours.tally,
    control: control.tally,
    recoveryMs: again === undefined ? null : Math.round(again.atMs - (endMs - ownerlessMs)),
    problems,
    details: {
      ...{ opportunities, signals, doubled, missed, stale, moves: ours.moves },
      ownerless_ms: Math.round(ownerlessMs),
      control_stale: control.stale,
    },
  }
}
