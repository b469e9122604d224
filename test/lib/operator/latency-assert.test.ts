import { describe, expect, it } from 'vitest'
import { judgeThreshold, parseThreshold } from '../../../src/lib/operator/latency-assert.js'
import type { HopFigures } from '../../../src/lib/operator/latency-figures.js'

const row = (figures: Partial<HopFigures>): HopFigures => ({
  hop: 'monitor_shard',
  by: null,
  clock: 'monotonic',
  clock_error_us: 1,
  skew_us: null,
  hosts: null,
  min_us: 10,
  p50_us: 100,
  p90_us: 200,
  p99_us: 900,
  p999_us: 950,
  max_us: 1_000,
  n: 500,
  below_zero: 0,
  ...figures,
})

describe('a threshold', () => {
  it.each([
    ['p99<1ms', { hop: undefined, metric: 'p99', operator: '<', limit: 1_000 }],
    ['monitor_shard.p99<1ms', { hop: 'monitor_shard', metric: 'p99', limit: 1_000 }],
    [' tick_to_order.p99.9 <= 2.5s ', { metric: 'p99.9', operator: '<=', limit: 2_500_000 }],
    ['p50<250us', { limit: 250 }],
    ['decision.n>=100', { hop: 'decision', metric: 'n', operator: '>=', limit: 100 }],
  ])('is read: %s', (text, expected) => {
    expect(parseThreshold(text)).toMatchObject(expected)
  })

  it.each([
    'p99',
    'p99<1',
    'p98<1ms',
    'p99=1ms',
    'monitor_shard<1ms',
    'monitor.p99<1ms',
    'n<1ms',
    'p99<-1ms',
    '',
    'p99<1ms;rm',
  ])('that is none is refused with its text and what to write: %s', (text) => {
    expect(() => parseThreshold(text)).toThrowError(
      expect.objectContaining({ code: 'BAD_ASSERT', exit: 2, message: expect.stringContaining(`'${text}'`) }),
    )
  })

  it('without a hop is about every hop of one host, and the worst of them decides', () => {
    const rows = [
      row({}),
      row({ hop: 'decision', p99_us: 1_200 }),
      row({ hop: 'venue_monitor', clock: 'venue', p99_us: 90_000 }),
      row({ hop: 'mirror_lag', p99_us: 90_000 }),
      row({ hop: 'receive', p99_us: 90_000 }),
    ]
    const judged = judgeThreshold(parseThreshold('p99<1ms'), rows)
    expect(judged).toEqual({ expression: 'p99<1ms', holds: false, found: 1_200, hop: 'decision' })
    expect(judgeThreshold(parseThreshold('p99<2ms'), rows).holds).toBe(true)
    expect(judgeThreshold(parseThreshold('receive.p99<2ms'), rows)).toMatchObject({
      holds: false,
      found: 90_000,
    })
  })

  it('from below is decided by the least', () => {
    const rows = [row({ n: 500 }), row({ hop: 'decision', n: 3 })]
    expect(judgeThreshold(parseThreshold('n>10'), rows)).toMatchObject({
      holds: false,
      found: 3,
      hop: 'decision',
    })
  })

  it('of what was not measured does not hold', () => {
    expect(judgeThreshold(parseThreshold('exec_venue.p99<1s'), [row({})])).toMatchObject({
      holds: false,
      found: null,
    })
    expect(judgeThreshold(parseThreshold('p99<1s'), [])).toMatchObject({ holds: false, found: null })
  })

  it('at its limit is told apart by its sign', () => {
    const rows = [row({ p50_us: 100 })]
    const holds = ['p50<100us', 'p50<=100us', 'p50>100us', 'p50>=100us'].map(
      (text) => judgeThreshold(parseThreshold(text), rows).holds,
    )
    expect(holds).toEqual([false, true, false, true])
  })
})
