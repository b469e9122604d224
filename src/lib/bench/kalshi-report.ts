/** From runs to the figures of `arbees bench kalshi`: percentiles over all calls, rates as medians of the rounds. */

import { renderTable } from '../view/table.js'
import type { TableOptions } from '../view/table.js'
import { costOf, FRAME_COLUMNS, frameCase, parseCostOf, round } from './frame-figures.js'
import type { FrameCase, FrameRun } from './frame-figures.js'
import { renderOrders, summarizeOrders } from './kalshi-order-report.js'
import type { KalshiOrderCase, KalshiOrderFigures, OrderSamples } from './kalshi-order-report.js'
import { machineLines } from './machine.js'
import type { Machine } from './machine.js'

export type KalshiFrameCase = FrameCase<'kalshi', 'frame to quote' | 'JSON.parse alone'>

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

export function summarizeKalshi(
  { runs, orders }: { readonly runs: readonly FrameRun[]; readonly orders: OrderSamples },
  { sent, received, machine }: Pick<KalshiSummary, 'sent' | 'received' | 'machine'>,
): KalshiSummary {
  const { cases: orderCases, ...orderFigures } = summarizeOrders(orders)
  const costUs = costOf(runs)
  const parseCostUs = parseCostOf(runs)
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
  const ours = frameCase(
    'kalshi',
    'frame to quote',
    runs.map((run) => run.tookUs),
    costUs,
  )
  const parse = frameCase(
    'kalshi',
    'JSON.parse alone',
    runs.map((run) => run.parse.tookUs),
    parseCostUs,
  )
  return {
    rate: ours.frames_per_s,
    p50_us: ours.p50_us,
    p99_us: ours.p99_us,
    cpu_us_per_msg: round(costUs / 2, 2),
    ratio_to_json_parse: round(costUs / parseCostUs),
    ...base,
    cases: [ours, parse, ...orderCases],
  }
}

export function renderKalshi(summary: KalshiSummary, options: TableOptions): string {
  const { machine, cases, sent, dropped, ratio_to_json_parse: ratio } = summary
  const frames = cases.filter((each) => 'frames_per_s' in each)
  return [
    ...machineLines(machine),
    '',
    renderTable(frames, FRAME_COLUMNS, options),
    '',
    `${sent} messages sent, ${dropped} not received; a frame costs ${ratio ?? '-'} times its JSON.parse`,
    'us from the bytes of a frame to orderbook. and prices. on a socket that is',
    "read; frames a second of one core's CPU time, sockets included. Left out: the",
    'WebSocket, and the feed around the session (dispatch, choice of connection).',
    ...renderOrders(
      cases.filter((each) => 'key' in each),
      options,
    ),
  ].join('\n')
}
