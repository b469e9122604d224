/** From runs to the figures of `arbees bench shard`: what a quote costs, and that it is the pair's cost, not the games'. */

import { renderTable } from '../view/table.js'
import type { Column, TableOptions } from '../view/table.js'
import { costOf, flattened, parseCostOf, round } from './frame-figures.js'
import type { FrameRun } from './frame-figures.js'
import { machineLines } from './machine.js'
import type { Machine } from './machine.js'
import { percentileOf } from './percentiles.js'

/** Live games, and how many of them have quotes: the last case tells what many games cost from what many books cost. */
export const SHARD_LOADS = [
  { games: 10, quoted: 10 },
  { games: 100, quoted: 100 },
  { games: 1_000, quoted: 1_000 },
  { games: 1_000, quoted: 10 },
] as const
/** Whose figures are the summary's. */
const MOST = 2

/** One round of quotes; `tookUs` of each, from its bytes to the end of its decision. */
export interface ShardRun extends FrameRun {
  /** Of those that made a signal, until it was handed to the socket. */
  readonly signalUs: Float64Array
}

interface ShardCase {
  readonly bench: 'shard'
  readonly case: string
  readonly games: number
  readonly quoted: number
  readonly n: number
  readonly p50_us: number
  readonly p99_us: number
  readonly signals: number
  readonly signal_p50_us: number
  readonly signal_p99_us: number
  /** Of one core's CPU time, each with the book before it. */
  readonly quotes_per_s: number
  /** CPU time of a quote over that with the fewest games. */
  readonly ratio_to_fewest: number
}

export interface ShardSummary {
  /** Quotes of one core's second, with the most games. */
  readonly rate: number | null
  /** Quote in to signal out, with the most games. */
  readonly p50_us: number | null
  readonly p99_us: number | null
  readonly cpu_us_per_msg: number | null
  /** Signals. */
  readonly sent: number
  readonly received: number
  readonly dropped: number
  /** CPU time of a quote and its book over that of `JSON.parse` on the quote, with the most games. */
  readonly ratio_to_json_parse: number | null
  /** CPU time of a quote with the most games over that with the fewest. */
  readonly ratio_to_fewest: number | null
  /** The same, as few of the most games quoted as there are with the fewest. */
  readonly ratio_to_fewest_quoted: number | null
  readonly machine: Machine
  readonly cases: readonly ShardCase[]
}

/** `runs`: of each of `SHARD_LOADS`, a run a round. */
export function summarizeShard(
  runs: readonly (readonly ShardRun[])[],
  { sent, received, machine }: Pick<ShardSummary, 'sent' | 'received' | 'machine'>,
): ShardSummary {
  const costs = runs.map(costOf)
  const [fewest] = costs
  const cases = SHARD_LOADS.flatMap(({ games, quoted }, index): ShardCase[] => {
    const costUs = costs[index]
    if (costUs === undefined || fewest === undefined) return []
    const took = flattened((runs[index] ?? []).map((run) => run.tookUs))
    const signals = flattened((runs[index] ?? []).map((run) => run.signalUs))
    return [
      {
        ...{ bench: 'shard', case: `${games} games, ${quoted} quoted`, games, quoted, n: took.length },
        p50_us: round(percentileOf(took, 50), 2),
        p99_us: round(percentileOf(took, 99), 2),
        signals: signals.length,
        signal_p50_us: round(percentileOf(signals, 50), 2),
        signal_p99_us: round(percentileOf(signals, 99), 2),
        quotes_per_s: Math.round(1_000_000 / costUs),
        ratio_to_fewest: round(costUs / fewest, 2),
      },
    ]
  })
  const most = cases[MOST]
  const costUs = costs[MOST]
  const parseUs = parseCostOf(runs[MOST] ?? [])
  return {
    rate: most?.quotes_per_s ?? null,
    p50_us: most?.signal_p50_us ?? null,
    p99_us: most?.signal_p99_us ?? null,
    cpu_us_per_msg: costUs === undefined ? null : round(costUs / 2, 2),
    ...{ sent, received, dropped: sent - received },
    ratio_to_json_parse: costUs === undefined || parseUs === undefined ? null : round(costUs / parseUs),
    ratio_to_fewest: most?.ratio_to_fewest ?? null,
    ratio_to_fewest_quoted: cases.at(-1)?.ratio_to_fewest ?? null,
    machine,
    cases,
  }
}

const COLUMNS: readonly Column<ShardCase>[] = [
  { title: 'live games', align: 'right', value: ({ games }) => String(games) },
  { title: 'quoted', align: 'right', value: ({ quoted }) => String(quoted) },
  { title: 'quote p50', align: 'right', value: ({ p50_us }) => String(p50_us) },
  { title: 'p99', align: 'right', value: ({ p99_us }) => String(p99_us) },
  { title: 'signal p50', align: 'right', value: (each) => String(each.signal_p50_us), tone: () => 'strong' },
  { title: 'p99', align: 'right', value: (each) => String(each.signal_p99_us) },
  { title: 'quotes/s', align: 'right', value: (each) => String(each.quotes_per_s), tone: () => 'strong' },
  { title: 'cost', align: 'right', value: ({ ratio_to_fewest: ratio }) => `x ${ratio.toFixed(2)}` },
  { title: 'n', align: 'right', value: ({ n }) => String(n), dropOrder: 1 },
]

export function renderShard(summary: ShardSummary, options: TableOptions): string {
  const { machine, cases, sent, dropped, ratio_to_json_parse: ratio } = summary
  return [
    ...machineLines(machine),
    '',
    renderTable(cases, COLUMNS, options),
    '',
    `${sent} signals sent, ${dropped} not received; a quote and its book cost ${ratio ?? '-'} times`,
    "the quote's JSON.parse. us from the bytes of a quote to the end of its decision, and",
    'to its signal on a socket that is read, journaled; quotes a second of one core,',
    'each with its book, sockets and journals included.',
  ].join('\n')
}
