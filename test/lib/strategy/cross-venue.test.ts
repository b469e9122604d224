import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FeeSchedule } from '../../../src/lib/model/fees.js'
import type { GameMarket } from '../../../src/lib/model/game.js'
import type { SignalLeg } from '../../../src/lib/model/signal.js'
import type { Level } from '../../../src/lib/model/order-book.js'
import { planOf } from '../../../src/lib/strategy/cross-venue.js'
import type { Plan, StrategyLimits } from '../../../src/lib/strategy/cross-venue.js'
import { KALSHI_FEES, POLY_FEES, pairOf } from './setup.js'
import type { Side } from './setup.js'

const LIMITS: StrategyLimits = { minEdgeMicros: 2_000, maxSizeE2: 10_000, maxEdgeMicros: 300_000 }

function planFor(
  kalshi: Side,
  poly: Side,
  outcome: 'yes' | 'no',
  change: {
    kalshiMarket?: Partial<GameMarket>
    polyMarket?: Partial<GameMarket>
    limits?: Partial<StrategyLimits>
  } = {},
) {
  const pair = pairOf(kalshi, poly, change)
  return planOf(pair, pair.orientations[outcome === 'yes' ? 0 : 1], { ...LIMITS, ...change.limits })
}

function mustPlan(...args: Parameters<typeof planFor>): Plan {
  const plan = planFor(...args)
  if (typeof plan === 'string') throw new Error(`no plan: ${plan}`)
  return plan
}

const NOTHING: Side = { bids: [], asks: [] }

