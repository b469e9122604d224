import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pairGames } from '../../../src/lib/games/pairing.js'
import { NO_RULES, PairingLaw } from '../../../src/lib/games/pairing-rules.js'
import type { PairingRules } from '../../../src/lib/games/pairing-rules.js'
import type { CatalogMarket, Game } from '../../../src/lib/model/game.js'
import { UNKNOWN_SETTLEMENT, game, kalshiEvent, pairingContext, polyMarket } from './samples.js'

const pair = (games: readonly Game[], markets: readonly CatalogMarket[], rules: Partial<PairingRules> = {}) =>
  pairGames(games, markets, pairingContext({ law: new PairingLaw({ ...NO_RULES, ...rules }) }))

const KALSHI = kalshiEvent('KXNBAGAME-25DEC01HOUUTA', ['HOU', 'UTA'], '2025-12-01')
const POLY = polyMarket('nba-hou-uta-2025-12-01')

/** Reason by market id. */
const reasons = (
  markets: readonly CatalogMarket[],
  games: readonly Game[] = [game()],
  rules: Partial<PairingRules> = {},
) =>
  Object.fromEntries(
    pair(games, markets, rules).unpaired.map(({ market, reason }) => [market.marketId, reason]),
  )
const paired = (
  markets: readonly CatalogMarket[],
  games: readonly Game[] = [game()],
  rules: Partial<PairingRules> = {},
) =>
  pair(games, markets, rules).games.map(({ markets: found }) =>
    found.map(({ venue, marketId, selection }) => [venue, marketId, selection]),
  )

describe('pairing', () => {
  it("gives a game Kalshi's two markets and Polymarket's condition, selections as ESPN codes", () => {
    expect(paired([...KALSHI, POLY])).toEqual([
      [
        ['kalshi', 'KXNBAGAME-25DEC01HOUUTA-HOU', 'HOU'],
        ['kalshi', 'KXNBAGAME-25DEC01HOUUTA-UTA', 'UTAH'],
        ['poly', POLY.marketId, 'HOU'],
      ],
    ])
  })

  it('does not care which team a venue names first', () => {
    const flipped = polyMarket('nba-uta-hou-2025-12-01')
    expect(paired([...KALSHI, flipped])[0]![2]).toEqual(['poly', flipped.marketId, 'UTAH'])
  })

  it('carries all that trading a market needs', () => {
    const { markets } = pair([game()], [...KALSHI, POLY]).games[0]!
    expect(markets[2]).toEqual({
      venue: 'poly',
      marketId: POLY.marketId,
      kind: 'moneyline',
      selection: 'HOU',
      venueSelection: 'HOU',
      settlement: UNKNOWN_SETTLEMENT,
      tickE4: 100,
      sizeStepE2: 1,
      minSizeE2: 500,
      fees: { ratePpm: 50_000, roundUpToMicros: 10 },
      takerDelayMs: 1000,
      tokenIds: ['1', '2'],
      negRisk: false,
    })
  })

  it('goes by the Eastern day: a game after midnight UTC is of the day before', () => {
    expect(paired([...KALSHI, POLY], [game({ startMs: Date.UTC(2025, 11, 2, 3, 30) })])[0]).toHaveLength(3)
    expect(paired([...KALSHI, POLY], [game({ startMs: Date.UTC(2025, 11, 2, 5, 30) })])[0]).toHaveLength(0)
  })
})

