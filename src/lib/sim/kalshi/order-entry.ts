/** V2 order entry: everything the venue checks, then a match against the book; what is left rests or is canceled. */

import { randomUUID } from 'node:crypto'
import { formatScaled } from '../../model/price.js'
import type { Exchange } from '../exchange.js'
import type { KalshiMarket } from '../market.js'
import { planContracts, sumE6, type Plan, type TakerOrder } from '../matching.js'
import { takesPrice } from '../price-structure.js'
import type { StatsCounter } from '../stats.js'
import type { KalshiAccount } from './account.js'
import { exchangeError, invalidOrder, isRefusal, kalshiError, type KalshiRefusal } from './errors.js'
import type { ExchangeState } from './exchange-state.js'
import { remainingE2, type KalshiFill, type KalshiOrder } from './order.js'
import type { OrderDesk } from './order-desk.js'
import { invalid, parseOrderRequest, type OrderRequestV2 } from './order-request.js'
import type { Subaccount } from './subaccount.js'

/** Wall ms after which reads show what the create reply already told. */
const ORDER_READ_LAG_MS = 800

interface Accepted {
  readonly status: 200 | 201
  readonly body: unknown
}

interface Admitted extends OrderRequestV2 {
  readonly market: KalshiMarket
  /** Whose money it is for. */
  readonly payer: Subaccount
  readonly priceE4: number
  /** What it may fill: less than its count when it only reduces. */
  readonly wantedE2: number
  readonly taker: TakerOrder
}

export class OrderEntry {
  constructor(
    private readonly exchange: Exchange,
    private readonly state: ExchangeState,
    private readonly desk: OrderDesk,
    private readonly stats: StatsCounter,
  ) {}

  /** Handles one create request of a key that may write. */
  create(account: KalshiAccount, body: string): Accepted | KalshiRefusal {
    const request = parseOrderRequest(body)
    const admitted = isRefusal(request) ? request : this.admit(account, request)
    if (isRefusal(admitted)) return admitted
    const { market, taker, wantedE2, clientOrderId, timeInForce } = admitted
    const plan = planContracts(this.exchange.bookOf(market), taker, wantedE2 * 10_000, {
      owner: account.name,
      cancels: admitted.selfTrade === 'maker' ? 'maker' : 'taker',
    })
    if (admitted.postOnly && crosses(plan)) return invalidOrder('post only cross')
    if (clientOrderId !== undefined) account.claim(clientOrderId)
    this.stats.countOrder()
    if (timeInForce === 'fill_or_kill' && sumE6(plan.fills) < wantedE2 * 10_000) {
      const code = 'fill_or_kill_insufficient_resting_volume'
      return kalshiError(409, code, code.replaceAll('_', ' '))
    }
    const order = newOrder(account, admitted, this.exchange.clock.nowMs())
    const rests = timeInForce === 'good_till_canceled'
    const fills = this.desk.execute(account, order, taker, plan, rests)
    return { status: 201, body: createReply(order, fills) }
  }

  /**
   * `DELETE /portfolio/events/orders/:id`. Without an exchange index the market's ticker says which shard; without
   * either it is shard 0.
   */
  cancel(
    account: KalshiAccount,
    orderId: string,
    route: {
      readonly ticker: string | undefined
      readonly exchangeIndex: number | undefined
      readonly subaccount: number
    },
  ): Accepted | KalshiRefusal {
    const order = account.order(orderId)
    const isRouted = route.exchangeIndex === undefined || route.exchangeIndex === -1
    const shard = isRouted
      ? (this.exchange.kalshiMarket(route.ticker ?? '')?.exchangeIndex ?? 0)
      : route.exchangeIndex
    const isThere = order?.market.exchangeIndex === shard && order.subaccount === route.subaccount
    if (!isThere) return exchangeError(404, 'not_found')
    const refusal = this.state.refuseChange(shard)
    if (refusal !== undefined) return refusal
    const reducedE2 = this.desk.cancel(account, order)
    if (reducedE2 === 0) return exchangeError(404, 'not_found')
    return {
      status: 200,
      body: {
        ...(order.clientOrderId !== undefined && { client_order_id: order.clientOrderId }),
        order_id: order.orderId,
        reduced_by: formatScaled(reducedE2, 2),
        ts_ms: order.updatedMs,
      },
    }
  }

