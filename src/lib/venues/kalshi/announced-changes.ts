/**
 * What the feed told of the catalog lately, for listings that may be older than it: the venue answers from a cache, and
 * a listing that was asked for before a change arrives after it. Pure.
 */

import { evictOldest } from '../../core/evict-oldest.js'
import { applyCatalogChange, type CatalogChange } from './catalog-change.js'
import type { KalshiListing } from './listing.js'

/** The venue's cache holds a copy for some 15 s: what was asked for later than this after a change has it in. */
const COPY_AGE_US = 20_000_000
/** More than the games of a day can change within that time. */
const MAX_REMEMBERED = 5_000

/** The rest only says that another look is needed. */
type LastingChange = Extract<
  CatalogChange,
  { readonly kind: 'market_status' | 'market_close' | 'market_prices' | 'event_fees' }
>

interface Announced {
  readonly change: LastingChange
  /** When it arrived, our monotonic clock, us. */
  readonly atUs: number
}

export class AnnouncedChanges {
  /** The latest of each kind, by what it is of. */
  private readonly latest = new Map<string, Announced>()

  /** `series`: those whose listings may follow. */
  constructor(private readonly series: readonly string[]) {}

  hear(change: CatalogChange, nowUs: number): void {
    if (change.kind === 'missed') this.doubt()
    if (!isLasting(change)) return
    const of = nameOf(change)
    if (!this.series.some((series) => isOf(series, of))) return
    const key = `${change.kind} ${of}`
    this.latest.delete(key)
    this.latest.set(key, { change, atUs: nowUs })
    evictOldest(this.latest, MAX_REMEMBERED)
  }

  /** A listing that was asked for at `askedUs`, with all that it may be too old to know; what it surely knows is forgotten. */
  over(listing: KalshiListing, askedUs: number): KalshiListing {
    let after = listing
    for (const [key, { change, atUs }] of this.latest) {
      if (!isOf(listing.series, nameOf(change))) continue
      if (askedUs > atUs + COPY_AGE_US) this.latest.delete(key)
      else
        after = change.kind === 'event_fees' ? withEither(after, change) : applyCatalogChange(after, change)
    }
    return after
  }

  /** What was lost may have closed a market again: only the venue's own list opens it now. */
  private doubt(): void {
    for (const [key, { change }] of this.latest) {
      if (change.kind === 'market_status' && change.status === 'active') this.latest.delete(key)
    }
  }
}

/** Nobody can say which of the two is newer, so both may apply: the dearer counts. */
function withEither(
  listing: KalshiListing,
  { eventTicker, fees }: Extract<LastingChange, { readonly kind: 'event_fees' }>,
): KalshiListing {
  const { feeChanges, askedMs } = listing
  const scheduled = [...(feeChanges.byEvent.get(eventTicker) ?? []), { ...fees, fromMs: askedMs }]
  return {
    ...listing,
    feeChanges: { ...feeChanges, byEvent: new Map(feeChanges.byEvent).set(eventTicker, scheduled) },
  }
}

function isLasting(change: CatalogChange): change is LastingChange {
  return (
    change.kind === 'market_status' ||
    change.kind === 'market_close' ||
    change.kind === 'market_prices' ||
    change.kind === 'event_fees'
  )
}

const nameOf = (change: LastingChange): string =>
  change.kind === 'event_fees' ? change.eventTicker : change.ticker
const isOf = (series: string, name: string): boolean => name.startsWith(`${series}-`)
