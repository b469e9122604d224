/** What `arbees bench mirror` says to people. */

import { renderTable } from '../view/table.js'
import type { Column, TableOptions } from '../view/table.js'
import { formatCount, plural } from '../view/units.js'
import { machineLines } from './machine.js'
import type { MaxCase, MirrorCase, MirrorSummary } from './mirror-report.js'

/** Warnings about figures that should not be trusted. */
export function mirrorWarnings({ cases, maxima }: MirrorSummary): string[] {
  const behind = cases.filter((each) => each.behind)
  const limited = maxima.filter(({ limited_by_generator: limited }) => limited > 0)
  return [
    ...behind.map(
      ({ mirror, rate, achieved_rate: achieved, late_p99_us: late }) =>
        `the generators fell behind at ${formatCount(rate)}/s for ${mirror}: ${formatCount(achieved)}/s, p99 ${formatCount(late)} us late`,
    ),
    ...limited.map(
      ({ mirror, limited_by_generator: rounds, of_rounds: all }) =>
        `what ${mirror} holds is what the generators could publish, in ${rounds} of ${plural(all.length, 'round')}: it may hold more`,
    ),
  ]
}

export function renderMirror(summary: MirrorSummary, options: TableOptions): string {
  const { machine, cases, maxima, publishers, journaled, catch_up_per_s: caughtUp, load_average } = summary
  return [
    ...machineLines(machine),
    `load average ${load_average[0]} before, ${load_average[1]} behind; ${plural(publishers, 'publisher')} with a journal`,
    '',
    renderTable(cases, CASE_COLUMNS, options),
    '',
    'p50, p99: ms from the stamp of the publisher to the reply of the write that holds the message.',
    'drain: ms from the last publish to the last reply. cpu: us a message, all processes and Redis.',
    'in Redis: entries counted there; missing ones were lost, or not written when as long as was published had passed again.',
    '',
    renderTable(maxima, MAX_COLUMNS, options),
    '',
    'holds: the highest rate at which nothing was lost and the last message was in Redis within 100 ms.',
    ...(caughtUp === null
      ? []
      : [`arbees pulls and writes a journal of ${formatCount(journaled)} at ${formatCount(caughtUp)}/s`]),
  ].join('\n')
}

const ms = (us: number | null): string => (us === null ? '-' : (us / 1000).toFixed(1))
const times = (ratio: number | null): string => (ratio === null ? '-' : ratio.toFixed(2))

const CASE_COLUMNS: readonly Column<MirrorCase>[] = [
  { title: 'mirror', value: ({ mirror }) => mirror },
  { title: 'rate/s', align: 'right', value: ({ rate }) => formatCount(rate) },
  { title: 'achieved', align: 'right', value: (each) => formatCount(each.achieved_rate), dropOrder: 3 },
  { title: 'p50', align: 'right', value: (each) => ms(each.p50_us), tone: () => 'strong' },
  { title: 'p99', align: 'right', value: (each) => ms(each.p99_us), tone: () => 'strong' },
  { title: 'max', align: 'right', value: (each) => ms(each.max_us), dropOrder: 2 },
  { title: 'drain', align: 'right', value: (each) => formatCount(each.drain_ms), dropOrder: 1 },
  { title: 'cpu', align: 'right', value: (each) => each.cpu_us_per_msg.toFixed(1) },
  { title: 'sent', align: 'right', value: ({ sent }) => formatCount(sent) },
  { title: 'in Redis', align: 'right', value: ({ received }) => formatCount(received) },
  {
    title: 'missing',
    align: 'right',
    value: ({ dropped }) => formatCount(dropped),
    tone: ({ dropped }) => (dropped === 0 ? 'plain' : 'bad'),
  },
  {
    title: 'twice',
    align: 'right',
    value: ({ duplicated }) => formatCount(duplicated),
    tone: ({ duplicated }) => (duplicated === 0 ? 'plain' : 'bad'),
    dropOrder: 4,
  },
]

const MAX_COLUMNS: readonly Column<MaxCase>[] = [
  { title: 'mirror', value: ({ mirror }) => mirror },
  { title: 'holds/s', align: 'right', value: (each) => formatCount(each.max_rate), tone: () => 'strong' },
  { title: 'over await', align: 'right', value: (each) => times(each.ratio_to_await) },
  { title: 'over pipeline', align: 'right', value: (each) => times(each.ratio_to_pipeline) },
]
