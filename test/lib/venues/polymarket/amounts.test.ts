import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { orderAmounts } from '../../../../src/lib/venues/polymarket/amounts.js'
import { readFees, tradeFeeMicros } from '../../../../src/lib/venues/polymarket/fees.js'
import { takerFeeMicros } from '../../../../src/lib/model/fees.js'

const market = (tickE4: number) => ({ tickE4, minSizeE2: 500 })

describe('order amounts', () => {
  it.each([
    // side, tick, limit, size -> maker, taker (millionths), sizeE2
    ['buy', 100, 3700, 10000, 37_000_000n, 100_000_000n, 10000],
    ['buy', 100, 3700, 525, 1_950_000n, 5_270_200n, 528],
    ['buy', 10, 2550, 500, 1_280_000n, 5_019_600n, 502],
    ['buy', 1, 3333, 700, 2_340_000n, 7_020_702n, 703],
    ['buy', 1000, 3000, 500, 1_500_000n, 5_000_000n, 500],
    ['sell', 100, 3700, 10000, 100_000_000n, 37_000_000n, 10000],
    ['sell', 10, 2550, 501, 5_010_000n, 1_277_550n, 501],
    ['sell', 1, 3333, 701, 7_010_000n, 2_336_433n, 701],
  ] as const)(
    'of a %s at tick %i, limit %i, size %i',
    (side, tickE4, limitE4, sizeE2, makerE6, takerE6, most) => {
      expect(orderAmounts({ side, limitE4, sizeE2 }, market(tickE4))).toEqual({
        makerE6,
        takerE6,
        sizeE2: most,
      })
    },
  )

  it.each([
    ['off the tick', 3750, 1000, 100],
    ['below a tick', 0, 1000, 100],
    ['at one', 10_000, 1000, 100],
    ['under the minimum size', 3700, 499, 100],
    ['of no size', 3700, 0, 100],
    ['of a fraction of 0.01', 3700, 1000.5, 100],
    ['on an unknown tick', 3700, 1000, 200],
  ])('refuse an order %s', (_, limitE4, sizeE2, tickE4) => {
    expect(() => orderAmounts({ side: 'buy', limitE4, sizeE2 }, market(tickE4))).toThrowError(
      expect.objectContaining({ code: 'BAD_ORDER' }),
    )
  })

  it('of any buy spend whole cents, less than one over the plan, and reach no tick above the limit', () => {
    const tick = fc.constantFrom(1000, 100, 50, 25, 10, 1)
    const decimals: Record<number, number> = { 1000: 3, 100: 4, 50: 5, 25: 6, 10: 5, 1: 6 }
    fc.assert(
      fc.property(tick, fc.nat(), fc.integer({ min: 500, max: 1_000_000 }), (tickE4, n, sizeE2) => {
        const limitE4 = tickE4 * (1 + (n % (10_000 / tickE4 - 1)))
        const {
          makerE6,
          takerE6,
          sizeE2: most,
        } = orderAmounts({ side: 'buy', limitE4, sizeE2 }, market(tickE4))
        const plan = BigInt(limitE4) * BigInt(sizeE2)
        expect(makerE6 % 10_000n).toBe(0n)
        expect(makerE6 >= plan && makerE6 < plan + 10_000n).toBe(true)
        expect(takerE6 % 10n ** BigInt(6 - decimals[tickE4]!)).toBe(0n)
        expect(takerE6 >= BigInt(sizeE2) * 10_000n).toBe(true)
        // Its price crosses the limit, and no tick above.
        expect(makerE6 * 10_000n >= takerE6 * BigInt(limitE4)).toBe(true)
        expect(makerE6 * 10_000n < takerE6 * BigInt(limitE4 + tickE4)).toBe(true)
        expect(BigInt(most) * 10_000n >= takerE6 && BigInt(most - 1) * 10_000n < takerE6).toBe(true)
      }),
      { numRuns: 100 },
    )
  })

  it('of any sell give exactly the size and ask exactly the limit', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9999 }),
        fc.integer({ min: 500, max: 1_000_000 }),
        (limitE4, sizeE2) => {
          const { makerE6, takerE6 } = orderAmounts({ side: 'sell', limitE4, sizeE2 }, market(1))
          expect([makerE6, takerE6]).toEqual([BigInt(sizeE2) * 10_000n, BigInt(limitE4) * BigInt(sizeE2)])
        },
      ),
      { numRuns: 50 },
    )
  })
})

