import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ShardAssignments } from '../../../src/lib/games/shard-assignments.js'
import type { Assignment } from '../../../src/lib/games/shard-assignments.js'
import type { Message } from '../../../src/lib/messages/codec.js'
import { GAMES_SOURCE, orderbookSource, pricesSource } from '../../../src/lib/messages/sources.js'
import { gameStateOf } from '../../../src/lib/messages/convert.js'
import type { GameState } from '../../../src/lib/model/game.js'
import type { StrategySignal } from '../../../src/lib/model/signal.js'
import { VENUES } from '../../../src/lib/model/venue.js'
import type { Venue } from '../../../src/lib/model/venue.js'
import { ShardDecider } from '../../../src/lib/roles/shard-decider.js'
import type { LateDecision } from '../../../src/lib/roles/shard-decider.js'
import { CHEAP_HERE, COND, FAIR_HERE, HOU, RICH_THERE, gameState } from './shard-stage.js'

const HOST = 'h boot'
const START = 1_769_500_000_000
const STRATEGY = {
  ...{ minEdgeMicros: 1, delayCostMicrosPerS: 0, maxSizeE2: 100_000, maxEdgeMicros: 300_000 },
  // Longer than any opportunity here: a second signal for one is never right.
  validMs: 9_000,
}
const SOURCES = [...VENUES.flatMap((venue) => [pricesSource(venue), orderbookSource(venue)]), GAMES_SOURCE]
const STEP_MS = 50

type From = Venue | 'orchestrator'
/** What a process sends on its socket: everything behind everything before it. */
type Sent = { readonly from: From; readonly ms: number } & (
  { readonly message: Message } | { readonly beat: true }
)

interface Script {
  /** At which step who can trade. */
  readonly able: readonly { readonly step: number; readonly shards: readonly number[] }[]
  /** Opportunities: from which step, for how many, none overlapping. */
  readonly open: readonly { readonly gap: number; readonly steps: number }[]
  /** By shard: at which step it stands still, or does not hear one of them, for how many. */
  readonly pauses: readonly {
    readonly shard: number
    readonly step: number
    readonly steps: number
    readonly of?: From | undefined
  }[]
  /** Which shard is killed at which step, and lives again at once, with nothing but the newest word on the game. */
  readonly restarts: readonly { readonly shard: number; readonly step: number }[]
  /** Polymarket quotes once in so many steps. */
  readonly polyEvery: number
  /** By shard and sender, how late things come, ms. */
  readonly delays: readonly (readonly number[])[]
}

const STEPS = 400
const SHARDS = 2
/** The first opportunity comes when who trades is settled, and the last is over while both still hear quotes. */
const FIRST_STEP = 80
const LAST_STEP = STEPS - 20

/** What the monitors and the orchestrator send in 20 s, and which opportunity each quote belongs to. */
function play({ able, open, polyEvery }: Script): { sent: Sent[]; opportunityOf: Map<number, number> } {
  const sent: Sent[] = []
  const opportunityOf = new Map<number, number>()
  const assignments = new ShardAssignments(SHARDS)
  let seq = 0
  let told: Assignment | undefined
  const tell = (from: From, ms: number, source: string, topic: string, payload: object) => {
    const us = (ms - START) * 1000
    const stamps = { recv: us, pub: us }
    const [family, scope, id] = topic.split('.')
    const header = {
      v: 1,
      env: 'sim',
      source,
      epoch: START,
      seq: ++seq,
      timestamp_ms: ms,
      host: HOST,
      stamps,
    }
    // As it is decoded: a run sends a thousand of them.
    sent.push({ from, ms, message: { family, topic: { family, scope, id }, header, payload } as Message })
    return seq
  }
  const quote = (
    venue: Venue,
    id: string,
    ms: number,
    { bid, ask }: typeof FAIR_HERE | typeof CHEAP_HERE | typeof RICH_THERE,
  ) => {
    const state = { venue, market_id: id, state: 'LIVE', book_seq: seq }
    tell(venue, ms, orderbookSource(venue), `orderbook.${venue}.${id}`, {
      ...state,
      bids: [bid],
      asks: [ask],
    })
    const sides = { yes_bid: bid[0], yes_ask: ask[0], yes_bid_size: bid[1], yes_ask_size: ask[1] }
    return tell(venue, ms, pricesSource(venue), `prices.${venue}.${id}`, {
      ...state,
      selection: 'HOU',
      ...sides,
    })
  }
  const spans: { from: number; to: number }[] = []
  let end = FIRST_STEP
  for (const { gap, steps } of open) {
    spans.push({ from: end + gap, to: end + gap + steps })
    end += gap + steps
  }
  for (let step = 0; step < STEPS; step++) {
    const ms = START + step * STEP_MS
    for (const change of able) if (change.step === step) assignments.setAble(change.shards, () => false)
    const [word] = assignments.assign([{ league: 'nba' as const, gameId: '401' }], ms)
    if (word !== undefined && (step % 20 === 0 || JSON.stringify(word) !== JSON.stringify(told))) {
      told = word
      const { shard, handover } = word
      const moves =
        handover === undefined ? {} : { shard_from_ms: handover.atMs, shard_before: handover.from }
      const state = gameState({ fetched_ms: ms, shard, ...moves })
      tell('orchestrator', ms, GAMES_SOURCE, 'games.nba.401', {
        ...state,
        markets: [state.markets[0], state.markets[2]],
      })
    }
    if (step % 4 === 0)
      for (const from of [...VENUES, 'orchestrator'] as const) sent.push({ from, ms, beat: true })
    const found = spans.findIndex(({ from, to }) => from <= step && step < to)
    const kalshi = quote('kalshi', HOU, ms, found === -1 ? FAIR_HERE : CHEAP_HERE)
    if (found !== -1) opportunityOf.set(kalshi, found)
    if (step % polyEvery === 0) quote('poly', COND, ms, RICH_THERE)
  }
  return { sent, opportunityOf }
}

