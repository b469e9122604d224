import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { ArbeesError } from '../../src/lib/core/errors.js'
import { LEAGUES } from '../../src/lib/model/game.js'
import { isLimitOnGrid } from '../../src/lib/model/price-grid.js'
import { startStage, type Stage, type VenueUnderTest } from './venues.js'

let stage: Stage
beforeAll(async () => {
  stage = await startStage(1)
})
afterAll(() => stage.close())

const soon = (): AbortSignal => AbortSignal.timeout(10_000)

describe.each([
  ['kalshi', 0],
  ['polymarket', 1],
])('the catalog port: %s', (_, index) => {
  const under = (): VenueUnderTest => {
    const venue = stage.venues[index]
    if (venue === undefined) throw new Error('no such venue')
    return venue
  }

  it('lists markets that an order can be made for, once each, and says why it leaves one out', async () => {
    const catalog = under().openCatalog()
    let listed = 0
    for (const league of LEAGUES) {
      const { markets, skipped, stale } = await catalog.openMarkets(league, soon())
      listed += markets.length
      expect(stale).toBeUndefined()
      expect(new Set(markets.map(({ marketId }) => marketId)).size).toBe(markets.length)
      for (const { id, reason } of skipped) expect([id, reason]).not.toContain('')
      for (const market of markets) {
        expect(market.league).toBe(league)
        expect(market.easternDate).toMatch(/^\d{4}-\d\d-\d\d$/)
        expect(market.teams[0]).not.toBe(market.teams[1])
        expect(market.teams).toContain(market.selection)
        expect(market.title).not.toBe('')
        expect(isLimitOnGrid(market, 'yes', 5000)).toBe(true)
        expect(market.sizeStepE2).toBeGreaterThan(0)
        expect(market.fees.ratePpm).toBeGreaterThan(0)
        expect(market.takerDelayMs).toBeGreaterThanOrEqual(0)
        expect(market.venue === 'poly').toBe(market.tokenIds !== undefined)
      }
    }
    expect(listed).toBeGreaterThan(3)
    await catalog.close()
  })

  it('a venue that cannot be asked is an error with a way out, and afterwards the listing before, with its age', async () => {
    const venue = under()
    const catalog = venue.openCatalog()
    venue.catalogWire.refuse()
    await expect(catalog.openMarkets('nba', soon())).rejects.toSatisfy(
      (error) => error instanceof ArbeesError && error.exit === 6,
    )
    venue.catalogWire.heal()
    const { markets } = await catalog.openMarkets('nba', soon())
    venue.catalogWire.refuse()
    const kept = await catalog.openMarkets('nba', soon())
    venue.catalogWire.heal()
    expect(kept.markets).toEqual(markets)
    expect(kept.stale?.ageMs).toBeGreaterThanOrEqual(0)
    expect(kept.stale?.reason).not.toBe('')
    await catalog.close()
  })

  it('stops asking when it is told to', async () => {
    const catalog = under().openCatalog()
    await expect(catalog.openMarkets('nba', AbortSignal.abort())).rejects.toThrow()
    await catalog.close()
  })
})
