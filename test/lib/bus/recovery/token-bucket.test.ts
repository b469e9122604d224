import fc from 'fast-check'
import { expect, it } from 'vitest'
import { TokenBucket } from '../../../../src/lib/bus/recovery/token-bucket.js'

it('a rate cap allows its burst, then its rate, and says truly how long to wait', () => {
  const limits = fc.record({
    perSecond: fc.integer({ min: 1, max: 2_000 }),
    burst: fc.integer({ min: 1, max: 100 }),
  })
  fc.assert(
    fc.property(limits, fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 200 }), (limit, steps) => {
      const bucket = new TokenBucket(limit, 0)
      let nowMs = 0
      let taken = 0
      for (const step of steps) {
        nowMs += step
        const waitMs = bucket.waitMs(nowMs)
        if (waitMs > 0) {
          nowMs += waitMs
          expect(bucket.waitMs(nowMs)).toBe(0)
        }
        bucket.take()
        taken++
        expect(taken).toBeLessThanOrEqual(limit.burst + (nowMs * limit.perSecond) / 1000 + 1e-6)
      }
    }),
  )
})