describe('fees', () => {
  const schedule = { exponent: 1, rate: 0.05, takerOnly: true, rebateRate: 0.15 }

  it.each([
    ['the sports rate', { feesEnabled: true, feeSchedule: schedule }, 50_000],
    ['the older sports rate', { feesEnabled: true, feeSchedule: { ...schedule, rate: 0.03 } }, 30_000],
    ['a rate of no round percent', { feesEnabled: true, feeSchedule: { ...schedule, rate: 0.072 } }, 72_000],
    ['none where fees are off', { feesEnabled: false }, 0],
    [
      'the schedule beside contradicting legacy fields',
      { feesEnabled: true, feeSchedule: schedule, takerBaseFee: 1000 },
      50_000,
    ],
  ])('are %s', (_, given, ratePpm) => {
    expect(readFees(given)).toEqual({ kind: 'fees', fees: { ratePpm, roundUpToMicros: 10 } })
  })

  it.each([
    ['another exponent', { feesEnabled: true, feeSchedule: { ...schedule, exponent: 2 } }],
    ['no exponent', { feesEnabled: true, feeSchedule: { rate: 0.05, takerOnly: true } }],
    ['makers paying too', { feesEnabled: true, feeSchedule: { ...schedule, takerOnly: false } }],
    ['no schedule', { feesEnabled: true, feeSchedule: null }],
    ['no word on fees', { feesEnabled: undefined, takerBaseFee: 1000 }],
    ['a negative rate', { feesEnabled: true, feeSchedule: { ...schedule, rate: -0.05 } }],
    ['a rate over one', { feesEnabled: true, feeSchedule: { ...schedule, rate: 5 } }],
    ['a rate as text', { feesEnabled: true, feeSchedule: { ...schedule, rate: '0.05' } }],
    ['a rate finer than a millionth', { feesEnabled: true, feeSchedule: { ...schedule, rate: 0.05000004 } }],
  ])('refuse %s', (_, given) => {
    expect(readFees(given)).toMatchObject({ kind: 'refused' })
  })

  it.each([
    // shares, price, rate -> dollars of the fee
    ['a live fill, which cost $3.25 and $0.14', 25, 0.13, 0.05, 0.14138],
    ['the dearest price of sports: 1.25 cents a share', 1, 0.5, 0.05, 0.0125],
    ['a hundred of them', 100, 0.5, 0.05, 1.25],
    ['the same from the other side', 25, 0.87, 0.05, 0.14138],
    ['a cent', 100, 0.01, 0.05, 0.0495],
    ['a tenth of a cent', 5, 0.001, 0.05, 0.00025],
    ['sports before July 2026', 25, 0.13, 0.03, 0.08483],
    ['crypto', 10, 0.3, 0.07, 0.147],
    ['politics', 7.5, 0.42, 0.04, 0.07308],
    ['geopolitics, which is free', 1000, 0.5, 0, 0],
    ['the least fill, which is not free', 0.000001, 0.5, 0.05, 0.00001],
    ['a price between ticks, by mixing', 5.2702, 0.3744, 0.05, 0.06173],
  ])('of %s', (_, shares, price, rate, dollars) => {
    const reading = readFees({ feesEnabled: true, feeSchedule: { ...schedule, rate } })
    if (reading.kind !== 'fees') throw new Error(reading.reason)
    const e6 = (value: number) => BigInt(Math.round(value * 1e6))
    const feeMicros = tradeFeeMicros(reading.fees, e6(price), e6(shares))
    expect(feeMicros).toBe(e6(dollars))
    // Up to the next $0.00001, and no further.
    const exact = shares * price * (1 - price) * rate * 1e6
    expect(Number(feeMicros)).toBeGreaterThanOrEqual(exact - 1e-6)
    expect(Number(feeMicros)).toBeLessThan(exact + 10)
  })

  it('of a trade agree with the model’s where both can say it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9999 }),
        fc.integer({ min: 1, max: 1_000_000 }),
        (priceE4, sizeE2) => {
          const fees = { ratePpm: 50_000, roundUpToMicros: 10 }
          const exact = tradeFeeMicros(fees, BigInt(priceE4) * 100n, BigInt(sizeE2) * 10_000n)
          expect(Number(exact)).toBe(takerFeeMicros(fees, priceE4, sizeE2))
        },
      ),
      { numRuns: 100 },
    )
  })
})
