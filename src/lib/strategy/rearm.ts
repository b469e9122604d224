/**
 * When a plan may be signaled again. A quote changes many times while an opportunity lasts, and exec takes one open
 * plan per pair and orientation, so a second signal for the same one is noise. After a signal its key is held until
 * the first of these:
 *
 *   - the opportunity was seen to be gone: all gates held and there was no plan;
 *   - the first share's net edge is above the one signaled;
 *   - the plan can no longer be open: validity, the venues' delays and the time of the legs have passed.
 *
 * A gate that closes proves nothing about the opportunity and releases nothing. Time is an argument (monotonic, us).
 */

export class Rearm {
  private readonly held = new Map<string, { readonly topEdgeMicros: number; readonly untilUs: number }>()

  /** Whether a plan with this edge may be signaled now. */
  allows(key: string, topEdgeMicros: number, nowUs: number): boolean {
    const hold = this.held.get(key)
    return hold === undefined || nowUs >= hold.untilUs || topEdgeMicros > hold.topEdgeMicros
  }

  /** A signal went out. */
  hold(key: string, topEdgeMicros: number, untilUs: number): void {
    this.held.set(key, { topEdgeMicros, untilUs })
  }

  /** The opportunity is gone, or its pair is no longer traded. */
  release(key: string): void {
    this.held.delete(key)
  }

  get size(): number {
    return this.held.size
  }
}