describe('a plan', () => {
  it('buys YES here and NO there at equal shares, fees of both venues off', () => {
    const plan = mustPlan({ bids: [], asks: [[4500, 5000]] }, { bids: [[5000, 4000]], asks: [] }, 'yes')
    // 40 contracts: gross 40 x $0.05; fees 40 x 0.07 x .45 x .55 = 0.693 and 40 x 0.05 x .25 = 0.5.
    expect(plan).toMatchObject({
      sizeE2: 4000,
      grossEdgeMicros: 2_000_000,
      feesMicros: 693_000 + 500_000,
      netEdgeMicros: 807_000,
      worstPayoutMicros: 40_000_000,
    })
    expect(plan.legs).toEqual([
      { venue: 'poly', marketId: '0xabc', outcome: 'no', side: 'buy', limitE4: 5000, sizeE2: 4000 },
      {
        venue: 'kalshi',
        marketId: 'KXNBAGAME-25DEC01HOUUTA-HOU',
        outcome: 'yes',
        side: 'buy',
        // Break-even: 0.50 + 0.0125 + 0.47 + 0.0175 is a dollar.
        limitE4: 4700,
        sizeE2: 4000,
      },
    ])
  })

  it('buys NO here and YES there', () => {
    const plan = mustPlan({ bids: [[5500, 2000]], asks: [] }, { bids: [], asks: [[4900, 9000]] }, 'no')
    expect(plan.sizeE2).toBe(2000)
    expect(plan.legs.map(({ venue, outcome, limitE4 }) => [venue, outcome, limitE4])).toEqual([
      ['poly', 'yes', 4900],
      ['kalshi', 'no', 4800],
    ])
  })

  it.each([
    ['yes', { bids: [], asks: [[4500, 2000]] }, { bids: [], asks: [[4900, 2000]] }, 'yes'],
    ['no', { bids: [[5500, 2000]], asks: [] }, { bids: [[5100, 2000]], asks: [] }, 'no'],
  ] as const)(
    "buys %s of both when the condition's YES pays on the other team",
    (outcome, kalshi, poly, expected) => {
      const plan = mustPlan(kalshi, poly, outcome, { polyMarket: { selection: 'UTAH' } })
      expect(plan.legs.map((leg) => [leg.venue, leg.outcome, leg.limitE4])).toEqual([
        ['poly', expected, 4900],
        ['kalshi', expected, 4800],
      ])
    },
  )

  it('walks both depths and limits the opening leg to the worst level taken, the other to break-even', () => {
    const kalshi: Side = {
      bids: [],
      asks: [
        [4000, 1000],
        [4200, 1000],
        [4400, 5000],
        [5200, 9000],
      ],
    }
    const poly: Side = {
      bids: [
        [5500, 1500],
        [5300, 1500],
        [5000, 9000],
      ],
      asks: [],
    }
    // Takes 10 + 10 + 10 at gaps of 15, 13/11 and 9 cents; then 4400 against 5000: 6 cents gross, still above fees.
    const plan = mustPlan(kalshi, poly, 'yes', { limits: { maxSizeE2: 3000 } })
    expect(plan.sizeE2).toBe(3000)
    expect(plan.legs.map(({ limitE4 }) => limitE4)).toEqual([4700, 5100])
    expect(plan.grossEdgeMicros).toBe(1000 * 1500 + 500 * 1300 + 500 * 1100 + 1000 * 900)
  })

  it('takes no share that does not clear the least edge by itself', () => {
    const kalshi: Side = {
      bids: [],
      asks: [
        [4500, 1000],
        [4600, 1000],
      ],
    }
    const poly: Side = { bids: [[5000, 9000]], asks: [] }
    // Net of the second level: 4 c - 0.07 x .46 x .54 - 0.0125 = 1.01 c.
    expect(mustPlan(kalshi, poly, 'yes', { limits: { minEdgeMicros: 10_000 } }).sizeE2).toBe(2000)
    expect(mustPlan(kalshi, poly, 'yes', { limits: { minEdgeMicros: 10_200 } }).sizeE2).toBe(1000)
  })

  it.each([
    [100, 1, 1234, 1200],
    [1, 1, 1234, 1234],
    [100, 1, 599, 500],
    [200, 300, 1999, 1800],
  ])('is a multiple of both size steps %i and %i: %i becomes %i', (kalshiStep, polyStep, offered, taken) => {
    const plan = mustPlan({ bids: [], asks: [[4500, offered]] }, { bids: [[5000, 9000]], asks: [] }, 'yes', {
      kalshiMarket: { sizeStepE2: kalshiStep },
      polyMarket: { sizeStepE2: polyStep },
    })
    expect(plan.sizeE2).toBe(taken)
    expect(plan.legs.map(({ sizeE2 }) => sizeE2)).toEqual([taken, taken])
  })

  it('sends the delayed venue first, else the thinner book', () => {
    const first = (kalshi: Side, poly: Side, kalshiDelay: number, polyDelay: number) =>
      mustPlan(kalshi, poly, 'yes', {
        kalshiMarket: { takerDelayMs: kalshiDelay },
        polyMarket: { takerDelayMs: polyDelay },
      }).legs[0].venue
    const deep: Side = { bids: [[5000, 9000]], asks: [[4500, 9000]] }
    const thin: Side = { bids: [[5000, 800]], asks: [[4500, 800]] }
    expect(first(thin, deep, 0, 1000)).toBe('poly')
    expect(first(deep, thin, 1000, 0)).toBe('kalshi')
    expect(first(thin, deep, 0, 0)).toBe('kalshi')
    expect(first(deep, thin, 0, 0)).toBe('poly')
  })
})

