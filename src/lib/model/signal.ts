/** A signal: a whole plan, not a hint. */

import type { Outcome, Side, Venue } from './venue.js'

export interface SignalLeg {
  readonly venue: Venue
  readonly marketId: string
  readonly outcome: Outcome
  readonly side: Side
  /**
   * Worst price this leg may pay (buy) or get (sell), in the outcome's own price space. The opening leg's is the worst level it was
   * planned through, a later leg's is break-even.
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

export interface Signal {
  /** hash(pair, orientation, trigger's source, epoch, seq); a manual order's is its own. */
  readonly id: string
  /** manual: one leg that somebody typed; no shard sends it. */
  readonly kind: 'cross-venue' | 'manual'
  readonly gameId: string
  /** Both market ids and which outcome is bought where: one open plan per pair and orientation. */
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
export type StrategySignal = Signal & { readonly kind: 'cross-venue' }
