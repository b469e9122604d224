/** What exec knows of games and, on paper, of books: details to trade with, never a reason to trade. */

import { tryAppendOnce } from '../execution/record.js'
import type { Execution } from '../execution/execution.js'
import type { DisplayedBook } from '../execution/paper-depth.js'
import { gameStateOf, levelsOf } from '../messages/convert.js'
import type { GamesPayload, OrderbookPayload } from '../messages/payloads.js'
import type { GameMarket } from '../model/game.js'
import type { Venue } from '../model/venue.js'

interface ListedMarket {
  readonly market: GameMarket
  readonly gameId: string
}

export class ExecMarkets {
  private readonly markets = new Map<string, ListedMarket>()
  private readonly books = new Map<string, DisplayedBook>()
  private readonly finalGames = new Set<string>()

  /** Markets whose details are known. */
  get count(): number {
    return this.markets.size
  }

  /** Books that are displayed, on paper. */
  get bookCount(): number {
    return this.books.size
  }

  /** Takes a game's state; a reason when it is not usable. */
  applyGame(payload: GamesPayload): string | undefined {
    const state = gameStateOf(payload)
    if (state === undefined) return 'bad_tick_or_size'
    for (const market of state.markets) {
      this.markets.set(keyOf(market.venue, market.marketId), { market, gameId: state.gameId })
    }
    return undefined
  }

  /** The market of a leg, if it belongs to that game. */
  marketOf(
    leg: { readonly venue: Venue; readonly marketId: string },
    gameId: string,
  ): GameMarket | undefined {
    const listed = this.markets.get(keyOf(leg.venue, leg.marketId))
    return listed?.gameId === gameId ? listed.market : undefined
  }

  applyBook(payload: OrderbookPayload): string | undefined {
    const bids = levelsOf(payload.bids)
    const asks = levelsOf(payload.asks)
    if (bids === undefined || asks === undefined) return 'bad_price_or_size'
    const book = { state: payload.state, bookSeq: payload.book_seq, bids, asks }
    this.books.set(keyOf(payload.venue, payload.market_id), book)
    return undefined
  }

  bookOf(venue: Venue, marketId: string): DisplayedBook | undefined {
    return this.books.get(keyOf(venue, marketId))
  }

  /** After a gap no book of that venue is believed until it is told again. */
  dropBooks(venue: string): void {
    for (const key of this.books.keys()) {
      if (key.startsWith(`${venue} `)) this.books.delete(key)
    }
  }

  /** A final game frees what it held, on record, once. */
  releaseFinal(payload: GamesPayload, execution: Execution): void {
    const gameId = payload.game_id
    if (payload.status !== 'final' || this.finalGames.has(gameId)) return
    this.finalGames.add(gameId)
    execution.risk.releaseGame(gameId)
    tryAppendOnce(execution, 'game_final', { gameId })
  }
}

const keyOf = (venue: Venue, marketId: string): string => `${venue} ${marketId}`