describe('there is no plan', () => {
  const ask = (priceE4: number, sizeE2 = 5000): Side => ({ bids: [], asks: [[priceE4, sizeE2]] })
  const bid = (priceE4: number, sizeE2 = 5000): Side => ({ bids: [[priceE4, sizeE2]], asks: [] })

  const kalshiWith = (kalshiMarket: Partial<GameMarket>) => ({ kalshiMarket })

  it.each<[string, Side, Side, Parameters<typeof planFor>[3], string]>([
    ['when one side is not offered', NOTHING, bid(5000), {}, 'one_sided'],
    ['when the other is not', ask(4500), ask(5000), {}, 'one_sided'],
    ['at fair prices', ask(5000), bid(5000), {}, 'no_edge'],
    ['when fees eat the gap', ask(4800), bid(5000), {}, 'no_edge'],
    [
      'when only the least edge is missing',
      ask(4500),
      bid(5000),
      { limits: { minEdgeMicros: 30_000 } },
      'no_edge',
    ],
    ['when the gap is what swapped outcomes look like', ask(2000), bid(8000), {}, 'implausible_edge'],
    ["below a venue's least size", ask(4500, 400), bid(5000), {}, 'below_min_size'],
    ['below one step', ask(4500, 99), bid(5000), { polyMarket: { minSizeE2: 1 } }, 'below_min_size'],
    ['with a step of zero', ask(4500), bid(5000), { polyMarket: { sizeStepE2: 0 } }, 'bad_market'],
    [
      'when a level that would be the Kalshi limit lies between two ticks',
      ask(4510),
      bid(5000),
      {},
      'bad_market',
    ],
    [
      'when a level that would be the Polymarket limit lies between two ticks',
      ask(4500),
      bid(5005),
      { polyMarket: { tickE4: 10 } },
      'bad_market',
    ],
    [
      'when the worst level taken lies between two ticks, though the best does not',
      {
        bids: [],
        asks: [
          [4500, 1000],
          [4550, 1000],
        ],
      },
      bid(5000),
      {},
      'bad_market',
    ],
    [
      'with a tick that does not divide the dollar',
      ask(4500),
      bid(5000),
      kalshiWith({ tickE4: 300 }),
      'bad_market',
    ],
    [
      'when the rounding of fees eats what is left of a small fill',
      ask(4500, 1),
      bid(4850, 1),
      {
        kalshiMarket: { sizeStepE2: 1, minSizeE2: 1 },
        polyMarket: { tickE4: 10, minSizeE2: 1 },
        limits: { minEdgeMicros: 3000 },
      },
      'below_min_edge',
    ],
  ])('%s', (_, kalshi, poly, change, reason) => {
    expect(planFor(kalshi, poly, 'yes', change)).toBe(reason)
  })
})

describe('a market whose numbers no market has', () => {
  const kalshi: Side = { bids: [], asks: [[4500, 5000]] }
  const poly: Side = { bids: [[5000, 5000]], asks: [] }
  const fees = { ratePpm: 70_000, roundUpToMicros: 100 }

  it.each<[string, Partial<GameMarket>]>([
    ...[0, -100, 0.5, NaN, Infinity, 2 ** 60].flatMap((value): [string, Partial<GameMarket>][] => [
      [`tick ${value}`, { tickE4: value }],
      [`size step ${value}`, { sizeStepE2: value }],
      [`least size ${value}`, { minSizeE2: value }],
      [`fee rounding ${value}`, { fees: { ...fees, roundUpToMicros: value } }],
    ]),
    ['fee rate 0.5', { fees: { ...fees, ratePpm: 0.5 } }],
    ['fee rate -1', { fees: { ...fees, ratePpm: -1 } }],
  ])('makes no plan and throws nothing: %s', (_, change) => {
    expect(planFor(kalshi, poly, 'yes', { kalshiMarket: change })).toBe('bad_market')
    expect(planFor(kalshi, poly, 'yes', { polyMarket: change })).toBe('bad_market')
  })

  it('control: makes a plan with a finer tick that its levels are on', () => {
    expect(mustPlan(kalshi, poly, 'yes', { kalshiMarket: { tickE4: 10 } }).legs[1].limitE4 % 10).toBe(0)
  })
})

// --- An independent recomputation: BigInt, share by share, sharing no code with the strategy. ---

interface Case {
  readonly kalshi: Side
  readonly poly: Side
  readonly sameTeam: boolean
  readonly outcome: 'yes' | 'no'
  readonly kalshiStepE2: number
  /** Of both markets; every level is on it. */
  readonly tickE4: number
  readonly limits: StrategyLimits
}

