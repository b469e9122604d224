/** A check for people, and in the formats that others read: a line of Nagios, metrics of Prometheus. */

import { sanitize } from '../core/sanitize.js'
import { renderMetrics } from '../telemetry/metrics.js'
import type { MetricFamily } from '../telemetry/metrics.js'
import { createPalette } from '../view/palette.js'
import type { Tone } from '../view/palette.js'
import type { TableOptions } from '../view/table.js'
import { cutText } from '../view/text-width.js'
import { plural } from '../view/units.js'
import { NAGIOS_EXIT } from './check-report.js'
import type { CheckFigure, CheckReport, CheckState } from './check-report.js'

export const CHECK_TONES: Readonly<Record<CheckState, Tone>> = {
  ok: 'good',
  warning: 'warn',
  critical: 'bad',
  unknown: 'warn',
}

/** The verdict, `body`, then what is wrong. Lines without a newline at the end. */
export function renderCheck(report: CheckReport, options: TableOptions, body = ''): string {
  const palette = createPalette(options.color)
  const { state, summary, problems, notes } = report
  const verdict = problems.length > 1 ? plural(problems.length, 'problem') : summary
  const lines = [palette[CHECK_TONES[state]](`${state.toUpperCase()} ${report.check}: ${sanitize(verdict)}`)]
  if (body !== '') lines.push('', body, '')
  // A single one stands in the first line.
  for (const { state: how, subject, problem } of problems.length > 1 ? problems : []) {
    lines.push(palette[CHECK_TONES[how]](`! ${sanitize(subject)}: ${sanitize(problem)}`))
  }
  lines.push(...notes.map((note) => palette.dim(sanitize(note))))
  return lines
    .join('\n')
    .split('\n')
    .map((line) => cutText(line, options.width))
    .join('\n')
    .trimEnd()
}

/** One line of plugin output with its performance data: `MIRROR OK - … | lag_seconds…`. */
export function renderNagios({ check, state, summary, figures }: CheckReport): string {
  const head = `${check.toUpperCase()} ${state.toUpperCase()} - ${oneLine(summary)}`
  return figures.length === 0 ? head : `${head} | ${figures.map(performance).join(' ')}`
}

/** `'label'=value[unit];[warn];[critical];[min]`, in the plugin guidelines' form. */
function performance({ name, labels, value, unit, warn, critical }: CheckFigure): string {
  const label = [name, ...Object.values(labels)].join(':').replace(/['=|\s]/g, '_')
  const bound = (limit: number | undefined) => (limit === undefined ? '' : String(limit))
  return `'${label}'=${value}${unit};${bound(warn)};${bound(critical)};0`
}

/** What stands before the bar must not hold one. */
const oneLine = (text: string): string => sanitize(text).replaceAll('|', '/')

/** Metrics as a textfile collector reads them. */
export function renderPrometheus({ check, state, figures }: CheckReport): string {
  const byName = new Map<string, MetricFamily>()
  const add = (name: string, help: string, labels: Readonly<Record<string, string>>, value: number) => {
    const full = `arbees_check_${name}`
    const sample = { labels: { check, ...labels }, value }
    const samples = [...(byName.get(full)?.samples ?? []), sample]
    byName.set(full, { name: full, type: 'gauge', help, samples })
  }
  add('state', '0 ok, 1 warning, 2 critical, 3 unknown.', {}, NAGIOS_EXIT[state])
  for (const { name, help, labels, value } of figures) add(name, help, labels, value)
  return renderMetrics([...byName.values()])
}

/** A check that could not be made, in the formats that machines read; nothing for people, who have stderr. */
export function checkFailed(
  check: string,
  format: string | undefined,
  problem: string,
  exit: number | string | null | undefined,
): string {
  switch (format) {
    case 'nagios':
      return `${check.toUpperCase()} UNKNOWN - ${oneLine(problem)}`
    case 'json':
      return JSON.stringify({ check, state: 'unknown', summary: problem, exit: Number(exit) })
    case 'prometheus':
      return renderPrometheus({
        ...{ check, state: 'unknown', summary: problem, problems: [], notes: [], figures: [] },
        unreachable: false,
      }).trimEnd()
    default:
      return ''
  }
}
