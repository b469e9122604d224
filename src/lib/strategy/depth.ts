/** The books of a combination's legs, walked together at equal shares. Pure, integers only. */

import { takerFeeMicros } from '../model/fees.js'
import type { GameMarket } from '../model/game.js'
import { ONE_E4 } from '../model/price.js'
import type { SignalLeg } from '../model/signal.js'
import type { Combination, CombinationLeg } from './combination.js'

export const E8 = 1e8

/**
 * Net edge of one more share at these levels, one of each leg, micro-dollars per contract x 10^8, exact: ppm x
 * dollars^2 is micros, and E4 x E4 prices bring the 10^8.
 */
export function marginE8({ legs, payoutMicros }: Combination, levels: readonly number[]): number {
  let grossMicros = payoutMicros
  let feesE8 = 0
  for (const [index, { of, outcome }] of legs.entries()) {
    const priceE4 = of.book.askPriceE4(outcome, levels[index] ?? 0)
    grossMicros -= priceE4 * 100
    feesE8 += of.market.fees.ratePpm * priceE4 * (ONE_E4 - priceE4)
  }
  return grossMicros * E8 - feesE8
}

/** How many shares clear `leastE8` each, walking all depths at equal shares, at most `maxSizeE2`. */
export function profitableSizeE2(combination: Combination, leastE8: number, maxSizeE2: number): number {
  const { legs } = combination
  const levels = legs.map(() => 0)
  const leftE2 = legs.map(({ of, outcome }) => of.book.askSizeE2(outcome, 0))
  let sizeE2 = 0
  while (sizeE2 < maxSizeE2 && marginE8(combination, levels) >= leastE8) {
    const takenE2 = Math.min(maxSizeE2 - sizeE2, ...leftE2)
    sizeE2 += takenE2
    for (const [index, { of, outcome }] of legs.entries()) {
      const restE2 = (leftE2[index] ?? 0) - takenE2
      leftE2[index] = restE2
      if (restE2 > 0) continue
      const level = (levels[index] ?? 0) + 1
      if (level >= of.book.askCount(outcome)) return sizeE2
      levels[index] = level
      leftE2[index] = of.book.askSizeE2(outcome, level)
    }
  }
  return sizeE2
}

/** What taking a leg's share of a plan comes to. */
export interface Taken {
  /** Its limit is the worst level taken. */
  readonly leg: SignalLeg
  readonly market: GameMarket
  readonly costMicros: number
  readonly feesMicros: number
  readonly reserveMicros: number
  /** What rests at the limit or better. */
  readonly restingE2: number
}

/** What buying `sizeE2` of an outcome costs, best level first; the book holds at least that much. */
export function takeFrom({ of: { market, book }, outcome }: CombinationLeg, sizeE2: number): Taken {
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
  }
}