const offers = ({ bids, asks }: Side, outcome: 'yes' | 'no'): Level[] =>
  outcome === 'yes' ? [...asks] : bids.map(([priceE4, sizeE2]): Level => [10_000 - priceE4, sizeE2])

/** The price of every hundredth of a contract, best first. */
const priceByUnit = (levels: readonly Level[]): number[] =>
  levels.flatMap(([priceE4, sizeE2]) => Array.from({ length: sizeE2 }, () => priceE4))

/** Exact fee of a hundredth of a contract, in 10^-16 dollars. */
const unitFee = ({ ratePpm }: FeeSchedule, priceE4: number): bigint =>
  BigInt(ratePpm) * BigInt(priceE4) * BigInt(10_000 - priceE4)

const MICRO = 10n ** 10n

interface Truth {
  /** Units that clear the least edge each, in order. */
  readonly profitable: number
  /** Net edge of the first `units`, without any rounding, in 10^-16 dollars. */
  readonly net: (units: number) => bigint
  /** By how much rounding up each level's fee can lower it, in 10^-16 dollars. */
  readonly reserve: (units: number) => bigint
}

function truthOf({ kalshi, poly, sameTeam, outcome, limits }: Case): Truth {
  const opposite = sameTeam ? (outcome === 'yes' ? 'no' : 'yes') : outcome
  const here = priceByUnit(offers(kalshi, outcome))
  const there = priceByUnit(offers(poly, opposite))
  const units = Math.min(here.length, there.length, limits.maxSizeE2)
  const marginal: bigint[] = []
  for (let unit = 0; unit < units; unit++) {
    const a = here[unit]!
    const b = there[unit]!
    marginal.push(BigInt(10_000 - a - b) * MICRO - unitFee(KALSHI_FEES, a) - unitFee(POLY_FEES, b))
  }
  const least = (BigInt(limits.minEdgeMicros) * MICRO) / 100n
  const firstBad = marginal.findIndex((edge) => edge < least)
  return {
    profitable: firstBad === -1 ? units : firstBad,
    net: (count) => marginal.slice(0, count).reduce((sum, edge) => sum + edge, 0n),
    reserve: (count) =>
      BigInt(new Set(here.slice(0, count)).size * KALSHI_FEES.roundUpToMicros) * MICRO +
      BigInt(new Set(there.slice(0, count)).size * POLY_FEES.roundUpToMicros) * MICRO,
  }
}

/** Levels away from a price, best first: `sign` +1 for asks, -1 for bids. */
const side = (sign: 1 | -1) =>
  fc
    .array(fc.tuple(fc.integer({ min: 10, max: 80 }), fc.integer({ min: 1, max: 900 })), {
      minLength: 1,
      maxLength: 5,
    })
    .map((steps) => (mid: number, tickE4: number): Level[] => {
      let priceE4 = Math.round(mid / tickE4) * tickE4
      return steps.flatMap(([step, sizeE2]): Level[] => {
        priceE4 += sign * Math.ceil(step / tickE4) * tickE4
        return priceE4 > 0 && priceE4 < 10_000 ? [[priceE4, sizeE2]] : []
      })
    })

const cases: fc.Arbitrary<Case> = fc
  .record({
    mid: fc.integer({ min: 200, max: 9800 }),
    shift: fc.integer({ min: -1500, max: 1500 }),
    sides: fc.tuple(side(-1), side(1), side(-1), side(1)),
    sameTeam: fc.boolean(),
    outcome: fc.constantFrom('yes' as const, 'no' as const),
    kalshiStepE2: fc.constantFrom(1, 100),
    tickE4: fc.constantFrom(1, 10, 100),
    minEdgeMicros: fc.integer({ min: 0, max: 20_000 }),
    maxSizeE2: fc.integer({ min: 1, max: 2000 }),
  })
  .map(({ mid, shift, sides: [bids, asks, otherBids, otherAsks], minEdgeMicros, maxSizeE2, ...rest }) => {
    const otherMid = Math.min(9990, Math.max(10, (rest.sameTeam ? mid : 10_000 - mid) + shift))
    return {
      ...rest,
      kalshi: { bids: bids(mid, rest.tickE4), asks: asks(mid, rest.tickE4) },
      poly: { bids: otherBids(otherMid, rest.tickE4), asks: otherAsks(otherMid, rest.tickE4) },
      limits: { minEdgeMicros, maxSizeE2, maxEdgeMicros: 1_000_000 },
    }
  })

