/** A signal: a whole plan, not a hint. */

import type { Outcome, Side, Venue } from './venue.js'

export interface SignalLeg {
  readonly venue: Venue
  readonly marketId: string
  readonly outcome: Outcome
  readonly side: Side
  /**
   * Worst price this leg may pay (buy) or get (sell), in the outcome's own price space. The opening leg's is the worst
   * level it was planned through; whatever the later ones pay within theirs, the plan loses nothing.
   */
  readonly limitE4: number
  readonly sizeE2: number
}

/** A message the decision was taken on. */
export interface SignalInput {
  readonly source: string
  readonly epoch: number
  readonly seq: number
  /** Time since continuity of its feed was last proved, at the decision. */
  readonly ageUs: number
}

/** What its legs are of: both venues, one venue's two markets, or all three outcomes of a game that can be drawn. */
export const COMBINATION_KINDS = ['cross-venue', 'same-venue', 'three-way'] as const
export type CombinationKind = (typeof COMBINATION_KINDS)[number]

export interface Signal {
  /** hash(pair, orientation, trigger's source, epoch, seq); a manual order's is its own. */
  readonly id: string
  /** manual: one leg that somebody typed; no shard sends it. */
  readonly kind: CombinationKind | 'manual'
  readonly gameId: string
  /** Which outcome of which market is bought where: one open plan for each. */
  readonly pair: string
  readonly legs: readonly SignalLeg[]
  /** Equal shares in every leg. */
  readonly sizeE2: number
  readonly grossEdgeMicros: number
  readonly feesMicros: number
  readonly netEdgeMicros: number
  /** What the plan pays in the worst settlement it was computed for. */
  readonly worstPayoutMicros: number
  readonly inputs: readonly SignalInput[]
  /** The opening leg may be sent only this long after the decision. */
  readonly validMs: number
}

/** What a strategy decides and a shard publishes. */
export type StrategySignal = Signal & { readonly kind: CombinationKind }
