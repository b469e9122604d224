import { describe, expect, it } from 'vitest'
import { launch } from '../e2e/launch.js'

interface Case {
  readonly transport: string
  readonly rate: number
  readonly sent: number
  readonly received: number
  readonly dropped: number
  readonly p50_us: number
  readonly order_p50_us: number
}

describe('arbees bench pipeline', () => {
  it('makes orders of frames over the bus and over Redis, and prints its summary as the last line', async () => {
    const run = launch(['bench', 'pipeline', '--rounds', '1', '--for', '200ms', '--json'], {})
    expect(await run.ended).toBe(0)
    const { summary } = JSON.parse(run.stdout()) as { summary: Record<string, unknown> }
    expect(Object.keys(summary)).toEqual([
      'rate',
      'p50_us',
      'p99_us',
      'order_p50_us',
      'order_p99_us',
      'cpu_us_per_msg',
      'sent',
      'received',
      'dropped',
      'max_rate',
      'ratio_to_libzmq_c',
      'ratio_to_redis_pubsub',
      'order_ratio_to_redis_pubsub',
      'machine',
      'cases',
    ])
    const cases = summary['cases'] as readonly Case[]
    expect(cases.map(({ transport, rate }) => [transport, rate])).toEqual(
      [1_000, 10_000].flatMap((rate) => ['zeromq+journal', 'redis'].map((transport) => [transport, rate])),
    )
    for (const { sent, received, dropped } of cases) {
      expect(sent).toBeGreaterThan(10)
      expect(received).toBe(sent - dropped)
    }
    // On a machine that is busy elsewhere some quotes are too old to trade on, at the higher rate all of them may be.
    for (const { received, p50_us: toSignal, order_p50_us: toOrder } of cases.slice(0, 2)) {
      expect(received, run.stderr()).toBeGreaterThan(0)
      expect(toSignal).toBeGreaterThan(0)
      expect(toOrder).toBeGreaterThan(toSignal)
    }
  }, 60_000)
})
