/**
 * What a venue offers to the rest of arbees. `kalshi/` and `polymarket/` implement it, `execution` and the roles
 * use it: simulated and real differ in URLs and credentials alone.
 */

import type { PlannedOrder, VenueDenial } from '../model/admission.js'
import type { CatalogMarket, GameMarket, League } from '../model/game.js'
import type { OrderRequest } from '../model/order.js'
import type { OrderBook } from '../model/order-book.js'
import type { QuoteState } from '../model/quote.js'
import type { Venue } from '../model/venue.js'

/** One change of one market's book, or of whether it may be believed. */
export interface BookUpdate {
  readonly market: CatalogMarket
  /** The feed's own book, YES side: read it now, it changes with the next frame. */
  readonly book: OrderBook
  readonly state: QuoteState
  /** Counts this market's changes, from 1, never falling while the process lives. */
  readonly bookSeq: number
  /** The venue's clock, Unix ms; absent when the frame carried none, or no frame caused this. */
  readonly venueMs?: number
  /** Our monotonic clock when the frame's bytes arrived, us. */
  readonly recvUs: number
}

/** LIVE: connected, every asked market has its book. BROKEN: continuity lost, resync under way. */
export type FeedState = 'CONNECTING' | 'LIVE' | 'BROKEN' | 'DOWN'

export interface FeedStatus {
  readonly state: FeedState
  /** Our monotonic clock when continuity was last proved, us; undefined before the first proof. */
  readonly provedUs: number | undefined
  readonly markets: number
  readonly reconnects: number
  /** Where there may be more than one: connections that have every book. */
  readonly connections?: number
}

/** Why a frame, or a part of one, made no book change. */
export type FrameVerdict =
  /** Known and of no use to us, skipped by name. */
  | { readonly kind: 'skipped'; readonly name: string }
  /** Malformed, hostile, retired or impossible: counted as a parse error under `reason` (a short stable word). */
  | { readonly kind: 'refused'; readonly reason: string; readonly detail: string }
  /** A form we have never seen: passed over, counted under its name. */
  | { readonly kind: 'unknown'; readonly name: string }

export interface FeedListener {
  onBook(update: BookUpdate): void
  onVerdict(verdict: FrameVerdict): void
  /** A line for the log; foreign text is already sanitized. */
  onNotice(level: 'info' | 'warn' | 'error', text: string): void
}

/** A venue's market data socket, kept alive: reconnects, resyncs, and says what may be believed. */
export interface MarketFeed {
  /** The markets to follow from now on; safe to call again with more or fewer. Connects on the first call. */
  follow(markets: readonly CatalogMarket[]): void
  status(): FeedStatus
  close(): Promise<void>
}

/** Which games a venue lists. */
export interface Catalog {
  /**
   * Open game-winner markets of a league, with the reason for each one left out. Throws ArbeesError when unreachable and
   * no listing before can stand in.
   */
  openMarkets(league: League, signal: AbortSignal): Promise<CatalogListing>
}

export interface CatalogListing {
  readonly markets: readonly CatalogMarket[]
  readonly skipped: readonly { readonly id: string; readonly reason: string }[]
  /** Set when the venue could not be asked: this is what it listed before, and why it is not newer. */
  readonly stale?: { readonly ageMs: number; readonly reason: string }
  /** What could not be read beside it: what it says may cost more than it knows. */
  readonly problem?: string
}

/** A signed request, ready to be stored and then sent once. */
export interface PreparedOrder {
  readonly request: OrderRequest
  readonly market: GameMarket
  /** The exact bytes of the request body: the ledger stores them before anything is sent. */
  readonly body: string
  /** Known before sending where the venue derives it from the order (Polymarket's order hash). */
  readonly venueOrderId?: string
  /** The size this order can buy at most, after the venue's rounding rules. */
  readonly sizeE2: number
  /** The venue had acknowledged it before this process began: it arrived. */
  readonly acknowledged?: boolean
  /** The venue had said before this process began that it matched: its trades, as far as they were named. */
  readonly matchedTradeIds?: readonly string[]
  /** When a process before this one sent it, or was about to; our wall clock, Unix ms. */
  readonly sentMs?: number
}

