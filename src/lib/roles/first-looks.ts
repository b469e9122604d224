/**
 * Combinations that another shard, or an earlier life of this one, may have signaled already. Where there is more than
 * one shard, what is there at the first look at a game counts as signaled: it is held as if this shard had sent it. So
 * does what is there at the first look after a quote of another shard's on which this one could see nothing.
 */

import type { Combination } from '../strategy/combination.js'

/** What somebody signaled before the game came here is over by then: a hand-over, and a plan that may be open; us. */
const EXPIRE_US = 10_000_000
/**
 * Between two looks at all that is due. A quote of its own makes a combination's look at once; this is for markets that
 * stay quiet, and there may be thousands.
 */
const LOOK_EVERY_US = 500_000

const NONE: readonly Combination[] = []

export class FirstLooks {
  /** Until when the first look counts; monotonic, us. */
  private readonly untilUs = new Map<Combination, number>()
  /** Since which quote, by its publisher's clock, it is not known whose the quotes are, ms. */
  private readonly unclearMs = new Map<Combination, number>()
  private lookedUs = -Infinity

  get isEmpty(): boolean {
    return this.untilUs.size === 0 && this.unclearMs.size === 0
  }

  /** A quote touched these that was sent at `sentMs`, and it is not known whose. */
  awaitOwner(combinations: readonly Combination[], sentMs: number): void {
    for (const each of combinations) {
      this.unclearMs.set(each, Math.min(this.unclearMs.get(each) ?? Infinity, sentMs))
    }
  }

  /** Whose all the quotes of these are up to one of `sentMs` is known: where some may be another's, a look is due. */
  ownerKnown(combinations: readonly Combination[], sentMs: number, nowUs: number): void {
    if (this.unclearMs.size === 0) return
    for (const each of combinations) {
      const fromMs = this.unclearMs.get(each)
      if (fromMs === undefined) continue
      if (each.game.ownership?.isOwnBetween(fromMs, sentMs) === false) this.await([each], nowUs)
      else this.unclearMs.delete(each)
    }
  }

  /** A game came here with these, or a quote of another shard's did not let them be seen. */
  await(combinations: readonly Combination[], nowUs: number): void {
    for (const combination of combinations) {
      this.untilUs.set(combination, nowUs + EXPIRE_US)
      this.unclearMs.delete(combination)
    }
  }

  /** Those that are still to be looked at; none, shortly after they were said. */
  due(nowUs: number): readonly Combination[] {
    if (nowUs - this.lookedUs < LOOK_EVERY_US) return NONE
    this.lookedUs = nowUs
    for (const [combination, untilUs] of this.untilUs) if (nowUs >= untilUs) this.untilUs.delete(combination)
    return [...this.untilUs.keys()]
  }

  has(combination: Combination, nowUs: number): boolean {
    return nowUs < (this.untilUs.get(combination) ?? -Infinity)
  }

  /** It was looked at. */
  seen(combination: Combination): void {
    this.untilUs.delete(combination)
  }

  /** It is traded no more. */
  forget(combination: Combination): void {
    this.untilUs.delete(combination)
    this.unclearMs.delete(combination)
  }
}
