import { describe, expect, it } from 'vitest'
import { describeMachine } from '../../../src/lib/bench/machine.js'
import type { Tick } from '../../../src/lib/bench/pipeline-messages.js'
import {
  describeRound,
  pipelineWarnings,
  renderPipeline,
  summarizePipeline,
} from '../../../src/lib/bench/pipeline-report.js'
import type { PipelineRound } from '../../../src/lib/bench/pipeline-report.js'

/** Due at 1,000 us; 100 us to the shard, 10 to decide, the rest to exec, 400 to the bytes. */
const tick = (toSignalUs: number, hasOrder = true): Tick => ({
  dueUs: 1_000,
  shardInUs: 1_100,
  shardOutUs: 1_110,
  heardUs: 1_000 + toSignalUs,
  orderUs: hasOrder ? 1_400 + toSignalUs : undefined,
})

const round = (
  transport: PipelineRound['transport'],
  rate: number,
  ticks: readonly Tick[],
  more: Partial<PipelineRound> = {},
): PipelineRound => ({
  transport,
  rate,
  signals: ticks.length,
  ticks,
  publisher: { cpuUs: 0, lateP50Us: 1, lateP99Us: 5, achievedRate: rate, endedUs: 0, rssMib: 90 },
  cpuUs: { monitor: 200, shard: 100, exec: 150, broker: 50 },
  messages: 10,
  counts: {},
  ...more,
})

const MACHINE = { ...describeMachine('7.0.15'), commit: null }
const ROUNDS = [
  round('zeromq+journal', 10_000, [tick(300), tick(320), tick(340)]),
  round('redis', 10_000, [tick(400)]),
  round('redis', 10_000, [tick(1_000)]),
  round('zeromq+journal', 10_000, [tick(500)], { signals: 3 }),
  round('zeromq+journal', 10_000, [tick(310), tick(310, false)]),
  round('redis', 10_000, [tick(310)]),
]

describe('the summary of a pipeline', () => {
  const summary = summarizePipeline(ROUNDS, MACHINE)

  it('is of our bus: medians over the rounds, ratios round by round', () => {
    expect(summary).toMatchObject({
      rate: 10_000,
      p50_us: 320,
      order_p50_us: 720,
      // 320/400, 500/1000, 310/310.
      ratio_to_redis_pubsub: 0.8,
      // 720/800, 900/1400, 710/710.
      order_ratio_to_redis_pubsub: 0.9,
    })
  })

  it('says which process takes the time', () => {
    expect(summary.cases[0]).toMatchObject({
      cpu_us_per_msg: 50,
      cpu_us: { monitor: 20, shard: 10, exec: 15, broker: 5 },
    })
  })

  it('adds up: what was to become an order did, or was dropped', () => {
    expect(summary).toMatchObject({ sent: 8, received: 5, dropped: 3 })
  })

  it('splits a tick into hops that add up to tick to order', () => {
    const hops = summary.cases[0]!.hops
    expect(hops).toMatchObject({
      tick_to_shard: { p50_us: 100 },
      decision: { p50_us: 10 },
      shard_to_exec: { p50_us: 210 },
      exec_to_order: { p50_us: 400 },
    })
    const parts = Object.values(hops).reduce((sum, { p50_us: p50 }) => sum + p50, 0)
    expect(parts).toBe(summary.order_p50_us)
  })

  it('has null for the ratio without a Redis, and is empty without a round', () => {
    const alone = summarizePipeline(
      ROUNDS.filter(({ transport }) => transport !== 'redis'),
      MACHINE,
    )
    expect(alone.ratio_to_redis_pubsub).toBeNull()
    expect(summarizePipeline([], MACHINE)).toMatchObject({ rate: null, p50_us: null, sent: 0, cases: [] })
  })

  it('warns when the generator fell behind', () => {
    const { publisher } = ROUNDS[0]!
    const late = round('zeromq+journal', 1_000, [tick(1)], { publisher: { ...publisher, achievedRate: 980 } })
    expect(pipelineWarnings(summarizePipeline([late], MACHINE))).toEqual([
      expect.stringMatching(/^the generator fell behind at 1000\/s over zeromq\+journal: 980\/s/),
    ])
  })

  it('warns when signals are missing: the latencies are those of the quick ones', () => {
    expect(pipelineWarnings(summary)).toEqual([
      '3 of 8 signals made no order at 10000/s over zeromq+journal: its latencies are those of the others',
    ])
    const whole = ROUNDS.filter(({ signals, ticks }) => signals === ticks.length).slice(0, 3)
    expect(pipelineWarnings(summarizePipeline(whole, MACHINE))).toEqual([])
  })

  it('shows its figures within the terminal', () => {
    const shown = renderPipeline(summary, { width: 120, color: false })
    expect(shown).toMatch(/zeromq\+journal +10,000 +320 /)
    expect(shown).toContain('zeromq+journal / Redis pub/sub at 10,000/s: signal p50 0.80')
    for (const line of renderPipeline(summary, { width: 80, color: false }).split('\n').slice(3, 7)) {
      expect(line.length).toBeLessThanOrEqual(80)
    }
  })
})

describe('a line on a round', () => {
  it('says what became of signals that made no order', () => {
    const counts = { 'denied:PLAN_OPEN': 2, 'no_signal:no_edge': 900, quotes: 1_000, conflated: 4 }
    expect(describeRound(round('redis', 1_000, [tick(100)], { signals: 3, counts }))).toContain(
      ', 2 of 3 made no order (denied:PLAN_OPEN 2, conflated 4)',
    )
    expect(describeRound(round('redis', 1_000, [tick(100)], { counts }))).toMatch(/to order 500, 500$/)
  })
})
