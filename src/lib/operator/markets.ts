/** A venue's markets as an operator sees them: asked now, with what each costs to take and why others are left out. */

import type { Clock } from '../core/clock.js'
import type { Settings } from '../core/config.js'
import { ArbeesError, messageOf } from '../core/errors.js'
import { sanitize } from '../core/sanitize.js'
import { takerFeeMicros } from '../model/fees.js'
import type { MarketKind } from '../model/game.js'
import { ONE_E4, priceToWire } from '../model/price.js'
import type { PriceGrid } from '../model/price-grid.js'
import { leaguesOf } from '../roles/leagues.js'
import { GAME_SERIES, KalshiCatalog, type ListStatus } from '../venues/kalshi/catalog.js'
import { reviewListing, type KalshiListing, type ReviewedMarket } from '../venues/kalshi/listing.js'
import { venueUrls } from '../venues/urls.js'

export interface MarketsOptions {
  readonly settings: Settings
  readonly clock: Clock
  /** One event instead of the leagues, its markets of any status. */
  readonly event?: string | undefined
  /** `open` when not said. */
  readonly status?: ListStatus | undefined
  /** With the rules text of each market. */
  readonly rules: boolean
}

export interface MarketRow {
  readonly series: string
  readonly event: string
  /** Away at home, in soccer home vs away; null when the event is no game. */
  readonly game: string | null
  /** `YYYY-MM-DD`, with ` HH:MM` where the ticker has a time; US Eastern. */
  readonly eastern: string | null
  readonly market: string
  readonly selection: string | null
  readonly kind: MarketKind | null
  readonly status: string
  /** Dollars; the finest of several. Null when the prices cannot be expressed. */
  readonly tick: number | null
  /** `[start, end, step]` in dollars, where there are several. */
  readonly price_ranges?: readonly (readonly [number, number, number])[]
  readonly fee_type: string | null
  /** Taking one contract at $0.50, in cents; null when the fee is no formula of ours. */
  readonly fee_cents: number | null
  /** Null: the venue finds the shard. */
  readonly shard: number | null
  readonly close_time: string | null
  /** Made visible, line by line. */
  readonly rules?: string
}

export interface SkippedMarket {
  readonly series: string
  readonly market: string
  readonly reason: string
}

export interface MarketsReport {
  readonly venue: 'kalshi'
  readonly env: string
  /** Which host answered. */
  readonly host: string
  readonly markets: readonly MarketRow[]
  readonly skipped: readonly SkippedMarket[]
  /** Since the venue was asked first, ms. */
  readonly age_ms: number
  /** What could not be learned. */
  readonly notices: readonly string[]
}

/** Throws ArbeesError: exit 6 when the venue does not answer, 2 for an event that it does not have. */
export async function listMarkets(options: MarketsOptions): Promise<MarketsReport> {
  const { settings, clock, event, rules, status = 'open' } = options
  const leagues = leaguesOf(settings.leagues)
  const baseUrl = venueUrls(settings).kalshiRest
  const catalog = new KalshiCatalog({ baseUrl, clock })
  const { signal } = new AbortController()
  let listings: readonly KalshiListing[]
  try {
    const asked =
      event === undefined
        ? leagues.map((league) => catalog.list({ series: GAME_SERIES[league], status }, signal))
        : [catalog.listEvent(event, signal)]
    listings = await Promise.all(asked)
  } catch (error) {
    throw withVenue(error, `Kalshi (${settings.env}) at ${baseUrl}`, settings.env)
  } finally {
    await catalog.close()
  }
  const nowMs = clock.nowMs()
  const markets: MarketRow[] = []
  const skipped: SkippedMarket[] = []
  for (const listing of listings) {
    const { series } = listing
    skipped.push(...listing.unreadable.map(({ id, reason }) => ({ series, market: id, reason })))
    if (listing.seriesFees === undefined) skipped.push({ series, market: series, reason: 'series_not_found' })
    for (const reviewed of reviewListing(listing, nowMs)) {
      const { market, reason } = reviewed
      // Who asks for closed markets wants to see them, though none of them trades.
      const isAsked = (event !== undefined || status !== 'open') && reason?.startsWith('status_') === true
      if (reason === undefined || isAsked) markets.push(rowOf(series, reviewed, rules))
      else skipped.push({ series, market: market.ticker, reason })
    }
  }
  const problems = new Set(listings.flatMap(({ feeChanges: { problem } }) => problem ?? []))
  const askedMs = Math.min(...listings.map((listing) => listing.askedMs))
  return {
    ...{ venue: 'kalshi', env: settings.env, host: new URL(baseUrl).host },
    ...{ markets, skipped, notices: [...problems] },
    age_ms: Math.max(0, nowMs - askedMs),
  }
}

function rowOf(
  series: string,
  { market, event, selection, fees }: ReviewedMarket,
  rules: boolean,
): MarketRow {
  const time = event?.easternTime === undefined ? '' : ` ${event.easternTime}`
  const number = event?.gameNumber === undefined ? '' : ` (game ${event.gameNumber})`
  // Soccer names the home team first.
  const joint = event?.kind === 'three_way' ? ' vs ' : ' at '
  const { closeMs, rules: text } = market
  return {
    series,
    event: market.eventTicker,
    game: event === undefined ? null : `${event.teams.join(joint)}${number}`,
    eastern: event === undefined ? null : `${event.easternDate}${time}`,
    market: market.ticker,
    selection: selection ?? null,
    kind: event?.kind ?? null,
    status: market.status,
    ...ticksOf(market.grid),
    fee_type: fees.kind === 'refused' ? null : fees.feeType,
    fee_cents: fees.kind === 'refused' ? null : takerFeeMicros(fees.fees, ONE_E4 / 2, 100) / 10_000,
    shard: market.exchangeIndex ?? null,
    close_time: closeMs === undefined ? null : new Date(closeMs).toISOString(),
    ...(rules
      ? { rules: visible([text.primary, text.secondary].filter((each) => each !== '').join('\n')) }
      : {}),
  }
}

function ticksOf(grid: PriceGrid | undefined): Pick<MarketRow, 'tick' | 'price_ranges'> {
  if (grid?.priceRanges === undefined) return { tick: grid === undefined ? null : priceToWire(grid.tickE4) }
  const ranges = grid.priceRanges.map(
    ({ startE4, endE4, stepE4 }) => [priceToWire(startE4), priceToWire(endE4), priceToWire(stepE4)] as const,
  )
  return { tick: Math.min(...ranges.map(([, , step]) => step)), price_ranges: ranges }
}

/** Foreign text of several lines. */
export const visible = (text: string): string =>
  text
    .split(/\r?\n/)
    .map((line) => sanitize(line, 20_000))
    .join('\n')

const UNREACHABLE = new Set(['KALSHI_UNREACHABLE', 'VENUE_UNREACHABLE', 'SCOREBOARD_UNREACHABLE'])

/** Names the place that was asked: the same command serves every env. */
export function withVenue(error: unknown, place: string, env: string): unknown {
  if (!(error instanceof ArbeesError) || !UNREACHABLE.has(error.code)) return error
  const hint =
    env === 'sim' ? 'start the simulator (arbees up, or arbees sim), or name another --env' : error.hint
  return new ArbeesError(error.code, `${place}: ${messageOf(error)}`, {
    exit: error.exit,
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  })
}
