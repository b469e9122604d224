/** What a venue's answer says about an immediate-or-cancel order. */

import { parseScaled } from '../../model/price.js'
import { sanitize } from '../../core/sanitize.js'
import type { OrderOutcome, PreparedOrder, Withheld } from '../ports.js'
import { namesGroup } from './order-groups.js'
import type { RestResult } from './rest-result.js'
import { textOf, type JsonObject } from './wire.js'

/** 4xx by which the venue says that it did nothing; a timeout (408) or a conflict (409) does not say that. */
const REFUSALS: ReadonlySet<number> = new Set([400, 401, 402, 403, 404, 405, 410, 413, 415, 422, 451])
/** It arrived before, and may have filled. */
const EXISTS = 'order_already_exists'
/** The other conflicts that are known, which mean no trade. */
const CONFLICT_REFUSALS: ReadonlySet<string> = new Set([
  'fill_or_kill_insufficient_resting_volume',
  'trading_is_paused',
  'exchange_is_paused',
  'market_closed',
])

const unknown = (reason: string): OrderOutcome => ({ kind: 'unknown', reason })

/** The reply to the create call. */
export function outcomeOfCreate(result: RestResult, prepared: PreparedOrder): OrderOutcome | Withheld {
  if (result.kind === 'ok') return outcomeOfAccepted(result.status, result.body, prepared)
  if (result.kind === 'failed') {
    const { reason, detail, handedOver } = result
    if (reason === 'withheld') return { kind: reason }
    return handedOver
      ? unknown(`${reason}: ${detail}`)
      : { kind: 'rejected', code: 'not_sent', message: `no byte was sent: ${reason}: ${detail}` }
  }
  const { status, error } = result
  const { code, message } = error
  const isRefusal =
    status === 429 ||
    (error.isVenues && REFUSALS.has(status)) ||
    (status === 409 && error.isVenues && isRefusedConflict(code, message))
  return isRefusal ? { kind: 'rejected', code, message } : unknown(`HTTP ${status} ${code}: ${message}`)
}

/** Whatever else the words say, an order that its group refuses is not let in. */
const isRefusedConflict = (code: string, message: string): boolean =>
  CONFLICT_REFUSALS.has(code) || (code !== EXISTS && namesGroup(`${code} ${message}`))

function outcomeOfAccepted(status: number, body: JsonObject, prepared: PreparedOrder): OrderOutcome {
  if (status !== 200 && status !== 201) return unknown(`HTTP ${status} to a create`)
  const venueOrderId = textOf(body['order_id'])
  if (venueOrderId === undefined) return unknown('the reply has no order_id')
  const named = body['client_order_id']
  if (named !== undefined && named !== prepared.request.orderId)
    return unknown('the reply is about another order')
  return byFill(venueOrderId, body['fill_count'], prepared)
}

/** An entry of `GET /portfolio/orders`. That list lags: an order it shows resting, which an IOC never does, is unknown. */
export function outcomeOfListed(order: JsonObject, prepared: PreparedOrder): OrderOutcome {
  const { status } = order
  if (status !== 'executed' && status !== 'canceled') {
    return unknown(`the venue lists the order as ${sanitize(textOf(status) ?? 'nothing', 20)}`)
  }
  const venueOrderId = textOf(order['order_id'])
  if (venueOrderId === undefined) return unknown('the listed order has no order_id')
  return byFill(venueOrderId, order['fill_count_fp'], prepared)
}

/** The channel's last word on an order. */
export const outcomeOfEnd = (
  { venueOrderId, filledE6 }: { readonly venueOrderId: string; readonly filledE6: number },
  prepared: PreparedOrder,
): OrderOutcome => byCount(venueOrderId, filledE6, prepared)

function byFill(venueOrderId: string, count: unknown, prepared: PreparedOrder): OrderOutcome {
  return byCount(venueOrderId, typeof count === 'string' ? parseScaled(count, 6) : undefined, prepared)
}

/** By what was filled of what was asked: `remaining_count` is zero for every immediate-or-cancel order. */
function byCount(
  venueOrderId: string,
  filledE6: number | undefined,
  { sizeE2 }: PreparedOrder,
): OrderOutcome {
  const askedE6 = sizeE2 * 10_000
  if (filledE6 === undefined || filledE6 < 0 || filledE6 > askedE6) {
    return unknown(`order ${sanitize(venueOrderId, 64)} has no possible fill count`)
  }
  if (filledE6 === 0) return { kind: 'none', venueOrderId }
  return { kind: filledE6 === askedE6 ? 'filled' : 'partial', venueOrderId, filledE6 }
}
