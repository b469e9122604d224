/** The report of `arbees latency` for people. */

import { renderDistribution } from '../view/distribution.js'
import { createPalette } from '../view/palette.js'
import { sparkline } from '../view/sparkline.js'
import { renderTable } from '../view/table.js'
import type { Column, TableOptions } from '../view/table.js'
import { cutMiddle, cutText, wrapText } from '../view/text-width.js'
import { formatCount, formatUs, plural } from '../view/units.js'
import type { Comparison } from './latency-compare.js'
import type { HopFigures } from './latency-figures.js'
import type { Hop } from './latency-hops.js'
import type { Interval } from './latency-recorder.js'
import type { LatencyReport } from './latency-report.js'
import type { ReportedHop } from './latency.js'

/** The median of each interval, by hop, the newest last; null where there was none. */
export type Trend = ReadonlyMap<Hop, readonly (number | null)[]>

const TREND_WIDTH = 20
const NOTE_INDENT = '  '
/** Of fewer samples the percentile is their maximum. */
const LEAST = { p90: 10, p99: 100, p999: 1_000 } as const
/** Of more topics the busiest are shown. */
const MAX_ROWS_OF_HOP = 8
/** A topic is cut in its middle to so many columns where there are few: both ends tell. */
const FEW_COLUMNS = 110
const SHORT_TOPIC = 18

/** Lines of at most `width` columns, without a newline at the end. */
export function renderLatency(report: LatencyReport, trend: Trend, options: TableOptions): string {
  const { hops, receive, compared, reported, asserts } = report
  const shown = busiest(hops)
  const shownReceive = busiest(receive)
  const left = hops.length + receive.length - shown.length - shownReceive.length
  const isByRole = shown.some(({ by }) => by !== null)
  const blocks = [
    `${wrapText(headline(report), options.width, NOTE_INDENT)}\n`,
    // The pictures first: what stands last is what a terminal still shows.
    ...shown.map((row) => picture(row, options)),
    shown.length === 0 ? '' : renderTable(shown, columnsOf(shown, trend, options), options),
    receive.length === 0 ? '' : `\n${section('from the bus to this command, no hop of the fleet', options)}`,
    receive.length === 0 ? '' : renderTable(shownReceive, columnsOf(shownReceive, trend, options), options),
    left > 0 ? `… ${plural(left, 'more row')}: see --json` : '',
    compared.length === 0 ? '' : `\n${renderTable(compared, COMPARED, options)}`,
    !isByRole || reported.length === 0
      ? ''
      : `\n${section('what the roles say of themselves since their start', options)}\n${renderTable(reported, REPORTED, options)}`,
    '\n' +
      [...notesOn(report), ...tooFew(shown)]
        .map((note) => wrapText(note, options.width, NOTE_INDENT))
        .join('\n'),
    ...asserts.map(({ expression, holds, found, hop }) => {
      const palette = createPalette(options.color)
      const value =
        found === null
          ? 'not measured'
          : `${isCount(expression) ? formatCount(found) : formatUs(found)} (${hop})`
      return `${holds ? palette.good('ok') : palette.bad('missed')}  ${expression}: ${value}`
    }),
  ]
  return blocks
    .filter((block) => block.trim() !== '')
    .join('\n')
    .split('\n')
    .map((line) => cutText(line, options.width))
    .join('\n')
}

function busiest(rows: readonly HopFigures[]): readonly HopFigures[] {
  const seen = new Map<Hop, number>()
  return rows.filter(({ hop }) => {
    const before = seen.get(hop) ?? 0
    seen.set(hop, before + 1)
    return before < MAX_ROWS_OF_HOP
  })
}

/** What the last stretch of time was like, while it goes on; `noun` is what is counted. */
export function renderInterval(
  { fromMs, toMs, messages }: Interval,
  noun: 'message' | 'answer',
  figures: readonly HopFigures[],
  trend: Trend,
  options: TableOptions,
): string {
  const time = new Date(toMs).toISOString().slice(11, 19)
  const head = `${time} UTC, ${plural(messages, noun)} in ${((toMs - fromMs) / 1000).toFixed(1)} s; Ctrl-C ends it with the whole run`
  return figures.length === 0
    ? head
    : `${head}\n\n${renderTable(figures, columnsOf(figures, trend, options), options)}`
}

