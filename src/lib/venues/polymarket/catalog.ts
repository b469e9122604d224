/** Polymarket's open game-winner markets, from Gamma. */

import { systemClock, type Clock } from '../../core/clock.js'
import { ArbeesError, EXIT, messageOf } from '../../core/errors.js'
import { sanitize } from '../../core/sanitize.js'
import { LEAGUES, type League } from '../../model/game.js'
import { KeptListings } from '../kept-listings.js'
import type { Catalog, CatalogListing } from '../ports.js'
import { isObject } from './gamma-fields.js'
import { namesItsTeams, readEvent, type Reading } from './gamma-market.js'
import { readEvents, type GammaCall } from './gamma-pages.js'
import { readTeams, type GammaTeam } from './gamma-teams.js'
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

/** Tags that every game carries: Sports and Games. */
const COMMON_TAGS = new Set(['1', '100639'])

/** A league as Gamma lists it. */
export interface GammaListing {
  /** Undefined for a league that the venue does not list. */
  readonly listing: LeagueListing | undefined
  readonly events: readonly unknown[]
  readonly teams: readonly GammaTeam[]
  /** When it was asked for, our wall clock, Unix ms. */
  readonly askedMs: number
}

/** The event of one game; halves, spreads and futures have other slugs. */
const GAME_SLUG = new RegExp(`^(${LEAGUES.join('|')})-[a-z0-9]+-[a-z0-9]+-\\d{4}-\\d{2}-\\d{2}$`)

/** The league of a game by its slug; undefined for anything else. */
export function leagueOfSlug(slug: string): League | undefined {
  const name = GAME_SLUG.exec(slug)?.[1]
  return LEAGUES.find((league) => league === name)
}

export class PolymarketCatalog implements Catalog {
  private readonly http: VenueHttp
  private readonly clock: Clock
  private readonly listings = new Map<League, LeagueListing>()
  private readonly teams = new Map<League, readonly GammaTeam[]>()
  private readonly kept: KeptListings<GammaListing>

  constructor(private readonly options: PolymarketCatalogOptions) {
    this.http = new VenueHttp(options.gammaUrl)
    this.clock = options.clock ?? systemClock
    this.kept = new KeptListings(this.clock)
  }

  /**
   * When the venue does not answer, the listing before, up to five minutes old and marked `stale`. Throws
   * `VENUE_UNREACHABLE`, `VENUE_BAD_ANSWER` (exit 6) when there is none.
   */
  async openMarkets(league: League, signal: AbortSignal): Promise<CatalogListing> {
    try {
      const listing = await this.list(league, signal)
      this.kept.set(league, listing)
      return this.gamesOf(league, listing)
    } catch (error) {
      const kept = this.kept.get(league)
      if (signal.aborted || kept === undefined) throw error
      const stale = { ageMs: this.kept.ageMs(league), reason: messageOf(error) }
      return { ...this.gamesOf(league, kept), stale }
    }
  }

  /** A league's open events as the venue lists them now. Throws as `openMarkets` does. */
  async list(league: League, signal: AbortSignal): Promise<GammaListing> {
    const askedMs = this.clock.nowMs()
    const listing = await this.listingOf(league, signal)
    const events = listing === undefined ? [] : await this.events(listing, signal)
    const teams = events.every(namesItsTeams) ? [] : await this.teamsOf(league, signal)
    return { listing, events, teams, askedMs }
  }

  /** One event, open or not. Throws as `openMarkets` does, and `NO_SUCH_EVENT` (usage). */
  async listEvent(slug: string, signal: AbortSignal): Promise<GammaListing & { readonly league: League }> {
    const askedMs = this.clock.nowMs()
    const league = leagueOfSlug(slug)
    const noSuchEvent = (): ArbeesError =>
      new ArbeesError('NO_SUCH_EVENT', `Polymarket has no game '${sanitize(slug, 120)}'`, {
        exit: EXIT.USAGE,
        hint: 'a game is named like nba-hou-uta-2026-11-20; arbees markets polymarket lists the open ones',
      })
    if (league === undefined) throw noSuchEvent()
    // A list with a filter: an event that is not there is an empty one, on every host.
    const query = new URLSearchParams({ slug })
    const found = await this.get(`/events?${query.toString()}`, signal)
    const events = found.filter((event) => isObject(event) && event.slug === slug)
    if (events.length === 0) throw noSuchEvent()
    const teams = events.every(namesItsTeams) ? [] : await this.teamsOf(league, signal)
    return { listing: undefined, league, events, teams, askedMs }
  }

  /** What each event of a listing comes to, now. */
  read(league: League, { events, teams }: Pick<GammaListing, 'events' | 'teams'>): Reading[] {
    const context = { league, nowMs: this.clock.nowMs(), teams }
    return events.flatMap((event) => readEvent(event, context))
  }

  async close(): Promise<void> {
    await this.http.close()
  }

  private gamesOf(league: League, listing: GammaListing): CatalogListing {
    const readings = this.read(league, listing)
    const markets = new Map(
      readings.flatMap((each) =>
        each.kind === 'market' ? [[each.market.marketId, each.market] as const] : [],
      ),
    )
    const skipped = readings.flatMap((each) =>
      each.kind === 'skipped' ? [{ id: sanitize(each.id, 120), reason: sanitize(each.reason, 200) }] : [],
    )
    if (listing.listing === undefined) skipped.push({ id: league, reason: 'no series in /sports' })
    return { markets: [...markets.values()], skipped }
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

  private events({ seriesId, tagId }: LeagueListing, signal: AbortSignal): Promise<unknown[]> {
    return readEvents(this.call(signal), {
      series_id: seriesId,
      ...(tagId === undefined ? {} : { tag_id: tagId }),
      closed: 'false',
      active: 'true',
    })
  }

  private call(signal: AbortSignal): GammaCall {
    return { http: this.http, timeoutMs: this.options.timeoutMs ?? 10_000, signal }
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
