/** A socket under fire, and what it made of every frame. */

import type { Prng } from '../../src/lib/sim/prng.js'

type Counts = Readonly<Record<string, number>>

export interface FuzzResult {
  /** Frames (or sessions) that were sent. */
  readonly sent: number
  /** What the socket under test counted, by outcome; nothing where it does not count. */
  readonly counted: Counts
  /**
   * How many of those sent the socket had to count, each once; undefined where one may count as several, or as none,
   * and adding up would say nothing. A SUB never sees what no subscription asks for.
   */
  readonly expected?: { readonly atLeast: number; readonly atMost: number }
  /** Outcomes that must be among `counted`: a refusal that never came was not tried. */
  readonly mustCount: readonly string[]
  /** What the harness saw from outside: how its sessions ended, what its questions got. Claims nothing. */
  readonly seen: Counts
  /** A right message went through afterwards. */
  readonly worksAfter: boolean
}

export interface FuzzTarget {
  readonly name: string
  /** What is sent `runs` times. */
  readonly unit: string
  run(runs: number, random: Prng, progress: (done: number) => void): Promise<FuzzResult>
}

export const exactly = (count: number) => ({ atLeast: count, atMost: count })

/** Fewer may not happen to try everything. */
const ENOUGH = 1_000

/** What is wrong; empty when nothing is. */
export function faultsOf({ sent, counted, expected, mustCount, worksAfter }: FuzzResult): string[] {
  const total = Object.values(counted).reduce((sum, each) => sum + each, 0)
  const { atLeast = 0, atMost = Infinity } = expected ?? {}
  const missing = sent < ENOUGH ? [] : mustCount.filter((outcome) => (counted[outcome] ?? 0) === 0)
  return [
    ...(total < atLeast ? [`${total} counted, ${atLeast} expected`] : []),
    ...(total > atMost ? [`${total} counted, at most ${atMost} sent`] : []),
    ...missing.map((outcome) => `no ${outcome}`),
    ...(worksAfter ? [] : ['dead afterwards']),
  ]
}

export class Tally {
  readonly counts: Record<string, number> = {}
  total = 0

  add(outcome: string): void {
    this.counts[outcome] = (this.counts[outcome] ?? 0) + 1
    this.total++
  }
}
