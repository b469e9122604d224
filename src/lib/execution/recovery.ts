/**
 * At start, before any entry: what earlier lives left in the ledger counts again, and the venues are asked what became
 * of every order in flight. One that nobody can tell about stays unknown and counts as filled. A plan that broke off
 * between its legs is not taken up again: what it left unhedged is quarantined.
 */

import { spentMicros, worstOrderMicros } from '../risk/limits.js'
import type { OrderOutcome } from '../venues/ports.js'
import { isFinalOutcome, queryOnce } from './execution.js'
import type { Execution } from './execution.js'
import { isInFlight } from './ledger-history.js'
import type { LedgerOrder, LedgerPlan, SeenDetail } from './ledger-history.js'
import { orderRequestOf } from './order-request.js'
import type { OrderRunner } from './order-runner.js'
import { endPlan } from './plan-end.js'
import type { PlanContext } from './plan.js'
import { tryAppend } from './record.js'
import type { LegFill } from './sizes.js'

export interface Recovered {
  /** Orders that were in flight. */
  readonly inFlight: number
  /** Of these, how many stay unknown. */
  readonly unknown: number
  /** Signals that were seen and never decided. */
  readonly interrupted: number
}

/** Throws `LEDGER_CORRUPT` when the file holds what this program never wrote. */
export async function recover(execution: Execution, orders: OrderRunner): Promise<Recovered> {
  const { plans, interrupted, inFlight } = execution.ledger.history()
  for (const seen of interrupted) denyInterrupted(execution, seen)
  for (const plan of plans) restore(execution, plan)
  const unknown = await Promise.all(plans.map((plan) => resume(execution, orders, plan)))
  return {
    inFlight: inFlight.length,
    unknown: unknown.reduce((sum, count) => sum + count, 0),
    interrupted: interrupted.length,
  }
}

/** Nothing was sent for it and nothing will be: a recorded non-trade. */
function denyInterrupted(execution: Execution, { signal, signalMs, trace }: SeenDetail): void {
  const code = 'INTERRUPTED'
  tryAppend(execution, 'denied', { signalId: signal.id }, { code })
  execution.listener.onCount('denied', code)
  const sizeE2 = signal.legs[0]?.sizeE2 ?? 0
  const request = orderRequestOf(execution, { signal, signalMs }, { leg: 0, attempt: 0, sizeE2 })
  if (request !== undefined) {
    execution.listener.onOrder({ request, state: 'denied', reason: code, trace, stamps: {} })
  }
}

function restore({ risk }: Execution, plan: LedgerPlan): void {
  const { signal, orders, naked } = plan
  const exposure = new Map(orders.map((order) => [order.prepared.request.orderId, exposureOf(order)]))
  const { gameId, marketIds } = contextOf(plan)
  risk.restore({ signalId: signal.id, gameId, orders: exposure })
  // What waits for an outcome is judged again when it is known.
  if (naked && !orders.some(isInFlight)) risk.quarantinePair(marketIds, gameId)
}

function exposureOf(order: LedgerOrder): number {
  const { request, market } = order.prepared
  if (isInFlight(order)) return worstOrderMicros(market, request)
  if (order.money !== undefined) return spentMicros(request.side, order.money)
  const worst = worstOrderMicros(market, { ...request, sizeE2: Math.ceil(order.filledE6 / 10_000) })
  return order.filledE6 === 0 ? 0 : worst
}

/** Asks after what is open in one plan, then ends it; returns how many of its orders stay unknown. */
async function resume(execution: Execution, orders: OrderRunner, plan: LedgerPlan): Promise<number> {
  const context = contextOf(plan)
  const fills = await Promise.all(plan.orders.map((order) => resolveOrder(execution, orders, order, context)))
  const unknown = fills.filter((fill) => fill.unknown).length
  if (!plan.done || plan.orders.some(isInFlight)) {
    const byLeg = plan.signal.legs.map((_, leg): LegFill => {
      const own = fills.filter((_fill, index) => plan.orders[index]?.prepared.request.leg === leg)
      return {
        filledE6: own.reduce((sum, { filledE6 }) => sum + filledE6, 0),
        unknown: own.some((fill) => fill.unknown),
      }
    })
    const markets = plan.orders.map(({ prepared }) => prepared.market)
    endPlan(execution, { signal: plan.signal, ...context, markets, fills: byLeg })
  }
  return unknown
}

async function resolveOrder(
  execution: Execution,
  orders: OrderRunner,
  order: LedgerOrder,
  context: PlanContext,
): Promise<LegFill> {
  const { prepared, filledE6 } = order
  if (!isInFlight(order)) {
    takeUp(orders, order, context)
    return { filledE6, unknown: false }
  }
  const first = await firstAnswer(execution, order)
  const following = { context, latencyMs: () => 0, counted: order.counted }
  const { kind, filledE6: resolvedE6 } = await orders.follow(prepared, first, following)
  return { filledE6: resolvedE6, unknown: kind === 'unknown' }
}

/** One that the venue had acknowledged as delayed is polled like a fresh one, whatever it says first. */
async function firstAnswer(execution: Execution, order: LedgerOrder): Promise<OrderOutcome> {
  const { prepared, venueOrderId } = order
  const answer = await queryOnce(execution, prepared)
  if (isFinalOutcome(answer) || prepared.acknowledged !== true || venueOrderId === undefined) return answer
  const { filledE6 } = answer
  return { kind: 'delayed', venueOrderId, ...(filledE6 === undefined ? {} : { filledE6 }) }
}

/** A fill whose money was not known when exec ended, or that was not final. */
function takeUp(orders: OrderRunner, order: LedgerOrder, context: PlanContext): void {
  const { prepared, state, filledE6, venueOrderId, money, settled, voidedE6 } = order
  if ((state !== 'filled' && state !== 'partial') || venueOrderId === undefined) return
  const fill = { status: state, prepared, filledE6, venueOrderId, context, latencyMs: 0 } as const
  if (money === undefined) orders.pay(fill)
  else if (!settled) orders.settlements.follow({ ...fill, ...money, voidedE6 })
}

const contextOf = ({ signal, trace }: LedgerPlan): PlanContext => ({
  gameId: signal.gameId,
  marketIds: signal.legs.map(({ marketId }) => marketId),
  trace,
  stamps: {},
})
