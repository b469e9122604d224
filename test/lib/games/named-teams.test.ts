import { describe, expect, it } from 'vitest'
import { pairGames } from '../../../src/lib/games/pairing.js'
import { isCalled } from '../../../src/lib/games/team-names.js'
import type { CatalogMarket, Game } from '../../../src/lib/model/game.js'
import { kalshiEvent, namedGame, pairingContext, polyMarket, threeWay } from './samples.js'

const DAY = '2025-12-01'
const OSU = ['OSU', 'Ohio State Buckeyes', 'Ohio State'] as const
const MICH = ['MICH', 'Michigan Wolverines', 'Michigan'] as const
const MIA_OH = ['M-OH', 'Miami (OH) RedHawks', 'Miami OH', 'Miami (OH)'] as const

function pair(games: readonly Game[], markets: readonly CatalogMarket[]) {
  const { games: found, unpaired } = pairGames(games, markets, pairingContext())
  return {
    pairs: found.flatMap(({ markets: own }) =>
      own.map(({ venue, selection, venueSelection }) => `${venue} ${venueSelection} is ${selection}`),
    ),
    reasons: [...new Set(unpaired.map(({ reason }) => reason))],
  }
}

/** A college game at both venues, by the names that each uses. */
function listed(
  kalshi: readonly [string, string],
  poly: readonly [string, string],
  codes: readonly [string, string] = ['OHST', 'MICH'],
): CatalogMarket[] {
  const names = ([first, second]: readonly [string, string]) => [[first], [second]] as const
  return [
    ...kalshiEvent(`KXNCAAFGAME-25DEC01${codes.join('')}`, [...codes], DAY).map((market) => ({
      ...market,
      league: 'cfb' as const,
      teamNames: names(kalshi),
    })),
    polyMarket(`cfb-osu-mich-${DAY}`, { teamNames: names(poly) }),
  ]
}

describe('college teams', () => {
  const games = [namedGame('cfb', [MICH, OSU])]

  it("are known by the scoreboard's names, however a venue spells State, and whatever its codes", () => {
    const markets = listed(['Ohio St.', 'Michigan'], ['Ohio State Buckeyes', 'Michigan'])
    expect(pair(games, markets)).toEqual({
      pairs: ['kalshi MICH is MICH', 'kalshi OHST is OSU', 'poly OSU is OSU'],
      reasons: [],
    })
  })

  it.each<[string, CatalogMarket[], string[]]>([
    [
      "a code that equals ESPN's, of another name",
      listed(['Ohio', 'Michigan'], ['Ohio State', 'Michigan']),
      ['unknown_team', 'no_counterpart'],
    ],
    [
      'a nickname alone',
      listed(['Buckeyes', 'Michigan'], ['Ohio State', 'Michigan']),
      ['unknown_team', 'no_counterpart'],
    ],
    ['no names at all', listed(['', ''], ['Ohio State', 'Michigan']), ['unknown_team', 'no_counterpart']],
    [
      'one team twice',
      listed(['Michigan', 'Michigan'], ['Ohio State', 'Michigan']),
      ['no_game', 'no_counterpart'],
    ],
  ])('%s is not proof', (_, markets, reasons) => {
    const found = pair(games, markets)
    expect(found.pairs).toEqual([])
    expect(new Set(found.reasons)).toEqual(new Set(reasons))
  })

  it('are refused where one name fits both', () => {
    const tigers = namedGame('cfb', [
      ['LSU', 'LSU Tigers', 'Tigers'],
      ['CLEM', 'Clemson Tigers', 'Clemson', 'Tigers'],
    ])
    const markets = listed(['Tigers', 'Clemson'], ['Tigers', 'Clemson'], ['LSU', 'CLEM'])
    expect(pair([tigers], markets).pairs).toEqual([])
    expect(pair([tigers], listed(['LSU Tigers', 'Clemson'], ['LSU Tigers', 'Clemson'])).pairs).toHaveLength(3)
  })

  it('that play others that day are a missing game, not unknown', () => {
    const others = [
      namedGame('cfb', [MICH, MIA_OH]),
      namedGame('cfb', [['X', 'Xavier'], OSU], { gameId: '402' }),
    ]
    const { reasons } = pair(others, listed(['Ohio St.', 'Michigan'], ['Ohio State', 'Michigan']))
    expect(reasons).toEqual(['no_game'])
  })
})

