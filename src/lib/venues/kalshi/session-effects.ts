/** What the session asks its feed to do, and to tell. */

import { sanitize } from '../../core/sanitize.js'
import type { OrderBook } from '../../model/order-book.js'
import type { QuoteState } from '../../model/quote.js'
import type { FrameVerdict } from '../ports.js'
import type { BookPlace } from './book-place.js'
import type { CatalogChange } from './catalog-change.js'
import type { ClientCommand } from './commands.js'
import type { PlacedVerdict } from './frame-place.js'

/** STALE is a matter of time on the whole connection, so the feed adds it. */
export type BookState = Exclude<QuoteState, 'STALE'>

export type SessionEffect =
  /** A message arrived in sequence: every book that is not BROKEN was proved just now. */
  | { readonly kind: 'proof' }
  | BookEffect
  | { readonly kind: 'send'; readonly command: ClientCommand }
  | { readonly kind: 'catalog'; readonly change: CatalogChange }
  | { readonly kind: 'verdict'; readonly verdict: FrameVerdict }
  | { readonly kind: 'notice'; readonly level: 'info' | 'warn' | 'error'; readonly text: string }
  /** This connection cannot be mended from inside: close it and start over. */
  | { readonly kind: 'reconnect'; readonly reason: string }

/** A book changed, or whether it may be believed. */
export interface BookEffect {
  readonly kind: 'book'
  readonly ticker: string
  readonly book: OrderBook
  readonly state: BookState
  readonly place: BookPlace
  /** The venue's clock, Unix ms. */
  readonly venueMs: number | undefined
}

/** One input to the session: when it came, and what it makes us do. */
export interface Turn {
  readonly nowUs: number
  readonly effects: SessionEffect[]
}

export const PROOF: SessionEffect = { kind: 'proof' }

export const skipped = (name: string): SessionEffect => ({
  kind: 'verdict',
  verdict: { kind: 'skipped', name },
})

export const refused = (reason: string, detail: string): SessionEffect => ({
  kind: 'verdict',
  verdict: { kind: 'refused', reason, detail: sanitize(detail, 120) },
})

export const notice = (level: 'info' | 'warn' | 'error', text: string): SessionEffect => ({
  kind: 'notice',
  level,
  text,
})

export const reconnect = (reason: string): SessionEffect => ({ kind: 'reconnect', reason })

/** A frame's verdict without its place. */
export function verdictOf(frame: PlacedVerdict): SessionEffect {
  return frame.kind === 'refused'
    ? { kind: 'verdict', verdict: { kind: 'refused', reason: frame.reason, detail: frame.detail } }
    : { kind: 'verdict', verdict: { kind: frame.kind, name: frame.name } }
}
