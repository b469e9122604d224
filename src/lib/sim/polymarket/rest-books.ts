/** What `GET /book` answers: the book as it is, or as it was when a fault had reads fall behind. */

import type { PolyMarket } from '../market.js'
import { TOKENS, type TokenIndex } from './book-state.js'
import type { MarketFeed } from './market-feed.js'

export class RestBooks {
  private readonly old = new Map<string, unknown>()

  constructor(
    private readonly feed: MarketFeed,
    private readonly markets: () => Iterable<PolyMarket>,
  ) {}

  of(market: PolyMarket, token: TokenIndex): unknown {
    return this.old.get(market.tokenIds[token]) ?? this.feed.stateOf(market).restWire(token)
  }

  /** Answers what is true now until the returned function is called. */
  freeze(): () => void {
    for (const market of this.markets()) {
      for (const token of TOKENS) this.old.set(market.tokenIds[token], this.of(market, token))
    }
    return () => this.old.clear()
  }
}
