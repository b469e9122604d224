/**
 * The edge of one pair in one orientation: buy an outcome on each venue such that exactly one of them pays a dollar
 * whoever wins. Both asks are walked together at equal shares. Pure, integers only.
 *
 * Fees are charged per fill and rounded up; the plan reserves that rounding once per level and venue, so its net edge
 * is never above the true one and below it by less than `reserveMicros`.
 */

import { takerFeeMicros } from '../model/fees.js'
import type { FeeSchedule } from '../model/fees.js'
import { ONE_E4, leastCommonMultiple } from '../model/price.js'
import { cappedLimitE4, isLimitOnGrid, isPriceGrid } from '../model/price-grid.js'
import type { GameMarket } from '../model/game.js'
import type { SignalLeg } from '../model/signal.js'
import type { Outcome } from '../model/venue.js'
import type { MarketPair, Orientation, PairLeg } from './market-pair.js'

export interface StrategyLimits {
  /** Least net edge per contract, micro-dollars: of the last share taken, and of the plan as a whole. */
  readonly minEdgeMicros: number
  /** Most contracts in one plan, x 100. */
  readonly maxSizeE2: number
  /**
   * Most gross edge per contract that is believed, micro-dollars. Real ones are cents; dozens of cents are what a pair
   * with its outcomes swapped looks like.
   */
  readonly maxEdgeMicros: number
}

export interface Plan {
  /** In the order they are to be sent; the second one's limit is break-even (`withHedgeCap`). */
  readonly legs: readonly [SignalLeg, SignalLeg]
  readonly sizeE2: number
  readonly grossEdgeMicros: number
  readonly feesMicros: number
  readonly netEdgeMicros: number
  /** What the plan pays when either team wins. */
  readonly worstPayoutMicros: number
  /** By how much the rounding of fees may have lowered the net edge: less than this. */
  readonly reserveMicros: number
  /** Net edge of the first share, micro-dollars per contract, rounded down: what re-arming compares. */
  readonly topEdgeMicros: number
}

/** Why there is no plan. */
export type NoPlanReason =
  /** Nobody offers one of the two outcomes. */
  | 'one_sided'
  /** The best prices leave less than the least edge after fees. */
  | 'no_edge'
  /** More than is believed: see `maxEdgeMicros`. */
  | 'implausible_edge'
  /** Less than a venue's least size, or than one step of both. */
  | 'below_min_size'
  /** The rounding of fees eats what is left. */
  | 'below_min_edge'
  /** Ticks, sizes or fees that no market has, or a limit between two prices: the grid changed under us. */
  | 'bad_market'

/** The best plan of a pair in one orientation, or why there is none. */
export function planOf(
  pair: MarketPair,
  orientation: Orientation,
  limits: StrategyLimits,
): Plan | NoPlanReason {
  const { kalshi, poly } = pair
  if (kalshi.book.askCount(orientation.kalshi) === 0 || poly.book.askCount(orientation.poly) === 0) {
    return 'one_sided'
  }
  const kalshiE4 = kalshi.book.askPriceE4(orientation.kalshi, 0)
  const polyE4 = poly.book.askPriceE4(orientation.poly, 0)
  const topE8 = marginE8(kalshi.market.fees, kalshiE4, poly.market.fees, polyE4)
  if (topE8 < limits.minEdgeMicros * E8) return 'no_edge'
  if ((ONE_E4 - kalshiE4 - polyE4) * 100 > limits.maxEdgeMicros) return 'implausible_edge'
  if (!isTradable(kalshi.market) || !isTradable(poly.market)) return 'bad_market'
  const stepE2 = leastCommonMultiple(kalshi.market.sizeStepE2, poly.market.sizeStepE2)
  const wantedE2 = profitableSizeE2(pair, orientation, limits)
  const sizeE2 = wantedE2 - (wantedE2 % stepE2)
  if (sizeE2 === 0 || sizeE2 < Math.max(kalshi.market.minSizeE2, poly.market.minSizeE2)) {
    return 'below_min_size'
  }
  const here = take(kalshi, orientation.kalshi, sizeE2)
  const there = take(poly, orientation.poly, sizeE2)
  if (!isOnGrid(here) || !isOnGrid(there)) return 'bad_market'
  const grossEdgeMicros = sizeE2 * ONE_E4 - here.costMicros - there.costMicros
  const feesMicros = here.feesMicros + there.feesMicros
  const netEdgeMicros = grossEdgeMicros - feesMicros
  if (netEdgeMicros * 100 < limits.minEdgeMicros * sizeE2) return 'below_min_edge'
  return {
    legs: withHedgeCap(inSendingOrder(here, there), sizeE2),
    sizeE2,
    grossEdgeMicros,
    feesMicros,
    netEdgeMicros,
    worstPayoutMicros: sizeE2 * ONE_E4,
    reserveMicros: here.reserveMicros + there.reserveMicros,
    topEdgeMicros: Math.floor(topE8 / E8),
  }
}

const E8 = 1e8

