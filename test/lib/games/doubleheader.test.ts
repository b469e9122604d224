import { describe, expect, it } from 'vitest'
import { GameBoard } from '../../../src/lib/games/game-board.js'
import { pairGames } from '../../../src/lib/games/pairing.js'
import { NO_RULES, PairingLaw } from '../../../src/lib/games/pairing-rules.js'
import type { PairingRules } from '../../../src/lib/games/pairing-rules.js'
import { ShardAssignments } from '../../../src/lib/games/shard-assignments.js'
import { TeamCodeBook } from '../../../src/lib/games/team-codes.js'
import type { CatalogMarket, Game } from '../../../src/lib/model/game.js'
import { game, kalshiEvent, pairingContext, polyMarket } from './samples.js'

/** A US Eastern time on 2026-09-05, which is EDT. */
const at = (hours: number, minutes = 0): number => Date.UTC(2026, 8, 5, hours + 4, minutes)
const mlb = (gameId: string, startMs: number): Game =>
  game({ league: 'mlb', gameId, homeCode: 'WSH', awayCode: 'ARI', startMs })
const FIRST = mlb('1', at(13, 5))
const SECOND = mlb('2', at(19, 10))

function kalshi(tail: string, change: Partial<CatalogMarket> = {}): CatalogMarket[] {
  const event = `KXMLBGAME-26SEP05${tail}`
  return kalshiEvent(event, ['AZ', 'WSH'], '2026-09-05').map((market) => ({ ...market, ...change }))
}
const poly = (startMs: number, slug = 'mlb-ari-wsh-2026-09-05') => polyMarket(slug, { startMs })

function pair(games: readonly Game[], markets: readonly CatalogMarket[], rules: Partial<PairingRules> = {}) {
  const law = new PairingLaw({ ...NO_RULES, ...rules })
  const { games: found, unpaired } = pairGames(games, markets, pairingContext({ law }))
  return {
    pairs: Object.fromEntries(
      found
        .filter(({ markets: own }) => own.length > 0)
        .map(({ game: { gameId }, markets: own }) => [gameId, own.map(({ marketId }) => marketId)]),
    ),
    reasons: new Set(unpaired.map(({ market, reason }) => `${market.eventId} ${reason}`)),
  }
}

