/** From a leg of a plan to the request of one attempt at it: the same attempt is always the same order. */

import { orderIdOf } from '../model/order.js'
import type { OrderRequest } from '../model/order.js'
import type { Signal } from '../model/signal.js'
import type { Execution } from './execution.js'

/** Undefined when the plan has no such leg. */
export function orderRequestOf(
  { env, mode, gateways }: Pick<Execution, 'env' | 'mode' | 'gateways'>,
  { signal, signalMs }: { readonly signal: Signal; readonly signalMs: number },
  { leg, attempt, sizeE2 }: Pick<OrderRequest, 'leg' | 'attempt' | 'sizeE2'>,
): OrderRequest | undefined {
  const planned = signal.legs[leg]
  if (planned === undefined) return undefined
  const { venue, marketId, outcome, side, limitE4 } = planned
  const { account } = gateways[venue]
  const orderId = orderIdOf({ env, mode, account, signalId: signal.id, leg, attempt })
  return {
    orderId,
    signalId: signal.id,
    leg,
    attempt,
    venue,
    marketId,
    outcome,
    side,
    limitE4,
    sizeE2,
    signalMs,
  }
}
