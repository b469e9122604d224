/**
 * A mergeable latency histogram: log-linear buckets, 64 per power of two, so a percentile is at most 1.6 % high.
 * Values are whole microseconds, 0 to about 2^40.
 */

const SUB_BITS = 6
const SUB_BUCKETS = 1 << SUB_BITS
const MAX_EXPONENT = 40
const BUCKETS = SUB_BUCKETS * (MAX_EXPONENT - SUB_BITS + 2)

export interface HistogramSummary {
  readonly min: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
  readonly n: number
}

/** Both edges are among its values. */
export interface HistogramBucket {
  readonly from_us: number
  readonly to_us: number
  readonly count: number
}

export class Histogram {
  private readonly counts = new Float64Array(BUCKETS)
  private n = 0
  private min = Infinity
  private max = 0

  /** Counts one value; negative ones (clocks of two hosts) count as 0. */
  record(us: number): void {
    const value = us > 0 ? Math.round(us) : 0
    const index = Math.min(bucketOf(value), BUCKETS - 1)
    this.counts[index] = (this.counts[index] ?? 0) + 1
    this.n++
    if (value < this.min) this.min = value
    if (value > this.max) this.max = value
  }

  get count(): number {
    return this.n
  }

  merge(other: Histogram): void {
    for (let index = 0; index < BUCKETS; index++) {
      const added = other.counts[index] ?? 0
      if (added > 0) this.counts[index] = (this.counts[index] ?? 0) + added
    }
    this.n += other.n
    this.min = Math.min(this.min, other.min)
    this.max = Math.max(this.max, other.max)
  }

  /** The value that `percent` of the records do not exceed: the upper edge of its bucket. 0 when empty. */
  percentile(percent: number): number {
    if (this.n === 0) return 0
    const rank = Math.max(1, Math.ceil((percent / 100) * this.n))
    let seen = 0
    for (let index = 0; index < BUCKETS; index++) {
      seen += this.counts[index] ?? 0
      if (seen >= rank) return Math.min(upperEdgeOf(index), this.max)
    }
    return this.max
  }

  /** Those that hold something, in order. */
  buckets(): HistogramBucket[] {
    return [...this.counts.entries()]
      .filter(([, count]) => count > 0)
      .map(([index, count]) => ({ from_us: lowerEdgeOf(index), to_us: upperEdgeOf(index), count }))
  }

  /** As heartbeats and reports carry it. */
  beat(): { readonly p50_us: number; readonly p99_us: number; readonly n: number } {
    return { p50_us: this.percentile(50), p99_us: this.percentile(99), n: this.n }
  }

  summary(): HistogramSummary {
    return {
      min: this.n === 0 ? 0 : this.min,
      p50: this.percentile(50),
      p90: this.percentile(90),
      p99: this.percentile(99),
      p999: this.percentile(99.9),
      max: this.max,
      n: this.n,
    }
  }
}

/** Below 64 a bucket a value; above, the top 7 bits of the value name it. */
function bucketOf(value: number): number {
  if (value < SUB_BUCKETS) return value
  const exponent = Math.floor(Math.log2(value))
  const shift = exponent - SUB_BITS
  return (shift + 1) * SUB_BUCKETS + (Math.floor(value / 2 ** shift) - SUB_BUCKETS)
}

const lowerEdgeOf = (index: number): number => (index === 0 ? 0 : upperEdgeOf(index - 1) + 1)

function upperEdgeOf(index: number): number {
  if (index < SUB_BUCKETS) return index
  const shift = Math.floor(index / SUB_BUCKETS) - 1
  return (SUB_BUCKETS + (index % SUB_BUCKETS) + 1) * 2 ** shift - 1
}
