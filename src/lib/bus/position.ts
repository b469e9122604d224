/** A place in a channel: what a reader has, what a store holds, where a publisher stands. */

/** The message `seq` of the life `epoch` of a source. */
export interface Position {
  readonly epoch: number
  readonly seq: number
}

/** A position that is kept, with what the source said of its epoch. */
export interface Checkpoint extends Position {
  /** The source said that its epoch ends at `seq`. */
  readonly closed: boolean
}

/** Before every epoch. */
export const NOWHERE: Checkpoint = { epoch: 0, seq: 0, closed: false }

export const isBefore = (a: Position, b: Position): boolean =>
  a.epoch < b.epoch || (a.epoch === b.epoch && a.seq < b.seq)
export const isSame = (a: Position, b: Position): boolean => a.epoch === b.epoch && a.seq === b.seq
export const laterOf = <T extends Position>(a: T, b: T): T => (isBefore(a, b) ? b : a)
