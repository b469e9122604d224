/** From rounds to the figures of `arbees bench pipeline`: medians over the rounds. */

import { renderTable } from '../view/table.js'
import type { Column, TableOptions } from '../view/table.js'
import { formatCount } from '../view/units.js'
import { BEHIND_RATE, BEHIND_US } from './hop-report.js'
import { machineLines } from './machine.js'
import type { Machine } from './machine.js'
import type { PublisherResult } from './pacing.js'
import { medianOf, percentileOf } from './percentiles.js'
import { PIPELINE_TRANSPORTS } from './pipeline-messages.js'
import type { Cost, PipelineTransport, Tick } from './pipeline-messages.js'

/** The processes, and what is between them. */
const PARTS = ['monitor', 'shard', 'exec', 'broker'] as const
type Part = (typeof PARTS)[number]

/** One stretch of one round. */
export interface PipelineRound {
  readonly transport: PipelineTransport
  /** Messages a second on the bus: a book and a quote for each frame. */
  readonly rate: number
  /** Frames of the measured part that were to become an order. */
  readonly signals: number
  /** What exec heard of it. */
  readonly ticks: readonly Tick[]
  readonly publisher: PublisherResult
  /** Processor time, and how many messages were on the bus meanwhile: the warm-up is in both. */
  readonly cpuUs: Readonly<Record<Part, number>>
  readonly messages: number
  /** What the roles counted meanwhile, the warm-up included. */
  readonly counts: Cost['counts']
}

interface Latency {
  readonly p50_us: number
  readonly p99_us: number
}

/** The hops of a tick, one behind the other: together they are tick to order. */
const HOPS = {
  tick_to_shard: ({ dueUs, shardInUs }: Tick) => shardInUs - dueUs,
  decision: ({ shardInUs, shardOutUs }: Tick) => shardOutUs - shardInUs,
  shard_to_exec: ({ shardOutUs, heardUs }: Tick) => heardUs - shardOutUs,
  exec_to_order: ({ heardUs, orderUs }: Tick) => (orderUs === undefined ? undefined : orderUs - heardUs),
} as const
type Hop = keyof typeof HOPS

const toSignal = ({ dueUs, heardUs }: Tick) => heardUs - dueUs
const toOrder = ({ dueUs, orderUs }: Tick) => (orderUs === undefined ? undefined : orderUs - dueUs)

/** Latencies are medians over the rounds of each round's percentile, us. */
export interface PipelineCase {
  readonly bench: 'pipeline'
  readonly transport: PipelineTransport
  readonly rate: number
  readonly rounds: number
  /** Tick to signal: from the instant a frame was due until the signal had reached exec, before it is decoded. */
  readonly p50_us: number
  readonly p99_us: number
  /**
   * Tick to order: until the bytes of the opening order were handed over: the signal decoded, on record, not halted, risk
   * checked, and the intent on disk.
   */
  readonly order_p50_us: number
  readonly order_p99_us: number
  readonly hops: Readonly<Record<Hop, Latency>>
  /** Processor time a message on the bus, all processes together, and whose. */
  readonly cpu_us_per_msg: number
  readonly cpu_us: Readonly<Record<Part, number>>
  /** Over all rounds, of frames that were to become an order: sent = received + dropped. */
  readonly sent: number
  readonly received: number
  readonly dropped: number
  readonly achieved_rate: number
  readonly late_p99_us: number
  /** The generator did not hold the rate: its latencies say less than they seem to. */
  readonly behind: boolean
  /** Over Redis pub/sub at the same rate, medians of each round's ratio; null where there is none. */
  readonly p50_ratio_to_redis_pubsub: number | null
  readonly p99_ratio_to_redis_pubsub: number | null
  readonly order_p50_ratio_to_redis_pubsub: number | null
}

export interface PipelineSummary {
  /** The rate that the figures beside `cases` are of: the highest one, over our bus. */
  readonly rate: number | null
  readonly p50_us: number | null
  readonly p99_us: number | null
  readonly order_p50_us: number | null
  readonly order_p99_us: number | null
  readonly cpu_us_per_msg: number | null
  readonly sent: number
  readonly received: number
  readonly dropped: number
  readonly max_rate: null
  readonly ratio_to_libzmq_c: null
  /** Tick to signal, and tick to order. */
  readonly ratio_to_redis_pubsub: number | null
  readonly order_ratio_to_redis_pubsub: number | null
  readonly machine: Machine
  readonly cases: readonly PipelineCase[]
}

