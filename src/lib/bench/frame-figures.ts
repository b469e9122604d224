/** From runs to the figures of frames: percentiles over all of them, costs as medians of the rounds. */

import type { Column } from '../view/table.js'
import { medianOf, percentileOf } from './percentiles.js'

/** One round of frames. */
export interface FrameRun {
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

export interface FrameCase<Bench extends string, Name extends string> {
  readonly bench: Bench
  readonly case: Name
  readonly n: number
  readonly p50_us: number
  readonly p99_us: number
  /** Of one core's CPU time. */
  readonly frames_per_s: number
}

export const round = (value: number, digits = 1): number => Number(value.toFixed(digits))

/** CPU time of a frame, us, on its way to a quote; undefined without a round. */
export const costOf = (runs: readonly FrameRun[]): number | undefined =>
  medianOf(runs.map((run) => run.cpuUs / Math.max(1, run.tookUs.length)))

/** The same of `JSON.parse` alone. */
export const parseCostOf = (runs: readonly FrameRun[]): number | undefined =>
  medianOf(runs.map(({ parse }) => parse.costUs))

export function frameCase<Bench extends string, Name extends string>(
  bench: Bench,
  name: Name,
  lists: readonly Float64Array[],
  costUs: number,
): FrameCase<Bench, Name> {
  const tookUs = flattened(lists)
  return {
    bench,
    case: name,
    n: tookUs.length,
    p50_us: round(percentileOf(tookUs, 50), 2),
    p99_us: round(percentileOf(tookUs, 99), 2),
    frames_per_s: Math.round(1_000_000 / costUs),
  }
}

export function flattened(lists: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(lists.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const list of lists) {
    all.set(list, at)
    at += list.length
  }
  return all
}

export const FRAME_COLUMNS: readonly Column<FrameCase<string, string>>[] = [
  { title: 'case', value: (each) => each.case },
  { title: 'p50', align: 'right', value: (each) => String(each.p50_us), tone: () => 'strong' },
  { title: 'p99', align: 'right', value: (each) => String(each.p99_us) },
  { title: 'frames/s', align: 'right', value: (each) => String(each.frames_per_s), tone: () => 'strong' },
  { title: 'n', align: 'right', value: (each) => String(each.n), dropOrder: 1 },
]
