/** What a model reads of a game, and what was believed before it began. */

import type { Game } from '../../model/game.js'

export type ModelGame = Pick<Game, 'league' | 'home' | 'away' | 'status' | 'period' | 'clockS' | 'situation'>

/**
 * What a market gave the home team before the game, of what it gave the two teams: 0 to 1, a draw left aside. Undefined
 * where nobody knows.
 */
export type Prior = number | undefined

/** Of the home team; nothing before it began. */
export const leadOf = ({ status, home, away }: ModelGame): number =>
  status === 'pre' ? 0 : home.score - away.score

/** What a market said is right to about so much. */
const PRIOR_SD = 0.02
const LEAST = 0.01

/** Within what a model can be fitted to. */
export const priorOf = (prior: number): number => Math.min(1 - LEAST, Math.max(LEAST, prior))

/** One standard deviation to either side. */
export const priorRange = (prior: number): readonly [low: number, high: number] => [
  priorOf(prior - PRIOR_SD),
  priorOf(prior + PRIOR_SD),
]
