/** From runs to the figures of `arbees bench kalshi`: percentiles over all calls, rates as medians of the rounds. */

import { renderTable } from '../view/table.js'
import type { Column, TableOptions } from '../view/table.js'
import { renderOrders, summarizeOrders } from './kalshi-order-report.js'
import type { KalshiOrderCase, KalshiOrderFigures, OrderSamples } from './kalshi-order-report.js'
import { machineLines } from './machine.js'
import type { Machine } from './machine.js'
import { medianOf, percentileOf } from './percentiles.js'

/** One round of frames. */
export interface KalshiRun {
  /** Of each frame, from its bytes to its messages handed to the socket. */
  readonly tookUs: Float64Array
  /** Of the whole process, sockets included, for these frames. */
  readonly cpuUs: number
  /** `JSON.parse` alone on such frames. */
  readonly parse: {
    readonly tookUs: Float64Array
    /** CPU time of a frame, without the clock around each. */
    readonly costUs: number
  }
}

export interface KalshiFrameCase {
  readonly bench: 'kalshi'
  readonly case: 'frame to quote' | 'JSON.parse alone'
  readonly n: number
  readonly p50_us: number
  readonly p99_us: number
  /** Of one core's CPU time. */
  readonly frames_per_s: number
}

export interface KalshiSummary extends Omit<KalshiOrderFigures, 'cases'> {
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
  readonly cases: readonly (KalshiFrameCase | KalshiOrderCase)[]
}

const round = (value: number, digits = 1): number => Number(value.toFixed(digits))

export function summarizeKalshi(
  { runs, orders }: { readonly runs: readonly KalshiRun[]; readonly orders: OrderSamples },
  { sent, received, machine }: Pick<KalshiSummary, 'sent' | 'received' | 'machine'>,
): KalshiSummary {
  const { cases: orderCases, ...orderFigures } = summarizeOrders(orders)
  const tookUs = flattened(runs.map((run) => run.tookUs))
  const parseUs = flattened(runs.map(({ parse }) => parse.tookUs))
  const costUs = medianOf(runs.map((run) => run.cpuUs / Math.max(1, run.tookUs.length)))
  const parseCostUs = medianOf(runs.map(({ parse }) => parse.costUs))
  const base = { ...orderFigures, sent, received, dropped: sent - received, machine }
  if (costUs === undefined || parseCostUs === undefined) {
    const unknown = {
      rate: null,
      p50_us: null,
      p99_us: null,
      cpu_us_per_msg: null,
      ratio_to_json_parse: null,
    }
    return { ...unknown, ...base, cases: orderCases }
  }
  const ours = frameCase('frame to quote', tookUs, costUs)
  return {
    rate: ours.frames_per_s,
    p50_us: ours.p50_us,
    p99_us: ours.p99_us,
    cpu_us_per_msg: round(costUs / 2, 2),
    ratio_to_json_parse: round(costUs / parseCostUs),
    ...base,
    cases: [ours, frameCase('JSON.parse alone', parseUs, parseCostUs), ...orderCases],
  }
}

const frameCase = (name: KalshiFrameCase['case'], tookUs: Float64Array, costUs: number): KalshiFrameCase => ({
  bench: 'kalshi',
  case: name,
  n: tookUs.length,
  p50_us: round(percentileOf(tookUs, 50), 2),
  p99_us: round(percentileOf(tookUs, 99), 2),
  frames_per_s: Math.round(1_000_000 / costUs),
})

function flattened(lists: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(lists.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const list of lists) {
    all.set(list, at)
    at += list.length
  }
  return all
}

export function renderKalshi(summary: KalshiSummary, options: TableOptions): string {
  const { machine, cases, sent, dropped, ratio_to_json_parse: ratio } = summary
  const frames = cases.filter((each) => 'frames_per_s' in each)
  return [
    ...machineLines(machine),
    '',
    renderTable(frames, COLUMNS, options),
    '',
    `${sent} messages sent, ${dropped} not received; a frame costs ${ratio ?? '-'} times its JSON.parse`,
    'us from the bytes of a frame to orderbook. and prices. on a socket that is',
    "read; frames a second of one core's CPU time, sockets included.",
    ...renderOrders(
      cases.filter((each) => 'key' in each),
      options,
    ),
  ].join('\n')
}

const COLUMNS: readonly Column<KalshiFrameCase>[] = [
  { title: 'case', value: (each) => each.case },
  { title: 'p50', align: 'right', value: (each) => String(each.p50_us), tone: () => 'strong' },
  { title: 'p99', align: 'right', value: (each) => String(each.p99_us) },
  { title: 'frames/s', align: 'right', value: (each) => String(each.frames_per_s), tone: () => 'strong' },
  { title: 'n', align: 'right', value: (each) => String(each.n), dropOrder: 1 },
]