const isCount = (expression: string): boolean => /^([a-z_]+\.)?n\b/.test(expression)

function headline({
  mode,
  prefixes,
  from_ms,
  to_ms,
  messages,
  gaps,
  missing,
  problems,
}: LatencyReport): string {
  const seconds = `${((to_ms - from_ms) / 1000).toFixed(1)} s`
  const lost = Object.entries(problems).map(([name, count]) => `${name} ${formatCount(count)}`)
  if (mode === 'probe') return [`asked for ${seconds}`, plural(messages, 'answer'), ...lost].join(', ')
  const gapped = gaps === 0 ? '0 gaps' : `${plural(gaps, 'gap')} (${formatCount(missing)} missing)`
  return [`${prefixes.join(' ')} for ${seconds}`, plural(messages, 'message'), gapped, ...lost].join(', ')
}

const section = (text: string, { color }: TableOptions): string => createPalette(color).dim(text)

function columnsOf(
  rows: readonly HopFigures[],
  trend: Trend,
  { width }: TableOptions,
): readonly Column<HopFigures>[] {
  const topic = (by: string) => (width < FEW_COLUMNS ? cutMiddle(by, SHORT_TOPIC) : by)
  const time = (
    title: string,
    of: (row: HopFigures) => number,
    { least = 1, dropOrder }: { readonly least?: number; readonly dropOrder?: number } = {},
  ): Column<HopFigures> => ({
    title,
    value: (row) => (row.n < least ? '-' : formatUs(of(row))),
    align: 'right',
    ...(dropOrder === undefined ? {} : { dropOrder }),
  })
  const grouped = rows.some(({ by }) => by !== null)
  const trended = !grouped && rows.some(({ hop }) => (trend.get(hop)?.length ?? 0) > 1)
  return [
    { title: 'hop', value: ({ hop }) => hop, tone: () => 'strong' },
    ...(grouped ? [{ title: 'of', value: ({ by }: HopFigures) => topic(by ?? '') }] : []),
    time('min', ({ min_us: us }) => us, { dropOrder: 4 }),
    { ...time('p50', ({ p50_us: us }) => us), tone: () => 'strong' },
    time('p90', ({ p90_us: us }) => us, { least: LEAST.p90, dropOrder: 3 }),
    time('p99', ({ p99_us: us }) => us, { least: LEAST.p99 }),
    time('p99.9', ({ p999_us: us }) => us, { least: LEAST.p999, dropOrder: 2 }),
    time('max', ({ max_us: us }) => us),
    { title: 'n', value: ({ n }) => formatCount(n), align: 'right' },
    ...(trended
      ? [
          {
            title: 'p50 over time',
            value: ({ hop }: HopFigures) => sparkline(trend.get(hop) ?? [], TREND_WIDTH),
            dropOrder: 5,
          },
        ]
      : []),
    ...(rows.some(({ clock }) => clock === 'wall')
      ? [{ title: 'clock', value: ({ clock }: HopFigures) => clock, dropOrder: 1 }]
      : []),
  ]
}

function picture({ hop, by, p50_us, p99_us, p999_us, n, dist }: HopFigures, options: TableOptions): string {
  if (dist === undefined) return ''
  const marks = [
    { name: 'p50', us: p50_us },
    ...(n < LEAST.p99 ? [] : [{ name: 'p99', us: p99_us }]),
    ...(n < LEAST.p999 ? [] : [{ name: 'p99.9', us: p999_us }]),
  ]
  const title = section(`${hop}${by === null ? '' : ` ${by}`}, n ${formatCount(n)}`, options)
  return `${title}\n${renderDistribution(dist, marks, { width: Math.min(options.width, 120) })}\n`
}

const ratioText = (ratio: number | null): string => (ratio === null ? '-' : `${ratio.toFixed(2)}x`)

