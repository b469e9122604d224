import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { expectedPoints } from '../../../../src/lib/games/win-probability/expected-points.js'
import type { WinProbability } from '../../../../src/lib/games/win-probability/estimate.js'
import { marginWin, normalCdf } from '../../../../src/lib/games/win-probability/normal.js'
import type { ModelGame } from '../../../../src/lib/games/win-probability/model-game.js'
import { winProbability } from '../../../../src/lib/games/win-probability/win-probability.js'
import { LEAGUES } from '../../../../src/lib/model/game.js'
import type { League, Situation } from '../../../../src/lib/model/game.js'

interface State {
  readonly lead: number
  readonly period: number
  readonly clockS: number
  readonly situation: Situation
}

const gameOf = (league: League, { lead, period, clockS, situation }: State): ModelGame => ({
  league,
  home: { code: 'HOM', name: 'Home', score: 30 + lead },
  away: { code: 'AWY', name: 'Away', score: 30 },
  status: 'live',
  period,
  ...(league === 'mlb' ? {} : { clockS }),
  situation,
})

const LONGEST: Readonly<Record<string, number>> = {
  nfl: 900,
  cfb: 900,
  nba: 720,
  wnba: 600,
  cbb: 1200,
  nhl: 1200,
}
const PERIODS: Readonly<Record<string, number>> = { cbb: 2, nhl: 3, mlb: 9, epl: 2, mls: 2 }
const lastPeriod = (league: League) => PERIODS[league] ?? 4
const isGoals = (league: League) => league === 'nhl' || isSoccer(league)
const isSoccer = (league: League) => !(league in LONGEST) && league !== 'mlb'

