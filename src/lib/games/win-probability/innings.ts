/**
 * Baseball: the half-innings that are left, run by run. A half-inning that begins brings 0.481 runs, none in 73 of 100;
 * the one that is being played what men on base and outs are worth (RE24 of 2010-15, tangotiger.net/re24.html). Runs come
 * in bunches, so they are not Poisson: nothing, or one and more by halves.
 */

import { abstains, estimate, solve } from './estimate.js'
import type { Unknown, WinProbability } from './estimate.js'
import { margins } from './goals.js'
import { leadOf, priorOf, priorRange } from './model-game.js'
import type { ModelGame, Prior } from './model-game.js'

/** By bases (bit 1 first, 2 second, 4 third), then outs. */
const RE24: readonly (readonly [number, number, number])[] = [
  [0.481, 0.254, 0.098],
  [0.859, 0.509, 0.224],
  [1.1, 0.664, 0.319],
  [1.437, 0.884, 0.429],
  [1.35, 0.95, 0.353],
  [1.784, 1.13, 0.478],
  [1.964, 1.376, 0.58],
  [2.292, 1.541, 0.752],
]
const START = 0.481
/** Extra innings begin with a man on second. */
const EXTRA_START = 1.1
const NONE = 0.73
/** Runs of a half-inning that brings any: a first one, then each further one with the same chance. */
const FURTHER = 1 - (1 - NONE) / START
/** No half-inning is sure to bring a run. */
const MOST = 0.9
const INNINGS = 9
/** The home team's share of a game that is level after nine. */
const LEVEL_SHARE = 0.52

const HOME_EDGE = 0.07
const EDGE_SD = 0.12
const RUNS_SD = 0.1

interface Half {
  readonly side: 'home' | 'away'
  readonly mean: number
}

interface Runs {
  /** ln(home / away) of what they score. */
  readonly edge: number
  readonly scale: number
  readonly level: number
}

export function inningsWin(game: ModelGame, prior: Prior): WinProbability {
  const halves = halvesLeft(game)
  if (halves === undefined) return abstains('no_situation')
  const lead = leadOf(game)
  // Behind in the bottom of the ninth the visitors have no turn left: it is over, and not told yet.
  if (game.status === 'live' && lead > 0 && !halves.some(({ side }) => side === 'away'))
    return abstains('over')
  const best: Runs = {
    edge: prior === undefined ? HOME_EDGE : edgeOf(prior),
    scale: 1,
    level: LEVEL_SHARE,
  }
  return estimate(
    best,
    [
      edgeUnknown(prior),
      { low: { scale: 1 - RUNS_SD }, high: { scale: 1 + RUNS_SD }, reason: 'last_chance' },
      { low: { level: LEVEL_SHARE - 0.03 }, high: { level: LEVEL_SHARE + 0.03 }, reason: 'overtime' },
    ],
    (runs) => {
      const home = winOf(lead, halves, runs)
      return { home, away: 1 - home, draw: 0 }
    },
  )
}

function winOf(lead: number, halves: readonly Half[], { edge, scale, level }: Runs): number {
  const scored: Record<Half['side'], number[]> = { home: [1], away: [1] }
  for (const { side, mean } of halves) {
    const strength = Math.exp(side === 'home' ? edge / 2 : -edge / 2)
    scored[side] = sum(scored[side], runsOf(mean * scale * strength))
  }
  const { home, draw } = margins(lead, scored.home, scored.away)
  return home + draw * level
}

/** All that is still to be played, the one that goes on first; undefined where nobody says which that is. */
function halvesLeft({ status, period, situation }: ModelGame): readonly Half[] | undefined {
  if (status === 'pre') return fullInnings(1)
  const { half, outs = 0, bases = 0 } = situation ?? {}
  if (period < 1 || half === undefined) return undefined
  const row = RE24[bases]
  // Three outs: between two halves.
  const mean = outs >= 3 ? 0 : row?.[outs as 0 | 1 | 2]
  if (mean === undefined) return undefined
  const isExtra = period > INNINGS
  const now: Half = { side: half === 'top' ? 'away' : 'home', mean }
  const bottom: Half[] = half === 'top' ? [{ side: 'home', mean: isExtra ? EXTRA_START : START }] : []
  return [now, ...bottom, ...fullInnings(period + 1)]
}

function fullInnings(from: number): Half[] {
  const halves: Half[] = []
  for (let inning = from; inning <= INNINGS; inning++) {
    halves.push({ side: 'away', mean: START }, { side: 'home', mean: START })
  }
  return halves
}

/** What is above it counts as it. */
const MOST_RUNS = 40

/** P(0 runs), P(1), …, of that mean. */
function runsOf(mean: number): number[] {
  const some = Math.min(MOST, mean * (1 - FURTHER))
  if (some <= 0) return [1]
  const further = 1 - some / Math.max(mean, some)
  const chances = [1 - some]
  let p = some * (1 - further)
  let rest = some
  while (rest > 1e-5 && chances.length < 20) {
    chances.push(p)
    rest -= p
    p *= further
  }
  const last = chances.length - 1
  chances[last] = (chances[last] ?? 0) + rest
  return chances
}

function sum(one: readonly number[], other: readonly number[]): number[] {
  const total = new Array<number>(Math.min(MOST_RUNS, one.length + other.length - 1)).fill(0)
  one.forEach((p, i) => {
    other.forEach((q, j) => {
      const at = Math.min(total.length - 1, i + j)
      total[at] = (total[at] ?? 0) + p * q
    })
  })
  return total
}

const edgeOf = (prior: number): number =>
  solve(priorOf(prior), -3, 3, (edge) => winOf(0, fullInnings(1), { edge, scale: 1, level: LEVEL_SHARE }))

function edgeUnknown(prior: Prior): Unknown<Runs> {
  if (prior === undefined) {
    return { low: { edge: HOME_EDGE - EDGE_SD }, high: { edge: HOME_EDGE + EDGE_SD }, reason: 'no_prior' }
  }
  const [low, high] = priorRange(prior)
  return { low: { edge: edgeOf(low) }, high: { edge: edgeOf(high) }, reason: 'no_prior' }
}
