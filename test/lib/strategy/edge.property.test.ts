/**
 * The edge of any books against a slow computation of its own: share by share in hundredths, in exact fractions of
 * 10^-16 dollars, sharing nothing with the strategy but the books.
 */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FeeSchedule } from '../../../src/lib/model/fees.js'
import type { GameMarket } from '../../../src/lib/model/game.js'
import type { Level } from '../../../src/lib/model/order-book.js'
import type { SignalLeg } from '../../../src/lib/model/signal.js'
import type { Outcome, Venue } from '../../../src/lib/model/venue.js'
import type { Combination } from '../../../src/lib/strategy/combination.js'
import { planOf } from '../../../src/lib/strategy/plan.js'
import type { Plan, StrategyLimits } from '../../../src/lib/strategy/plan.js'
import { orderAmounts } from '../../../src/lib/venues/polymarket/amounts.js'
import { KALSHI_FEES, POLY_FEES, liveGame, market, view } from './setup.js'

const FEES: Readonly<Record<Venue, FeeSchedule>> = { kalshi: KALSHI_FEES, poly: POLY_FEES }

/** Kalshi's finer steps near the edges. */
const TAPERED = [
  { startE4: 0, endE4: 1000, stepE4: 10 },
  { startE4: 1000, endE4: 9000, stepE4: 100 },
  { startE4: 9000, endE4: 10_000, stepE4: 10 },
]
const steps = (startE4: number, endE4: number, stepE4: number) =>
  Array.from({ length: (endE4 - startE4) / stepE4 }, (_, index) => startE4 + index * stepE4)
/** Prices that orders are taken at, between $0 and $1; each is the complement of another. */
const GRIDS = {
  1: steps(0, 10_000, 1).slice(1),
  10: steps(0, 10_000, 10).slice(1),
  100: steps(0, 10_000, 100).slice(1),
  tapered: TAPERED.flatMap(({ startE4, endE4, stepE4 }) => steps(startE4, endE4, stepE4)).slice(1),
} as const
type Grid = keyof typeof GRIDS

interface CaseLeg {
  readonly venue: Venue
  readonly outcome: Outcome
  readonly grid: Grid
  readonly stepE2: number
  readonly minE2: number
  readonly delayMs: number
  /** What is offered of the outcome, best first. */
  readonly offers: readonly Level[]
}

interface Case {
  readonly payoutMicros: number
  readonly legs: readonly CaseLeg[]
  readonly limits: StrategyLimits
}

const legTerms = fc.record({
  venue: fc.constantFrom<Venue>('kalshi', 'poly'),
  outcome: fc.constantFrom<Outcome>('yes', 'no'),
  tick: fc.constantFrom<1 | 10 | 100>(1, 10, 100),
  isTapered: fc.boolean(),
  stepE2: fc.constantFrom(1, 1, 2, 3, 10),
  minE2: fc.constantFrom(1, 1, 5, 20),
  delayMs: fc.constantFrom(0, 0, 1000, 3000),
  weight: fc.integer({ min: 1, max: 20 }),
  /** How far each level is from the one before, in prices of the grid, and what rests there. */
  levels: fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 60 })), {
    minLength: 1,
    maxLength: 5,
  }),
})

const cases: fc.Arbitrary<Case> = fc
  .record({
    terms: fc.array(legTerms, { minLength: 2, maxLength: 3 }),
    payoutMicros: fc.constantFrom(1_000_000, 1_000_000, 2_000_000, 500_000),
    /** What the best prices leave of the payout. */
    gapE4: fc.integer({ min: -100, max: 2000 }),
    minEdgeMicros: fc.integer({ min: 0, max: 20_000 }),
    delayCostMicrosPerS: fc.constantFrom(0, 2500, 3333),
    maxSizeE2: fc.integer({ min: 1, max: 200 }),
  })
  .map(({ terms, payoutMicros, gapE4, ...limits }) => {
    const weights = terms.reduce((sum, { weight }) => sum + weight, 0)
    const legs = terms.map(({ weight, levels, tick, isTapered, ...rest }): CaseLeg => {
      const grid: Grid = isTapered && rest.venue === 'kalshi' ? 'tapered' : tick
      const prices = GRIDS[grid]
      const bestE4 = ((payoutMicros / 100 - gapE4) * weight) / weights
      let index = lowest(prices, bestE4) - 1
      const offers = levels.flatMap(([step, sizeE2]): Level[] => {
        index += step
        const priceE4 = prices[index]
        return priceE4 === undefined ? [] : [[priceE4, sizeE2]]
      })
      return { ...rest, grid, offers }
    })
    return { payoutMicros, legs, limits: { ...limits, maxEdgeMicros: 3_000_000 } }
  })
  .filter(({ legs }) => legs.every(({ offers }) => offers.length > 0))

