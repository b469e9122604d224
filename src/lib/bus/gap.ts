/** Loss as a value: what is missing on a channel, and why. */

import type { HoleReason } from './range.js'

/** Why messages are missing where a reader can pull them. */
export type GapReason =
  | HoleReason
  /** The source keeps no journal. */
  | 'no_journal'
  /** The source lives, and its journal did not answer in time. */
  | 'out_of_reach'
  /** Further behind than the store keeps: not pulled. */
  | 'trimmed'
  /** The source has a new journal and knows nothing of the old one. */
  | 'journal_lost'
  /** The machine crashed, and nobody knows how far the source got. */
  | 'epoch_end_unknown'
  /** The journal has it, and it is no message. */
  | 'illegible'

export interface Gap {
  readonly source: string
  readonly epoch: number
  /** First and last missing seq; `to` is null when the end is unknown. */
  readonly from: number
  readonly to: number | null
  /** `missed` and `tail_missed` are seen by readers that pull nothing. */
  readonly reason: GapReason | 'missed' | 'tail_missed'
  /** Set when the reader is behind a narrow prefix: the hole is in this topic. */
  readonly topic?: string
}
