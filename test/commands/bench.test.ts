import { describe, expect, it } from 'vitest'
import { launch } from '../e2e/launch.js'

const CASE_KEYS = [
  'transport',
  'rate',
  'p50_us',
  'p99_us',
  'cpu_us_per_msg',
  'sent',
  'received',
  'dropped',
  'behind',
]

describe('arbees bench', () => {
  it('measures one hop beside Redis and prints its summary as the last line', async () => {
    const run = launch(['bench', '--rounds', '1', '--for', '200ms', '--json'], {})
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
      'machine',
      'references',
      'cases',
    ])
    const cases = summary['cases'] as Record<string, unknown>[]
    const references = summary['references'] as { nats: string | null; libzmq_c: string | null }
    const transports = ['zeromq', 'zeromq+journal', 'zeromq+journal+curve', 'redis', 'redis-streams']
    if (references.nats !== null) transports.push('nats')
    if (references.libzmq_c !== null) transports.push('libzmq-c')
    expect(cases.map(({ transport, rate }) => [transport, rate])).toEqual(
      [1_000, 10_000, null].flatMap((rate) => transports.map((transport) => [transport, rate])),
    )
    for (const each of cases) {
      expect(Object.keys(each)).toEqual(expect.arrayContaining(CASE_KEYS))
      expect(each).toMatchObject({ sent: each['received'], dropped: 0 })
    }
    expect(summary).toMatchObject({
      rate: 10_000,
      sent: 2_000,
      received: 2_000,
      machine: { cores: expect.any(Number) },
    })
    expect(summary['p50_us']).toBeGreaterThan(0)
    expect(summary['max_rate']).toBeGreaterThan(0)
    expect(summary['ratio_to_redis_pubsub']).toBeGreaterThan(0)
    const ratio = summary['ratio_to_libzmq_c']
    if (references.libzmq_c === null) {
      expect(ratio).toBeNull()
      expect(run.stderr()).toMatch(/not compared with: the C program cannot be built: .+apt-get install/)
    } else {
      expect(ratio).toBeGreaterThan(0)
    }
    expect(run.stderr()).toMatch(/round 1\/1: redis 10000\/s p50/)
  }, 60_000)
})
