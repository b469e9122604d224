import { describe, expect, it } from 'vitest'
import { GameRecord, mergeStatus } from '../../../src/lib/games/game-record.js'
import { GameSteps } from '../../../src/lib/games/game-steps.js'
import type { SportsWord } from '../../../src/lib/games/sports-message.js'
import { TeamCodeBook } from '../../../src/lib/games/team-codes.js'
import { GAME_STATUSES } from '../../../src/lib/model/game.js'
import type { Game, GameStatus } from '../../../src/lib/model/game.js'
import { game } from './samples.js'

/** 8 pm in New York on 2025-12-01: the sample game began an hour ago. */
const NOW = Date.UTC(2025, 11, 2, 1, 0)
const MINUTE = 60_000

const word = (status: GameStatus, change: Partial<SportsWord> = {}): SportsWord => ({
  slug: 'nba-hou-uta-2025-12-01',
  league: 'nba',
  teams: ['HOU', 'UTA'],
  date: '2025-12-01',
  status,
  scores: undefined,
  saidMs: undefined,
  ...change,
})

function stage() {
  const record = new GameRecord(['nba', 'nhl'], new TeamCodeBook())
  record.connected()
  let readMs = NOW
  /** The scoreboard is read, a while after it was before. */
  const read = (...games: Partial<Game>[]) => {
    readMs += 5000
    return record.setScoreboard(
      'nba',
      games.map((change) => game({ status: 'live', fetchedMs: readMs, ...change })),
    )
  }
  const published = () => record.games('nba').map(({ status, provider }) => [status, provider])
  return { record, read, published }
}

describe('the status of two sources', () => {
  it.each<[GameStatus, GameStatus | undefined, GameStatus, boolean]>([
    ['pre', undefined, 'pre', false],
    ['pre', 'pre', 'pre', false],
    // That it began says no more than the scoreboard will: no rule asks which of the two it is.
    ['pre', 'live', 'pre', false],
    ['pre', 'final', 'final', true],
    ['pre', 'postponed', 'postponed', true],
    ['pre', 'canceled', 'canceled', true],
    ['live', undefined, 'live', false],
    ['live', 'pre', 'live', false],
    ['live', 'live', 'live', false],
    ['live', 'final', 'final', true],
    ['live', 'postponed', 'postponed', true],
    ['live', 'canceled', 'canceled', true],
    ['final', undefined, 'final', false],
    ['final', 'pre', 'final', false],
    ['final', 'live', 'final', false],
    ['final', 'postponed', 'final', false],
    ['final', 'canceled', 'final', false],
    ['postponed', 'live', 'postponed', false],
    ['postponed', 'final', 'postponed', false],
    ['canceled', 'live', 'canceled', false],
    ['canceled', 'final', 'canceled', false],
  ])('%s on the scoreboard and %s beside it is published as %s', (scoreboard, second, status, bySecond) => {
    expect(mergeStatus(scoreboard, second)).toEqual({ status, bySecond })
  })

  it('is never traded when either calls the game over, and never later than by the scoreboard alone', () => {
    const trades = (status: GameStatus) => status === 'pre' || status === 'live'
    for (const scoreboard of GAME_STATUSES) {
      for (const second of GAME_STATUSES) {
        const { status } = mergeStatus(scoreboard, second)
        expect(trades(status)).toBe(trades(scoreboard) && trades(second))
      }
    }
  })
})

describe('the way of a game', () => {
  it('goes on at once, and back only when it is told twice', () => {
    const steps = new GameSteps('pre')
    expect(steps.read('live', 0)).toEqual({ status: 'live', step: { from: 'pre', to: 'live' } })
    expect(steps.read('final', 1)).toEqual({ status: 'final', step: { from: 'live', to: 'final' } })
    const back = { from: 'final', to: 'live' }
    expect(steps.read('live', 5000)).toEqual({ status: 'final', doubted: back })
    // The same frame again.
    expect(steps.read('live', 5010)).toEqual({ status: 'final' })
    expect(steps.read('live', 10_000)).toEqual({ status: 'live', step: back })
  })

  it('forgets a doubt that is taken back or replaced', () => {
    const steps = new GameSteps('final')
    steps.read('live', 0)
    steps.read('final', 5000)
    expect(steps.read('live', 10_000).status).toBe('final')
    expect(steps.read('pre', 15_000).status).toBe('final')
    expect(steps.read('live', 20_000).status).toBe('final')
  })

  it.each<[GameStatus, GameStatus, boolean]>([
    ['pre', 'live', true],
    ['pre', 'postponed', true],
    ['postponed', 'live', true],
    ['postponed', 'pre', true],
    ['live', 'pre', false],
    ['final', 'live', false],
    ['final', 'canceled', false],
    ['canceled', 'pre', false],
  ])('%s to %s is believed at once: %s', (from, to, isBelieved) => {
    expect(new GameSteps(from).read(to, 0).status === to).toBe(isBelieved)
  })
})