export function summarizePipeline(results: readonly PipelineRound[], machine: Machine): PipelineSummary {
  const rates = [...new Set(results.map(({ rate }) => rate))]
  const cases = rates.flatMap((rate) =>
    PIPELINE_TRANSPORTS.flatMap((transport) => toCase(results, transport, rate)),
  )
  const headline = cases
    .filter(({ transport }) => transport !== 'redis')
    .reduce<PipelineCase | undefined>(
      (best, each) => (each.rate > (best?.rate ?? 0) ? each : best),
      undefined,
    )
  return {
    rate: headline?.rate ?? null,
    p50_us: headline?.p50_us ?? null,
    p99_us: headline?.p99_us ?? null,
    order_p50_us: headline?.order_p50_us ?? null,
    order_p99_us: headline?.order_p99_us ?? null,
    cpu_us_per_msg: headline?.cpu_us_per_msg ?? null,
    sent: headline?.sent ?? 0,
    received: headline?.received ?? 0,
    dropped: headline?.dropped ?? 0,
    max_rate: null,
    ratio_to_libzmq_c: null,
    ratio_to_redis_pubsub: headline?.p50_ratio_to_redis_pubsub ?? null,
    order_ratio_to_redis_pubsub: headline?.order_p50_ratio_to_redis_pubsub ?? null,
    machine,
    cases,
  }
}

type Measure = (tick: Tick) => number | undefined

/** Of the ticks that have it. */
function latencyOf(ticks: readonly Tick[], measure: Measure, percent: number): number {
  return percentileOf(Float64Array.from(ticks.map(measure).filter((us) => us !== undefined)), percent)
}

function toCase(
  results: readonly PipelineRound[],
  transport: PipelineTransport,
  rate: number,
): PipelineCase[] {
  const roundsOf = (of: PipelineTransport) =>
    results.filter((each) => each.transport === of && each.rate === rate)
  const rounds = roundsOf(transport)
  if (rounds.length === 0) return []
  const median = (value: (round: PipelineRound) => number) => medianOf(rounds.map(value)) ?? 0
  const latency = (measure: Measure, percent: number) =>
    Math.round(median(({ ticks }) => latencyOf(ticks, measure, percent)))
  const ratio = (measure: Measure, percent: number) => {
    const others = transport === 'redis' ? [] : roundsOf('redis')
    const ratios = rounds.flatMap(({ ticks }, index) => {
      const other = latencyOf(others[index]?.ticks ?? [], measure, percent)
      return other > 0 ? [latencyOf(ticks, measure, percent) / other] : []
    })
    const middle = medianOf(ratios)
    return middle === undefined ? null : rounded(middle, 3)
  }
  const perMessage = (value: (round: PipelineRound) => number) =>
    rounded(
      median((round) => value(round) / round.messages),
      2,
    )
  const hop = (measure: Measure): Latency => ({ p50_us: latency(measure, 50), p99_us: latency(measure, 99) })
  const sent = rounds.reduce((sum, { signals }) => sum + signals, 0)
  const received = rounds.reduce(
    (sum, { ticks }) => sum + ticks.filter(({ orderUs }) => orderUs !== undefined).length,
    0,
  )
  const achievedRate = Math.round(median(({ publisher }) => publisher.achievedRate))
  const lateP99Us = Math.round(median(({ publisher }) => publisher.lateP99Us ?? 0))
  return [
    {
      bench: 'pipeline',
      transport,
      rate,
      rounds: rounds.length,
      p50_us: latency(toSignal, 50),
      p99_us: latency(toSignal, 99),
      order_p50_us: latency(toOrder, 50),
      order_p99_us: latency(toOrder, 99),
      hops: {
        tick_to_shard: hop(HOPS.tick_to_shard),
        decision: hop(HOPS.decision),
        shard_to_exec: hop(HOPS.shard_to_exec),
        exec_to_order: hop(HOPS.exec_to_order),
      },
      cpu_us_per_msg: perMessage((round) => PARTS.reduce((sum, part) => sum + round.cpuUs[part], 0)),
      cpu_us: {
        monitor: perMessage(({ cpuUs }) => cpuUs.monitor),
        shard: perMessage(({ cpuUs }) => cpuUs.shard),
        exec: perMessage(({ cpuUs }) => cpuUs.exec),
        broker: perMessage(({ cpuUs }) => cpuUs.broker),
      },
      sent,
      received,
      dropped: sent - received,
      achieved_rate: achievedRate,
      late_p99_us: lateP99Us,
      behind: achievedRate < rate * BEHIND_RATE || lateP99Us > BEHIND_US,
      p50_ratio_to_redis_pubsub: ratio(toSignal, 50),
      p99_ratio_to_redis_pubsub: ratio(toSignal, 99),
      order_p50_ratio_to_redis_pubsub: ratio(toOrder, 50),
    },
  ]
}

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits))

