/** What `top` shows, put together from looks at the status and from intervals of live latency. Pure. */

import { totalOf } from '../telemetry/counters.js'
import { LIVE_HOPS } from './latency-hops.js'
import type { Hop } from './latency-hops.js'
import type { Interval } from './latency-recorder.js'
import type { RoleStatus, StatusReport } from './status-report.js'

/** Points of a sparkline. */
export const TREND = 60

export interface TopRole extends RoleStatus {
  /** Messages published, a second; null before there are two looks, and over a restart. */
  readonly per_s: number | null
  readonly trend: readonly (number | null)[]
}

export interface TopHop {
  readonly hop: Hop
  /** Of the latest interval in which something was measured. */
  readonly p50_us: number
  readonly p99_us: number
  readonly n: number
  /** p50 of each interval, the newest last; null where nothing was measured. */
  readonly trend: readonly (number | null)[]
}

/** What exec says of its book. */
export interface TopTrading {
  readonly halted: 'no' | 'entries' | 'all'
  readonly signals: number
  readonly orders: number
  readonly fills: number
  readonly open_plans: number
  readonly quarantined: number
  readonly exposure_usd: number
  /** What it may put at risk, by its own settings; null where it does not say. */
  readonly limit_usd: number | null
  /** Signals that were turned away, by code. */
  readonly denied: number
}

export interface TopFrame {
  readonly env: string
  readonly at_ms: number
  readonly healthy: boolean
  readonly redis: StatusReport['redis']
  readonly problems: StatusReport['problems']
  readonly roles: readonly TopRole[]
  readonly hops: readonly TopHop[]
  /** Null where exec is not heard. */
  readonly trading: TopTrading | null
}

interface Look {
  readonly atMs: number
  readonly published: number
  readonly pid: number | null
}

export class TopModel {
  private report: StatusReport | undefined
  private atMs = 0
  private readonly looks = new Map<string, Look>()
  private readonly rates = new Map<string, (number | null)[]>()
  private readonly hops = new Map<Hop, { p50: number; p99: number; n: number; trend: (number | null)[] }>()

  /** One look at everything, with our wall clock. */
  status(report: StatusReport, atMs: number): void {
    this.report = report
    this.atMs = atMs
    for (const { role, pid, channels } of report.roles) {
      const published = channels.reduce((sum, channel) => sum + channel.published, 0)
      const before = this.looks.get(role)
      const trend = this.rates.get(role) ?? []
      this.looks.set(role, { atMs, published, pid })
      this.rates.set(role, trend)
      push(trend, rateOf(before, { atMs, published, pid }))
    }
  }

  /** What was measured of live traffic since the one before. */
  interval({ rows }: Interval): void {
    for (const hop of LIVE_HOPS) {
      const row = rows.find((each) => each.hop === hop)
      const known = this.hops.get(hop)
      if (row === undefined) {
        if (known !== undefined) push(known.trend, null)
        continue
      }
      const { histogram } = row
      const trend = known?.trend ?? []
      push(trend, histogram.percentile(50))
      this.hops.set(hop, {
        ...{ p50: histogram.percentile(50), p99: histogram.percentile(99), n: histogram.count },
        trend,
      })
    }
  }

  /** Undefined before the first look. */
  frame(): TopFrame | undefined {
    const { report } = this
    if (report === undefined) return undefined
    return {
      ...{ env: report.env, at_ms: this.atMs, healthy: report.healthy },
      ...{ redis: report.redis, problems: report.problems },
      roles: report.roles.map((role) => {
        const trend = [...(this.rates.get(role.role) ?? [])]
        return { ...role, per_s: trend.at(-1) ?? null, trend }
      }),
      hops: LIVE_HOPS.flatMap((hop) => {
        const known = this.hops.get(hop)
        if (known === undefined) return []
        const { p50, p99, n, trend } = known
        return [{ hop, p50_us: p50, p99_us: p99, n, trend: [...trend] }]
      }),
      trading: this.trading(report),
    }
  }

  private trading({ roles }: StatusReport): TopTrading | null {
    const exec = roles.find(({ role, state }) => role === 'exec' && state !== 'down')
    if (exec === undefined) return null
    const count = (name: string) => totalOf(exec.counts, name)
    const halted = count('halted')
    return {
      halted: halted === 0 ? 'no' : halted === 1 ? 'entries' : 'all',
      // exec counts those that it heard: the shards' own are meant.
      signals: roles
        .filter(({ role }) => role.startsWith('shard-'))
        .reduce((sum, { counts }) => sum + totalOf(counts, 'signals'), 0),
      ...{ orders: count('orders'), fills: count('fills'), open_plans: count('open_plans') },
      ...{ quarantined: count('quarantined'), exposure_usd: count('exposure_usd') },
      ...{ limit_usd: exec.counts['limit_usd'] ?? null, denied: count('denied') },
    }
  }
}

/** Another process counts from the beginning: that is no rate. */
function rateOf(before: Look | undefined, now: Look): number | null {
  if (before?.pid !== now.pid || now.pid === null || now.published < before.published) return null
  const seconds = (now.atMs - before.atMs) / 1000
  return seconds > 0 ? (now.published - before.published) / seconds : null
}

function push(trend: (number | null)[], value: number | null): void {
  trend.push(value)
  if (trend.length > TREND) trend.shift()
}
