/** How fast a past is played: in its own time, or so many times as fast. */

export class Pace {
  /** The past began then, publishers' wall clocks. */
  private beganMs: number | undefined
  /** Here. */
  private startedMs = 0

  /** `speed` 1 is as it was, 2 twice as fast, Infinity as fast as it goes. */
  constructor(private readonly speed: number) {}

  /** How long to wait at `nowMs`, any monotonic clock, before what is of `timestampMs` is due. */
  delayMs(timestampMs: number, nowMs: number): number {
    if (this.speed === Infinity || !Number.isFinite(timestampMs)) return 0
    if (this.beganMs === undefined) {
      this.beganMs = timestampMs
      this.startedMs = nowMs
    }
    return Math.max(0, this.startedMs + (timestampMs - this.beganMs) / this.speed - nowMs)
  }
}
