/**
 * Hockey and soccer: what each team still scores is Poisson, so the margin is Skellam. Rates from open models and
 * Burke (advancednflstats.com, 2009): 3.05 goals a team in 60 minutes of hockey, 2.7 a match in soccer, shared between
 * the teams so that the whole game has the odds that were given before it.
 */

import { abstains, estimate, solve } from './estimate.js'
import type { Outcome, Unknown, WinProbability } from './estimate.js'
import { leadOf, priorOf, priorRange } from './model-game.js'
import type { ModelGame, Prior } from './model-game.js'

/** How much the home team scores of all goals where nobody says more, and how much teams differ: as ln(home / away). */
interface Strength {
  readonly edge: number
  readonly edgeSd: number
}

interface Rates {
  /** Of both teams in a whole game. */
  readonly goals: number
  /** How far off that may be, as a share. */
  readonly goalsSd: number
  readonly strength: Strength
}

const HOCKEY: Rates = { goals: 6.1, goalsSd: 0.15, strength: { edge: 0.05, edgeSd: 0.12 } }
const SOCCER: Rates = { goals: 2.7, goalsSd: 0.15, strength: { edge: 0.3, edgeSd: 0.45 } }

const HOCKEY_PERIOD_S = 1200
/** The home team's share of what is level after 60 minutes: overtime of three a side, then a shootout. */
const OVERTIME_SHARE = 0.52
const OVERTIME_SHARE_SD = 0.03
/**
 * Without their goalkeeper a team behind scores more, and is scored against more: as if time ran so much faster.
 * From which second of the end, nobody says: the first teams here, the last ones there, the others evenly between.
 */
const EMPTY_NET_EARLIEST_S = 210
const EMPTY_NET_LATEST_S = 90
const EMPTY_NET = 2

interface Chances {
  /** Of the game that is left, as a share of a whole one. */
  readonly left: number
  readonly goals: number
  readonly edge: number
  readonly overtime: number
}

export function hockeyWin(game: ModelGame, prior: Prior): WinProbability {
  const { status, period, clockS } = game
  const lead = leadOf(game)
  const overtime: Unknown<Chances> = {
    low: { overtime: OVERTIME_SHARE - OVERTIME_SHARE_SD },
    high: { overtime: OVERTIME_SHARE + OVERTIME_SHARE_SD },
    reason: 'overtime',
  }
  if (status === 'live') {
    if (period < 1) return abstains('no_clock')
    if (period > 3) {
      // A goal there is the end: the scoreboard has not said so yet.
      if (lead !== 0) return abstains('over')
      const level = { left: 0, goals: 0, edge: 0, overtime: OVERTIME_SHARE }
      return estimate(level, [overtime], ({ overtime: home }) => ({ home, away: 1 - home, draw: 0 }))
    }
    if (clockS === undefined || clockS > HOCKEY_PERIOD_S) return abstains('no_clock')
  }
  const leftS = status === 'pre' ? 3 * HOCKEY_PERIOD_S : (3 - period) * HOCKEY_PERIOD_S + (clockS ?? 0)
  const fullS = 3 * HOCKEY_PERIOD_S
  const addedS = lead === 0 ? 0 : emptyNetS(leftS)
  const { goals, goalsSd } = HOCKEY
  const best = {
    left: (leftS + addedS) / fullS,
    ...strengthOf(HOCKEY, prior, withoutDraw),
    overtime: OVERTIME_SHARE,
  }
  return estimate(
    best,
    [
      overtime,
      edgeUnknown(HOCKEY, prior, withoutDraw),
      {
        low: { goals: goals * (1 - goalsSd) },
        high: { goals: goals * (1 + goalsSd) },
        reason: 'last_chance',
      },
      // No net is empty, or twice as much comes of it.
      { low: { left: leftS / fullS }, high: { left: (leftS + 2 * addedS) / fullS }, reason: 'last_chance' },
    ],
    (chances) => withoutDraw(lead, chances),
  )
}

/** Seconds of play that the empty net is worth in what is left: grows with it, so time alone helps nobody behind. */
function emptyNetS(leftS: number): number {
  const rampS = EMPTY_NET_EARLIEST_S - EMPTY_NET_LATEST_S
  const intoRampS = Math.min(Math.max(0, leftS - EMPTY_NET_LATEST_S), rampS)
  const emptyS = Math.min(leftS, EMPTY_NET_LATEST_S) + intoRampS - intoRampS ** 2 / (2 * rampS)
  return (EMPTY_NET - 1) * emptyS
}