/** The strategy's plan; a test may hide a venue's fees from it. */
function strategyPlan(given: Case, hidden?: 'kalshi' | 'poly') {
  const free = { fees: { ratePpm: 0, roundUpToMicros: 1 } }
  return planFor(given.kalshi, given.poly, given.outcome, {
    kalshiMarket: {
      tickE4: given.tickE4,
      sizeStepE2: given.kalshiStepE2,
      minSizeE2: 1,
      ...(hidden === 'kalshi' ? free : {}),
    },
    polyMarket: {
      tickE4: given.tickE4,
      minSizeE2: 1,
      ...(given.sameTeam ? {} : { selection: 'UTAH' }),
      ...(hidden === 'poly' ? free : {}),
    },
    limits: given.limits,
  })
}

/** The worst price that a plan's second leg walked through. */
function worstLevel(given: Case, leg: SignalLeg, units: number): number {
  return priceByUnit(offers(leg.venue === 'kalshi' ? given.kalshi : given.poly, leg.outcome))[units - 1]!
}

/** What is left of the payout when the whole second leg costs this much a share, without rounding, in 10^-16 dollars. */
function leftAt(
  given: Case,
  [opening, hedge]: readonly [SignalLeg, SignalLeg],
  units: number,
  priceE4: number,
): bigint {
  const feesOf = ({ venue }: SignalLeg) => (venue === 'kalshi' ? KALSHI_FEES : POLY_FEES)
  const levels = offers(opening.venue === 'kalshi' ? given.kalshi : given.poly, opening.outcome)
  const opened = priceByUnit(levels).slice(0, units)
  const spent = opened.reduce(
    (sum, price) => sum + BigInt(price) * MICRO + unitFee(feesOf(opening), price),
    0n,
  )
  const perUnit = BigInt(priceE4) * MICRO + unitFee(feesOf(hedge), priceE4)
  return BigInt(units) * (10_000n * MICRO - perUnit) - spent
}

const edgeIsHonest = (hidden?: 'kalshi' | 'poly') =>
  fc.property(cases, (given) => {
    const plan = strategyPlan(given, hidden)
    if (typeof plan === 'string') return true
    const truth = truthOf(given)
    const reported = BigInt(plan.netEdgeMicros) * MICRO
    const exact = truth.net(plan.sizeE2)
    return reported <= exact && exact - reported < truth.reserve(plan.sizeE2)
  })

