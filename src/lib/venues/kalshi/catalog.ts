/** Kalshi's open game-winner markets: one series per league, two markets per game. */

import type { Clock } from '../../core/clock.js'
import type { CatalogMarket, League } from '../../model/game.js'
import type { Catalog, CatalogListing } from '../ports.js'
import type { KalshiCredentials } from './auth.js'
import { parseMarket, type ListedMarket } from './catalog-market.js'
import { marketSuffix, parseEventTicker } from './event-ticker.js'
import { feesOfSeries, type SeriesFees } from './fees.js'
import { readPages } from './pages.js'
import { badReply, restError } from './rest-result.js'
import { KalshiRest } from './rest.js'
import { isJsonObject } from './wire.js'

const GAME_SERIES: Readonly<Record<League, string>> = {
  nba: 'KXNBAGAME',
  wnba: 'KXWNBAGAME',
  nfl: 'KXNFLGAME',
  nhl: 'KXNHLGAME',
  mlb: 'KXMLBGAME',
}

export interface KalshiCatalogOptions {
  readonly baseUrl: string
  /** Listings are public; given credentials sign the calls all the same. */
  readonly credentials?: KalshiCredentials
  readonly clock?: Clock
  readonly timeoutMs?: number
}

type Skipped = { readonly id: string; readonly reason: string }

const PAGE_SIZE = '1000'

export class KalshiCatalog implements Catalog {
  private readonly rest: KalshiRest

  constructor(options: KalshiCatalogOptions) {
    this.rest = new KalshiRest(options)
  }

  async openMarkets(league: League, signal: AbortSignal): Promise<CatalogListing> {
    const series = GAME_SERIES[league]
    const [fees, entries] = await Promise.all([
      this.seriesFees(series, signal),
      this.openEntries(series, signal),
    ])
    if (fees === 'not_found' && entries.length === 0) {
      return { markets: [], skipped: [{ id: series, reason: 'series_not_found' }] }
    }
    if (fees === 'not_found') throw badReply(`GET /series/${series}`)
    return listGames({ league, series, fees, entries })
  }

  close(): Promise<void> {
    return this.rest.close()
  }

  /** `not_found` where the venue has no such series: a league that it does not list. */
  private async seriesFees(series: string, signal: AbortSignal): Promise<SeriesFees | 'not_found'> {
    const path = `/series/${series}`
    const result = await this.rest.get(path, { signal })
    if (result.kind === 'refused' && result.status === 404 && result.error.code === 'not_found')
      return 'not_found'
    if (result.kind !== 'ok') throw restError(`GET ${path}`, result)
    const body = result.body['series']
    if (!isJsonObject(body)) throw badReply(`GET ${path}`)
    return feesOfSeries({ feeType: body['fee_type'], feeMultiplier: body['fee_multiplier'] })
  }

  private async openEntries(series: string, signal: AbortSignal): Promise<unknown[]> {
    const query = { series_ticker: series, status: 'open', limit: PAGE_SIZE }
    const entries: unknown[] = []
    for await (const page of readPages(this.rest, '/markets', query, 'markets', signal)) {
      if (page.kind === 'failed') throw restError(`GET /markets of ${series}`, page.result)
      entries.push(...page.items)
    }
    return entries
  }
}

/** Pure: entries of `GET /markets` to games, with the reason for each market left out. */
export function listGames(input: {
  readonly league: League
  readonly series: string
  readonly fees: SeriesFees
  readonly entries: readonly unknown[]
}): CatalogListing {
  const skipped: Skipped[] = []
  const byEvent = new Map<string, ListedMarket[]>()
  const seen = new Set<string>()
  for (const entry of input.entries) {
    const parsed = parseMarket(entry)
    if (parsed.kind === 'skipped') {
      skipped.push({ id: parsed.id, reason: parsed.reason })
    } else if (!seen.has(parsed.market.ticker)) {
      seen.add(parsed.market.ticker)
      const { eventTicker } = parsed.market
      byEvent.set(eventTicker, [...(byEvent.get(eventTicker) ?? []), parsed.market])
    }
  }
  const markets: CatalogMarket[] = []
  for (const [eventTicker, pair] of byEvent) {
    const game = gameOf(input, eventTicker, pair)
    if (typeof game === 'string') skipped.push(...pair.map(({ ticker }) => ({ id: ticker, reason: game })))
    else markets.push(...game)
  }
  return { markets, skipped }
}

/** The two markets of a game, or why they are none. */
function gameOf(
  { league, series, fees }: { readonly league: League; readonly series: string; readonly fees: SeriesFees },
  eventTicker: string,
  pair: readonly ListedMarket[],
): readonly CatalogMarket[] | string {
  if (fees.kind === 'refused') return fees.reason
  const [first, second, third] = pair
  if (first === undefined || second === undefined || third !== undefined)
    return `markets_of_event_${pair.length}`
  const suffixes = [
    marketSuffix(eventTicker, first.ticker),
    marketSuffix(eventTicker, second.ticker),
  ] as const
  const [firstCode, secondCode] = suffixes
  if (firstCode === undefined || secondCode === undefined) return 'market_suffix'
  const event = parseEventTicker(series, eventTicker, [firstCode, secondCode])
  if (event.kind === 'refused') return event.reason
  const build = (listed: ListedMarket, selection: string): CatalogMarket => ({
    venue: 'kalshi',
    marketId: listed.ticker,
    league,
    eventId: eventTicker,
    easternDate: event.easternDate,
    teams: event.teams,
    selection,
    title: listed.title,
    ...listed.grid,
    sizeStepE2: listed.sizeStepE2,
    minSizeE2: listed.sizeStepE2,
    fees: fees.fees,
    takerDelayMs: 0,
    ...(listed.exchangeIndex === undefined ? {} : { exchangeIndex: listed.exchangeIndex }),
  })
  return [build(first, firstCode), build(second, secondCode)]
}
