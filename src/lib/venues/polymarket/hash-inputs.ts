/** What the venue's hash covers besides the levels, as far as the catalog, the dumps and the trades have told. */

import type { CatalogMarket } from '../../model/game.js'
import { formatScaled } from '../../model/price.js'
import { lastTradeCandidates, spellings, type HashContext, type VenueBook } from './book-hash.js'
import type { BookEvent } from './events.js'

export class HashInputs {
  private readonly known: { -readonly [K in keyof HashContext]?: HashContext[K] }
  /** Last trade prices, newest first, of which the next hash may carry one. */
  private trades: string[] = []

  constructor(market: CatalogMarket, assetId: string) {
    this.known = { market: market.marketId, assetId, tickSize: trimmed(market.tickE4, 4) }
    this.describe(market)
  }

  /** A trade is told that the next hash may or may not know of. */
  get hasTrade(): boolean {
    return this.trades.length > 0
  }

  /** Fills in from the catalog what the book's own channel has not told. */
  describe(market: CatalogMarket): void {
    if (market.minSizeE2 > 0) this.known.minOrderSize ??= trimmed(market.minSizeE2, 2)
    if (market.negRisk !== undefined) this.known.negRisk ??= market.negRisk
  }

  learn(event: BookEvent): void {
    if (event.tickSize !== undefined) this.known.tickSize = event.tickSize
    if (event.minOrderSize !== undefined) this.known.minOrderSize = event.minOrderSize
    if (event.negRisk !== undefined) this.known.negRisk = event.negRisk
    if (event.lastTradePrice !== undefined) this.trade(event.lastTradePrice)
  }

  trade(price: string): void {
    this.trades = [price, ...this.trades].slice(0, 4)
  }

  forgetTrades(): void {
    this.trades = []
  }

  /** False when this tick is the one already known. */
  changeTick(tickSize: string): boolean {
    if (this.known.tickSize === tickSize) return false
    this.known.tickSize = tickSize
    return true
  }

  /** Whether `hash` is of this book at this timestamp, under any last trade price that the venue may have used. */
  match(book: VenueBook, timestamp: string, hash: string | undefined): boolean {
    const { market, assetId, minOrderSize, tickSize, negRisk, lastTradePrice } = this.known
    if (hash === undefined || minOrderSize === undefined || tickSize === undefined) return false
    if (market === undefined || assetId === undefined || negRisk === undefined) return false
    const context = { market, assetId, minOrderSize, tickSize, negRisk }
    for (const price of lastTradeCandidates(lastTradePrice, this.trades)) {
      if (book.hash({ ...context, lastTradePrice: price }, timestamp) !== hash) continue
      // The trade that the hash knows of is behind us: from here a mismatch has no excuse.
      if (price !== lastTradePrice || this.trades.some((trade) => spellings(trade).includes(price)))
        this.trades = []
      this.known.lastTradePrice = price
      return true
    }
    return false
  }
}

function trimmed(value: number, digits: number): string {
  return formatScaled(value, digits).replace(/\.?0+$/, '')
}
