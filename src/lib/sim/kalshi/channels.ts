/** What the simulated Kalshi tells its connections: books and prints, the life of markets, and each account its own. */

import { randomUUID } from 'node:crypto'
import type { Clock } from '../../core/clock.js'
import { formatScaled } from '../../model/price.js'
import type { BookChange } from '../exchange.js'
import type { KalshiMarket } from '../market.js'
import type { Trade } from '../matching-book.js'
import type { KalshiAccount } from './account.js'
import type { PrintedTrade } from './frames.js'
import type { KalshiFill, KalshiOrder } from './order.js'
import type { DeskListener, GroupEvent } from './order-desk.js'
import type { OrderGroup } from './order-groups.js'
import { fillMessage, positionMessage, userOrderMessage } from './order-shapes.js'
import type { KalshiSession } from './session.js'
import type { LastTrade } from './shapes.js'

export class KalshiChannels implements DeskListener {
  private readonly lastTrades = new Map<string, LastTrade>()

  constructor(
    private readonly sessions: () => Iterable<KalshiSession>,
    private readonly clock: Clock,
  ) {}

  lastTrade(ticker: string): LastTrade | undefined {
    return this.lastTrades.get(ticker)
  }

  onBook(change: BookChange): void {
    const { market, trade, wallMs } = change
    if (market.venue !== 'kalshi') return
    if (trade !== undefined) this.print(market, trade, wallMs)
    for (const session of this.sessions()) session.onBook(change)
  }

  onOrder(account: KalshiAccount, order: KalshiOrder, fills: readonly KalshiFill[]): void {
    const ticker = order.market.id
    const held = account.of(order)
    for (const fill of fills) {
      this.tell(account, 'fill', 'fill', ticker, fillMessage(fill, held.positionE2(ticker)))
    }
    this.tell(account, 'user_orders', 'user_order', ticker, userOrderMessage(order, account.userId))
    if (fills.length === 0) return
    const position = positionMessage(held.positionOf(order.market), account.userId, held.number)
    this.tell(account, 'market_positions', 'market_position', ticker, position)
  }

  onGroup(account: KalshiAccount, event: GroupEvent, group: OrderGroup): void {
    this.tell(account, 'order_group_updates', 'order_group_updates', undefined, {
      event_type: event,
      order_group_id: group.id,
      ...(event !== 'deleted' && { contracts_limit_fp: formatScaled(group.limitE2, 2) }),
      ts_ms: this.clock.nowMs(),
    })
  }

  onLifecycle(market: KalshiMarket, fields: Readonly<Record<string, unknown>>): void {
    const message = { market_ticker: market.id, ...fields }
    for (const session of this.sessions()) {
      session.onChannel('market_lifecycle_v2', 'market_lifecycle_v2', market.id, message)
    }
  }

  onEventFees(eventTicker: string, fields: Readonly<Record<string, unknown>>): void {
    const message = { event_ticker: eventTicker, ...fields }
    for (const session of this.sessions()) {
      session.onChannel('market_lifecycle_v2', 'event_fee_update', undefined, message)
    }
  }

  private print(market: KalshiMarket, { order, fills }: Trade, wallMs: number): void {
    for (const { yesPriceE4, sizeE6 } of fills) {
      const countE2 = Math.round(sizeE6 / 10_000)
      const volumeE2 = (this.lastTrades.get(market.id)?.volumeE2 ?? 0) + countE2
      this.lastTrades.set(market.id, { priceE4: yesPriceE4, sizeE2: countE2, volumeE2 })
      const takerBuysYes = (order.outcome === 'yes') === (order.side === 'buy')
      const tradeId = randomUUID()
      const printed: PrintedTrade = { tradeId, market, yesPriceE4, countE2, takerBuysYes, wallMs }
      for (const session of this.sessions()) session.onTrade(printed)
    }
  }

  private tell(
    account: KalshiAccount,
    channel: string,
    type: string,
    ticker: string | undefined,
    message: unknown,
  ): void {
    for (const session of this.sessions()) {
      if (session.account === account) session.onChannel(channel, type, ticker, message)
    }
  }
}
