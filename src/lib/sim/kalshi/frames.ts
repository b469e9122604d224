/** Kalshi WebSocket messages of the market channels, as captured: text prices with four decimals, text counts with two. */

import { complementE4, formatScaled } from '../../model/price.js'
import type { OrderBook } from '../../model/order-book.js'
import type { LevelChange } from '../matching-book.js'
import type { KalshiMarket } from '../market.js'
import type { KalshiOrder } from './order.js'
import { sideLevels, type LastTrade } from './shapes.js'

const dollars = (priceE4: number) => formatScaled(priceE4, 4)
const count = (sizeE2: number) => formatScaled(sizeE2, 2)

export function snapshotMessage(market: KalshiMarket, book: OrderBook, useYesPrice: boolean): unknown {
  const yes = sideLevels(book, 'yes')
  const no = sideLevels(book, 'no', { useYesPrice })
  return {
    market_ticker: market.id,
    market_id: market.uuid,
    ...(yes !== undefined && { yes_dollars_fp: yes }),
    ...(no !== undefined && { no_dollars_fp: no }),
  }
}

/** @param own the order that made the difference, for its owner alone. */
export function deltaMessage(
  market: KalshiMarket,
  change: LevelChange,
  useYesPrice: boolean,
  wallMs: number,
  own: KalshiOrder | undefined,
): unknown {
  const inYes = change.side === 'bid' || useYesPrice
  return {
    market_ticker: market.id,
    market_id: market.uuid,
    price_dollars: dollars(inYes ? change.priceE4 : complementE4(change.priceE4)),
    delta_fp: count(change.deltaE2),
    side: change.side === 'bid' ? 'yes' : 'no',
    // Microseconds in text, as the venue writes them.
    ts: new Date(wallMs).toISOString().replace('Z', '000Z'),
    ts_ms: wallMs,
    ...(own?.clientOrderId !== undefined && { client_order_id: own.clientOrderId }),
    ...(own !== undefined && { subaccount: own.subaccount }),
  }
}

export function tickerMessage(
  market: KalshiMarket,
  book: OrderBook,
  last: LastTrade | undefined,
  wallMs: number,
): unknown {
  const bid = book.best('bid')
  const ask = book.best('ask')
  const volumeE2 = last?.volumeE2 ?? 0
  return {
    market_ticker: market.id,
    market_id: market.uuid,
    price_dollars: last === undefined ? '' : dollars(last.priceE4),
    yes_bid_dollars: dollars(bid?.[0] ?? 0),
    yes_ask_dollars: dollars(ask?.[0] ?? 10_000),
    yes_bid_size_fp: count(bid?.[1] ?? 0),
    yes_ask_size_fp: count(ask?.[1] ?? 0),
    last_trade_size_fp: count(last?.sizeE2 ?? 0),
    volume_fp: count(volumeE2),
    open_interest_fp: count(volumeE2),
    dollar_volume: Math.floor(volumeE2 / 100),
    dollar_open_interest: Math.floor(volumeE2 / 100),
    ts: Math.floor(wallMs / 1000),
    ts_ms: wallMs,
    time: new Date(wallMs).toISOString(),
  }
}

export interface PrintedTrade {
  readonly tradeId: string
  readonly market: KalshiMarket
  readonly yesPriceE4: number
  readonly countE2: number
  readonly takerBuysYes: boolean
  readonly wallMs: number
}

export function tradeMessage({
  tradeId,
  market,
  yesPriceE4,
  countE2,
  takerBuysYes,
  wallMs,
}: PrintedTrade): unknown {
  const outcome = takerBuysYes ? 'yes' : 'no'
  return {
    trade_id: tradeId,
    market_ticker: market.id,
    yes_price_dollars: dollars(yesPriceE4),
    no_price_dollars: dollars(complementE4(yesPriceE4)),
    count_fp: count(countE2),
    taker_side: outcome,
    taker_outcome_side: outcome,
    taker_book_side: takerBuysYes ? 'bid' : 'ask',
    is_block_trade: false,
    ts: Math.floor(wallMs / 1000),
    ts_ms: wallMs,
  }
}
