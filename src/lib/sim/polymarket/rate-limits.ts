/**
 * Calls per ten seconds, as the CDN before the venue counts them: what the last window held counts in part. A call over
 * the limit is answered 429 and still counts.
 */

import { polyError } from './errors.js'

const WINDOW_MS = 10_000

interface Limit {
  readonly method?: string
  readonly path: RegExp
  readonly calls: number
}

/** Each call counts in every row that fits. */
const LIMITS: readonly Limit[] = [
  { path: /./, calls: 9000 },
  { path: /^\/(book|price|midpoint)$/, calls: 1500 },
  { path: /^\/books$/, calls: 500 },
  { method: 'POST', path: /^\/order$/, calls: 3500 },
  { method: 'DELETE', path: /^\/order$/, calls: 3000 },
  { method: 'POST', path: /^\/orders$/, calls: 1000 },
  { method: 'DELETE', path: /^\/orders$/, calls: 1000 },
  { path: /^\/data\//, calls: 500 },
  { path: /^\/balance-allowance/, calls: 200 },
  { path: /^\/auth\//, calls: 100 },
]

export const tooManyRequests = polyError(429, 'rate_limited', 'Too Many Requests')

export class RateLimits {
  private readonly counts = LIMITS.map(() => ({ window: 0, now: 0, before: 0 }))

  /** False when this call is one too many. */
  take(method: string, path: string, nowMs: number): boolean {
    const window = Math.floor(nowMs / WINDOW_MS)
    const share = 1 - (nowMs % WINDOW_MS) / WINDOW_MS
    let within = true
    LIMITS.forEach((limit, row) => {
      const count = this.counts[row]
      if (count === undefined || !limit.path.test(path) || (limit.method ?? method) !== method) return
      if (count.window !== window) {
        count.before = count.window === window - 1 ? count.now : 0
        count.now = 0
        count.window = window
      }
      count.now += 1
      if (count.before * share + count.now > limit.calls) within = false
    })
    return within
  }
}
