/**
 * What each leg of a plan may pay. Every leg: the worst level that it was planned through. Once the opening one stands, a
 * hedge without profit is better than none, so the later legs share what the plan would leave if every leg paid its limit
 * for all of its shares: the first of two to come may give up half of it, the last one all, up to the highest price of
 * its grid. So a plan that is filled within its limits loses nothing, however its fills fall.
 */

import { CASH_UNIT_MICROS, FEE_ROUNDINGS, takerFeeMicros } from '../model/fees.js'
import type { GameMarket } from '../model/game.js'
import { cappedLimitE4 } from '../model/price-grid.js'
import type { SignalLeg } from '../model/signal.js'
import type { Taken } from './depth.js'

/**
 * The legs in the order they are sent in; undefined when the plan could lose at the worst levels that it takes. The last
 * share clears at just these levels, so it is the rounding of cash and fees alone that can bring that about.
 */
export function withLimits(
  taken: readonly Taken[],
  sizeE2: number,
  worstPayoutMicros: number,
): SignalLeg[] | undefined {
  let leftMicros = worstPayoutMicros
  for (const { market, leg } of taken) leftMicros -= costAtMicros(market, leg.limitE4, sizeE2)
  if (leftMicros < 0) return undefined
  return taken.map(({ leg, market }, index) => {
    if (index === 0) return leg
    const plannedMicros = costAtMicros(market, leg.limitE4, sizeE2)
    const budgetMicros = plannedMicros + Math.floor(leftMicros / (taken.length - index))
    const limitE4 = cappedLimitE4(
      market,
      leg.outcome,
      leg.limitE4,
      (priceE4) => costAtMicros(market, priceE4, sizeE2) <= budgetMicros,
    )
    leftMicros -= costAtMicros(market, limitE4, sizeE2) - plannedMicros
    return { ...leg, limitE4 }
  })
}

/** All shares at one price: whole cents, the fee of what they buy, and the rounding of several fills. */
function costAtMicros({ fees }: GameMarket, priceE4: number, sizeE2: number): number {
  const cashMicros = Math.ceil((priceE4 * sizeE2) / CASH_UNIT_MICROS) * CASH_UNIT_MICROS
  const feeMicros = takerFeeMicros(fees, priceE4, Math.ceil(cashMicros / priceE4))
  return cashMicros + feeMicros + FEE_ROUNDINGS * fees.roundUpToMicros
}
