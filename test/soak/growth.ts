/**
 * Does a process grow? A line through its samples by least squares, and a bound in relation to its size. Pure, but for
 * `sampleOf`, which reads /proc.
 */

import { existsSync, readFileSync, readdirSync } from 'node:fs'

export interface Sample {
  /** Since the start of the run. */
  readonly atMs: number
  readonly rssBytes: number
  readonly descriptors: number
}

export interface Trend {
  readonly mean: number
  readonly perHour: number
  /** What the line rises from the first sample to the last; below 0 when it falls. */
  readonly grown: number
  /** What of that is chance: twice its standard error. */
  readonly doubt: number
}

export interface Growth {
  readonly process: string
  readonly samples: number
  readonly rssMegabytes: Trend
  readonly descriptors: Trend
  /** What is wrong with it; empty when nothing is. */
  readonly failures: readonly string[]
}

/** The line may rise so much within the time that was measured, its doubt aside: a share of the mean, and a little. */
const RSS_BOUND = { share: 0.1, slack: 8 }
const DESCRIPTOR_BOUND = { share: 0.1, slack: 2 }
/**
 * Samples of so long are one point of the line. Garbage collection makes waves of such a length: points closer together
 * would seem to agree more than they do.
 */
const POINT_MS = 15_000
/** A line through fewer points says nothing. */
const FEWEST_POINTS = 4
const MEGABYTE = 1024 * 1024
const HOUR_MS = 3_600_000

export const canSample = (): boolean => existsSync('/proc/self/status')

/** Undefined when the process is gone. */
export function sampleOf(pid: number, atMs: number): Sample | undefined {
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    const descriptors = readdirSync(`/proc/${pid}/fd`).length
    return kilobytes === undefined ? undefined : { atMs, rssBytes: Number(kilobytes) * 1024, descriptors }
  } catch {
    return undefined
  }
}

export function growthOf(process: string, samples: readonly Sample[]): Growth {
  const points = pointsOf(samples)
  const rssMegabytes = trendOf(points.map(({ atMs, rssBytes }) => [atMs, rssBytes / MEGABYTE]))
  const descriptors = trendOf(points.map(({ atMs, descriptors: open }) => [atMs, open]))
  const failures = [
    ...tooMuch(rssMegabytes, RSS_BOUND, 'MB'),
    ...tooMuch(descriptors, DESCRIPTOR_BOUND, 'file descriptors'),
  ]
  if (points.length < FEWEST_POINTS) failures.push(`was followed for ${points.length} points only`)
  const told = failures.map((text) => `${process} ${text}`)
  return { process, samples: samples.length, rssMegabytes, descriptors, failures: told }
}

/** Each the mean of the samples of a stretch of time. */
function pointsOf(samples: readonly Sample[]): Sample[] {
  const stretches = new Map<number, Sample[]>()
  for (const sample of samples) {
    const stretch = Math.floor(sample.atMs / POINT_MS)
    const own = stretches.get(stretch)
    if (own === undefined) stretches.set(stretch, [sample])
    else own.push(sample)
  }
  return [...stretches.values()].map((own) => ({
    atMs: average(own.map(({ atMs }) => atMs)),
    rssBytes: average(own.map(({ rssBytes }) => rssBytes)),
    descriptors: average(own.map(({ descriptors }) => descriptors)),
  }))
}

function tooMuch(
  { mean, grown, doubt }: Trend,
  bound: { readonly share: number; readonly slack: number },
  unit: string,
): string[] {
  const most = mean * bound.share + bound.slack
  if (grown - doubt <= most) return []
  return [`grew by ${grown.toFixed(1)} (± ${doubt.toFixed(1)}) ${unit}, more than ${most.toFixed(1)}`]
}

function trendOf(points: readonly (readonly [atMs: number, value: number])[]): Trend {
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined || points.length < 3) {
    return { mean: 0, perHour: 0, grown: 0, doubt: 0 }
  }
  const meanMs = average(points.map(([atMs]) => atMs))
  const mean = average(points.map(([, value]) => value))
  const spread = sum(points.map(([atMs]) => (atMs - meanMs) ** 2))
  const perMs = sum(points.map(([atMs, value]) => (atMs - meanMs) * (value - mean))) / spread
  const off = sum(points.map(([atMs, value]) => (value - mean - perMs * (atMs - meanMs)) ** 2))
  const error = Math.sqrt(off / (points.length - 2) / spread)
  const measuredMs = last[0] - first[0]
  return { mean, perHour: perMs * HOUR_MS, grown: perMs * measuredMs, doubt: 2 * error * measuredMs }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
const average = (values: readonly number[]): number => sum(values) / values.length
