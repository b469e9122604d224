/** What `arbees latency` prints while it runs, and its figures as comma-separated values. */

import { formatCount, formatUs } from '../view/units.js'
import type { MonotonicError } from './latency-clock.js'
import { figuresOf } from './latency-figures.js'
import type { HopFigures } from './latency-figures.js'
import { HOPS } from './latency-hops.js'
import type { Hop } from './latency-hops.js'
import type { Interval } from './latency-recorder.js'

/** The figures of a stretch of time, one line of JSON. */
export function intervalJson({ fromMs, toMs, messages, rows }: Interval, monotonic: MonotonicError): string {
  const hops = rows.map((row) => figuresOf(row, monotonic, []))
  return JSON.stringify({ interval: { from_ms: fromMs, to_ms: toMs, messages, hops } })
}

const TIME_WIDTH = 8
const COUNT_WIDTH = 9
const HOP_WIDTH = 15
/** Of few columns these are the most telling. */
const TELLING: readonly Hop[] = [
  'tick_to_order',
  'monitor_shard',
  'shard_exec',
  'mirror_lag',
  'decision',
  'exec_venue',
  'frame_to_quote',
  'venue_monitor',
  'receive',
]

/** Median and 99th percentile of each hop that fits: a line an interval, under a head now and then. */
export class HistoryTable {
  private readonly hops: readonly Hop[]

  /** Columns of the terminal, and the hops that may come. */
  constructor(width: number, possible: readonly Hop[]) {
    const room = Math.max(1, Math.floor((width - TIME_WIDTH - COUNT_WIDTH) / HOP_WIDTH))
    const byWorth = [...possible].sort((a, b) => worthOf(a) - worthOf(b))
    const kept = new Set(byWorth.slice(0, room))
    this.hops = HOPS.filter((hop) => kept.has(hop))
  }

  head(): string {
    return [
      'UTC'.padEnd(TIME_WIDTH),
      'n'.padStart(COUNT_WIDTH),
      ...this.hops.map((hop) => hop.padStart(HOP_WIDTH)),
    ].join('')
  }

  line({ toMs, messages, rows }: Interval): string {
    const cells = this.hops.map((hop) => {
      const row = rows.find((each) => each.hop === hop)
      return row === undefined
        ? '-'
        : `${formatUs(row.histogram.percentile(50))}/${formatUs(row.histogram.percentile(99))}`
    })
    return [
      new Date(toMs).toISOString().slice(11, 19),
      formatCount(messages).padStart(COUNT_WIDTH),
      ...cells.map((cell) => cell.padStart(HOP_WIDTH)),
    ].join('')
  }
}

const worthOf = (hop: Hop): number => (TELLING.includes(hop) ? TELLING.indexOf(hop) : TELLING.length)

const CSV_FIGURES = ['n', 'min_us', 'p50_us', 'p90_us', 'p99_us', 'p999_us', 'max_us', 'below_zero'] as const

/** The first line, without its newline. */
export const CSV_HEAD = ['from_ms', 'to_ms', 'hop', 'by', 'clock', ...CSV_FIGURES].join(',')

/** A line a hop, without newlines: of a stretch of time, or of the whole run. */
export function csvLines(fromMs: number, toMs: number, figures: readonly HopFigures[]): string[] {
  return figures.map((row) =>
    [fromMs, toMs, row.hop, csvText(row.by ?? ''), row.clock, ...CSV_FIGURES.map((name) => row[name])].join(
      ',',
    ),
  )
}

/** RFC 4180: an id may hold commas and quotes. */
const csvText = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