const situations: fc.Arbitrary<Situation> = fc.record({
  possession: fc.constantFrom('home', 'away'),
  down: fc.integer({ min: 1, max: 4 }),
  distance: fc.integer({ min: 0, max: 25 }),
  yardLine: fc.integer({ min: 0, max: 100 }),
  outs: fc.integer({ min: 0, max: 2 }),
  bases: fc.integer({ min: 0, max: 7 }),
  half: fc.constantFrom('top', 'bottom'),
})
const states = (league: League): fc.Arbitrary<State> =>
  fc
    .record({
      lead: fc.integer({ min: -25, max: 25 }),
      period: fc.integer({ min: 1, max: lastPeriod(league) }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      situation: situations,
    })
    .map(({ share, period, ...rest }) => {
      const clockS = isSoccer(league) ? (period - 1 + share) * 2700 : share * (LONGEST[league] ?? 0)
      return { ...rest, period, clockS }
    })
const priors = fc.option(fc.double({ min: 0.03, max: 0.97, noNaN: true }), { nil: undefined })
const RUNS = { numRuns: 60 }

const home = (result: WinProbability): number | undefined =>
  result.kind === 'estimate' ? result.home : undefined

describe.each([...LEAGUES])('the model of %s', (league) => {
  it('gives chances above 0 that add up to 1, and says how sure it is', () => {
    fc.assert(
      fc.property(states(league), priors, (state, prior) => {
        const result = winProbability(gameOf(league, state), prior)
        if (result.kind === 'abstains') return
        expect(result.home).toBeGreaterThan(0)
        expect(result.away).toBeGreaterThan(0)
        expect(result.home + result.away + result.draw).toBeCloseTo(1, 9)
        expect(result.draw > 0).toBe(isSoccer(league))
        expect(result.sd).toBeGreaterThanOrEqual(0)
        expect(result.sd).toBeLessThanOrEqual(0.12)
      }),
      RUNS,
    )
  })

  it('never takes a larger lead, or a stronger team, for worse', () => {
    fc.assert(
      fc.property(states(league), priors, (state, prior) => {
        const now = home(winProbability(gameOf(league, state), prior))
        const ahead = home(winProbability(gameOf(league, { ...state, lead: state.lead + 1 }), prior))
        if (now !== undefined && ahead !== undefined) expect(ahead).toBeGreaterThanOrEqual(now - 1e-6)
        if (prior === undefined) return
        const stronger = home(winProbability(gameOf(league, state), Math.min(0.97, prior + 0.05)))
        if (now !== undefined && stronger !== undefined) expect(stronger).toBeGreaterThanOrEqual(now - 1e-6)
      }),
      RUNS,
    )
  })

  it('says before the game what the market said', () => {
    for (const prior of [0.2, 0.5, 0.83]) {
      const result = winProbability({ ...gameOf(league, PRE), status: 'pre' }, prior)
      if (result.kind === 'abstains') throw new Error(result.reason)
      expect(result.home / (result.home + result.away)).toBeCloseTo(prior, 2)
    }
  })

  it('comes to the leader as time runs out, without ever being certain', () => {
    const end = { period: lastPeriod(league), clockS: isSoccer(league) ? 5400 : 0 }
    const situation: Situation = { possession: 'away', yardLine: 60, half: 'bottom', outs: 2, bases: 0 }
    const behind = winProbability(gameOf(league, { lead: -12, situation, ...end }), 0.7)
    expect(home(behind)).toBeLessThan(0.002)
    expect(home(behind)).toBeGreaterThan(0)
  })

  it('abstains from what is over, and where the clock is not told', () => {
    const game = gameOf(league, { ...PRE, period: 1 })
    for (const status of ['final', 'postponed', 'canceled'] as const) {
      expect(winProbability({ ...game, status }, 0.5)).toEqual({ kind: 'abstains', reason: 'over' })
    }
    const { clockS: _, situation: __, ...blind } = game
    const reason = league === 'mlb' ? 'no_situation' : 'no_clock'
    expect(winProbability(blind, 0.5)).toEqual({ kind: 'abstains', reason })
  })
})

const PRE: State = { lead: 0, period: 0, clockS: 0, situation: {} }

describe('football and basketball', () => {
  it.each<League>(['nfl', 'nba', 'wnba'])('%s is the same game seen from the other side', (league) => {
    fc.assert(
      fc.property(states(league), fc.double({ min: 0.05, max: 0.95, noNaN: true }), (state, prior) => {
        const { possession, yardLine = 50 } = state.situation
        const mirrored: State = {
          ...state,
          lead: -state.lead,
          situation: {
            ...state.situation,
            possession: possession === 'home' ? 'away' : 'home',
            yardLine: 100 - yardLine,
          },
        }
        const one = winProbability(gameOf(league, state), prior)
        const other = winProbability(gameOf(league, mirrored), 1 - prior)
        expect(one.kind).toBe(other.kind)
        if (one.kind === 'estimate' && other.kind === 'estimate') expect(one.home).toBeCloseTo(other.away, 5)
      }),
      RUNS,
    )
  })

  it('abstain late in a close game when nobody says who has the ball', () => {
    const late = { lead: 3, period: 4, clockS: 200, situation: {} }
    expect(winProbability(gameOf('nfl', late), 0.5)).toEqual({ kind: 'abstains', reason: 'no_possession' })
    expect(winProbability(gameOf('nba', { ...late, lead: 0, clockS: 8 }), 0.5)).toEqual({
      kind: 'abstains',
      reason: 'no_possession',
    })
    // Two scores apart it hardly matters.
    expect(winProbability(gameOf('nfl', { ...late, lead: 17 }), 0.5).kind).toBe('estimate')
  })

  it('abstain early on where nobody knows how strong the teams are', () => {
    const early = { lead: 0, period: 1, clockS: 800, situation: {} }
    expect(winProbability(gameOf('nfl', early), undefined)).toEqual({ kind: 'abstains', reason: 'no_prior' })
    expect(winProbability(gameOf('nfl', early), 0.6).kind).toBe('estimate')
  })

  it('value the ball more the closer it is, the earlier the down and the shorter the distance', () => {
    for (let yards = 2; yards <= 95; yards++) {
      expect(expectedPoints(yards)).toBeLessThanOrEqual(expectedPoints(yards - 1))
    }
    expect(expectedPoints(50)).toBe(2.5)
    expect(expectedPoints(54, 1)).toBeCloseTo(2.26, 2)
    expect([1, 2, 3].map((down) => expectedPoints(40, down))).toEqual([3.2, 2.6, 1.9])
    expect(expectedPoints(40, 4)).toBeCloseTo(0.9, 9)
    expect(expectedPoints(40, 3, 1)).toBeGreaterThan(expectedPoints(40, 3, 10))
  })

  it('see the ball from the goal line that it is carried to', () => {
    const at = (possession: 'home' | 'away', yardLine: number) =>
      home(
        winProbability(
          gameOf('nfl', {
            lead: 0,
            period: 4,
            clockS: 600,
            situation: { possession, yardLine, down: 1, distance: 10 },
          }),
          0.5,
        ),
      )!
    // Yards from the home team's goal line: its own drive is nearly done at 90, the visitors' at 10.
    expect(at('home', 90)).toBeGreaterThan(at('home', 10) + 0.1)
    expect(at('away', 10)).toBeLessThan(at('away', 90) - 0.1)
  })

  it('take a football game in overtime for what they do not know', () => {
    const overtime = { lead: 0, period: 5, clockS: 300, situation: {} }
    expect(winProbability(gameOf('nfl', overtime), 0.5)).toEqual({ kind: 'abstains', reason: 'overtime' })
    expect(home(winProbability(gameOf('nba', { ...overtime, lead: 4, clockS: 100 }), 0.5))).toBeGreaterThan(
      0.8,
    )
  })
})

describe('hockey, soccer and baseball', () => {
  it('share what is level after hockey, and do not say who leads in overtime', () => {
    const overtime = { lead: 0, period: 4, clockS: 100, situation: {} }
    expect(home(winProbability(gameOf('nhl', overtime), 0.7))).toBeCloseTo(0.52)
    expect(home(winProbability(gameOf('nhl', { ...overtime, period: 5 }), 0.7))).toBeCloseTo(0.52)
    expect(winProbability(gameOf('nhl', { ...overtime, lead: 1 }), 0.7)).toMatchObject({ reason: 'over' })
  })

  it('are less sure of a hockey lead in the last minutes, when a net may be empty', () => {
    const sdAt = (clockS: number) => {
      const result = winProbability(gameOf('nhl', { lead: 1, period: 3, clockS, situation: {} }), 0.5)
      if (result.kind === 'abstains') throw new Error(result.reason)
      return result.sd
    }
    expect(sdAt(180)).toBeGreaterThan(1.3 * sdAt(600))
  })

  it('go on from second to second in hockey: no minute is another game', () => {
    for (const lead of [-2, -1, 1, 2]) {
      let before: WinProbability | undefined
      for (let clockS = 1200; clockS >= 10; clockS--) {
        const now = winProbability(gameOf('nhl', { lead, period: 3, clockS, situation: {} }), 0.5)
        if (now.kind === 'abstains') throw new Error(now.reason)
        if (before?.kind === 'estimate') {
          expect(Math.abs(now.home - before.home), `${clockS} s`).toBeLessThan(0.003)
          expect(Math.abs(now.sd - before.sd), `${clockS} s`).toBeLessThan(0.003)
        }
        before = now
      }
    }
  })

  it('value men on base, and end with the bottom of the ninth', () => {
    const inning = (half: 'top' | 'bottom', bases: number, outs: number, lead = 0, period = 9) =>
      home(winProbability(gameOf('mlb', { lead, period, clockS: 0, situation: { half, bases, outs } }), 0.5))
    // Loaded, none out, level: nearly won; the run that is needed comes in 9 of 10.
    expect(inning('bottom', 7, 0)).toBeGreaterThan(0.9)
    expect(inning('bottom', 0, 2)).toBeLessThan(0.56)
    expect(inning('top', 7, 0)).toBeLessThan(0.3)
    // Between the halves: what begins is the bottom.
    expect(inning('top', 0, 3)!).toBeGreaterThan(inning('top', 0, 2)!)
    expect(
      winProbability(gameOf('mlb', { lead: 1, period: 9, clockS: 0, situation: { half: 'bottom' } }), 0.5),
    ).toEqual({ kind: 'abstains', reason: 'over' })
    // A man on second to begin with.
    expect(inning('bottom', 2, 0, 0, 10)).toBeGreaterThan(0.7)
    // All that is left is what is level after it, and then the bottom of an extra inning.
    expect(inning('bottom', 0, 3)).toBeCloseTo(0.52, 3)
    expect(inning('top', 0, 3)).toBeCloseTo(0.649, 3)
    expect(inning('top', 0, 3, 0, 10)).toBeCloseTo(0.815, 3)
  })
})

describe('time alone', () => {
  it.each<League>(['nhl', 'epl', 'mls', 'nba', 'wnba', 'cbb'])(
    'never helps a team of %s that is behind and no weaker',
    (league) => {
      fc.assert(
        fc.property(
          fc.record({
            lead: fc
              .integer({ min: -25, max: -1 })
              .map((lead) => (isGoals(league) ? Math.floor(lead / 8) : lead)),
            period: fc.constantFrom(1, lastPeriod(league), lastPeriod(league)),
            prior: fc.option(fc.double({ min: 0.5, max: 0.97, noNaN: true }), { nil: undefined }),
            situation: fc.constantFrom<Situation[]>({}, { possession: 'home' }, { possession: 'away' }),
          }),
          ({ prior, ...state }) => {
            let before: number | undefined
            for (let played = 0; played <= 1; played += 0.01) {
              const clockS = isSoccer(league)
                ? (state.period - 1 + played) * 2700
                : (1 - played) * (LONGEST[league] ?? 0)
              const now = home(winProbability(gameOf(league, { ...state, clockS }), prior))
              if (now !== undefined) expect(now, `${clockS} s`).toBeLessThanOrEqual((before ?? 1) + 1e-6)
              before = now ?? before
            }
          },
        ),
        { numRuns: 12 },
      )
    },
  )
})

describe('the normal distribution', () => {
  it.each([
    [0, 0.5],
    [1, 0.841345],
    [-1.96, 0.024998],
    [3, 0.99865],
  ])('is %s below %s', (z, p) => {
    expect(normalCdf(z)).toBeCloseTo(p, 5)
  })

  it('of a margin counts half of level, and decides by the sign when nothing is left', () => {
    expect(marginWin(0, 5)).toBeCloseTo(0.5, 9)
    // PFR: m = 0, v = 1: P(win) = 0.3085, P(tie) = 0.3829.
    expect(marginWin(1, 1)).toBeCloseTo(1 - normalCdf(-0.5) + (normalCdf(-0.5) - normalCdf(-1.5)) / 2, 6)
    expect([marginWin(1, 0), marginWin(0, 0), marginWin(-1, 0)]).toEqual([1, 0.5, 0])
  })
})