/** The place of the first price that is not below this one. */
function lowest(prices: readonly number[], priceE4: number): number {
  let [low, high] = [0, prices.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (prices[middle]! < priceE4) low = middle + 1
    else high = middle
  }
  return low
}

/** What the strategy is shown; a test may hide the fees of one venue from it. */
function shownTo({ legs, payoutMicros }: Case, hidden?: Venue): Combination {
  return {
    ...{ kind: 'cross-venue', game: liveGame(), key: 'key', payoutMicros },
    legs: legs.map(({ venue, outcome, offers, ...leg }, index) => {
      const terms: Partial<GameMarket> = {
        ...{ marketId: `M${index}`, takerDelayMs: leg.delayMs, sizeStepE2: leg.stepE2, minSizeE2: leg.minE2 },
        fees: venue === hidden ? { ratePpm: 0, roundUpToMicros: 1 } : FEES[venue],
        ...(leg.grid === 'tapered' ? { tickE4: 100, priceRanges: TAPERED } : { tickE4: leg.grid }),
      }
      const side =
        outcome === 'yes'
          ? { bids: [], asks: offers }
          : { asks: [], bids: offers.map(([priceE4, sizeE2]): Level => [10_000 - priceE4, sizeE2]) }
      return { of: view(market(venue, terms), side), outcome, offer: `${index}` }
    }),
  }
}

// --- The slow computation: a unit is a hundredth of a share, a grain 10^-16 dollars. ---

const MICRO = 10n ** 10n
const unitFee = (venue: Venue, priceE4: number): bigint =>
  BigInt(FEES[venue].ratePpm) * BigInt(priceE4) * BigInt(10_000 - priceE4)

interface Truth {
  readonly size: number
  /** Net edge of so many units without any rounding, in grains. */
  readonly net: (units: number) => bigint
  /** Cost and fees, each level's rounded up to what its venue charges. */
  readonly costMicros: (leg: number, units: number) => { readonly cost: bigint; readonly fees: bigint }
  /** By how much that rounding can lower the edge. */
  readonly reserveMicros: (units: number) => number
  /** Whether the rounding of a level's fill, or of an order that is filled at its worst level, leaves too little. */
  readonly isEaten: boolean
}

/** What an order costs that is filled at one price: whole cents, the fee on all they buy, ten fills' rounding. */
function worstOrder(venue: Venue, priceE4: number, sizeE2: number): bigint {
  const [price, unit] = [BigInt(priceE4), BigInt(FEES[venue].roundUpToMicros) * MICRO]
  const cash = ((price * BigInt(sizeE2) + 9999n) / 10_000n) * 10_000n
  const bought = (cash + price - 1n) / price
  const fee = (unitFee(venue, priceE4) * bought + unit - 1n) / unit
  return cash + ((fee + 10n) * unit) / MICRO
}

