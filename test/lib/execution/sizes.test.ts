import { describe, expect, it } from 'vitest'
import { orderableE2, unhedged } from '../../../src/lib/execution/sizes.js'
import { kalshiMarket, polyMarket, signal } from '../risk/samples.js'

describe('what can be ordered of a fill', () => {
  it.each([
    // filledE6, step, minimum, size
    [33_333_333, 1, 1, 3333],
    [33_333_333, 100, 100, 3300],
    [999_999, 100, 100, 0],
    [4_990_000, 1, 500, 0],
    [5_000_000, 1, 500, 500],
    [0, 1, 1, 0],
    [-5, 1, 0, 0],
  ])('%d millionths at step %d and minimum %d: %d hundredths', (filledE6, sizeStepE2, minSizeE2, size) => {
    expect(orderableE2(filledE6, kalshiMarket({ sizeStepE2, minSizeE2 }))).toBe(size)
  })
})

describe('what is left unhedged', () => {
  const leg = (filledE6: number, unknown = false) => ({ filledE6, unknown })
  it.each([
    ['hedged', [leg(20_000_000), leg(20_000_000)], 1],
    ['hedged', [leg(0), leg(0)], 1],
    ['dust', [leg(20_003_333), leg(20_000_000)], 1],
    ['dust', [leg(20_900_000), leg(20_000_000)], 100],
    ['naked', [leg(21_000_000), leg(20_000_000)], 100],
    ['naked', [leg(20_500_000), leg(20_000_000)], 1],
    // Two cents of the second leg too much, bought in whole cents.
    ['dust', [leg(20_000_000), leg(20_020_000)], 1],
    ['naked', [leg(20_000_000), leg(20_500_000)], 1],
    ['unknown', [leg(0, true), leg(0)], 1],
    ['unknown', [leg(20_000_000), leg(5_000_000, true)], 1],
    ['naked', [leg(20_000_000)], 1],
  ] as const)('is %s: %j at step %d', (kind, fills, sizeStepE2) => {
    const markets = [polyMarket(), kalshiMarket({ sizeStepE2 })]
    expect(unhedged(signal().legs, markets, fills).kind).toBe(kind)
  })
})
