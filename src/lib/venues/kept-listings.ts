/** Listings that stand in for a while when the venue cannot be asked. */

import type { Clock } from '../core/clock.js'
import type { League } from '../model/game.js'

const MAX_AGE_MS = 300_000

export class KeptListings<T extends { readonly askedMs: number }> {
  private readonly kept = new Map<League, T>()

  constructor(private readonly clock: Clock) {}

  set(league: League, listing: T): void {
    this.kept.set(league, listing)
  }

  /** However old. */
  entries(): IterableIterator<[League, T]> {
    return this.kept.entries()
  }

  /** The last one, when it is young enough. */
  get(league: League): T | undefined {
    return this.ageMs(league) > MAX_AGE_MS ? undefined : this.kept.get(league)
  }

  /** Since the venue was asked, our wall clock; all time when it never was. */
  ageMs(league: League): number {
    return Math.max(0, this.clock.nowMs() - (this.kept.get(league)?.askedMs ?? 0))
  }
}
