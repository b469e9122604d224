/** What a message does to a market's book, and how far the book may be believed. */

import type { FrameVerdict } from '../ports.js'

/**
 * none: no book yet, changes are discarded. unproved: a book whose continuity nothing has proved. proved: equal to the
 * venue's by hash or by REST. broken: something was lost. resolved: the market is over.
 */
export type Trust = 'none' | 'unproved' | 'proved' | 'broken' | 'resolved'

/** What a message did to the book, for the connection to act on. */
export interface BookOutcome {
  /** The book was replaced or folded. */
  readonly changed?: boolean
  /** A hash or a REST book matched. */
  readonly proved?: boolean
  /** Ask the venue for a fresh dump of these tokens. */
  readonly resync?: string
  /** Ask REST soon. */
  readonly compare?: string
  readonly verdict?: FrameVerdict
}
