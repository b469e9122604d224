/** V2 order entry: validates, matches against the displayed book, books the fills, answers flat. */

import { randomUUID } from 'node:crypto'
import { formatScaled } from '../../model/price.js'
import type { Exchange } from '../exchange.js'
import type { KalshiMarket } from '../market.js'
import { fillContracts, sumE6, type Fill, type TakerOrder } from '../matching.js'
import type { StatsCounter } from '../stats.js'
import type { KalshiAccount, KalshiFill, KalshiOrder } from './account.js'
import { exchangeError, isRefusal, kalshiError, type KalshiRefusal } from './errors.js'
import { parseOrderRequest, type OrderRequestV2 } from './order-request.js'

/** Wall ms after which reads show what the create reply already told. */
const ORDER_READ_LAG_MS = 800
const FILL_READ_LAG_MS = 200

export interface Accepted {
  readonly status: 201
  readonly body: unknown
}

export interface OrderEntryListener {
  onOrder(order: KalshiOrder, fills: readonly KalshiFill[]): void
}

export class OrderEntry {
  constructor(
    private readonly exchange: Exchange,
    private readonly account: KalshiAccount,
    private readonly stats: StatsCounter,
    private readonly listener: OrderEntryListener,
  ) {}

  /** Handles one create request of a key that may write. */
  create(body: string): Accepted | KalshiRefusal {
    const request = parseOrderRequest(body)
    if (isRefusal(request)) return request
    const market = this.exchange.kalshiMarket(request.ticker)
    if (market === undefined) return exchangeError(404, 'not_found')
    const { exchangeIndex } = request
    if (exchangeIndex !== undefined && exchangeIndex !== -1 && exchangeIndex !== market.exchangeIndex) {
      return exchangeError(404, 'not_found')
    }
    const { priceE4 } = request
    if (priceE4 === undefined || priceE4 <= 0 || priceE4 >= 10_000 || priceE4 % market.tickE4 !== 0) {
      return exchangeError(400, 'invalid_price')
    }
    if (request.clientOrderId !== undefined && this.account.isClaimed(request.clientOrderId)) {
      return exchangeError(409, 'order_already_exists')
    }
    if (market.status !== 'active') return exchangeError(409, 'market_closed')
    const shortOfCash = this.checkCash(market, request, priceE4)
    if (shortOfCash !== undefined) return shortOfCash
    if (request.timeInForce === 'good_till_canceled') {
      return kalshiError(400, 'invalid_order', 'invalid order', { details: 'the simulator rests no orders' })
    }
    return this.execute(market, request, priceE4)
  }

  private checkCash(
    market: KalshiMarket,
    { side, countE2 }: OrderRequestV2,
    priceE4: number,
  ): KalshiRefusal | undefined {
    const cost = this.account.worstCostMicros(market, side, priceE4, countE2)
    if (cost === 0) return undefined
    const needed = cost + feeMicros(priceE4, countE2)
    if (needed > this.account.totalMicros) return exchangeError(400, 'insufficient_balance')
    if (needed > this.account.shardMicros(market.exchangeIndex))
      return exchangeError(404, 'insufficient_shard_balance')
    return undefined
  }

  private execute(market: KalshiMarket, request: OrderRequestV2, priceE4: number): Accepted | KalshiRefusal {
    const { side, clientOrderId } = request
    if (clientOrderId !== undefined) this.account.claim(clientOrderId)
    this.stats.countOrder()
    const taker: TakerOrder = { outcome: 'yes', side: side === 'bid' ? 'buy' : 'sell', limitE4: priceE4 }
    const wantedE2 = request.reduceOnly
      ? Math.min(request.countE2, this.reducible(market, side))
      : request.countE2
    const matched = fillContracts(this.exchange.bookOf(market), taker, wantedE2 * 10_000)
    const nowMs = this.exchange.clock.nowMs()
    const order: KalshiOrder = {
      orderId: randomUUID(),
      clientOrderId,
      market,
      side,
      priceE4,
      countE2: request.countE2,
      createdMs: nowMs,
      readableAtMs: nowMs + ORDER_READ_LAG_MS,
      filledE2: 0,
      fillCostMicros: 0,
      feesMicros: 0,
    }
    if (request.timeInForce === 'fill_or_kill' && sumE6(matched) < wantedE2 * 10_000) {
      return kalshiError(
        409,
        'fill_or_kill_insufficient_resting_volume',
        'fill or kill insufficient resting volume',
      )
    }
    this.account.addOrder(order)
    const fills = this.bookFills(order, matched)
    if (fills.length > 0) this.exchange.trade(market, taker, matched)
    this.listener.onOrder(order, fills)
    return { status: 201, body: createReply(order, fills, nowMs) }
  }

  private reducible(market: KalshiMarket, side: 'bid' | 'ask'): number {
    const held = this.account.positionE2(market.id)
    return Math.max(0, side === 'bid' ? -held : held)
  }

  private bookFills(order: KalshiOrder, matched: readonly Fill[]): KalshiFill[] {
    let paidMicros = 0
    const fills = matched.map(({ yesPriceE4, sizeE6 }): KalshiFill => {
      const countE2 = sizeE6 / 10_000
      const fill: KalshiFill = {
        tradeId: randomUUID(),
        order,
        yesPriceE4,
        countE2,
        feeMicros: feeMicros(yesPriceE4, countE2),
        createdMs: order.createdMs,
        readableAtMs: order.createdMs + FILL_READ_LAG_MS,
      }
      paidMicros += this.account.book(fill)
      return fill
    })
    if (fills.length > 0) this.stats.countFill(sumE6(matched), paidMicros, order.feesMicros)
    return fills
  }
}

/** Taker fee of a fill: 0.07 x C x P x (1 - P), up to $0.0001. */
function feeMicros(priceE4: number, countE2: number): number {
  const numerator = 7n * BigInt(countE2) * BigInt(priceE4) * BigInt(10_000 - priceE4)
  const unit = 100_000_000n
  return Number((numerator + unit - 1n) / unit) * 100
}

function createReply(order: KalshiOrder, fills: readonly KalshiFill[], nowMs: number): unknown {
  const { filledE2, feesMicros } = order
  const valueE6 = fills.reduce((sum, fill) => sum + fill.yesPriceE4 * fill.countE2, 0)
  return {
    ...(filledE2 > 0 && {
      average_fee_paid: formatScaled(Math.floor(feesMicros / filledE2), 4),
      average_fill_price: formatScaled(Math.round(valueE6 / filledE2), 4),
    }),
    ...(order.clientOrderId !== undefined && { client_order_id: order.clientOrderId }),
    fill_count: formatScaled(filledE2, 2),
    order_id: order.orderId,
    // What is left of an immediate order is canceled, so nothing remains.
    remaining_count: '0.00',
    ts_ms: nowMs,
  }
}
