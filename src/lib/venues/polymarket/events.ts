/** What the market channel says, once checked: decimals as the venue's own strings beside their integers. */

import type { BookSide } from '../../model/order-book.js'

/** One price level with the venue's own strings. `sizeE2` is floored, `empty` is exact. */
export interface WireLevel {
  readonly price: string
  readonly size: string
  readonly priceE4: number
  readonly sizeE2: number
  /** The size is exactly zero: the level is gone. */
  readonly empty: boolean
}

/** A full book of one token; levels in the order of the wire, which is not to be trusted. */
export interface BookEvent {
  readonly type: 'book'
  readonly market: string
  readonly assetId: string
  readonly timestamp: string
  /** The venue's clock, Unix ms. */
  readonly venueMs: number
  readonly hash?: string
  readonly bids: readonly WireLevel[]
  readonly asks: readonly WireLevel[]
  readonly tickSize?: string
  readonly lastTradePrice?: string
  readonly minOrderSize?: string
  readonly negRisk?: boolean
}

/** A best price as a message states it: `null` says that nobody quotes, undefined that nothing is said. */
export type StatedBest = number | null | undefined

/** A new absolute size at one price of one token. */
export interface LevelChange {
  readonly assetId: string
  readonly side: BookSide
  readonly level: WireLevel
  readonly hash?: string
  readonly bestBidE4: StatedBest
  readonly bestAskE4: StatedBest
}

export interface PriceChangeEvent {
  readonly type: 'price_change'
  /** `flat` are the forms until September 2025: one token a message, with a hash of an older layout. */
  readonly schema: 'changes' | 'flat'
  readonly market: string
  readonly timestamp: string
  readonly venueMs: number
  readonly changes: readonly LevelChange[]
}

export interface LastTradeEvent {
  readonly type: 'last_trade_price'
  readonly market: string
  readonly assetId: string
  readonly price: string
  readonly priceE4: number
  readonly venueMs: number
}

export interface TickSizeEvent {
  readonly type: 'tick_size_change'
  readonly market: string
  readonly assetId: string
  readonly oldTickSize?: string
  readonly newTickSize: string
  readonly venueMs: number
}

export interface BestBidAskEvent {
  readonly type: 'best_bid_ask'
  readonly market: string
  readonly assetId: string
  readonly bestBidE4: StatedBest
  readonly bestAskE4: StatedBest
  readonly venueMs: number
}

interface NewMarketEvent {
  readonly type: 'new_market'
  readonly market: string
  /** Foreign text; up to 128 characters. */
  readonly slug?: string
}

interface MarketResolvedEvent {
  readonly type: 'market_resolved'
  readonly market: string
}

export type PolyEvent =
  | BookEvent
  | PriceChangeEvent
  | LastTradeEvent
  | TickSizeEvent
  | BestBidAskEvent
  | NewMarketEvent
  | MarketResolvedEvent
