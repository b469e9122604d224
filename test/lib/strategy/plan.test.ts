import { describe, expect, it } from 'vitest'
import { takerFeeMicros } from '../../../src/lib/model/fees.js'
import type { GameMarket } from '../../../src/lib/model/game.js'
import { planOf } from '../../../src/lib/strategy/plan.js'
import type { Plan, StrategyLimits } from '../../../src/lib/strategy/plan.js'
import {
  ALIKE,
  KALSHI_FEES,
  LIMITS,
  POLY_FEES,
  arbitrage,
  baskets,
  combinations,
  liveGame,
  market,
  pairOf,
  view,
} from './setup.js'
import type { Side } from './setup.js'

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
  const [yes, no] = pairOf(kalshi, poly, change)
  return planOf(outcome === 'yes' ? yes : no, { ...LIMITS, ...change.limits })
}

function mustPlan(...args: Parameters<typeof planFor>): Plan {
  const plan = planFor(...args)
  if (typeof plan === 'string') throw new Error(`no plan: ${plan}`)
  return plan
}

/** What all legs cost that fill at their limits at once, a fill each. */
const atLimitsMicros = ({ legs }: Plan): number =>
  legs.reduce((sum, { venue, limitE4, sizeE2 }) => {
    const fees = venue === 'poly' ? POLY_FEES : KALSHI_FEES
    return sum + limitE4 * sizeE2 + takerFeeMicros(fees, limitE4, sizeE2)
  }, 0)

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
      // 0.48 would leave 0.066 cents of all 20, less than ten fills of each leg may be rounded up by.
      ['kalshi', 'no', 4700],
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
        ['kalshi', expected, 4700],
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
    expect(plan.legs.map(({ limitE4 }) => limitE4)).toEqual([4700, 5000])
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

  it('sends what has a least size first, then the delayed venue, else the thinner book', () => {
    const first = (kalshi: Side, poly: Side, kalshiDelay: number, polyDelay: number, minSizeE2 = 1) =>
      mustPlan(kalshi, poly, 'yes', {
        kalshiMarket: { takerDelayMs: kalshiDelay },
        polyMarket: { takerDelayMs: polyDelay, minSizeE2 },
      }).legs[0]!.venue
    const deep: Side = { bids: [[5000, 9000]], asks: [[4500, 9000]] }
    const thin: Side = { bids: [[5000, 800]], asks: [[4500, 800]] }
    expect(first(thin, deep, 0, 1000)).toBe('poly')
    expect(first(deep, thin, 1000, 0)).toBe('kalshi')
    expect(first(thin, deep, 0, 0)).toBe('kalshi')
    expect(first(deep, thin, 0, 0)).toBe('poly')
    expect(first(thin, deep, 1000, 0, 500)).toBe('poly')
  })
})