/**
 * Net edge of one more share at these prices, micro-dollars per contract x 10^8, exact: ppm x dollars^2 is micros, and
 * E4 x E4 prices bring the 10^8.
 */
function marginE8(feesHere: FeeSchedule, hereE4: number, feesThere: FeeSchedule, thereE4: number): number {
  const grossMicros = (ONE_E4 - hereE4 - thereE4) * 100
  return (
    grossMicros * E8 -
    feesHere.ratePpm * hereE4 * (ONE_E4 - hereE4) -
    feesThere.ratePpm * thereE4 * (ONE_E4 - thereE4)
  )
}

/** How many shares clear the least edge each, walking both depths at equal shares, at most the greatest size. */
function profitableSizeE2(pair: MarketPair, orientation: Orientation, limits: StrategyLimits): number {
  const { kalshi, poly } = pair
  const leastE8 = limits.minEdgeMicros * E8
  const hereCount = kalshi.book.askCount(orientation.kalshi)
  const thereCount = poly.book.askCount(orientation.poly)
  let here = 0
  let there = 0
  let hereLeftE2 = kalshi.book.askSizeE2(orientation.kalshi, 0)
  let thereLeftE2 = poly.book.askSizeE2(orientation.poly, 0)
  let sizeE2 = 0
  while (here < hereCount && there < thereCount && sizeE2 < limits.maxSizeE2) {
    const hereE4 = kalshi.book.askPriceE4(orientation.kalshi, here)
    const thereE4 = poly.book.askPriceE4(orientation.poly, there)
    if (marginE8(kalshi.market.fees, hereE4, poly.market.fees, thereE4) < leastE8) break
    const takenE2 = Math.min(hereLeftE2, thereLeftE2, limits.maxSizeE2 - sizeE2)
    sizeE2 += takenE2
    hereLeftE2 -= takenE2
    thereLeftE2 -= takenE2
    if (hereLeftE2 === 0) hereLeftE2 = kalshi.book.askSizeE2(orientation.kalshi, ++here)
    if (thereLeftE2 === 0) thereLeftE2 = poly.book.askSizeE2(orientation.poly, ++there)
  }
  return sizeE2
}

interface Taken {
  readonly leg: SignalLeg
  readonly market: GameMarket
  readonly costMicros: number
  readonly feesMicros: number
  readonly reserveMicros: number
  /** What rests at the limit or better. */
  readonly restingE2: number
  readonly takerDelayMs: number
}

/** What buying `sizeE2` of an outcome costs, best level first; the book holds at least that much. */
function take({ market, book }: PairLeg, outcome: Outcome, sizeE2: number): Taken {
  let leftE2 = sizeE2
  let costMicros = 0
  let feesMicros = 0
  let restingE2 = 0
  let limitE4 = 0
  let levels = 0
  while (leftE2 > 0) {
    limitE4 = book.askPriceE4(outcome, levels)
    const availableE2 = book.askSizeE2(outcome, levels)
    const takenE2 = Math.min(leftE2, availableE2)
    costMicros += limitE4 * takenE2
    feesMicros += takerFeeMicros(market.fees, limitE4, takenE2)
    restingE2 += availableE2
    leftE2 -= takenE2
    levels++
  }
  return {
    leg: { venue: market.venue, marketId: market.marketId, outcome, side: 'buy', limitE4, sizeE2 },
    market,
    costMicros,
    feesMicros,
    reserveMicros: levels * market.fees.roundUpToMicros,
    restingE2,
    takerDelayMs: market.takerDelayMs,
  }
}

/** The venue that holds orders back goes first, since its fill is the uncertain one; else the thinner book. */
function inSendingOrder(one: Taken, two: Taken): readonly [Taken, Taken] {
  const oneFirst =
    one.takerDelayMs === two.takerDelayMs
      ? one.restingE2 <= two.restingE2
      : one.takerDelayMs > two.takerDelayMs
  return oneFirst ? [one, two] : [two, one]
}

/**
 * The legs with their limits: the opening leg's is the worst level it was planned through; the other leg may pay up to
 * break-even, the highest price of its grid at which the whole plan still loses nothing. Once the first leg stands, a hedge without
 * profit is better than none.
 */
function withHedgeCap([opening, hedge]: readonly [Taken, Taken], sizeE2: number): [SignalLeg, SignalLeg] {
  const { leg, market, reserveMicros } = hedge
  const budgetMicros = sizeE2 * ONE_E4 - opening.costMicros - opening.feesMicros
  const affordable = (priceE4: number) =>
    priceE4 * sizeE2 + takerFeeMicros(market.fees, priceE4, sizeE2) + reserveMicros <= budgetMicros
  return [opening.leg, { ...leg, limitE4: cappedLimitE4(market, leg.outcome, leg.limitE4, affordable) }]
}

/** Numbers that the arithmetic above can be trusted with: a message from elsewhere said them. */
function isTradable(market: GameMarket): boolean {
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

/** The venue refuses a limit between two ticks; from one on the grid the hedge's cap stays on it. */
const isOnGrid = ({ leg, market }: Taken): boolean => isLimitOnGrid(market, leg.outcome, leg.limitE4)
