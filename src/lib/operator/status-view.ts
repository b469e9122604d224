/** The status for people: a line a role, then what is wrong and what to do. */

import { sanitize } from '../core/sanitize.js'
import { familyOfSource } from '../messages/sources.js'
import { totalOf } from '../telemetry/counters.js'
import { createPalette } from '../view/palette.js'
import { renderTable } from '../view/table.js'
import type { Column, TableOptions } from '../view/table.js'
import { cutText, wrapText } from '../view/text-width.js'
import { formatAge, formatCount, formatUs, plural } from '../view/units.js'
import { shardGamesLine } from './shard-games.js'
import { named, reasonsOf } from './status-report.js'
import type { RoleStatus, StatusReport } from './status-report.js'

const HINT_INDENT = '    '

/** Lines without a newline at the end. */
export function renderStatus(report: StatusReport, options: TableOptions): string {
  const palette = createPalette(options.color)
  const lines = [renderTable(report.roles, COLUMNS, options), '']
  const { redis } = report
  if (redis.url !== null) {
    const older = (redis.gaps ?? 0) - (redis.recent_gaps ?? 0)
    const past = older === 0 ? '' : `, ${formatCount(older)} of them before the last 24 h`
    lines.push(`redis ${redis.version} at ${redis.url}, ${plural(redis.gaps ?? 0, 'recorded gap')}${past}`)
  }
  const shards = shardGamesLine(report.roles)
  if (shards !== undefined) lines.push(shards)
  lines.push(...report.roles.flatMap(sideNotes).map(palette.dim))
  for (const { role, problem, hint } of report.problems) {
    lines.push(palette.bad(wrapText(`! ${sanitize(role)}: ${sanitize(problem)}`, options.width, '  ')))
    if (hint === undefined) continue
    const below = wrapText(sanitize(hint), options.width - HINT_INDENT.length).split('\n')
    lines.push(...below.map((line) => palette.dim(HINT_INDENT + line)))
  }
  lines.push(
    report.healthy
      ? palette.good('healthy')
      : palette.bad(`unhealthy: ${plural(report.problems.length, 'problem')}`),
  )
  return lines.map((line) => cutLines(line, options.width)).join('\n')
}

const cutLines = (text: string, width: number): string =>
  text
    .split('\n')
    .map((line) => cutText(line, width))
    .join('\n')

/** Counted, not wrong by itself: forms that nobody knows, senders that nothing guards. */
function sideNotes({ role, counts }: RoleStatus): string[] {
  const notes: string[] = []
  const unknown = named(reasonsOf(counts, 'unknown_frames'))
  if (unknown !== '') notes.push(`${role}: unknown frames passed over: ${sanitize(unknown)}`)
  const unguarded = totalOf(counts, 'unguarded')
  if (unguarded > 0) notes.push(`${role}: ${plural(unguarded, 'unguarded first-design message')}`)
  if (totalOf(counts, 'other_mirrors') > 0) {
    notes.push(`${role}: not alone, another mirror writes to this Redis; nothing is doubled`)
  }
  for (const what of ['pin', 'ban'] as const) {
    const idle = totalOf(counts, `${what}s_unmatched`)
    if (idle > 0)
      notes.push(`${role}: ${plural(idle, what)} of the pairing file: nothing of that name is listed`)
  }
  const unfinished = totalOf(counts, 'handshakes_unfinished')
  if (unfinished > 0) notes.push(`${role}: ${plural(unfinished, 'handshake')} broken off by the peer`)
  return notes
}

/** What a role's main number is, by the first counter that it has. */
const WORK = ['mirrored', 'orders', 'signals', 'quotes', 'paired', 'games'] as const

function workOf({ counts, channels }: RoleStatus): string {
  const name = WORK.find((candidate) => Object.hasOwn(counts, candidate))
  if (name !== undefined) return `${formatCount(totalOf(counts, name))} ${name}`
  const sent = channels.reduce((sum, { published }) => sum + published, 0)
  return channels.length === 0 ? '-' : `${formatCount(sent)} sent`
}

const feedsOf = ({ feeds }: RoleStatus): string =>
  feeds
    .map(({ state, markets, proved_ago_us: provedUs }) => {
      const proved = provedUs === null ? 'never proved' : `proved ${formatUs(provedUs)} ago`
      return `${state} ${formatCount(markets)} markets, ${proved}`
    })
    .join('; ') || '-'

const lagOf = ({ channels }: RoleStatus): string =>
  channels
    .map(({ source, lag, lag_ms: lagMs, mirrored_per_s: perSecond }) => {
      const age = lag === null || lag === 0 || lagMs === null ? '' : ` (${formatAge(lagMs)})`
      const rate = perSecond === null ? '' : `, ${formatCount(Math.round(perSecond))}/s`
      return `${familyOfSource(source)} ${lag === null ? '?' : formatCount(lag)}${age}${rate}`
    })
    .join('; ') || '-'

const COLUMNS: readonly Column<RoleStatus>[] = [
  { title: 'role', value: ({ role }) => role, tone: () => 'strong' },
  { title: 'state', value: ({ state }) => state, tone: ({ state }) => (state === 'up' ? 'good' : 'bad') },
  { title: 'pid', align: 'right', value: ({ pid }) => (pid === null ? '-' : String(pid)), dropOrder: 2 },
  {
    title: 'beat',
    align: 'right',
    value: ({ heartbeat_age_ms: ageMs }) => (ageMs === null ? '-' : formatAge(ageMs)),
    dropOrder: 3,
  },
  { title: 'work', value: workOf, minWidth: 14 },
  {
    title: 'feed',
    value: feedsOf,
    minWidth: 18,
    tone: ({ feeds }) => (feeds.every(({ state }) => state === 'LIVE') ? 'plain' : 'bad'),
  },
  { title: 'lag in Redis', value: lagOf, minWidth: 20, dropOrder: 1 },
  {
    title: 'gaps',
    align: 'right',
    value: ({ gaps }) => formatCount(gaps),
    tone: ({ gaps }) => (gaps > 0 ? 'bad' : 'dim'),
  },
  {
    title: 'dup',
    align: 'right',
    value: ({ duplicates }) => formatCount(duplicates),
    tone: ({ duplicates }) => (duplicates > 0 ? 'warn' : 'dim'),
  },
  {
    title: 'refused',
    value: ({ parse_errors: reasons }) => named(reasons) || '0',
    tone: ({ parse_errors: reasons }) => (Object.keys(reasons).length > 0 ? 'bad' : 'dim'),
    minWidth: 7,
  },
]
