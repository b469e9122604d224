/** From histograms to the figures of a hop, with what their clocks are worth. */

import { hostId } from '../core/ids.js'
import type { HistogramBucket } from '../telemetry/histogram.js'
import { WALL_RESOLUTION_US } from './latency-clock.js'
import type { HostSkew, MonotonicError } from './latency-clock.js'
import type { Hop, Reading } from './latency-hops.js'
import type { HopRow } from './latency-totals.js'

/** Percentiles are at most 1.6 % high; all times in us. */
export interface HopFigures {
  readonly hop: Hop
  readonly by: string | null
  readonly clock: Reading['clock']
  /** How wrong the clocks can make it, us; null where nobody knows. */
  readonly clock_error_us: number | null
  /** Of a hop between two hosts: how far the second one's wall clock is ahead; the figures contain it. */
  readonly skew_us: number | null
  readonly hosts: readonly [from: string, to: string] | null
  readonly min_us: number
  readonly p50_us: number
  readonly p90_us: number
  readonly p99_us: number
  readonly p999_us: number
  readonly max_us: number
  readonly n: number
  /** Samples below zero, taken as 0: one clock is behind the other. */
  readonly below_zero: number
  /** With `--dist`. */
  readonly dist?: readonly HistogramBucket[]
}

export function figuresOf(
  { hop, by, clock, from, to, histogram, belowZero }: HopRow,
  monotonic: MonotonicError,
  skews: readonly HostSkew[],
  dist = false,
): HopFigures {
  const { min, p50, p90, p99, p999, max, n } = histogram.summary()
  return {
    hop,
    by,
    clock,
    ...clockErrorOf(clock, from, to, monotonic, skews),
    hosts: from === null || to === null ? null : [from, to],
    min_us: min,
    p50_us: p50,
    p90_us: p90,
    p99_us: p99,
    p999_us: p999,
    max_us: max,
    n,
    below_zero: belowZero,
    ...(dist ? { dist: histogram.buckets() } : {}),
  }
}

function clockErrorOf(
  clock: Reading['clock'],
  from: string | null,
  to: string | null,
  monotonic: MonotonicError,
  skews: readonly HostSkew[],
): Pick<HopFigures, 'clock_error_us' | 'skew_us'> {
  switch (clock) {
    case 'monotonic':
      return { clock_error_us: monotonic.error_us, skew_us: null }
    case 'venue':
      return { clock_error_us: null, skew_us: null }
    case 'wall': {
      const [first, second] = [from, to].map((host) => skewOf(host, skews))
      if (first === undefined || second === undefined) return { clock_error_us: null, skew_us: null }
      const known = first.errorUs !== null && second.errorUs !== null
      return {
        clock_error_us: known ? Number(first.errorUs) + Number(second.errorUs) + WALL_RESOLUTION_US : null,
        skew_us: second.skewUs - first.skewUs,
      }
    }
  }
}

/** Against our own wall clock, which is no skew. */
function skewOf(host: string | null, skews: readonly HostSkew[]) {
  if (host === hostId()) return { skewUs: 0, errorUs: 0 }
  const found = skews.find((skew) => skew.host === host)
  return found === undefined ? undefined : { skewUs: found.skew_us, errorUs: found.skew_error_us }
}
