/**
 * What games and markets said, message by message in order: the newest state and quote of each, and what the markets
 * gave the home team right before the start, which is the models' prior. Pure.
 */

import { winProbability } from '../games/win-probability/win-probability.js'
import type { WinProbability } from '../games/win-probability/estimate.js'
import { gameStateOf } from '../messages/convert.js'
import type { Message } from '../messages/codec.js'
import type { GamesPayload, PricesPayload } from '../messages/payloads.js'
import type { GameState } from '../model/game.js'
import type { Venue } from '../model/venue.js'

/** What YES on the home team costs, dollars; null where nobody quotes that side. */
export interface HomeQuote {
  readonly bid: number | null
  readonly ask: number | null
}

export interface GameView {
  readonly game: GameState
  readonly quotes: Readonly<Record<Venue, HomeQuote | undefined>>
  /** Of what was given to the two teams before the start, 0 to 1. */
  readonly prior: number | undefined
  readonly model: WinProbability
}

/** A wider one says too little of the middle. */
const MAX_SPREAD = 0.1

export class GameTape {
  private readonly games = new Map<string, GamesPayload>()
  /** By venue and market. */
  private readonly quotes = new Map<string, PricesPayload>()
  private readonly priors = new Map<string, number>()

  /** `timestampMs` is the publisher's wall clock. */
  apply(message: Message, timestampMs: number): void {
    const { family, payload } = message
    if (family === 'prices') this.quotes.set(`${payload.venue} ${payload.market_id}`, payload)
    if (family !== 'games' || !('home' in payload)) return
    this.games.set(payload.game_id, payload)
    if (payload.status === 'pre' && timestampMs <= payload.start_ms) this.notePrior(payload)
  }

  /** What the markets say at this point of the tape is what they said before the game. */
  notePrior(game: GamesPayload): void {
    const home = this.middleOf(game, 'home')
    const away = this.middleOf(game, 'away')
    // Where a draw is a market of its own the two do not add up to 1.
    const prior = home === undefined ? undefined : away === undefined ? home : home / (home + away)
    if (prior !== undefined) this.priors.set(game.game_id, prior)
  }

  payloads(): Iterable<GamesPayload> {
    return this.games.values()
  }

  /** Undefined for a game that is not known, or that cannot be read. */
  view(gameId: string): GameView | undefined {
    const payload = this.games.get(gameId)
    const game = payload && gameStateOf(payload)
    if (payload === undefined || game === undefined) return undefined
    const prior = this.priors.get(gameId)
    return {
      game,
      quotes: { kalshi: this.quoteOf(payload, 'kalshi'), poly: this.quoteOf(payload, 'poly') },
      prior,
      model: winProbability(game, prior),
    }
  }

  private middleOf(game: GamesPayload, side: 'home' | 'away'): number | undefined {
    return (
      middle(this.quoteOf(game, 'kalshi', game[side].code)) ??
      middle(this.quoteOf(game, 'poly', game[side].code))
    )
  }

  /** YES on that team: of its own market, else the other side of the opponent's where there are only two ends. */
  private quoteOf(game: GamesPayload, venue: Venue, code = game.home.code): HomeQuote | undefined {
    const listed = game.markets.filter((market) => market.venue === venue)
    const own = listed.find(({ selection }) => selection === code)
    const market = own ?? listed.find(({ kind }) => kind === 'moneyline')
    const quote = market && this.quotes.get(`${venue} ${market.market_id}`)
    if (quote?.state !== 'LIVE') return undefined
    const { yes_bid: bid = null, yes_ask: ask = null } = quote
    return own === undefined ? { bid: complement(ask), ask: complement(bid) } : { bid, ask }
  }
}

/** Undefined where a side is missing or they are too far apart. */
export function middle(quote: HomeQuote | undefined): number | undefined {
  if (quote?.bid == null || quote.ask === null || quote.ask - quote.bid > MAX_SPREAD) return undefined
  return (quote.bid + quote.ask) / 2
}

const complement = (price: number | null): number | null =>
  price === null ? null : Math.round((1 - price) * 10_000) / 10_000
