/** How long to wait before the next attempt. Pure. */

import type { Backoff } from '../core/backoff.js'

/** A connection that gave books for so long was a good one; a shorter one is an attempt that failed. */
const GOOD_AFTER_US = 5_000_000
/** A venue that refuses by its status means it: a key, a rate, a maintenance are not mended within a second. */
const LEAST_AFTER_REFUSAL_MS = 1000

export class RedialPace {
  private liveSinceUs: number | undefined

  constructor(private readonly backoff: Backoff) {}

  /** A book came. */
  live(nowUs: number): void {
    this.liveSinceUs ??= nowUs
  }

  /** The connection ended, or never began; milliseconds until the next. */
  ended(nowUs: number, { isRefused }: { readonly isRefused: boolean }): number {
    const isGood = this.liveSinceUs !== undefined && nowUs - this.liveSinceUs >= GOOD_AFTER_US
    this.liveSinceUs = undefined
    if (isGood) this.backoff.reset()
    const delayMs = this.backoff.nextMs()
    return isRefused ? Math.max(delayMs, LEAST_AFTER_REFUSAL_MS) : delayMs
  }
}
