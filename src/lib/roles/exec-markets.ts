/** What exec knows of games and, on paper, of books: details to trade with, never a reason to trade. */

import { evictOldest } from '../core/evict-oldest.js'
import { tryAppendOnce } from '../execution/record.js'
import type { Execution } from '../execution/execution.js'
import type { DisplayedBook } from '../execution/paper-depth.js'
import { gameStateOf, levelsOf } from '../messages/convert.js'
import { SUSPECT_MS } from '../messages/heartbeat.js'
import type { GamesPayload, OrderbookPayload } from '../messages/payloads.js'
import { SECOND_SOURCE } from '../model/game.js'
import type { GameMarket } from '../model/game.js'
import type { Venue } from '../model/venue.js'

interface ListedMarket {
  readonly market: GameMarket
  readonly gameId: string
  /** Codes of the game's home and away team. */
  readonly teams: readonly [string, string]
}

/** A publisher of books: believed while its heartbeat is heard. */
interface BookPublisher {
  epoch: number
  /** Our monotonic clock; undefined before the first heartbeat of this epoch and after its last. */
  beatUs: number | undefined
}

/** Markets, books and final games that are remembered, the ones told of last: games are told again every few seconds. */
const MAX_REMEMBERED = 5_000

export class ExecMarkets {
  /** Told of each book that can be used. */
  onBook: ((venue: Venue, marketId: string, book: DisplayedBook) => void) | undefined
  private readonly markets = new Map<string, ListedMarket>()
  private readonly books = new Map<string, DisplayedBook>()
  /** Markets at Kalshi of which it does not say on which shard of its exchange they are. */
  private readonly shardless = new Set<string>()
  private readonly finalGames = new Set<string>()
  private readonly publishers = new Map<string, BookPublisher>()
  /** Venues of whose books something is missing, and on its way. */
  private readonly holes = new Set<string>()

  /** Markets whose details are known. */
  get count(): number {
    return this.markets.size
  }

  /** Of these at Kalshi, those whose orders go without the venue's own brake: it does not name their shard. */
  get shardlessCount(): number {
    return this.shardless.size
  }

  /** Books that are displayed, on paper. */
  get bookCount(): number {
    return this.books.size
  }

  /** Takes a game's state; a reason when it is not usable. */
  applyGame(payload: GamesPayload): string | undefined {
    const state = gameStateOf(payload)
    if (state === undefined) return 'bad_tick_or_size'
    const { gameId, home, away } = state
    const teams = [home.code, away.code] as const
    for (const market of state.markets) {
      remember(this.markets, keyOf(market.venue, market.marketId), { market, gameId, teams })
      if (market.venue !== 'kalshi') continue
      this.shardless.delete(market.marketId)
      if (market.exchangeIndex === undefined) this.shardless.add(market.marketId)
    }
    evictOldest(this.shardless, MAX_REMEMBERED)
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

  /** The codes of the teams that a market's game is between. */
  teamsOf({ venue, marketId }: { readonly venue: Venue; readonly marketId: string }) {
    return this.markets.get(keyOf(venue, marketId))?.teams
  }

  /** The game of a market; undefined when no game has told of it. */
  gameOf(venue: Venue, marketId: string): string | undefined {
    return this.markets.get(keyOf(venue, marketId))?.gameId
  }

  /** Takes a book as its publisher told it in `epoch`; a reason when it is not usable. */
  applyBook(payload: OrderbookPayload, epoch: number): string | undefined {
    const bids = levelsOf(payload.bids)
    const asks = levelsOf(payload.asks)
    if (bids === undefined || asks === undefined) return 'bad_price_or_size'
    const book = { state: payload.state, bids, asks }
    this.publisherIn(payload.venue, epoch)
    remember(this.books, keyOf(payload.venue, payload.market_id), book)
    this.onBook?.(payload.venue, payload.market_id, book)
    return undefined
  }

  /** A heartbeat of a publisher of books: while none comes its books are not shown, after the last one they are gone. */
  beat(venue: string, { epoch, recvUs, closing }: { epoch: number; recvUs: number; closing: boolean }): void {
    this.publisherIn(venue, epoch).beatUs = closing ? undefined : recvUs
    if (closing) this.dropBooks(venue)
  }

  /** The book as last told, while its publisher is heard; `nowUs` is our monotonic clock. */
  bookOf(venue: Venue, marketId: string, nowUs: number): DisplayedBook | undefined {
    const beatUs = this.publishers.get(venue)?.beatUs
    const isHeard = beatUs !== undefined && nowUs - beatUs < SUSPECT_MS * 1000
    if (!isHeard || this.holes.has(venue)) return undefined
    return this.books.get(keyOf(venue, marketId))
  }

  /** Where something is missing, no book is shown until it is there. */
  setHole(venue: string, hasHole: boolean): void {
    if (hasHole) this.holes.add(venue)
    else this.holes.delete(venue)
  }

  /** After a gap no book of that venue is believed until it is told again. */
  dropBooks(venue: string): void {
    for (const key of this.books.keys()) {
      if (key.startsWith(`${venue} `)) this.books.delete(key)
    }
  }

  /** A final game frees what it held, on record, once. That it is final the scoreboard says, nobody else. */
  releaseFinal(payload: GamesPayload, execution: Execution): void {
    const gameId = payload.game_id
    const isFinal = payload.status === 'final' && payload.provider !== SECOND_SOURCE
    if (!isFinal || this.finalGames.has(gameId)) return
    this.finalGames.add(gameId)
    evictOldest(this.finalGames, MAX_REMEMBERED)
    execution.risk.releaseGame(gameId)
    tryAppendOnce(execution, 'game_final', { gameId })
  }

  /** The books of a publisher's earlier life say nothing about this one. */
  private publisherIn(venue: string, epoch: number): BookPublisher {
    const known = this.publishers.get(venue)
    if (known?.epoch === epoch) return known
    this.dropBooks(venue)
    const begun: BookPublisher = { epoch, beatUs: undefined }
    this.publishers.set(venue, begun)
    return begun
  }
}

/** The oldest is forgotten when there are too many. */
function remember<T>(memory: Map<string, T>, key: string, value: T): void {
  memory.delete(key)
  memory.set(key, value)
  evictOldest(memory, MAX_REMEMBERED)
}

const keyOf = (venue: Venue, marketId: string): string => `${venue} ${marketId}`
