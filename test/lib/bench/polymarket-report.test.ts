import { describe, expect, it } from 'vitest'

import { describeMachine } from '../../../src/lib/bench/machine.js'
import { polymarketSource } from '../../../src/lib/bench/polymarket-frames.js'
import { renderPolymarket, summarizePolymarket } from '../../../src/lib/bench/polymarket-report.js'

const machine = describeMachine(null)
const parse = { tookUs: Float64Array.from([4, 6]), costUs: 5 }
const run = (cpuUs: number) => ({ tookUs: Float64Array.from([10, 50]), cpuUs, parse })

describe('what a Polymarket frame costs', () => {
  it('tells the share of the hash, of a core, and false alarms', () => {
    const runs = { checked: [run(80), run(80)], unchecked: [run(60), run(60)] }
    const summary = summarizePolymarket(runs, { resyncs: 0, doubts: 1 }, { sent: 16, received: 15, machine })
    expect(summary).toMatchObject({ rate: 25_000, hash_us: 10, core_share: 0.2, ratio_to_json_parse: 8 })
    expect(summary).toMatchObject({ p50_us: 10, p99_us: 50, dropped: 1, false_alarms_per_1000: 250 })
    expect(summary.cases.map((each) => [each.case, each.frames_per_s])).toEqual([
      ['frame to quote', 25_000],
      ['without hashes', 33_333],
      ['JSON.parse alone', 200_000],
    ])
    const text = renderPolymarket(summary, { width: 80, color: false })
    expect(text).toContain('5000 frames a second take 20 % of a core')
    expect(text.split('\n').filter((line) => line.length > 80 && !line.startsWith(machine.cpu))).toEqual([])
  })

  it('has no figures of a run that was stopped before it began', () => {
    const nothing = { checked: [], unchecked: [] }
    const summary = summarizePolymarket(nothing, { resyncs: 0, doubts: 0 }, { sent: 0, received: 0, machine })
    expect(summary).toMatchObject({ rate: null, hash_us: null, core_share: null, cases: [] })
  })

  it.each([
    [true, 'LIVE'],
    [false, 'STALE'],
  ])('with hashes %s, every frame is a book that is %s', (withHashes, state) => {
    const alarms = { resyncs: 0, doubts: 0 }
    const source = polymarketSource(withHashes, alarms)
    const states: string[] = []
    for (const bytes of [...source.opening(), ...source.take(100)])
      source.onFrame(bytes, 1, (update) => states.push(update.state))
    expect(new Set(states)).toEqual(new Set([state]))
    expect([states.length, alarms]).toEqual([108, { resyncs: 0, doubts: withHashes ? 0 : 108 }])
  })
})
