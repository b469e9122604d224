/** Kalshi's game-winner markets: one series per league, a market per team, asked for again and changed in between. */

import { systemClock, type Clock } from '../../core/clock.js'
import { ArbeesError, EXIT, messageOf } from '../../core/errors.js'
import type { League } from '../../model/game.js'
import { KeptListings } from '../kept-listings.js'
import type { Catalog, CatalogListing } from '../ports.js'
import { AnnouncedChanges } from './announced-changes.js'
import type { KalshiCredentials } from './auth.js'
import { applyCatalogChange, type CatalogChange } from './catalog-change.js'
import { added, readFeeChanges, type FeeChanges } from './fee-changes.js'
import type { FeeTerms } from './fees.js'
import { gamesOf, readListing, type KalshiListing } from './listing.js'
import { readPages } from './pages.js'
import { PatientReader } from './patient-reader.js'
import { badReply, restError } from './rest-result.js'
import { KalshiRest } from './rest.js'
import { isJsonObject, textOf, type JsonObject } from './wire.js'

export const GAME_SERIES: Readonly<Record<League, string>> = {
  nba: 'KXNBAGAME',
  wnba: 'KXWNBAGAME',
  nfl: 'KXNFLGAME',
  nhl: 'KXNHLGAME',
  mlb: 'KXMLBGAME',
  cfb: 'KXNCAAFGAME',
  cbb: 'KXNCAAMBGAME',
  epl: 'KXEPLGAME',
  mls: 'KXMLSGAME',
}

/** What `status` of a list call may be; `paused` is a word for markets alone. */
export const LIST_STATUSES = ['unopened', 'open', 'paused', 'closed', 'settled'] as const
export type ListStatus = (typeof LIST_STATUSES)[number]

export interface KalshiCatalogOptions {
  readonly baseUrl: string
  /** Listings are public; given credentials sign the calls all the same. */
  readonly credentials?: KalshiCredentials
  readonly clock?: Clock
  readonly timeoutMs?: number
}

/** Fee changes are announced long ahead; a list that could not be read whole is tried again sooner. */
const FEE_CHANGES_MS = 600_000
const FEE_CHANGES_AGAIN_MS = 30_000

export class KalshiCatalog implements Catalog {
  private readonly rest: KalshiRest
  private readonly reader: PatientReader
  private readonly clock: Clock
  private readonly kept: KeptListings<KalshiListing>
  private readonly announced = new AnnouncedChanges(Object.values(GAME_SERIES))
  private feeChanges: { readonly changes: FeeChanges; readonly readMs: number } | undefined
  private reading: Promise<FeeChanges> | undefined

  constructor(options: KalshiCatalogOptions) {
    this.rest = new KalshiRest(options)
    this.reader = new PatientReader(this.rest)
    this.clock = options.clock ?? systemClock
    this.kept = new KeptListings(this.clock)
  }

  /**
   * When the venue does not answer, the listing before, up to five minutes old and marked `stale`. Throws `KALSHI_…`
   * (exit 6, 4 for refused credentials) when there is none.
   */
  async openMarkets(league: League, signal: AbortSignal): Promise<CatalogListing> {
    const askedUs = this.clock.monoUs()
    try {
      const listing = await this.list({ series: GAME_SERIES[league], status: 'open' }, signal)
      this.kept.set(league, this.announced.over(listing, askedUs))
    } catch (error) {
      const kept = this.current(league)
      if (signal.aborted || kept === undefined) throw error
      return { ...kept, stale: { ageMs: this.kept.ageMs(league), reason: messageOf(error) } }
    }
    return this.current(league) ?? { markets: [], skipped: [] }
  }

  /** The games of the last listing with every change since; undefined when there is none that is young enough. */
  current(league: League): CatalogListing | undefined {
    const listing = this.kept.get(league)
    return listing && gamesOf(listing, league, this.clock.nowMs())
  }

  /** Applies what the feed told. The leagues that it concerns, and whether only another listing can tell the rest. */
  apply(change: CatalogChange): { readonly leagues: readonly League[]; readonly isOutdated: boolean } {
    this.announced.hear(change, this.clock.monoUs())
    const leagues: League[] = []
    let isOutdated = false
    for (const [league, listing] of this.kept.entries()) {
      const changed = applyCatalogChange(listing, change)
      if (changed === listing) continue
      this.kept.set(league, changed)
      leagues.push(league)
      isOutdated ||= changed.isOutdated
    }
    return { leagues, isOutdated }
  }

