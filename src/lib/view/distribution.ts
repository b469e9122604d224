/** A picture of latencies: a bar for each step of a scale whose steps grow as the values do. */

import { bar } from './bar.js'
import { formatUs } from './units.js'

/** So many latencies from `from_us` to `to_us`, both included. */
export interface DistributionBucket {
  readonly from_us: number
  readonly to_us: number
  readonly count: number
}

/** A value that is pointed out: its name stands behind the bar of its step. */
export interface DistributionMark {
  readonly name: string
  readonly us: number
}

export interface DistributionOptions {
  /** Columns of the terminal. */
  readonly width: number
}

/** Steps of one decade. */
const STEPS = [1, 1.5, 2, 3, 5, 7] as const
const LABEL_WIDTH = 7
const SHARE_WIDTH = 8
/** The marks, and what stands between all of these. */
const REST_WIDTH = 20
const MIN_BAR_WIDTH = 10

interface Step {
  readonly fromUs: number
  readonly count: number
}

/** Lines from the lowest step that holds something to the highest, without a newline at the end; '' for no buckets. */
export function renderDistribution(
  buckets: readonly DistributionBucket[],
  marks: readonly DistributionMark[],
  { width }: DistributionOptions,
): string {
  const steps = stepsOf(buckets)
  const total = steps.reduce((sum, { count }) => sum + count, 0)
  const most = Math.max(0, ...steps.map(({ count }) => count))
  const barWidth = Math.max(MIN_BAR_WIDTH, width - LABEL_WIDTH - SHARE_WIDTH - REST_WIDTH)
  return steps
    .map(({ fromUs, count }, index) => {
      const endUs = steps[index + 1]?.fromUs ?? Infinity
      const names = marks.filter(({ us }) => us >= fromUs && us < endUs).map(({ name }) => name)
      const label = formatUs(fromUs).padStart(LABEL_WIDTH)
      const share = (count === 0 ? '' : shareOf(count, total)).padStart(SHARE_WIDTH)
      return `${label} ${share}  ${bar(count / most, barWidth)} ${names.join(' ')}`.trimEnd()
    })
    .join('\n')
}

function stepsOf(buckets: readonly DistributionBucket[]): Step[] {
  const counts = new Map<number, number>()
  for (const { from_us: fromUs, to_us: toUs, count } of buckets) {
    const step = stepBelow((fromUs + toUs) / 2)
    counts.set(step, (counts.get(step) ?? 0) + count)
  }
  const [least, most] = [Math.min(...counts.keys()), Math.max(...counts.keys())]
  const steps: Step[] = []
  for (let fromUs = least; fromUs <= most; fromUs = stepAbove(fromUs)) {
    steps.push({ fromUs, count: counts.get(fromUs) ?? 0 })
  }
  return steps
}

/** The greatest step that is not above a value; 0 for what is below 1. */
function stepBelow(us: number): number {
  if (us < 1) return 0
  const decade = 10 ** Math.floor(Math.log10(us))
  const found = STEPS.findLast((step) => step * decade <= us)
  return found === undefined ? decade : found * decade
}

function stepAbove(us: number): number {
  if (us < 1) return 1
  const decade = 10 ** Math.floor(Math.log10(us))
  const found = STEPS.find((step) => step * decade > us)
  return found === undefined ? decade * 10 : found * decade
}

function shareOf(count: number, total: number): string {
  const percent = (count / total) * 100
  return percent < 0.1 ? '<0.1 %' : `${percent.toFixed(1)} %`
}
