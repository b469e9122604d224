import { describe, expect, it } from 'vitest'
import { ASSUMED_ALIVE_MS } from '../../../src/lib/backtest/merged-inputs.js'
import { Observer } from '../../../src/lib/backtest/observer.js'
import { captureRows, opportunityRows } from '../../../src/lib/backtest/report.js'
import { Trial, emptyResult } from '../../../src/lib/backtest/trial.js'
import type { StrategySignal } from '../../../src/lib/model/signal.js'
import { CHEAP_HERE, COND, FAIR_HERE, HOU, RICH_THERE, gameState } from '../roles/shard-stage.js'
import { NOW_US, arbitrage } from '../strategy/setup.js'
import { Recorded } from './recorded.js'

/** No venue holds an order back. */
const markets = gameState().markets.map((market) => ({ ...market, taker_delay_ms: 0 }))

/** What each threshold and latency came to: five cents gross from 3 ms on, of 40 contracts, then what `play` does. */
function observe(
  play: (recorded: Recorded) => unknown,
  { edges = [2_000], latencies = [0], maxSizeE2 = undefined as number | undefined } = {},
) {
  const results = edges.map((edge) => emptyResult(edge, latencies))
  const observer = new Observer(results, maxSizeE2)
  const recorded = new Recorded(undefined, observer).game(0, 0, { markets })
  recorded.quote('kalshi', HOU, FAIR_HERE, 1).quote('poly', COND, RICH_THERE, 2)
  play(recorded.quote('kalshi', HOU, CHEAP_HERE, 3))
  expect(recorded.signals).toBe(1)
  observer.end()
  return { capture: captureRows(results), opportunities: opportunityRows(results) }
}
const gone = (recorded: Recorded) => recorded.quote('kalshi', HOU, FAIR_HERE, 43)

describe('what is tried on recorded books', () => {
  it('gives at once all that was promised, and no more than the rounding of fees beyond it', () => {
    const [all, nba] = observe(gone).capture
    expect(all).toMatchObject({ league: null, signals: 1, whole: 1, planned_size: 40, hedged_size: 40 })
    expect(nba).toEqual({ ...all, league: 'nba' })
    const surplus = all!.pnl_micros - all!.planned_edge_micros
    expect(surplus).toBeGreaterThanOrEqual(0)
    expect(surplus).toBeLessThan(200)
  })

  it('lives as long as it is offered, from each threshold that it is above', () => {
    const { opportunities } = observe(gone, { edges: [2_000, 20_000, 30_000] })
    expect(opportunities.filter(({ league }) => league === null)).toMatchObject([
      { count: 1, p50_ms: 40, greatest_size: 40, greatest_edge_micros: 20_175 },
      { count: 1, p50_ms: 40 },
      { count: 0, p50_ms: null, survival: [[0, 1]] },
    ])
  })

  it('is found by whoever is quick, at no more than the greatest size', () => {
    // The thinner book's leg goes first.
    const goneThere = (recorded: Recorded) =>
      recorded.quote('poly', COND, { bid: [0.45, 40], ask: [0.51, 40] }, 43).game(500)
    const { capture } = observe(goneThere, { latencies: [0, 10, 50], maxSizeE2: 1_000 })
    const found = capture.filter(({ league }) => league === null)
    expect(found).toMatchObject([
      { latency_ms: 0, whole: 1, hedged_size: 10 },
      { latency_ms: 10, whole: 1, hedged_size: 10 },
      { latency_ms: 50, missed: 1, hedged_size: 0 },
    ])
  })

  it('is not found in a book that nobody can believe any more', () => {
    const { capture } = observe((recorded) => gone(recorded.gap('poly.orderbook')).game(500), {
      latencies: [10],
    })
    expect(capture[0]).toMatchObject({ missed: 1 })
  })

  it('is not found any more where its monitor has been silent for long', () => {
    const goesOn = (recorded: Recorded) => {
      for (let atMs = 500; atMs < 8_000; atMs += 500) recorded.quote('kalshi', HOU, CHEAP_HERE, atMs)
    }
    const latencies = [ASSUMED_ALIVE_MS - 500, ASSUMED_ALIVE_MS + 500]
    const { capture } = observe(goesOn, { latencies })
    const [soon, late] = capture.filter(({ league }) => league === null)
    expect([soon, late]).toMatchObject([{ missed: 0 }, { missed: 1 }])
  })

  it('is not signaled again where another shard has it: neither is its opportunity ours any more', () => {
    const run = (isObserved: boolean) => {
      const result = emptyResult(2_000, [0])
      const limits = {
        minEdgeMicros: 2_000,
        delayCostMicrosPerS: 0,
        maxSizeE2: 2_000,
        maxEdgeMicros: 300_000,
      }
      const trial = new Trial({ ...limits, validMs: 1_500 }, result, () => ({
        state: 'BROKEN',
        bids: [],
        asks: [],
      }))
      const [combination, trigger] = [arbitrage(), { source: 'kalshi.prices', epoch: 1, seq: 5 }]
      trial.judge(combination, undefined, NOW_US)
      if (isObserved) trial.observe([combination], NOW_US + 40_000)
      const decisionOf = (signal: StrategySignal) => ({ signal, league: 'nba', markets: [] }) as const
      trial.evaluate([combination], trigger, NOW_US + 50_000, decisionOf)
      trial.end(NOW_US + 60_000)
      const [opportunity] = result.opportunities
      return [captureRows([result])[0]!.signals, opportunity!.us, opportunity!.isCut]
    }
    expect([run(false), run(true)]).toEqual([
      [1, 60_000, true],
      [0, 40_000, false],
    ])
  })
})
