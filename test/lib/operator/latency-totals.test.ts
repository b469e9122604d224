import { describe, expect, it } from 'vitest'
import type { Sample } from '../../../src/lib/operator/latency-hops.js'
import { HopTotals, OTHER_TOPICS } from '../../../src/lib/operator/latency-totals.js'
import type { Grouping } from '../../../src/lib/operator/latency-totals.js'

const sample = (hop: Sample['hop'], us: number, source: string, topic: string): Sample => ({
  hop,
  reading: { us, clock: 'monotonic' },
  source,
  topic,
})

function rowsOf(grouping: Grouping, ...samples: Sample[]) {
  const totals = new HopTotals(grouping)
  for (const each of samples) totals.record(each)
  return totals.rows().map(({ hop, by, histogram }) => [hop, by, histogram.count])
}

const SAMPLES = [
  sample('decision', 5, 'shard-0.signals', 'signals.trade.a'),
  sample('decision', 5, 'shard-0.signals', 'signals.trade.b'),
  sample('decision', 5, 'shard-1.signals', 'signals.trade.c'),
  sample('frame_to_quote', 5, 'kalshi.prices', 'prices.kalshi.KX'),
  sample('frame_to_quote', 5, 'kalshi.prices', 'prices.kalshi.KY'),
  sample('frame_to_quote', 5, 'kalshi.orderbook', 'prices.kalshi.KX'),
]

describe('totals of hops', () => {
  it('are in the order of the way, of one hop the busiest first', () => {
    expect(rowsOf('hop', ...SAMPLES)).toEqual([
      ['frame_to_quote', null, 3],
      ['decision', null, 3],
    ])
    expect(rowsOf('role', ...SAMPLES)).toEqual([
      ['frame_to_quote', 'kalshi', 3],
      ['decision', 'shard-0', 2],
      ['decision', 'shard-1', 1],
    ])
  })

  it('by topic take signals and orders together: each has a topic of its own', () => {
    expect(rowsOf('topic', ...SAMPLES)).toEqual([
      ['frame_to_quote', 'prices.kalshi.KX', 2],
      ['frame_to_quote', 'prices.kalshi.KY', 1],
      ['decision', 'signals.trade.', 3],
    ])
  })

  it('keep a bounded number of topics apart, and lose none of their samples', () => {
    const many = Array.from({ length: 600 }, (_, i) =>
      sample('receive', 1, 'kalshi.prices', `prices.kalshi.${i}`),
    )
    const rows = rowsOf('topic', ...many, ...many)
    expect(rows).toHaveLength(501)
    expect(rows[0]).toEqual(['receive', OTHER_TOPICS, 200])
    expect(rows.reduce((sum, row) => sum + Number(row[2]), 0)).toBe(1_200)
  })

  it('keep clocks and pairs of hosts apart, and count what is below zero', () => {
    const totals = new HopTotals('hop')
    const wall = (us: number, from: string) =>
      totals.record({ ...SAMPLES[0]!, reading: { us, clock: 'wall', from, to: 'c' } })
    totals.record(SAMPLES[0]!)
    wall(-3, 'a')
    wall(4, 'a')
    wall(4, 'b')
    const rows = totals
      .rows()
      .map(({ clock, from, belowZero, histogram }) => [clock, from, belowZero, histogram.count])
    expect(rows).toHaveLength(3)
    expect(rows).toEqual(
      expect.arrayContaining([
        ['monotonic', null, 0, 1],
        ['wall', 'a', 1, 2],
        ['wall', 'b', 0, 1],
      ]),
    )
  })
})
