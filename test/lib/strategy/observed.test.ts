import { describe, expect, it } from 'vitest'
import type { Combination } from '../../../src/lib/strategy/combination.js'
import { Strategy } from '../../../src/lib/strategy/strategy.js'
import { LIMITS, NOW_US, arbitrage, fill, sides } from './setup.js'

const TRIGGER = { source: 'kalshi.prices', epoch: 1, seq: 11 }
const HOLD_US = (1500 + 1000 + 1000) * 1000
const BIDS = [[4100, 5000]] as const

/** Another shard signals the arbitrage, bought at `askE4` on Kalshi, and this one looks on. */
function stage() {
  const reasons: string[] = []
  const strategy = new Strategy({ ...LIMITS, validMs: 1500 }, (reason) => reasons.push(reason))
  const pair = arbitrage()
  const at = (nowUs: number, askE4 = 4500): readonly Combination[] => {
    for (const { of } of pair.legs) of.book.feed.provedUs = of.book.feed.heardUs = nowUs
    pair.game.heardUs = pair.game.fetchedUs = nowUs
    fill(sides(pair).kalshi.book, { bids: BIDS, asks: [[askE4, 5000]] })
    return [pair]
  }
  return {
    observe: (nowUs: number, askE4?: number) => strategy.observe(at(nowUs, askE4), nowUs).length,
    signals: (nowUs: number, askE4?: number) => strategy.evaluate(at(nowUs, askE4), TRIGGER, nowUs).length,
    pair,
    reasons,
  }
}

describe('what another shard signals', () => {
  it('is not signaled here while its plan may be open, counted from when it was last seen', () => {
    const { observe, signals, reasons } = stage()
    observe(NOW_US)
    observe(NOW_US + 2_000_000)
    expect(reasons).toEqual(['other_shard'])
    expect(signals(NOW_US + 2_000_000 + HOLD_US - 1)).toBe(0)
    expect(signals(NOW_US + 2_000_000 + HOLD_US)).toBe(1)
  })

  it('is signaled here when it is better than it ever was', () => {
    const { observe, signals } = stage()
    observe(NOW_US, 4400)
    observe(NOW_US + 1, 4500)
    expect(signals(NOW_US + 2, 4400)).toBe(0)
    expect(signals(NOW_US + 3, 4300)).toBe(1)
  })

  it('is another one when it was seen to be gone', () => {
    const { observe, signals } = stage()
    observe(NOW_US)
    observe(NOW_US + 1, 5100)
    expect(signals(NOW_US + 2)).toBe(1)
  })

  it('is not known where its quotes could not be believed', () => {
    const { observe, signals, pair } = stage()
    const { kalshi } = sides(pair)
    kalshi.book.quoteState = 'STALE'
    expect(observe(NOW_US)).toBe(0)
    kalshi.book.quoteState = 'LIVE'
    expect(signals(NOW_US + 1)).toBe(1)
  })
})
