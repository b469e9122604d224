import { describe, expect, it } from 'vitest'
import type { ScoreboardAnswer, ScoreboardFailure, ScoreboardPage } from '../../../src/lib/games/espn.js'
import { dayBefore, easternDate } from '../../../src/lib/games/eastern-date.js'
import { LeagueScoreboard, pollDelayMs } from '../../../src/lib/games/league-scoreboard.js'
import type { Game } from '../../../src/lib/model/game.js'
import { game } from './samples.js'

const NOW = Date.UTC(2025, 11, 2, 1, 0) // 8 pm in New York, December 1.
const MINUTE = 60_000
const signal = new AbortController().signal

/** A service that answers from a table by date, and remembers what it was asked. */
function service(pages: Record<string, readonly Game[] | ScoreboardFailure>) {
  const asked: string[] = []
  const board = new LeagueScoreboard(
    'nba',
    {
      page: (league, date): Promise<ScoreboardAnswer> => {
        asked.push(date)
        const entry = pages[date] ?? []
        if ('reason' in entry) return Promise.resolve({ kind: 'failed', failure: entry })
        const page: ScoreboardPage = { league, date, games: entry, skipped: [], etag: undefined, maxAgeMs: 0 }
        return Promise.resolve({ kind: 'page', page, notModified: false })
      },
    },
    () => 0.5,
  )
  return { asked, board, pages }
}

const failure = (reason: string, retryAfterMs = 0): ScoreboardFailure => ({
  kind: 'refused',
  reason,
  detail: '',
  retryAfterMs,
})

describe('the Eastern day', () => {
  it.each([
    ['2025-12-02T01:00:00Z', '2025-12-01'],
    ['2025-12-02T04:59:59Z', '2025-12-01'],
    ['2025-12-02T05:00:00Z', '2025-12-02'],
    ['2025-07-02T03:59:59Z', '2025-07-01'],
    ['2025-07-02T04:00:00Z', '2025-07-02'],
  ])('%s is %s', (utc, date) => {
    expect(easternDate(Date.parse(utc))).toBe(date)
  })

  it('has a day before, also across months and clock changes', () => {
    expect(dayBefore('2026-03-01')).toBe('2026-02-28')
    expect(dayBefore('2026-03-09')).toBe('2026-03-08')
  })
})

describe('a league', () => {
  it("is asked for today, and for yesterday until all of yesterday's games are over", async () => {
    const late = game({ gameId: 'late', status: 'live' })
    const { asked, board, pages } = service({ '2025-12-01': [game()], '2025-11-30': [late] })
    await board.poll(NOW, signal)
    await board.poll(NOW, signal)
    pages['2025-11-30'] = [{ ...late, status: 'final' }]
    await board.poll(NOW, signal)
    await board.poll(NOW, signal)
    expect(asked).toEqual([
      ...['2025-12-01', '2025-11-30', '2025-12-01', '2025-11-30'],
      ...['2025-12-01', '2025-11-30', '2025-12-01'],
    ])
    expect(board.games().map(({ gameId, status }) => [gameId, status])).toEqual([
      ['401', 'pre'],
      ['late', 'final'],
    ])
  })

  it('forgets the day before yesterday', async () => {
    const { board } = service({ '2025-12-01': [game()] })
    await board.poll(NOW, signal)
    await board.poll(NOW + 24 * 60 * MINUTE, signal)
    expect(board.games()).toHaveLength(1)
    await board.poll(NOW + 48 * 60 * MINUTE, signal)
    expect(board.games()).toEqual([])
  })

  it('keeps its games when the service refuses, and backs off, longer than it is told to', async () => {
    const { board, pages } = service({ '2025-12-01': [game({ status: 'live' })] })
    expect((await board.poll(NOW, signal)).nextDelayMs).toBe(5000)
    pages['2025-12-01'] = failure('http_403')
    const delays: number[] = []
    for (let i = 0; i < 12; i++) delays.push((await board.poll(NOW, signal)).nextDelayMs)
    expect(board.games()).toHaveLength(1)
    expect(delays[0]).toBeGreaterThanOrEqual(5000)
    expect(delays.at(-1)).toBeGreaterThan(60_000)
    expect(Math.max(...delays)).toBeLessThanOrEqual(300_000)
    pages['2025-12-01'] = failure('http_429', 400_000)
    const told = await board.poll(NOW, signal)
    expect(told.nextDelayMs).toBe(400_000)
    expect(told.failures.map(({ reason }) => reason)).toEqual(['http_429'])
    pages['2025-12-01'] = [game({ status: 'live' })]
    expect((await board.poll(NOW, signal)).nextDelayMs).toBe(5000)
  })

  it.each<[string, Game[], number]>([
    ['nothing', [], 300_000],
    ['only results', [game({ status: 'final', startMs: NOW })], 300_000],
    ['one live among many', [game(), game({ status: 'live', startMs: NOW - MINUTE })], 5000],
    ['a start within the minute', [game({ startMs: NOW + MINUTE })], 5000],
    ['a start that is late', [game({ startMs: NOW - 60 * MINUTE })], 5000],
    ['a start that never came', [game({ startMs: NOW - 7 * 60 * MINUTE })], 300_000],
    ['a start within half an hour', [game({ startMs: NOW + 29 * MINUTE })], 60_000],
    ['a start in an hour', [game({ startMs: NOW + 60 * MINUTE })], 300_000],
    ['one postponed', [game({ status: 'postponed', startMs: NOW })], 300_000],
  ])('with %s waits its time', (_, games, delayMs) => {
    expect(pollDelayMs(games, NOW)).toBe(delayMs)
  })
})
