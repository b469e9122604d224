/**
 * What happens to orders once they are admitted: a marketable one waits out its market's `seconds_delay` and meets the
 * book as it is then; the rest of a GTC or GTD rests, that of a FAK or FOK is over.
 */

import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { BookChange, Exchange } from '../exchange.js'
import type { PolyMarket } from '../market.js'
import { cashMicros, DUST_MICROS, fillContracts, fillDollars, sumE6, type Fill } from '../matching.js'
import type { StatsCounter } from '../stats.js'
import type { PolyAccount } from './account.js'
import { polyFeeMicros } from './fees.js'
import { isMarketBuy, isOpen, takerOf, type Leg, type PolyOrder } from './order.js'
import type { Settlement } from './settlement.js'
import { priceFor, type Party, type PolyTrade } from './trade.js'

export class PolyDesk {
  /** The trade under way of an order that is booked already. */
  private taking: readonly Fill[] | undefined

  constructor(
    private readonly exchange: Exchange,
    private readonly account: PolyAccount,
    private readonly settlement: Settlement,
    private readonly stats: StatsCounter,
  ) {}

  /** What the book would give an order now. */
  plan(order: PolyOrder): readonly Fill[] {
    const book = this.exchange.bookOf(order.market)
    return isMarketBuy(order)
      ? fillDollars(book, takerOf(order), order.makerE6)
      : fillContracts(book, takerOf(order), order.sharesE6)
  }

  /** Takes an order in; what became of it is in its status. */
  place(order: PolyOrder): void {
    const { secondsDelay } = order.market.pace
    if (secondsDelay === 0 || this.plan(order).length === 0) {
      this.execute(order)
      return
    }
    this.become(order, 'DELAYED')
    this.exchange.after(secondsDelay * 1000, () => this.execute(order))
  }

  /** Takes a resting order out of the book; false when it does not rest. */
  cancel(order: PolyOrder): boolean {
    if (order.status !== 'LIVE') return false
    this.exchange.cancel(order.market, order)
    this.become(order, 'CANCELED')
    return true
  }

  /** Cancels every resting order that the rule names. */
  cancelWhere(rule: (order: PolyOrder) => boolean): void {
    for (const order of [...this.account.orders.values()]) if (rule(order)) this.cancel(order)
  }

  /** Books what others took of orders that rest here. */
  onBook({ market, trade }: BookChange): void {
    if (market.venue !== 'poly' || trade === undefined || trade.fills === this.taking) return
    const token = trade.order.outcome === 'yes' ? 0 : 1
    const taker: Party = {
      token,
      tokenSide: trade.order.side === 'buy' ? 'BUY' : 'SELL',
      order: undefined,
    }
    for (const fill of trade.fills) if (fill.maker !== undefined) this.book(market, taker, fill)
  }

  private execute(order: PolyOrder): void {
    const fills = order.market.status === 'active' ? this.plan(order) : []
    const whole = order.type !== 'FOK' || this.isWhole(order, fills)
    if (fills.length > 0 && whole) this.match(order, fills)
    this.become(order, order.matchedE6 > 0 ? 'MATCHED' : 'UNMATCHED')
    order.restsE2 = Math.floor((order.sharesE6 - order.matchedE6) / 10_000)
    const rests = (order.type === 'GTC' || order.type === 'GTD') && order.market.status === 'active'
    if (!rests || order.restsE2 <= 0) return
    this.become(order, 'LIVE')
    this.exchange.rest(order.market, order, order.restsE2)
  }

  private isWhole(order: PolyOrder, fills: readonly Fill[]): boolean {
    if (!isMarketBuy(order)) return sumE6(fills) >= order.sharesE6
    const dollars = fills.reduce((sum, { priceE4, sizeE6 }) => sum + cashMicros(priceE4, sizeE6), 0)
    return order.makerE6 - dollars < DUST_MICROS
  }

  private match(order: PolyOrder, fills: readonly Fill[]): void {
    const { market, tokenSide } = order
    const party: Party = { token: order.token, tokenSide, order }
    const trades = fills.map((fill) => this.book(market, party, fill))
    const fees = trades.reduce((sum, { feeMicros }) => sum + feeMicros, 0)
    this.stats.countFill(order.matchedE6, tokenSide === 'BUY' ? order.cashE6 : -order.cashE6, fees)
    this.taking = fills
    this.exchange.trade(market, takerOf(order), fills)
    this.taking = undefined
  }

  private book(market: PolyMarket, taker: Party, fill: Fill): PolyTrade {
    const id = randomUUID()
    const makerOrder = this.account.orders.get(fill.maker?.orderId ?? '')
    const matchedMs = this.exchange.clock.nowMs()
    const trade: PolyTrade = {
      id,
      market,
      taker,
      maker: makerOrder
        ? { token: makerOrder.token, tokenSide: makerOrder.tokenSide, order: makerOrder }
        : { ...anonymousMaker(taker, id), order: undefined },
      priceE4: fill.priceE4,
      sizeE6: fill.sizeE6,
      feeMicros: polyFeeMicros(fill.priceE4, fill.sizeE6),
      matchedMs,
      transactionHash: `0x${randomBytes(32).toString('hex')}`,
      status: 'MATCHED',
      statusSinceMs: matchedMs,
      visible: false,
    }
    this.account.book(trade)
    for (const party of [trade.taker, trade.maker]) this.note(trade, party)
    this.settlement.start(trade)
    return trade
  }

  private note(trade: PolyTrade, party: Party): void {
    const { order } = party
    if (order === undefined) return
    order.matchedE6 += trade.sizeE6
    order.cashE6 += cashMicros(priceFor(trade, party), trade.sizeE6)
    order.tradeIds.push(trade.id)
    if (order.status !== 'LIVE' || party !== trade.maker) return
    order.restsE2 -= Math.ceil(trade.sizeE6 / 10_000)
    if (order.restsE2 <= 0) this.become(order, 'MATCHED')
  }

  private become(order: PolyOrder, status: PolyOrder['status']): void {
    order.status = status
    const { orders } = this.account
    if (isOpen(order)) orders.set(order.orderId, order)
    else orders.delete(order.orderId)
  }
}

/** Somebody of the scenario, who wants the taker's token's other side or the other token's same side. */
function anonymousMaker({ token, tokenSide }: Leg, tradeId: string): Leg {
  const pairs = ((createHash('sha256').update(tradeId).digest()[0] ?? 0) & 1) === 1
  if (pairs) return { token: token === 0 ? 1 : 0, tokenSide }
  return { token, tokenSide: tokenSide === 'BUY' ? 'SELL' : 'BUY' }
}
