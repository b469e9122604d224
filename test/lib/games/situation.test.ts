import { describe, expect, it } from 'vitest'
import { readHalf, readTold } from '../../../src/lib/games/situation.js'
import { parseScoreboard } from '../../../src/lib/games/scoreboard.js'
import { TeamCodeBook } from '../../../src/lib/games/team-codes.js'

const TEAMS = [
  { homeAway: 'home', score: '20', team: { id: '29', abbreviation: 'CAR' } },
  { homeAway: 'away', score: '22', team: { id: '5', abbreviation: 'CLE' } },
]
const PLAY = { lastPlay: { probability: { homeWinPercentage: 0.463, tiePercentage: 0 } } }

describe('what a live event says beyond its score', () => {
  it('is who has the ball and where, by the id of the team', () => {
    const football = { down: 3, distance: 10, yardLine: 46, possession: '29', isRedZone: false, ...PLAY }
    expect(readTold(football, TEAMS)).toEqual({
      situation: { possession: 'home', down: 3, distance: 10, yardLine: 46 },
      homeWinPpm: 463_000,
    })
    expect(readTold({ possession: '5' }, TEAMS).situation).toEqual({ possession: 'away' })
  })

  it('is the outs and the men on base', () => {
    const bases = { outs: 2, onFirst: true, onSecond: false, onThird: true, balls: 3 }
    expect(readTold(bases, TEAMS).situation).toEqual({ outs: 2, bases: 5 })
    expect(readTold({ outs: 0, onFirst: true }, TEAMS).situation).toEqual({ outs: 0 })
  })

  it.each([
    [undefined],
    [null],
    ['no'],
    [[]],
    [{ possession: '77', down: 9, distance: -1, yardLine: 101, outs: 4, onFirst: 'yes' }],
    [{ possession: 29, down: '3', distance: 1.5, yardLine: null, lastPlay: null }],
    [{ possession: '', lastPlay: { probability: { homeWinPercentage: 1.5 } } }],
    [{ lastPlay: { probability: { homeWinPercentage: '0.4' } } }],
    [{ lastPlay: { probability: { homeWinPercentage: NaN } } }],
  ])('is nothing where %j is said', (raw) => {
    const { situation = {}, homeWinPpm } = readTold(raw, TEAMS)
    expect(situation).toEqual({})
    expect(homeWinPpm).toBeUndefined()
  })

  it.each([
    ['Top 9th', { half: 'top' }],
    ['Bottom 5th', { half: 'bottom' }],
    ['Bot 3rd', { half: 'bottom' }],
    ['Mid 7th', { half: 'top', outs: 3, bases: 0 }],
    ['Middle 7th', { half: 'top', outs: 3, bases: 0 }],
    ['End 1st', { half: 'bottom', outs: 3, bases: 0 }],
    ['Topped 1st', {}],
    ['Rain Delay', {}],
    [7, {}],
  ])('the half of %s is %j', (detail, half) => {
    expect(readHalf({ detail })).toEqual(half)
  })

  it('comes with a live game, and not with one that is over', () => {
    const read = (state: string, name: string) => {
      const type = { name, state, completed: state === 'post', detail: '2:00 - 4th Quarter' }
      const competition = {
        competitors: TEAMS,
        situation: { possession: '29', ...PLAY },
        status: { clock: 120, period: 4, type },
      }
      const event = { id: '1', date: '2022-09-11T17:00Z', competitions: [competition] }
      const context = { league: 'nfl', codes: new TeamCodeBook(), fetchedMs: 1 } as const
      const reading = parseScoreboard({ events: [event] }, context)
      return reading.kind === 'games' ? reading.games[0] : undefined
    }
    expect(read('in', 'STATUS_IN_PROGRESS')).toMatchObject({
      situation: { possession: 'home' },
      homeWinPpm: 463_000,
    })
    expect(read('post', 'STATUS_FINAL')).not.toHaveProperty('situation')
    expect(read('post', 'STATUS_FINAL')).not.toHaveProperty('homeWinPpm')
  })
})
