/** Faults that end by themselves after a real time. */

import type { Clock } from '../core/clock.js'

export class Lasting {
  private ends: readonly { readonly atUs: number; readonly end: () => void }[] = []

  constructor(private readonly clock: Clock) {}

  /** Without a time it lasts to the end. */
  add(forMs: number | undefined, end: () => void): void {
    if (forMs === undefined) return
    this.ends = [...this.ends, { atUs: this.clock.monoUs() + forMs * 1000, end }]
  }

  /** Ends what has lasted long enough. */
  step(): void {
    const nowUs = this.clock.monoUs()
    const over = this.ends.filter(({ atUs }) => atUs <= nowUs)
    if (over.length === 0) return
    this.ends = this.ends.filter((each) => !over.includes(each))
    for (const { end } of over) end()
  }
}
