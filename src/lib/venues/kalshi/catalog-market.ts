/** What trading a Kalshi market takes, from its entry in `GET /markets`. */

import { sanitize } from '../../core/sanitize.js'
import { ONE_E4, parsePriceE4, parseScaled } from '../../model/price.js'
import { priceGridOf, type PriceGrid, type PriceRange } from '../../model/price-grid.js'
import { isJsonObject, textOf, type JsonObject } from './wire.js'

export interface ListedMarket {
  readonly ticker: string
  readonly eventTicker: string
  readonly title: string
  readonly grid: PriceGrid
  readonly sizeStepE2: number
  readonly exchangeIndex: number | undefined
}

export type ParsedMarket =
  | { readonly kind: 'market'; readonly market: ListedMarket }
  | { readonly kind: 'skipped'; readonly id: string; readonly reason: string }

const TICKER = /^[A-Z0-9][A-Z0-9.-]{0,99}$/

/** The filter word for these is `open`; in the body the status is `active`. */
const TRADING_STATUS = 'active'

export function parseMarket(value: unknown): ParsedMarket {
  if (!isJsonObject(value)) return { kind: 'skipped', id: '?', reason: 'not_an_object' }
  const ticker = textOf(value['ticker'])
  const id = sanitize(ticker ?? '?', 100)
  const skip = (reason: string): ParsedMarket => ({ kind: 'skipped', id, reason })
  const eventTicker = textOf(value['event_ticker'])
  if (ticker === undefined || !TICKER.test(ticker)) return skip('ticker')
  if (eventTicker === undefined || !TICKER.test(eventTicker)) return skip('event_ticker')
  if (value['status'] !== TRADING_STATUS)
    return skip(`status_${sanitize(textOf(value['status']) ?? 'missing', 20)}`)
  if (value['market_type'] !== undefined && value['market_type'] !== 'binary') return skip('not_binary')
  if (value['mve_collection_ticker'] !== undefined) return skip('multivariate')
  const notional = value['notional_value_dollars']
  if (notional !== undefined && (typeof notional !== 'string' || parseScaled(notional, 4) !== ONE_E4)) {
    return skip('notional_value')
  }
  const grid = readPriceGrid(value['price_ranges'])
  if (grid === undefined) return skip('price_ranges')
  const exchangeIndex = exchangeIndexOf(value)
  if (exchangeIndex === 'bad') return skip('exchange_index')
  // Whole contracts are valid everywhere; hundredths only where the market says so.
  const sizeStepE2 = value['fractional_trading_enabled'] === true ? 1 : 100
  const title = sanitize(textOf(value['title']) ?? '', 200)
  return { kind: 'market', market: { ticker, eventTicker, title, grid, sizeStepE2, exchangeIndex } }
}

/** The grid of `[{start, end, step}]`; undefined for anything else, or what whole $0.0001 cannot express. */
export function readPriceGrid(ranges: unknown): PriceGrid | undefined {
  if (!Array.isArray(ranges)) return undefined
  const parsed: PriceRange[] = []
  for (const range of ranges as readonly unknown[]) {
    if (!isJsonObject(range)) return undefined
    const [startE4, endE4, stepE4] = [range['start'], range['end'], range['step']].map((field) =>
      typeof field === 'string' ? parsePriceE4(field) : undefined,
    )
    if (startE4 === undefined || endE4 === undefined || stepE4 === undefined) return undefined
    parsed.push({ startE4, endE4, stepE4 })
  }
  return priceGridOf(parsed)
}

function exchangeIndexOf(market: JsonObject): number | undefined | 'bad' {
  const index = market['exchange_index']
  if (index === undefined || index === null) return undefined
  return typeof index === 'number' && Number.isSafeInteger(index) && index >= 0 ? index : 'bad'
}
