/**
 * How long an answer has been awaited, as far as we were there to see it come: a pause of our own process counts for a
 * moment only, because the answer may lie in the socket already.
 */

/** The most that counts between two looks. */
const STEP_MS = 250

export class Patience {
  /** Undefined while nothing is awaited. */
  private spentMs: number | undefined
  private lookedMs = 0

  /** Something is awaited from now on, if it was not before. */
  begin(nowMs: number): void {
    if (this.spentMs !== undefined) return
    this.spentMs = 0
    this.lookedMs = nowMs
  }

  /** It came, or whoever it is awaited from was heard to be busy or away. */
  reset(): void {
    this.spentMs = undefined
  }

  /** Whether `limitMs` were spent; look some times a second. */
  isSpent(limitMs: number, nowMs: number): boolean {
    if (this.spentMs === undefined) return false
    this.spentMs += Math.min(STEP_MS, Math.max(0, nowMs - this.lookedMs))
    this.lookedMs = nowMs
    return this.spentMs >= limitMs
  }
}