const COMPARED: readonly Column<Comparison>[] = [
  {
    title: 'compared',
    value: ({ hop, by }) => (by === null ? hop : `${hop} ${by}`),
    tone: () => 'strong',
    minWidth: 14,
  },
  { title: 'p50 then', value: ({ before }) => formatUs(before.p50_us), align: 'right' },
  { title: 'now', value: ({ now }) => formatUs(now.p50_us), align: 'right' },
  {
    title: '',
    value: ({ p50_ratio: ratio }) => ratioText(ratio),
    tone: ({ p50_ratio: ratio }) => toneOf(ratio),
    align: 'right',
  },
  { title: 'p99 then', value: ({ before }) => formatUs(before.p99_us), align: 'right' },
  { title: 'now', value: ({ now }) => formatUs(now.p99_us), align: 'right' },
  {
    title: '',
    value: ({ p99_ratio: ratio }) => ratioText(ratio),
    tone: ({ p99_ratio: ratio }) => toneOf(ratio),
    align: 'right',
  },
  { title: 'n then', value: ({ before }) => formatCount(before.n), align: 'right', dropOrder: 2 },
  { title: 'now', value: ({ now }) => formatCount(now.n), align: 'right', dropOrder: 1 },
]

/** What two runs on a busy machine differ by is no news. */
const NEWS = 1.2
const toneOf = (ratio: number | null) =>
  ratio === null ? 'dim' : ratio > NEWS ? 'bad' : ratio < 1 / NEWS ? 'good' : 'plain'

const REPORTED: readonly Column<ReportedHop>[] = [
  { title: 'role', value: ({ role }) => role, tone: () => 'strong' },
  { title: 'hop', value: ({ hop }) => hop },
  { title: 'p50', value: ({ p50_us: us }) => formatUs(us), align: 'right' },
  { title: 'p99', value: ({ p99_us: us }) => formatUs(us), align: 'right' },
  { title: 'n', value: ({ n }) => formatCount(n), align: 'right' },
]

/** What the figures are worth. */
function notesOn({ clock, hops, mode, unmatched, unmirrored }: LatencyReport): string[] {
  const notes: string[] = []
  if (mode === 'live') {
    notes.push(
      clock.error_us === null
        ? "clock: this host's monotonic one; how far two processes read it apart could not be measured"
        : `clock: this host's monotonic one; two processes read it at most ${clock.error_us} us apart (${formatCount(clock.rounds)} comparisons)`,
    )
  }
  if (clock.backwards > 0) notes.push(`  ${plural(clock.backwards, 'reading')} of it went backwards`)
  const venue = hops.filter((row) => row.clock === 'venue')
  const [below, all] = [sum(venue, 'below_zero'), sum(venue, 'n')]
  if (all > 0) {
    notes.push(
      `venue_monitor: the venue's clock against the host's, in whole ms; ${formatCount(below)} of ${formatCount(all)} below zero, taken as 0`,
    )
  }
  for (const { host, publishers, skew_us: us, skew_error_us: error } of clock.hosts) {
    const skew = `${us < 0 ? 'behind' : 'ahead of'} ours by ${formatUs(Math.abs(us))}`
    const worth = error === null ? ' or more: nobody there answers' : ` within ${formatUs(error)}`
    notes.push(
      `wall clock of ${host} (${publishers.join(', ')}): ${skew}${worth}; hops to and from it contain that`,
    )
  }
  if (hops.some(({ hop }) => hop === 'mirror_lag')) {
    notes.push('mirror_lag: from a heartbeat to all that it speaks of in Redis, the answer of Redis included')
  }
  if (unmirrored > 0) {
    notes.push(
      `  of ${plural(unmirrored, 'heartbeat')} something was not there at the end: counted with the time so far`,
    )
  }
  if (unmatched > 0) {
    notes.push(
      `${plural(unmatched, 'message')} refer to others that were not read: their hops are not counted`,
    )
  }
  return notes
}

const tooFew = (rows: readonly HopFigures[]): string[] =>
  rows.some(({ n }) => n < LEAST.p999) ? ['-: too few samples; p90 needs 10, p99 100, p99.9 1,000'] : []

const sum = (rows: readonly HopFigures[], key: 'below_zero' | 'n'): number =>
  rows.reduce((total, row) => total + row[key], 0)
