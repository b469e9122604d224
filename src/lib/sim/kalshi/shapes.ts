/** Kalshi's JSON shapes for markets, events, series and books. */

import { complementE4, formatScaled } from '../../model/price.js'
import type { OrderBook } from '../../model/order-book.js'
import { shortDate } from '../eastern.js'
import { uuidOf, type KalshiMarket, type MarketStatus, type SimGame } from '../market.js'
import { overrideFields, SERIES_FEES } from './fees.js'
import { priceLevels } from '../price-structure.js'
import { LEAGUE_FACTS, type LeagueFacts } from '../teams.js'

/** Escape codes and bidi marks: hostile text stands in one title of every scenario. */
export const HOSTILE_TEXT = '\u001b]0;owned\u0007\u001b[31m\u202egnorw\u202c\u200b'

const DAY_MS = 86_400_000
const dollars = (priceE4: number) => formatScaled(priceE4, 4)
const count = (sizeE2: number) => formatScaled(sizeE2, 2)
const iso = (unixMs: number) => new Date(unixMs).toISOString()
/** Whole seconds, as catalog times have. */
const isoSeconds = (unixMs: number) => iso(unixMs).replace(/\.\d{3}Z$/, 'Z')

/** What a market printed so far. */
export interface LastTrade {
  readonly sizeE2: number
  readonly priceE4: number
  readonly volumeE2: number
}

export function marketShape(
  market: KalshiMarket,
  status: MarketStatus | 'inactive',
  book: OrderBook,
  last: LastTrade | undefined,
): unknown {
  const { game, yesTeam } = market
  const facts = LEAGUE_FACTS[game.league]
  const name = `${yesTeam.city} ${yesTeam.name}`
  const hostile = game.index === 0 && market.yesIsHome ? ` ${HOSTILE_TEXT}` : ''
  const expected = isoSeconds(game.startMs + 3 * 3_600_000)
  const latest = isoSeconds(game.startMs + 14 * DAY_MS)
  const bid = book.best('bid')
  const ask = book.best('ask')
  const settled = market.status === 'determined' || market.status === 'finalized'
  const lastE4 = dollars(last?.priceE4 ?? 0)
  return {
    can_close_early: true,
    close_time: latest,
    created_time: iso(game.startMs - 4 * DAY_MS),
    custom_strike: { [facts.kalshiStrike]: uuidOf(`team:${game.league}:${yesTeam.espn}`) },
    early_close_condition: 'This market will close and expire after a winner is declared.',
    event_ticker: market.eventTicker,
    exchange_index: market.exchangeIndex,
    expected_expiration_time: expected,
    expiration_time: latest,
    expiration_value: settled ? (market.result === 'yes' ? yesTeam.city : '') : '',
    ...(market.feeWaivedUntilMs !== undefined && {
      fee_waiver_expiration_time: iso(market.feeWaivedUntilMs),
    }),
    fractional_trading_enabled: true,
    last_price_dollars: lastE4,
    latest_expiration_time: latest,
    liquidity_dollars: '0.0000',
    market_type: 'binary',
    no_ask_dollars: dollars(bid === undefined ? 10_000 : complementE4(bid[0])),
    no_bid_dollars: dollars(ask === undefined ? 0 : complementE4(ask[0])),
    no_sub_title: yesTeam.city,
    notional_value_dollars: '1.0000',
    occurrence_datetime: expected,
    open_interest_fp: count(last?.volumeE2 ?? 0),
    open_time: isoSeconds(game.startMs - 4 * DAY_MS),
    previous_price_dollars: lastE4,
    previous_yes_ask_dollars: '0.0000',
    previous_yes_bid_dollars: '0.0000',
    ...priceLevels(market.structure),
    response_price_units: 'usd_cent',
    result: settled ? (market.result ?? '') : '',
    rules_primary: `If ${name} win the ${game.away.city} at ${game.home.city} ${facts.kalshiTitle.toLowerCase()} originally scheduled for ${shortDate(game.easternDate)}, then the market resolves to Yes.`,
    rules_secondary: '',
    settlement_timer_seconds: 30,
    ...(settled && { settlement_value_dollars: dollars(market.result === 'yes' ? 10_000 : 0) }),
    status,
    strike_type: 'structured',
    ticker: market.id,
    title: `${name} wins${hostile}`,
    updated_time: iso(game.startMs),
    volume_24h_fp: count(last?.volumeE2 ?? 0),
    volume_fp: count(last?.volumeE2 ?? 0),
    yes_ask_dollars: dollars(ask?.[0] ?? 10_000),
    yes_ask_size_fp: count(ask?.[1] ?? 0),
    yes_bid_dollars: dollars(bid?.[0] ?? 0),
    yes_bid_size_fp: count(bid?.[1] ?? 0),
    yes_sub_title: yesTeam.city,
  }
}

export function eventShape(game: SimGame): Record<string, unknown> {
  const facts = LEAGUE_FACTS[game.league]
  return {
    available_on_brokers: true,
    category: 'Sports',
    collateral_return_type: 'MECNET',
    event_ticker: game.kalshi[0].eventTicker,
    exchange_index: facts.exchangeIndex,
    ...overrideFields(game.kalshi[0].feeOverride),
    last_updated_ts: '0001-01-01T00:00:00Z',
    mutually_exclusive: true,
    product_metadata: { competition: facts.kalshiTitle, competition_scope: 'Game' },
    series_ticker: facts.kalshiSeries,
    settlement_sources: [{ name: 'the Governing League', url: 'https://www.example.com' }],
    strike_period: '',
    sub_title: `${game.away.kalshi} at ${game.home.kalshi} (${shortDate(game.easternDate)})`,
    title: `${game.away.city} at ${game.home.city}`,
  }
}

export function seriesShape(facts: LeagueFacts): unknown {
  return {
    additional_prohibitions: [],
    categories: ['Sports'],
    category: 'Sports',
    contract_terms_url: '',
    contract_url: '',
    exchange_index: facts.exchangeIndex,
    ...SERIES_FEES,
    frequency: 'custom',
    settlement_sources: [{ name: 'the Governing League', url: 'https://www.example.com' }],
    tags: [facts.sport.replace(/^./, (first) => first.toUpperCase())],
    ticker: facts.kalshiSeries,
    title: facts.kalshiTitle,
  }
}

/** `[price, count]` pairs ascending, best last; undefined when nobody rests. NO levels are in NO dollars unless asked otherwise. */
export function sideLevels(
  book: OrderBook,
  side: 'yes' | 'no',
  { useYesPrice = false, depth = Infinity } = {},
): (readonly [string, string])[] | undefined {
  const levels = book.levels(side === 'yes' ? 'bid' : 'ask', depth)
  if (levels.length === 0) return undefined
  const inYes = side === 'yes' || useYesPrice
  return levels
    .map(([priceE4, sizeE2]) => [dollars(inYes ? priceE4 : complementE4(priceE4)), count(sizeE2)] as const)
    .reverse()
}
