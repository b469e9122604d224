import { describe, expect, it } from 'vitest'

import { renderKalshi, summarizeKalshi } from '../../../src/lib/bench/kalshi-report.js'
import { describeMachine } from '../../../src/lib/bench/machine.js'

const machine = describeMachine(null)
const run = (cpuUs: number, took: readonly number[]) => ({
  tookUs: Float64Array.from(took),
  frames: took.length,
  cpuUs,
  parsePerS: 200_000,
})

describe('what a Kalshi frame costs', () => {
  it('counts CPU time a frame, two messages a frame, and what did not arrive', () => {
    const runs = [run(80, [10, 10, 10, 50]), run(120, [10, 10, 10, 30]), run(400, [10, 10, 10, 10])]
    const summary = summarizeKalshi(runs, { sent: 24, received: 23, machine })
    expect(summary).toMatchObject({ rate: 33_333, p50_us: 10, p99_us: 50, cpu_us_per_msg: 15, dropped: 1 })
    // 30 us of CPU beside the 5 us of JSON.parse.
    expect(summary.ratio_to_json_parse).toBe(6)
    expect(renderKalshi(summary, { width: 100, color: false })).toContain('1 not received')
  })

  it('a run that was stopped before it began has no figures', () => {
    const summary = summarizeKalshi([], { sent: 0, received: 0, machine })
    expect(summary).toMatchObject({ rate: null, p50_us: null, p99_us: null, cases: [] })
  })
})
