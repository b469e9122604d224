import { describe, expect, it } from 'vitest'
import { hopWarnings, renderHop, summarizeHop } from '../../../src/lib/bench/hop-report.js'
import type { RoundResult } from '../../../src/lib/bench/hop-report.js'
import type { Machine } from '../../../src/lib/bench/machine.js'

const MACHINE: Machine = {
  cpu: 'a processor',
  cores: 2,
  memory_gib: 24,
  os: 'Linux 6',
  node: '20.19.0',
  libzmq: '4.3.5',
  redis: '7.0.15',
  commit: 'abc1234',
}

interface Given {
  readonly transport: 'zeromq' | 'redis' | 'libzmq-c'
  readonly rate: number | null
  readonly p50: number
  readonly p99: number
  readonly received?: number
  readonly lateP99Us?: number
  readonly achieved?: number
}

function round({ transport, rate, p50, p99, received = 1000, lateP99Us = 5, achieved }: Given): RoundResult {
  const latency = { p50_us: p50, p90_us: p50, p99_us: p99, max_us: p99 }
  const fromPublish = { p50_us: p50 - 10, p90_us: p50, p99_us: p99 - 10, max_us: p99 }
  return {
    transport,
    rate,
    warmUp: 100,
    measured: 1000,
    arrivals: { received, fromSchedule: latency, fromPublish, cpuUs: 20_000, rate: 80_000 },
    publisher: {
      cpuUs: 15_000,
      lateP50Us: 1,
      lateP99Us,
      achievedRate: achieved ?? rate ?? 90_000,
      endedUs: 0,
      rssMib: 90,
    },
    brokerCpuUs: transport === 'redis' ? 5_000 : 0,
  }
}

const ROUNDS = [
  round({ transport: 'zeromq', rate: 1000, p50: 100, p99: 300 }),
  round({ transport: 'redis', rate: 1000, p50: 200, p99: 300 }),
  round({ transport: 'zeromq', rate: 10_000, p50: 150, p99: 900, received: 990 }),
  round({ transport: 'redis', rate: 10_000, p50: 200, p99: 1000 }),
  // The second round ran in the other order.
  round({ transport: 'redis', rate: 10_000, p50: 300, p99: 2000 }),
  round({ transport: 'zeromq', rate: 10_000, p50: 180, p99: 800, lateP99Us: 4000 }),
  round({ transport: 'zeromq', rate: 10_000, p50: 900, p99: 9000 }),
  round({ transport: 'redis', rate: 10_000, p50: 1000, p99: 9000 }),
  round({ transport: 'zeromq', rate: null, p50: 0, p99: 0 }),
]

describe('the summary of a hop', () => {
  const summary = summarizeHop(ROUNDS, MACHINE)
  const at = (transport: string, rate: number | null) =>
    summary.cases.find((each) => each.transport === transport && each.rate === rate)

  it('speaks of the highest rate over our own transport', () => {
    expect(summary).toMatchObject({
      rate: 10_000,
      p50_us: 180,
      p99_us: 900,
      cpu_us_per_msg: 35,
      sent: 3000,
      received: 2990,
      dropped: 10,
      max_rate: 80_000,
      ratio_to_libzmq_c: null,
      machine: MACHINE,
    })
  })

  it('compares round with round, and takes the median of the ratios', () => {
    // 150/200, 180/300, 900/1000: the medians alone would give 180/300.
    expect(summary.ratio_to_redis_pubsub).toBe(0.75)
    expect(at('zeromq', 10_000)?.p99_ratio_to_redis_pubsub).toBe(0.9)
    expect(at('zeromq', 1000)?.p50_ratio_to_redis_pubsub).toBe(0.5)
    expect(at('redis', 1000)?.p50_ratio_to_redis_pubsub).toBeNull()
  })

  it('has the ratio to C libzmq where it was measured', () => {
    const measured = summarizeHop(
      [
        ...ROUNDS,
        ...[60, 90, 500].map((p50) => round({ transport: 'libzmq-c', rate: 10_000, p50, p99: p50 })),
      ],
      MACHINE,
      { nats: null, libzmq_c: '4.3.4' },
    )
    // 150/60, 180/90, 900/500.
    expect(measured.ratio_to_libzmq_c).toBe(2)
    const shown = renderHop(measured, { width: 140, color: false })
    expect(shown).toContain('zeromq / C libzmq at 10,000/s: p50 2.00')
    expect(shown).toContain('no NATS, C libzmq 4.3.4')
  })

  it('adds up: sent = received + dropped in every case', () => {
    for (const { sent, received, dropped } of summary.cases) expect(sent).toBe(received + dropped)
  })

  it('counts the processor time of the broker too', () => {
    expect(at('redis', 1000)).toMatchObject({
      cpu_us_per_msg: 40,
      cpu_us_publisher: 15,
      cpu_us_subscriber: 20,
      cpu_us_broker: 5,
    })
  })

  it('has no latency where nothing was scheduled', () => {
    expect(at('zeromq', null)).toMatchObject({
      p50_us: null,
      p99_us: null,
      from_publish_p50_us: null,
      behind: false,
    })
  })

  it('has null for the ratio, not a number, without a reference', () => {
    const alone = summarizeHop(
      ROUNDS.filter(({ transport }) => transport === 'zeromq'),
      { ...MACHINE, redis: null },
    )
    expect(alone.ratio_to_redis_pubsub).toBeNull()
    expect(renderHop(alone, { width: 100, color: false })).toContain('no Redis')
  })

  it('is empty when it was stopped before the first round', () => {
    expect(summarizeHop([], MACHINE)).toMatchObject({ rate: null, p50_us: null, sent: 0, cases: [] })
  })

  it.each([
    ['late', { lateP99Us: 1500 }],
    ['slow', { achieved: 9_800 }],
  ])('warns when the generator was %s', (_how, given) => {
    const slow = summarizeHop(
      [round({ transport: 'zeromq', rate: 10_000, p50: 1, p99: 2, ...given })],
      MACHINE,
    )
    expect(hopWarnings(slow)).toHaveLength(1)
    expect(hopWarnings(slow)[0]).toContain('fell behind at 10000/s over zeromq')
    expect(hopWarnings(summary)).toEqual([])
  })

  it('shows figures, losses and ratios within the terminal', () => {
    const shown = renderHop(summary, { width: 140, color: false })
    expect(shown).toMatch(/zeromq +10,000 +10,000 +180 +900 .* 3,000 +2,990 +10/)
    expect(shown).toContain('zeromq / Redis pub/sub at 10,000/s: p50 0.75, p99 0.90')
    for (const line of renderHop(summary, { width: 80, color: false }).split('\n').slice(3, 10)) {
      expect(line.length).toBeLessThanOrEqual(80)
    }
  })
})
