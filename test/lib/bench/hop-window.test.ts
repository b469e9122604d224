import { describe, expect, it } from 'vitest'
import { HopWindow } from '../../../src/lib/bench/hop-window.js'
import { medianOf, percentileOf } from '../../../src/lib/bench/percentiles.js'

const RUN = { transport: 'zeromq', rate: 1000, warmUp: 2, measured: 4 } as const

describe('the window of a run', () => {
  it('drops the warm-up and what belongs to another run', () => {
    const window = new HopWindow(3, RUN)
    for (const seq of [1, 2, 7]) window.record(seq, 0, 0, 1_000_000)
    expect(window.arrivals().received).toBe(0)
    for (const seq of [3, 4, 5, 6]) window.record(seq, seq * 100, seq * 100 + 5, seq * 100 + seq)
    expect(window.complete).toBe(true)
    expect(window.arrivals()).toMatchObject({
      received: 4,
      fromSchedule: { p50_us: 4, p90_us: 6, max_us: 6 },
      fromPublish: { p50_us: -1, max_us: 1 },
    })
  })

  it('is not complete while something is missing', () => {
    const window = new HopWindow(1, RUN)
    for (const seq of [1, 2, 4]) window.record(seq, 0, 0, 10)
    expect(window.complete).toBe(false)
    expect(window.arrivals().received).toBe(3)
    expect(window.lastArrivalUs).toBe(10)
  })
})

describe('percentiles', () => {
  it.each([
    [[], 50, 0],
    [[7], 99, 7],
    [[3, 1, 2], 50, 2],
    [[4, 1, 3, 2], 50, 2],
    [[10, 9, 100], 100, 100],
  ])('of %j at %d is %d', (samples, percent, value) => {
    expect(percentileOf(Float64Array.from(samples), percent)).toBe(value)
  })

  it('have a median of the two in the middle', () => {
    expect([medianOf([3, 1]), medianOf([5, 1, 3]), medianOf([])]).toEqual([2, 3, undefined])
  })
})
