/** Markets for people. */

import { createPalette } from '../view/palette.js'
import { renderTable } from '../view/table.js'
import type { Column, TableOptions } from '../view/table.js'
import { wrapText } from '../view/text-width.js'
import { formatAge, plural } from '../view/units.js'
import type { MarketRow, MarketsReport, SkippedMarket } from './markets.js'
import type { PairedRow, UnpairedReport, UnpairedRow } from './markets-unpaired.js'
import type { PolymarketReport, PolymarketRow } from './polymarket-markets.js'

/** Lines without a newline at the end; `skipped` lists those that are left out. */
export const renderMarkets = (report: MarketsReport | PolymarketReport, options: ListOptions): string =>
  report.venue === 'kalshi'
    ? renderListing(report, 'Kalshi', COLUMNS, options)
    : renderListing(report, 'Polymarket', POLYMARKET_COLUMNS, options)

/** Pairs first, then what is not paired and why, then the counts. Lines without a newline at the end. */
export function renderUnpaired(report: UnpairedReport, { skipped, ...options }: ListOptions): string {
  const { paired, unpaired, left_out: leftOut, counts } = report
  const palette = createPalette(options.color)
  const reasons = Object.entries(counts.unpaired).map(([reason, count]) => `${reason} ${count}`)
  const more = skipped || leftOut.length === 0 ? '' : ' (--skipped tells why)'
  const rest = leftOut.map(({ venue, id, reason }) => ({ series: venue, market: id, reason }))
  return [
    ...(paired.length === 0 ? [] : [renderTable(paired, PAIRED, options), '']),
    ...(unpaired.length === 0 ? [] : [renderTable(unpaired, UNPAIRED, options), '']),
    ...(skipped && rest.length > 0 ? [renderTable(rest, SKIPPED, options), ''] : []),
    `${counts.paired_games} of ${plural(counts.games, 'game')} paired; ${plural(unpaired.length, 'market')} not` +
      `${reasons.length === 0 ? '' : ` (${reasons.join(', ')})`}; ${leftOut.length} left out by the catalogs${more}`,
    ...report.notices.map((notice) => palette.warn(notice)),
  ].join('\n')
}

const paysOn = (markets: Readonly<Record<string, string>>): string => Object.values(markets).join(' ')
/** What the names of several markets begin with; a single one is the event's own. */
const eventOf = (markets: Readonly<Record<string, string>>): string => {
  const [first = '', ...others] = Object.keys(markets)
  return others.length === 0 ? first : first.slice(0, first.lastIndexOf('-'))
}

const PAIRED: readonly Column<PairedRow>[] = [
  { title: 'game', value: ({ game }) => game, minWidth: 10 },
  { title: 'state', value: ({ status }) => status, dropOrder: 2 },
  { title: 'starts', value: ({ start_time: time }) => time.replace(/:\d\d\.\d{3}Z$/, 'Z'), dropOrder: 3 },
  { title: 'Kalshi', value: ({ kalshi }) => eventOf(kalshi), minWidth: 24 },
  { title: 'pay on', value: ({ kalshi }) => paysOn(kalshi), dropOrder: 1 },
  { title: 'Polymarket', value: ({ polymarket }) => eventOf(polymarket), minWidth: 22 },
  { title: 'yes pays on', value: ({ polymarket }) => paysOn(polymarket) },
]

const UNPAIRED: readonly Column<UnpairedRow>[] = [
  // Whole where it can be: a pin or a ban names it.
  { title: 'not paired', value: ({ event }) => event, minWidth: 24 },
  { title: 'yes', value: ({ selection }) => selection },
  { title: 'date (ET)', value: ({ eastern }) => eastern, dropOrder: 1 },
  { title: 'why', value: ({ reason, why }) => `${reason}: ${why}`, minWidth: 20 },
]

type ListOptions = TableOptions & { readonly skipped: boolean }

interface Listing<Row> extends Omit<MarketsReport, 'venue' | 'markets'> {
  readonly markets: readonly Row[]
}

