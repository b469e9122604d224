/** From runs to the figures of `arbees bench polymarket`. */

import { renderTable } from '../view/table.js'
import type { TableOptions } from '../view/table.js'
import { costOf, FRAME_COLUMNS, frameCase, parseCostOf, round } from './frame-figures.js'
import type { FrameCase, FrameRun } from './frame-figures.js'
import { machineLines } from './machine.js'
import type { Machine } from './machine.js'
import type { FalseAlarms } from './polymarket-frames.js'

/** What the venue may tell in a second: there must be room. */
const BUSY_RATE = 5_000

type PolymarketCase = FrameCase<'polymarket', 'frame to quote' | 'without hashes' | 'JSON.parse alone'>

export interface PolymarketSummary {
  /** Frames of one core's second, to their quotes, each hash checked. */
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
  /** CPU time that the check takes of a frame: with it, less without. */
  readonly hash_us: number | null
  /** Share of one core that 5,000 frames a second take. */
  readonly core_share: number | null
  /** Resyncs and books that were not LIVE, for a thousand frames of a line that loses nothing. */
  readonly false_alarms_per_1000: number | null
  readonly machine: Machine
  readonly cases: readonly PolymarketCase[]
}

export function summarizePolymarket(
  { checked, unchecked }: { readonly checked: readonly FrameRun[]; readonly unchecked: readonly FrameRun[] },
  alarms: FalseAlarms,
  { sent, received, machine }: Pick<PolymarketSummary, 'sent' | 'received' | 'machine'>,
): PolymarketSummary {
  const [costUs, uncheckedUs, parseUs] = [costOf(checked), costOf(unchecked), parseCostOf(checked)]
  const base = { sent, received, dropped: sent - received, machine }
  if (costUs === undefined || uncheckedUs === undefined || parseUs === undefined) {
    const unknown = {
      ...{ rate: null, p50_us: null, p99_us: null, cpu_us_per_msg: null, ratio_to_json_parse: null },
      ...{ hash_us: null, core_share: null, false_alarms_per_1000: null },
    }
    return { ...unknown, ...base, cases: [] }
  }
  const took = (runs: readonly FrameRun[]) => runs.map(({ tookUs }) => tookUs)
  const ours = frameCase('polymarket', 'frame to quote', took(checked), costUs)
  const parses = checked.map(({ parse }) => parse.tookUs)
  return {
    rate: ours.frames_per_s,
    p50_us: ours.p50_us,
    p99_us: ours.p99_us,
    cpu_us_per_msg: round(costUs / 2, 2),
    ratio_to_json_parse: round(costUs / parseUs),
    hash_us: round(costUs - uncheckedUs),
    core_share: round((costUs * BUSY_RATE) / 1_000_000, 2),
    false_alarms_per_1000: round((1_000 * (alarms.resyncs + alarms.doubts)) / Math.max(1, ours.n), 3),
    ...base,
    cases: [
      ours,
      frameCase('polymarket', 'without hashes', took(unchecked), uncheckedUs),
      frameCase('polymarket', 'JSON.parse alone', parses, parseUs),
    ],
  }
}

export function renderPolymarket(summary: PolymarketSummary, options: TableOptions): string {
  const { machine, cases, sent, dropped, ratio_to_json_parse: ratio, hash_us, core_share } = summary
  const percent = core_share === null ? '-' : Math.round(core_share * 100)
  return [
    ...machineLines(machine),
    '',
    renderTable(cases, FRAME_COLUMNS, options),
    '',
    `${sent} messages sent, ${dropped} not received; a frame costs ${ratio ?? '-'} times its JSON.parse,`,
    `${hash_us ?? '-'} us of it for the hash; ${BUSY_RATE} frames a second take ${percent} % of a core;`,
    `${summary.false_alarms_per_1000 ?? '-'} false alarms in 1,000 frames`,
    'us from the bytes of a frame to orderbook. and prices. on a socket that is',
    "read; frames a second of one core's CPU time, sockets included.",
  ].join('\n')
}