describe('a game told by two sources', () => {
  it('is over as soon as the second source says so, and names who said it', () => {
    const { record, read, published } = stage()
    read({ home: { code: 'UTAH', name: 'Utah Jazz', score: 90 } })
    expect(published()).toEqual([['live', 'espn']])
    expect(record.hear(word('final', { scores: [99, 1] }), NOW)).toEqual({
      league: 'nba',
      steps: [{ from: 'live', to: 'final' }],
      doubted: [],
      isAhead: true,
    })
    expect(published()).toEqual([['final', 'polymarket']])
    // The score stays the scoreboard's.
    expect(record.games('nba')[0]!.home.score).toBe(90)
    expect(read({ status: 'final' }).steps).toEqual([])
    expect(published()).toEqual([['final', 'espn']])
  })

  it('is found by its teams in either order, in the spelling of the second source', () => {
    for (const teams of [
      ['HOU', 'UTA'],
      ['UTA', 'HOU'],
    ] as const) {
      const { record, read, published } = stage()
      read({})
      record.hear(word('final', { teams }), NOW)
      expect(published()).toEqual([['final', 'polymarket']])
    }
  })

  it('is heard of before the scoreboard lists it', () => {
    const { record, read, published } = stage()
    record.hear(word('postponed'), NOW)
    read({})
    expect(published()).toEqual([['postponed', 'polymarket']])
  })

  it.each<[string, Partial<SportsWord>]>([
    ['other league', { league: 'cs2' }],
    ['unknown team of nba', { teams: ['HOU', 'XXX'] }],
    ['unknown team of nba', { teams: ['HOU', 'HOU'] }],
    ['old date', { date: '2025-11-29' }],
    ['far date', { date: '2025-12-03' }],
    ['far date', { date: '2099-12-01' }],
    ['team codes of several leagues', { league: undefined, teams: ['BOS', 'CHI'] }],
    ['other league', { league: undefined, teams: ['MCI', 'LIV'] }],
  ])('%s: %j is about none of ours', (skipped, change) => {
    const { record, read, published } = stage()
    read({})
    expect(record.hear(word('final', change), NOW)).toEqual({ skipped })
    expect(published()).toEqual([['live', 'espn']])
  })

  it('without a league is the only one that has both teams', () => {
    const { record, read, published } = stage()
    read({})
    record.hear(word('final', { league: undefined }), NOW)
    expect(published()).toEqual([['final', 'polymarket']])
  })

  it('of a league without a table of codes is found by the slug that it was paired with', () => {
    const record = new GameRecord(['nba', 'epl'], new TeamCodeBook())
    record.connected()
    const soccer = { league: 'epl', gameId: '7', homeCode: 'MNC', awayCode: 'LIV', status: 'live' } as const
    record.setScoreboard('epl', [game(soccer)])
    const final = (league: string | undefined) =>
      word('final', { league, teams: ['MCI', 'LIV'], date: '2025-12-01' })
    const published = () => record.games('epl').map(({ status }) => status)
    // Nobody knows yet whose these codes are; what names its league is kept for then.
    expect(record.hear(final(undefined), NOW)).toEqual({ skipped: 'other league' })
    expect(record.hear(final('epl'), NOW)).toMatchObject({ league: 'epl', steps: [] })
    expect(published()).toEqual(['live'])
    record.setSlugs([{ league: 'epl', gameId: '7', slug: 'epl-liv-mci-2025-12-01' }])
    expect(published()).toEqual(['final'])
    const other = new GameRecord(['nba', 'epl'], new TeamCodeBook())
    other.setScoreboard('epl', [game(soccer)])
    other.setSlugs([{ league: 'epl', gameId: '7', slug: 'epl-liv-mci-2025-12-01' }])
    expect(other.hear(final(undefined), NOW)).toMatchObject({ steps: [{ from: 'live', to: 'final' }] })
  })

  it('is not the game of another day', () => {
    const { record, read, published } = stage()
    read({})
    record.hear(word('final', { date: '2025-12-02' }), NOW)
    expect(published()).toEqual([['live', 'espn']])
  })

  it('is left alone when the teams meet twice that day', () => {
    const { record, read, published } = stage()
    read({ gameId: '1' }, { gameId: '2', status: 'pre', startMs: game().startMs + 3 * 3_600_000 })
    record.hear(word('final'), NOW)
    expect(published()).toEqual([
      ['live', 'espn'],
      ['pre', 'espn'],
    ])
  })

  it('is not live again by one word, nor by a word that was overtaken', () => {
    const { record, read, published } = stage()
    read({})
    record.hear(word('final', { saidMs: NOW }), NOW)
    expect(record.hear(word('live', { saidMs: NOW - 1 }), NOW + 1)).toEqual({ skipped: 'out of order' })
    expect(record.hear(word('live', { saidMs: NOW + 1 }), NOW + 10)).toMatchObject({
      doubted: [{ from: 'final', to: 'live' }],
    })
    expect(published()).toEqual([['final', 'polymarket']])
    record.hear(word('live', { saidMs: NOW + 5000 }), NOW + 5000)
    expect(published()).toEqual([['live', 'espn']])
  })

  it.each([
    ['of a time that has not come', Date.UTC(2099, 0, 1)],
    ['of our own time', NOW],
  ])('is over by a word of now or of before, whatever a word %s said first', (_, firstMs) => {
    for (const saidMs of [NOW + 10, NOW - 10, undefined]) {
      const { record, read, published } = stage()
      read({})
      record.hear(word('live', { saidMs: firstMs, scores: [1, 2] }), NOW)
      record.hear(word('final', { saidMs }), NOW + 10)
      expect(published()).toEqual([['final', 'polymarket']])
    }
  })

  it('takes no time ahead of ours for the last word: what follows is heard', () => {
    const { record, read } = stage()
    read({})
    record.hear(word('live', { saidMs: NOW + 5001 }), NOW)
    expect(record.hear(word('live', { saidMs: NOW + 10 }), NOW + 10)).not.toHaveProperty('skipped')
  })

  it('stays over however many games of others are told of', () => {
    const codes = new TeamCodeBook()
    const record = new GameRecord(['nba', 'cfb'], codes)
    record.setScoreboard('nba', [game({ status: 'live' })])
    record.hear(word('final'), NOW)
    for (let number = 0; number < 2100; number++)
      record.hear(word('live', { league: 'cfb', teams: [`T${number}`, 'X'] }), NOW)
    expect(record.games('nba')[0]!.status).toBe('final')
  })

  it('is not live again by one reading of the scoreboard', () => {
    const { read, published } = stage()
    read({ status: 'final' })
    expect(read({ status: 'live' })).toEqual({ steps: [], doubted: [{ from: 'final', to: 'live' }] })
    expect(published()).toEqual([['final', 'espn']])
    expect(read({ status: 'live' }).steps).toEqual([{ from: 'final', to: 'live' }])
    expect(published()).toEqual([['live', 'espn']])
  })

  it('keeps the time of the scoreboard: a second source that says live makes nothing fresher', () => {
    const { record, read } = stage()
    read({})
    const [before] = record.games('nba')
    record.hear(word('live', { scores: [1, 2] }), NOW + 10 * MINUTE)
    expect(record.games('nba')).toEqual([before])
  })
})

