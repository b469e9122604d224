/** From rounds to the figures of `arbees bench mirror`: medians over the rounds. */

import type { Machine } from './machine.js'
import { MIRROR_KINDS } from './mirror-messages.js'
import type { MirrorKind } from './mirror-messages.js'
import type { Lags, Written } from './mirror-window.js'
import type { Held } from './mirror-max-rate.js'
import type { Pace, PublisherResult } from './pacing.js'
import { medianOf } from './percentiles.js'

/** One stretch of one mirror. */
export interface MirrorRound {
  readonly mirror: MirrorKind
  /** Of all publishers together, messages a second. */
  readonly rate: number
  /** Published, the warm-up included. */
  readonly sent: number
  /** Of these the measured part. */
  readonly measured: number
  /** Of the measured part, by the replies. */
  readonly written: Written
  /** Of what was sent, by the entries in Redis: missing when counted, and too many. */
  readonly dropped: number
  readonly duplicated: number
  /** From the last publish to the last reply. */
  readonly drainMs: number
  readonly failedCalls: number
  readonly publisherCpuUs: number
  readonly redisCpuUs: number
  readonly achievedRate: number
  /** How late the generators were. */
  readonly lateP99Us: number
  readonly behind: boolean
  readonly mirrorRssMib: number
}

export interface MaxRate extends Held {
  readonly mirror: MirrorKind
}

/** Our mirror came back to a journal. */
export interface CatchUp {
  readonly perSecond: number
  readonly lost: number
  readonly duplicated: number
}

export interface MirrorCase {
  readonly bench: 'mirror'
  readonly mirror: MirrorKind
  readonly rate: number
  readonly rounds: number
  /** As in `Lags`; null where a round has none. */
  readonly p50_us: number | null
  readonly p90_us: number | null
  readonly p99_us: number | null
  readonly max_us: number | null
  /** From the last publish to the last reply, ms. */
  readonly drain_ms: number
  /** Processor time a message, all processes together, and whose. */
  readonly cpu_us_per_msg: number
  readonly cpu_us_publisher: number
  readonly cpu_us_mirror: number
  readonly cpu_us_redis: number
  /** Over all rounds: sent = received + dropped, received by counting entries in Redis. */
  readonly sent: number
  readonly received: number
  readonly dropped: number
  readonly duplicated: number
  readonly failed_calls: number
  readonly achieved_rate: number
  readonly late_p99_us: number
  /** The generators did not hold the rate. */
  readonly behind: boolean
  /** Over the others at the same rate, medians of each round's ratio; null where there is none. */
  readonly p99_ratio_to_await: number | null
  readonly p99_ratio_to_pipeline: number | null
  readonly mirror_rss_mib: number
}

export interface MaxCase {
  readonly mirror: MirrorKind
  /** Median over the rounds of what was published at the highest rate that was held, messages a second. */
  readonly max_rate: number
  readonly of_rounds: readonly number[]
  /** In so many rounds the generators could do no more. */
  readonly limited_by_generator: number
  readonly ratio_to_await: number | null
  readonly ratio_to_pipeline: number | null
}

export interface MirrorSummary {
  /** The highest rate of `cases`: the figures beside them are ours at that rate. */
  readonly rate: number | null
  readonly p50_us: number | null
  readonly p99_us: number | null
  readonly cpu_us_per_msg: number | null
  readonly sent: number
  readonly received: number
  readonly dropped: number
  readonly max_rate: number | null
  readonly ratio_to_libzmq_c: null
  readonly ratio_to_redis_pubsub: null
  readonly publishers: number
  readonly maxima: readonly MaxCase[]
  /** A journal of so many messages, pulled and written at that rate. */
  readonly journaled: number
  readonly catch_up_per_s: number | null
  readonly catch_up_lost: number
  readonly catch_up_duplicated: number
  /** Of the machine over the last minute, before and behind: whatever ran beside this included. */
  readonly load_average: readonly [number, number]
  readonly machine: Machine
  readonly cases: readonly MirrorCase[]
}

export interface MirrorResults {
  readonly results: readonly MirrorRound[]
  readonly maxima: readonly MaxRate[]
  readonly catchUps: readonly CatchUp[]
  readonly publishers: number
  readonly journaled: number
  readonly load: readonly [number, number]
  readonly machine: Machine
}

const BEHIND_RATE = 0.99
/** A generator that is later sends in bursts what it should spread. */
const BEHIND_US = 10_000

/** What the publishing processes say together. */
export function publishedBy(
  published: readonly PublisherResult[],
  { rate }: Pace,
): Pick<MirrorRound, 'publisherCpuUs' | 'achievedRate' | 'lateP99Us' | 'behind'> {
  const lateP99Us = Math.max(...published.map((result) => result.lateP99Us ?? 0))
  const achievedRate = published.reduce((sum, result) => sum + result.achievedRate, 0)
  const isSlow = rate !== null && achievedRate < rate * published.length * BEHIND_RATE
  return {
    publisherCpuUs: published.reduce((sum, { cpuUs }) => sum + cpuUs, 0),
    achievedRate,
    lateP99Us,
    behind: isSlow || lateP99Us > BEHIND_US,
  }
}