describe('a doubleheader', () => {
  const late = kalshi('1910AZWSH', { easternTime: '19:10' })
  const early = kalshi('1305AZWSH', { easternTime: '13:05' })

  it("is told apart by the starts that both venues state, where the scoreboard's prove which", () => {
    const second = poly(at(19, 10))
    expect(pair([FIRST, SECOND], [...late, ...early, second])).toEqual({
      pairs: { '2': [...late.map(({ marketId }) => marketId), second.marketId] },
      reasons: new Set([`${early[0]!.eventId} no_counterpart`]),
    })
  })

  it('is refused when one venue states no start', () => {
    const { startMs: _, ...silent } = poly(0)
    expect(pair([FIRST, SECOND], [...late, silent])).toEqual({
      pairs: {},
      reasons: new Set([`${silent.eventId} doubleheader`, `${late[0]!.eventId} no_counterpart`]),
    })
  })

  it('is refused when both games could be meant', () => {
    const near = mlb('2', at(13, 50))
    expect(pair([FIRST, near], [...early, poly(at(13, 5))]).pairs).toEqual({})
  })

  it('goes by the number of the game where the ticker has no time, and never against it', () => {
    const [g1, g2] = ([1, 2] as const).map((number) => kalshi(`AZWSHG${number}`, { gameNumber: number }))
    expect(Object.keys(pair([SECOND, FIRST], [...g1!, poly(at(13, 5))]).pairs)).toEqual(['1'])
    expect(Object.keys(pair([SECOND, FIRST], [...g2!, poly(at(19, 0))]).pairs)).toEqual(['2'])
    expect(pair([FIRST, SECOND], [...g2!, poly(at(13, 5))]).pairs).toEqual({})
    const second = kalshi('1305AZWSHG2', { easternTime: '16:05', gameNumber: 2 })
    expect(pair([FIRST, SECOND], [...second, poly(at(19, 10))]).pairs).toEqual({})
  })

  it('with one game on the scoreboard: a numbered ticker needs the start to prove it', () => {
    const numbered = kalshi('AZWSHG2', { gameNumber: 2 })
    expect(pair([SECOND], [...numbered, poly(at(19, 10))]).reasons).toContain(
      `${numbered[0]!.eventId} doubleheader`,
    )
    // The first game may be the one that is shown, hours late.
    const timed = kalshi('1910AZWSHG2', { gameNumber: 2, easternTime: '19:10' })
    expect(pair([SECOND], [...timed, poly(at(19, 10))]).pairs).toEqual({})
    const opener = kalshi('1305AZWSHG1', { gameNumber: 1, easternTime: '13:05' })
    expect(Object.keys(pair([FIRST], [...opener, poly(at(13, 5))]).pairs)).toEqual(['1'])
  })

  it('of which the scoreboard shows one: the other game of either venue is not taken for it', () => {
    expect(pair([SECOND], [...early, poly(at(19, 10))])).toEqual({
      pairs: {},
      reasons: new Set([`${early[0]!.eventId} other_start`, 'mlb-ari-wsh-2026-09-05 no_counterpart']),
    })
    expect(Object.keys(pair([SECOND], [...late, poly(at(18, 15))]).pairs)).toEqual(['2'])
  })

  it.each(['pre', 'live', 'final'] as const)(
    'of which the scoreboard shows one, %s: the venues must not mean one game each',
    (status) => {
      const only = { ...FIRST, status }
      expect(pair([only], [...early, poly(at(19, 5))]).pairs).toEqual({})
      // Both within what a delay may be of the game that is shown.
      expect(pair([only], [...early, poly(at(15, 30))]).reasons).toEqual(
        new Set([`${early[0]!.eventId} other_start`, 'mlb-ari-wsh-2026-09-05 other_start']),
      )
      const begun = { ...SECOND, status }
      expect(pair([begun], [...early, poly(at(13, 5))]).pairs).toEqual({})
    },
  )

  it('of which the first game is so late that its start is the stated one of the second: neither', () => {
    const games = [mlb('1', at(18, 30)), mlb('2', at(21, 45))]
    const second = kalshi('1905AZWSHG2', { easternTime: '19:05', gameNumber: 2 })
    expect(pair(games, [...second, poly(at(18, 30))]).pairs).toEqual({})
    // By the number alone, where the other game is far away.
    expect(pair([games[0]!, mlb('2', at(23, 30))], [...second, poly(at(18, 30))]).pairs).toEqual({})
  })

  it.each([
    // Apart from the stated 13:05 by the game that is meant, and by the other one.
    [59, 300, ['1']],
    [60, 300, []],
    [-59, 300, ['1']],
    [-60, 300, []],
    [0, 180, ['1']],
    [0, 179, []],
  ])(
    'is proven by a start within the hour (%i min), the other not within three (%i min)',
    (one, other, ids) => {
      const games = [mlb('1', at(13, 5 + one)), mlb('2', at(13, 5 + other))]
      expect(Object.keys(pair(games, [...early, poly(at(13, 5))]).pairs)).toEqual(ids)
    },
  )
})

describe('the one game of a date', () => {
  const ticker = kalshi('1305AZWSH', { easternTime: '13:05' })

  it.each([
    [179, ['1']],
    [180, []],
    [-179, ['1']],
    [-180, []],
  ])('may start %i min from what both venues say, or not', (late, ids) => {
    expect(Object.keys(pair([mlb('1', at(13, 5 + late))], [...ticker, poly(at(13, 5))]).pairs)).toEqual(ids)
  })

  it.each([
    [59, ['1']],
    [60, []],
    [-59, ['1']],
    [-60, []],
  ])('has starts %i min apart by the two venues, or not', (apart, ids) => {
    expect(Object.keys(pair([FIRST], [...ticker, poly(at(13, 5 + apart))]).pairs)).toEqual(ids)
  })

  it('stays paired when it is delayed: any time once it began, and whatever one venue makes of its start', () => {
    const board = new GameBoard(new TeamCodeBook(), new ShardAssignments(1))
    const paired = (game: Game, startMs = at(13, 5)): number => {
      board.setGames('mlb', [game])
      board.addMarkets([...ticker, poly(startMs)])
      board.update(at(20))
      return board.states()[0]!.markets.length
    }
    expect(paired(FIRST)).toBe(3)
    expect(paired(mlb('1', at(15)), at(15))).toBe(3)
    expect(paired({ ...mlb('1', at(17)), status: 'live' })).toBe(3)
    expect(paired(mlb('1', at(17)))).toBe(0)
  })
})

