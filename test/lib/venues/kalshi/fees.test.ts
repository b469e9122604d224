import { describe, expect, it } from 'vitest'

import { takerFeeMicros } from '../../../../src/lib/model/fees.js'
import { feesOfSeries } from '../../../../src/lib/venues/kalshi/fees.js'

function scheduleOf(feeMultiplier: unknown, feeType: unknown = 'quadratic') {
  const result = feesOfSeries({ feeType, feeMultiplier })
  if (result.kind !== 'schedule') throw new Error(result.reason)
  return result.fees
}

describe('Kalshi fees', () => {
  it.each([
    [5200, 100, 17_500],
    [7100, 100, 14_500],
    [9290, 100, 4700],
    [9900, 100, 700],
    [5000, 100, 17_500],
    [5000, 1, 200],
    [1, 1, 100],
  ])('takes at %i (E4) x %i (E2) for %i micro-dollars, as recorded fills did', (priceE4, sizeE2, micros) => {
    expect(takerFeeMicros(scheduleOf(1), priceE4, sizeE2)).toBe(micros)
  })

  it.each([
    [1, 70_000],
    [0.5, 35_000],
    [0, 0],
    [2, 140_000],
    [0.333333, 23_334],
  ])('multiplier %d is a rate of %i ppm, never rounded in our favor', (multiplier, ratePpm) => {
    expect(scheduleOf(multiplier)).toEqual({ ratePpm, roundUpToMicros: 100 })
  })

  it.each(['quadratic', 'quadratic_with_maker_fees', 'quadratic_with_combo_maker_fees'])(
    'takers pay the same under %s',
    (feeType) => expect(scheduleOf(1, feeType)).toEqual({ ratePpm: 70_000, roundUpToMicros: 100 }),
  )

  it.each(['flat', 'cubic', undefined, null, 1, '__proto__'])('refuses fee type %s', (feeType) => {
    expect(feesOfSeries({ feeType, feeMultiplier: 1 })).toEqual({ kind: 'refused', reason: 'fee_type' })
  })

  it.each([undefined, null, '1', -1, NaN, Infinity, 1e-9, 1e9, 0.0000001, {}])(
    'refuses multiplier %s',
    (feeMultiplier) => {
      const result = feesOfSeries({ feeType: 'quadratic', feeMultiplier })
      expect(result).toEqual({ kind: 'refused', reason: 'fee_multiplier' })
    },
  )
})
