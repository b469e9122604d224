/**
 * What crosses the bus, as it stands in the JSON: snake_case, prices in dollars 0..1, sizes in contracts, a missing
 * side null. Documented for others by `schemas.ts`, checked on the hot path by `checks.ts`, converted to the
 * program's integers by `convert.ts`.
 */

import type { GameStatus, League, MarketKind } from '../model/game.js'
import type { SettlementRules } from '../model/settlement.js'
import type { OrderState, TradeStatus } from '../model/order.js'
import type { CombinationKind } from '../model/signal.js'
import type { QuoteState } from '../model/quote.js'
import type { Env, Mode, Outcome, Side, Venue } from '../model/venue.js'

/** Host-monotonic microseconds of each hop, and the venue's own time. */
export interface Stamps {
  readonly venue_ms?: number
  readonly recv?: number
  readonly pub?: number
  readonly shard_in?: number
  readonly shard_out?: number
  readonly exec_in?: number
  readonly order?: number
}

export interface PricesPayload {
  readonly venue: Venue
  readonly market_id: string
  readonly game_id?: string
  readonly selection: string
  readonly state: QuoteState
  readonly yes_bid?: number | null
  readonly yes_ask?: number | null
  readonly yes_bid_size?: number | null
  readonly yes_ask_size?: number | null
  readonly book_seq: number
}

export type WireLevel = readonly [price: number, size: number]

export interface OrderbookPayload {
  readonly venue: Venue
  readonly market_id: string
  readonly state: QuoteState
  /** YES side, best first, 10 levels. */
  readonly bids: readonly WireLevel[]
  readonly asks: readonly WireLevel[]
  readonly book_seq: number
}

export interface TeamPayload {
  readonly code: string
  readonly name: string
  readonly score: number
}

export interface GameMarketPayload {
  readonly venue: Venue
  readonly market_id: string
  readonly kind: MarketKind
  readonly selection: string
  /** What the venue's monitor calls the selection. */
  readonly venue_selection?: string
  /** What the market pays when the game does not simply end with a winner; absent: nothing is known of it. */
  readonly settlement?: SettlementRules
  /** A price step that holds at every price. */
  readonly tick: number
  /** Where the step differs between prices: `[start, end, step]`, from 0 to 1 without a hole, lowest first. */
  readonly price_ranges?: readonly (readonly [start: number, end: number, step: number])[]
  readonly size_step: number
  readonly min_size: number
  readonly fee: { readonly rate_ppm: number; readonly round_up_micros: number }
  readonly taker_delay_ms: number
  readonly token_ids?: readonly [string, string]
  readonly neg_risk?: boolean
  readonly exchange_index?: number
}

export interface SituationPayload {
  readonly possession?: 'home' | 'away'
  readonly down?: number
  readonly distance?: number
  readonly yard_line?: number
  readonly outs?: number
  readonly bases?: number
  readonly half?: 'top' | 'bottom'
}

export interface GamesPayload {
  readonly league: League
  readonly game_id: string
  readonly home: TeamPayload
  readonly away: TeamPayload
  readonly status: GameStatus
  readonly period: number
  readonly clock_s?: number
  readonly situation?: SituationPayload
  /** The provider's own probability that the home team wins, parts per million. */
  readonly home_win_ppm?: number
  readonly start_ms: number
  readonly markets: readonly GameMarketPayload[]
  readonly shard: number
  /** While the game moves: who trades on quotes published before `shard_from_ms`; `shard` trades on later ones. */
  readonly shard_before?: number
  readonly shard_from_ms?: number
  readonly provider: string
  readonly fetched_ms: number
}

/** `games.discovered`, `games.updated`: something about this game is new; its state is on its own topic. */
export interface GameNoticePayload {
  readonly league: League
  readonly game_id: string
}

export interface SignalLegPayload {
  readonly venue: Venue
  readonly market_id: string
  readonly outcome: Outcome
  readonly side: Side
  readonly limit: number
  readonly size: number
}

export interface SignalInputPayload {
  readonly source: string
  readonly epoch: number
  readonly seq: number
  readonly age_us: number
}

export interface SignalsPayload {
  readonly id: string
  readonly kind: CombinationKind
  readonly game_id: string
  readonly pair: string
  readonly legs: readonly SignalLegPayload[]
  readonly size: number
  readonly gross_edge_micros: number
  readonly fees_micros: number
  readonly net_edge_micros: number
  readonly worst_payout_micros: number
  readonly inputs: readonly SignalInputPayload[]
  readonly valid_ms: number
  readonly hmac?: string
}

/** One limit that was tested: its name, what was found, what is allowed. */
export interface CheckPayload {
  readonly name: string
  readonly value: number
  readonly limit: number
}

export interface OrdersPayload {
  readonly mode: Mode
  readonly order_id: string
  readonly signal_id: string
  readonly leg: number
  readonly attempt: number
  readonly venue: Venue
  readonly market_id: string
  readonly outcome: Outcome
  readonly side: Side
  readonly limit: number
  readonly size: number
  readonly state: OrderState
  readonly reason?: string
  readonly checks?: readonly CheckPayload[]
  readonly venue_order_id?: string
}

export interface TradesPayload {
  readonly mode: Mode
  readonly order_id: string
  readonly signal_id: string
  readonly leg: number
  readonly status: TradeStatus
  readonly filled_size: number
  readonly cash_micros: number
  readonly fees_micros: number
  readonly venue_trade_ids: readonly string[]
  readonly latency_ms: number
}

export interface PayloadByFamily {
  readonly prices: PricesPayload
  readonly orderbook: OrderbookPayload
  readonly games: GamesPayload | GameNoticePayload
  readonly signals: SignalsPayload
  readonly orders: OrdersPayload
  readonly trades: TradesPayload
}

/** The envelope without its payload. */
export interface Header {
  readonly v: 1
  readonly env: Env
  readonly source: string
  /** Publisher's wall clock at its start, ms; orders the lives of one source. */
  readonly epoch: number
  /** Counts the channel's messages from 1 without holes. */
  readonly seq: number
  /** seq of the previous message on this topic; 0 = none. Only prices, orderbook and games carry it. */
  readonly prev?: number
  /** Publisher's wall clock, never falling within a source. */
  readonly timestamp_ms: number
  readonly host: string
  readonly trace: string
  readonly stamps: Stamps
}