describe('a pin', () => {
  const late = kalshi('AZWSH')
  const second = poly(at(19, 10))
  const pins = [{ eventId: late[0]!.eventId, league: 'mlb' as const, gameId: '2' }]

  it('overrules a doubleheader', () => {
    expect(pair([FIRST, SECOND], [...late, second]).pairs).toEqual({})
    expect(Object.keys(pair([FIRST, SECOND], [...late, second], { pins }).pairs)).toEqual(['2'])
  })

  it('overrules a date, and passes over what the venue lists beside it', () => {
    const moved = kalshiEvent('KXMLBGAME-26SEP04AZWSH', ['AZ', 'WSH'], '2026-09-04')
    const other = kalshi('1910AZWSH', { easternTime: '19:10' })
    const rules = { pins: [{ ...pins[0]!, eventId: moved[0]!.eventId }] }
    const found = pair([SECOND], [...moved, ...other, second], rules)
    expect(found.pairs['2']).toEqual([...moved.map(({ marketId }) => marketId), second.marketId])
    expect(found.reasons).toEqual(new Set([`${other[0]!.eventId} several_events`]))
  })

  it('overrules the start that its venue states', () => {
    const told = kalshi('1705AZWSH', { easternTime: '17:05' })
    expect(pair([SECOND], [...told, second]).pairs).toEqual({})
    const rules = { pins: [{ ...pins[0]!, eventId: told[0]!.eventId }] }
    expect(Object.keys(pair([SECOND], [...told, second], rules).pairs)).toEqual(['2'])
  })

  it('never overrules the teams, nor what YES pays on', () => {
    const others = kalshiEvent('KXMLBGAME-26SEP05NYMPHI', ['NYM', 'PHI'], '2026-09-05')
    const rules = { pins: [{ ...pins[0]!, eventId: others[0]!.eventId }] }
    expect(pair([SECOND], [...others, second], rules).reasons).toContain(
      `${others[0]!.eventId} pinned_to_other_teams`,
    )
    const swapped = late.map((market, i) => ({ ...market, selection: late[1 - i]!.selection }))
    expect(pair([SECOND], [...swapped, second], { pins }).reasons).toContain(
      `${late[0]!.eventId} selection_mismatch`,
    )
    const dear = late.map((market) => ({ ...market, statedE4: market.selection === 'AZ' ? 2000 : 8000 }))
    const cheap = { ...second, statedE4: 8000 }
    expect(pair([SECOND], [...dear, cheap], { pins }).reasons).toContain(
      `${late[0]!.eventId} price_disagrees`,
    )
  })

  it('to a game that is not on the scoreboard, or of another league, pairs nothing', () => {
    const gone = { pins: [{ ...pins[0]!, gameId: '9' }] }
    expect(pair([SECOND], [...late, second], gone).reasons).toContain(
      `${late[0]!.eventId} pinned_game_unknown`,
    )
    // Both leagues have an ATL and a WSH.
    const nba = game({ gameId: '2', homeCode: 'WSH', awayCode: 'ATL', startMs: at(19, 10) })
    const baseball = kalshiEvent('KXMLBGAME-26SEP05ATLWSH', ['ATL', 'WSH'], '2026-09-05')
    const wrong = { pins: [{ league: 'nba' as const, gameId: '2', eventId: baseball[0]!.eventId }] }
    expect(pair([nba, SECOND], baseball, wrong).reasons).toContain(
      `${baseball[0]!.eventId} pinned_to_other_teams`,
    )
  })

  it.each([
    { kind: 'event' as const, eventId: late[0]!.eventId },
    { kind: 'market' as const, marketId: late[0]!.marketId },
    { kind: 'game' as const, league: 'mlb' as const, gameId: '2' },
  ])('loses to a ban of its $kind', (ban) => {
    const { pairs, reasons } = pair([FIRST, SECOND], [...late, second], { pins, bans: [ban] })
    expect(pairs).toEqual({})
    expect(reasons).toContain(`${late[0]!.eventId} banned`)
  })
})
