/** What a plan holds of the limits, leg by leg, micro-dollars. */

import type { PlannedOrder } from '../model/admission.js'
import type { GameMarket } from '../model/game.js'
import type { SignalLeg } from '../model/signal.js'
import type { Outcome, Side } from '../model/venue.js'

export interface LegHold {
  /** Undefined, like its side, for what an earlier life left. */
  readonly market: GameMarket | undefined
  readonly side: Side | undefined
  readonly outcome: Outcome | undefined
  /** What the plan set aside for this leg; 0 once it is finished. */
  reservedMicros: number
  readonly orders: Map<string, number>
}

export interface PlanHold {
  readonly signalId: string
  readonly pair: string
  readonly gameId: string
  readonly isSale: boolean
  readonly legs: readonly LegHold[]
  open: boolean
}

export function sum(orders: ReadonlyMap<string, number>): number {
  let micros = 0
  for (const value of orders.values()) micros += value
  return micros
}

/** While a leg is open it counts its reservation or its orders, whichever is more. */
export const legMicros = (leg: LegHold): number => Math.max(leg.reservedMicros, sum(leg.orders))
export const planMicros = (plan: PlanHold): number =>
  plan.legs.reduce((micros, leg) => micros + legMicros(leg), 0)

/** What a leg has set aside beyond its orders; nothing once they have used it up. */
export function plannedOrder({ market, reservedMicros, orders }: LegHold): PlannedOrder[] {
  const worstMicros = reservedMicros - sum(orders)
  return market === undefined || worstMicros <= 0 ? [] : [{ market, worstMicros }]
}

/** Whether one of its legs is to take what is offered of this outcome. */
export const takes = ({ legs }: PlanHold, { venue, marketId, outcome }: SignalLeg): boolean =>
  legs.some(
    (leg) => leg.market?.venue === venue && leg.market.marketId === marketId && leg.outcome === outcome,
  )

/** Whether one of its legs is in this market. */
export const isIn = ({ legs }: PlanHold, { venue, marketId }: GameMarket): boolean =>
  legs.some(({ market }) => market?.venue === venue && market.marketId === marketId)
