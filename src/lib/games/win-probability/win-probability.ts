/**
 * The chances of a game as it stands: a small published model per sport, with how sure it is, or an abstention. Shown
 * and scored; nothing is traded by it. Pure.
 *
 * Parameters are those of the literature named in each model; what is ours (how much teams differ where no prior is
 * known, what a possession adds to the spread) was not fitted to more than the few recorded games in which the provider
 * gives a number of its own.
 */

import { abstains } from './estimate.js'
import type { WinProbability } from './estimate.js'
import { hockeyWin, soccerWin } from './goals.js'
import { inningsWin } from './innings.js'
import type { ModelGame, Prior } from './model-game.js'
import { walkWin } from './walk.js'
import type { WalkSport } from './walk.js'

type Model = (game: ModelGame, prior: Prior) => WinProbability

const football = (sport: Pick<WalkSport, 'sigma' | 'drift' | 'driftSd'>): Model => {
  const walk: WalkSport = {
    ...sport,
    periods: 4,
    periodS: 900,
    overtimeS: 600,
    sigmaSd: 0.5,
    ball: 'football',
  }
  return (game, prior) => walkWin(walk, game, prior)
}
const basketball = (sport: Pick<WalkSport, 'periods' | 'periodS' | 'sigma' | 'drift' | 'driftSd'>): Model => {
  const walk: WalkSport = { ...sport, overtimeS: 300, sigmaSd: 1.5, ball: 'basketball' }
  return (game, prior) => walkWin(walk, game, prior)
}

const MODELS = {
  // 13.45: all games of 1978 to 2012 (pro-football-reference.com).
  nfl: football({ sigma: [13.45, 13.45], drift: 2, driftSd: 6 }),
  cfb: football({ sigma: [15, 15], drift: 2.5, driftSd: 15 }),
  // 12 around the spread (Winston) fits the start, 18 the last minutes (inpredictable's tables).
  nba: basketball({ periods: 4, periodS: 720, sigma: [12, 18], drift: 2.5, driftSd: 6 }),
  wnba: basketball({ periods: 4, periodS: 600, sigma: [12, 17], drift: 2.5, driftSd: 6 }),
  cbb: basketball({ periods: 2, periodS: 1200, sigma: [10.3, 17], drift: 3, driftSd: 10 }),
  nhl: hockeyWin,
  mlb: inningsWin,
  epl: soccerWin,
  mls: soccerWin,
}

/** @param prior what a market gave the home team before the game, of what it gave the two. */
export function winProbability(game: ModelGame, prior: Prior): WinProbability {
  if (game.status !== 'pre' && game.status !== 'live') return abstains('over')
  return MODELS[game.league](game, prior)
}
