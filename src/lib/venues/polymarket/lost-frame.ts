/**
 * What can be told of a frame that cannot be used: the books that it may have been for.
 *
 * There is no sequence number, so a frame that is passed over is a change that is lost, until a hash or a REST book
 * shows that it is not.
 */

import type { FrameVerdict } from '../ports.js'

export interface LostFrame {
  /** It was a change of a book, or may have been one; else it says something about a market that we hold. */
  readonly changesBook: boolean
  /** Its condition id, when legible. */
  readonly market?: string
  /** Every legible token id in it. */
  readonly assetIds: readonly string[]
  /** The venue's clock, Unix ms, when legible. */
  readonly venueMs?: number
}

/** A verdict, and for a frame that books may miss, what it may have changed. */
export type PlacedVerdict = FrameVerdict & { readonly lost?: LostFrame }

/** Nothing of it can be read: it may have been for any book of the connection. */
export const ILLEGIBLE: LostFrame = { changesBook: true, assetIds: [] }

export const isMarketId = (value: unknown): value is string =>
  typeof value === 'string' && /^0x[0-9a-fA-F]{1,64}$/.test(value)

export const isAssetId = (value: unknown): value is string =>
  typeof value === 'string' && /^\d{1,80}$/.test(value)

export const isTimestamp = (value: unknown): value is string =>
  typeof value === 'string' && /^\d{1,15}$/.test(value)

/** Forms that say nothing of any book's levels. */
const NO_LEVELS = new Set<unknown>(['last_trade_price', 'best_bid_ask', 'market_resolved'])

/** Reads what it can of any JSON value; undefined for an announcement, which concerns no book that we hold. */
export function placeLost(value: unknown): LostFrame | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return ILLEGIBLE
  const frame = value as { readonly [key: string]: unknown }
  if (frame.event_type === 'new_market') return undefined
  const { market, timestamp } = frame
  const entries = [frame.price_changes, frame.changes].flatMap((list): unknown[] =>
    Array.isArray(list) ? list : [],
  )
  return {
    changesBook: !NO_LEVELS.has(frame.event_type),
    assetIds: [frame.asset_id, ...entries.map(assetOf)].filter(isAssetId),
    ...(isMarketId(market) ? { market } : {}),
    ...(isTimestamp(timestamp) ? { venueMs: Number(timestamp) } : {}),
  }
}

function assetOf(entry: unknown): unknown {
  return typeof entry === 'object' && entry !== null && 'asset_id' in entry ? entry.asset_id : undefined
}