/** What each shard signals when it hears all of that in its own time. */
function decide(
  { sent }: { readonly sent: readonly Sent[] },
  script: Script,
  shards = SHARDS,
): StrategySignal[] {
  return Array.from({ length: SHARDS }, (_, index) => {
    const clock = { ms: START, nowMs: () => clock.ms, monoUs: () => (clock.ms - START) * 1000 }
    const begin = (word: Message | undefined) => {
      const decider = new ShardDecider({
        ...{ index, shards, host: HOST, strategy: STRATEGY, clock },
        onNoSignal: () => undefined,
        onWorthless: ({ key }) => expect.fail(key),
        onRefused: (reason) => expect.fail(reason),
      })
      if (word !== undefined) decider.message(word, clock.monoUs())
      for (const source of SOURCES) decider.state(source, true)
      return decider
    }
    let decider = begin(undefined)
    let word: Message | undefined
    const deathsMs = script.restarts
      .filter(({ shard }) => shard === index)
      .map(({ step }) => START + step * STEP_MS)
      .sort((a, b) => a - b)
    const reached = new Map<From, number>()
    const arrivals = sent.map((each, order) => {
      const delay = script.delays[index]?.[[...VENUES, 'orchestrator'].indexOf(each.from)] ?? 0
      let ms = Math.max(reached.get(each.from) ?? 0, each.ms + delay)
      for (const { shard, step, steps, of } of script.pauses) {
        const from = START + step * STEP_MS
        const isMet = shard === index && (of ?? each.from) === each.from
        if (isMet && from <= ms && ms < from + steps * STEP_MS) ms = from + steps * STEP_MS
      }
      reached.set(each.from, ms)
      return { ...each, atMs: ms, sentMs: each.ms, order }
    })
    // One socket after the other where several have something at once.
    arrivals.sort((a, b) => a.atMs - b.atMs || a.from.localeCompare(b.from) || a.order - b.order)
    return arrivals.flatMap((arrival) => {
      clock.ms = arrival.atMs
      while ((deathsMs[0] ?? Infinity) <= arrival.atMs) {
        deathsMs.shift()
        decider = begin(word)
      }
      if ('message' in arrival && arrival.message.family === 'games') word = arrival.message
      if ('message' in arrival) return decider.message(arrival.message, clock.monoUs()) ?? []
      const { from: publisher, sentMs } = arrival
      const channels = SOURCES.filter((source) => source.startsWith(publisher))
      const beat = {
        ...{ publisher, host: HOST, timestamp_ms: sentMs, mono_us: (sentMs - START) * 1000, closing: false },
        feeds: publisher === 'orchestrator' ? [] : [{ proved_ago_us: 0 }],
        channels: channels.map((source) => ({ source, epoch: START })),
      }
      return lateSignals(decider.heartbeat(beat, clock.monoUs()) ?? [])
    })
  }).flat()
}

const lateSignals = (decisions: readonly LateDecision[]) => decisions.flatMap(({ signals }) => signals)

/** How often each opportunity was signaled. */
function counts(script: Script, shards = SHARDS): number[] {
  const played = play(script)
  const found = script.open.map(() => 0)
  for (const { inputs } of decide(played, script, shards)) {
    const seq = inputs.find(({ source }) => source === pricesSource('kalshi'))?.seq ?? -1
    const opportunity = played.opportunityOf.get(seq)
    if (opportunity === undefined) throw new Error(`a signal on quote ${seq}, where nothing was`)
    found[opportunity]!++
  }
  return found
}

