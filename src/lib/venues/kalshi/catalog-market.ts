/** What trading a Kalshi market takes, from its entry in `GET /markets`. */

import { sanitize } from '../../core/sanitize.js'
import { ONE_E4, parsePriceE4, parseScaled } from '../../model/price.js'
import { isJsonObject, textOf, type JsonObject } from './wire.js'

export interface ListedMarket {
  readonly ticker: string
  readonly eventTicker: string
  readonly title: string
  readonly tickE4: number
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
  const tickE4 = readTickE4(value['price_ranges'])
  if (typeof tickE4 === 'string') return skip(tickE4)
  const exchangeIndex = exchangeIndexOf(value)
  if (exchangeIndex === 'bad') return skip('exchange_index')
  // Whole contracts are valid everywhere; hundredths only where the market says so.
  const sizeStepE2 = value['fractional_trading_enabled'] === true ? 1 : 100
  const title = sanitize(textOf(value['title']) ?? '', 200)
  return { kind: 'market', market: { ticker, eventTicker, title, tickE4, sizeStepE2, exchangeIndex } }
}

/**
 * The one step of `[{start, end, step}]`, which must cover every price from $0 to $1; else why there is none:
 *
 *   - `price_ranges`: anything else, or steps that are not whole $0.0001: such a market cannot be expressed;
 *   - `several_ticks`: tapered markets, $0.001 at the edges and $0.01 between. A market has one tick here, and limits
 *     are moved along it (the hedge's break-even, an unwind's next price). On the finest of several a limit can land
 *     between two prices of the coarser range, which the venue refuses (400 `invalid_price`) when the other leg
 *     already stands. So these markets are not traded.
 */
export function readTickE4(ranges: unknown): number | 'price_ranges' | 'several_ticks' {
  if (!Array.isArray(ranges) || ranges.length === 0) return 'price_ranges'
  const parsed: { startE4: number; endE4: number; stepE4: number }[] = []
  for (const range of ranges as readonly unknown[]) {
    if (!isJsonObject(range)) return 'price_ranges'
    const [startE4, endE4, stepE4] = [range['start'], range['end'], range['step']].map((field) =>
      typeof field === 'string' ? parsePriceE4(field) : undefined,
    )
    if (startE4 === undefined || endE4 === undefined || stepE4 === undefined) return 'price_ranges'
    if (stepE4 === 0 || endE4 <= startE4 || (endE4 - startE4) % stepE4 !== 0) return 'price_ranges'
    parsed.push({ startE4, endE4, stepE4 })
  }
  parsed.sort((a, b) => a.startE4 - b.startE4)
  let coveredE4 = 0
  for (const { startE4, endE4 } of parsed) {
    if (startE4 !== coveredE4) return 'price_ranges'
    coveredE4 = endE4
  }
  if (coveredE4 !== ONE_E4) return 'price_ranges'
  const [tickE4, ...others] = new Set(parsed.map(({ stepE4 }) => stepE4))
  return tickE4 === undefined || others.length > 0 ? 'several_ticks' : tickE4
}

function exchangeIndexOf(market: JsonObject): number | undefined | 'bad' {
  const index = market['exchange_index']
  if (index === undefined || index === null) return undefined
  return typeof index === 'number' && Number.isSafeInteger(index) && index >= 0 ? index : 'bad'
}
