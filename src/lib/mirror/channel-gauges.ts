/** How old the oldest message is that Redis does not have, and how fast Redis moves on: one channel, pure. */

import { NOWHERE, isBefore } from '../bus/position.js'
import type { Position } from '../bus/position.js'

/** What a heartbeat says of the channel, and when it came. */
export interface GaugedBeat extends Position {
  /** Its publisher's wall clock. */
  readonly stampMs: number
  /** Our monotonic clock on arrival. */
  readonly heardMs: number
}

/** Where the channel is in Redis. */
export interface GaugedState {
  /** Undefined before the first record. */
  readonly position: Position | undefined
  /** Messages that Redis does not have. */
  readonly lag: number
  /** Its publisher's stamp on the oldest of them that is at hand; undefined while none is. */
  readonly oldestStampMs: number | undefined
}

/** The rate is of so long. */
const WINDOW_MS = 5_000

export class ChannelGauges {
  private latest: GaugedBeat | undefined
  /** The first heartbeat that told of something beyond Redis. */
  private ahead: GaugedBeat | undefined
  private readonly totals: { readonly atMs: number; readonly advanced: number }[]

  /** `nowMs`, here and below, is our monotonic clock. */
  constructor(nowMs: number) {
    this.totals = [{ atMs: nowMs, advanced: 0 }]
  }

  /** Call it after the channel has heard of it. */
  beat(beat: GaugedBeat, position: Position | undefined): void {
    this.latest = beat
    const at = position ?? NOWHERE
    if (this.ahead === undefined || !isBefore(at, this.ahead))
      this.ahead = isBefore(at, beat) ? beat : undefined
  }

  /**
   * Age of the oldest message that Redis does not have, ms by its publisher's clock: at least so much where a hole
   * before it is still to be pulled. 0 when Redis has all; undefined before the first heartbeat.
   */
  lagMs({ position, lag, oldestStampMs }: GaugedState, nowMs: number): number | undefined {
    if (lag === 0) return 0
    if (this.latest === undefined) return undefined
    const publisherMs = this.latest.stampMs + (nowMs - this.latest.heardMs)
    const isBeyond = this.ahead !== undefined && isBefore(position ?? NOWHERE, this.ahead)
    const told = isBeyond ? this.ahead?.stampMs : undefined
    return Math.max(0, publisherMs - Math.min(oldestStampMs ?? Infinity, told ?? Infinity, publisherMs))
  }

  /** `advanced` counts messages from the mirror's start; call it a few times a second. */
  note(advanced: number, nowMs: number): void {
    this.totals.push({ atMs: nowMs, advanced })
    while ((this.totals[1]?.atMs ?? Infinity) <= nowMs - WINDOW_MS) this.totals.shift()
  }

  /** Messages a second over the last 5 s, or since the start. */
  get perSecond(): number {
    const [first, last] = [this.totals[0], this.totals.at(-1)]
    if (first === undefined || last === undefined || last.atMs === first.atMs) return 0
    return ((last.advanced - first.advanced) * 1000) / (last.atMs - first.atMs)
  }
}