  private admit(account: KalshiAccount, request: OrderRequestV2): Admitted | KalshiRefusal {
    const { exchangeIndex, priceE4, side, countE2, clientOrderId, expiresMs } = request
    const payer = account.subaccounts[request.subaccount]
    if (payer === undefined) return invalid('subaccount')
    const market = this.exchange.kalshiMarket(request.ticker)
    if (market === undefined) return exchangeError(404, 'not_found')
    if (exchangeIndex !== undefined && exchangeIndex !== -1 && exchangeIndex !== market.exchangeIndex) {
      return exchangeError(404, 'not_found')
    }
    if (priceE4 === undefined || !takesPrice(market.structure, priceE4)) {
      return exchangeError(400, 'invalid_price')
    }
    if (expiresMs !== undefined && expiresMs <= this.exchange.clock.nowMs()) return invalid('expiration_time')
    if (clientOrderId !== undefined && account.isClaimed(clientOrderId)) {
      return exchangeError(409, 'order_already_exists')
    }
    const refusal = checkGroup(account, market, request) ?? this.state.refuseOrder(market)
    if (refusal !== undefined) return refusal
    const wantedE2 = request.reduceOnly ? Math.min(countE2, reducible(payer, market, side)) : countE2
    const taker: TakerOrder = { outcome: 'yes', side: side === 'bid' ? 'buy' : 'sell', limitE4: priceE4 }
    const admitted = { ...request, market, payer, priceE4, wantedE2, taker }
    return checkCash(admitted) ?? admitted
  }
}

/** A post-only order may meet nobody, not even its own account. */
const crosses = ({ fills, canceled, stopped }: Plan): boolean =>
  stopped || fills.length > 0 || canceled.length > 0

function checkGroup(
  account: KalshiAccount,
  market: KalshiMarket,
  { groupId, subaccount }: OrderRequestV2,
): KalshiRefusal | undefined {
  if (groupId === undefined) return undefined
  const group = account.groups.get(groupId)
  if (group?.exchangeIndex !== market.exchangeIndex || group.subaccount !== subaccount) {
    return exchangeError(404, 'not_found')
  }
  // No source tells the code of this refusal.
  return group.triggered ? invalidOrder('order group triggered') : undefined
}

function checkCash({ payer, market, side, priceE4, wantedE2: countE2 }: Admitted): KalshiRefusal | undefined {
  const needed = payer.neededMicros(market, { side, priceE4, countE2 })
  if (needed === 0) return undefined
  if (needed > payer.totalMicros) return exchangeError(400, 'insufficient_balance')
  if (needed > payer.freeMicros(market.exchangeIndex)) {
    return exchangeError(404, 'insufficient_shard_balance')
  }
  return undefined
}

function reducible(payer: Subaccount, market: KalshiMarket, side: 'bid' | 'ask'): number {
  const held = payer.positionE2(market.id)
  return Math.max(0, side === 'bid' ? -held : held)
}

function newOrder(account: KalshiAccount, admitted: Admitted, nowMs: number): KalshiOrder {
  const { clientOrderId, market, subaccount, side, priceE4, countE2 } = admitted
  const { selfTrade, expiresMs, cancelOnPause, groupId } = admitted
  return {
    ...{
      orderId: randomUUID(),
      owner: account.name,
      clientOrderId,
      market,
      subaccount,
      side,
      priceE4,
      countE2,
    },
    ...{ selfTrade, expiresMs, cancelOnPause, groupId },
    ...{ createdMs: nowMs, readableAtMs: nowMs + ORDER_READ_LAG_MS, updatedMs: nowMs },
    taker: { costMicros: 0, feesMicros: 0 },
    maker: { costMicros: 0, feesMicros: 0 },
    filledE2: 0,
    canceledE2: 0,
  }
}

function createReply(order: KalshiOrder, fills: readonly KalshiFill[]): unknown {
  const filledE2 = fills.reduce((sum, { countE2 }) => sum + countE2, 0)
  const valueE6 = fills.reduce((sum, fill) => sum + fill.yesPriceE4 * fill.countE2, 0)
  return {
    ...(filledE2 > 0 && {
      average_fee_paid: formatScaled(Math.floor(order.taker.feesMicros / filledE2), 4),
      average_fill_price: formatScaled(Math.round(valueE6 / filledE2), 4),
    }),
    ...(order.clientOrderId !== undefined && { client_order_id: order.clientOrderId }),
    fill_count: formatScaled(filledE2, 2),
    order_id: order.orderId,
    // What is left of an immediate order is canceled, so nothing remains.
    remaining_count: formatScaled(remainingE2(order), 2),
    ts_ms: order.createdMs,
  }
}
