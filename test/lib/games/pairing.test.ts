import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pairGames } from '../../../src/lib/games/pairing.js'
import { TeamCodeBook } from '../../../src/lib/games/team-codes.js'
import type { CatalogMarket, Game } from '../../../src/lib/model/game.js'
import { game, kalshiEvent, polyMarket } from './samples.js'

const codes = new TeamCodeBook()
const pair = (games: readonly Game[], markets: readonly CatalogMarket[]) => pairGames(games, markets, codes)

const KALSHI = kalshiEvent('KXNBAGAME-25DEC01HOUUTA', ['HOU', 'UTA'], '2025-12-01')
const POLY = polyMarket('nba-hou-uta-2025-12-01')

/** Reason by market id. */
const reasons = (markets: readonly CatalogMarket[], games: readonly Game[] = [game()]) =>
  Object.fromEntries(pair(games, markets).unpaired.map(({ market, reason }) => [market.marketId, reason]))
const paired = (markets: readonly CatalogMarket[], games: readonly Game[] = [game()]) =>
  pair(games, markets).games.map(({ markets: found }) =>
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

const fixtures = process.env['ARBEES_FIXTURES']

describe.skipIf(fixtures === undefined)('recorded NBA listings of December 2025 (ARBEES_FIXTURES)', () => {
  const load = (name: string): unknown =>
    JSON.parse(readFileSync(join(fixtures ?? '', 'polymarket', name), 'utf8'))

  it('pairs 15 of 16 Kalshi events with the 47 slugs and refuses HOU at UTA of November 30', () => {
    const tickers = load('nba_kalshi_tickers_2025-12.json') as { market_ticker: string; game_date: string }[]
    const slugs = load('nba_polymarket_slugs_2025-12.json') as { slug: string }[]
    const poly = slugs.map(({ slug }) => polyMarket(slug))
    const byEvent = new Map<string, { teams: string[]; date: string }>()
    for (const { market_ticker: ticker, game_date: date } of tickers) {
      const end = ticker.lastIndexOf('-')
      const event = byEvent.get(ticker.slice(0, end)) ?? { teams: [], date }
      event.teams.push(ticker.slice(end + 1))
      byEvent.set(ticker.slice(0, end), event)
    }
    const kalshi = [...byEvent].flatMap(([event, { teams, date }]) =>
      kalshiEvent(event, teams as [string, string], date),
    )
    // The scoreboard of those days: every game that either venue lists.
    const byKey = new Map<string, Game>()
    for (const market of [...kalshi, ...poly]) {
      const [a, b] = market.teams.map((team) => codes.codeOf('nba', market.venue, team)!)
      const key = [...[a!, b!].sort(), market.easternDate].join(' ')
      const startMs = Date.parse(`${market.easternDate}T23:00:00Z`)
      if (!byKey.has(key))
        byKey.set(key, game({ gameId: key.replaceAll(' ', '-'), homeCode: a!, awayCode: b!, startMs }))
    }
    const { games, unpaired } = pair([...byKey.values()], [...kalshi, ...poly])

    expect(byEvent.size).toBe(16)
    expect(slugs).toHaveLength(47)
    expect(games.filter(({ markets }) => markets.length === 3)).toHaveLength(15)
    expect(games.filter(({ markets }) => markets.length !== 0 && markets.length !== 3)).toEqual([])
    const refused = unpaired.filter(({ market }) => market.venue === 'kalshi')
    expect(refused.map(({ market, reason }) => [market.eventId, reason])).toEqual([
      ['KXNBAGAME-25NOV30HOUUTA', 'no_counterpart'],
      ['KXNBAGAME-25NOV30HOUUTA', 'no_counterpart'],
    ])
    expect(unpaired.filter(({ reason }) => reason !== 'no_counterpart')).toEqual([])
  })
})
