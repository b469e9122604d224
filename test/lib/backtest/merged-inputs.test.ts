import { describe, expect, it } from 'vitest'
import { CHEAP_HERE, COND, FAIR_HERE, HOU, RICH_THERE } from '../roles/shard-stage.js'
import { Recorded, T0 } from './recorded.js'

/** Both books are known, and nothing is to be had. */
const quiet = (shard?: number): Recorded =>
  new Recorded(shard).game(0).quote('kalshi', HOU, FAIR_HERE, 1).quote('poly', COND, RICH_THERE, 2)

describe('what was recorded, merged by time', () => {
  it('is decided on, with heartbeats made up and a feed that its own messages prove', () => {
    expect(quiet().signals).toBe(0)
    expect(quiet().quote('kalshi', HOU, CHEAP_HERE, 3).signals).toBe(1)
    // Polymarket is silent meanwhile, but for another market.
    expect(quiet().quote('kalshi', HOU, CHEAP_HERE, 240).signals).toBe(1)
    expect(quiet().quote('kalshi', HOU, CHEAP_HERE, 300).signals).toBe(0)
    const other = quiet().quote('poly', '0xother', RICH_THERE, 290)
    expect(other.quote('kalshi', HOU, CHEAP_HERE, 300).signals).toBe(0)
    expect(other.quote('kalshi', HOU, CHEAP_HERE, 420).signals).toBe(1)
  })

  it('is believed again where a monitor that was silent goes on without a hole', () => {
    const stage = quiet().game(9_000).quote('kalshi', HOU, CHEAP_HERE, 10_000)
    expect(stage.signals).toBe(0)
    expect(stage.quote('poly', COND, RICH_THERE, 10_001).signals).toBe(1)
  })

  it('is not believed behind what is missing, until the market speaks again', () => {
    const stage = quiet().gap('poly.prices').quote('kalshi', HOU, CHEAP_HERE, 5)
    expect(stage.signals).toBe(0)
    expect(stage.quote('poly', COND, RICH_THERE, 6).signals).toBe(1)
  })

  it('is not believed from before a new epoch of its monitor', () => {
    const stage = quiet().quote('kalshi', HOU, FAIR_HERE, 3)
    stage.epoch = T0 + 4
    expect(stage.quote('poly', '0xother', RICH_THERE, 5).quote('kalshi', HOU, CHEAP_HERE, 6).signals).toBe(0)
  })

  it('comes in the order of its host within a millisecond', () => {
    expect(quiet().quote('kalshi', HOU, CHEAP_HERE, 3, [7, 8]).signals).toBe(1)
    expect(quiet().quote('kalshi', HOU, CHEAP_HERE, 3, [8, 7]).signals).toBe(0)
  })

  it('is of all games, or of the games of one shard', () => {
    const cheap = (stage: Recorded) => stage.game(3, 2).quote('kalshi', HOU, CHEAP_HERE, 4).signals
    expect([cheap(quiet()), cheap(quiet(2)), cheap(quiet(1))]).toEqual([1, 1, 0])
  })

  it('tells what is no message, and takes nothing of it', () => {
    const stage = quiet().tell('kalshi.prices', `prices.kalshi.${HOU}`, { venue: 'kalshi' }, 3)
    expect([stage.signals, stage.refused.length]).toEqual([0, 1])
  })
})
