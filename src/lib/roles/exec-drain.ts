/** The end of exec's work at a stop: open plans end by themselves, within bounds. */

import type { OrderRunner } from '../execution/order-runner.js'
import type { PlanRunner } from '../execution/plan-runner.js'
import type { OrderGateway } from '../venues/ports.js'

export interface DrainTiming {
  /** Open plans and the money of their fills have so long to end by themselves; then their waits are cut. */
  readonly drainMs: number
  /** Requests that a venue leaves unanswered have so long after that; then their connections are closed. */
  readonly cutMs: number
}

/**
 * A plan that opened right before the stop: a delay of 3 s, 2.5 s until its trades stand still, 3 s for a slow second
 * leg, and its money.
 */
export const DRAIN_TIMING: DrainTiming = { drainMs: 12_000, cutMs: 1_000 }

export interface DrainedWork {
  readonly plans: Pick<PlanRunner, 'idle'>
  readonly orders: Pick<OrderRunner, 'settled' | 'settlements' | 'later'>
  readonly gateways: readonly OrderGateway[]
  /** Cuts every wait of execution: what is unknown then stays unknown, on record for the next start. */
  readonly cut: AbortController
}

/** Never longer than both times together and what the ledger takes: a venue that hangs is left. */
export async function drain(
  { plans, orders, gateways, cut }: DrainedWork,
  timing: DrainTiming,
): Promise<void> {
  const { drainMs, cutMs } = timing
  const waits = setTimeout(() => cut.abort(), drainMs)
  const requests = setTimeout(() => {
    for (const gateway of gateways) gateway.close().catch(() => undefined)
  }, drainMs + cutMs)
  await plans.idle()
  await orders.later.leave()
  await orders.settled()
  await orders.settlements.leave()
  clearTimeout(waits)
  clearTimeout(requests)
}
