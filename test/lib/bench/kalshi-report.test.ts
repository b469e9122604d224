import { describe, expect, it } from 'vitest'

import { OrderSamples, summarizeOrders } from '../../../src/lib/bench/kalshi-order-report.js'
import { renderKalshi, summarizeKalshi } from '../../../src/lib/bench/kalshi-report.js'
import { describeMachine } from '../../../src/lib/bench/machine.js'

const machine = describeMachine(null)
const parse = { tookUs: Float64Array.from([4, 5, 6, 90]), costUs: 5 }
const run = (cpuUs: number, took: readonly number[]) => ({ tookUs: Float64Array.from(took), cpuUs, parse })

function sampled(): OrderSamples {
  const samples = new OrderSamples()
  for (const ms of [1, 2, 3, 40]) samples.add('rsa-2048', 'bare POST', ms)
  for (const ms of [3, 3, 3, 50]) samples.add('rsa-2048', 'order', ms)
  for (const ms of [0.3, 0.4]) samples.add('rsa-2048', 'signature alone', ms)
  for (const ms of [4, 4, 4]) samples.add('ed25519', 'bare POST', ms)
  for (const ms of [5, 5, 5]) samples.add('ed25519', 'order', ms)
  return samples
}

describe('what a Kalshi frame costs', () => {
  it('counts CPU time a frame, two messages a frame, and what did not arrive', () => {
    const runs = [run(80, [10, 10, 10, 50]), run(120, [10, 10, 10, 30]), run(400, [10, 10, 10, 10])]
    const summary = summarizeKalshi({ runs, orders: sampled() }, { sent: 24, received: 23, machine })
    expect(summary).toMatchObject({ rate: 33_333, p50_us: 10, p99_us: 50, cpu_us_per_msg: 15, dropped: 1 })
    // 30 us of CPU beside the 5 us of JSON.parse.
    expect(summary.ratio_to_json_parse).toBe(6)
    expect(summary.cases).toContainEqual({
      bench: 'kalshi',
      case: 'JSON.parse alone',
      n: 12,
      p50_us: 5,
      p99_us: 90,
      frames_per_s: 200_000,
    })
    const text = renderKalshi(summary, { width: 80, color: false })
    expect(text).toContain('1 not received')
    expect(text).toMatch(/order +rsa-2048 +3000 +50000 +1\.5 +4/)
    expect(text.split('\n').filter((line) => line.length > 80 && !line.startsWith(machine.cpu))).toEqual([])
  })

  it('a run that was stopped before it began has no figures', () => {
    const nothing = { runs: [], orders: new OrderSamples() }
    const summary = summarizeKalshi(nothing, { sent: 0, received: 0, machine })
    expect(summary).toMatchObject({ rate: null, p50_us: null, p99_us: null, order_p50_us: null, cases: [] })
  })
})

describe('what an order at Kalshi costs', () => {
  it('is told by kind of key, over the bare POST by the same key', () => {
    const { cases, ...figures } = summarizeOrders(sampled())
    expect(figures).toEqual({
      order_p50_us: 3000,
      order_p99_us: 50_000,
      order_ratio_to_bare_post: 1.5,
      order_ratio_to_bare_post_ed25519: 1.25,
    })
    expect(cases.map((each) => [each.case, each.key, each.n, each.p50_us, each.ratio_to_bare_post])).toEqual([
      ['bare POST', 'rsa-2048', 4, 2000, 1],
      ['order', 'rsa-2048', 4, 3000, 1.5],
      ['signature alone', 'rsa-2048', 2, 300, null],
      ['bare POST', 'ed25519', 3, 4000, 1],
      ['order', 'ed25519', 3, 5000, 1.25],
    ])
  })
})
