import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Histogram } from '../../../src/lib/telemetry/histogram.js'

describe('the buckets of a histogram', () => {
  it('hold every value once, between their edges, in order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 10_000_000 }), { maxLength: 200 }), (values) => {
        const histogram = new Histogram()
        for (const value of values) histogram.record(value)
        const buckets = histogram.buckets()
        for (const { from_us: from, to_us: to, count } of buckets) {
          expect(values.filter((value) => value >= from && value <= to)).toHaveLength(count)
        }
        expect(buckets.reduce((sum, { count }) => sum + count, 0)).toBe(values.length)
        for (const [i, { from_us: from }] of buckets.slice(1).entries()) {
          expect(from).toBeGreaterThan(buckets[i]!.to_us)
        }
      }),
    )
  })
})
