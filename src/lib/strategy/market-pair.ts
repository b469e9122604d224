/** A Kalshi team market and the Polymarket condition of the same game, and the two ways to hold both. */

import type { GameMarket, GameStatus, League } from '../model/game.js'
import type { Outcome } from '../model/venue.js'
import type { BookView } from './book-view.js'

/** A game as far as trading cares. Times are this process's monotonic clock, us. */
export interface GameView {
  readonly league: League
  readonly gameId: string
  status: GameStatus
  /** When its state last came. */
  heardUs: number
  /** When the scoreboard itself last said so: what is repeated in between grows old. */
  fetchedUs: number
}

export interface PairLeg {
  readonly market: GameMarket
  readonly book: BookView
  /** The monitor's own word on what YES pays on agrees with the pairing; kept by whoever feeds the book. */
  selectionAgrees: boolean
}

/** One of the two ways: which outcome is bought where, so that exactly one of them pays whoever wins. */
export interface Orientation {
  readonly kalshi: Outcome
  readonly poly: Outcome
  /** Both market ids and outcomes, `kalshi:<ticker>:yes+poly:<condition>:no`. */
  readonly key: string
}

export interface MarketPair {
  readonly game: GameView
  readonly kalshi: PairLeg
  readonly poly: PairLeg
  readonly orientations: readonly [Orientation, Orientation]
}

const other = (outcome: Outcome): Outcome => (outcome === 'yes' ? 'no' : 'yes')

/**
 * The opposite of YES here is NO there when both markets' YES pays on the same team, and YES there when it pays on the
 * other team.
 */
export function marketPair(game: GameView, kalshi: PairLeg, poly: PairLeg): MarketPair {
  const sameTeam = kalshi.market.selection === poly.market.selection
  const orientation = (outcome: Outcome): Orientation => {
    const opposite = sameTeam ? other(outcome) : outcome
    const key = `kalshi:${kalshi.market.marketId}:${outcome}+poly:${poly.market.marketId}:${opposite}`
    return { kalshi: outcome, poly: opposite, key }
  }
  return { game, kalshi, poly, orientations: [orientation('yes'), orientation('no')] }
}