/** What became of an order. Never an exception: an unexplained failure is `unknown`. */
export type OrderOutcome =
  | {
      readonly kind: 'filled' | 'partial'
      readonly venueOrderId: string
      /** Contracts x 10^6, as the venue reports. */
      readonly filledE6: number
    }
  | { readonly kind: 'none'; readonly venueOrderId?: string }
  /** A documented refusal: nothing was and nothing will be done. */
  | { readonly kind: 'rejected'; readonly code: string; readonly message: string }
  /** Accepted, cannot be canceled, matched later: ask `query`. */
  | { readonly kind: 'delayed'; readonly venueOrderId: string; readonly filledE6?: number }
  /** It may have filled: counts as filled until `query` tells. `filledE6` is what is seen for certain, more may follow. */
  | {
      readonly kind: 'unknown'
      readonly reason: string
      readonly filledE6?: number
      /** The venue has said that it matched: its trades, as far as they were named. */
      readonly matchedTradeIds?: readonly string[]
    }

/** The order was not let go: not a byte of it was written, and none will be. */
export interface Withheld {
  readonly kind: 'withheld'
}

/** Money of a filled order in micro-dollars, from the venue's own records: paid for a buy, received for a sale. */
export interface FillReport {
  readonly cashMicros: number
  readonly feesMicros: number
  readonly venueTradeIds: readonly string[]
}

/** How far a fill has settled; sizes are contracts x 10^6. What is neither confirmed nor voided may become either. */
export interface FillSettlement {
  readonly confirmedE6: number
  /** Given up by the venue: nothing was bought or sold. */
  readonly voidedE6: number
  /** Nothing will change any more. */
  readonly isFinal: boolean
}

/** What the ledger knows of our trading at one venue; sizes are contracts x 10^6, +YES and -NO. */
export interface OwnTrading {
  /** What our fills of all lives came to, by market. */
  readonly positions: ReadonlyMap<string, number>
  /** Markets that we have traded, of games that are not final. */
  readonly markets: readonly string[]
  /** What the account holds beyond that, and the operator knows of. */
  readonly accepted: ReadonlyMap<string, number>
  /** Whether an order id is one of ours, of any life. */
  isOurs(orderId: string): boolean
}

/** Something on the account that no order of ours explains. */
export interface TradingAlarm {
  readonly kind: 'fill' | 'position'
  readonly text: string
}

export interface OrderGateway {
  readonly venue: Venue
  /** Names the account in order ids; no secret. */
  readonly account: string
  /** Opens connections and warms the signer. */
  warm(): Promise<void>
  /**
   * What stands against sending these orders now, as last heard of the account and the exchange: asked with every leg
   * at this venue of a plan, and what open plans may still send, before its first order. Reads memory alone. Undefined
   * when nothing does, or the venue has nothing of the kind.
   */
  admit?(orders: readonly PlannedOrder[]): VenueDenial | undefined
  /** Compares the account with our own trading from now on, and tells what that does not explain. Call it once. */
  watch?(own: OwnTrading, onAlarm: (alarm: TradingAlarm) => void): void
  /**
   * The operator goes on after a halt: what he was told of is no reason to stop any more. Returns what the account holds
   * beyond our own fills with his consent, contracts x 10^6 by market; keep it for the next life's `OwnTrading`.
   */
  resume?(): ReadonlyMap<string, number>
  /** Builds and, where the venue signs bodies, signs the order. Throws ArbeesError when it cannot be expressed. */
  prepare(request: OrderRequest, market: GameMarket): PreparedOrder
  /**
   * Sends once, over connections that no read stands in the way of. An order may still wait for one: `mayGo` is asked
   * right before its first byte, in the same turn. `onBytes` is called right after the request has been handed to the
   * socket.
   */
  send(prepared: PreparedOrder, onBytes: () => void, mayGo: () => boolean): Promise<OrderOutcome | Withheld>
  /** What became of an order sent before; `unknown` while the venue cannot tell. */
  query(prepared: PreparedOrder): Promise<OrderOutcome>
  /** The money of a fill. Throws ArbeesError when the venue does not show it yet. */
  report(prepared: PreparedOrder, filled: { venueOrderId: string; filledE6: number }): Promise<FillReport>
  /**
   * Where a fill is provisional at first: how far the trades of a report have settled. Throws ArbeesError when the venue
   * cannot tell. Absent where a fill is final at once.
   */
  settlement?(prepared: PreparedOrder, venueTradeIds: readonly string[]): Promise<FillSettlement>
  close(): Promise<void>
}
