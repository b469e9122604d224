/** What the receiver notes of one run: latencies by sequence, and its own processor time over the measured part. */

import type { Pace } from './pacing.js'
import { percentileOf } from './percentiles.js'
import { cpuUs } from './process-cost.js'

export interface Latency {
  readonly p50_us: number
  readonly p90_us: number
  readonly p99_us: number
  readonly max_us: number
}

export interface Arrivals {
  readonly received: number
  /** From the instant a message was due until the reader's handler had it: decoded, checked, in sequence. */
  readonly fromSchedule: Latency
  /** From the call of publish, before encoding, to the same end. */
  readonly fromPublish: Latency
  readonly cpuUs: number
  /** Messages a second between the first and the last arrival. */
  readonly rate: number
}

export class HopWindow {
  private readonly fromSchedule: Float64Array
  private readonly fromPublish: Float64Array
  private received = 0
  private firstUs = 0
  private lastUs = 0
  private cpuAtFirst = 0
  private cpuAtLast = 0

  constructor(
    private readonly firstMeasuredSeq: number,
    private readonly run: Pace,
  ) {
    this.fromSchedule = new Float64Array(run.measured)
    this.fromPublish = new Float64Array(run.measured)
  }

  /** Everything has arrived. */
  get complete(): boolean {
    return this.received === this.run.measured
  }

  /** Monotonic time of the last arrival, us; 0 before the first. */
  get lastArrivalUs(): number {
    return this.lastUs
  }

  record(seq: number, dueUs: number, pubUs: number, nowUs: number): void {
    const index = seq - this.firstMeasuredSeq
    if (index < 0 || index >= this.run.measured) return
    if (this.received === 0) {
      this.firstUs = nowUs
      this.cpuAtFirst = cpuUs()
    }
    this.fromSchedule[this.received] = nowUs - dueUs
    this.fromPublish[this.received] = nowUs - pubUs
    this.received++
    this.lastUs = nowUs
    if (index === this.run.measured - 1) this.cpuAtLast = cpuUs()
  }

  arrivals(): Arrivals {
    // The last message may be the one that was lost.
    const cpuAtLast = this.cpuAtLast === 0 ? cpuUs() : this.cpuAtLast
    const spanUs = this.lastUs - this.firstUs
    return {
      received: this.received,
      fromSchedule: summarize(this.fromSchedule.subarray(0, this.received)),
      fromPublish: summarize(this.fromPublish.subarray(0, this.received)),
      cpuUs: this.received === 0 ? 0 : cpuAtLast - this.cpuAtFirst,
      rate: spanUs > 0 ? ((this.received - 1) * 1e6) / spanUs : 0,
    }
  }
}

const summarize = (samples: Float64Array): Latency => ({
  p50_us: percentileOf(samples, 50),
  p90_us: percentileOf(samples, 90),
  p99_us: percentileOf(samples, 99),
  max_us: percentileOf(samples, 100),
})