const HALF_S = 2700
/** Added to the second half; nobody says how much. The first half's counts as a bit of the game. */
const ADDED_S = 300
const FIRST_ADDED_S = 120

/** The result after both halves, as the three-way markets pay it: extra time is no part of it. */
export function soccerWin(game: ModelGame, prior: Prior): WinProbability {
  const { status, period, clockS } = game
  if (status === 'live') {
    if (period > 2) return abstains('overtime')
    // The clock counts up through both halves.
    if (period < 1 || clockS === undefined || clockS > 2 * HALF_S + 1800) return abstains('no_clock')
  }
  const played = status === 'pre' ? 0 : Math.min(clockS ?? 0, period * HALF_S)
  const leftS = 2 * HALF_S - played + ADDED_S + (period < 2 ? FIRST_ADDED_S : 0)
  const fullS = 2 * HALF_S + ADDED_S + FIRST_ADDED_S
  // At 90 minutes the clock stands: it may be all of the added time, or its last seconds.
  const leftSd = (played >= 2 * HALF_S ? ADDED_S * 0.45 : 60) / fullS
  const left = (played >= 2 * HALF_S ? ADDED_S / 2 : leftS) / fullS
  const lead = leadOf(game)
  const best = { left, ...strengthOf(SOCCER, prior, threeWay), overtime: 0 }
  const { goals, goalsSd } = SOCCER
  return estimate(
    best,
    [
      edgeUnknown(SOCCER, prior, threeWay),
      {
        low: { goals: goals * (1 - goalsSd) },
        high: { goals: goals * (1 + goalsSd) },
        reason: 'last_chance',
      },
      { low: { left: left - leftSd }, high: { left: left + leftSd }, reason: 'last_chance' },
    ],
    (chances) => threeWay(lead, chances),
    3,
  )
}

type Model = (lead: number, chances: Chances) => Outcome

/** Goals and edge that give a whole game the odds of `prior`. */
function strengthOf({ goals, strength }: Rates, prior: Prior, model: Model): Pick<Chances, 'goals' | 'edge'> {
  if (prior === undefined) return { goals, edge: strength.edge }
  return { goals, edge: edgeOf(prior, goals, model) }
}

function edgeOf(prior: number, goals: number, model: Model): number {
  return solve(priorOf(prior), -3, 3, (edge) => {
    const { home, away } = model(0, { left: 1, goals, edge, overtime: OVERTIME_SHARE })
    return home / (home + away)
  })
}

function edgeUnknown({ goals, strength }: Rates, prior: Prior, model: Model): Unknown<Chances> {
  if (prior === undefined) {
    const { edge, edgeSd } = strength
    return { low: { edge: edge - edgeSd }, high: { edge: edge + edgeSd }, reason: 'no_prior' }
  }
  const [low, high] = priorRange(prior)
  return {
    low: { edge: edgeOf(low, goals, model) },
    high: { edge: edgeOf(high, goals, model) },
    reason: 'no_prior',
  }
}

const threeWay: Model = (lead, { left, goals, edge }) => {
  const total = goals * left
  const share = 1 / (1 + Math.exp(-edge))
  return margins(lead, poisson(total * share), poisson(total * (1 - share)))
}

const withoutDraw: Model = (lead, chances) => {
  const { home, draw } = threeWay(lead, chances)
  const win = home + draw * chances.overtime
  return { home: win, away: 1 - win, draw: 0 }
}

/** Who is ahead after each has scored that much more. */
export function margins(lead: number, home: readonly number[], away: readonly number[]): Outcome {
  let win = 0
  let draw = 0
  home.forEach((p, scored) => {
    away.forEach((q, conceded) => {
      const margin = lead + scored - conceded
      if (margin > 0) win += p * q
      else if (margin === 0) draw += p * q
    })
  })
  return { home: win, away: Math.max(0, 1 - win - draw), draw }
}

/** P(0), P(1), … until what is left is below a billionth, which the last one holds. */
function poisson(mean: number): number[] {
  const chances: number[] = []
  let p = Math.exp(-mean)
  let rest = 1
  for (let n = 0; rest > 1e-9 && n < 60; n++) {
    chances.push(p)
    rest -= p
    p *= mean / (n + 1)
  }
  const last = chances.length - 1
  chances[last] = (chances[last] ?? 0) + Math.max(0, rest)
  return chances
}
