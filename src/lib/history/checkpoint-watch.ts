/** Whether Redis goes on without us: what its checkpoints say, from one look to the next. Pure. */

import { isBefore } from '../bus/position.js'
import type { Position } from '../bus/position.js'

/** One channel as it was looked at. */
export interface CheckpointLook {
  readonly source: string
  /** Redis's checkpoint; undefined where it has none. */
  readonly stored: Position | undefined
  /** What we have; undefined while that is nothing. */
  readonly taken: Position | undefined
}

export class CheckpointWatch {
  private before = new Map<string, CheckpointLook>()

  /**
   * The sources whose checkpoint has moved past what we had at the look before. A mirror that only catches up with us
   * has no news, and a checkpoint that stands still has told its news once. What is not looked at is forgotten.
   */
  look(looks: readonly CheckpointLook[]): Set<string> {
    const moved = looks.filter((now) => this.hasMoved(now)).map(({ source }) => source)
    this.before = new Map(looks.map((each) => [each.source, each]))
    return new Set(moved)
  }

  private hasMoved({ source, stored, taken }: CheckpointLook): boolean {
    const before = this.before.get(source)
    if (stored === undefined) return false
    const had = before === undefined ? taken : (before.taken ?? before.stored)
    if (had === undefined || !isBefore(had, stored)) return false
    return before?.stored === undefined || isBefore(before.stored, stored)
  }
}