describe('sources that contradict each other', () => {
  it('are told of after three minutes, once, until they agree again', () => {
    const { record, read } = stage()
    read({})
    record.hear(word('final'), NOW)
    expect(record.disagreements(NOW)).toMatchObject({ status: [], fresh: [] })
    expect(record.disagreements(NOW + 3 * MINUTE)).toMatchObject({ status: [], fresh: [] })
    const late = record.disagreements(NOW + 3 * MINUTE + 1)
    expect(late.fresh).toMatchObject([{ scoreboard: 'live', second: 'final' }])
    const later = record.disagreements(NOW + 4 * MINUTE)
    expect(later.fresh).toEqual([])
    expect(later.status).toHaveLength(1)
    read({ status: 'final' })
    expect(record.disagreements(NOW + 5 * MINUTE).status).toEqual([])
  })

  it('are not told of for what an earlier connection said, unless it decides', () => {
    const { record, read } = stage()
    read({})
    record.hear(word('live'), NOW)
    record.connected()
    read({ status: 'final' })
    record.disagreements(NOW)
    expect(record.disagreements(NOW + 10 * MINUTE).status).toEqual([])

    const other = stage()
    other.read({})
    other.record.hear(word('final'), NOW)
    other.record.connected()
    other.record.disagreements(NOW)
    expect(other.record.disagreements(NOW + 10 * MINUTE).status).toHaveLength(1)
  })

  it('on the score are counted in either order of the two, and only counted', () => {
    const { record, read, published } = stage()
    const scores = (one: number, other: number) => {
      record.hear(word('live', { scores: [one, other] }), NOW)
      record.disagreements(NOW)
      return record.disagreements(NOW + 4 * MINUTE).scores
    }
    read({
      home: { code: 'UTAH', name: 'Utah', score: 90 },
      away: { code: 'HOU', name: 'Houston', score: 88 },
    })
    expect(scores(88, 90)).toBe(0)
    expect(scores(90, 88)).toBe(0)
    expect(scores(90, 91)).toBe(1)
    expect(published()).toEqual([['live', 'espn']])
  })
})
