/** A backtest for people. */

import { sanitize } from '../core/sanitize.js'
import { createPalette } from '../view/palette.js'
import type { Palette } from '../view/palette.js'
import { renderSurvival } from '../view/survival.js'
import { renderTable } from '../view/table.js'
import type { Column } from '../view/table.js'
import { wrapText } from '../view/text-width.js'
import { formatAge, formatCount, formatUs, plural } from '../view/units.js'
import { isWholeRead } from './report.js'
import type { BacktestDiff, BacktestReport, CaptureRow, OpportunityRow } from './report.js'

export interface BacktestViewOptions {
  /** Columns of the terminal. */
  readonly width: number
  readonly color: boolean
}

/** Signals and fields that are named of each kind. */
const MAX_NAMED = 5

/** Lines without a newline at the end. */
export function renderBacktest(report: BacktestReport, options: BacktestViewOptions): string {
  const palette = createPalette(options.color)
  const { opportunities, capture, diff } = report
  const [first] = opportunities
  const blocks = [
    headLines(report, palette).join('\n'),
    ...(diff === null ? [] : [diffLines(diff, palette).join('\n')]),
    `${palette.strong('opportunities')}\n${renderTable(shownOf(opportunities), OPPORTUNITY_COLUMNS, options)}`,
    ...(first === undefined || first.count === 0
      ? []
      : [
          `${palette.strong('how many live longer')}, from ${cents(first.min_edge_micros)} a contract\n${renderSurvival(first.survival, options)}`,
        ]),
    `${palette.strong('what would still have been there')}\n${renderTable(shownOf(capture), CAPTURE_COLUMNS, options)}`,
    [
      ...report.assumed.map((text) => `assumed: ${text}`),
      ...report.not_known.map((text) => `not known: ${text}`),
    ]
      .map((text) => palette.dim(wrapText(text, options.width, '  ')))
      .join('\n'),
  ]
  return blocks.join('\n\n')
}

function headLines(report: BacktestReport, palette: Palette): string[] {
  const { order, partial, read, first_ms: firstMs, last_ms: lastMs, signals } = report
  const span =
    firstMs === null || lastMs === null
      ? 'nothing'
      : `${new Date(firstMs).toISOString()} to ${new Date(lastMs).toISOString()} (${formatAge(lastMs - firstMs)})`
  return [
    `${palette.strong(order)}, ${span}${partial ? palette.warn(', ended early: a part of it') : ''}`,
    ...('messages' in read
      ? [
          `  ${plural(read.messages, 'message')}, ${plural(read.gaps, 'gap')}${read.gaps === 0 ? '' : ` (${formatCount(read.missing)} missing)`}${read.refused === 0 ? '' : `, ${formatCount(read.refused)} left out`}`,
          ...(isWholeRead(read)
            ? []
            : [
                palette.bad(
                  `  not all there${read.absent.map((source) => `, nothing of ${source}`).join('')}: the figures are of a part`,
                ),
              ]),
        ]
      : read.map(
          ({ shard, epoch, inputs, turns }) =>
            `  shard ${shard}, inputs of epoch ${epoch}: ${plural(inputs, 'input')} in ${plural(turns, 'turn')}`,
        )),
    `  ${plural(signals.decided, 'signal')}, sha256 ${signals.sha256}`,
  ]
}

