/**
 * A series as Kalshi lists it, and what follows from it: which of its markets are games, what each costs to take, and
 * why any is left out. Pure.
 */

import type { CatalogMarket, League } from '../../model/game.js'
import type { CatalogListing } from '../ports.js'
import { parseMarket, reasonAgainst, type ListedMarket } from './catalog-market.js'
import { marketSuffix, parseEventTicker, type GameEvent } from './event-ticker.js'
import type { FeeChanges } from './fee-changes.js'
import { dearestFees, type FeeTerms, type SeriesFees } from './fees.js'
import { isJsonObject, textOf } from './wire.js'

export interface KalshiListing {
  readonly series: string
  /** Undefined where the venue has no such series: a league that it does not list. */
  readonly seriesFees: FeeTerms | undefined
  /** What an event says of fees, by its ticker; an event that is missing here was not listed. */
  readonly events: ReadonlyMap<string, FeeTerms>
  readonly markets: ReadonlyMap<string, ListedMarket>
  readonly feeChanges: FeeChanges
  /** Entries that are no market of ours to name. */
  readonly unreadable: readonly { readonly id: string; readonly reason: string }[]
  /** When it was asked for, our wall clock, Unix ms. */
  readonly askedMs: number
  /** Something changed that only another look at the venue can tell. */
  readonly isOutdated: boolean
}

/** A market, and what its listing makes of it. */
export interface ReviewedMarket {
  readonly market: ListedMarket
  /** Undefined when its event is no game. */
  readonly event: GameEvent | undefined
  /** The venue's code of the team that YES pays on, or `TIE`. */
  readonly selection: string | undefined
  readonly fees: SeriesFees
  /** Why it is left out; undefined when it is listed for trading. */
  readonly reason: string | undefined
}

/** From entries of `GET /events` and `GET /markets`; an entry that comes twice counts once, the last time it came. */
export function readListing(
  told: Pick<KalshiListing, 'series' | 'seriesFees' | 'feeChanges' | 'askedMs'> & {
    readonly eventEntries: readonly unknown[]
    readonly marketEntries: readonly unknown[]
  },
): KalshiListing {
  const { eventEntries, marketEntries, ...rest } = told
  const events = new Map<string, FeeTerms>()
  for (const entry of eventEntries) {
    if (!isJsonObject(entry)) continue
    const ticker = textOf(entry['event_ticker'])
    const [feeType, feeMultiplier] = [entry['fee_type_override'], entry['fee_multiplier_override']]
    if (ticker !== undefined) events.set(ticker, { feeType, feeMultiplier })
  }
  const markets = new Map<string, ListedMarket>()
  const unreadable: { readonly id: string; readonly reason: string }[] = []
  for (const entry of marketEntries) {
    const parsed = parseMarket(entry)
    if (parsed.kind === 'market') markets.set(parsed.market.ticker, parsed.market)
    else unreadable.push({ id: parsed.id, reason: parsed.reason })
  }
  return { ...rest, events, markets, unreadable, isOutdated: false }
}

/** Every market of a listing, in its order. `nowMs` is our wall clock: fees change with time. */
export function reviewListing(listing: KalshiListing, nowMs: number): ReviewedMarket[] {
  const byEvent = new Map<string, ListedMarket[]>()
  for (const market of listing.markets.values()) {
    const markets = byEvent.get(market.eventTicker)
    if (markets === undefined) byEvent.set(market.eventTicker, [market])
    else markets.push(market)
  }
  return [...byEvent].flatMap(([eventTicker, markets]) => {
    const tickers = markets.map(({ ticker }) => ticker)
    const parsed = parseEventTicker(listing.series, eventTicker, tickers)
    const event = typeof parsed === 'string' ? undefined : parsed
    const reviewed = markets.map((market) => {
      const fees = feesOf(listing, market, nowMs)
      const selection = marketSuffix(eventTicker, market.ticker)
      return { market, event, selection, fees, reason: reasonFor(listing, market, parsed, fees) }
    })
    // A game trades whole or not at all: its markets are hedges of one another.
    if (reviewed.every(({ reason }) => reason === undefined)) return reviewed
    return reviewed.map((each) => ({ ...each, reason: each.reason ?? 'other_market_left_out' }))
  })
}

/** The games of a league that can be traded now, and the reason for each market left out. */
export function gamesOf(listing: KalshiListing, league: League, nowMs: number): CatalogListing {
  const markets: CatalogMarket[] = []
  const skipped = [...listing.unreadable]
  if (listing.seriesFees === undefined) skipped.push({ id: listing.series, reason: 'series_not_found' })
  for (const { market, event, selection, fees, reason } of reviewListing(listing, nowMs)) {
    const { ticker, grid } = market
    if (reason !== undefined) skipped.push({ id: ticker, reason })
    if (reason !== undefined || event === undefined || selection === undefined || grid === undefined) continue
    if (fees.kind === 'refused') continue
    markets.push({
      venue: 'kalshi',
      marketId: ticker,
      league,
      kind: event.kind,
      eventId: market.eventTicker,
      easternDate: event.easternDate,
      teams: event.teams,
      teamNames: namesOf(listing, market.eventTicker, event),
      ...(event.easternTime === undefined ? {} : { easternTime: event.easternTime }),
      ...(event.gameNumber === undefined ? {} : { gameNumber: event.gameNumber }),
      ...(market.statedE4 === undefined ? {} : { statedE4: market.statedE4 }),
      selection,
      title: market.title,
      ...grid,
      sizeStepE2: market.sizeStepE2,
      minSizeE2: market.sizeStepE2,
      fees: fees.fees,
      takerDelayMs: 0,
      ...(market.exchangeIndex === undefined ? {} : { exchangeIndex: market.exchangeIndex }),
    })
  }
  const { problem } = listing.feeChanges
  return { markets, skipped, ...(problem === undefined ? {} : { problem }) }
}

/** What the venue calls the teams of a game, in the ticker's order: the markets that pay on them say so. */
function namesOf(
  { markets }: KalshiListing,
  eventTicker: string,
  { teams: [first, second] }: GameEvent,
): readonly [readonly string[], readonly string[]] {
  const nameOf = (team: string): string[] => {
    const name = markets.get(`${eventTicker}-${team}`)?.name ?? ''
    return name === '' ? [] : [name]
  }
  return [nameOf(first), nameOf(second)]
}

function reasonFor(
  { events }: KalshiListing,
  market: ListedMarket,
  event: GameEvent | string,
  fees: SeriesFees,
): string | undefined {
  const reason = reasonAgainst(market)
  if (reason !== undefined) return reason
  if (typeof event === 'string') return event
  // What is not told of an event may be a higher fee.
  if (!events.has(market.eventTicker)) return 'event_not_listed'
  return fees.kind === 'refused' ? fees.reason : undefined
}

function feesOf(
  { series, seriesFees, events, feeChanges, askedMs }: KalshiListing,
  { eventTicker, feeWaivedUntilMs }: ListedMarket,
  nowMs: number,
): SeriesFees {
  const nothing = { feeType: undefined, feeMultiplier: undefined }
  const sources = {
    series: seriesFees ?? nothing,
    seriesChanges: feeChanges.bySeries.get(series) ?? [],
    event: events.get(eventTicker) ?? nothing,
    eventChanges: feeChanges.byEvent.get(eventTicker) ?? [],
    waivedUntilMs: feeWaivedUntilMs,
  }
  return dearestFees(sources, askedMs, nowMs)
}
