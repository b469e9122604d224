import { describe, expect, it } from 'vitest'

import {
  applyCatalogChange,
  parseCatalogChange,
  type CatalogChange,
} from '../../../../src/lib/venues/kalshi/catalog-change.js'
import { gamesOf } from '../../../../src/lib/venues/kalshi/listing.js'
import { EVENT, NOW_MS, TAPERED, entry, listing } from './listings.js'

const SAS = `${EVENT}-SAS`
const lifecycle = (event_type: unknown, more: object = {}) =>
  parseCatalogChange('market_lifecycle_v2', { market_ticker: SAS, event_type, ...more })

describe('messages of the Kalshi catalog', () => {
  it.each([
    ['activated', {}, { kind: 'market_status', ticker: SAS, status: 'active' }],
    ['deactivated', { is_deactivated: true }, { kind: 'market_status', ticker: SAS, status: 'inactive' }],
    [
      'determined',
      { result: 'yes', settlement_value: '1.0000', determination_ts: 1_781_400_000 },
      { kind: 'market_status', ticker: SAS, status: 'determined' },
    ],
    ['settled', { settled_ts: 1_781_400_000 }, { kind: 'market_status', ticker: SAS, status: 'finalized' }],
    ['created', { open_ts: 1_781_300_000 }, { kind: 'market_created', ticker: SAS }],
    ['metadata_updated', { yes_sub_title: 'x' }, { kind: 'market_renamed', ticker: SAS }],
    [
      'close_date_updated',
      { close_ts: 1_781_400_000 },
      { kind: 'market_close', ticker: SAS, closeMs: 1_781_400_000_000 },
    ],
    [
      'close_date_updated',
      { close_ts: 1_781_400_000_123 },
      { kind: 'market_close', ticker: SAS, closeMs: 1_781_400_000_123 },
    ],
    ['close_date_updated', {}, { kind: 'refused', reason: 'bad_ts' }],
    ['close_date_updated', { close_ts: '1781400000' }, { kind: 'refused', reason: 'bad_ts' }],
    [
      'price_level_structure_updated',
      { price_level_structure: 'deci_cent', price_ranges: [{ start: '0', end: '1', step: '0.001' }] },
      { kind: 'market_prices', ticker: SAS, grid: { tickE4: 10 } },
    ],
    [
      'price_level_structure_updated',
      { price_level_structure: 'deci_cent' },
      { kind: 'market_prices', ticker: SAS, grid: undefined },
    ],
    ['exploded', {}, { kind: 'unknown', name: 'market_lifecycle_v2 exploded' }],
    ['__proto__', {}, { kind: 'unknown' }],
    [undefined, {}, { kind: 'refused', reason: 'missing_field' }],
  ])('market %s %j', (type, more, expected) => expect(lifecycle(type, more)).toMatchObject(expected))

  it('events: a new one, its fees, and its fees cleared; without the fields it tells nothing', () => {
    expect(
      parseCatalogChange('event_lifecycle', { event_ticker: EVENT, series_ticker: 'KXNBAGAME' }),
    ).toEqual({
      ...{ kind: 'event_created', eventTicker: EVENT, series: 'KXNBAGAME' },
    })
    const fees = (fee_type_override: unknown, fee_multiplier_override: unknown) =>
      parseCatalogChange('event_fee_update', {
        event_ticker: EVENT,
        fee_type_override,
        fee_multiplier_override,
      })
    expect(fees('quadratic', 0.5)).toEqual({
      ...{ kind: 'event_fees', eventTicker: EVENT, fees: { feeType: 'quadratic', feeMultiplier: 0.5 } },
    })
    expect(fees(null, null)).toMatchObject({ fees: { feeType: null, feeMultiplier: null } })
    expect(fees(undefined, undefined)).toMatchObject({ kind: 'refused', reason: 'missing_field' })
    for (const type of ['market_lifecycle_v2', 'event_lifecycle', 'event_fee_update'] as const) {
      expect(parseCatalogChange(type, {})).toMatchObject({ kind: 'refused', reason: 'bad_ticker' })
    }
  })
})

