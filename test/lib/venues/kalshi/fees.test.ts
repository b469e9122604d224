import { describe, expect, it } from 'vitest'

import { takerFeeMicros } from '../../../../src/lib/model/fees.js'
import { dearestFees, feesOfSeries, type FeeSources } from '../../../../src/lib/venues/kalshi/fees.js'

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

describe('Kalshi fees over time', () => {
  const TOLD_MS = Date.parse('2026-09-10T16:00:00Z')
  const MINUTE = 60_000
  const terms = (feeType: unknown, feeMultiplier: unknown) => ({ feeType, feeMultiplier })
  const at = (minutes: number, feeType: unknown, feeMultiplier: unknown) => ({
    ...terms(feeType, feeMultiplier),
    fromMs: TOLD_MS + minutes * MINUTE,
  })
  const rate = (more: Partial<FeeSources>, minutes = 0) => {
    const sources: FeeSources = {
      series: terms('quadratic', 1),
      seriesChanges: [],
      event: terms(null, null),
      eventChanges: [],
      waivedUntilMs: undefined,
      ...more,
    }
    const fees = dearestFees(sources, TOLD_MS, TOLD_MS + minutes * MINUTE)
    return fees.kind === 'refused' ? fees.reason : fees.fees.ratePpm
  }

  it.each<[string, Partial<FeeSources>, number | string]>([
    ['the series alone', {}, 70_000],
    ['an event of half the fee', { event: terms('quadratic', 0.5) }, 35_000],
    ['an event with a multiplier alone', { event: terms(null, 2) }, 140_000],
    ['an event with a type alone', { event: terms('quadratic_with_maker_fees', undefined) }, 70_000],
    ['an event without a fee', { event: terms('quadratic', 0) }, 0],
    ['an event of another formula', { event: terms('flat', 1) }, 'fee_type'],
    ['an event of no number', { event: terms('quadratic', '0.5') }, 'fee_multiplier'],
    ['an event that mends its series', { series: terms('flat', 1), event: terms('quadratic', 1) }, 70_000],
    ['a series that says nothing', { series: terms(undefined, undefined) }, 'fee_type'],
  ])('%s', (_, more, expected) => expect(rate(more)).toBe(expected))

  it('a change counts from a minute before it, and what it replaces as long as nothing newer is told', () => {
    const dearer = { seriesChanges: [at(10, 'quadratic', 2)] }
    expect([0, 8.9, 9, 11].map((minutes) => rate(dearer, minutes))).toEqual([
      70_000, 70_000, 140_000, 140_000,
    ])
    const cheaper = { eventChanges: [at(10, 'quadratic', 0.5)] }
    expect([0, 9, 20].map((minutes) => rate(cheaper, minutes))).toEqual([70_000, 70_000, 70_000])
    expect(rate({ seriesChanges: [at(10, 'flat', 1)] }, 8)).toBe(70_000)
    expect(rate({ seriesChanges: [at(10, 'flat', 1)] }, 9)).toBe('fee_type')
  })

  it('a change long past is part of what was told', () => {
    expect(rate({ seriesChanges: [at(-2, 'quadratic', 5)] })).toBe(70_000)
    expect(rate({ seriesChanges: [at(-0.5, 'quadratic', 2)] })).toBe(140_000)
  })

  it('a waiver counts until a minute before its end', () => {
    const waivedUntilMs = TOLD_MS + 10 * MINUTE
    expect([0, 8.9, 9, 11].map((minutes) => rate({ waivedUntilMs }, minutes))).toEqual([0, 0, 70_000, 70_000])
    expect(rate({ waivedUntilMs, event: terms('flat', 1) })).toBe('fee_type')
  })
})
