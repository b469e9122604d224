/** From rounds to the figures of `arbees bench hop`: medians over the rounds. */

import { formatCount } from '../view/units.js'
import { renderTable } from '../view/table.js'
import type { Column, TableOptions } from '../view/table.js'
import { BUS_TRANSPORTS, TRANSPORTS } from './hop-messages.js'
import type { HopRun, Transport } from './hop-messages.js'
import type { Arrivals, Latency } from './hop-window.js'
import { machineLines } from './machine.js'
import type { Machine } from './machine.js'
import type { PublisherResult } from './pacing.js'
import { medianOf } from './percentiles.js'

/** One run of one round. */
export interface RoundResult extends HopRun {
  readonly arrivals: Arrivals
  readonly publisher: PublisherResult
  readonly brokerCpuUs: number
}

/** Latencies are medians over the rounds of each round's percentile, us. */
interface HopCase {
  readonly bench: 'hop'
  readonly transport: Transport
  /** null: as fast as they go. */
  readonly rate: number | null
  readonly rounds: number
  /** From the instant a message was due until the reader's handler had it; null without a schedule. */
  readonly p50_us: number | null
  readonly p90_us: number | null
  readonly p99_us: number | null
  readonly max_us: number | null
  /** The same from the call of publish. */
  readonly from_publish_p50_us: number | null
  readonly from_publish_p99_us: number | null
  /** Processor time a message, all processes together, and whose. */
  readonly cpu_us_per_msg: number
  readonly cpu_us_publisher: number
  readonly cpu_us_subscriber: number
  readonly cpu_us_broker: number
  /** Over all rounds: sent = received + dropped. */
  readonly sent: number
  readonly received: number
  readonly dropped: number
  readonly achieved_rate: number
  /** How late the generator was, 99th percentile; null without a schedule. */
  readonly late_p99_us: number | null
  /** The generator did not hold the rate: its latencies say less than they seem to. */
  readonly behind: boolean
  /** Over C libzmq at the same rate, medians of each round's ratio; null where one is missing. */
  readonly p50_ratio_to_libzmq_c: number | null
  readonly p99_ratio_to_libzmq_c: number | null
  /** Over Redis pub/sub, likewise. */
  readonly p50_ratio_to_redis_pubsub: number | null
  readonly p99_ratio_to_redis_pubsub: number | null
  /** Over the same bus without its journal, likewise. */
  readonly p50_ratio_to_no_journal: number | null
  readonly p99_ratio_to_no_journal: number | null
}

/** Versions of what was compared with, beside Redis; null where it is not here. */
export interface ReferenceVersions {
  readonly nats: string | null
  readonly libzmq_c: string | null
}

export interface HopSummary {
  /** The rate that the figures beside `cases` are of: the highest one, with the journal on. */
  readonly rate: number | null
  readonly p50_us: number | null
  readonly p99_us: number | null
  readonly cpu_us_per_msg: number | null
  readonly sent: number
  readonly received: number
  readonly dropped: number
  /** Messages a second that arrive when nothing paces them. */
  readonly max_rate: number | null
  /** Of the medians, at `rate`. */
  readonly ratio_to_libzmq_c: number | null
  readonly ratio_to_redis_pubsub: number | null
  readonly machine: Machine
  readonly references: ReferenceVersions
  readonly cases: readonly HopCase[]
}

/** A generator later than this, or slower than this, did not hold its schedule. */
export const BEHIND_US = 1_000
export const BEHIND_RATE = 0.99
/** What runs in production. */
const HEADLINE: Transport = 'zeromq+journal'

