/** Games and the markets that pay on them. */

import type { FeeSchedule } from './fees.js'
import type { PriceGrid } from './price-grid.js'
import type { SettlementRules } from './settlement.js'
import type { Venue } from './venue.js'

export const LEAGUES = ['nba', 'wnba', 'nfl', 'nhl', 'mlb', 'cfb', 'cbb', 'epl', 'mls'] as const
export type League = (typeof LEAGUES)[number]

export const GAME_STATUSES = ['pre', 'live', 'final', 'postponed', 'canceled'] as const
export type GameStatus = (typeof GAME_STATUSES)[number]

export interface Team {
  /** ESPN's abbreviation: the code that arbees uses for a team. */
  readonly code: string
  readonly name: string
  readonly score: number
}

/** `provider` of a state that Polymarket's sports channel decided; the scoreboard is every other one's. */
export const SECOND_SOURCE = 'polymarket'

/** What a live score does not say of where a game stands; each part only where the scoreboard tells it. */
export interface Situation {
  /** Football and basketball: who has the ball. */
  readonly possession?: 'home' | 'away'
  readonly down?: number
  /** Yards to the next first down. */
  readonly distance?: number
  /** Football: yards from the home team's goal line, 0 to 100. */
  readonly yardLine?: number
  /** Baseball: outs of the half inning under way. */
  readonly outs?: number
  /** Baseball: 1 for a runner on first, 2 on second, 4 on third, added up. */
  readonly bases?: number
  /** Baseball: the away team bats in the top. */
  readonly half?: 'top' | 'bottom'
}

/** One game as the scoreboard tells it. */
export interface Game {
  readonly league: League
  /** The scoreboard's event id. */
  readonly gameId: string
  readonly home: Team
  readonly away: Team
  /** All that the scoreboard calls the teams, in leagues whose codes no table knows; not on the bus. */
  readonly names?: { readonly home: readonly string[]; readonly away: readonly string[] }
  readonly status: GameStatus
  readonly period: number
  /** Seconds on the game clock; absent where there is none. */
  readonly clockS?: number
  readonly situation?: Situation
  /** The provider's own probability that the home team wins, parts per million. */
  readonly homeWinPpm?: number
  /** Scheduled start, Unix ms. */
  readonly startMs: number
  readonly provider: string
  /** When we fetched it, our wall clock. */
  readonly fetchedMs: number
}

/** `three_way`: one of three outcomes, a tie being the third. */
export const MARKET_KINDS = ['moneyline', 'three_way'] as const
export type MarketKind = (typeof MARKET_KINDS)[number]

/** What a market on the draw pays on, where a market on a team has the team's code. */
export const DRAW = 'draw'

const THREE_WAY: ReadonlySet<League> = new Set<League>(['epl', 'mls'])

/** Whether a league's games may end drawn, so that their results are three. */
export const isThreeWay = (league: League): boolean => THREE_WAY.has(league)

/** What an order in a market must know, whoever sends it. */
interface TradingTerms extends PriceGrid {
  readonly venue: Venue
  /** Kalshi market ticker, or Polymarket condition id. */
  readonly marketId: string
  /** Sizes are multiples of this, in 0.01 contract. */
  readonly sizeStepE2: number
  readonly minSizeE2: number
  readonly fees: FeeSchedule
  /** How long the venue holds a marketable order before it matches, ms. */
  readonly takerDelayMs: number
  /** Polymarket only: token ids of YES (the first outcome) and NO. */
  readonly tokenIds?: readonly [string, string]
  /** Polymarket only: which exchange contract signs its orders. */
  readonly negRisk?: boolean
  /** Kalshi only: the exchange shard that holds the market. */
  readonly exchangeIndex?: number
}

/** A market listed by a venue, before it is paired with a game. */
export interface CatalogMarket extends TradingTerms {
  readonly league: League
  readonly kind: MarketKind
  /** What groups the markets of one game: Kalshi event ticker, Polymarket event slug. */
  readonly eventId: string
  /** US Eastern date of the game, `YYYY-MM-DD`. */
  readonly easternDate: string
  /** The two team codes as the venue spells them, upper case, in the venue's own order. */
  readonly teams: readonly [string, string]
  /** What the venue calls each of them, in the same order; foreign text, as it was written. */
  readonly teamNames?: readonly [readonly string[], readonly string[]]
  /** Scheduled start as the venue states it: Unix ms, or `HH:MM` US Eastern on that date. */
  readonly startMs?: number
  readonly easternTime?: string
  /** Which game of a doubleheader, where the venue says so. */
  readonly gameNumber?: 1 | 2
  /** Middle of the venue's own quote of YES in its list, seconds old; absent where that is one-sided or wide. */
  readonly statedE4?: number
  /** The venue's code of the team that YES pays on, or its word for the draw: `TIE`, `DRAW`. */
  readonly selection: string
  /** Foreign text: sanitize before showing. */
  readonly title: string
}

/** A market as a `games.` message lists it: paired, with all that trading it needs. */
export interface GameMarket extends TradingTerms {
  readonly kind: MarketKind
  /** ESPN code of the team that YES pays on, or `draw`. */
  readonly selection: string
  /** What the venue's monitor calls that in its quotes; absent when the message does not say. */
  readonly venueSelection?: string
  /** Absent: nothing is known of it. */
  readonly settlement?: SettlementRules
}

/** A game that moves from one shard to another. */
export interface Handover {
  /** The shard that trades it until then. */
  readonly from: number
  /** Quotes published from this time on belong to the new shard; Unix ms, compared with their `timestamp_ms`. */
  readonly atMs: number
}

/** The whole state of a game, as published on `games.<league>.<id>`. */
export interface GameState extends Game {
  readonly markets: readonly GameMarket[]
  /** Index of the shard that trades it. */
  readonly shard: number
  /** While it moves, and for some time after. */
  readonly handover?: Handover
}
