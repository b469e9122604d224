/** What trading a Kalshi market takes, from its entry in `GET /markets`. */

import { sanitize } from '../../core/sanitize.js'
import { ONE_E4, parsePriceE4, parseScaled, statedMiddleE4 } from '../../model/price.js'
import { priceGridOf, type PriceGrid, type PriceRange } from '../../model/price-grid.js'
import { integerOf, isJsonObject, textOf, timeMsOf, type JsonObject } from './wire.js'

export interface ListedMarket {
  readonly ticker: string
  readonly eventTicker: string
  /** Sanitized. */
  readonly title: string
  /** What YES stands for, in the venue's words: a team's name, `Tie`. Foreign text; empty where there is none. */
  readonly name: string
  /** The venue's word for it: `active` is the one that trades. */
  readonly status: string
  /** Undefined when its prices cannot be expressed. */
  readonly grid: PriceGrid | undefined
  readonly sizeStepE2: number
  /** Middle of the venue's own quote; undefined where that is one-sided or wide. */
  readonly statedE4: number | undefined
  readonly exchangeIndex: number | undefined
  /** Of a game still open this is some two weeks after it, the venue's clock, Unix ms. */
  readonly closeMs: number | undefined
  readonly feeWaivedUntilMs: number | undefined
  /** Foreign text, unchanged: sanitize before showing. Empty where there is none. */
  readonly rules: { readonly primary: string; readonly secondary: string }
  /** Why it could not be traded even when active; undefined when it could. */
  readonly flaw: string | undefined
}

export type ParsedMarket =
  | { readonly kind: 'market'; readonly market: ListedMarket }
  | { readonly kind: 'unreadable'; readonly id: string; readonly reason: string }

const TICKER = /^[A-Z0-9][A-Z0-9.-]{0,99}$/
const MAX_RULES = 20_000
const MAX_NAME = 100

/** The filter word for these is `open`; in the body the status is `active`. */
const TRADING_STATUS = 'active'

export function parseMarket(value: unknown): ParsedMarket {
  if (!isJsonObject(value)) return { kind: 'unreadable', id: '?', reason: 'not_an_object' }
  const ticker = textOf(value['ticker'])
  const eventTicker = textOf(value['event_ticker'])
  const unreadable = (reason: string): ParsedMarket => {
    return { kind: 'unreadable', id: sanitize(ticker ?? '?', 100), reason }
  }
  if (ticker === undefined || !TICKER.test(ticker)) return unreadable('ticker')
  if (eventTicker === undefined || !TICKER.test(eventTicker)) return unreadable('event_ticker')
  const market: ListedMarket = {
    ticker,
    eventTicker,
    title: sanitize(textOf(value['title']) ?? '', 200),
    name: (textOf(value['yes_sub_title']) ?? '').slice(0, MAX_NAME),
    status: sanitize(textOf(value['status']) ?? 'missing', 20),
    grid: readPriceGrid(value['price_ranges']),
    // Whole contracts are valid everywhere; hundredths only where the market says so.
    sizeStepE2: value['fractional_trading_enabled'] === true ? 1 : 100,
    statedE4: statedE4Of(value['yes_bid_dollars'], value['yes_ask_dollars']),
    exchangeIndex: integerOf(value['exchange_index']),
    closeMs: timeMsOf(value['close_time']),
    feeWaivedUntilMs: timeMsOf(value['fee_waiver_expiration_time']),
    rules: { primary: rulesOf(value['rules_primary']), secondary: rulesOf(value['rules_secondary']) },
    flaw: flawOf(value),
  }
  return { kind: 'market', market }
}

/** Why the market cannot be traded, whatever its event and its fees; undefined when it can. */
export function reasonAgainst({ status, flaw, grid }: ListedMarket): string | undefined {
  if (status !== TRADING_STATUS) return `status_${status}`
  return flaw ?? (grid === undefined ? 'price_ranges' : undefined)
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

/** An empty side is quoted as 0 or 1. */
function statedE4Of(bid: unknown, ask: unknown): number | undefined {
  if (typeof bid !== 'string' || typeof ask !== 'string') return undefined
  return statedMiddleE4(parsePriceE4(bid), parsePriceE4(ask))
}

/** An index may be absent (the venue then finds the shard), but not be anything else. */
function flawOf(market: JsonObject): string | undefined {
  if (market['market_type'] !== undefined && market['market_type'] !== 'binary') return 'not_binary'
  if (market['mve_collection_ticker'] !== undefined) return 'multivariate'
  const notional = market['notional_value_dollars']
  if (notional !== undefined && (typeof notional !== 'string' || parseScaled(notional, 4) !== ONE_E4)) {
    return 'notional_value'
  }
  const index = market['exchange_index'] ?? undefined
  return index !== undefined && integerOf(index) === undefined ? 'exchange_index' : undefined
}

const rulesOf = (text: unknown): string => (textOf(text) ?? '').slice(0, MAX_RULES)
