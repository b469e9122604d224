/** A rate limit as Kalshi keeps it: tokens refill continuously, a call that finds too few is refused. */
export class TokenBucket {
  private tokens: number
  private atMs: number

  constructor(
    readonly capacity: number,
    readonly refillPerS: number,
    nowMs: number,
  ) {
    this.tokens = capacity
    this.atMs = nowMs
  }

  /** Takes the cost; false (and nothing taken) when there is not enough. */
  take(cost: number, nowMs: number): boolean {
    this.tokens = Math.min(
      this.capacity,
      this.tokens + (Math.max(0, nowMs - this.atMs) / 1000) * this.refillPerS,
    )
    this.atMs = nowMs
    if (this.tokens < cost) return false
    this.tokens -= cost
    return true
  }
}
