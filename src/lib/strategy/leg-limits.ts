/**
 * What each leg of a plan may pay. The opening leg: the worst level that it was planned through. Once it stands, a hedge
 * without profit is better than none, so the later legs share the plan's net edge: the first of them may give up half
 * of it (a third with three to come), the last one all that is left, up to the highest price of its grid. Whatever they
 * pay within these limits, the whole plan loses nothing.
 */

import { takerFeeMicros } from '../model/fees.js'
import { cappedLimitE4 } from '../model/price-grid.js'
import type { SignalLeg } from '../model/signal.js'
import type { Taken } from './depth.js'

/** The legs in the order they are sent in. `netEdgeMicros`: of the whole plan at the prices taken. */
export function withLimits(taken: readonly Taken[], sizeE2: number, netEdgeMicros: number): SignalLeg[] {
  let leftMicros = netEdgeMicros
  return taken.map(({ leg, market, costMicros, feesMicros, reserveMicros }, index) => {
    if (index === 0) return leg
    const plannedMicros = costMicros + feesMicros
    const budgetMicros = plannedMicros + Math.floor(leftMicros / (taken.length - index))
    const worstMicros = (priceE4: number) =>
      priceE4 * sizeE2 + takerFeeMicros(market.fees, priceE4, sizeE2) + reserveMicros
    const limitE4 = cappedLimitE4(
      market,
      leg.outcome,
      leg.limitE4,
      (priceE4) => worstMicros(priceE4) <= budgetMicros,
    )
    leftMicros -= Math.max(0, worstMicros(limitE4) - plannedMicros)
    return { ...leg, limitE4 }
  })
}
