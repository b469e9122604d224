/** A rate cap that allows bursts. Pure: time is an argument. */

export interface RateLimit {
  readonly perSecond: number
  /** As many at once after a silence. */
  readonly burst: number
}

export class TokenBucket {
  private tokens: number
  private atMs: number

  constructor(
    private readonly limit: RateLimit,
    nowMs: number,
  ) {
    this.tokens = limit.burst
    this.atMs = nowMs
  }

  /** Milliseconds until there is a token, 0 when there is one now; nothing is taken. */
  waitMs(nowMs: number): number {
    const { perSecond, burst } = this.limit
    this.tokens = Math.min(burst, this.tokens + (Math.max(0, nowMs - this.atMs) * perSecond) / 1000)
    this.atMs = nowMs
    return this.tokens >= 1 ? 0 : Math.ceil(((1 - this.tokens) * 1000) / perSecond)
  }

  /** Takes the token that `waitMs` has just found. */
  take(): void {
    this.tokens -= 1
  }
}
