/** A socket under fire, and what came of every frame. */

import type { Prng } from '../../src/lib/sim/prng.js'

export interface FuzzResult {
  /** Frames (or sessions) that were sent. */
  readonly sent: number
  /** What became of each, by outcome; they must add up to `expected`. */
  readonly outcomes: Readonly<Record<string, number>>
  /** How many of those sent the socket had to account for: a SUB never sees what no subscription asks for. */
  readonly expected: number
  /** A right message went through afterwards. */
  readonly worksAfter: boolean
}

export interface FuzzTarget {
  readonly name: string
  /** What is sent `runs` times. */
  readonly unit: string
  run(runs: number, random: Prng, progress: (done: number) => void): Promise<FuzzResult>
}

export function accountedFor({ outcomes, expected }: FuzzResult): boolean {
  return Object.values(outcomes).reduce((sum, each) => sum + each, 0) === expected
}

export class Tally {
  readonly counts: Record<string, number> = {}
  total = 0

  add(outcome: string): void {
    this.counts[outcome] = (this.counts[outcome] ?? 0) + 1
    this.total++
  }
}
