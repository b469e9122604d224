/**
 * What must hold before an edge is even computed. Each gate stands alone, is named by the reason it gives, and reads
 * nothing but what it is handed: the combination and the time of the decision (monotonic, us).
 */

import type { Combination, MarketView } from './combination.js'

/** A quote is believed this long after continuity was last proved. */
const MAX_QUOTE_AGE_US = 750_000
/** The legs' proofs may lie this far apart. */
const MAX_LEG_SKEW_US = 250_000
/** A monitor that is silent longer may be dead: three heartbeats. */
const MAX_SILENCE_US = 600_000
/** A game's state comes every 5 s: after twelve missed ones it may long be over. */
const MAX_GAME_SILENCE_US = 60_000_000
/**
 * The orchestrator repeats what it knows whether or not the scoreboard still answers, so what counts is when that was
 * read. A live game is read every 5 s, at the slowest every 16.5 s (the service's caching advice, jitter), plus two
 * answers of up to 8 s and the 5 s to the next repetition: 38 s. One whose reads fail for a minute may be over.
 */
const MAX_LIVE_AGE_US = 60_000_000
/** A game to come is read every 300 s (330 s with jitter), with the same 21 s on top; it is not over before it began. */
const MAX_PRE_AGE_US = 400_000_000

export const GATE_REASONS = [
  'game_over',
  'game_stale',
  'silent_orchestrator',
  'selection_mismatch',
  'silent_monitor',
  'broken_channel',
  'not_live',
  'book_seq_differs',
  'crossed_book',
  'old_quote',
  'leg_skew',
] as const
export type GateReason = (typeof GATE_REASONS)[number]

export interface Gate {
  readonly reason: GateReason
  readonly passes: (combination: Combination, nowUs: number) => boolean
}

const everyMarket =
  (holds: (market: MarketView, nowUs: number) => boolean): Gate['passes'] =>
  ({ legs }, nowUs) => {
    for (const { of } of legs) if (!holds(of, nowUs)) return false
    return true
  }

export const GATES: readonly Gate[] = [
  { reason: 'game_over', passes: ({ game }) => game.status === 'pre' || game.status === 'live' },
  {
    reason: 'game_stale',
    passes: ({ game: { status, heardUs, fetchedUs } }, nowUs) =>
      nowUs - heardUs <= MAX_GAME_SILENCE_US &&
      nowUs - fetchedUs <= (status === 'pre' ? MAX_PRE_AGE_US : MAX_LIVE_AGE_US),
  },
  // Where games move between shards: this one may have moved without our hearing of it.
  {
    reason: 'silent_orchestrator',
    passes: ({ game: { ownership } }, nowUs) => ownership === undefined || ownership.lease.isFresh(nowUs),
  },
  { reason: 'selection_mismatch', passes: everyMarket(({ selectionAgrees }) => selectionAgrees) },
  {
    reason: 'silent_monitor',
    passes: everyMarket(({ book }, nowUs) => nowUs - book.feed.heardUs <= MAX_SILENCE_US),
  },
  // Behind silence, which breaks a channel too and says more.
  { reason: 'broken_channel', passes: everyMarket(({ book }) => book.isWhole) },
  {
    reason: 'not_live',
    passes: everyMarket(({ book }) => book.quoteState === 'LIVE' && book.bookState === 'LIVE'),
  },
  {
    reason: 'book_seq_differs',
    passes: everyMarket(({ book }) => book.bookSeq !== -1 && book.bookSeq === book.quoteSeq),
  },
  { reason: 'crossed_book', passes: everyMarket(({ book }) => !book.isCrossed) },
  {
    reason: 'old_quote',
    passes: everyMarket(({ book }, nowUs) => nowUs - book.provedUs <= MAX_QUOTE_AGE_US),
  },
  {
    reason: 'leg_skew',
    passes: ({ legs }) => {
      let [first, last] = [Infinity, -Infinity]
      for (const { of } of legs) {
        first = Math.min(first, of.book.provedUs)
        last = Math.max(last, of.book.provedUs)
      }
      return last - first <= MAX_LEG_SKEW_US
    },
  },
]

/** The first gate that does not hold, or undefined when all do. */
export function closedGate(
  combination: Combination,
  nowUs: number,
  gates: readonly Gate[] = GATES,
): GateReason | undefined {
  for (const gate of gates) {
    if (!gate.passes(combination, nowUs)) return gate.reason
  }
  return undefined
}
