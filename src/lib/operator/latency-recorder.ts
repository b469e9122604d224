/** What a measurement writes down: the whole run by its grouping, and each interval by hop. */

import type { Clock } from '../core/clock.js'
import type { Sample } from './latency-hops.js'
import { HopTotals } from './latency-totals.js'
import type { Grouping, HopRow } from './latency-totals.js'

/** What was measured from one moment to another. */
export interface Interval {
  /** Our wall clock. */
  readonly fromMs: number
  readonly toMs: number
  /** Read, or answered. */
  readonly messages: number
  readonly rows: readonly HopRow[]
}

export interface RecorderOptions {
  readonly clock: Clock
  readonly grouping: Grouping
  readonly intervalMs: number
  /** By hop, whatever the grouping. */
  readonly onInterval: (interval: Interval) => void
}

export class LatencyRecorder {
  private readonly totals: HopTotals
  private readonly timer: NodeJS.Timeout
  private readonly startMs: number
  private messages = 0
  private interval = new HopTotals('hop')
  private intervalFromMs: number
  private messagesBefore = 0

  /** Begins now. */
  constructor(private readonly options: RecorderOptions) {
    this.totals = new HopTotals(options.grouping)
    this.startMs = options.clock.nowMs()
    this.intervalFromMs = this.startMs
    this.timer = setInterval(() => this.endInterval(), options.intervalMs)
  }

  count(): void {
    this.messages++
  }

  record(sample: Sample): void {
    this.totals.record(sample)
    this.interval.record(sample)
  }

  /** Ends the last interval, if something was measured in it, and tells of the whole run. */
  finish(): Interval {
    this.close()
    if (this.messages > this.messagesBefore) this.endInterval()
    return {
      fromMs: this.startMs,
      toMs: this.options.clock.nowMs(),
      messages: this.messages,
      rows: this.totals.rows(),
    }
  }

  close(): void {
    clearInterval(this.timer)
  }

  private endInterval(): void {
    const toMs = this.options.clock.nowMs()
    const messages = this.messages - this.messagesBefore
    this.options.onInterval({ fromMs: this.intervalFromMs, toMs, messages, rows: this.interval.rows() })
    this.interval = new HopTotals('hop')
    this.intervalFromMs = toMs
    this.messagesBefore = this.messages
  }
}
