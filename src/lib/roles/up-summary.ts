/** What `up` tells at the end, on one line: others rely on its shape. */

import type { HopBeat } from '../messages/heartbeat.js'
import { parseRedisUrl } from '../redis/url.js'
import { totalOf } from '../telemetry/counters.js'
import type { SupervisedRole } from './supervised-role.js'

export interface RoleSummary {
  readonly name: string
  readonly pid: number | null
  readonly ready_ms: number | null
  readonly restarts: number
}

export interface UpSummary {
  readonly quotes: number
  readonly signals: number
  readonly orders: number
  readonly fills: number
  readonly mirrored: number
  readonly gaps: number
  readonly duplicates: number
  readonly parse_errors: number
  readonly sim: { readonly orders: number; readonly fills: number } | null
  readonly roles: readonly RoleSummary[]
  readonly hops: {
    readonly monitor_shard: HopBeat | null
    readonly shard_exec: HopBeat | null
    readonly tick_to_order: HopBeat | null
  }
  readonly redis: { readonly url: string; readonly version: string; readonly private: boolean } | null
}

/**
 * Sums over the roles; `lastPids` are those of the last life of each, as they may be gone by now. Of the Redis it shows
 * the place, not how to get in.
 */
export function summarize(
  roles: readonly SupervisedRole[],
  lastPids: ReadonlyMap<string, number>,
  redis: UpSummary['redis'],
): UpSummary {
  const sum = (name: string, of: (role: SupervisedRole) => boolean = () => true) =>
    roles.filter(of).reduce((total, role) => total + totalOf(role.counts, name), 0)
  const named = (pattern: RegExp) => (role: SupervisedRole) => pattern.test(role.name)
  const isSim = named(/^sim$/)
  const sim = roles.find(isSim)
  return {
    quotes: sum('quotes', named(/^(kalshi|poly)$/)),
    signals: sum('signals', named(/^shard-/)),
    orders: sum('orders', named(/^exec$/)),
    fills: sum('fills', named(/^exec$/)),
    mirrored: sum('mirrored'),
    gaps: sum('gaps'),
    duplicates: sum('duplicates'),
    parse_errors: sum('parse_errors'),
    sim:
      sim === undefined
        ? null
        : { orders: totalOf(sim.counts, 'orders'), fills: totalOf(sim.counts, 'fills') },
    roles: roles.map((role) => ({
      name: role.name,
      pid: lastPids.get(role.name) ?? null,
      ready_ms: role.readyMs ?? null,
      restarts: role.restarts,
    })),
    hops: {
      monitor_shard: busiestHop(roles, 'monitor_shard'),
      shard_exec: busiestHop(roles, 'shard_exec'),
      tick_to_order: busiestHop(roles, 'tick_to_order'),
    },
    redis: redis === null ? null : { ...redis, url: parseRedisUrl(redis.url).shown },
  }
}

/** Percentiles of several processes cannot be added: the one that measured most speaks. */
function busiestHop(roles: readonly SupervisedRole[], name: string): HopBeat | null {
  const hops = roles.map((role) => role.hops[name]).filter((hop) => hop !== undefined)
  return hops.reduce<HopBeat | null>((best, hop) => (best === null || hop.n > best.n ? hop : best), null)
}
