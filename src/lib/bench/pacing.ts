/** Publishing on a schedule, or as fast as it goes, and what that cost the process that does it. */

import { systemClock } from '../core/clock.js'
import type { Metronome } from './metronome.js'
import { percentileOf } from './percentiles.js'
import { cpuUs, rssMib } from './process-cost.js'

/** One stretch of publishing. */
export interface Pace {
  /** Messages a second on a fixed schedule; null: as fast as they go. */
  readonly rate: number | null
  /** Published first and not measured; like `measured` a multiple of `perTick(rate)`. */
  readonly warmUp: number
  readonly measured: number
}

/** Where messages go. */
export interface Sink {
  readonly nextSeq: number
  /** Numbers, encodes and hands over one message that was due at `dueUs`. */
  publish(dueUs: number): void
  /** Resolves when what was handed over has left, as far as the transport tells. */
  flushed(): Promise<unknown>
}

export interface PublisherResult {
  /** Processor time of the publishing process over the measured part, us. */
  readonly cpuUs: number
  /** Median and 99th percentile of how late messages were handed over, us; null without a schedule. */
  readonly lateP50Us: number | null
  readonly lateP99Us: number | null
  /** Messages a second over the measured part. */
  readonly achievedRate: number
  /** The host's monotonic clock behind the last message. */
  readonly endedUs: number
  /** Memory of the publishing process at the end, MiB. */
  readonly rssMib: number
}

/** Between preparation and the first tick, us. */
export const LEAD_US = 20_000
/** Messages in a turn of the event loop when there is no schedule. */
const BURST = 500

const now = () => systemClock.monoUs()

/** Messages that are due together, once a millisecond: a venue's frames come in bursts. */
const perTick = (rate: number): number => Math.max(1, Math.round(rate / 1000))

/** The pace of a case: `warmUpMs` and `measuredMs` at `rate`, in whole ticks. */
export function paceOf(rate: number, warmUpMs: number, measuredMs: number) {
  const messages = (ms: number) => Math.ceil((rate * ms) / 1000 / perTick(rate)) * perTick(rate)
  return { rate, warmUp: messages(warmUpMs), measured: messages(measuredMs) }
}

/** The ticks of a stretch and how many messages are due at each. */
export function ticksOf({ warmUp, measured }: Pace, rate: number) {
  const burst = perTick(rate)
  return {
    burst,
    tickUs: (burst * 1e6) / rate,
    warmUpTicks: warmUp / burst,
    ticks: (warmUp + measured) / burst,
  }
}

export async function publishRun(sink: Sink, run: Pace, metronome: Metronome): Promise<PublisherResult> {
  return run.rate === null ? publishUnpaced(sink, run) : publishPaced(sink, run, run.rate, metronome)
}

async function publishPaced(
  sink: Sink,
  run: Pace,
  rate: number,
  metronome: Metronome,
): Promise<PublisherResult> {
  const { burst, tickUs, warmUpTicks, ticks } = ticksOf(run, rate)
  const measuredTicks = ticks - warmUpTicks
  const lateUs = new Float64Array(measuredTicks)
  let usedUs = 0
  const startUs = now() + LEAD_US
  await metronome.run({ startUs, tickUs, ticks }, (tick, dueUs) => {
    if (tick === warmUpTicks) usedUs = cpuUs()
    if (tick >= warmUpTicks) lateUs[tick - warmUpTicks] = Math.max(0, now() - dueUs)
    for (let i = 0; i < burst; i++) sink.publish(dueUs)
  })
  const endedUs = now()
  const plannedUs = measuredTicks * tickUs
  const tookUs = Math.max(endedUs - (startUs + warmUpTicks * tickUs), plannedUs)
  return {
    cpuUs: cpuUs() - usedUs,
    lateP50Us: percentileOf(lateUs, 50),
    lateP99Us: percentileOf(lateUs, 99),
    achievedRate: (run.measured * 1e6) / tookUs,
    endedUs,
    rssMib: rssMib(),
  }
}

async function publishUnpaced(sink: Sink, run: Pace): Promise<PublisherResult> {
  await publishBursts(sink, run.warmUp)
  const usedUs = cpuUs()
  const beganUs = now()
  await publishBursts(sink, run.measured)
  const endedUs = now()
  return {
    cpuUs: cpuUs() - usedUs,
    lateP50Us: null,
    lateP99Us: null,
    achievedRate: (run.measured * 1e6) / Math.max(1, endedUs - beganUs),
    endedUs,
    rssMib: rssMib(),
  }
}

/** As fast as it goes, with a turn of the event loop now and then. */
export async function publishBursts(sink: Sink, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += BURST) {
    for (let i = 0; i < Math.min(BURST, count - sent); i++) sink.publish(now())
    await sink.flushed()
    await new Promise((resolve) => setImmediate(resolve))
  }
}