export function summarizeHop(
  results: readonly RoundResult[],
  machine: Machine,
  references: ReferenceVersions = { nats: null, libzmq_c: null },
): HopSummary {
  const rates = [...new Set(results.map(({ rate }) => rate))]
  const cases = rates.flatMap((rate) =>
    TRANSPORTS.map((transport) => roundsOf(results, rate, transport))
      .filter((rounds) => rounds.length > 0)
      .map((rounds) => toCase(rounds, results)),
  )
  const journaled = cases.some(({ transport }) => transport === HEADLINE)
  const ours = cases.filter(({ transport }) => transport === (journaled ? HEADLINE : 'zeromq'))
  const headline = ours
    .filter(({ rate }) => rate !== null)
    .reduce<HopCase | undefined>(
      (best, each) => ((each.rate ?? 0) > (best?.rate ?? 0) ? each : best),
      undefined,
    )
  return {
    rate: headline?.rate ?? null,
    p50_us: headline?.p50_us ?? null,
    p99_us: headline?.p99_us ?? null,
    cpu_us_per_msg: headline?.cpu_us_per_msg ?? null,
    sent: headline?.sent ?? 0,
    received: headline?.received ?? 0,
    dropped: headline?.dropped ?? 0,
    max_rate: ours.find(({ rate }) => rate === null)?.achieved_rate ?? null,
    ratio_to_libzmq_c: headline?.p50_ratio_to_libzmq_c ?? null,
    ratio_to_redis_pubsub: headline?.p50_ratio_to_redis_pubsub ?? null,
    machine,
    references,
    cases,
  }
}

const roundsOf = (results: readonly RoundResult[], ofRate: number | null, of: Transport): RoundResult[] =>
  results.filter(({ rate, transport }) => rate === ofRate && transport === of)

/** Only ways of our own bus are compared, and none with itself. */
const isReference = (reference: Transport, transport: Transport): boolean =>
  reference !== transport && BUS_TRANSPORTS.some((ours) => ours === transport)

function toCase(rounds: readonly RoundResult[], results: readonly RoundResult[]): HopCase {
  const [first] = rounds
  if (first === undefined) throw new RangeError('a case needs a round')
  const { transport, rate } = first
  const paced = rate !== null
  const median = (value: (round: RoundResult) => number) => medianOf(rounds.map(value)) ?? 0
  const latency = (value: (round: RoundResult) => number) => (paced ? Math.round(median(value)) : null)
  const ratio = (to: Transport, value: (latency: Latency) => number) => {
    const reference = isReference(to, transport) ? roundsOf(results, rate, to) : []
    const ratios = rounds.flatMap((round, index) => {
      const other = reference[index]
      const divisor = other === undefined ? 0 : value(other.arrivals.fromSchedule)
      return paced && divisor > 0 ? [value(round.arrivals.fromSchedule) / divisor] : []
    })
    const middle = medianOf(ratios)
    return middle === undefined ? null : rounded(middle, 3)
  }
  const perMessage = (value: (round: RoundResult) => number) =>
    rounded(
      median((round) => value(round) / round.measured),
      2,
    )
  const sum = (value: (round: RoundResult) => number) =>
    rounds.reduce((total, each) => total + value(each), 0)
  const sent = sum(({ measured }) => measured)
  const received = sum(({ arrivals }) => arrivals.received)
  const lateP99Us = latency(({ publisher }) => publisher.lateP99Us ?? 0)
  const achievedRate = Math.round(
    median(({ arrivals, publisher }) => (paced ? publisher.achievedRate : arrivals.rate)),
  )
  return {
    bench: 'hop',
    transport,
    rate,
    rounds: rounds.length,
    p50_us: latency(({ arrivals }) => arrivals.fromSchedule.p50_us),
    p90_us: latency(({ arrivals }) => arrivals.fromSchedule.p90_us),
    p99_us: latency(({ arrivals }) => arrivals.fromSchedule.p99_us),
    max_us: latency(({ arrivals }) => arrivals.fromSchedule.max_us),
    from_publish_p50_us: latency(({ arrivals }) => arrivals.fromPublish.p50_us),
    from_publish_p99_us: latency(({ arrivals }) => arrivals.fromPublish.p99_us),
    cpu_us_per_msg: perMessage((round) => round.publisher.cpuUs + round.arrivals.cpuUs + round.brokerCpuUs),
    cpu_us_publisher: perMessage(({ publisher }) => publisher.cpuUs),
    cpu_us_subscriber: perMessage(({ arrivals }) => arrivals.cpuUs),
    cpu_us_broker: perMessage(({ brokerCpuUs }) => brokerCpuUs),
    sent,
    received,
    dropped: sent - received,
    achieved_rate: achievedRate,
    late_p99_us: lateP99Us,
    behind: paced && (achievedRate < rate * BEHIND_RATE || (lateP99Us ?? 0) > BEHIND_US),
    p50_ratio_to_libzmq_c: ratio('libzmq-c', ({ p50_us: p50 }) => p50),
    p99_ratio_to_libzmq_c: ratio('libzmq-c', ({ p99_us: p99 }) => p99),
    p50_ratio_to_redis_pubsub: ratio('redis', ({ p50_us: p50 }) => p50),
    p99_ratio_to_redis_pubsub: ratio('redis', ({ p99_us: p99 }) => p99),
    p50_ratio_to_no_journal: ratio('zeromq', ({ p50_us: p50 }) => p50),
    p99_ratio_to_no_journal: ratio('zeromq', ({ p99_us: p99 }) => p99),
  }
}

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits))

