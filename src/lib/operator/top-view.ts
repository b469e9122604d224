/** `top` for people: the whole deployment on one screen. */

import { sanitize } from '../core/sanitize.js'
import { familyOfSource } from '../messages/sources.js'
import { createPalette } from '../view/palette.js'
import { sparkline } from '../view/sparkline.js'
import { renderTable } from '../view/table.js'
import type { Column, TableOptions } from '../view/table.js'
import { cutText, wrapText } from '../view/text-width.js'
import { formatAge, formatCount, formatUs, plural } from '../view/units.js'
import { shardGamesLine } from './shard-games.js'
import type { TopFrame, TopHop, TopRole, TopTrading } from './top.js'

/** Problems that are named; the rest are counted. */
const MOST_PROBLEMS = 6
/** Columns of a sparkline on a terminal of 80; half of what is beyond that is added. */
const LEAST_TREND = 12
const MOST_TREND = 40

/** Lines without a newline at the end. */
export function renderTop(frame: TopFrame, options: TableOptions): string {
  const { width } = options
  const palette = createPalette(options.color)
  const trendWidth = Math.min(MOST_TREND, LEAST_TREND + Math.max(0, Math.floor((width - 80) / 2)))
  const { env, at_ms: atMs, healthy, problems, redis, trading } = frame
  const time = new Date(atMs).toISOString().slice(11, 19)
  const verdict = healthy ? palette.good('healthy') : palette.bad(plural(problems.length, 'problem'))
  const where = redis.url === null ? palette.bad('no Redis') : `redis ${redis.version} ${sanitize(redis.url)}`
  const lines = [`${palette.strong(`arbees ${env}`)}  ${time} UTC  ${verdict}  ${where}`]
  if (trading !== null && trading.halted !== 'no') {
    lines.push(
      palette.bad(
        trading.halted === 'all'
          ? '*** HALTED: nothing is sent, hedges neither. arbees resume --reason "…" ***'
          : '*** HALTED: no entries are taken. arbees resume --reason "…" ***',
      ),
    )
  }
  // Above what a low terminal cuts.
  const named = problems.slice(0, MOST_PROBLEMS)
  lines.push(
    ...named.map(({ role, problem }) =>
      palette.bad(wrapText(`! ${sanitize(role)}: ${sanitize(problem)}`, width, '  ')),
    ),
  )
  if (problems.length > named.length) {
    lines.push(palette.dim(`  and ${plural(problems.length - named.length, 'other problem')}: arbees status`))
  }
  lines.push('', renderTable(frame.roles, roleColumns(trendWidth), options))
  if (frame.hops.length > 0) lines.push('', renderTable(frame.hops, hopColumns(trendWidth), options))
  if (trading !== null) lines.push('', wrapText(tradingLine(trading), width, '  '))
  const shards = shardGamesLine(frame.roles)
  if (shards !== undefined) lines.push(wrapText(shards, width, '  '))
  return lines
    .join('\n')
    .split('\n')
    .map((line) => cutText(line, width))
    .join('\n')
}

function tradingLine(trading: TopTrading): string {
  const { signals, denied, orders, fills, open_plans: open, quarantined } = trading
  const { exposure_usd: exposure, limit_usd: limit } = trading
  const most = limit === null ? '' : ` of $${formatCount(limit)}`
  const blocked = quarantined === 0 ? '' : `, ${plural(quarantined, 'pair')} quarantined`
  return `${plural(signals, 'signal')}, ${formatCount(denied)} denied, ${plural(open, 'open plan')}, ${plural(orders, 'order')}, ${plural(fills, 'fill')}${blocked}, $${exposure.toFixed(2)}${most} at risk`
}

const feedOf = ({ feeds }: TopRole): string =>
  feeds.map(({ state, markets }) => `${state} ${formatCount(markets)}`).join(', ') || '-'

/** The worst of its channels. */
function lagOf({ channels }: TopRole): string {
  const known = channels.filter(({ lag }) => lag !== null)
  if (known.length === 0) return '-'
  const worst = known.reduce((most, each) => ((each.lag ?? 0) > (most.lag ?? 0) ? each : most))
  if (worst.lag === 0) return '0'
  const age = worst.lag_ms === null ? '' : ` ${formatAge(worst.lag_ms)}`
  return `${familyOfSource(worst.source)} ${formatCount(worst.lag ?? 0)}${age}`
}

const roleColumns = (trendWidth: number): readonly Column<TopRole>[] => [
  { title: 'role', value: ({ role }) => role, tone: () => 'strong' },
  { title: 'state', value: ({ state }) => state, tone: ({ state }) => (state === 'up' ? 'good' : 'bad') },
  {
    title: 'messages/s',
    value: ({ per_s: rate }) => (rate === null ? '-' : formatCount(Math.round(rate))),
    align: 'right',
  },
  { title: '', value: ({ trend }) => sparkline(trend, trendWidth), tone: () => 'dim', dropOrder: 1 },
  {
    title: 'feed',
    value: feedOf,
    tone: ({ feeds }) => (feeds.every(({ state }) => state === 'LIVE') ? 'plain' : 'bad'),
  },
  { title: 'Redis lacks', value: lagOf, align: 'right', minWidth: 6 },
  {
    title: 'gaps',
    value: ({ gaps }) => formatCount(gaps),
    align: 'right',
    tone: ({ gaps }) => (gaps > 0 ? 'bad' : 'dim'),
  },
]

const hopColumns = (trendWidth: number): readonly Column<TopHop>[] => [
  { title: 'hop', value: ({ hop }) => hop.replaceAll('_', ' ') },
  { title: 'p50', value: ({ p50_us: us }) => formatUs(us), align: 'right' },
  { title: 'p99', value: ({ p99_us: us }) => formatUs(us), align: 'right' },
  { title: 'n', value: ({ n }) => formatCount(n), align: 'right', dropOrder: 2 },
  {
    title: 'p50 of late',
    value: ({ trend }) => sparkline(trend, trendWidth),
    tone: () => 'dim',
    dropOrder: 1,
  },
]