it.each<[string, string, boolean]>([
  ['Michigan St.', 'Michigan State', true],
  ["St. John's", 'St Johns', true],
  ["Saint Mary's", "St. Mary's", true],
  ['Texas A&M', 'Texas A and M', true],
  ['CF Montréal', 'Montreal', true],
  ['Everton FC', 'Everton', true],
  ["Hawai'i", 'Hawaii', true],
  ['Miami', 'Miami (OH)', false],
  ['Miami (FL)', 'Miami (OH)', false],
  ['New York City FC', 'New York Red Bulls', false],
  ['North Carolina', 'North Carolina State', false],
  ['USC', 'South Carolina', false],
  ['Manchester City', 'Manchester United', false],
  ['St. Louis', 'Louis', false],
  ['FC', 'SC', false],
  ['', '', false],
])('%j and %j are one team: %s', (said, known, expected) => {
  expect(isCalled([said], [known])).toBe(expected)
})

describe('a soccer game', () => {
  const ARS = ['ARS', 'Arsenal'] as const
  const LIV = ['LIV', 'Liverpool'] as const
  const games = [namedGame('epl', [ARS, LIV])]
  const kalshi = threeWay(
    'kalshi',
    'KXEPLGAME-25DEC01ARSLFC',
    [
      ['ARS', 'Arsenal'],
      ['LFC', 'Liverpool'],
    ],
    DAY,
  )
  const poly = threeWay(
    'poly',
    `epl-ars-liv-${DAY}`,
    [
      ['ARS', 'Arsenal FC'],
      ['LIV', 'Liverpool FC'],
    ],
    DAY,
  )

  it('is paired with the three markets of both venues', () => {
    expect(pair(games, [...kalshi, ...poly])).toEqual({
      pairs: [
        'kalshi ARS is ARS',
        'kalshi LFC is LIV',
        'kalshi TIE is draw',
        'poly ARS is ARS',
        'poly DRAW is draw',
        'poly LIV is LIV',
      ],
      reasons: [],
    })
  })

  it.each([...kalshi, ...poly].map((market) => [market.venue, market.selection, market] as const))(
    'is not paired at all without %s %s',
    (_, __, missing) => {
      const found = pair(
        games,
        [...kalshi, ...poly].filter((market) => market !== missing),
      )
      expect(found.pairs).toEqual([])
      expect(new Set(found.reasons)).toEqual(new Set(['incomplete_event', 'no_counterpart']))
    },
  )

  it('whose draw one venue does not list as an outcome is not paired', () => {
    const twoWay = kalshi
      .filter(({ selection }) => selection !== 'TIE')
      .map((market) => ({ ...market, kind: 'moneyline' as const }))
    expect(pair(games, [...twoWay, ...poly])).toEqual({ pairs: [], reasons: ['other_kind'] })
  })

  it('whose teams are priced the other way round is refused, the draw notwithstanding', () => {
    const price = (
      markets: readonly CatalogMarket[],
      [home, draw, away]: readonly [number, number, number],
    ) => markets.map((market, i) => ({ ...market, statedE4: [home, draw, away][i]! }))
    const dear = price(kalshi, [6500, 2200, 1300])
    expect(pair(games, [...dear, ...price(poly, [6400, 2300, 1400])]).pairs).toHaveLength(6)
    expect(pair(games, [...dear, ...price(poly, [1400, 2300, 6400])]).reasons).toEqual(['price_disagrees'])
    // One team's price says nothing of the other's, where there is a draw.
    const close = price(kalshi, [4700, 2500, 2800])
    const [home, draw, away] = poly
    expect(pair(games, [...close, { ...home!, statedE4: 4300 }, draw!, away!]).pairs).toHaveLength(6)
  })
})
