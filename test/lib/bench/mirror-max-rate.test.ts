import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { searchMaxRate } from '../../../src/lib/bench/mirror-max-rate.js'

/** A mirror that holds `limit` behind a generator that publishes `most` at best. */
const tryOn = (limit: number, most = Infinity, tried: number[] = []) => ({
  tried,
  attempt: (rate: number) => {
    tried.push(rate)
    const achieved = Math.min(rate, most)
    return Promise.resolve({ rate, achieved, isHeld: achieved <= limit })
  },
})

describe('the highest rate that is held', () => {
  it('is the rung below the limit, found in a few measurements', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1_000, max: 119_999 }), async (limit) => {
        const { attempt, tried } = tryOn(limit)
        const { rate, limitedByGenerator } = await searchMaxRate([], attempt)
        expect(limitedByGenerator).toBe(false)
        expect(rate).toBeLessThanOrEqual(limit)
        expect(rate).toBeGreaterThanOrEqual(limit / 2)
        expect(tried.length).toBeLessThanOrEqual(5)
        expect(tried.filter((each) => each > rate).every((each) => each > limit)).toBe(true)
      }),
    )
  })

  it('begins with what is known', async () => {
    const { attempt, tried } = tryOn(22_000)
    const known = [1_000, 10_000, 50_000].map((rate) => ({ rate, achieved: rate, isHeld: rate <= 22_000 }))
    expect(await searchMaxRate(known, attempt)).toEqual({ rate: 20_000, limitedByGenerator: false })
    expect(tried.every((rate) => rate > 10_000 && rate < 50_000)).toBe(true)
  })

  it('is none where the lowest rung is not held', async () => {
    expect(await searchMaxRate([], tryOn(500).attempt)).toEqual({ rate: 0, limitedByGenerator: false })
  })

  it('is the generator’s where that gives out first, and says so', async () => {
    const { attempt } = tryOn(90_000, 33_000)
    expect(await searchMaxRate([], attempt)).toEqual({ rate: 33_000, limitedByGenerator: true })
    expect(await searchMaxRate([], tryOn(Infinity).attempt)).toEqual({
      rate: 120_000,
      limitedByGenerator: true,
    })
  })

  it('ends with what is known when it is broken off', async () => {
    const known = [{ rate: 1_000, achieved: 1_000, isHeld: true }]
    expect(await searchMaxRate(known, () => Promise.resolve(undefined))).toEqual({
      rate: 1_000,
      limitedByGenerator: false,
    })
  })
})