  /** A series, or one event of it, as the venue lists it now. Throws as `openMarkets` does. */
  async list(
    what: { readonly series: string; readonly status: ListStatus },
    signal: AbortSignal,
  ): Promise<KalshiListing> {
    const { series, status } = what
    const askedMs = this.clock.nowMs()
    const query = { series_ticker: series, status }
    const ofEvents = status === 'paused' ? { series_ticker: series } : query
    const seriesFees = await this.seriesFees(series, signal)
    // Markets first: the event of each is then there to be listed. One call at a time: nobody waits for them.
    const marketEntries = await this.entries('/markets', { ...query, limit: '1000' }, 'markets', signal)
    const eventEntries = await this.entries('/events', { ...ofEvents, limit: '200' }, 'events', signal)
    const feeChanges = await this.scheduledFees(signal)
    if (seriesFees === undefined && marketEntries.length > 0) throw badReply(`GET /series/${series}`)
    return readListing({ series, seriesFees, eventEntries, marketEntries, feeChanges, askedMs })
  }

  /** One event with its markets of any status. Throws as `openMarkets` does, and `NO_SUCH_EVENT` (usage). */
  async listEvent(eventTicker: string, signal: AbortSignal): Promise<KalshiListing> {
    const askedMs = this.clock.nowMs()
    const path = `/events/${encodeURIComponent(eventTicker)}`
    const body = await this.body(path, signal)
    if (body === undefined) {
      throw new ArbeesError('NO_SUCH_EVENT', `Kalshi has no event '${eventTicker}'`, {
        exit: EXIT.USAGE,
        hint: 'arbees markets kalshi lists the open ones, with their tickers',
      })
    }
    const { event, markets } = body
    const series = isJsonObject(event) ? textOf(event['series_ticker']) : undefined
    if (series === undefined || !Array.isArray(markets)) throw badReply(`GET ${path}`)
    const seriesFees = await this.seriesFees(series, signal)
    const feeChanges = await this.scheduledFees(signal)
    const entries = { eventEntries: [event], marketEntries: markets as readonly unknown[] }
    return readListing({ series, seriesFees, feeChanges, askedMs, ...entries })
  }

  close(): Promise<void> {
    return this.rest.close()
  }

  private async seriesFees(series: string, signal: AbortSignal): Promise<FeeTerms | undefined> {
    const path = `/series/${encodeURIComponent(series)}`
    const body = await this.body(path, signal)
    if (body === undefined) return undefined
    const told = body['series']
    if (!isJsonObject(told)) throw badReply(`GET ${path}`)
    return { feeType: told['fee_type'], feeMultiplier: told['fee_multiplier'] }
  }

  /** The body of a reply; undefined when the venue has no such thing. */
  private async body(path: string, signal: AbortSignal): Promise<JsonObject | undefined> {
    const result = await this.reader.get(path, { signal })
    if (result.kind === 'ok') return result.body
    if (result.kind === 'refused' && result.status === 404 && result.error.code === 'not_found')
      return undefined
    throw restError(`GET ${path}`, result)
  }

  private async entries(
    path: string,
    query: Readonly<Record<string, string>>,
    list: string,
    signal: AbortSignal,
  ): Promise<unknown[]> {
    const entries: unknown[] = []
    for await (const page of readPages(this.reader, path, query, list, signal)) {
      if (page.kind === 'failed') throw restError(`GET ${path} of ${query['series_ticker']}`, page.result)
      entries.push(...page.items)
    }
    return entries
  }

  /** Announced changes of all series and events; with those of before, and why, where they cannot all be read. */
  private async scheduledFees(signal: AbortSignal): Promise<FeeChanges> {
    const nowMs = this.clock.nowMs()
    const known = this.feeChanges
    const everyMs = known?.changes.problem === undefined ? FEE_CHANGES_MS : FEE_CHANGES_AGAIN_MS
    if (known !== undefined && nowMs - known.readMs < everyMs) return known.changes
    // Leagues that ask at once are told by one look.
    this.reading ??= readFeeChanges(this.reader, signal).finally(() => (this.reading = undefined))
    const read = await this.reading
    const changes = read.problem === undefined || known === undefined ? read : added(known.changes, read)
    this.feeChanges = { changes, readMs: nowMs }
    return changes
  }
}
