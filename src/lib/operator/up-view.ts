/** The live table of `up`: a line a role, a line of hops. */

import { totalOf } from '../telemetry/counters.js'
import type { SupervisedRole } from '../roles/supervised-role.js'
import type { Up } from '../roles/up.js'
import { renderTable } from '../view/table.js'
import type { Column } from '../view/table.js'
import { formatCount, formatUs } from '../view/units.js'

export interface UpViewOptions {
  readonly width: number
  readonly color: boolean
  /** Everything has been stopped: the last picture. */
  readonly finished: boolean
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
  // How many games are paired is a state, not a sum over a role's lives.
  const counts = counter === 'paired' ? role.latestCounts : role.counts
  return `${formatCount(totalOf(counts, counter))} ${label}${kindOf(role) === 'exec' ? execWork(role) : ''}`
}

function execWork({ counts }: SupervisedRole): string {
  const unhedged = totalOf(counts, 'naked')
  return `, ${formatCount(totalOf(counts, 'fills'))} fills${unhedged > 0 ? `, ${formatCount(unhedged)} unhedged` : ''}`
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
  { title: 'work', value: work, tone: (role) => (totalOf(role.counts, 'naked') > 0 ? 'warn' : 'plain') },
  { title: 'gaps', value: total('gaps'), align: 'right', tone: badWhenAny('gaps') },
  { title: 'dup', value: total('duplicates'), align: 'right', tone: badWhenAny('duplicates') },
  { title: 'refused', value: total('parse_errors'), align: 'right', tone: badWhenAny('parse_errors') },
]

/** Lines without a newline at the end. */
export function renderUp(up: Up, options: UpViewOptions): string {
  const { hops, redis } = up.summary()
  const shown = Object.entries(hops)
    .filter(([, hop]) => hop !== null)
    .map(
      ([name, hop]) =>
        `${name.replace('_', ' -> ').replace('tick -> to_order', 'tick to order')} p50 ${formatUs(hop?.p50_us ?? 0)} p99 ${formatUs(hop?.p99_us ?? 0)}`,
    )
  return [
    renderTable(up.roles, COLUMNS, options),
    '',
    ...(shown.length > 0 ? [shown.join('   ')] : []),
    `${redis === null ? 'no Redis' : `redis ${redis.url}`}   ${options.finished ? 'stopped' : 'Ctrl-C stops in order'}`,
  ].join('\n')
}