export function summarizeMirror(all: MirrorResults): MirrorSummary {
  const { results, catchUps, publishers, journaled, load, machine } = all
  const rates = [...new Set(results.map(({ rate }) => rate))]
  const cases = rates.flatMap((rate) => MIRROR_KINDS.flatMap((mirror) => toCase(results, mirror, rate)))
  const maxima = MIRROR_KINDS.flatMap((mirror) => toMaxCase(all.maxima, mirror))
  const headline = cases.filter(({ mirror }) => mirror === 'arbees').at(-1)
  const caughtUp = medianOf(catchUps.map(({ perSecond }) => perSecond))
  return {
    rate: headline?.rate ?? null,
    p50_us: headline?.p50_us ?? null,
    p99_us: headline?.p99_us ?? null,
    cpu_us_per_msg: headline?.cpu_us_per_msg ?? null,
    sent: headline?.sent ?? 0,
    received: headline?.received ?? 0,
    dropped: headline?.dropped ?? 0,
    max_rate: maxima.find(({ mirror }) => mirror === 'arbees')?.max_rate ?? null,
    ratio_to_libzmq_c: null,
    ratio_to_redis_pubsub: null,
    publishers,
    maxima,
    journaled,
    catch_up_per_s: caughtUp === undefined ? null : Math.round(caughtUp),
    catch_up_lost: catchUps.reduce((sum, { lost }) => sum + lost, 0),
    catch_up_duplicated: catchUps.reduce((sum, { duplicated }) => sum + duplicated, 0),
    load_average: [rounded(load[0]), rounded(load[1])],
    machine,
    cases,
  }
}

const rounded = (value: number): number => Number(value.toFixed(2))

/** The middle of the rounds' ratios to another mirror; null without one. */
function ratioOf(own: readonly (number | null)[], others: readonly (number | null)[]): number | null {
  const ratios = own.flatMap((value, round) => {
    const other = others[round] ?? 0
    return value !== null && other > 0 ? [value / other] : []
  })
  const middle = medianOf(ratios)
  return middle === undefined ? null : Number(middle.toFixed(3))
}

function toCase(results: readonly MirrorRound[], mirror: MirrorKind, rate: number): MirrorCase[] {
  const roundsOf = (kind: MirrorKind) => results.filter((each) => each.mirror === kind && each.rate === rate)
  const rounds = roundsOf(mirror)
  if (rounds.length === 0) return []
  const median = (value: (round: MirrorRound) => number) => medianOf(rounds.map(value)) ?? 0
  const lag = (value: (lags: Lags) => number | null) => {
    // What was never written is later than everything, also when the middle round is looked for.
    const middle = medianOf(rounds.map(({ written }) => value(written.lags) ?? Infinity))
    return middle === undefined || middle === Infinity ? null : Math.round(middle)
  }
  const perMessage = (value: (round: MirrorRound) => number) =>
    rounded(median((round) => value(round) / round.measured))
  const sum = (value: (round: MirrorRound) => number) =>
    rounds.reduce((total, each) => total + value(each), 0)
  const p99s = (kind: MirrorKind) => roundsOf(kind).map(({ written }) => written.lags.p99_us)
  const ratioTo = (kind: MirrorKind) => (kind === mirror ? null : ratioOf(p99s(mirror), p99s(kind)))
  const sent = sum((round) => round.sent)
  const dropped = sum((round) => round.dropped)
  return [
    {
      bench: 'mirror',
      mirror,
      rate,
      rounds: rounds.length,
      p50_us: lag(({ p50_us: p50 }) => p50),
      p90_us: lag(({ p90_us: p90 }) => p90),
      p99_us: lag(({ p99_us: p99 }) => p99),
      max_us: lag(({ max_us: max }) => max),
      drain_ms: Math.round(median(({ drainMs }) => drainMs)),
      cpu_us_per_msg: perMessage((each) => each.publisherCpuUs + each.written.cpuUs + each.redisCpuUs),
      cpu_us_publisher: perMessage(({ publisherCpuUs }) => publisherCpuUs),
      cpu_us_mirror: perMessage(({ written }) => written.cpuUs),
      cpu_us_redis: perMessage(({ redisCpuUs }) => redisCpuUs),
      sent,
      received: sent - dropped,
      dropped,
      duplicated: sum(({ duplicated }) => duplicated),
      failed_calls: Math.max(...rounds.map(({ failedCalls }) => failedCalls)),
      achieved_rate: Math.round(median(({ achievedRate }) => achievedRate)),
      late_p99_us: Math.round(median(({ lateP99Us }) => lateP99Us)),
      behind: rounds.filter(({ behind }) => behind).length * 2 > rounds.length,
      p99_ratio_to_await: ratioTo('await'),
      p99_ratio_to_pipeline: ratioTo('pipeline'),
      mirror_rss_mib: Math.max(...rounds.map(({ mirrorRssMib }) => mirrorRssMib)),
    },
  ]
}

function toMaxCase(maxima: readonly MaxRate[], mirror: MirrorKind): MaxCase[] {
  const ratesOf = (kind: MirrorKind) =>
    maxima.filter((each) => each.mirror === kind).map(({ rate }) => Math.round(rate))
  const rates = ratesOf(mirror)
  const middle = medianOf(rates)
  if (middle === undefined) return []
  const ratioTo = (kind: MirrorKind) => (kind === mirror ? null : ratioOf(rates, ratesOf(kind)))
  return [
    {
      mirror,
      max_rate: Math.round(middle),
      of_rounds: rates,
      limited_by_generator: maxima.filter((each) => each.mirror === mirror && each.limitedByGenerator).length,
      ratio_to_await: ratioTo('await'),
      ratio_to_pipeline: ratioTo('pipeline'),
    },
  ]
}