function diffLines(diff: BacktestDiff, palette: Palette): string[] {
  const { recorded, same, different, unpublished, unpublished_tail: tail, unexplained, fields, clean } = diff
  const named = (what: string, ids: readonly string[]): string[] =>
    ids.length === 0
      ? []
      : [
          palette.bad(
            `  ${plural(ids.length, 'signal')} ${what}: ${ids.slice(0, MAX_NAMED).join(' ')}${ids.length > MAX_NAMED ? ' …' : ''}`,
          ),
        ]
  const shown = fields.flatMap(({ id, fields: of }) =>
    of
      .slice(0, MAX_NAMED)
      .map(
        (each) =>
          `    ${id} ${each.field}: ${textOf(each.recorded)} recorded, ${textOf(each.decided)} decided`,
      ),
  )
  return [
    `${palette.strong('beside what was published')}, ${diff.compared}: ${plural(recorded, 'signal')} recorded, ${formatCount(same)} the same`,
    ...(tail === 0
      ? []
      : [palette.dim(`  the last ${formatCount(tail)} decided were not published any more`)]),
    ...named('different', different),
    ...shown,
    ...named('decided again, and not published', unpublished),
    ...named('published, and not decided again', unexplained),
    clean ? palette.good('  the same signals') : palette.bad('  not the same, or not all there'),
  ]
}

const textOf = (value: unknown): string => sanitize(JSON.stringify(value), 80)

/** All leagues of every threshold; single leagues of the first one, where there are several. */
function shownOf<Row extends OpportunityRow | CaptureRow>(rows: readonly Row[]): Row[] {
  const [first] = rows
  const leagues = new Set(rows.map(({ league }) => league)).size - 1
  return rows.filter(
    ({ league, min_edge_micros: edge }) =>
      league === null || (leagues > 1 && edge === first?.min_edge_micros),
  )
}

const cents = (micros: number): string => `${(micros / 10_000).toFixed(2)}c`
const dollars = (micros: number): string => `${micros < 0 ? '-' : ''}$${(Math.abs(micros) / 1e6).toFixed(2)}`
const lifetime = (ms: number | null): string => (ms === null ? '?' : formatUs(ms * 1000))
const contracts = (size: number): string => formatCount(size)

const right = <Row>(title: string, value: (row: Row) => string, dropOrder?: number): Column<Row> => ({
  title,
  value,
  align: 'right',
  ...(dropOrder === undefined ? {} : { dropOrder }),
})

const OPPORTUNITY_COLUMNS: readonly Column<OpportunityRow>[] = [
  right('from', (row) => cents(row.min_edge_micros)),
  { title: 'league', value: ({ league }) => league ?? 'all' },
  right('count', (row) => formatCount(row.count)),
  right('p10', (row) => lifetime(row.p10_ms)),
  right('p50', (row) => lifetime(row.p50_ms)),
  right('p90', (row) => lifetime(row.p90_ms)),
  right('most edge', (row) => cents(row.greatest_edge_micros), 1),
  right('most size', (row) => contracts(row.greatest_size), 2),
  right('cut', (row) => formatCount(row.cut), 3),
]

const CAPTURE_COLUMNS: readonly Column<CaptureRow>[] = [
  right('from', (row) => cents(row.min_edge_micros)),
  right('latency', (row) => formatUs(row.latency_ms * 1000)),
  { title: 'league', value: ({ league }) => league ?? 'all' },
  right('signals', (row) => formatCount(row.signals)),
  right('whole', (row) => formatCount(row.whole)),
  right('part', (row) => formatCount(row.part)),
  right('missed', (row) => formatCount(row.missed)),
  right('expired', (row) => formatCount(row.expired), 4),
  right('busy', (row) => formatCount(row.denied), 4),
  right('in flight', (row) => formatCount(row.in_flight), 5),
  right('planned', (row) => contracts(row.planned_size), 2),
  right('hedged', (row) => contracts(row.hedged_size), 1),
  right('sold', (row) => contracts(row.closed_size), 6),
  right('lost', (row) => contracts(row.written_off_size), 6),
  right('promised', (row) => dollars(row.planned_edge_micros), 2),
  right('fees', (row) => dollars(row.fees_micros), 3),
  right('unhedged', (row) => dollars(row.unhedged_micros), 1),
  {
    ...right<CaptureRow>('P&L', (row) => dollars(row.pnl_micros)),
    tone: (row) => (row.pnl_micros < 0 ? 'bad' : 'good'),
  },
]
