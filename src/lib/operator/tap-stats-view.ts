/** A tap's counts: tables for a person, a line of JSON for a program. */

import { renderTable } from '../view/table.js'
import type { Column, TableOptions } from '../view/table.js'
import { formatAge, formatBytes, formatCount, plural } from '../view/units.js'
import type { SourceStats, TapStatsReport, TopicStats } from './tap-stats.js'

/** Which tables are wanted. */
export interface StatsTables {
  readonly sources: boolean
  readonly topics: boolean
}

/** `{"stats":{…}}`; rates are of `interval_ms`, everything else is of all the time. */
export function statsJson(report: TapStatsReport, { topics }: StatsTables): string {
  return JSON.stringify({
    stats: {
      elapsed_ms: Math.round(report.elapsedMs),
      interval_ms: Math.round(report.intervalMs),
      ...countsOf(report),
      gaps: report.gaps,
      missing: report.missing,
      sources: report.sources.map((each) => ({
        source: each.source,
        family: each.family,
        ...countsOf(each),
        gaps: each.gaps,
        missing: each.missing,
      })),
      ...(topics
        ? {
            topics: report.topics,
            top: report.busiest.map(({ topic, messages, perSecond, bytesPerSecond }) => ({
              topic,
              messages,
              per_second: rounded(perSecond),
              bytes_per_second: Math.round(bytesPerSecond),
            })),
          }
        : {}),
    },
  })
}

const countsOf = ({
  messages,
  bytes,
  perSecond,
  bytesPerSecond,
}: Pick<SourceStats, 'messages' | 'bytes' | 'perSecond' | 'bytesPerSecond'>) => ({
  messages,
  bytes,
  per_second: rounded(perSecond),
  bytes_per_second: Math.round(bytesPerSecond),
})

const rounded = (rate: number): number => Math.round(rate * 10) / 10

/** A line of totals, and the tables below it. */
export function statsText(report: TapStatsReport, tables: StatsTables, options: TableOptions): string {
  const { elapsedMs, messages, bytes, perSecond, bytesPerSecond, gaps, missing } = report
  const head = [
    formatAge(elapsedMs),
    `${rateText(perSecond)}/s`,
    `${formatBytes(bytesPerSecond)}/s`,
    plural(messages, 'message'),
    formatBytes(bytes),
    gaps === 0 ? '0 gaps' : `${plural(gaps, 'gap')} (${formatCount(missing)} missing)`,
    ...(tables.topics ? [plural(report.topics, 'topic')] : []),
  ].join(', ')
  return [
    head,
    ...(tables.sources ? ['', renderTable(report.sources, SOURCE_COLUMNS, options)] : []),
    ...(tables.topics ? ['', renderTable(report.busiest, TOPIC_COLUMNS, options)] : []),
  ].join('\n')
}

const rateText = (rate: number): string => (rate < 10 ? rate.toFixed(1) : formatCount(Math.round(rate)))

const RATES: readonly Column<Pick<SourceStats, 'messages' | 'perSecond' | 'bytesPerSecond'>>[] = [
  { title: 'per s', value: ({ perSecond }) => rateText(perSecond), align: 'right' },
  {
    title: 'bytes/s',
    value: ({ bytesPerSecond }) => formatBytes(bytesPerSecond),
    align: 'right',
    dropOrder: 2,
  },
  { title: 'messages', value: ({ messages }) => formatCount(messages), align: 'right' },
]

const SOURCE_COLUMNS: readonly Column<SourceStats>[] = [
  { title: 'family', value: ({ family }) => family, dropOrder: 4 },
  { title: 'source', value: ({ source }) => source, minWidth: 12 },
  ...RATES,
  { title: 'bytes', value: ({ bytes }) => formatBytes(bytes), align: 'right', dropOrder: 5 },
  {
    title: 'gaps',
    value: ({ gaps }) => formatCount(gaps),
    tone: ({ gaps }) => (gaps === 0 ? 'plain' : 'bad'),
    align: 'right',
  },
  {
    title: 'missing',
    value: ({ missing }) => formatCount(missing),
    tone: ({ missing }) => (missing === 0 ? 'plain' : 'bad'),
    align: 'right',
    dropOrder: 3,
  },
]

const TOPIC_COLUMNS: readonly Column<TopicStats>[] = [
  { title: 'topic', value: ({ topic }) => topic, minWidth: 20 },
  ...RATES,
]
