/** From rounds to the figures of `arbees bench refill`: medians over the rounds. */

import { renderTable } from '../view/table.js'
import type { Column, TableOptions } from '../view/table.js'
import { formatCount } from '../view/units.js'
import { describeMachine, machineLines } from './machine.js'
import type { Machine } from './machine.js'
import { medianOf } from './percentiles.js'

interface RefillCase {
  readonly bench: 'refill'
  readonly refilling: boolean
  readonly rate: number
  readonly rounds: number
  /** Of live messages, from the instant they were due, us: medians over the rounds. */
  readonly p50_us: number
  readonly p99_us: number
  readonly max_us: number
  readonly sent: number
  readonly received: number
  readonly dropped: number
  /** Pulled meanwhile, messages a second; 0 without. */
  readonly pulled_per_s: number
  /** Requests without an answer in time. */
  readonly unanswered: number
  /** Most that the publishing process held, MiB. */
  readonly publisher_rss_mib: number
  readonly puller_rss_mib: number
}

export interface RefillSummary {
  readonly rate: number
  readonly p50_us: number | null
  readonly p99_us: number | null
  readonly sent: number
  readonly received: number
  readonly dropped: number
  readonly journaled: number
  /** Live p99 while refilling over live p99 without: median of the rounds' ratios. */
  readonly p99_ratio_to_no_refill: number | null
  /** At the rate reached, to pull everything once, s. */
  readonly refill_s: number | null
  readonly machine: Machine
  readonly cases: readonly RefillCase[]
}

/** One measurement. */
export type RefillRound = Omit<RefillCase, 'bench' | 'rounds'>

export function summarizeRefill(
  rounds: readonly RefillRound[],
  { rate, journaled }: { readonly rate: number; readonly journaled: number },
): RefillSummary {
  const cases = [false, true].flatMap((refilling) =>
    toCase(rounds.filter((each) => each.refilling === refilling)),
  )
  const alone = rounds.filter(({ refilling }) => !refilling)
  const beside = rounds.filter(({ refilling }) => refilling)
  const ratios = beside.flatMap(({ p99_us: p99 }, index) => {
    const other = alone[index]?.p99_us ?? 0
    return other > 0 ? [p99 / other] : []
  })
  const ratio = medianOf(ratios)
  const busy = cases.find(({ refilling }) => refilling)
  const total = (value: (each: RefillCase) => number) => cases.reduce((sum, each) => sum + value(each), 0)
  return {
    rate,
    p50_us: busy?.p50_us ?? null,
    p99_us: busy?.p99_us ?? null,
    sent: total(({ sent }) => sent),
    received: total(({ received }) => received),
    dropped: total(({ dropped }) => dropped),
    journaled,
    p99_ratio_to_no_refill: ratio === undefined ? null : Number(ratio.toFixed(3)),
    refill_s:
      busy === undefined || busy.pulled_per_s === 0
        ? null
        : Number((journaled / busy.pulled_per_s).toFixed(1)),
    machine: describeMachine(null),
    cases,
  }
}

function toCase(rounds: readonly RefillRound[]): RefillCase[] {
  const [first] = rounds
  if (first === undefined) return []
  const median = (value: (round: RefillRound) => number) => Math.round(medianOf(rounds.map(value)) ?? 0)
  const sum = (value: (round: RefillRound) => number) =>
    rounds.reduce((total, each) => total + value(each), 0)
  return [
    {
      bench: 'refill',
      refilling: first.refilling,
      rate: first.rate,
      rounds: rounds.length,
      p50_us: median(({ p50_us: p50 }) => p50),
      p99_us: median(({ p99_us: p99 }) => p99),
      max_us: median(({ max_us: max }) => max),
      sent: sum(({ sent }) => sent),
      received: sum(({ received }) => received),
      dropped: sum(({ dropped }) => dropped),
      pulled_per_s: median(({ pulled_per_s: pulled }) => pulled),
      unanswered: sum(({ unanswered }) => unanswered),
      publisher_rss_mib: Math.max(...rounds.map(({ publisher_rss_mib: rss }) => rss)),
      puller_rss_mib: Math.max(...rounds.map(({ puller_rss_mib: rss }) => rss)),
    },
  ]
}

/** The table for people, and what its columns mean. */
export function renderRefill(summary: RefillSummary, options: TableOptions): string {
  const { machine, cases, journaled, p99_ratio_to_no_refill: ratio, refill_s: seconds } = summary
  return [
    ...machineLines(machine),
    '',
    renderTable(cases, COLUMNS, options),
    '',
    'p50, p99, max: us of live messages, from the instant each was due until the handler had it.',
    ...(ratio === null ? [] : [`live p99 beside a refill / alone: ${ratio.toFixed(2)}`]),
    ...(seconds === null ? [] : [`${formatCount(journaled)} messages pulled in ${seconds} s at that rate`]),
  ].join('\n')
}

const COLUMNS: readonly Column<RefillCase>[] = [
  { title: 'live', value: ({ refilling }) => (refilling ? 'beside a refill' : 'alone') },
  { title: 'rate/s', align: 'right', value: ({ rate }) => formatCount(rate) },
  { title: 'p50', align: 'right', value: ({ p50_us: p50 }) => formatCount(p50) },
  { title: 'p99', align: 'right', value: ({ p99_us: p99 }) => formatCount(p99), tone: () => 'strong' },
  { title: 'max', align: 'right', value: ({ max_us: max }) => formatCount(max) },
  { title: 'dropped', align: 'right', value: ({ dropped }) => formatCount(dropped) },
  { title: 'pulled/s', align: 'right', value: ({ pulled_per_s: pulled }) => formatCount(pulled) },
  { title: 'publisher MiB', align: 'right', value: ({ publisher_rss_mib: rss }) => formatCount(rss) },
]
