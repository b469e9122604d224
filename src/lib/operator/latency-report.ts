/** What `arbees latency` tells at the end, on one line: others rely on its shape, `--compare` reads it again. */

import { hostId } from '../core/ids.js'
import { judgeThreshold } from './latency-assert.js'
import type { Threshold, Verdict } from './latency-assert.js'
import type { HostSkew, MonotonicError } from './latency-clock.js'
import type { LatencyRun, MeasuredChannel, ReportedHop } from './latency.js'
import { compareFigures } from './latency-compare.js'
import type { Comparison, EarlierFigures } from './latency-compare.js'
import { figuresOf } from './latency-figures.js'
import type { HopFigures } from './latency-figures.js'

/** As `arbees bench` describes it. */
export type Machine = Readonly<Record<string, string | number | null>>

export interface LatencyReport {
  readonly mode: 'live' | 'probe'
  readonly env: string
  readonly prefixes: readonly string[]
  readonly ended: string
  readonly from_ms: number
  readonly to_ms: number
  /** Read from the bus, or answered by who was asked. */
  readonly messages: number
  readonly gaps: number
  readonly missing: number
  readonly problems: Readonly<Record<string, number>>
  readonly hops: readonly HopFigures[]
  /** From the bus to this command: no hop of the fleet. */
  readonly receive: readonly HopFigures[]
  readonly channels: readonly MeasuredChannel[]
  readonly clock: MonotonicError & {
    readonly host: string
    /** Readings of one host's clock below zero: there can be none. */
    readonly backwards: number
    readonly hosts: readonly HostSkew[]
  }
  readonly unmatched: number
  readonly unmirrored: number
  readonly reported: readonly ReportedHop[]
  readonly asserts: readonly Verdict[]
  readonly compared: readonly Comparison[]
  readonly machine: Machine
}

export interface ReportOptions {
  readonly mode: LatencyReport['mode']
  readonly env: string
  readonly prefixes: readonly string[]
  readonly monotonic: MonotonicError
  readonly machine: Machine
  readonly dist: boolean
  readonly thresholds: readonly Threshold[]
  readonly earlier: readonly EarlierFigures[] | undefined
}

export function reportOf(run: LatencyRun, options: ReportOptions): LatencyReport {
  const { mode, env, prefixes, monotonic, machine, dist, thresholds, earlier } = options
  const rows = run.rows.map((row) => figuresOf(row, monotonic, run.skews, dist))
  const hops = rows.filter(({ hop }) => hop !== 'receive')
  return {
    mode,
    env,
    prefixes,
    ended: run.ended,
    from_ms: run.fromMs,
    to_ms: run.toMs,
    messages: run.messages,
    gaps: run.gaps,
    missing: run.missing,
    problems: run.problems,
    hops,
    receive: rows.filter(({ hop }) => hop === 'receive'),
    channels: run.channels,
    clock: { ...monotonic, host: hostId(), backwards: run.backwards, hosts: run.skews },
    unmatched: run.unmatched,
    unmirrored: run.unmirrored,
    reported: run.reported,
    asserts: thresholds.map((threshold) => judgeThreshold(threshold, rows)),
    compared: earlier === undefined ? [] : compareFigures(earlier, hops),
    machine,
  }
}
