/** The sequence of one subscription: contiguous from wherever it starts. */

/**
 * - `none`: the message carries no number
 * - `repeated`: the same number again; it must not be applied, deltas add up
 * - `rewound`: a number from before, which an unbroken stream never has
 * - `gap`: something is missing before it
 */
export type SequenceOrder = 'none' | 'in_order' | 'repeated' | 'rewound' | 'gap'

export class Sequence {
  private last: number | undefined

  /** The next number seen is the first, whatever it is. */
  restart(last?: number): void {
    this.last = last
  }

  take(seq: number | undefined): SequenceOrder {
    if (seq === undefined) return 'none'
    const { last } = this
    if (last !== undefined && seq <= last) return seq === last ? 'repeated' : 'rewound'
    this.last = seq
    return last === undefined || seq === last + 1 ? 'in_order' : 'gap'
  }
}
