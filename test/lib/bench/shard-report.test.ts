import { describe, expect, it } from 'vitest'

import { describeMachine } from '../../../src/lib/bench/machine.js'
import { ShardLoad } from '../../../src/lib/bench/shard-load.js'
import { renderShard, summarizeShard } from '../../../src/lib/bench/shard-report.js'
import { decode } from '../../../src/lib/messages/codec.js'

const machine = describeMachine(null)
const parse = { tookUs: Float64Array.from([4, 6]), costUs: 5 }
const run = (cpuUs: number) => ({
  tookUs: Float64Array.from([10, 50]),
  signalUs: Float64Array.from([40]),
  cpuUs,
  parse,
})

describe('what a quote costs a shard', () => {
  it('tells the most games beside the fewest, and whether their number or their books cost', () => {
    const runs = [[run(40)], [run(44)], [run(60)], [run(42)]]
    const summary = summarizeShard(runs, { sent: 4, received: 3, machine })
    expect(summary).toMatchObject({
      rate: 33_333,
      p50_us: 40,
      p99_us: 40,
      dropped: 1,
      ratio_to_json_parse: 6,
    })
    expect(summary).toMatchObject({ ratio_to_fewest: 1.5, ratio_to_fewest_quoted: 1.05, cpu_us_per_msg: 15 })
    expect(summary.cases.map(({ games, quoted, quotes_per_s }) => [games, quoted, quotes_per_s])).toEqual([
      [10, 10, 50_000],
      [100, 100, 45_455],
      [1_000, 1_000, 33_333],
      [1_000, 10, 47_619],
    ])
    const lines = renderShard(summary, { width: 100, color: false }).split('\n')
    expect(lines.filter((line) => line.length > 100 && !line.startsWith(machine.cpu))).toEqual([])
  })

  it('has no figures of a run that was stopped before it began', () => {
    const summary = summarizeShard([[], [], [], []], { sent: 0, received: 0, machine })
    expect(summary).toMatchObject({ rate: null, p50_us: null, ratio_to_fewest: null, cases: [] })
  })

  it('hears what the roles say: every message is one that a shard takes', () => {
    const load = new ShardLoad({ games: 3, quoted: 1 })
    const frames = load.frames(40, 4)
    const wires = [...load.states(), ...load.books(), ...frames.flatMap(({ book, quote }) => [book, quote])]
    expect(wires.map(({ topic, bytes }) => decode(topic, bytes, 'sim').kind)).toEqual(
      wires.map(() => 'message'),
    )
    expect(wires).toHaveLength(3 + 2 * 9 + 80)
    // Of one game alone: two markets.
    expect(new Set(frames.map(({ quote }) => quote.topic)).size).toBe(2)
  })
})
