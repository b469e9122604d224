/** Keeps a feed on its venue's open markets: asked for every so often, and changed in between where the venue tells. */

import { Backoff } from '../core/backoff.js'
import { messageOf } from '../core/errors.js'
import { LEAGUES } from '../model/game.js'
import type { CatalogMarket, League } from '../model/game.js'
import type { Venue } from '../model/venue.js'
import type { Catalog, MarketFeed } from '../venues/ports.js'
import { Alarm } from './alarm.js'
import type { RoleContext } from './role.js'

/** A day's new games come in a burst: one look for all of them. */
const CHANGED_MS = 2_000

export class CatalogFollower {
  private readonly known = new Map<League, readonly CatalogMarket[]>()
  private readonly alarm = new Alarm()

  constructor(
    private readonly context: RoleContext,
    private readonly venue: Venue,
    private readonly catalog: Catalog,
    private readonly feed: MarketFeed,
    private readonly everyMs: number,
  ) {}

  /** Until the role ends. */
  async run(): Promise<void> {
    const { lifecycle, log } = this.context
    const { venue, everyMs } = this
    const backoff = new Backoff({ minMs: 250, maxMs: everyMs })
    let told = ''
    while (!lifecycle.signal.aborted) {
      const before = this.size()
      const { failures, notes } = await this.readLeagues()
      this.follow(before)
      if (this.size() !== before) log.info(`${venue}: following ${this.size()} markets`)
      const complete = failures.length === 0
      if (complete) backoff.reset()
      // The same failure is told once, not at every try.
      const failure = [...failures, ...notes].join('; ')
      if (failure !== told && failure !== '') log.warn(`${venue} catalog: ${failure}`)
      told = failure
      await this.alarm.sleep(complete ? everyMs : backoff.nextMs(), lifecycle.signal)
    }
  }

  /** The league's markets are now these, by the venue's own telling. */
  changed(league: League, markets: readonly CatalogMarket[]): void {
    const before = this.size()
    this.known.set(league, markets)
    this.context.counters.add('catalog_changes', league)
    this.follow(before)
  }

  /** Something changed that only another look can tell. */
  askSoon(): void {
    this.alarm.ringWithin(CHANGED_MS)
  }

  private size(): number {
    let size = 0
    for (const markets of this.known.values()) size += markets.length
    return size
  }

  private follow(before: number): void {
    const size = this.size()
    this.context.counters.set('markets', size)
    // An empty list matters too: what was followed and is listed no more must not stay LIVE.
    if (size > 0 || before > 0) this.feed.follow([...this.known.values()].flat())
  }

  /** Asks every league; a league that answers replaces what was known of it. Returns what failed, or came incomplete. */
  private async readLeagues(): Promise<{ readonly failures: string[]; readonly notes: ReadonlySet<string> }> {
    const { settings, lifecycle, counters } = this.context
    const failures: string[] = []
    const notes = new Set<string>()
    for (const league of LEAGUES.filter((name) => settings.leagues.includes(name))) {
      try {
        const { markets, skipped, stale, problem } = await this.catalog.openMarkets(league, lifecycle.signal)
        this.known.set(league, markets)
        counters.set(`catalog_skipped:${league}`, skipped.length)
        counters.set(`catalog_incomplete:${league}`, problem === undefined ? 0 : 1)
        if (problem !== undefined) notes.add(problem)
        if (stale === undefined) continue
        counters.add('catalog_errors', league)
        failures.push(`${league}: the list before stands: ${stale.reason}`)
      } catch (error) {
        if (lifecycle.signal.aborted) return { failures: [], notes }
        counters.add('catalog_errors', league)
        failures.push(`${league}: ${messageOf(error)}`)
      }
    }
    return { failures, notes }
  }
}
