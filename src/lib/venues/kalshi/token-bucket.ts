/** One of the venue's rate limits as we reckon it: tokens come continuously, a call takes its cost. Pure. */

export interface BucketLimit {
  readonly capacity: number
  readonly refillPerS: number
}

/** A refusal for rate closes the bucket for so long, twice as long each time, up to the most. */
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 8_000

/** Times are our monotonic clock's, ms. */
export class TokenBucket {
  private tokens: number
  private atMs: number
  private pauseMs = FIRST_PAUSE_MS

  constructor(
    private limit: BucketLimit,
    nowMs: number,
  ) {
    this.tokens = limit.capacity
    this.atMs = nowMs
  }

  /** What the account really has: tokens that are gone stay gone. */
  resize(limit: BucketLimit, nowMs: number): void {
    const spent = this.limit.capacity - this.available(nowMs)
    this.limit = limit
    this.tokens = Math.max(0, limit.capacity - Math.max(0, spent))
  }

  available(nowMs: number): number {
    // Ahead of now while it is closed.
    if (nowMs > this.atMs) {
      const { capacity, refillPerS } = this.limit
      this.tokens = Math.min(capacity, this.tokens + ((nowMs - this.atMs) / 1000) * refillPerS)
      this.atMs = nowMs
    }
    return this.tokens
  }

  /** Takes the cost; false, and nothing taken, when there is not enough. */
  take(cost: number, nowMs: number): boolean {
    if (this.available(nowMs) < cost) return false
    this.tokens -= cost
    return true
  }

  /** From now until so many can be there, ms; Infinity for more than it ever holds. */
  waitMs(cost: number, nowMs: number): number {
    const missing = cost - this.available(nowMs)
    if (missing <= 0) return 0
    const { capacity, refillPerS } = this.limit
    if (cost > capacity || refillPerS <= 0) return Infinity
    return Math.ceil(this.atMs - nowMs + (missing / refillPerS) * 1000)
  }

  /** The venue said that it is empty: it is, and stays so for a while. */
  refused(nowMs: number): void {
    this.available(nowMs)
    this.tokens = 0
    this.atMs = Math.max(this.atMs, nowMs + this.pauseMs)
    this.pauseMs = Math.min(LONGEST_PAUSE_MS, this.pauseMs * 2)
  }

  /** A call was not refused for its rate. */
  accepted(): void {
    this.pauseMs = FIRST_PAUSE_MS
  }
}
