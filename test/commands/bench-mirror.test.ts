import { describe, expect, it } from 'vitest'
import { launch } from '../e2e/launch.js'

interface Case {
  readonly mirror: string
  readonly rate: number
  readonly sent: number
  readonly received: number
  readonly dropped: number
  readonly duplicated: number
  readonly p50_us: number | null
}

describe('arbees bench mirror', () => {
  it('mirrors beside two plain mirrors, counts the entries in Redis and prints its summary', async () => {
    const args = ['--rounds', '1', '--for', '100ms', '--messages', '2000', '--publishers', '2', '--json']
    const run = launch(['bench', 'mirror', ...args], {})
    expect(await run.ended).toBe(0)
    const { summary } = JSON.parse(run.stdout()) as { summary: Record<string, unknown> }
    expect(Object.keys(summary)).toEqual([
      'rate',
      'p50_us',
      'p99_us',
      'cpu_us_per_msg',
      'sent',
      'received',
      'dropped',
      'max_rate',
      'ratio_to_libzmq_c',
      'ratio_to_redis_pubsub',
      'publishers',
      'maxima',
      'journaled',
      'catch_up_per_s',
      'catch_up_lost',
      'catch_up_duplicated',
      'load_average',
      'machine',
      'cases',
    ])
    const cases = summary['cases'] as readonly Case[]
    const kinds = ['arbees', 'await', 'pipeline']
    expect(cases.map(({ mirror, rate }) => [mirror, rate])).toEqual(
      [1_000, 10_000, 50_000].flatMap((rate) => kinds.map((mirror) => [mirror, rate])),
    )
    for (const { sent, received, dropped } of cases) expect(received).toBe(sent - dropped)
    for (const each of cases.filter(({ mirror }) => mirror === 'arbees')) {
      // Warm-up and measured part, as long as each other.
      expect(each).toMatchObject({ sent: each.rate / 5, received: each.sent, dropped: 0, duplicated: 0 })
    }
    expect(cases[0]?.p50_us).toBeGreaterThan(0)
    expect(summary).toMatchObject({
      publishers: 2,
      journaled: 2_000,
      catch_up_lost: 0,
      catch_up_duplicated: 0,
    })
    expect(summary['catch_up_per_s']).toBeGreaterThan(0)
    expect(summary['maxima']).toMatchObject(kinds.map((mirror) => ({ mirror })))
  }, 90_000)
})