/** Warnings about figures that should not be trusted. */
export function hopWarnings({ cases }: HopSummary): string[] {
  return cases
    .filter(({ behind }) => behind)
    .map(
      ({ transport, rate, achieved_rate: achieved, late_p99_us: late }) =>
        `the generator fell behind at ${rate}/s over ${transport}: ${achieved}/s, p99 ${late} us late; its latencies include that`,
    )
}

/** The table for people, and what its columns mean. */
export function renderHop(summary: HopSummary, options: TableOptions): string {
  const { machine, references, cases } = summary
  return [
    ...machineLines(machine, others(references)),
    '',
    renderTable(cases, COLUMNS, options),
    '',
    'p50, p99: us from the instant a message was due until the handler had it,',
    'decoded and checked; hop: us from the call of publish to the same end.',
    'Medians over the rounds. cpu: us a message, both processes and broker.',
    ...cases.flatMap(ratioLine),
  ].join('\n')
}

const others = ({ nats, libzmq_c: libzmqC }: ReferenceVersions): string[] => [
  nats === null ? 'no NATS' : `NATS ${nats}`,
  libzmqC === null ? 'no C libzmq' : `C libzmq ${libzmqC}`,
]

function ratioLine(each: HopCase): string[] {
  const { rate, transport } = each
  if (rate === null) return []
  const line = (to: string, p50: number | null, p99: number | null) =>
    p50 === null || p99 === null
      ? []
      : [`${transport} / ${to} at ${formatCount(rate)}/s: p50 ${p50.toFixed(2)}, p99 ${p99.toFixed(2)}`]
  return [
    ...line('C libzmq', each.p50_ratio_to_libzmq_c, each.p99_ratio_to_libzmq_c),
    ...line('Redis pub/sub', each.p50_ratio_to_redis_pubsub, each.p99_ratio_to_redis_pubsub),
    ...line('zeromq', each.p50_ratio_to_no_journal, each.p99_ratio_to_no_journal),
  ]
}

const count = (value: number | null): string => (value === null ? '-' : formatCount(value))

const COLUMNS: readonly Column<HopCase>[] = [
  { title: 'transport', value: ({ transport }) => transport },
  { title: 'rate/s', align: 'right', value: ({ rate }) => (rate === null ? 'max' : formatCount(rate)) },
  { title: 'achieved', align: 'right', value: (each) => count(each.achieved_rate), dropOrder: 3 },
  { title: 'p50', align: 'right', value: (each) => count(each.p50_us), tone: () => 'strong' },
  { title: 'p99', align: 'right', value: (each) => count(each.p99_us) },
  { title: 'hop p50', align: 'right', value: (each) => count(each.from_publish_p50_us), dropOrder: 1 },
  { title: 'hop p99', align: 'right', value: (each) => count(each.from_publish_p99_us), dropOrder: 2 },
  { title: 'cpu', align: 'right', value: (each) => each.cpu_us_per_msg.toFixed(1) },
  { title: 'sent', align: 'right', value: (each) => count(each.sent) },
  { title: '= received', align: 'right', value: (each) => count(each.received) },
  {
    title: '+ dropped',
    align: 'right',
    value: (each) => count(each.dropped),
    tone: ({ dropped }) => (dropped === 0 ? 'plain' : 'bad'),
  },
  { title: 'late p99', align: 'right', value: (each) => count(each.late_p99_us), dropOrder: 4 },
]
