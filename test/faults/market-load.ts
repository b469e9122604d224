/** What a faulted publisher publishes: prices that carry a number, so that each message can be told from every other. */

import type { PricesPayload } from '../../src/lib/messages/payloads.js'

export const PUBLISHER = 'kalshi'
export const SOURCE = 'kalshi.prices'
export const PREFIX = 'prices.kalshi.'

export const marketOf = (index: number): string => `KXFAULT-26NOV23-${String(index).padStart(4, '0')}`

/**
 * Message `n` is about market `n - 1` until each was told of once; from then on about one of the first quarter alone: a
 * reader that joins later never hears of the others.
 */
export const marketIndexOf = (n: number, markets: number): number =>
  n <= markets ? n - 1 : (n * 7919) % Math.max(1, Math.floor(markets / 4))

export function priceOf(
  n: number,
  markets: number,
): { readonly topic: string; readonly payload: PricesPayload } {
  const market = marketOf(marketIndexOf(n, markets))
  const bid = (1 + (n % 97)) / 100
  return {
    topic: `${PREFIX}${market}`,
    payload: {
      venue: 'kalshi',
      market_id: market,
      selection: 'A',
      state: 'LIVE',
      yes_bid: bid,
      yes_ask: (2 + (n % 97)) / 100,
      yes_bid_size: 10,
      yes_ask_size: 10,
      book_seq: n,
    },
  }
}
