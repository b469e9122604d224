/** What execution tells, as messages on `orders.` and `trades.`, counters and latencies. */

import type { Channel } from '../bus/channel.js'
import type { Publisher } from '../bus/publisher.js'
import type { ExecutionListener, OrderUpdate, PlanStamps, TradeUpdate } from '../execution/plan.js'
import { orderFields } from '../messages/convert.js'
import type { OrdersPayload, TradesPayload } from '../messages/payloads.js'
import { ORDERS_SOURCE, TRADES_SOURCE } from '../messages/sources.js'
import { formatTopic } from '../messages/topics.js'
import type { OrderRequest } from '../model/order.js'
import type { Mode } from '../model/venue.js'
import type { Histogram } from '../telemetry/histogram.js'
import type { RoleContext } from './role.js'

/**
 * Publishes `orders.<venue>.<order id>` for each state and `trades.<status>.<order id>` for each outcome.
 *
 * `orders` counts order requests that the venue did not refuse, once their outcome is known or given up: so it equals
 * the venue's own count. Refused ones are `rejected:<code>`. `fills` counts orders of which something has filled for
 * certain, once each, also while the rest is unknown.
 */
export class ExecMessages implements ExecutionListener {
  private readonly orders: Channel
  private readonly trades: Channel

  constructor(
    private readonly context: RoleContext,
    private readonly mode: Mode,
    publisher: Publisher,
    /** From the arrival of the triggering quote to the bytes of the opening order. */
    private readonly tickToOrder: Histogram,
  ) {
    this.orders = publisher.channel(ORDERS_SOURCE)
    this.trades = publisher.channel(TRADES_SOURCE)
  }

  onOrder({ request, state, reason, checks, venueOrderId, trace, stamps }: OrderUpdate): void {
    const payload: OrdersPayload = {
      mode: this.mode,
      ...orderFields(request),
      state,
      ...(reason === undefined ? {} : { reason }),
      ...(checks === undefined ? {} : { checks }),
      ...(venueOrderId === undefined ? {} : { venue_order_id: venueOrderId }),
    }
    const topic = formatTopic({ family: 'orders', scope: request.venue, id: request.orderId })
    this.orders.publish(topic, payload, { trace, stamps })
  }

  onTrade(update: TradeUpdate): void {
    const { request, status, trace, stamps } = update
    const payload: TradesPayload = {
      mode: this.mode,
      order_id: request.orderId,
      signal_id: request.signalId,
      leg: request.leg,
      status,
      filled_size: update.filledE6 / 1e6,
      cash_micros: update.cashMicros,
      fees_micros: update.feesMicros,
      venue_trade_ids: update.venueTradeIds,
      latency_ms: update.latencyMs,
    }
    const topic = formatTopic({ family: 'trades', scope: status, id: request.orderId })
    this.trades.publish(topic, payload, { trace, stamps })
  }

  onCount(name: string, reason?: string): void {
    this.context.counters.add(name, reason)
  }

  onBytes({ leg, attempt }: OrderRequest, { recv, order }: PlanStamps): void {
    const opening = leg === 0 && attempt === 0
    if (opening && recv !== undefined && order !== undefined) this.tickToOrder.record(order - recv)
  }

  onAlarm(text: string): void {
    this.context.log.error(text)
  }
}
