/** Markets, books and pairs for tests of the strategy. */

import type { FeeSchedule } from '../../../src/lib/model/fees.js'
import type { GameMarket } from '../../../src/lib/model/game.js'
import type { Level } from '../../../src/lib/model/order-book.js'
import { BookView, FeedView } from '../../../src/lib/strategy/book-view.js'
import { marketPair } from '../../../src/lib/strategy/market-pair.js'
import type { GameView, MarketPair, PairLeg } from '../../../src/lib/strategy/market-pair.js'

export const KALSHI_FEES: FeeSchedule = { ratePpm: 70_000, roundUpToMicros: 100 }
export const POLY_FEES: FeeSchedule = { ratePpm: 50_000, roundUpToMicros: 10 }
export const NOW_US = 5_000_000_000

export interface Side {
  readonly bids: readonly Level[]
  readonly asks: readonly Level[]
}

export function market(venue: 'kalshi' | 'poly', change: Partial<GameMarket> = {}): GameMarket {
  const own =
    venue === 'kalshi'
      ? {
          marketId: 'KXNBAGAME-25DEC01HOUUTA-HOU',
          sizeStepE2: 100,
          minSizeE2: 100,
          fees: KALSHI_FEES,
          takerDelayMs: 0,
        }
      : { marketId: '0xabc', sizeStepE2: 1, minSizeE2: 500, fees: POLY_FEES, takerDelayMs: 1000 }
  return { venue, kind: 'moneyline', selection: 'HOU', tickE4: 100, ...own, ...change }
}

/** A leg whose book is live, whole, heard and proved at `NOW_US`. */
export function leg(of: GameMarket, levels: Side): PairLeg {
  const feed = new FeedView(of.venue)
  feed.heardUs = NOW_US
  feed.provedUs = NOW_US
  feed.prices.isLive = feed.orderbook.isLive = true
  const book = new BookView(of.marketId, feed)
  fill(book, levels)
  book.bookState = book.quoteState = 'LIVE'
  book.bookSeq = book.quoteSeq = 7
  book.bookGeneration = feed.orderbook.generation
  book.quoteGeneration = feed.prices.generation
  Object.assign(book.quoteMessage, { source: `${of.venue}.prices`, epoch: 1, seq: 11 })
  Object.assign(book.bookMessage, { source: `${of.venue}.orderbook`, epoch: 1, seq: 12 })
  return { market: of, book, selectionAgrees: true }
}

export function fill(book: BookView, { bids, asks }: Side): void {
  book.bids.clear()
  book.asks.clear()
  for (const [priceE4, sizeE2] of bids) if (!book.bids.push(priceE4, sizeE2)) throw new Error('bad bid')
  for (const [priceE4, sizeE2] of asks) if (!book.asks.push(priceE4, sizeE2)) throw new Error('bad ask')
}

export const liveGame = (): GameView => ({
  league: 'nba',
  gameId: '401',
  status: 'live',
  heardUs: NOW_US,
  fetchedUs: NOW_US,
})

export function pairOf(
  kalshi: Side,
  poly: Side,
  {
    kalshiMarket = {},
    polyMarket = {},
  }: { kalshiMarket?: Partial<GameMarket>; polyMarket?: Partial<GameMarket> } = {},
): MarketPair {
  return marketPair(
    liveGame(),
    leg(market('kalshi', kalshiMarket), kalshi),
    leg(market('poly', polyMarket), poly),
  )
}

/** YES of HOU at 0.45 on Kalshi, and bid at 0.50 on Polymarket: NO there costs 0.50, five cents gross. */
export const arbitrage = (): MarketPair =>
  pairOf({ bids: [[4400, 5000]], asks: [[4500, 5000]] }, { bids: [[5000, 4000]], asks: [[5100, 4000]] })
