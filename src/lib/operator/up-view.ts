/** The live table of `up`: a line a role, a line of hops. */

import { totalOf } from '../telemetry/counters.js'
import type { SupervisedRole } from '../roles/supervised-role.js'
import type { Up } from '../roles/up.js'
import { redactUrl } from '../roles/up.js'
import { renderTable } from '../view/table.js'
import type { Column } from '../view/table.js'
import { formatCount, formatUs } from '../view/units.js'

export interface UpViewOptions {
  readonly width: number
  readonly color: boolean
}

/** What a role's main number is called, and where it is counted. */
const WORK: Readonly<Record<string, readonly [label: string, counter: string]>> = {
  sim: ['frames', 'frames'],
  kalshi: ['quotes', 'quotes'],
  poly: ['quotes', 'quotes'],
  orchestrator: ['paired games', 'paired'],
  shard: ['signals', 'signals'],
  exec: ['orders', 'orders'],
  mirror: ['mirrored', 'mirrored'],
}

const kindOf = (role: SupervisedRole): string => role.name.replace(/-\d+$/, '')

function work(role: SupervisedRole): string {
  const [label, counter] = WORK[kindOf(role)] ?? ['', '']
  const fills = kindOf(role) === 'exec' ? `, ${formatCount(totalOf(role.counts, 'fills'))} fills` : ''
  return `${formatCount(totalOf(role.counts, counter))} ${label}${fills}`
}

const total = (name: string) => (role: SupervisedRole) => formatCount(totalOf(role.counts, name))
const badWhenAny = (name: string) => (role: SupervisedRole) =>
  totalOf(role.counts, name) > 0 ? 'bad' : 'dim'

const COLUMNS: readonly Column<SupervisedRole>[] = [
  { title: 'role', value: (role) => role.name, tone: () => 'strong' },
  {
    title: 'state',
    value: (role) => role.state,
    tone: (role) => (role.isReady ? 'good' : role.state === 'failed' ? 'bad' : 'warn'),
  },
  {
    title: 'pid',
    value: (role) => (role.pid === undefined ? '-' : String(role.pid)),
    align: 'right',
    dropOrder: 2,
  },
  {
    title: 'ready',
    value: (role) => (role.readyMs === undefined ? '-' : `${role.readyMs} ms`),
    align: 'right',
    dropOrder: 3,
  },
  {
    title: 'restarts',
    value: (role) => String(role.restarts),
    align: 'right',
    tone: (role) => (role.restarts > 0 ? 'warn' : 'dim'),
    dropOrder: 1,
  },
  { title: 'work', value: work },
  { title: 'gaps', value: total('gaps'), align: 'right', tone: badWhenAny('gaps') },
  { title: 'dup', value: total('duplicates'), align: 'right', tone: badWhenAny('duplicates') },
  { title: 'refused', value: total('parse_errors'), align: 'right', tone: badWhenAny('parse_errors') },
]

/** Lines without a newline at the end. */
export function renderUp(up: Up, options: UpViewOptions): string {
  const { hops } = up.summary()
  const shown = Object.entries(hops)
    .filter(([, hop]) => hop !== null)
    .map(
      ([name, hop]) =>
        `${name.replace('_', ' -> ').replace('tick -> to_order', 'tick to order')} p50 ${formatUs(hop?.p50_us ?? 0)} p99 ${formatUs(hop?.p99_us ?? 0)}`,
    )
  const redis = up.redis === null ? 'no Redis' : `redis ${redactUrl(up.redis.url)}`
  return [
    renderTable(up.roles, COLUMNS, options),
    '',
    ...(shown.length > 0 ? [shown.join('   ')] : []),
    `${redis}   Ctrl-C stops in order`,
  ].join('\n')
}
