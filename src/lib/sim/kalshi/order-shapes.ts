/** Kalshi's JSON shapes for orders, fills and positions, in REST and on the account's channels. */

import { complementE4, formatScaled } from '../../model/price.js'
import { remainingE2, statusOf, type KalshiFill, type KalshiOrder } from './order.js'
import type { KalshiPosition } from './subaccount.js'

const dollars = (priceE4: number) => formatScaled(priceE4, 4)
const count = (sizeE2: number) => formatScaled(sizeE2, 2)
const money = (micros: number) => formatScaled(micros, 6)
const iso = (unixMs: number) => new Date(unixMs).toISOString()
const outcomeOf = ({ side }: KalshiOrder) => (side === 'bid' ? 'yes' : 'no')

/** What REST and the channel `user_orders` say alike. */
function orderFields(order: KalshiOrder): Readonly<Record<string, unknown>> {
  const { clientOrderId, expiresMs, groupId } = order
  return {
    book_side: order.side,
    ...(clientOrderId !== undefined && { client_order_id: clientOrderId }),
    created_time: iso(order.createdMs),
    exchange_index: order.market.exchangeIndex,
    ...(expiresMs !== undefined && { expiration_time: iso(expiresMs) }),
    fill_count_fp: count(order.filledE2),
    initial_count_fp: count(order.countE2),
    maker_fees_dollars: money(order.maker.feesMicros),
    maker_fill_cost_dollars: money(order.maker.costMicros),
    ...(groupId !== undefined && { order_group_id: groupId }),
    order_id: order.orderId,
    outcome_side: outcomeOf(order),
    remaining_count_fp: count(remainingE2(order)),
    self_trade_prevention_type: order.selfTrade,
    side: outcomeOf(order),
    status: statusOf(order),
    subaccount_number: order.subaccount,
    taker_fees_dollars: money(order.taker.feesMicros),
    taker_fill_cost_dollars: money(order.taker.costMicros),
    ticker: order.market.id,
    yes_price_dollars: dollars(order.priceE4),
  }
}

export function orderShape(order: KalshiOrder, userId: string): unknown {
  return {
    ...orderFields(order),
    action: 'buy',
    ...(order.cancelOnPause && { cancel_order_on_pause: true }),
    last_update_time: iso(order.updatedMs),
    no_price_dollars: dollars(complementE4(order.priceE4)),
    type: 'limit',
    user_id: userId,
  }
}

/** On the channel `user_orders`. */
export function userOrderMessage(order: KalshiOrder, userId: string): unknown {
  return {
    ...orderFields(order),
    created_ts_ms: order.createdMs,
    ...(order.expiresMs !== undefined && { expiration_ts_ms: order.expiresMs }),
    is_yes: order.side === 'bid',
    user_id: userId,
  }
}

/** What REST and the channel `fill` say alike. */
function fillFields({ order, ...fill }: KalshiFill): Readonly<Record<string, unknown>> {
  return {
    action: 'buy',
    book_side: order.side,
    count_fp: count(fill.countE2),
    exchange_index: order.market.exchangeIndex,
    fee_cost: money(fill.feeMicros),
    is_taker: fill.isTaker,
    market_ticker: order.market.id,
    order_id: order.orderId,
    outcome_side: outcomeOf(order),
    side: outcomeOf(order),
    trade_id: fill.tradeId,
    ts: Math.floor(fill.createdMs / 1000),
    yes_price_dollars: dollars(fill.yesPriceE4),
  }
}

export function fillShape(fill: KalshiFill): unknown {
  return {
    ...fillFields(fill),
    created_time: iso(fill.createdMs),
    fill_id: fill.tradeId,
    no_price_dollars: dollars(complementE4(fill.yesPriceE4)),
    subaccount_number: fill.order.subaccount,
    ticker: fill.order.market.id,
  }
}

/** On the channel `fill`. */
export function fillMessage(fill: KalshiFill, postPositionE2: number): unknown {
  const { clientOrderId } = fill.order
  return {
    ...fillFields(fill),
    ...(clientOrderId !== undefined && { client_order_id: clientOrderId }),
    post_position_fp: count(postPositionE2),
    purchased_side: outcomeOf(fill.order),
    subaccount: fill.order.subaccount,
    ts_ms: fill.createdMs,
  }
}

export function positionShape(position: KalshiPosition, restingOrders: number): unknown {
  return {
    exchange_index: position.market.exchangeIndex,
    fees_paid_dollars: money(position.feesMicros),
    last_updated_ts: iso(position.updatedMs),
    market_exposure_dollars: money(position.costMicros),
    position_fp: count(position.positionE2),
    realized_pnl_dollars: money(position.realizedMicros),
    resting_orders_count: restingOrders,
    ticker: position.market.id,
    total_traded_dollars: money(position.tradedMicros),
  }
}

/** On the channel `market_positions`. */
export function positionMessage(position: KalshiPosition, userId: string, subaccount: number): unknown {
  return {
    user_id: userId,
    market_ticker: position.market.id,
    position_fp: count(position.positionE2),
    position_cost_dollars: money(position.costMicros),
    realized_pnl_dollars: money(position.realizedMicros),
    fees_paid_dollars: money(position.feesMicros),
    position_fee_cost_dollars: money(position.feesMicros),
    volume_fp: count(position.volumeE2),
    subaccount,
  }
}

export function eventPositionShape(eventTicker: string, positions: readonly KalshiPosition[]): unknown {
  const sum = (pick: (position: KalshiPosition) => number) =>
    positions.reduce((total, p) => total + pick(p), 0)
  return {
    event_exposure_dollars: money(sum((p) => p.costMicros)),
    event_ticker: eventTicker,
    fees_paid_dollars: money(sum((p) => p.feesMicros)),
    realized_pnl_dollars: money(sum((p) => p.realizedMicros)),
    total_cost_dollars: money(sum((p) => p.tradedMicros)),
    total_cost_shares_fp: count(sum((p) => p.volumeE2)),
  }
}
