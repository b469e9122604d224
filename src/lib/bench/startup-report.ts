/** From starts to the figures of `arbees bench startup`: medians over all starts, ratios round by round. */

import { renderTable } from '../view/table.js'
import type { Column, TableOptions } from '../view/table.js'
import { machineLines } from './machine.js'
import type { Machine } from './machine.js'
import { medianOf, percentileOf } from './percentiles.js'

/** One start. */
export interface StartupRun {
  readonly program: 'arbees' | 'bare'
  /** Arguments. */
  readonly command: string
  readonly round: number
  /** From the spawn to the end of the process. */
  readonly us: number
}

export interface StartupCase {
  readonly bench: 'startup'
  readonly command: string
  /** Starts of each of the two. */
  readonly starts: number
  readonly p50_us: number
  readonly p90_us: number
  readonly bare_p50_us: number
  readonly bare_p90_us: number
  /** Of the medians, the median of the rounds' ratios. */
  readonly ratio_to_bare: number
}

export interface StartupSummary {
  /** Of the command that is slowest beside its bare one. */
  readonly p50_us: number | null
  readonly max_ratio_to_bare: number | null
  readonly machine: Machine
  readonly cases: readonly StartupCase[]
}

export function summarizeStartup(runs: readonly StartupRun[], machine: Machine): StartupSummary {
  const cases = [...new Set(runs.map(({ command }) => command))].map((command) =>
    toCase(
      command,
      runs.filter((run) => run.command === command),
    ),
  )
  const slowest = cases.toSorted((a, b) => b.ratio_to_bare - a.ratio_to_bare)[0]
  return {
    p50_us: slowest?.p50_us ?? null,
    max_ratio_to_bare: slowest?.ratio_to_bare ?? null,
    machine,
    cases,
  }
}

function toCase(command: string, runs: readonly StartupRun[]): StartupCase {
  const usOf = (of: StartupRun['program'], round?: number) =>
    runs
      .filter(({ program, round: at }) => program === of && (round === undefined || at === round))
      .map(({ us }) => us)
  const percentile = (of: StartupRun['program'], percent: number) =>
    Math.round(percentileOf(Float64Array.from(usOf(of)), percent))
  const ratios = [...new Set(runs.map(({ round }) => round))].flatMap((round) => {
    const ours = medianOf(usOf('arbees', round))
    const bare = medianOf(usOf('bare', round))
    return ours === undefined || bare === undefined ? [] : [ours / bare]
  })
  return {
    bench: 'startup',
    command,
    starts: usOf('arbees').length,
    p50_us: percentile('arbees', 50),
    p90_us: percentile('arbees', 90),
    bare_p50_us: percentile('bare', 50),
    bare_p90_us: percentile('bare', 90),
    ratio_to_bare: Number((medianOf(ratios) ?? 0).toFixed(3)),
  }
}

export function renderStartup({ machine, cases }: StartupSummary, options: TableOptions): string {
  return [
    ...machineLines(machine).filter((line) => !line.startsWith('Node ')),
    `Node ${machine.node}`,
    '',
    renderTable(cases, COLUMNS, options),
    '',
    'ms from the spawn to the end of the process, medians; bare: an oclif program of one command',
    'without plugins. ratio: median over the rounds.',
  ].join('\n')
}

const ms = (us: number): string => (us / 1000).toFixed(0)

const COLUMNS: readonly Column<StartupCase>[] = [
  { title: 'command', value: ({ command }) => `arbees ${command}` },
  { title: 'p50', align: 'right', value: (each) => ms(each.p50_us), tone: () => 'strong' },
  { title: 'p90', align: 'right', value: (each) => ms(each.p90_us), dropOrder: 2 },
  { title: 'bare p50', align: 'right', value: (each) => ms(each.bare_p50_us) },
  { title: 'p90', align: 'right', value: (each) => ms(each.bare_p90_us), dropOrder: 1 },
  { title: 'ratio', align: 'right', value: (each) => each.ratio_to_bare.toFixed(2), tone: () => 'strong' },
  { title: 'starts', align: 'right', value: ({ starts }) => String(starts) },
]
