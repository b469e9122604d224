import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventQueue } from '../../../src/lib/backtest/event-queue.js'
import { lifetimeUs, shareAfter, survivalOf } from '../../../src/lib/backtest/lifetimes.js'

const ended = (...us: number[]) => us.map((each) => ({ us: each, isCut: false }))
const cut = (...us: number[]) => us.map((each) => ({ us: each, isCut: true }))

describe('lifetimes', () => {
  it('are plain shares and ranks where every end was seen', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(50), { minLength: 1 }),
        fc.nat(60),
        fc.integer({ min: 1, max: 99 }),
        (all, after, percent) => {
          // prettier-ignore
          const steps = survivalOf(ended(...all))
          const longer = all.filter((us) => us > after).length
          expect(shareAfter(steps, after)).toBeCloseTo(longer / all.length, 9)
          const sorted = [...all].sort((a, b) => a - b)
          expect(lifetimeUs(steps, percent)).toBe(sorted[Math.ceil((percent / 100) * all.length) - 1])
        },
      ),
    )
  })

  it('count what was still there at the end for as long as it was seen, as Kaplan and Meier do', () => {
    // The textbook: deaths at 6 (3 of 21), 7 (1 of 17), 10 (1 of 15) of the 6-MP arm of Freireich's leukemia trial.
    const steps = survivalOf([
      ...ended(6, 6, 6, 7, 10, 13, 16, 22, 23),
      ...cut(6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35),
    ])
    const shares = steps.map(({ us, share }) => [us, Number(share.toFixed(3))])
    expect(shares).toEqual([[6, 0.857], [7, 0.807], [10, 0.753], [13, 0.69], [16, 0.627], [22, 0.538], [23, 0.448]]) // prettier-ignore
    expect([lifetimeUs(steps, 10), lifetimeUs(steps, 50), lifetimeUs(steps, 90)]).toEqual([6, 23, null])
  })

  it('are none of nothing', () => {
    expect([survivalOf([]), lifetimeUs([], 50), shareAfter([], 5)]).toEqual([[], null, 1])
  })
})

describe('events', () => {
  it('come by their time, and as they were added within one', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), (times) => {
        const queue = new EventQueue<number>()
        times.forEach((atUs, order) => queue.add(atUs, order))
        const took: number[] = []
        for (let next = queue.takeBefore(15); next; next = queue.takeBefore(15)) took.push(next.event)
        const expected = [...times.keys()]
          .filter((order) => times[order]! < 15)
          .sort((a, b) => times[a]! - times[b]! || a - b)
        expect(took).toEqual(expected)
      }),
    )
  })
})
