/** Polymarket's open game-winner markets, from Gamma. */

import { systemClock, type Clock } from '../../core/clock.js'
import { ArbeesError, EXIT } from '../../core/errors.js'
import { sanitize } from '../../core/sanitize.js'
import type { CatalogMarket, League } from '../../model/game.js'
import type { Catalog, CatalogListing } from '../ports.js'
import { isObject, namesItsTeams, readEvent, readTeams, type GammaTeam } from './gamma-market.js'
import { VenueHttp } from './http.js'

/** Where Gamma files a league. */
export interface LeagueListing {
  readonly seriesId: string
  readonly tagId?: string
}

export interface PolymarketCatalogOptions {
  readonly gammaUrl: string
  readonly clock?: Clock
  /** Known listings; any other league's comes from `GET /sports`. */
  readonly leagues?: Partial<Record<League, LeagueListing>>
  readonly timeoutMs?: number
}

const PAGE = 100
/** Offset paging is capped by the venue at about this. */
const MAX_EVENTS = 2000
/** Tags that every game carries: Sports and Games. */
const COMMON_TAGS = new Set(['1', '100639'])

export class PolymarketCatalog implements Catalog {
  private readonly http: VenueHttp
  private readonly clock: Clock
  private readonly listings = new Map<League, LeagueListing>()
  private readonly teams = new Map<League, readonly GammaTeam[]>()

  constructor(private readonly options: PolymarketCatalogOptions) {
    this.http = new VenueHttp(options.gammaUrl)
    this.clock = options.clock ?? systemClock
  }

  async openMarkets(league: League, signal: AbortSignal): Promise<CatalogListing> {
    const listing = await this.listingOf(league, signal)
    if (listing === undefined)
      return { markets: [], skipped: [{ id: league, reason: 'no series in /sports' }] }
    const events = await this.events(listing, signal)
    const teams = events.every(namesItsTeams) ? [] : await this.teamsOf(league, signal)
    const context = { league, nowMs: this.clock.nowMs(), teams }
    const markets = new Map<string, CatalogMarket>()
    const skipped: { id: string; reason: string }[] = []
    for (const event of events) {
      const reading = readEvent(event, context)
      if (reading.kind === 'market') markets.set(reading.market.marketId, reading.market)
      else skipped.push({ id: sanitize(reading.id, 120), reason: sanitize(reading.reason, 200) })
    }
    return { markets: [...markets.values()], skipped }
  }

  async close(): Promise<void> {
    await this.http.close()
  }

  /** From the options, else from `GET /sports`: `{sport, series, tags: "1,745,100639"}`; undefined when not listed. */
  private async listingOf(league: League, signal: AbortSignal): Promise<LeagueListing | undefined> {
    const known = this.options.leagues?.[league] ?? this.listings.get(league)
    if (known !== undefined) return known
    const sports = await this.get('/sports', signal)
    const entry = sports.filter(isObject).find(({ sport }) => sport === league)
    if (entry === undefined || typeof entry.series !== 'string' || !/^\d+$/.test(entry.series))
      return undefined
    const tags = typeof entry.tags === 'string' ? entry.tags.split(',') : []
    const tagId = tags.find((tag) => /^\d+$/.test(tag) && !COMMON_TAGS.has(tag))
    const listing = { seriesId: entry.series, ...(tagId === undefined ? {} : { tagId }) }
    this.listings.set(league, listing)
    return listing
  }

  private async events({ seriesId, tagId }: LeagueListing, signal: AbortSignal): Promise<unknown[]> {
    const events: unknown[] = []
    while (events.length < MAX_EVENTS) {
      const query = new URLSearchParams({
        series_id: seriesId,
        ...(tagId === undefined ? {} : { tag_id: tagId }),
        closed: 'false',
        active: 'true',
        order: 'startTime',
        ascending: 'true',
        limit: String(PAGE),
        offset: String(events.length),
      })
      const page = await this.get(`/events?${query.toString()}`, signal)
      events.push(...page)
      if (page.length < PAGE) break
    }
    return events
  }

  private async teamsOf(league: League, signal: AbortSignal): Promise<readonly GammaTeam[]> {
    const known = this.teams.get(league)
    if (known !== undefined) return known
    const teams = readTeams(await this.get(`/teams?league=${league}`, signal))
    this.teams.set(league, teams)
    return teams
  }

  private async get(path: string, signal: AbortSignal): Promise<unknown[]> {
    const json = await this.http.getJson(path, this.options.timeoutMs ?? 10_000, signal)
    if (Array.isArray(json)) return json as unknown[]
    throw new ArbeesError('VENUE_BAD_ANSWER', `Gamma's ${path.split('?')[0]} is not a list`, {
      exit: EXIT.UNREACHABLE,
    })
  }
}