function renderListing<Row extends Pick<MarketRow, 'event' | 'market' | 'rules'>>(
  report: Listing<Row>,
  venue: string,
  columns: readonly Column<Row>[],
  { skipped, ...options }: ListOptions,
): string {
  const palette = createPalette(options.color)
  const { markets } = report
  const games = new Set(markets.map(({ event }) => event)).size
  const wrapped = (text: string): string[] => text.split('\n').map((line) => wrapText(line, options.width))
  const rules = markets.flatMap(({ market, rules: text }) =>
    text === undefined ? [] : ['', palette.dim(market), ...wrapped(text === '' ? '(no rules text)' : text)],
  )
  const more = skipped || report.skipped.length === 0 ? '' : ' (--skipped tells why)'
  return [
    ...(markets.length === 0 ? [] : [renderTable(markets, columns, options), ...rules, '']),
    ...(skipped && report.skipped.length > 0 ? [renderTable(report.skipped, SKIPPED, options), ''] : []),
    `${plural(markets.length, 'market')} of ${plural(games, 'game')}, ${report.skipped.length} left out${more}; ` +
      `${venue} ${report.env} (${report.host}), asked ${formatAge(report.age_ms)} ago`,
    ...report.notices.map((notice) => palette.warn(notice)),
  ].join('\n')
}

const orDash = (value: string | number | null): string => (value === null ? '-' : String(value))

const COLUMNS: readonly Column<MarketRow>[] = [
  { title: 'game', value: ({ game }) => orDash(game), minWidth: 10 },
  { title: 'date (ET)', value: ({ eastern }) => orDash(eastern), dropOrder: 2 },
  // Whole, so that it can be copied: other columns go first.
  { title: 'market', value: ({ market }) => market, minWidth: 34 },
  { title: 'pays on', value: ({ selection }) => orDash(selection), dropOrder: 1 },
  {
    title: 'status',
    value: ({ status }) => status,
    tone: ({ status }) => (status === 'active' ? 'plain' : 'warn'),
  },
  {
    title: 'tick',
    value: ({ tick, price_ranges: ranges }) => `${orDash(tick)}${ranges === undefined ? '' : '+'}`,
    align: 'right',
  },
  {
    title: 'fee at 0.50',
    value: ({ fee_cents: cents }) => (cents === null ? '?' : `${cents}c`),
    align: 'right',
  },
  { title: 'shard', value: ({ shard }) => orDash(shard), align: 'right', dropOrder: 4 },
  {
    title: 'closes',
    value: ({ close_time: time }) => orDash(time).replace(/:\d\d\.\d{3}Z$/, 'Z'),
    dropOrder: 3,
  },
]

const POLYMARKET_COLUMNS: readonly Column<PolymarketRow>[] = [
  { title: 'game', value: ({ event }) => event, minWidth: 22 },
  { title: 'starts', value: ({ start_time: time }) => time.replace(/:\d\d\.\d{3}Z$/, 'Z'), dropOrder: 3 },
  { title: 'yes', value: ({ selection }) => selection },
  { title: 'tick', value: ({ tick }) => String(tick), align: 'right' },
  { title: 'least', value: ({ min_size: size }) => String(size), align: 'right', dropOrder: 1 },
  { title: 'fee at 0.50', value: ({ fee_cents: cents }) => `${cents}c`, align: 'right' },
  { title: 'delay', value: ({ taker_delay_ms: ms }) => `${ms / 1000}s`, align: 'right' },
  { title: 'neg risk', value: ({ neg_risk: risk }) => (risk ? 'yes' : 'no'), dropOrder: 2 },
  // For --json rather: 66 characters.
  { title: 'market', value: ({ market }) => market, minWidth: 66, dropOrder: 4 },
]

const SKIPPED: readonly Column<SkippedMarket>[] = [
  { title: 'left out', value: ({ market }) => market, minWidth: 16 },
  { title: 'why', value: ({ reason }) => reason },
]