describe('the net edge of any books', () => {
  it('is never above an exact recomputation, and below it by less than the rounding reserve', () => {
    fc.assert(edgeIsHonest(), { numRuns: 300 })
  })

  it.each(['kalshi', 'poly'] as const)('control: without the fees of %s that property fails', (hidden) => {
    expect(fc.check(edgeIsHonest(hidden), { numRuns: 300, seed: 7 }).failed).toBe(true)
  })

  it('comes with the stated reserve, the largest size that clears, and sums that agree', () => {
    let plans = 0
    fc.assert(
      fc.property(cases, (given) => {
        const plan = strategyPlan(given)
        const truth = truthOf(given)
        const expected = truth.profitable - (truth.profitable % given.kalshiStepE2)
        if (typeof plan === 'string') {
          // With a size to take, only the rounding of fees may stand in the way.
          expect(expected === 0 || plan === 'below_min_edge' || plan === 'implausible_edge').toBe(true)
          return
        }
        plans++
        expect(plan.sizeE2).toBe(expected)
        expect(BigInt(plan.reserveMicros) * MICRO).toBe(truth.reserve(plan.sizeE2))
        expect(plan.netEdgeMicros).toBe(plan.grossEdgeMicros - plan.feesMicros)
        expect(plan.netEdgeMicros * 100).toBeGreaterThanOrEqual(given.limits.minEdgeMicros * plan.sizeE2)
        expect(plan.worstPayoutMicros).toBe(plan.sizeE2 * 10_000)
      }),
      { numRuns: 300, seed: 11 },
    )
    expect(plans).toBeGreaterThan(60)
  })

  it('bounds the second leg at the highest price of a tapered market that loses nothing', () => {
    const priceRanges = [
      { startE4: 0, endE4: 1000, stepE4: 10 },
      { startE4: 1000, endE4: 9000, stepE4: 100 },
      { startE4: 9000, endE4: 10_000, stepE4: 10 },
    ]
    const prices = priceRanges.flatMap(({ startE4, endE4, stepE4 }) =>
      Array.from({ length: (endE4 - startE4) / stepE4 }, (_, index) => startE4 + index * stepE4),
    )
    const seen = { fine: 0, coarse: 0, across: 0 }
    fc.assert(
      fc.property(cases, (given) => {
        const plan = planFor(given.kalshi, given.poly, given.outcome, {
          kalshiMarket: { tickE4: 100, priceRanges, sizeStepE2: 1, minSizeE2: 1 },
          polyMarket: {
            ...{ tickE4: 100, priceRanges, minSizeE2: 1 },
            ...(given.sameTeam ? {} : { selection: 'UTAH' }),
          },
          limits: given.limits,
        })
        if (typeof plan === 'string') return
        for (const { limitE4 } of plan.legs) expect(prices).toContain(limitE4)
        const { limitE4 } = plan.legs[1]
        const isFine = limitE4 < 1000 || limitE4 >= 9000
        seen[isFine ? 'fine' : 'coarse']++
        if (isFine && worstLevel(given, plan.legs[1], plan.sizeE2) < 9000 && limitE4 > 9000) seen.across++
        const nextE4 = prices.find((priceE4) => priceE4 > limitE4)
        if (nextE4 === undefined) return
        const rounding = BigInt(plan.reserveMicros + 100) * MICRO
        expect(leftAt(given, plan.legs, plan.sizeE2, nextE4)).toBeLessThan(rounding)
      }),
      { numRuns: 600, seed: 5 },
    )
    expect(Math.min(seen.fine, seen.coarse, seen.across)).toBeGreaterThan(0)
  })

  it('bounds the second leg at break-even: nothing is lost there, something is a tick above', () => {
    let raised = 0
    fc.assert(
      fc.property(cases, (given) => {
        const plan = strategyPlan(given)
        if (typeof plan === 'string') return
        const [, hedge] = plan.legs
        const worstE4 = worstLevel(given, hedge, plan.sizeE2)
        expect(hedge.limitE4).toBeGreaterThanOrEqual(worstE4)
        const { tickE4 } = given
        for (const { limitE4 } of plan.legs) expect(limitE4 % tickE4).toBe(0)
        const left = (priceE4: number) => leftAt(given, plan.legs, plan.sizeE2, priceE4)
        if (hedge.limitE4 > worstE4) {
          raised++
          expect(left(hedge.limitE4)).toBeGreaterThanOrEqual(0n)
        }
        if (hedge.limitE4 + tickE4 < 10_000) {
          const rounding = BigInt(plan.reserveMicros + 100) * MICRO
          expect(left(hedge.limitE4 + tickE4)).toBeLessThan(rounding)
        }
      }),
      { numRuns: 300 },
    )
    expect(raised).toBeGreaterThan(30)
  })
})
