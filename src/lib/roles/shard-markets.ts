/** Every market that a shard hears of, whether or not a game of its own needs it: a game may come after its prices. */

import { VENUES } from '../model/venue.js'
import type { Venue } from '../model/venue.js'
import { BookView } from '../strategy/book-view.js'
import type { FeedView } from '../strategy/book-view.js'
import type { Combination, MarketView } from '../strategy/combination.js'

/** At most so many per venue; the oldest of no game goes first. */
const MAX_MARKETS = 5_000

/** A market's view and what depends on it. */
export interface MarketEntry {
  readonly book: BookView
  /** What a price of this market touches. */
  combinations: readonly Combination[]
  /** Set while it belongs to a game of this shard. */
  view: MarketView | undefined
  gameKey: string | undefined
  /** When a message of it last came; monotonic, us. */
  heardUs: number
}

export class ShardMarkets {
  private readonly entries: Readonly<Record<Venue, Map<string, MarketEntry>>> = {
    kalshi: new Map(),
    poly: new Map(),
  }

  constructor(private readonly feeds: Readonly<Record<Venue, FeedView>>) {}

  get count(): number {
    return this.entries.kalshi.size + this.entries.poly.size
  }

  find(venue: Venue, marketId: string): MarketEntry | undefined {
    return this.entries[venue].get(marketId)
  }

  /** The market, known from now on. */
  heard(venue: Venue, marketId: string, nowUs: number): MarketEntry {
    const entries = this.entries[venue]
    let entry = entries.get(marketId)
    if (entry === undefined) {
      if (entries.size >= MAX_MARKETS) evictOne(entries)
      const book = new BookView(marketId, this.feeds[venue])
      entry = { book, combinations: [], view: undefined, gameKey: undefined, heardUs: nowUs }
      entries.set(marketId, entry)
    }
    entry.heardUs = nowUs
    return entry
  }

  /** Forgets the markets of no game that were silent since. */
  sweep(beforeUs: number): void {
    for (const venue of VENUES) {
      for (const [id, { view, heardUs }] of this.entries[venue]) {
        if (view === undefined && heardUs < beforeUs) this.entries[venue].delete(id)
      }
    }
  }
}

/** The monitor and the orchestrator read the venue's listing each on its own: what YES pays on must be the same. */
export function judgeSelection({ view, book: { selection } }: MarketEntry): void {
  if (view === undefined) return
  view.selectionAgrees =
    selection === '' || selection === (view.market.venueSelection ?? view.market.selection)
}

function evictOne(entries: Map<string, MarketEntry>): void {
  for (const [id, { view }] of entries) {
    if (view === undefined) {
      entries.delete(id)
      return
    }
  }
}
