/**
 * The edge of one combination: what it pays at worst, less what buying equal shares of every leg costs, walked through
 * all their books together. Pure, integers only.
 *
 * Fees are charged per fill and rounded up; the net edge is of one fill a level. It is then never above the edge without
 * any rounding, and below it by less than `reserveMicros`. A level that several resting orders make up costs a rounding
 * for each of them: a hundred of one contract at Kalshi up to a cent more. Limits leave room for ten in each leg.
 */

import type { SignalLeg } from '../model/signal.js'
import { leastCommonMultiple } from '../model/price.js'
import { isLimitOnGrid, isPriceGrid } from '../model/price-grid.js'
import type { GameMarket } from '../model/game.js'
import { hasFloor } from './combination.js'
import type { Combination, CombinationLeg } from './combination.js'
import { E8, marginE8, profitableSizeE2, takeFrom } from './depth.js'
import type { Taken } from './depth.js'
import { withLimits } from './leg-limits.js'

export interface StrategyLimits {
  /** Least net edge per contract, micro-dollars: of the last share taken, and of the plan as a whole. */
  readonly minEdgeMicros: number
  /**
   * The least edge grows by this, micro-dollars per contract, for each second that a venue holds an order of the plan
   * before it matches. Whoever rests there sees the price move meanwhile and takes back what has become dear to him: we
   * are filled where it moved against us. An even game with R seconds left moves by about $0.40 / sqrt(R) a second (one
   * standard deviation of a normal walk), a cent at half-time of basketball, and what of it is against us is 0.4 of
   * that on average, less where one team is ahead: about a quarter of a cent.
   */
  readonly delayCostMicrosPerS: number
  /** Most contracts in one plan, x 100. */
  readonly maxSizeE2: number
  /**
   * Most gross edge per contract that is believed, micro-dollars. Real ones are cents; dozens of cents are what a pair
   * with its outcomes swapped looks like.
   */
  readonly maxEdgeMicros: number
}

export interface Plan {
  /** In the order they are to be sent, with limits as `withLimits` sets them. */
  readonly legs: readonly SignalLeg[]
  readonly sizeE2: number
  readonly grossEdgeMicros: number
  readonly feesMicros: number
  readonly netEdgeMicros: number
  /** What the plan pays at worst. */
  readonly worstPayoutMicros: number
  /** By how much the rounding of fees, one fill a level, may have lowered the net edge: less than this. */
  readonly reserveMicros: number
  /** Net edge of the first share, micro-dollars per contract, rounded down: what re-arming compares. */
  readonly topEdgeMicros: number
}

/** Why there is no plan. */
export type NoPlanReason =
  /** Nobody offers one of the outcomes. */
  | 'one_sided'
  /** The best prices leave less than the least edge after fees. */
  | 'no_edge'
  /** More than is believed: see `maxEdgeMicros`. */
  | 'implausible_edge'
  /** Less than a venue's least size, or than one step of all. */
  | 'below_min_size'
  /** The rounding of fees and of cash eats what is left, as planned or at the limits. */
  | 'below_min_edge'
  /** Ticks, sizes or fees that no market has, or a limit between two prices: the grid changed under us. */
  | 'bad_market'

/** The best plan of a combination, or why there is none. */
export function planOf(combination: Combination, limits: StrategyLimits): Plan | NoPlanReason {
  const { legs, payoutMicros } = combination
  let topCostE4 = 0
  for (const { of, outcome } of legs) {
    if (of.book.askCount(outcome) === 0) return 'one_sided'
    topCostE4 += of.book.askPriceE4(outcome, 0)
  }
  const leastMicros = leastEdgeMicros(combination, limits)
  const topE8 = marginE8(combination, FIRST_LEVELS)
  if (topE8 < leastMicros * E8) return 'no_edge'
  if (payoutMicros - topCostE4 * 100 > limits.maxEdgeMicros) return 'implausible_edge'
  if (!legs.every(isTradable)) return 'bad_market'
  const stepE2 = legs.reduce((step, { of }) => leastCommonMultiple(step, of.market.sizeStepE2), 1)
  const leastE2 = Math.max(stepE2, ...legs.map(({ of }) => of.market.minSizeE2))
  const wantedE2 = profitableSizeE2(combination, leastMicros * E8, limits.maxSizeE2)
  const sizeE2 = wantedE2 - (wantedE2 % stepE2)
  if (sizeE2 < leastE2) return 'below_min_size'
  const taken = legs.map((leg) => takeFrom(leg, sizeE2))
  if (!taken.every(isOnGrid)) return 'bad_market'
  const worstPayoutMicros = (sizeE2 * payoutMicros) / 100
  const grossEdgeMicros = worstPayoutMicros - sum(taken, ({ costMicros }) => costMicros)
  const feesMicros = sum(taken, (leg) => leg.feesMicros)
  const netEdgeMicros = grossEdgeMicros - feesMicros
  if (netEdgeMicros * 100 < leastMicros * sizeE2) return 'below_min_edge'
  const limited = withLimits(inSendingOrder(taken), sizeE2, worstPayoutMicros)
  if (limited === undefined) return 'below_min_edge'
  return {
    legs: limited,
    sizeE2,
    grossEdgeMicros,
    feesMicros,
    netEdgeMicros,
    worstPayoutMicros,
    reserveMicros: sum(taken, (leg) => leg.reserveMicros),
    topEdgeMicros: Math.floor(topE8 / E8),
  }
}

const FIRST_LEVELS = [0, 0, 0] as const

/** How long the venues hold the orders of a combination, one after the other, ms. */
export const delayMs = ({ legs }: Combination): number => sum(legs, ({ of }) => of.market.takerDelayMs)

const leastEdgeMicros = (combination: Combination, { minEdgeMicros, delayCostMicrosPerS }: StrategyLimits) =>
  minEdgeMicros + Math.ceil((delayMs(combination) * delayCostMicrosPerS) / 1000)

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  let total = 0
  for (const item of items) total += of(item)
  return total
}

/**
 * The market with a least size goes first, since it could not follow a part of it; then the venue that holds orders
 * back, since its fill is the uncertain one; then the thinner book.
 */
const inSendingOrder = (taken: readonly Taken[]): readonly Taken[] =>
  [...taken].sort(
    (a, b) =>
      Number(hasFloor(b.market)) - Number(hasFloor(a.market)) ||
      b.market.takerDelayMs - a.market.takerDelayMs ||
      a.restingE2 - b.restingE2,
  )

/** Numbers that the arithmetic above can be trusted with: a message from elsewhere said them. */
function isTradable({ of: { market } }: CombinationLeg): boolean {
  const { sizeStepE2, minSizeE2, fees } = market
  return (
    isPriceGrid(market) &&
    isPositive(sizeStepE2) &&
    isPositive(minSizeE2) &&
    Number.isSafeInteger(fees.ratePpm) &&
    fees.ratePpm >= 0 &&
    isPositive(fees.roundUpToMicros)
  )
}

const isPositive = (value: number): boolean => Number.isSafeInteger(value) && value > 0

/** The venue refuses a limit between two ticks; from one on the grid a cap stays on it. */
const isOnGrid = ({ leg, market }: { readonly leg: SignalLeg; readonly market: GameMarket }): boolean =>
  isLimitOnGrid(market, leg.outcome, leg.limitE4)
