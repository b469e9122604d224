import { describe, expect, it } from 'vitest'
import { GameBoard } from '../../../src/lib/games/game-board.js'
import { NO_RULES } from '../../../src/lib/games/pairing-rules.js'
import { ShardAssignments } from '../../../src/lib/games/shard-assignments.js'
import { TeamCodeBook } from '../../../src/lib/games/team-codes.js'
import { game, kalshiEvent, polyMarket } from './samples.js'

const NOW = Date.UTC(2025, 11, 2, 1, 0)
const DAY = 86_400_000
const MARKETS = [
  ...kalshiEvent('KXNBAGAME-25DEC01HOUUTA', ['HOU', 'UTA'], '2025-12-01'),
  polyMarket('nba-hou-uta-2025-12-01'),
]
const board = (shards = 1) => new GameBoard(new TeamCodeBook(), new ShardAssignments(shards))

describe('the board', () => {
  it('says of a market of a later day that its day is to come, known teams or not', () => {
    const games = board()
    games.setGames('nba', [game()])
    const tomorrow = polyMarket('nba-hou-uta-2025-12-02')
    games.addMarkets([tomorrow, { ...tomorrow, marketId: 'c', league: 'cbb' }])
    games.update(NOW)
    expect(games.unpaired().map(({ reason }) => reason)).toEqual(['not_yet', 'not_yet'])
    games.update(NOW + DAY)
    expect(games.unpaired().map(({ reason }) => reason)).toEqual(['no_game', 'unknown_team'])
  })

  it('tells which pins and bans are about nothing it knows', () => {
    const games = board()
    games.setGames('nba', [game()])
    games.addMarkets(MARKETS)
    const why = { league: 'nba', gameId: '401' } as const
    games.setRules({
      ...NO_RULES,
      pins: [
        { ...why, eventId: 'nba-hou-uta-2025-12-01' },
        { ...why, eventId: 'nba-hou-utah-2025-12-01' },
      ],
      bans: [
        { ...why, kind: 'game' },
        { ...why, kind: 'game', league: 'wnba' },
        { kind: 'event', eventId: 'KXNBAGAME-25DEC01HOUUTA' },
        { kind: 'market', marketId: 'KXNBAGAME-25DEC01HOUUTA-HOU' },
        { kind: 'market', marketId: 'KXNBAGAME-25DEC01HOUUTA' },
      ],
    })
    expect(games.unmatched()).toEqual({
      pins: ['nba-hou-utah-2025-12-01'],
      bans: ['game wnba 401', 'market KXNBAGAME-25DEC01HOUUTA'],
    })
  })

  it('tells of a game once as discovered, then only of changes', () => {
    const games = board()
    games.setGames('nba', [game()])
    expect(games.update(NOW).discovered.map(({ gameId }) => gameId)).toEqual(['401'])
    expect(games.update(NOW)).toMatchObject({ discovered: [], updated: [] })
    games.setGames('nba', [game({ fetchedMs: 99 })])
    expect(games.update(NOW).updated).toEqual([])
    expect(games.states()[0]!.fetchedMs).toBe(99)
    games.setGames('nba', [game({ status: 'live' })])
    expect(games.update(NOW).updated.map(({ status }) => status)).toEqual(['live'])
    games.addMarkets(MARKETS)
    expect(games.update(NOW).updated[0]!.markets).toHaveLength(3)
    expect(games.marketGames()).toHaveLength(3)
  })

  it('keeps the markets of a game after the venues stop listing them, until the day is gone', () => {
    const games = board()
    games.setGames('nba', [game({ status: 'final' })])
    games.addMarkets(MARKETS)
    games.update(NOW)
    games.addMarkets([])
    games.update(NOW + DAY)
    expect(games.states()[0]!.markets).toHaveLength(3)
    games.update(NOW + 2 * DAY)
    expect(games.states()[0]!.markets).toEqual([])
  })

  it('pairs a pinned event of days ago with the game that it was postponed to, while it is pinned', () => {
    const games = board()
    const later = NOW + 5 * DAY
    games.setGames('nba', [game({ startMs: later })])
    games.addMarkets(MARKETS)
    games.setRules({
      ...NO_RULES,
      pins: MARKETS.map(({ eventId }) => ({ eventId, league: 'nba' as const, gameId: '401' })),
    })
    games.update(later)
    expect(games.states()[0]!.markets).toHaveLength(3)
    games.setRules(NO_RULES)
    games.update(later)
    expect(games.states()[0]!.markets).toEqual([])
    expect(games.unpaired()).toEqual([])
  })

  it('unpairs at once what has become uncertain', () => {
    const games = board()
    games.setGames('nba', [game()])
    games.addMarkets(MARKETS)
    games.update(NOW)
    games.setGames('nba', [game(), game({ gameId: '402', startMs: NOW })])
    const changes = games.update(NOW)
    expect(changes.updated.map(({ gameId, markets }) => [gameId, markets])).toEqual([['401', []]])
    expect(new Set(changes.newlyUnpaired.map(({ reason }) => reason))).toEqual(new Set(['doubleheader']))
    expect(games.update(NOW).newlyUnpaired).toEqual([])
  })
})
