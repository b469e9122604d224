/** The top of a market's book, and whether it may be believed. */

import type { OrderBook } from './order-book.js'
import type { Venue } from './venue.js'

export const QUOTE_STATES = ['LIVE', 'STALE', 'BROKEN', 'EMPTY'] as const
/**
 * LIVE: continuity proved. STALE: not proved lately. BROKEN: continuity lost, the book may be wrong.
 * EMPTY: believed, and nobody quotes (an empty book is not bid 0 / ask 1). Only LIVE can make a signal.
 */
export type QuoteState = (typeof QUOTE_STATES)[number]

export interface Quote {
  readonly venue: Venue
  /** Kalshi market ticker, or Polymarket condition id. */
  readonly marketId: string
  /** What YES pays on: a team code as the venue spells it, `draw`, or a line; empty when unknown. */
  readonly selection: string
  readonly gameId?: string
  readonly state: QuoteState
  readonly yesBidE4?: number
  readonly yesAskE4?: number
  readonly yesBidSizeE2?: number
  readonly yesAskSizeE2?: number
  /** Counts the changes of this market's book; shared by the `orderbook.` message of the same change. */
  readonly bookSeq: number
}

/** The book's own view of LIVE: EMPTY when nobody quotes, BROKEN when it is crossed. */
export function stateOfBook(book: OrderBook): Extract<QuoteState, 'LIVE' | 'EMPTY' | 'BROKEN'> {
  if (book.isEmpty) return 'EMPTY'
  return book.isCrossed ? 'BROKEN' : 'LIVE'
}
