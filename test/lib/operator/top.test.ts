import { describe, expect, it } from 'vitest'
import type { LIVE_HOPS } from '../../../src/lib/operator/latency-hops.js'
import { HopTotals } from '../../../src/lib/operator/latency-totals.js'
import type { RoleStatus, StatusReport } from '../../../src/lib/operator/status-report.js'
import { TREND, TopModel } from '../../../src/lib/operator/top.js'
import { renderTop } from '../../../src/lib/operator/top-view.js'

const role = (name: string, published: number, more: Partial<RoleStatus> = {}): RoleStatus => ({
  ...{ role: name, state: 'up', pid: 7, heartbeat_age_ms: 90, feeds: [], gaps: 0, duplicates: 0 },
  ...{ parse_errors: {}, counts: {}, hops: {} },
  channels: [
    {
      ...{ source: `${name}.prices`, epoch: 1, published, lag: 0, lag_ms: 0 },
      ...{ mirrored_per_s: null, journal: 'on' },
    },
  ],
  ...more,
})
const report = (roles: readonly RoleStatus[], problems: StatusReport['problems'] = []): StatusReport => ({
  ...{ healthy: problems.length === 0, env: 'sim', roles, problems },
  redis: { url: 'redis://h:1', version: '7.0.15', gaps: 0, recent_gaps: 0, error: null },
})

/** An interval in which these were measured, us. */
function interval(measured: Partial<Record<(typeof LIVE_HOPS)[number], readonly number[]>>) {
  const totals = new HopTotals('hop')
  for (const [hop, values] of Object.entries(measured)) {
    for (const us of values) {
      const reading = { us, clock: 'monotonic' } as const
      totals.record({ hop: hop as (typeof LIVE_HOPS)[number], reading, source: 's.prices', topic: 't' })
    }
  }
  return { fromMs: 0, toMs: 1, messages: 1, rows: totals.rows() }
}

describe('top', () => {
  it('tells rates between looks, none at the first, over a restart, or of who is down', () => {
    const model = new TopModel()
    expect(model.frame()).toBeUndefined()
    const rates = (looks: readonly RoleStatus[]) =>
      looks.map((look, i) => {
        model.status(report([look]), 1_000 + i * 500)
        return model.frame()!.roles[0]!.per_s
      })
    const down = role('kalshi', 0, { pid: null, state: 'down', channels: [] })
    expect(
      rates([
        role('kalshi', 100),
        role('kalshi', 160),
        role('kalshi', 160),
        role('kalshi', 5, { pid: 8 }),
        role('kalshi', 10, { pid: 8 }),
        role('kalshi', 3, { pid: 8 }),
        down,
        down,
      ]),
    ).toEqual([null, 120, 0, null, 10, null, null, null])
    expect(model.frame()!.roles[0]!.trend).toEqual([null, 120, 0, null, 10, null, null, null])
  })

  it('keeps the latest figures of a hop in the order of the way, and a blank where nothing was measured', () => {
    const model = new TopModel()
    model.status(report([role('kalshi', 1)]), 0)
    model.interval(interval({ receive: [100, 100, 200] }))
    model.interval(interval({ decision: [7] }))
    model.interval(interval({ receive: [300] }))
    const hops = model.frame()!.hops
    expect(hops.map(({ hop, n, trend }) => [hop, n, trend])).toEqual([
      ['decision', 1, [7, null]],
      ['receive', 1, [100, null, 300]],
    ])
    for (let i = 0; i < 2 * TREND; i++) model.interval(interval({ receive: [1] }))
    expect(model.frame()!.hops[0]!.trend).toHaveLength(TREND)
  })

  it('tells what exec says of its book, and nothing where it is not heard', () => {
    const model = new TopModel()
    model.status(report([role('kalshi', 1)]), 0)
    expect(model.frame()!.trading).toBeNull()
    const counts = {
      ...{ orders: 4, fills: 3, open_plans: 1, exposure_usd: 17.5, limit_usd: 5_000 },
      'denied:HALTED': 2,
      halted: 2,
      signals: 9,
    }
    model.status(report([role('shard-0', 1, { counts: { signals: 9 } }), role('exec', 1, { counts })]), 0)
    expect(model.frame()!.trading).toEqual({
      ...{ halted: 'all', signals: 9, orders: 4, fills: 3, open_plans: 1, quarantined: 0 },
      ...{ exposure_usd: 17.5, limit_usd: 5_000, denied: 2 },
    })
    const lineOf = () => renderTop(model.frame()!, { width: 140, color: false })
    expect(lineOf()).toContain('$17.50 of $5,000 at risk')
    // An exec that does not tell its limit: nobody else's is shown for it.
    model.status(report([role('exec', 1, { counts: { exposure_usd: 17.5 } })]), 0)
    expect(model.frame()!.trading!.limit_usd).toBeNull()
    expect(lineOf()).toContain('$17.50 at risk')
  })

  it.each([44, 80, 140])('fits %d columns, escapes what is foreign, and names the halt', (width) => {
    const model = new TopModel()
    const problems = Array.from({ length: 8 }, (_, i) => ({ role: `r${i}`, problem: 'bad \u001b[31mtext' }))
    model.status(report([role('exec', 1, { counts: { halted: 1 } })], problems), 1_769_500_000_000)
    model.interval(interval({ receive: [100] }))
    const text = renderTop(model.frame()!, { width, color: false })
    expect(text).not.toContain('\u001b')
    expect(text).toContain('HALTED')
    expect(text).toContain('and 2 other problems')
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(width)
  })
})
