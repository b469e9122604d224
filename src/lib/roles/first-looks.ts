/**
 * Combinations that another shard, or an earlier life of this one, may have signaled already. Where there is more than
 * one shard, what is there at the first look at a game counts as signaled: it is held as if this shard had sent it.
 */

import type { Combination } from '../strategy/combination.js'

/** What somebody signaled before the game came here is over by then: a hand-over, and a plan that may be open; us. */
const EXPIRE_US = 10_000_000

export class FirstLooks {
  /** Until when the first look counts; monotonic, us. */
  private readonly untilUs = new Map<Combination, number>()

  get isEmpty(): boolean {
    return this.untilUs.size === 0
  }

  /** A game came here with these. */
  await(combinations: readonly Combination[], nowUs: number): void {
    for (const combination of combinations) this.untilUs.set(combination, nowUs + EXPIRE_US)
  }

  /** Those that are still to be looked at. */
  due(nowUs: number): readonly Combination[] {
    for (const [combination, untilUs] of this.untilUs) if (nowUs >= untilUs) this.untilUs.delete(combination)
    return [...this.untilUs.keys()]
  }

  has(combination: Combination, nowUs: number): boolean {
    return nowUs < (this.untilUs.get(combination) ?? -Infinity)
  }

  /** It was looked at, or is traded no more. */
  forget(combination: Combination): void {
    this.untilUs.delete(combination)
  }
}
