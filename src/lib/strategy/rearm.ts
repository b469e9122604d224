/**
 * When a plan may be signaled again. A quote changes many times while an opportunity lasts, and exec takes one open
 * plan per combination, so a second signal for the same one is noise; and what a signal was sent to take is no longer
 * there for another combination that wants the same offer. After a signal its offers are held until the plan can no
 * longer be open: validity, the venues' delays and the time of the legs have passed. The same combination alone may be
 * signaled before that:
 *
 *   - when the opportunity was seen to be gone: all gates held and there was no plan;
 *   - when the first share's net edge is above the one signaled.
 *
 * For another combination neither proves anything: the plan that was signaled may still send the order that takes the offer.
 * A gate that closes proves nothing about the opportunity and releases nothing. Time is an argument (monotonic, us).
 */

import type { Combination } from './combination.js'

interface Hold {
  /** The combination that was signaled. */
  readonly key: string
  /** What the same combination must beat; below any edge once it was gone. */
  readonly topEdgeMicros: number
  readonly untilUs: number
}

export class Rearm {
  /** By offer. */
  private readonly held = new Map<string, Hold>()
  /** Offers whose holder is traded no more: their holds end with their time. */
  private readonly leaving = new Set<string>()

  /** Whether a plan with this edge may be signaled now. */
  allows({ key, legs }: Combination, topEdgeMicros: number, nowUs: number): boolean {
    if (this.leaving.size > 0) this.sweep(nowUs)
    return legs.every(({ offer }) => {
      const hold = this.held.get(offer)
      if (hold === undefined || nowUs >= hold.untilUs) return true
      return hold.key === key && topEdgeMicros > hold.topEdgeMicros
    })
  }

  /** A signal went out. */
  hold({ key, legs }: Combination, topEdgeMicros: number, untilUs: number): void {
    for (const { offer } of legs) {
      this.held.set(offer, { key, topEdgeMicros, untilUs })
      this.leaving.delete(offer)
    }
  }

  /** It is there still, and may have been signaled again elsewhere. */
  extend({ key, legs }: Combination, untilUs: number): void {
    for (const { offer } of legs) {
      const hold = this.held.get(offer)
      if (hold?.key === key) this.held.set(offer, { ...hold, untilUs: Math.max(hold.untilUs, untilUs) })
    }
  }

  /** The opportunity is gone. */
  release({ key, legs }: Combination): void {
    for (const { offer } of legs) {
      const hold = this.held.get(offer)
      if (hold?.key !== key || hold.topEdgeMicros === -Infinity) continue
      this.held.set(offer, { ...hold, topEdgeMicros: -Infinity })
    }
  }

  /**
   * The combination is no longer traded. It may come back at once, with another fee or tick: what was signaled is held
   * until its time is over.
   */
  forget({ key, legs }: Combination): void {
    for (const { offer } of legs) if (this.held.get(offer)?.key === key) this.leaving.add(offer)
  }

  private sweep(nowUs: number): void {
    for (const offer of this.leaving) {
      if (nowUs < (this.held.get(offer)?.untilUs ?? -Infinity)) continue
      this.held.delete(offer)
      this.leaving.delete(offer)
    }
  }
}