/** One line on a round as it ends. */
export function describeRound({ ticks, signals, counts }: PipelineRound): string {
  const us = (measure: Measure, percent: number) => Math.round(latencyOf(ticks, measure, percent))
  const orders = ticks.filter(({ orderUs }) => orderUs !== undefined).length
  const missing = signals - orders
  const why = Object.entries(counts)
    .filter(([name]) => /^(denied|stale|duplicates|gaps|conflated|parse_errors|no_signal)/.test(name))
    .filter(([name]) => name !== 'no_signal:no_edge')
    .map(([name, count]) => `${name} ${count}`)
  const lost = missing === 0 ? '' : `, ${missing} of ${signals} made no order (${why.join(', ')})`
  return `tick to signal p50 ${us(toSignal, 50)} us, p99 ${us(toSignal, 99)} us; to order ${us(toOrder, 50)}, ${us(toOrder, 99)}${lost}`
}

/** More of the signals than this are missing: those that are left were the quick ones. */
const MAX_MISSING = 0.02

/** Warnings about figures that should not be trusted. */
export function pipelineWarnings({ cases }: PipelineSummary): string[] {
  const behind = cases
    .filter((each) => each.behind)
    .map(
      ({ transport, rate, achieved_rate: achieved, late_p99_us: late }) =>
        `the generator fell behind at ${rate}/s over ${transport}: ${achieved}/s, p99 ${late} us late; its latencies include that`,
    )
  const selective = cases
    .filter(({ sent, dropped }) => dropped > sent * MAX_MISSING)
    .map(
      ({ transport, rate, sent, dropped }) =>
        `${dropped} of ${sent} signals made no order at ${rate}/s over ${transport}: its latencies are those of the others`,
    )
  return [...behind, ...selective]
}

export function renderPipeline(summary: PipelineSummary, options: TableOptions): string {
  const { machine, cases } = summary
  return [
    ...machineLines(machine),
    '',
    renderTable(cases, COLUMNS, options),
    '',
    'us, medians over the rounds, at 100 signals a second. signal: from the instant a frame of the',
    'venue was due until the signal had reached exec, not yet decoded; order: until the bytes of the',
    'order were handed over, every check made and its intent on disk. rate: messages on the bus, two a frame. cpu: us a message, all processes.',
    ...cases.flatMap(({ transport, rate, ...each }) =>
      each.p50_ratio_to_redis_pubsub === null
        ? []
        : [
            `${transport} / Redis pub/sub at ${formatCount(rate)}/s: signal p50 ${each.p50_ratio_to_redis_pubsub.toFixed(2)}, p99 ${each.p99_ratio_to_redis_pubsub?.toFixed(2)}, order p50 ${each.order_p50_ratio_to_redis_pubsub?.toFixed(2)}`,
          ],
    ),
  ].join('\n')
}

const column = (
  title: string,
  value: (each: PipelineCase) => number,
  dropOrder?: number,
): Column<PipelineCase> => ({
  title,
  align: 'right',
  value: (each) => formatCount(value(each)),
  ...(dropOrder === undefined ? {} : { dropOrder }),
})

const COLUMNS: readonly Column<PipelineCase>[] = [
  { title: 'transport', value: ({ transport }) => transport },
  column('rate/s', ({ rate }) => rate),
  { ...column('signal p50', (each) => each.p50_us), tone: () => 'strong' },
  column('p99', (each) => each.p99_us),
  { ...column('order p50', (each) => each.order_p50_us), tone: () => 'strong' },
  column('p99', (each) => each.order_p99_us),
  column('to shard', ({ hops }) => hops.tick_to_shard.p50_us, 4),
  column('decide', ({ hops }) => hops.decision.p50_us, 3),
  column('to exec', ({ hops }) => hops.shard_to_exec.p50_us, 2),
  column('to bytes', ({ hops }) => hops.exec_to_order.p50_us, 1),
  { title: 'cpu', align: 'right', value: (each) => each.cpu_us_per_msg.toFixed(1) },
  column('sent', ({ sent }) => sent),
  column('= orders', ({ received }) => received),
  {
    ...column('+ dropped', ({ dropped }) => dropped),
    tone: ({ dropped }) => (dropped === 0 ? 'plain' : 'bad'),
  },
]
