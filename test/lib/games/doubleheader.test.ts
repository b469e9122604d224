import { describe, expect, it } from 'vitest'
import { pairGames } from '../../../src/lib/games/pairing.js'
import { NO_RULES, PairingLaw } from '../../../src/lib/games/pairing-rules.js'
import type { PairingRules } from '../../../src/lib/games/pairing-rules.js'
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
    const timed = kalshi('1910AZWSHG2', { gameNumber: 2, easternTime: '19:10' })
    expect(Object.keys(pair([SECOND], [...timed, poly(at(19, 10))]).pairs)).toEqual(['2'])
  })

  it('of which the scoreboard shows one: the other game of either venue is not taken for it', () => {
    expect(pair([SECOND], [...early, poly(at(19, 10))])).toEqual({
      pairs: {},
      reasons: new Set([`${early[0]!.eventId} other_start`, 'mlb-ari-wsh-2026-09-05 no_counterpart']),
    })
    // Neither a delay of an hour or two, nor a long one of a game that has begun, parts what is paired.
    const begun = { ...SECOND, status: 'live' as const }
    expect(Object.keys(pair([begun], [...early, poly(at(13, 5))]).pairs)).toEqual(['2'])
    expect(Object.keys(pair([SECOND], [...late, poly(at(17, 5))]).pairs)).toEqual(['2'])
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