function truthOf({ legs, payoutMicros, limits }: Case): Truth {
  const most = Math.min(
    limits.maxSizeE2,
    ...legs.map(({ offers }) => offers.reduce((sum, [, sizeE2]) => sum + sizeE2, 0)),
  )
  const prices = legs.map(({ offers }) =>
    offers.flatMap(([priceE4, sizeE2]) => Array.from({ length: sizeE2 }, () => priceE4)),
  )
  const delayMs = legs.reduce((sum, leg) => sum + leg.delayMs, 0)
  const delayCost = (BigInt(delayMs * limits.delayCostMicrosPerS) + 999n) / 1000n
  const least = ((BigInt(limits.minEdgeMicros) + delayCost) * MICRO) / 100n
  const ofUnit = (unit: number): bigint => {
    let left = (BigInt(payoutMicros) * MICRO) / 100n
    for (const [index, { venue }] of legs.entries()) {
      const priceE4 = prices[index]![unit]!
      left -= BigInt(priceE4) * MICRO + unitFee(venue, priceE4)
    }
    return left
  }
  const marginal: bigint[] = []
  while (marginal.length < most) {
    const next = ofUnit(marginal.length)
    if (next < least) break
    marginal.push(next)
  }
  const units = marginal.length
  let size = 0
  for (let each = 1; each <= units; each++) {
    if (legs.every(({ stepE2 }) => each % stepE2 === 0)) size = each
  }
  const levels = (leg: number, count: number) => {
    const sizes = new Map<number, number>()
    for (const priceE4 of prices[leg]!.slice(0, count)) sizes.set(priceE4, (sizes.get(priceE4) ?? 0) + 1)
    return sizes
  }
  const costMicros = (leg: number, count: number) => {
    let [cost, fees] = [0n, 0n]
    const { venue } = legs[leg]!
    const unit = BigInt(FEES[venue].roundUpToMicros) * MICRO
    for (const [priceE4, sizeE2] of levels(leg, count)) {
      cost += BigInt(priceE4 * sizeE2)
      fees += ((unitFee(venue, priceE4) * BigInt(sizeE2) + unit - 1n) / unit) * (unit / MICRO)
    }
    return { cost, fees }
  }
  const isEaten = () => {
    let planned = (BigInt(payoutMicros) * BigInt(size)) / 100n
    let atWorst = planned
    for (const [leg, { venue }] of legs.entries()) {
      const { cost, fees } = costMicros(leg, size)
      planned -= cost + fees
      atWorst -= worstOrder(venue, prices[leg]![size - 1]!, size)
    }
    return atWorst < 0n || planned * MICRO < least * BigInt(size)
  }
  return {
    size: legs.every(({ minE2 }) => size >= minE2) ? size : 0,
    isEaten: size > 0 && isEaten(),
    costMicros,
    net: (count) => {
      let sum = 0n
      for (let unit = 0; unit < count; unit++) sum += marginal[unit] ?? ofUnit(unit)
      return sum
    },
    reserveMicros: (count) =>
      legs.reduce((sum, { venue }, leg) => sum + levels(leg, count).size * FEES[venue].roundUpToMicros, 0),
  }
}

/** What is wrong with a plan's edge, or nothing. */
function faultOf(plan: Plan, truth: Truth): string | undefined {
  const reported = BigInt(plan.netEdgeMicros) * MICRO
  const exact = truth.net(plan.sizeE2)
  if (reported > exact) return `more than is left by ${(reported - exact) / MICRO}`
  if (exact - reported >= BigInt(truth.reserveMicros(plan.sizeE2)) * MICRO)
    return 'less than the reserve explains'
  return undefined
}

const edgeIsHonest = (hidden?: Venue) =>
  fc.property(cases, (given) => {
    const plan = planOf(shownTo(given, hidden), given.limits)
    return typeof plan === 'string' || faultOf(plan, truthOf(given)) === undefined
  })

const seen = { plans: 0, three: 0, raised: 0, tapered: 0, mixed: 0, none: 0 }

/** Many thousand times a second: quicker than `expect`. */
function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}

