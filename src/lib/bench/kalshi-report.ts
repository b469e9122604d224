/** From runs to the figures of `arbees bench kalshi`: percentiles over all frames, rates as medians of the rounds. */

import { renderTable } from '../view/table.js'
import type { Column, TableOptions } from '../view/table.js'
import { machineLines } from './machine.js'
import type { Machine } from './machine.js'
import { medianOf, percentileOf } from './percentiles.js'

/** One round. */
export interface KalshiRun {
  /** Of each frame, from its bytes to its messages handed to the socket. */
  readonly tookUs: Float64Array
  readonly frames: number
  /** Of the whole process, sockets included. */
  readonly cpuUs: number
  /** `JSON.parse` alone on such frames, frames a second. */
  readonly parsePerS: number
}

export interface KalshiCase {
  readonly bench: 'kalshi'
  readonly case: 'frame to quote' | 'JSON.parse alone'
  readonly frames: number | null
  readonly p50_us: number
  readonly p99_us: number | null
  /** Of one core. */
  readonly frames_per_s: number
}

export interface KalshiSummary {
  /** Frames of one core's second, to their quotes. */
  readonly rate: number | null
  readonly p50_us: number | null
  readonly p99_us: number | null
  readonly cpu_us_per_msg: number | null
  /** Messages, two a frame. */
  readonly sent: number
  readonly received: number
  readonly dropped: number
  /** CPU time of a frame over that of `JSON.parse` on it. */
  readonly ratio_to_json_parse: number | null
  readonly machine: Machine
  readonly cases: readonly KalshiCase[]
}

const round = (value: number, digits = 1): number => Number(value.toFixed(digits))

export function summarizeKalshi(
  runs: readonly KalshiRun[],
  { sent, received, machine }: Pick<KalshiSummary, 'sent' | 'received' | 'machine'>,
): KalshiSummary {
  const tookUs = Float64Array.from(runs.flatMap((run) => [...run.tookUs]))
  const costUs = medianOf(runs.map(({ cpuUs, frames }) => cpuUs / Math.max(1, frames)))
  const parsePerS = medianOf(runs.map((run) => run.parsePerS))
  const base = { sent, received, dropped: sent - received, machine }
  if (costUs === undefined || parsePerS === undefined) {
    const unknown = {
      rate: null,
      p50_us: null,
      p99_us: null,
      cpu_us_per_msg: null,
      ratio_to_json_parse: null,
    }
    return { ...unknown, ...base, cases: [] }
  }
  const ours: KalshiCase = {
    bench: 'kalshi',
    case: 'frame to quote',
    frames: tookUs.length,
    p50_us: round(percentileOf(tookUs, 50)),
    p99_us: round(percentileOf(tookUs, 99)),
    frames_per_s: Math.round(1_000_000 / costUs),
  }
  const parse: KalshiCase = {
    bench: 'kalshi',
    case: 'JSON.parse alone',
    frames: null,
    p50_us: round(1_000_000 / parsePerS, 2),
    p99_us: null,
    frames_per_s: Math.round(parsePerS),
  }
  return {
    rate: ours.frames_per_s,
    p50_us: ours.p50_us,
    p99_us: ours.p99_us,
    cpu_us_per_msg: round(costUs / 2, 2),
    ratio_to_json_parse: round((costUs * parsePerS) / 1_000_000),
    ...base,
    cases: [ours, parse],
  }
}

export function renderKalshi(summary: KalshiSummary, options: TableOptions): string {
  const { machine, cases, sent, dropped, ratio_to_json_parse: ratio } = summary
  return [
    ...machineLines(machine),
    '',
    renderTable(cases, COLUMNS, options),
    '',
    `${sent} messages sent, ${dropped} not received; a frame costs ${ratio ?? '-'} times its JSON.parse`,
    'us from the bytes of a frame to orderbook. and prices. on a socket that is read; frames a second',
    'of one core, sockets included; JSON.parse: mean of a frame.',
  ].join('\n')
}

const COLUMNS: readonly Column<KalshiCase>[] = [
  { title: 'case', value: (each) => each.case },
  { title: 'p50', align: 'right', value: (each) => String(each.p50_us), tone: () => 'strong' },
  { title: 'p99', align: 'right', value: (each) => String(each.p99_us ?? '-') },
  { title: 'frames/s', align: 'right', value: (each) => String(each.frames_per_s), tone: () => 'strong' },
  { title: 'frames', align: 'right', value: (each) => String(each.frames ?? '-'), dropOrder: 1 },
]
