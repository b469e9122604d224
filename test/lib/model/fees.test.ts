import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { takerFeeMicros } from '../../../src/lib/model/fees.js'

const KALSHI = { ratePpm: 70_000, roundUpToMicros: 100 }
const POLYMARKET = { ratePpm: 50_000, roundUpToMicros: 10 }

describe('taker fees', () => {
  it.each([
    ['one Kalshi contract at 0.52', KALSHI, 5200, 100, 17_500],
    ['one Kalshi contract at 0.71', KALSHI, 7100, 100, 14_500],
    ['one Kalshi contract at 0.929', KALSHI, 9290, 100, 4_700],
    ['one Polymarket share at 0.50', POLYMARKET, 5000, 100, 12_500],
    ['25 Polymarket shares at 0.13', POLYMARKET, 1300, 2500, 141_380],
    ['nothing', KALSHI, 5000, 0, 0],
    ['a sure thing', KALSHI, 10_000, 100, 0],
  ])('%s', (_, schedule, priceE4, sizeE2, micros) => {
    expect(takerFeeMicros(schedule, priceE4, sizeE2)).toBe(micros)
  })

  it('is never below the exact fee, and above it by less than one unit of rounding', () => {
    const schedules = fc.constantFrom(KALSHI, POLYMARKET, { ratePpm: 35_000, roundUpToMicros: 100 })
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
