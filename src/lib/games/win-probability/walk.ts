/**
 * Football and basketball: the margin walks (Stern 1994; Winston, Mathletics; pro-football-reference.com/about/win_prob).
 * P(home) = P(lead + drift * t + ball + noise > 0), t being the share of the game that is left.
 *
 * A walk knows no possessions, so close to the end it is far too sure: what the ball in play can still bring is added
 * to its spread, and where nobody says who has it, the model abstains.
 */

import { abstains, estimate, solve } from './estimate.js'
import type { Unknown, WinProbability } from './estimate.js'
import { expectedPoints } from './expected-points.js'
import { marginWin } from './normal.js'
import { leadOf, priorOf, priorRange } from './model-game.js'
import type { ModelGame, Prior } from './model-game.js'

export interface WalkSport {
  readonly periods: number
  readonly periodS: number
  readonly overtimeS: number
  /** Standard deviation of the final margin around what was expected, at the start and toward the end. */
  readonly sigma: readonly [start: number, end: number]
  /** How far off `sigma` may be. */
  readonly sigmaSd: number
  /** What the home team wins by where nobody says more, points, and how much teams differ from that. */
  readonly drift: number
  readonly driftSd: number
  readonly ball: 'football' | 'basketball'
}

/** A score apart, with two points after it. */
const ONE_SCORE = 8
/** Football: from here on who has the ball decides close games. */
const LATE_S = 300
/** What a drive brings varies by so much, points: from the goal line, and the less the farther it is. */
const DRIVE_SD = 3.2
const DRIVE_YARDS = 130
/** Seconds that a drive needs to bring something: a play, and more the farther it is. */
const PLAY_S = 4
const S_PER_YARD = 0.46
const TRIP_S = 6
/** Points of a trip down the court: 1.12 in the NBA (open models; nearly the same elsewhere). */
const TRIP = 1.12

interface Walk {
  readonly drift: number
  readonly sigma: number
  /** What the ball is worth to the home team, points. */
  readonly ball: number
  readonly ballSd: number
}

export function walkWin(sport: WalkSport, game: ModelGame, prior: Prior): WinProbability {
  const { period, clockS, status } = game
  const isRegular = period <= sport.periods
  if (status === 'live' && (clockS === undefined || period < 1)) return abstains('no_clock')
  if (!isRegular && sport.ball === 'football') return abstains('overtime')
  const fullS = sport.periods * sport.periodS
  const longest = isRegular ? sport.periodS : sport.overtimeS
  if (clockS !== undefined && clockS > longest) return abstains('no_clock')
  const leftS =
    status === 'pre' ? fullS : (clockS ?? 0) + (isRegular ? (sport.periods - period) * sport.periodS : 0)
  const left = leftS / fullS
  const lead = leadOf(game)
  const ball = ballOf(sport, game, leftS)
  if (ball === undefined && Math.abs(lead) <= ONE_SCORE && leftS <= LATE_S) return abstains('no_possession')

  const [start, end] = sport.sigma
  // What is left never varies by more than the whole game does.
  const sigma = Math.min(end + (start - end) * left, start / Math.sqrt(left))
  const win = ({ drift, sigma: spread, ball: worth, ballSd }: Walk): number =>
    marginWin(lead + drift * left + worth, Math.hypot(spread * Math.sqrt(left), ballSd))
  const best: Walk = {
    drift: driftOf(prior, sport.drift, start),
    sigma,
    ball: ball?.worth ?? 0,
    ballSd: ball?.sd ?? 0,
  }
  const unknowns: Unknown<Walk>[] = [
    driftUnknown(prior, best, sport, start),
    { low: { sigma: sigma - sport.sigmaSd }, high: { sigma: sigma + sport.sigmaSd }, reason: 'last_chance' },
  ]
  const off = ball?.worthSd ?? 2
  const reason = ball === undefined || !ball.isKnown ? 'no_possession' : 'last_chance'
  unknowns.push({ low: { ball: best.ball - off }, high: { ball: best.ball + off }, reason })
  unknowns.push({
    low: { ballSd: best.ballSd * 0.6 },
    high: { ballSd: best.ballSd * 1.4 },
    reason: 'last_chance',
  })
  return estimate(best, unknowns, (walk) => ({ home: win(walk), away: 1 - win(walk), draw: 0 }))
}

interface Ball {
  readonly worth: number
  /** How far off that may be. */
  readonly worthSd: number
  /** How much what it brings varies. */
  readonly sd: number
  readonly isKnown: boolean
}

/** Undefined where nobody says who has it, and that may matter. */
function ballOf(sport: WalkSport, { situation, status }: ModelGame, leftS: number): Ball | undefined {
  if (status === 'pre') return { worth: 0, worthSd: 0, sd: 0, isKnown: true }
  const side = situation?.possession === 'home' ? 1 : -1
  if (sport.ball === 'basketball') {
    const time = enough(leftS, TRIP_S)
    if (situation?.possession === undefined)
      return { worth: 0, worthSd: TRIP * time, sd: TRIP * time, isKnown: false }
    return { worth: ((side * TRIP) / 2) * time, worthSd: TRIP / 4, sd: TRIP * time, isKnown: true }
  }
  if (situation?.possession === undefined) return undefined
  const { yardLine, down, distance } = situation
  const toGoal = yardLine === undefined ? MIDFIELD : side === 1 ? 100 - yardLine : yardLine
  const time = enough(leftS, PLAY_S + S_PER_YARD * toGoal)
  return {
    worth: side * expectedPoints(toGoal, down, distance) * time,
    worthSd: (yardLine === undefined ? 2 : 0.75) + (1 - time),
    sd: DRIVE_SD * (1 - toGoal / DRIVE_YARDS) * Math.sqrt(time),
    isKnown: true,
  }
}

const MIDFIELD = 50
/** How likely what takes about so long happens in time. */
const enough = (leftS: number, neededS: number): number => 1 - Math.exp(-leftS / neededS)

/** `s = sigma * z0`: what margin a market expects that says `prior`. */
function driftOf(prior: Prior, fallback: number, sigma: number): number {
  return prior === undefined ? fallback : solve(priorOf(prior), -60, 60, (drift) => marginWin(drift, sigma))
}

function driftUnknown(prior: Prior, best: Walk, { drift, driftSd }: WalkSport, sigma: number): Unknown<Walk> {
  if (prior === undefined) {
    return { low: { drift: drift - driftSd }, high: { drift: drift + driftSd }, reason: 'no_prior' }
  }
  const [low, high] = priorRange(prior)
  const at = (p: number): Partial<Walk> => ({ drift: driftOf(p, best.drift, sigma) })
  return { low: at(low), high: at(high), reason: 'no_prior' }
}
