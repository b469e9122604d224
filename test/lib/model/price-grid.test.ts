import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import {
  cappedLimitE4,
  ceilToGrid,
  floorToGrid,
  isLimitOnGrid,
  isOnGrid,
  isPriceGrid,
  nextAbove,
  nextBelow,
  priceGridOf,
  type PriceGrid,
  type PriceRange,
} from '../../../src/lib/model/price-grid.js'

const range = (startE4: number, endE4: number, stepE4: number): PriceRange => ({ startE4, endE4, stepE4 })
const grid = (...ranges: PriceRange[]): PriceGrid => priceGridOf(ranges)!

const CENT = grid(range(0, 10_000, 100))
const TAPERED = grid(range(0, 1000, 10), range(1000, 9000, 100), range(9000, 10_000, 10))
/** Finer at one edge alone: what holds for YES does not hold for NO. */
const LOPSIDED = grid(range(0, 100, 1), range(100, 10_000, 100))

/** Every price, counted from the ranges and nothing else. */
function pricesOf({ tickE4, priceRanges }: PriceGrid): number[] {
  const prices = new Set<number>()
  for (const { startE4, endE4, stepE4 } of priceRanges ?? [range(0, 10_000, tickE4)]) {
    for (let priceE4 = startE4; priceE4 <= endE4; priceE4 += stepE4) prices.add(priceE4)
  }
  return [...prices].sort((a, b) => a - b)
}

/** Grids whose edges lie on multiples of $0.01 or $0.1. */
const grids = fc
  .uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 4 })
  .chain((cuts) =>
    fc.tuple(
      fc.constant([0, ...cuts.sort((a, b) => a - b), 10].map((cut) => cut * 1000)),
      fc.array(fc.constantFrom(1, 5, 10, 20, 100, 250, 500), {
        minLength: cuts.length + 1,
        maxLength: cuts.length + 1,
      }),
    ),
  )
  .map(([edges, steps]) => grid(...steps.map((step, index) => range(edges[index]!, edges[index + 1]!, step))))
const prices = fc.integer({ min: 0, max: 10_000 })

describe('price grids', () => {
  it.each([
    [TAPERED, 95, 90, 100, 100, 90],
    [TAPERED, 990, 990, 990, 1000, 980],
    [TAPERED, 1000, 1000, 1000, 1100, 990],
    [TAPERED, 1005, 1000, 1100, 1100, 1000],
    [TAPERED, 8999, 8900, 9000, 9000, 8900],
    [TAPERED, 9000, 9000, 9000, 9010, 8900],
    [TAPERED, 9999, 9990, 10_000, 10_000, 9990],
    [TAPERED, 10_000, 10_000, 10_000, 10_000, 9990],
    [CENT, 4750, 4700, 4800, 4800, 4700],
    [CENT, 0, 0, 0, 100, 0],
    [LOPSIDED, 99, 99, 99, 100, 98],
    [LOPSIDED, 150, 100, 200, 200, 100],
  ])('%j at %i: floor %i, ceiling %i, next %i and %i', (some, priceE4, floor, ceiling, above, below) => {
    expect(floorToGrid(some, priceE4)).toBe(floor)
    expect(ceilToGrid(some, priceE4)).toBe(ceiling)
    expect(nextAbove(some, priceE4)).toBe(above)
    expect(nextBelow(some, priceE4)).toBe(below)
  })

  it('agree with a list of all their prices, at every price', () => {
    fc.assert(
      fc.property(grids, prices, (some, priceE4) => {
        const all = pricesOf(some)
        expect(isOnGrid(some, priceE4)).toBe(all.includes(priceE4))
        expect(floorToGrid(some, priceE4)).toBe(all.findLast((each) => each <= priceE4))
        expect(ceilToGrid(some, priceE4)).toBe(all.find((each) => each >= priceE4))
        expect(nextAbove(some, priceE4)).toBe(all.find((each) => each > priceE4) ?? 10_000)
        expect(nextBelow(some, priceE4)).toBe(all.findLast((each) => each < priceE4) ?? 0)
        expect(isPriceGrid(some)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  it('their tick is a step that holds at every price, for readers that know no other', () => {
    fc.assert(
      fc.property(grids, (some) => {
        const prices = new Set(pricesOf(some))
        let priceE4 = 0
        while (priceE4 <= 10_000 && prices.has(priceE4)) priceE4 += some.tickE4
        expect(priceE4).toBeGreaterThan(10_000)
      }),
    )
  })

  it('a limit for NO is the complement of a price, strictly between nothing and a dollar', () => {
    expect(
      [9999, 9901, 9900, 9850, 100, 50, 0, 10_000].map((e4) => isLimitOnGrid(LOPSIDED, 'no', e4)),
    ).toEqual([true, true, true, false, true, false, false, false])
    expect([1, 99, 100, 150, 9900, 9950].map((e4) => isLimitOnGrid(LOPSIDED, 'yes', e4))).toEqual([
      true,
      true,
      true,
      false,
      true,
      false,
    ])
  })

  it('the capped limit is the highest price of the grid that is afforded, whichever the outcome', () => {
    const outcomes = fc.constantFrom('yes' as const, 'no' as const)
    fc.assert(
      fc.property(grids, outcomes, prices, prices, (some, outcome, at, capE4) => {
        const limits = pricesOf(some)
          .map((e4) => (outcome === 'yes' ? e4 : 10_000 - e4))
          .filter((e4) => e4 > 0 && e4 < 10_000)
          .sort((a, b) => a - b)
        fc.pre(limits.length > 0)
        const from = limits[at % limits.length]!
        const best = limits.findLast((e4) => e4 >= from && e4 <= capE4) ?? from
        expect(cappedLimitE4(some, outcome, from, (e4) => e4 <= capE4)).toBe(best)
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    ['none', []],
    ['a hole', [range(0, 1000, 10), range(1100, 10_000, 100)]],
    ['an overlap', [range(0, 1000, 10), range(900, 10_000, 100)]],
    ['a late start', [range(100, 10_000, 100)]],
    ['an early end', [range(0, 9900, 100)]],
    ['a step that does not fit', [range(0, 10_000, 300)]],
    ['a range off its step', [range(0, 500, 100), range(500, 10_000, 190)]],
    ['no step', [range(0, 10_000, 0)]],
    [
      'steps that share no price up to a dollar',
      [range(0, 7000, 7000), range(7000, 9984, 8), range(9984, 10_000, 16)],
    ],
  ])('%s make none', (_, ranges) => expect(priceGridOf(ranges)).toBeUndefined())

  it.each([
    [{ tickE4: 300 }],
    [{ tickE4: 0 }],
    [{ tickE4: 0.5 }],
    [{ tickE4: NaN }],
    [{ tickE4: 100, priceRanges: [] }],
    [{ tickE4: 100, priceRanges: [range(0, 1000, 10)] }],
    [{ tickE4: 100, priceRanges: [range(1000, 10_000, 100), range(0, 1000, 10)] }],
  ])('%j, which came from elsewhere, is none', (some) => expect(isPriceGrid(some)).toBe(false))
})