describe('a listing after a change', () => {
  const before = listing([entry('SAS'), entry('NYK')])
  const games = (...changes: readonly CatalogChange[]) => {
    const after = changes.reduce(applyCatalogChange, before)
    const { markets, skipped } = gamesOf(after, 'nba', NOW_MS)
    return { after, markets, reasons: skipped.map(({ reason }) => reason) }
  }
  const status = (word: string): CatalogChange => ({ kind: 'market_status', ticker: SAS, status: word })

  it.each(['inactive', 'closed', 'determined', 'finalized'])('%s: the game leaves at once', (word) => {
    expect(games(status(word))).toMatchObject({
      markets: [],
      reasons: [`status_${word}`, 'other_market_left_out'],
    })
    expect(before.markets.get(SAS)?.status).toBe('active')
  })

  it('a pause that ends brings the game back', () => {
    expect(games(status('inactive'), status('active')).markets).toHaveLength(2)
  })

  it('prices follow the new grid, and a grid that cannot be expressed takes the game out', () => {
    const prices = (price_ranges: unknown) =>
      lifecycle('price_level_structure_updated', { price_ranges }) as CatalogChange
    expect(games(prices(TAPERED)).markets[0]).toMatchObject({ tickE4: 100, priceRanges: { length: 3 } })
    expect(games(prices('?')).reasons).toEqual(['price_ranges', 'other_market_left_out'])
  })

  it("an event's fees override the series', and null gives them back", () => {
    const fees = (feeType: unknown, feeMultiplier: unknown): CatalogChange => ({
      ...{ kind: 'event_fees', eventTicker: EVENT, fees: { feeType, feeMultiplier } },
    })
    const rate = (...changes: CatalogChange[]) => games(...changes).markets[0]?.fees.ratePpm
    expect([rate(), rate(fees('quadratic', 0.5)), rate(fees('quadratic', 0.5), fees(null, null))]).toEqual([
      ...[70_000, 35_000, 70_000],
    ])
    expect(rate(fees(null, 2))).toBe(140_000)
    expect(games(fees('flat', 1)).reasons).toEqual(['fee_type', 'fee_type'])
  })

  it('a close date moves', () => {
    const closeMs = NOW_MS + 1
    expect(games({ kind: 'market_close', ticker: SAS, closeMs }).after.markets.get(SAS)?.closeMs).toBe(
      closeMs,
    )
  })

  it.each<[string, CatalogChange]>([
    ['a market that it does not know', { kind: 'market_created', ticker: 'KXNBAGAME-26JUN14LALBOS-BOS' }],
    [
      'a market that it does not know, activated',
      { kind: 'market_status', ticker: 'KXNBAGAME-X-Y', status: 'active' },
    ],
    ['a new event', { kind: 'event_created', eventTicker: 'KXNBAGAME-26JUN14LALBOS', series: 'KXNBAGAME' }],
    ['other names', { kind: 'market_renamed', ticker: SAS }],
  ])('%s: another look is needed', (_, change) => expect(games(change).after.isOutdated).toBe(true))

  it.each<[string, CatalogChange]>([
    ["another series' market", { kind: 'market_status', ticker: 'KXNBAGAMEX-26JUN13-SAS', status: 'closed' }],
    ["another series' event", { kind: 'event_created', eventTicker: 'KXNFLGAME-X', series: 'KXNFLGAME' }],
    ['an event that is known', { kind: 'event_created', eventTicker: EVENT, series: 'KXNBAGAME' }],
    [
      'fees of another event',
      { kind: 'event_fees', eventTicker: 'KXNBAGAME-X', fees: { feeType: 'flat', feeMultiplier: 1 } },
    ],
  ])('%s: it is the same listing', (_, change) => expect(applyCatalogChange(before, change)).toBe(before))
})
