/**
 * What the `market_lifecycle_v2` channel tells of the catalog between two looks at it: markets that open, pause, close
 * or change their prices, new events, and fees of events. Pure.
 */

import { sanitize } from '../../core/sanitize.js'
import type { PriceGrid } from '../../model/price-grid.js'
import type { FrameVerdict } from '../ports.js'
import { readPriceGrid, type ListedMarket } from './catalog-market.js'
import type { FeeTerms } from './fees.js'
import type { KalshiListing } from './listing.js'
import { shown, textOf, type JsonObject } from './wire.js'

export type CatalogChange =
  | { readonly kind: 'market_created'; readonly ticker: string }
  /** `status` is the word that the market's entry in `GET /markets` would have. */
  | { readonly kind: 'market_status'; readonly ticker: string; readonly status: string }
  | { readonly kind: 'market_close'; readonly ticker: string; readonly closeMs: number }
  /** No grid: its prices cannot be expressed any more. */
  | { readonly kind: 'market_prices'; readonly ticker: string; readonly grid: PriceGrid | undefined }
  | { readonly kind: 'market_renamed'; readonly ticker: string }
  | { readonly kind: 'event_created'; readonly eventTicker: string; readonly series: string | undefined }
  | { readonly kind: 'event_fees'; readonly eventTicker: string; readonly fees: FeeTerms }
  /** Changes may have been lost, of whatever kind. */
  | { readonly kind: 'missed' }

const STATUS_AFTER: Readonly<Record<string, string>> = {
  activated: 'active',
  deactivated: 'inactive',
  determined: 'determined',
  settled: 'finalized',
}

/** The types that this module reads. */
export const CATALOG_TYPES = ['market_lifecycle_v2', 'event_lifecycle', 'event_fee_update'] as const
type CatalogType = (typeof CATALOG_TYPES)[number]

/** The `msg` of one such message, or why it tells nothing. */
export function parseCatalogChange(type: CatalogType, msg: JsonObject): CatalogChange | FrameVerdict {
  const refused = (reason: string, detail: string): FrameVerdict => {
    return { kind: 'refused', reason, detail: sanitize(detail, 120) }
  }
  if (type === 'market_lifecycle_v2') {
    const ticker = textOf(msg['market_ticker'])
    return ticker === undefined ? refused('bad_ticker', type) : parseLifecycle(ticker, msg, refused)
  }
  const eventTicker = textOf(msg['event_ticker'])
  if (eventTicker === undefined) return refused('bad_ticker', type)
  if (type === 'event_lifecycle')
    return { kind: 'event_created', eventTicker, series: textOf(msg['series_ticker']) }
  const [feeType, feeMultiplier] = [msg['fee_type_override'], msg['fee_multiplier_override']]
  // Cleared is null: a message without the fields tells of no fee at all.
  if (feeType === undefined || feeMultiplier === undefined) return refused('missing_field', type)
  return { kind: 'event_fees', eventTicker, fees: { feeType, feeMultiplier } }
}

function parseLifecycle(
  ticker: string,
  msg: JsonObject,
  refused: (reason: string, detail: string) => FrameVerdict,
): CatalogChange | FrameVerdict {
  const type = textOf(msg['event_type'])
  if (type === undefined) return refused('missing_field', `event_type of ${ticker}`)
  const status = Object.hasOwn(STATUS_AFTER, type) ? STATUS_AFTER[type] : undefined
  if (status !== undefined) return { kind: 'market_status', ticker, status }
  switch (type) {
    case 'created':
      return { kind: 'market_created', ticker }
    case 'metadata_updated':
      return { kind: 'market_renamed', ticker }
    case 'price_level_structure_updated':
      return { kind: 'market_prices', ticker, grid: readPriceGrid(msg['price_ranges']) }
    case 'close_date_updated': {
      const closeMs = unixMsOf(msg['close_ts'])
      if (closeMs === undefined) return refused('bad_ts', `${ticker} ${shown(msg['close_ts'])}`)
      return { kind: 'market_close', ticker, closeMs }
    }
    default:
      return { kind: 'unknown', name: sanitize(`market_lifecycle_v2 ${type}`, 64) }
  }
}

/** The listing after a change; the same one when the change does not concern it. */
export function applyCatalogChange(listing: KalshiListing, change: CatalogChange): KalshiListing {
  if (change.kind === 'missed') return { ...listing, isOutdated: true }
  if (change.kind === 'event_created') {
    const isOurs = change.series === listing.series || isOfSeries(listing, change.eventTicker)
    return isOurs && !listing.events.has(change.eventTicker) ? { ...listing, isOutdated: true } : listing
  }
  if (change.kind === 'event_fees') {
    if (!listing.events.has(change.eventTicker)) return listing
    return { ...listing, events: new Map(listing.events).set(change.eventTicker, change.fees) }
  }
  const market = listing.markets.get(change.ticker)
  if (market === undefined)
    return isOfSeries(listing, change.ticker) ? { ...listing, isOutdated: true } : listing
  const changed = changedMarket(market, change)
  if (changed === undefined) return { ...listing, isOutdated: true }
  return { ...listing, markets: new Map(listing.markets).set(change.ticker, changed) }
}

type MarketChange = Extract<CatalogChange, { readonly ticker: string }>

/** Undefined when the change tells less than the catalog knows. */
function changedMarket(market: ListedMarket, change: MarketChange): ListedMarket | undefined {
  switch (change.kind) {
    case 'market_status':
      return { ...market, status: change.status }
    case 'market_close':
      return { ...market, closeMs: change.closeMs }
    case 'market_prices':
      return { ...market, grid: change.grid }
    case 'market_created':
    case 'market_renamed':
      return undefined
  }
}

const isOfSeries = ({ series }: KalshiListing, ticker: string): boolean => ticker.startsWith(`${series}-`)

/** The venue writes seconds; more than 5138 years of them are milliseconds. */
function unixMsOf(value: unknown): number | undefined {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value <= 0) return undefined
  return value < 1e11 ? value * 1000 : value
}
