import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { takerFeeMicros } from '../../../src/lib/model/fees.js'

const KALSHI = { ratePpm: 70_000, roundUpToMicros: 100 }
/** A series whose `fee_multiplier` is 0.5. */
const HALF = { ratePpm: 35_000, roundUpToMicros: 100 }
const BEFORE = { ratePpm: 30_000, roundUpToMicros: 10 }
const POLYMARKET = { ratePpm: 50_000, roundUpToMicros: 10 }

describe('taker fees', () => {
  // What the venues themselves charged or print, each to the last unit.
  it.each([
    ['Kalshi, a fill of June 2026: 1 at 0.52', KALSHI, 5200, 100, 17_500],
    ['Kalshi, a fill of June 2026: 1 at 0.71', KALSHI, 7100, 100, 14_500],
    ['Kalshi, a fill of June 2026: 1 at 0.99', KALSHI, 9900, 100, 700],
    ['Kalshi, a fill of July 2026: 1 at 0.929', KALSHI, 9290, 100, 4_700],
    ['Kalshi, fee_rounding: 0.03 at 0.3301', KALSHI, 3301, 3, 500],
    ['Kalshi, the most: 1 at 0.50', KALSHI, 5000, 100, 17_500],
    ['Kalshi, half a series (MLB): 1 at 0.50', HALF, 5000, 100, 8_800],
    ['Kalshi, a series without fees', { ratePpm: 0, roundUpToMicros: 100 }, 5000, 100, 0],
    ['Polymarket, the most: 1 at 0.50', POLYMARKET, 5000, 100, 12_500],
    ['Polymarket, 100 at 0.50', POLYMARKET, 5000, 10_000, 1_250_000],
    ['Polymarket, a fill of August 2026: 25 at 0.13 (shown as 0.14)', POLYMARKET, 1300, 2500, 141_380],
    ['Polymarket before 2026-07-10: 100 at 0.50', BEFORE, 5000, 10_000, 750_000],
    ['Polymarket, the least: 0.01 at 0.01', POLYMARKET, 100, 1, 10],
    ['nothing', KALSHI, 5000, 0, 0],
    ['a sure thing', KALSHI, 10_000, 100, 0],
  ])('%s', (_, schedule, priceE4, sizeE2, micros) => {
    expect(takerFeeMicros(schedule, priceE4, sizeE2)).toBe(micros)
  })

  // Its table for 100 contracts, of when whole cents were charged.
  it.each([
    [500, 34],
    [1000, 63],
    [2500, 132],
    [5000, 175],
    [7500, 132],
    [9000, 63],
    [9500, 34],
  ])("Kalshi's own table: 100 contracts at %i cost %i cents", (priceE4, cents) => {
    expect(Math.ceil(takerFeeMicros(KALSHI, priceE4, 10_000) / 10_000)).toBe(cents)
    expect(takerFeeMicros({ ...KALSHI, roundUpToMicros: 10_000 }, priceE4, 10_000)).toBe(cents * 10_000)
  })

  it('is never below the exact fee, and above it by less than one unit of rounding', () => {
    const schedules = fc.constantFrom(KALSHI, POLYMARKET, HALF)
    fc.assert(
      fc.property(
        schedules,
        fc.integer({ min: 0, max: 10_000 }),
        fc.integer({ min: 0, max: 1e8 }),
        (schedule, price, size) => {
          const fee = takerFeeMicros(schedule, price, size)
          const exact = (schedule.ratePpm / 1e6) * (size / 100) * (price / 1e4) * (1 - price / 1e4) * 1e6
          expect(fee % schedule.roundUpToMicros).toBe(0)
          expect(fee).toBeGreaterThanOrEqual(exact - 1e-3)
          expect(fee).toBeLessThan(exact + schedule.roundUpToMicros + 1e-3)
        },
      ),
    )
  })
})
