/**
 * What each leg of a plan may pay. Every leg: the worst level that it was planned through. Once the opening one stands, a
 * hedge without profit is better than none, so the later legs share the plan's net edge: the first of two to come may
 * give up half of it, the last one all that is left, up to the highest price of its grid. A limit above the levels of the
 * plan is never so high that the plan would lose by it.
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
    if (limitE4 > leg.limitE4) leftMicros -= worstMicros(limitE4) - plannedMicros
    return { ...leg, limitE4 }
  })
}
