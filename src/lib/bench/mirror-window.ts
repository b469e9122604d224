/** What a mirror notes of one stretch: each message's lag, and its own processor time over the measured part. */

import { percentileOf } from './percentiles.js'
import { cpuUs } from './process-cost.js'

/**
 * Of everything that was measured, from the stamp of the publisher to the reply of the write that holds the message,
 * us. What was not written is later than all that was: null where that is reached.
 */
export interface Lags {
  readonly p50_us: number | null
  readonly p90_us: number | null
  readonly p99_us: number | null
  readonly max_us: number | null
}

/** What to note of the next stretch, over all publishers. */
export interface Watch {
  /** By source: the seq of its first measured message. */
  readonly firstMeasured: Readonly<Record<string, number>>
  /** Of each source. */
  readonly measured: number
}

export interface Written {
  readonly count: number
  readonly lags: Lags
  /** Of the mirroring process from the first reply to the last. */
  readonly cpuUs: number
  /** Messages a second between the same. */
  readonly rate: number
  /** The host's monotonic clock at the last reply; null when there was none. */
  readonly lastReplyUs: number | null
}

interface SourceLags {
  readonly firstSeq: number
  readonly us: Float64Array
}

export class MirrorWindow {
  private readonly sources: ReadonlyMap<string, SourceLags>
  private readonly expected: number
  private count = 0
  private firstUs = 0
  private lastUs = 0
  private cpuAtFirst = 0
  private cpuAtLast: number | undefined

  constructor({ firstMeasured, measured }: Watch) {
    const sources = Object.entries(firstMeasured)
    this.expected = measured * sources.length
    this.sources = new Map(
      sources.map(([source, firstSeq]) => [
        source,
        { firstSeq, us: new Float64Array(measured).fill(Infinity) },
      ]),
    )
  }

  /** Everything is in Redis. */
  get complete(): boolean {
    return this.count === this.expected
  }

  /** A message is in Redis: when it was published and when the reply came, the host's monotonic clock. */
  record(source: string, seq: number, pubUs: number, nowUs: number): void {
    const lags = this.sources.get(source)
    const index = seq - (lags?.firstSeq ?? 0)
    if (lags?.us[index] !== Infinity) return
    lags.us[index] = nowUs - pubUs
    if (this.count === 0) {
      this.firstUs = nowUs
      this.cpuAtFirst = cpuUs()
    }
    this.count++
    this.lastUs = nowUs
    if (this.complete) this.cpuAtLast = cpuUs()
  }

  written(): Written {
    const { count } = this
    const spanUs = this.lastUs - this.firstUs
    return {
      count,
      lags: this.lags(),
      cpuUs: count === 0 ? 0 : (this.cpuAtLast ?? cpuUs()) - this.cpuAtFirst,
      rate: spanUs > 0 ? ((count - 1) * 1e6) / spanUs : 0,
      lastReplyUs: count === 0 ? null : this.lastUs,
    }
  }

  private lags(): Lags {
    const all = new Float64Array(this.expected)
    let place = 0
    for (const { us } of this.sources.values()) {
      all.set(us, place)
      place += us.length
    }
    const at = (percent: number) => {
      const us = percentileOf(all, percent)
      return us === Infinity ? null : us
    }
    return { p50_us: at(50), p90_us: at(90), p99_us: at(99), max_us: at(100) }
  }
}