const delays = fc.array(fc.array(fc.nat(180), { minLength: 3, maxLength: 3 }), {
  minLength: SHARDS,
  maxLength: SHARDS,
})
const script: fc.Arbitrary<Script> = fc.record({
  able: fc.array(fc.record({ step: fc.nat(STEPS - 100), shards: fc.subarray([0, 1], { minLength: 1 }) }), {
    maxLength: 5,
  }),
  open: fc
    .array(fc.record({ gap: fc.integer({ min: 10, max: 60 }), steps: fc.integer({ min: 2, max: 60 }) }), {
      ...{ minLength: 2, maxLength: 4 },
    })
    .filter((open) => open.reduce((end, { gap, steps }) => end + gap + steps, FIRST_STEP) <= LAST_STEP),
  pauses: fc.array(
    fc.record({
      ...{ shard: fc.nat(1), step: fc.nat(STEPS), steps: fc.integer({ min: 1, max: 140 }) },
      of: fc.constantFrom(undefined, undefined, 'orchestrator' as const, 'kalshi' as const),
    }),
    { maxLength: 2 },
  ),
  restarts: fc.array(fc.record({ shard: fc.nat(1), step: fc.nat(STEPS) }), { maxLength: 2 }),
  polyEvery: fc.constantFrom(3, 70),
  delays,
})

describe('a game that goes from shard to shard', () => {
  it('has each opportunity signaled once, and none missed, when both hear everything soon', () => {
    fc.assert(
      fc.property(script, (each) => {
        expect(counts({ ...each, pauses: [], restarts: [] })).toEqual(each.open.map(() => 1))
      }),
      { numRuns: 20 },
    )
  })

  it('has no opportunity signaled twice, whoever stands still, and whoever dies', () => {
    fc.assert(
      fc.property(script, (each) => {
        expect(Math.max(...counts(each))).toBeLessThanOrEqual(1)
      }),
      { numRuns: 20 },
    )
  })

  it.each([
    [
      'stands still',
      [
        [102, 20],
        [105, 18],
        [106, 40],
        [108, 14],
        [110, 12],
      ],
      undefined,
    ],
    [
      'does not hear the orchestrator',
      [
        [58, 65],
        [50, 80],
        [62, 70],
      ],
      'orchestrator',
    ],
  ] as const)(
    'is signaled once when the new shard %s across the move, and a market is quiet',
    (_, each, of) => {
      const able = [
        { step: 0, shards: [1] },
        { step: 1, shards: [0] },
      ]
      for (const [step, steps] of each) {
        const pauses = [{ shard: 0, step, steps, of }]
        const open = [{ gap: 32, steps: 60 }]
        expect(counts({ able, open, pauses, restarts: [], polyEvery: 70, delays: [] })).toEqual([1])
      }
    },
  )

  it('is signaled twice by shards that know nothing of each other', () => {
    const doubled = fc.check(
      fc.property(script, (each) => Math.max(...counts({ ...each, pauses: [], restarts: [] }, 1)) <= 1),
      { numRuns: 300, endOnFailure: true },
    )
    expect(doubled.failed).toBe(true)
  })
})

it('hundreds of games that come and go leave nothing of them behind', () => {
  const clock = { nowMs: () => START, monoUs: () => 0 }
  const decider = new ShardDecider({
    ...{ index: 0, shards: 2, host: HOST, strategy: STRATEGY, clock },
    onNoSignal: () => undefined,
    onWorthless: ({ key }) => expect.fail(key),
    onRefused: (reason) => expect.fail(reason),
  })
  const { books } = decider
  for (const source of SOURCES) decider.state(source, true)
  for (let round = 0; round < 5; round++) {
    const atMs = START + round * 20_000
    const tell = (sentMs: number, change: (game: number) => Partial<GameState>) => {
      for (let game = 0; game < 100; game++) {
        const gameId = `${round}-${game}`
        const [one, , two] = gameStateOf(gameState())!.markets
        const markets = [one!, two!].map((each) => ({ ...each, marketId: `${each.marketId}-${gameId}` }))
        const state = { ...gameStateOf(gameState())!, gameId, markets, ...change(game) }
        books.applyGame(state, sentMs, (sentMs - START) * 1000)
      }
    }
    tell(atMs, () => ({ shard: 0 }))
    expect([books.gameCount, books.combinationCount]).toEqual([100, 200])
    const handover = { from: 0, atMs: atMs + 3_000 }
    tell(atMs, () => ({ shard: 1, handover }))
    expect(books.gameCount).toBe(100)
    tell(atMs + 8_000, () => ({ shard: 1, handover }))
    expect([books.gameCount, books.combinationCount]).toEqual([0, 0])
    expect([decider['firstLooks'].isEmpty, decider['postponed'].isEmpty]).toEqual([true, true])
  }
  const later = { ...gameStateOf(gameState())!, shard: 1 }
  books.applyGame(later, START, 3_800 * 1_000_000)
  expect([books.gameCount, books.marketCount]).toEqual([0, 0])
})
