import { existsSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../../../src/lib/core/clock.js'
import type { League } from '../../../../src/lib/model/game.js'
import { leagueOfSlug, PolymarketCatalog } from '../../../../src/lib/venues/polymarket/catalog.js'
import { readEvent } from '../../../../src/lib/venues/polymarket/gamma-market.js'
import { readTeams } from '../../../../src/lib/venues/polymarket/gamma-teams.js'

const START = Date.parse('2026-11-20T00:00:00Z')
const CONDITION = `0x${'1f'.repeat(32)}`

const gammaMarket = {
  conditionId: CONDITION,
  slug: 'nba-hou-uta-2026-11-20',
  question: 'Rockets vs. Jazz',
  outcomes: '["Rockets", "Jazz"]',
  outcomePrices: '["0.83", "0.17"]',
  clobTokenIds: '["111", "222"]',
  active: true,
  closed: false,
  acceptingOrders: true,
  enableOrderBook: true,
  orderPriceMinTickSize: 0.01,
  orderMinSize: 5,
  gameStartTime: '2026-11-21 01:00:00+00',
  secondsDelay: 1,
  negRisk: false,
  sportsMarketType: 'moneyline',
  feesEnabled: true,
  feeSchedule: { exponent: 1, rate: 0.05, takerOnly: true, rebateRate: 0.15 },
  makerBaseFee: 1000,
  takerBaseFee: 1000,
  version: 'v1',
}
const teams = [
  { abbreviation: 'uta', name: 'Utah Jazz', alias: 'Jazz' },
  { abbreviation: 'hou', name: 'Houston Rockets' },
]
const gammaEvent = {
  slug: 'nba-hou-uta-2026-11-20',
  title: 'Rockets vs. Jazz',
  startTime: '2026-11-21T01:00:00Z',
  closed: false,
  teams,
  markets: [gammaMarket],
}
const context = { league: 'nba' as League, nowMs: START, teams: [] }
const withMarket = (more: object): object => ({ ...gammaEvent, markets: [{ ...gammaMarket, ...more }] })

/** The one market, or the reason, of an event of a two-way league. */
function readOne(...args: Parameters<typeof readEvent>) {
  const [reading, ...others] = readEvent(...args)
  expect(others).toEqual([])
  return reading
}

describe('a Gamma event', () => {
  it('becomes the market that it lists', () => {
    expect(readOne(gammaEvent, context)).toEqual({
      kind: 'market',
      startMs: Date.parse('2026-11-21T01:00:00Z'),
      rules: '',
      market: {
        venue: 'poly',
        marketId: CONDITION,
        league: 'nba',
        kind: 'moneyline',
        eventId: 'nba-hou-uta-2026-11-20',
        easternDate: '2026-11-20',
        teams: ['HOU', 'UTA'],
        teamNames: [
          ['Houston Rockets', 'Rockets'],
          ['Utah Jazz', 'Jazz', 'Jazz'],
        ],
        startMs: Date.parse('2026-11-21T01:00:00Z'),
        selection: 'HOU',
        title: 'Rockets vs. Jazz',
        tickE4: 100,
        sizeStepE2: 1,
        minSizeE2: 500,
        fees: { ratePpm: 50_000, roundUpToMicros: 10 },
        takerDelayMs: 1000,
        tokenIds: ['111', '222'],
        negRisk: false,
      },
    })
  })

  it.each([
    ['full names', '["Houston Rockets", "Utah Jazz"]', 'HOU'],
    ['nicknames', '["Rockets", "Jazz"]', 'HOU'],
    ['codes', '["UTA", "HOU"]', 'UTA'],
    ['the order of the slug turned round', '["Jazz", "Rockets"]', 'UTA'],
    ['other spelling', '["JAZZ ", "houston  rockets"]', 'UTA'],
  ])('takes its orientation from outcomes with %s', (_, outcomes, selection) => {
    const reading = readOne(withMarket({ outcomes }), context)
    expect(reading).toMatchObject({ kind: 'market', market: { selection, teams: ['HOU', 'UTA'] } })
  })

  it.each([
    ['strangers', '["Lakers", "Jazz"]'],
    ['Yes and No', '["Yes", "No"]'],
    ['one team twice', '["Jazz", "Utah Jazz"]'],
    ['a city that both have', '["Los Angeles", "Lakers"]'],
    ['an empty name', '["", "Jazz"]'],
  ])('is skipped rather than guessed at with outcomes of %s', (_, outcomes) => {
    expect(readOne(withMarket({ outcomes }), context)).toMatchObject({
      kind: 'skipped',
      reason: expect.stringContaining('do not name the teams') as string,
    })
  })

  it('is skipped when nothing tells whom its outcomes name', () => {
    expect(readOne({ ...gammaEvent, teams: undefined }, context)).toMatchObject({ kind: 'skipped' })
    const reading = readOne({ ...gammaEvent, teams: undefined }, { ...context, teams: readTeams(teams) })
    expect(reading).toMatchObject({ kind: 'market', market: { selection: 'HOU' } })
  })

  it.each<[string, unknown, string]>([
    ['that is no object', 'nba', 'not an object'],
    ['of a future', { ...gammaEvent, slug: 'nba-champion-2027' }, 'not a game'],
    ['of another league', { ...gammaEvent, slug: 'nfl-hou-uta-2026-11-20' }, 'not a game of nba'],
    ['that is closed', { ...gammaEvent, closed: true }, 'event closed'],
    ['that ended', { ...gammaEvent, ended: true }, 'game ended'],
    ['that finished', { ...gammaEvent, finishedTimestamp: '2026-11-21T04:00:00Z' }, 'game ended'],
    [
      'that started over a day ago',
      { ...gammaEvent, startTime: '2026-11-18T23:00:00Z' },
      'started over a day ago',
    ],
    ['with a start that is no time', { ...gammaEvent, startTime: 'soon' }, 'start time is malformed'],
    ['without markets', { ...gammaEvent, markets: null }, 'no moneyline market'],
    ['with spreads alone', withMarket({ sportsMarketType: 'spreads' }), 'no moneyline market'],
    [
      'with the first half alone',
      withMarket({ slug: 'nba-hou-uta-2026-11-20-1h-moneyline' }),
      '0 moneyline markets under the slug',
    ],
    ['with a closed market', withMarket({ closed: true }), 'market closed'],
    ['with an inactive market', withMarket({ active: false }), 'market not active'],
    ['that takes no orders', withMarket({ acceptingOrders: false }), 'not accepting orders'],
    ['without a book', withMarket({ enableOrderBook: false }), 'no order book'],
    ['whose price is decided', withMarket({ outcomePrices: '["1", "0"]' }), 'price is decided'],
    ['of protocol v2', withMarket({ version: 'v2', positionIds: ['1', '2'] }), 'protocol v2 market'],
    [
      'of protocol v2 without saying so',
      withMarket({ version: null, positionIds: ['1', '2'] }),
      'protocol v2 market',
    ],
    ['of an unknown version', withMarket({ version: 'v9' }), 'unknown market version "v9"'],
    ['with three outcomes', withMarket({ outcomes: '["A","B","C"]' }), 'outcomes is not a pair'],
    [
      'with outcomes as a real array',
      withMarket({ outcomes: ['Rockets', 'Jazz'] }),
      'outcomes is not a pair',
    ],
    ['with half of its tokens', withMarket({ clobTokenIds: '["111"]' }), 'clobTokenIds is not a pair'],
    ['with one token twice', withMarket({ clobTokenIds: '["111","111"]' }), 'token ids are malformed'],
    [
      'with tokens that are no numbers',
      withMarket({ clobTokenIds: '["0x1","0x2"]' }),
      'token ids are malformed',
    ],
    [
      'with a fee exponent of 2',
      withMarket({ feeSchedule: { ...gammaMarket.feeSchedule, exponent: 2 } }),
      'fee exponent 2 is not 1',
    ],
    ['with a strange tick', withMarket({ orderPriceMinTickSize: 0.02 }), 'tick 0.02 is unknown'],
    [
      'with a tick as text',
      withMarket({ orderPriceMinTickSize: '0.01' }),
      'orderPriceMinTickSize is missing or malformed',
    ],
    ['without a delay', withMarket({ secondsDelay: null }), 'secondsDelay is missing or malformed'],
    ['with a negative delay', withMarket({ secondsDelay: -1 }), 'secondsDelay is missing or malformed'],
    ['without negRisk', withMarket({ negRisk: undefined }), 'negRisk is missing'],
    ['without a condition', withMarket({ conditionId: '0x12' }), 'conditionId is malformed'],
  ])('%s is skipped with its reason', (_, event, reason) => {
    expect(readOne(event, context)).toMatchObject({ kind: 'skipped', reason })
  })

  it.each([
    [0.001, 10],
    [0.0025, 25],
    [0.005, 50],
    [0.1, 1000],
    [0.0001, 1],
  ])('has a tick of %d', (orderPriceMinTickSize, tickE4) => {
    expect(readOne(withMarket({ orderPriceMinTickSize }), context)).toMatchObject({ market: { tickE4 } })
  })
})

describe("a Gamma event's own price", () => {
  it.each([
    [0.82, 0.84, 8300],
    [0.5205, 0.53, 5252],
    [0, 0.84, undefined],
    [0.82, 1, undefined],
    [0.06, 0.99, undefined],
    [0.84, 0.82, undefined],
    ['0.82', '0.84', undefined],
    [undefined, 0.84, undefined],
  ])('with best prices %s and %s is %s', (bestBid, bestAsk, statedE4) => {
    const reading = readOne(withMarket({ bestBid, bestAsk }), context)
    expect(reading?.kind === 'market' ? reading.market.statedE4 : 'skipped').toBe(statedE4)
  })
})

describe('a Gamma event of soccer', () => {
  const SLUG = 'epl-eve-cry-2026-11-21'
  const clubs = [
    { abbreviation: 'eve', name: 'Everton FC', alias: 'Everton' },
    { abbreviation: 'cry', name: 'Crystal Palace FC' },
  ]
  const one = (suffix: string, question: string, n: number, more: object = {}) => ({
    ...gammaMarket,
    conditionId: `0x${n.toString(16).padStart(64, '0')}`,
    slug: `${SLUG}-${suffix}`,
    question,
    outcomes: '["Yes", "No"]',
    clobTokenIds: JSON.stringify([String(n * 10), String(n * 10 + 1)]),
    negRisk: true,
    ...more,
  })
  const HOME = one('eve', 'Will Everton FC win on 2026-11-21?', 1)
  const DRAW = one('draw', 'Will Everton FC vs. Crystal Palace FC end in a draw?', 2)
  const AWAY = one('cry', 'Will Crystal Palace FC win on 2026-11-21?', 3)
  const match = (...markets: object[]) => ({
    ...gammaEvent,
    ...{ slug: SLUG, startTime: '2026-11-21T15:00:00Z', teams: clubs, markets },
  })
  const epl = { ...context, league: 'epl' as const }
  const selected = (event: object) =>
    readEvent(event, epl).map((each) =>
      each.kind === 'market' ? [each.market.selection, each.market.kind] : each.reason,
    )

  it('becomes three markets, whatever else it lists', () => {
    const halves = one('first-half-draw', 'Will Everton FC lead at half-time?', 9)
    expect(selected(match(AWAY, halves, DRAW, HOME))).toEqual([
      ['EVE', 'three_way'],
      ['DRAW', 'three_way'],
      ['CRY', 'three_way'],
    ])
  })

  it.each<[string, object, string]>([
    ['without the draw', match(HOME, AWAY), '0 three-way markets of draw'],
    ['with one market twice', match(HOME, HOME, DRAW, AWAY), '2 three-way markets of eve'],
    [
      'with the questions swapped against the slugs',
      match({ ...HOME, question: AWAY.question }, DRAW, { ...AWAY, question: HOME.question }),
      'the question of eve does not name what its slug does',
    ],
    [
      'whose draw asks for a winner',
      match(HOME, { ...DRAW, question: HOME.question }, AWAY),
      'the question of draw does not name what its slug does',
    ],
    [
      'that asks for a stranger',
      match({ ...HOME, question: 'Will Fulham FC win on 2026-11-21?' }, DRAW, AWAY),
      'the question of eve does not name what its slug does',
    ],
    [
      'with No before Yes',
      match(HOME, DRAW, { ...AWAY, outcomes: '["No", "Yes"]' }),
      'outcomes of cry are not Yes and No',
    ],
    ['with one market closed', match(HOME, DRAW, { ...AWAY, closed: true }), 'market closed'],
    ['of two outcomes', match({ ...gammaMarket, slug: SLUG }), '0 three-way markets of eve'],
  ])('%s is skipped whole, with its reason', (_, event, reason) => {
    expect(selected(event)).toEqual([reason])
  })
})

const servers: Server[] = []
const catalogs: PolymarketCatalog[] = []
afterEach(async () => {
  for (const catalog of catalogs.splice(0)) await catalog.close()
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

type Routes = Record<string, (query: URLSearchParams) => unknown>

async function serve(routes: Routes, status = 200) {
  const asked: string[] = []
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://x')
    asked.push(url.pathname)
    const route = routes[url.pathname]
    response.writeHead(route === undefined ? 404 : status, { 'content-type': 'application/json' })
    const answer = route?.(url.searchParams)
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer ?? { error: 'not found' }))
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const gammaUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const catalog = new PolymarketCatalog({ gammaUrl, clock: new ManualClock(START) })
  catalogs.push(catalog)
  return { asked, catalog, gammaUrl }
}

const sports = [
  { sport: 'epl', tags: '1,82,306,100639,100350', series: '10188', ordering: 'home' },
  { sport: 'nba', tags: '1,745,100639', series: '10345', ordering: 'away' },
]
const signal = new AbortController().signal

describe('the Polymarket catalog', () => {
  it('finds the league’s series and tag, and lists its games with the reasons for the rest', async () => {
    const queries: string[] = []
    const { asked, catalog } = await serve({
      '/sports': () => sports,
      '/events/keyset': (query) => {
        queries.push(query.toString())
        return { events: [gammaEvent, { ...gammaEvent, slug: 'nba-mvp', title: '\u001b[2J' }] }
      },
    })
    const listing = await catalog.openMarkets('nba', signal)
    expect(listing.markets.map(({ marketId, selection }) => [marketId, selection])).toEqual([
      [CONDITION, 'HOU'],
    ])
    expect(listing.skipped).toEqual([{ id: 'nba-mvp', reason: 'not a game' }])
    expect(queries).toEqual(['series_id=10345&tag_id=745&closed=false&active=true&limit=500'])
    await catalog.openMarkets('nba', signal)
    // The listing of leagues is asked once.
    expect(asked).toEqual(['/sports', '/events/keyset', '/events/keyset'])
  })

  const event = (n: number) => {
    const conditionId = `0x${n.toString(16).padStart(64, '0')}`
    return { ...gammaEvent, markets: [{ ...gammaMarket, conditionId }] }
  }
  const all = Array.from({ length: 230 }, (_, n) => event(n))

  it.each([undefined, null, '', 'LTE='])('reads page after page by cursor, up to one of %s', async (end) => {
    const { asked, catalog } = await serve({
      '/sports': () => sports,
      '/events/keyset': (query) => {
        const from = Number(query.get('after_cursor') ?? 0)
        return {
          events: all.slice(from, from + 100),
          next_cursor: from + 100 < 230 ? String(from + 100) : end,
        }
      },
    })
    expect((await catalog.openMarkets('nba', signal)).markets).toHaveLength(230)
    expect(asked).toHaveLength(4)
  })

  it('reads page after page by offset where the host has no cursors', async () => {
    const { catalog } = await serve({
      '/sports': () => sports,
      '/events': (query) =>
        all.slice(Number(query.get('offset')), Number(query.get('offset')) + Number(query.get('limit'))),
    })
    expect((await catalog.openMarkets('nba', signal)).markets).toHaveLength(230)
  })

  it.each([
    ['a list for a page', () => []],
    ['a page without events', () => ({ next_cursor: 'x' })],
    ['a cursor that is no text', () => ({ events: [], next_cursor: 7 })],
    ['a circle', () => ({ events: all.slice(0, 1), next_cursor: 'again' })],
    [
      'no end',
      (query: URLSearchParams) => ({ events: [], next_cursor: `${query.get('after_cursor') ?? ''}x` }),
    ],
  ])('does not take %s for a list of events', async (_, page) => {
    const { catalog } = await serve({ '/sports': () => sports, '/events/keyset': page })
    await expect(catalog.openMarkets('nba', signal)).rejects.toMatchObject({
      code: 'VENUE_BAD_ANSWER',
      exit: 6,
    })
  })

  it('does not take a list by offset that the venue cuts off for the whole', async () => {
    const { catalog } = await serve({ '/sports': () => sports, '/events': () => all.slice(0, 100) })
    await expect(catalog.openMarkets('nba', signal)).rejects.toMatchObject({
      code: 'VENUE_BAD_ANSWER',
      exit: 6,
    })
  })

  it('stands in with what it listed before, for five minutes, and says so', async () => {
    let isDown = false
    const clock = new ManualClock(START)
    const { gammaUrl } = await serve({
      '/sports': () => sports,
      '/events/keyset': () => (isDown ? '<html>' : { events: [gammaEvent] }),
    })
    const catalog = new PolymarketCatalog({ gammaUrl, clock })
    catalogs.push(catalog)
    expect(await catalog.openMarkets('nba', signal)).not.toHaveProperty('stale')
    isDown = true
    clock.advanceMs(300_000)
    expect(await catalog.openMarkets('nba', signal)).toMatchObject({
      markets: [{ marketId: CONDITION }],
      stale: { ageMs: 300_000, reason: expect.stringContaining('events') as string },
    })
    clock.advanceMs(1)
    await expect(catalog.openMarkets('nba', signal)).rejects.toMatchObject({ code: 'VENUE_BAD_ANSWER' })
    isDown = false
    expect(await catalog.openMarkets('nba', signal)).not.toHaveProperty('stale')
  })

  it.each([
    ['nba-hou-uta-2026-11-20', 'nba'],
    ['wnba-nyl-lva-2026-06-01', 'wnba'],
    ['nba-hou-uta-2026-11-20-spread-home-4pt5', undefined],
    ['btc-updown-5m-1790000000', undefined],
    ['epl-ars-che-2026-11-20', 'epl'],
    ['lal-bar-rma-2026-11-20', undefined],
  ])('knows the league of %s', (slug, league) => {
    expect(leagueOfSlug(slug)).toBe(league)
  })

  it('asks for the league’s teams only when an event does not name its own', async () => {
    const { asked, catalog } = await serve({
      '/sports': () => sports,
      '/teams': (query) => (query.get('league') === 'nba' ? teams : []),
      '/events': () => [{ ...gammaEvent, teams: undefined }],
    })
    expect((await catalog.openMarkets('nba', signal)).markets[0]).toMatchObject({ selection: 'HOU' })
    expect(asked).toEqual(['/sports', '/events/keyset', '/events', '/teams'])
  })

  it('takes a league’s listing from its options first', async () => {
    const { asked, gammaUrl } = await serve({
      '/events': (query) => (query.get('series_id') === '7' ? [gammaEvent] : []),
    })
    const catalog = new PolymarketCatalog({
      gammaUrl,
      clock: new ManualClock(START),
      leagues: { nba: { seriesId: '7' } },
    })
    catalogs.push(catalog)
    expect((await catalog.openMarkets('nba', signal)).markets).toHaveLength(1)
    expect(asked).toEqual(['/events/keyset', '/events'])
  })

  it('lists nothing, and says why, for a league without a series', async () => {
    const { catalog } = await serve({ '/sports': () => sports.filter(({ sport }) => sport !== 'nba') })
    expect(await catalog.openMarkets('nba', signal)).toEqual({
      markets: [],
      skipped: [{ id: 'nba', reason: 'no series in /sports' }],
    })
  })

  it.each<[string, Routes, number, object]>([
    ['an error', { '/sports': () => sports }, 500, { code: 'VENUE_BAD_ANSWER', exit: 6 }],
    ['a page of HTML', { '/sports': () => '<html>' }, 200, { code: 'VENUE_BAD_ANSWER', exit: 6 }],
    [
      'an object for a list',
      { '/sports': () => ({ data: sports }) },
      200,
      { code: 'VENUE_BAD_ANSWER', exit: 6 },
    ],
  ])('says what failed: %s', async (_, routes, status, expected) => {
    const { catalog } = await serve(routes, status)
    await expect(catalog.openMarkets('nba', signal)).rejects.toMatchObject(expected)
  })

  it('says what cannot be reached, and stops when told to', async () => {
    const catalog = new PolymarketCatalog({ gammaUrl: 'http://127.0.0.1:1' })
    catalogs.push(catalog)
    await expect(catalog.openMarkets('nba', signal)).rejects.toMatchObject({
      code: 'VENUE_UNREACHABLE',
      exit: 6,
    })
    const { catalog: other } = await serve({ '/sports': () => sports })
    await expect(other.openMarkets('nba', AbortSignal.abort())).rejects.toMatchObject({
      code: 'VENUE_UNREACHABLE',
    })
  })
})

const root = process.env.ARBEES_FIXTURES
const folder = root === undefined ? '' : join(root, 'polymarket')
const present = root !== undefined && existsSync(folder)
const read = (name: string): unknown => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'))

describe.skipIf(!present)('recorded Gamma answers (ARBEES_FIXTURES)', () => {
  it('a moneyline of August 2026 is read whole', () => {
    const market = read('gamma_market_sports_moneyline_2026-08_trimmed') as {
      slug: string
      conditionId: string
    }
    const named = [
      { abbreviation: 'stl', name: 'St. Louis Shock' },
      { abbreviation: 'tex', name: 'Texas Ranchers' },
    ]
    // Pickleball: no league of ours, the same form.
    const mlp = { league: 'mlp' as League, nowMs: Date.parse('2026-08-14T22:00:00Z'), teams: [] }
    expect(readOne({ slug: market.slug, title: 'x', teams: named, markets: [market] }, mlp)).toMatchObject({
      kind: 'market',
      market: {
        marketId: market.conditionId,
        teams: ['STL', 'TEX'],
        selection: 'STL',
        tickE4: 100,
        minSizeE2: 500,
        takerDelayMs: 1000,
        negRisk: false,
        fees: { ratePpm: 50_000, roundUpToMicros: 10 },
        easternDate: '2026-08-14',
      },
    })
  })

  it('a political event, a handicap and older events are skipped', () => {
    const [political] = read('rs_gamma_event') as unknown[]
    expect(readOne(political, context)).toMatchObject({ kind: 'skipped', reason: 'not a game' })
    const handicap = read('rs_gamma_market_sports_market_map_handicap') as { events: { slug: string }[] }
    const cs2 = { ...context, league: 'cs2' as League }
    expect(
      readOne({ ...handicap.events[0], closed: false, ended: false, markets: [handicap] }, cs2),
    ).toMatchObject({
      kind: 'skipped',
      reason: 'no moneyline market',
    })
    for (const event of read('py_http_responses_events_list') as unknown[]) {
      expect(readOne(event, context)).toMatchObject({ kind: 'skipped', reason: 'not a game' })
    }
  })

  it('47 NBA games of 2025 keep their slug codes and the orientation of their names', () => {
    const games = read('nba_polymarket_slugs_2025-12') as { question: string; slug: string }[]
    for (const { question, slug } of games) {
      const [first = '', second = ''] = question.split(' vs. ')
      const [, one = '', two = ''] = slug.split('-')
      const named = [
        { abbreviation: two, name: second },
        { abbreviation: one, name: first },
      ]
      const market = { ...gammaMarket, slug, outcomes: JSON.stringify([second, first]) }
      const reading = readOne({ ...gammaEvent, slug, teams: named, markets: [market] }, context)
      expect(reading).toMatchObject({
        kind: 'market',
        market: {
          teams: [one.toUpperCase(), two.toUpperCase()],
          selection: two.toUpperCase(),
          easternDate: slug.slice(-10),
        },
      })
    }
    expect(games).toHaveLength(47)
  })

  it('the recorded /sports lists our five leagues with one series and one tag each', async () => {
    const recorded = read('sports_metadata_2025-11')
    const seen: Record<string, string> = {}
    for (const league of ['nba', 'wnba', 'nfl', 'nhl', 'mlb'] as const) {
      const { catalog } = await serve({
        '/sports': () => recorded,
        '/events': (query) => {
          seen[league] = `${query.get('series_id')}/${query.get('tag_id')}`
          return []
        },
      })
      await catalog.openMarkets(league, signal)
    }
    expect(seen).toEqual({
      nba: '10345/745',
      wnba: '10105/100254',
      nfl: '10187/450',
      nhl: '10346/899',
      mlb: '3/100381',
    })
  })
})
