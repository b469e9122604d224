import { describe, expect, it } from 'vitest'
import { Pace } from '../../../src/lib/history/pace.js'

describe('the pace of a replay', () => {
  it.each([
    [1, 1_000],
    [2, 500],
    [0.5, 2_000],
    [Infinity, 0],
  ])('at speed %d a second lasts %i ms', (speed, expected) => {
    const pace = new Pace(speed)
    expect(pace.delayMs(1_769_500_000_000, 50)).toBe(0)
    expect(pace.delayMs(1_769_500_001_000, 50)).toBe(expected)
  })

  it('makes up for what took long meanwhile, and never waits for what is late', () => {
    const pace = new Pace(1)
    pace.delayMs(1_000, 0)
    expect(pace.delayMs(1_100, 40)).toBe(60)
    expect(pace.delayMs(1_200, 900)).toBe(0)
    expect(pace.delayMs(900, 900)).toBe(0)
    expect(pace.delayMs(2_000, 950)).toBe(50)
  })

  it('waits for nothing that has no time', () => {
    const pace = new Pace(1)
    expect(pace.delayMs(-Infinity, 0)).toBe(0)
    expect(pace.delayMs(1_000, 7)).toBe(0)
    expect(pace.delayMs(1_010, 7)).toBe(10)
  })
})
