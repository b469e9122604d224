/** Polymarket's games as an operator sees them: asked now, with what each costs to take and why others are left out. */

import { ArbeesError, EXIT } from '../core/errors.js'
import { takerFeeMicros } from '../model/fees.js'
import { ONE_E4, priceToWire, sizeToWire } from '../model/price.js'
import { leaguesOf } from '../roles/leagues.js'
import { PolymarketCatalog } from '../venues/polymarket/catalog.js'
import type { Reading } from '../venues/polymarket/gamma-market.js'
import { venueUrls } from '../venues/urls.js'
import { visible, withVenue, type MarketsOptions, type SkippedMarket } from './markets.js'

export interface PolymarketRow {
  readonly league: string
  /** The slug of the game's event, and of its winner's market. */
  readonly event: string
  /** The venue's two codes, in its own order. */
  readonly game: string
  /** `YYYY-MM-DD`, US Eastern. */
  readonly eastern: string
  readonly start_time: string
  /** Condition id. */
  readonly market: string
  /** The code of the team that YES, the first token, pays on. */
  readonly selection: string
  readonly token_ids: readonly string[]
  /** Dollars. */
  readonly tick: number
  /** Least order, shares. */
  readonly min_size: number
  /** Taking one share at $0.50, in cents. */
  readonly fee_cents: number
  /** How long a marketable order waits, ms. */
  readonly taker_delay_ms: number
  /** Which exchange contract its orders are for. */
  readonly neg_risk: boolean
  /** Made visible, line by line. */
  readonly rules?: string
}

export interface PolymarketReport {
  readonly venue: 'polymarket'
  readonly env: string
  /** Which host answered. */
  readonly host: string
  readonly markets: readonly PolymarketRow[]
  readonly skipped: readonly SkippedMarket[]
  /** Since the venue was asked first, ms. */
  readonly age_ms: number
  readonly notices: readonly string[]
}

/** Throws ArbeesError: exit 6 when the venue does not answer, 2 for a game that it does not have. */
export async function listPolymarket(options: MarketsOptions): Promise<PolymarketReport> {
  const { settings, clock, event, rules, status = 'open' } = options
  if (status !== 'open') {
    throw new ArbeesError('USAGE', `--status ${status}: arbees asks Polymarket for open games alone`, {
      exit: EXIT.USAGE,
      hint: '--skipped tells why others are left out; --event shows one game, open or not',
    })
  }
  const gammaUrl = venueUrls(settings).gamma
  const catalog = new PolymarketCatalog({ gammaUrl, clock })
  const { signal } = new AbortController()
  try {
    const asked =
      event === undefined
        ? leaguesOf(settings.leagues).map(async (league) => ({
            league,
            ...(await catalog.list(league, signal)),
          }))
        : [catalog.listEvent(event, signal)]
    const listings = await Promise.all(asked)
    const read = listings.map((listing) => ({ ...listing, readings: catalog.read(listing.league, listing) }))
    const notices = read.flatMap(({ league, listing }) =>
      event === undefined && listing === undefined ? [`Polymarket lists no ${league}`] : [],
    )
    return {
      ...{ venue: 'polymarket', env: settings.env, host: new URL(gammaUrl).host },
      markets: read.flatMap(({ readings }) => readings.flatMap((each) => rowsOf(each, rules))),
      skipped: read.flatMap(({ league, readings }) =>
        readings.flatMap((each) =>
          each.kind === 'skipped' ? [{ series: league, market: each.id, reason: each.reason }] : [],
        ),
      ),
      age_ms: Math.max(0, clock.nowMs() - Math.min(...listings.map(({ askedMs }) => askedMs))),
      notices,
    }
  } catch (error) {
    throw withVenue(error, `Polymarket (${settings.env}) at ${gammaUrl}`, settings.env)
  } finally {
    await catalog.close()
  }
}

function rowsOf(reading: Reading, rules: boolean): PolymarketRow[] {
  if (reading.kind === 'skipped') return []
  const { market, startMs } = reading
  return [
    {
      league: market.league,
      event: market.eventId,
      game: market.teams.join(', '),
      eastern: market.easternDate,
      start_time: new Date(startMs).toISOString(),
      market: market.marketId,
      selection: market.selection,
      token_ids: market.tokenIds ?? [],
      tick: priceToWire(market.tickE4),
      min_size: sizeToWire(market.minSizeE2),
      fee_cents: takerFeeMicros(market.fees, ONE_E4 / 2, 100) / 10_000,
      taker_delay_ms: market.takerDelayMs,
      neg_risk: market.negRisk === true,
      ...(rules ? { rules: visible(reading.rules) } : {}),
    },
  ]
}