describe('what a combination pays at worst', () => {
  it('is what its edge is of, not a dollar', () => {
    const combination = arbitrage()
    const { grossEdgeMicros, sizeE2 } = planOf(combination, LIMITS) as Plan
    expect(grossEdgeMicros).toBe(sizeE2 * 500)
    expect(planOf({ ...combination, payoutMicros: 500_000 }, LIMITS)).toBe('no_edge')
    expect(planOf({ ...combination, payoutMicros: 2_000_000 }, LIMITS)).toBe('implausible_edge')
  })

  it('is two dollars for NO of three outcomes, one for YES of them', () => {
    // YES at 0.28, 0.30 and 0.30, NO at 0.62, 0.64 and 0.64.
    const [yes, no] = baskets().map((basket) => planOf(basket, LIMITS) as Plan)
    expect(yes).toMatchObject({ sizeE2: 2000, worstPayoutMicros: 20_000_000, grossEdgeMicros: 2_400_000 })
    expect(no).toMatchObject({ sizeE2: 2000, worstPayoutMicros: 40_000_000, grossEdgeMicros: 2_000_000 })
    expect(yes!.legs.map(({ venue }) => venue)).toEqual(['poly', 'kalshi', 'kalshi'])
  })

  it.each<[string, Side, Side]>([
    [
      'the opening one',
      { bids: [], asks: [[4600, 100_000]] },
      {
        bids: [
          [7000, 2000],
          [5100, 8000],
        ],
        asks: [],
      },
    ],
    [
      'the later one',
      {
        bids: [],
        asks: [
          [3000, 2000],
          [4500, 8000],
        ],
      },
      { bids: [[5200, 100_000]], asks: [] },
    ],
  ])('is not less than its legs cost at their limits, where %s walks deep', (_, kalshi, poly) => {
    const plan = mustPlan(kalshi, poly, 'yes')
    expect(plan.sizeE2).toBe(10_000)
    expect(plan.legs[1]!.limitE4).toBeGreaterThanOrEqual(4500)
    expect(atLimitsMicros(plan)).toBeLessThanOrEqual(plan.worstPayoutMicros)
  })

  it('is not less than three legs cost at their limits, where all walk deep', () => {
    const walks: readonly (readonly ['kalshi' | 'poly', string, number])[] = [
      ['poly', 'draw', 2000],
      ['kalshi', 'HOU', 3000],
      ['kalshi', 'UTAH', 2500],
    ]
    const settlement = { ...ALIKE, overtime: 'excluded', tie: 'no' } as const
    const views = walks.map(([venue, selection, priceE4]) =>
      view(market(venue, { marketId: selection, selection, kind: 'three_way', settlement }), {
        bids: [],
        asks: [
          [priceE4, 5000],
          [priceE4 + 500, 5000],
        ],
      }),
    )
    const plans = combinations(liveGame(), ...views).map((each) => planOf(each, LIMITS))
    const [plan] = plans.filter((each) => typeof each !== 'string')
    expect(plan).toMatchObject({ sizeE2: 10_000, worstPayoutMicros: 100_000_000 })
    expect(atLimitsMicros(plan!)).toBeLessThanOrEqual(plan!.worstPayoutMicros)
  })

  it('is shared by the later of three legs: each may pay more, all together never more than it', () => {
    for (const basket of baskets()) {
      const plan = planOf(basket, LIMITS) as Plan
      const planned = basket.legs.map(({ of, outcome }) => of.book.askPriceE4(outcome, 0))
      const raised = plan.legs.filter(({ limitE4 }) => !planned.includes(limitE4))
      expect(raised).toHaveLength(2)
      const cost = plan.legs.reduce((sum, { limitE4 }) => sum + limitE4 * plan.sizeE2, 0)
      expect(cost).toBeLessThan(plan.worstPayoutMicros)
    }
  })
})

describe("a venue's delay", () => {
  it('asks for more edge, so much for each second that it holds an order', () => {
    // Of each share 2.0175 cents are left, and Polymarket holds its order for a second.
    const [combination] = pairOf({ bids: [], asks: [[4500, 5000]] }, { bids: [[5000, 4000]], asks: [] })
    const withDelay = (delayCostMicrosPerS: number) => planOf(combination, { ...LIMITS, delayCostMicrosPerS })
    expect(withDelay(18_175)).toMatchObject({ sizeE2: 4000 })
    expect(withDelay(18_176)).toBe('no_edge')
    const [quick] = pairOf(
      { bids: [], asks: [[4500, 5000]] },
      { bids: [[5000, 4000]], asks: [] },
      { polyMarket: { takerDelayMs: 0 } },
    )
    expect(planOf(quick, { ...LIMITS, delayCostMicrosPerS: 18_176 })).toMatchObject({ sizeE2: 4000 })
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
    expect(mustPlan(kalshi, poly, 'yes', { kalshiMarket: { tickE4: 10 } }).legs[1]!.limitE4 % 10).toBe(0)
  })
})
