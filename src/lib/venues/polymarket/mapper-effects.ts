/** What the mapper asks its connection to do, and to tell. */

import type { CatalogMarket } from '../../model/game.js'
import type { OrderBook } from '../../model/order-book.js'
import type { QuoteState } from '../../model/quote.js'
import type { FrameVerdict } from '../ports.js'

export type MapperEffect =
  /** The book, or whether it may be believed, changed: publish it. */
  | {
      readonly kind: 'book'
      readonly market: CatalogMarket
      readonly book: OrderBook
      readonly state: QuoteState
      readonly venueMs?: number
    }
  /** Send this text. */
  | { readonly kind: 'send'; readonly text: string }
  | { readonly kind: 'verdict'; readonly verdict: FrameVerdict }
  /** Continuity of the connection was proved. */
  | { readonly kind: 'proved' }
  /** The venue's list of markets is another one. */
  | { readonly kind: 'catalog'; readonly change: CatalogChange }
  /** Close the socket and connect again. */
  | { readonly kind: 'reconnect'; readonly reason: string }
  | { readonly kind: 'notice'; readonly level: 'info' | 'warn' | 'error'; readonly text: string }

/** What the market channel tells of the catalog between two looks at it. */
export type CatalogChange =
  /** Of any market of the venue; foreign text. */
  | { readonly kind: 'listed'; readonly slug: string }
  | { readonly kind: 'resolved'; readonly market: CatalogMarket }

export interface MapperOptions {
  /** After this long without a proof a proved book is STALE. */
  readonly staleAfterUs: number
  /** A fresh dump that was asked for is asked for again after this long. */
  readonly resyncTimeoutUs: number
  /** Least time between two resyncs of one market: a venue whose every frame is unusable is not flooded. */
  readonly resyncGapUs: number
  /** Best prices that no change has explained for so long are a doubt. */
  readonly claimGraceUs: number
}

export const skip = (name: string): MapperEffect => ({ kind: 'verdict', verdict: { kind: 'skipped', name } })

export const catalogChange = (change: CatalogChange): MapperEffect => ({ kind: 'catalog', change })

/** Joins or leaves tokens of an open connection; joining makes the venue dump their books. */
export function operation(name: 'subscribe' | 'unsubscribe', assetIds: readonly string[]): MapperEffect {
  const features = name === 'subscribe' ? { custom_feature_enabled: true } : {}
  return { kind: 'send', text: JSON.stringify({ assets_ids: assetIds, operation: name, ...features }) }
}
