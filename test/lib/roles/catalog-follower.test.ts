import { afterEach, describe, expect, it } from 'vitest'

import type { CatalogMarket } from '../../../src/lib/model/game.js'
import { CatalogFollower } from '../../../src/lib/roles/catalog-follower.js'
import type { CatalogListing } from '../../../src/lib/venues/ports.js'
import { until } from '../poll.js'
import { catalogMarket } from '../venues/kalshi/markets.js'
import { testRole } from './role-harness.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A follower of a catalog that lists what `listing` says, and whatever its feed was told to follow. */
function follower(listing: { now: CatalogListing }, everyMs = 600_000) {
  const { context, lines } = testRole('kalshi', { leagues: 'nba' })
  cleanups.push(() => context.lifecycle.close())
  const followed: string[][] = []
  let looks = 0
  const catalog = { openMarkets: () => Promise.resolve((looks++, listing.now)) }
  const feed = {
    follow: (markets: readonly CatalogMarket[]) =>
      void followed.push(markets.map(({ marketId }) => marketId)),
    status: () => ({ state: 'LIVE' as const, provedUs: 0, markets: 0, reconnects: 0, connections: 1 }),
    close: () => Promise.resolve(),
  }
  const made = new CatalogFollower(context, 'kalshi', catalog, feed, everyMs)
  void made.run()
  return { made, followed, looks: () => looks, counters: context.counters, lines }
}

describe('following a catalog', () => {
  it('lets go at once of what the venue says is closed, and looks again when told that there is more', async () => {
    const listing = { now: { markets: ['A', 'B'].map(catalogMarket), skipped: [] } }
    const { made, followed, looks, counters } = follower(listing)
    await until(() => followed.length === 1, 'the first look')
    expect(followed[0]).toEqual(['A', 'B'])
    made.changed('nba', [catalogMarket('B')])
    expect(followed[1]).toEqual(['B'])
    made.changed('nba', [])
    expect(followed[2]).toEqual([])
    expect(counters.get('markets')).toBe(0)
    made.askSoon()
    made.askSoon()
    await until(() => looks() === 2, 'the second look, minutes before its time')
    await until(() => followed.length === 4, 'what it brought')
    expect(followed[3]).toEqual(['A', 'B'])
  })

  it('follows what is listed incompletely, tells it once, and counts it while it is so', async () => {
    const whole = { markets: [catalogMarket('A')], skipped: [] }
    const listing = { now: { ...whole, problem: 'fee changes are missing' } as CatalogListing }
    const { followed, looks, counters, lines } = follower(listing, 5)
    await until(() => looks() > 3, 'a few looks')
    expect(followed[0]).toEqual(['A'])
    expect(lines.filter((line) => line.includes('fee changes are missing'))).toHaveLength(1)
    expect([counters.get('catalog_incomplete:nba'), counters.get('catalog_errors:nba')]).toEqual([1, 0])
    listing.now = whole
    await until(() => counters.get('catalog_incomplete:nba') === 0, 'it is whole again')
  })

  it('counts and goes on with a listing that could not be renewed', async () => {
    const stale = { ageMs: 60_000, reason: 'HTTP 503' }
    const { followed, counters } = follower({ now: { markets: [catalogMarket('A')], skipped: [], stale } })
    await until(() => followed.length === 1, 'the first look')
    expect(followed[0]).toEqual(['A'])
    expect(counters.get('catalog_errors:nba')).toBe(1)
  })
})