function isRight(given: Case): void {
  const { legs, limits, payoutMicros } = given
  const plan = planOf(shownTo(given), limits)
  const truth = truthOf(given)
  if (typeof plan === 'string') {
    seen.none++
    must(truth.size === 0 || plan === 'below_min_edge', `${truth.size} would clear, and there is ${plan}`)
    must(truth.size === 0 || truth.isEaten, 'the rounding would leave enough')
    return
  }
  const { sizeE2, grossEdgeMicros, feesMicros, netEdgeMicros } = plan
  seen.plans++
  if (legs.length === 3) seen.three++
  if (legs.some(({ grid }) => grid === 'tapered')) seen.tapered++
  if (new Set(legs.map(({ venue }) => venue)).size === 2) seen.mixed++
  must(sizeE2 === truth.size, `a size of ${sizeE2} where ${truth.size} is the largest`)
  const fault = faultOf(plan, truth)
  must(fault === undefined, fault ?? '')
  must(plan.reserveMicros === truth.reserveMicros(sizeE2), 'another reserve')
  const paid = legs.map((_, leg) => truth.costMicros(leg, sizeE2))
  const payout = (BigInt(payoutMicros) * BigInt(sizeE2)) / 100n
  const cost = paid.reduce((sum, each) => sum + each.cost, 0n)
  const fees = paid.reduce((sum, each) => sum + each.fees, 0n)
  must(BigInt(plan.worstPayoutMicros) === payout, 'another payout')
  must(BigInt(grossEdgeMicros) === payout - cost, 'another gross edge')
  must(BigInt(feesMicros) === fees, 'other fees')
  must(netEdgeMicros === grossEdgeMicros - feesMicros, 'sums that differ')
  must(!truth.isEaten, 'the rounding leaves too little')
  limitsAreRight(given, plan, payout)
}

/** Markets with a least size first, then delayed venues; every limit a price of its market; the last one as high as the plan can bear, and not higher. */
function limitsAreRight({ legs }: Case, plan: Plan, payout: bigint): void {
  const of = ({ marketId }: SignalLeg) => Number(marketId.slice(1))
  const { sizeE2 } = plan
  let before = Infinity
  let atLimits = 0n
  let oneAbove: bigint | undefined
  for (const [place, leg] of plan.legs.entries()) {
    const { grid, venue, offers, minE2, stepE2, delayMs } = legs[of(leg)]!
    const turn = (minE2 > stepE2 ? 10_000 : 0) + delayMs
    must(turn <= before, 'what has a least size, or the venue that holds orders back, goes later')
    before = turn
    let units = 0
    const worst = offers.find(([, size]) => (units += size) >= sizeE2)![0]
    const { limitE4 } = leg
    const index = lowest(GRIDS[grid], limitE4)
    must(GRIDS[grid][index] === limitE4, `${limitE4} is no price`)
    must(leg.sizeE2 === sizeE2, 'unequal shares')
    must(place === 0 ? limitE4 === worst : limitE4 >= worst, 'a limit below what was planned')
    if (limitE4 > worst) seen.raised++
    const next = GRIDS[grid][index + 1]
    oneAbove = next === undefined ? undefined : atLimits + worstOrder(venue, next, sizeE2)
    atLimits += worstOrder(venue, limitE4, sizeE2)
    if (venue !== 'poly') continue
    // What exec makes of it: whole cents, at least the planned shares, at most a cent more than the limit allows.
    const amounts = orderAmounts(leg, { tickE4: Number(grid), minSizeE2: minE2 })
    must(amounts.sizeE2 >= sizeE2 && amounts.makerE6 % 10_000n === 0n, 'cannot be expressed')
    must(amounts.makerE6 - BigInt(limitE4 * sizeE2) < 10_000n, 'spends more')
  }
  must(atLimits <= payout, 'within its limits the plan can lose')
  must(oneAbove === undefined || oneAbove > payout, 'the last leg could bear more')
}

describe('the net edge of any books', () => {
  it('is never above an exact recomputation and below it by less than the reserve; the size is the largest that clears', () => {
    fc.assert(fc.property(cases, isRight), { numRuns: 100 })
  })

  it.each(['kalshi', 'poly'] as const)('control: without the fees of %s that property fails', (hidden) => {
    expect(fc.check(edgeIsHonest(hidden), { numRuns: 300, seed: 7 }).failed).toBe(true)
    expect(fc.check(edgeIsHonest(), { numRuns: 300, seed: 7 }).failed).toBe(false)
  })

  it('is of plans enough, of two and of three legs, and on every grid', () => {
    fc.assert(fc.property(cases, isRight), { numRuns: 600, seed: 11 })
    for (const [name, count] of Object.entries(seen)) expect(count, name).toBeGreaterThan(25)
  })
})