describe('an uncertain pair is refused:', () => {
  it('a rematch on the next day', () => {
    const sunday = kalshiEvent('KXNBAGAME-25NOV30HOUUTA', ['HOU', 'UTA'], '2025-11-30')
    const games = [game(), game({ gameId: '400', startMs: Date.UTC(2025, 10, 30, 23, 0) })]
    expect(reasons([...KALSHI, ...sunday, POLY], games)).toEqual({
      'KXNBAGAME-25NOV30HOUUTA-HOU': 'no_counterpart',
      'KXNBAGAME-25NOV30HOUUTA-UTA': 'no_counterpart',
    })
    expect(reasons([...sunday, POLY])[POLY.marketId]).toBe('no_counterpart')
    expect(reasons(sunday)).toEqual({
      'KXNBAGAME-25NOV30HOUUTA-HOU': 'no_game',
      'KXNBAGAME-25NOV30HOUUTA-UTA': 'no_game',
    })
  })

  it('both games of a doubleheader, even when one is over', () => {
    const games = [game({ status: 'final' }), game({ gameId: '402', startMs: Date.UTC(2025, 11, 2, 4, 0) })]
    expect(new Set(Object.values(reasons([...KALSHI, POLY], games)))).toEqual(new Set(['doubleheader']))
    expect(paired([...KALSHI, POLY], games)).toEqual([[], []])
  })

  it('two events of one venue for one game', () => {
    const again = kalshiEvent('KXNBAGAME-25DEC012100HOUUTA', ['HOU', 'UTA'], '2025-12-01')
    expect(new Set(Object.values(reasons([...KALSHI, ...again])))).toEqual(new Set(['several_events']))
    expect(paired([...KALSHI, ...again, POLY])).toEqual([[]])
    const second = polyMarket('nba-uta-hou-2025-12-01')
    expect(reasons([...KALSHI, POLY, second])[second.marketId]).toBe('several_events')
  })

  it('outcomes swapped against the ticker', () => {
    const swapped = KALSHI.map((market, i) => ({ ...market, selection: KALSHI[1 - i]!.selection }))
    expect(new Set(Object.values(reasons([...swapped])))).toEqual(new Set(['selection_mismatch']))
    expect(paired([...swapped, POLY])).toEqual([[]])
  })

  it('two markets that pay on the same team', () => {
    const twice = [KALSHI[0]!, { ...KALSHI[0]!, marketId: 'KXNBAGAME-25DEC01HOUUTA-X-HOU' }]
    expect(new Set(Object.values(reasons(twice)))).toEqual(new Set(['incomplete_event']))
  })

  it('markets of two kinds in one event', () => {
    const mixed = [KALSHI[0]!, { ...KALSHI[1]!, kind: 'three_way' as const }, POLY]
    expect(reasons(mixed)[KALSHI[1]!.marketId]).toBe('incomplete_event')
  })

  it("one of Kalshi's two markets alone", () => {
    expect(reasons([KALSHI[0]!, POLY])).toEqual({
      [KALSHI[0]!.marketId]: 'incomplete_event',
      [POLY.marketId]: 'no_counterpart',
    })
  })

  it.each<[string, Partial<CatalogMarket>, string]>([
    ['a code that no table has', { teams: ['HOU', 'XYZ'] }, 'unknown_team'],
    ["ESPN's code where the venue spells it otherwise", { teams: ['HOU', 'UTAH'] }, 'unknown_team'],
    ['a code of another league', { league: 'wnba' }, 'unknown_team'],
    ['a team against itself', { teams: ['HOU', 'HOU'] }, 'same_team'],
    ['YES on a third team', { selection: 'BOS' }, 'selection_not_a_team'],
    ['YES on a draw', { selection: 'DRAW' }, 'selection_not_a_team'],
    ['another day', { easternDate: '2025-12-02' }, 'no_game'],
    ['another pair', { teams: ['HOU', 'BOS'] }, 'no_game'],
  ])('%s', (_, change, reason) => {
    const bad = { ...POLY, ...change }
    expect(reasons([...KALSHI, bad])[bad.marketId]).toBe(reason)
    expect(paired([...KALSHI, bad])).toEqual([[]])
  })
})

describe('pairing as a function', () => {
  const slate = [
    ['BOS', 'NY', 'BOS', 'NYK'],
    ['GS', 'SA', 'GSW', 'SAS'],
    ['UTAH', 'HOU', 'UTA', 'HOU'],
    ['WSH', 'NO', 'WAS', 'NOP'],
  ] as const
  const games = slate.map(([home, away], i) => game({ gameId: String(i), homeCode: home, awayCode: away }))
  const markets = slate.flatMap(([, , home, away]) => [
    ...kalshiEvent(`KXNBAGAME-25DEC01${away}${home}`, [away, home], '2025-12-01'),
    polyMarket(`nba-${away.toLowerCase()}-${home.toLowerCase()}-2025-12-01`),
  ])

  it('gives the same answer for any order of games and markets, repeats included', () => {
    const expected = pair(games, markets)
    expect(expected.games.every(({ markets: found }) => found.length === 3)).toBe(true)
    fc.assert(
      fc.property(
        fc.shuffledSubarray(games, { minLength: games.length }),
        fc.shuffledSubarray([...markets, ...markets], { minLength: markets.length * 2 }),
        (someGames, someMarkets) => {
          expect(pair(someGames, someMarkets)).toEqual(expected)
        },
      ),
      { numRuns: 50 },
    )
  })

  it('puts every market in exactly one place, and no market in two games', () => {
    fc.assert(
      fc.property(fc.subarray(games), fc.subarray(markets), (someGames, someMarkets) => {
        const { games: found, unpaired } = pair(someGames, someMarkets)
        const placed = [
          ...found.flatMap(({ markets: own }) => own.map(({ marketId }) => marketId)),
          ...unpaired.map(({ market }) => market.marketId),
        ]
        expect(placed.sort()).toEqual(someMarkets.map(({ marketId }) => marketId).sort())
      }),
      { numRuns: 100 },
    )
  })
})
