import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { readPriceGrid } from '../../../../src/lib/venues/kalshi/catalog-market.js'
import { KalshiCatalog, listGames } from '../../../../src/lib/venues/kalshi/catalog.js'
import { HttpVenue, type Answer } from './http-venue.js'
import { ed25519Credentials } from './keys.js'

const EVENT = 'KXNBAGAME-26JUN13NYKSAS'
const FEES = { kind: 'schedule', fees: { ratePpm: 70_000, roundUpToMicros: 100 } } as const
const LINEAR_CENT = [{ start: '0.0000', end: '1.0000', step: '0.0100' }]
const TAPERED = [
  { start: '0.0000', end: '0.1000', step: '0.0010' },
  { start: '0.1000', end: '0.9000', step: '0.0100' },
  { start: '0.9000', end: '1.0000', step: '0.0010' },
]

const entry = (team: string, more: object = {}): Record<string, unknown> => ({
  ticker: `${EVENT}-${team}`,
  event_ticker: EVENT,
  status: 'active',
  market_type: 'binary',
  notional_value_dollars: '1.0000',
  price_ranges: LINEAR_CENT,
  fractional_trading_enabled: true,
  exchange_index: 3,
  title: `${team} wins`,
  yes_sub_title: 'San Antonio',
  no_sub_title: 'San Antonio',
  ...more,
})

const list = (entries: readonly unknown[], fees: Parameters<typeof listGames>[0]['fees'] = FEES) =>
  listGames({ league: 'nba', series: 'KXNBAGAME', fees, entries })

describe('Kalshi listings', () => {
  it('two markets of an event are a game, away team first, each with what trading it takes', () => {
    const { markets, skipped } = list([entry('SAS'), entry('NYK', { exchange_index: undefined })])
    expect(skipped).toEqual([])
    expect(markets).toEqual([
      {
        venue: 'kalshi',
        marketId: `${EVENT}-SAS`,
        league: 'nba',
        eventId: EVENT,
        easternDate: '2026-06-13',
        teams: ['NYK', 'SAS'],
        selection: 'SAS',
        title: 'SAS wins',
        tickE4: 100,
        sizeStepE2: 1,
        minSizeE2: 1,
        fees: FEES.fees,
        takerDelayMs: 0,
        exchangeIndex: 3,
      },
      expect.objectContaining({ marketId: `${EVENT}-NYK`, selection: 'NYK' }),
    ])
    expect(markets[1]).not.toHaveProperty('exchangeIndex')
  })

  it('whole contracts where fractions are off, or not spoken of', () => {
    for (const fractional_trading_enabled of [false, undefined, 'true']) {
      const { markets } = list([entry('SAS', { fractional_trading_enabled }), entry('NYK')])
      expect(markets[0]).toMatchObject({ sizeStepE2: 100, minSizeE2: 100 })
    }
  })

  it('a market listed on two pages is one market', () => {
    expect(list([entry('SAS'), entry('NYK'), entry('SAS')]).markets).toHaveLength(2)
  })

  it('a title cannot reach a terminal raw', () => {
    const { markets } = list([entry('SAS', { title: '\u001b[2JSAS wins' }), entry('NYK', { title: 7 })])
    expect(markets.map(({ title }) => title)).toEqual(['\\u001b[2JSAS wins', ''])
  })

  it.each([
    ['not an object', 'text', 'not_an_object'],
    ['no ticker', entry('SAS', { ticker: undefined }), 'ticker'],
    ['a ticker with escapes', entry('SAS', { ticker: 'KX\u001b[2J' }), 'ticker'],
    ['no event', entry('SAS', { event_ticker: undefined }), 'event_ticker'],
    ['the filter word as status', entry('SAS', { status: 'open' }), 'status_open'],
    ['finalized', entry('SAS', { status: 'finalized' }), 'status_finalized'],
    ['no status', entry('SAS', { status: undefined }), 'status_missing'],
    ['no binary market', entry('SAS', { market_type: 'scalar' }), 'not_binary'],
    ['a combination', entry('SAS', { mve_collection_ticker: 'KXMVE' }), 'multivariate'],
    ['not worth a dollar', entry('SAS', { notional_value_dollars: '10.0000' }), 'notional_value'],
    [
      'no price ranges: the retired form',
      entry('SAS', { price_ranges: undefined, yes_bid: 59 }),
      'price_ranges',
    ],
    [
      'a tick finer than $0.0001',
      entry('SAS', { price_ranges: [{ start: '0', end: '1', step: '0.00005' }] }),
      'price_ranges',
    ],
    ['a shard that is no number', entry('SAS', { exchange_index: '3' }), 'exchange_index'],
    ['a suffix that is no code', entry('S4S'), 'market_suffix'],
    ['a suffix that is not in the event', entry('BOS'), 'team_codes'],
  ])('%s is left out, with its reason, and so is its partner', (_, bad, reason) => {
    const { markets, skipped } = list([bad, entry('NYK')])
    expect(markets).toEqual([])
    expect(skipped.map((one) => one.reason)).toContain(reason)
    expect(skipped).toHaveLength(2)
    expect(JSON.stringify(skipped)).not.toContain('\u001b')
  })

  it('a third market, or a lone one, makes no game', () => {
    const three = list([entry('SAS'), entry('NYK'), entry('TIE')])
    expect(three.markets).toEqual([])
    expect(three.skipped.map(({ reason }) => reason)).toEqual(Array(3).fill('markets_of_event_3'))
    expect(list([entry('SAS')]).skipped).toEqual([{ id: `${EVENT}-SAS`, reason: 'markets_of_event_1' }])
  })

  it('fees that are not understood leave everything out', () => {
    const { markets, skipped } = list([entry('SAS'), entry('NYK')], { kind: 'refused', reason: 'fee_type' })
    expect([markets.length, skipped.map(({ reason }) => reason)]).toEqual([0, ['fee_type', 'fee_type']])
  })
})

describe('Kalshi price ranges', () => {
  const range = (start: string, end: string, step: string) => ({ start, end, step })

  it.each([
    ['linear_cent', LINEAR_CENT, { tickE4: 100 }],
    ['deci_cent', [range('0.0000', '1.0000', '0.0010')], { tickE4: 10 }],
    ['several ranges of one step', [range('0.01', '1', '0.01'), range('0', '0.01', '0.01')], { tickE4: 100 }],
    [
      'tapered_deci_cent',
      TAPERED,
      {
        tickE4: 100,
        priceRanges: [
          { startE4: 0, endE4: 1000, stepE4: 10 },
          { startE4: 1000, endE4: 9000, stepE4: 100 },
          { startE4: 9000, endE4: 10_000, stepE4: 10 },
        ],
      },
    ],
    [
      'edges of $0.0001',
      [range('0.01', '1', '0.01'), range('0', '0.01', '0.0001')],
      {
        tickE4: 100,
        priceRanges: [
          { startE4: 0, endE4: 100, stepE4: 1 },
          { startE4: 100, endE4: 10_000, stepE4: 100 },
        ],
      },
    ],
  ])('%s', (_, ranges, grid) => expect(readPriceGrid(ranges)).toEqual(grid))

  it.each([
    ['nothing', undefined],
    ['none', []],
    ['no list', {}],
    ['a hole', [range('0', '0.1', '0.01'), range('0.2', '1', '0.01')]],
    ['an overlap', [range('0', '0.5', '0.01'), range('0.4', '1', '0.01')]],
    ['a late start', [range('0.01', '1', '0.01')]],
    ['an early end', [range('0', '0.99', '0.01')]],
    ['no step', [range('0', '1', '0')]],
    ['a negative step', [range('0', '1', '-0.01')]],
    ['a step that does not fit', [range('0', '1', '0.03')]],
    ['a range off its step', [range('0', '0.05', '0.01'), range('0.05', '1', '0.019')]],
    ['numbers', [{ start: 0, end: 1, step: 0.01 }]],
    ['backwards', [range('1', '0', '0.01')]],
    ['text', ['0-1']],
  ])('%s cannot be expressed', (_, ranges) => expect(readPriceGrid(ranges)).toBeUndefined())
})

describe('Kalshi catalog', () => {
  const credentials = ed25519Credentials()
  const never = new AbortController().signal
  let venue: HttpVenue
  let catalog: KalshiCatalog
  let pages: Record<string, Answer>
  beforeEach(async () => {
    venue = await HttpVenue.start(credentials.privateKey)
    catalog = new KalshiCatalog({ baseUrl: venue.baseUrl, timeoutMs: 2000 })
    pages = {
      '/series/KXNBAGAME': {
        status: 200,
        body: { series: { fee_type: 'quadratic_with_maker_fees', fee_multiplier: 1 } },
      },
      '/markets': { status: 200, body: { markets: [entry('SAS')], cursor: 'next' } },
      '/markets?next': { status: 200, body: { markets: [entry('NYK')], cursor: '' } },
    }
    venue.answer = ({ path, query }) =>
      pages[`${path}${query.has('cursor') ? `?${query.get('cursor')}` : ''}`]!
  })
  afterEach(async () => {
    await catalog.close()
    await venue.close()
  })

  it("reads the series' fees and every page of its open markets", async () => {
    const { markets, skipped } = await catalog.openMarkets('nba', never)
    expect(skipped).toEqual([])
    expect(markets.map(({ selection, fees }) => [selection, fees.ratePpm])).toEqual([
      ['SAS', 70_000],
      ['NYK', 70_000],
    ])
    for (const { query } of venue.of('/markets')) {
      expect(Object.fromEntries(query)).toMatchObject({
        series_ticker: 'KXNBAGAME',
        status: 'open',
        limit: '1000',
      })
    }
  })

  it.each([
    ['the venue is gone', '/markets', 'cut', { code: 'KALSHI_UNREACHABLE', exit: 6 }],
    ['a page fails', '/markets?next', { status: 502, body: '<html>' }, { code: 'KALSHI_REFUSED', exit: 6 }],
    ['the series fails', '/series/KXNBAGAME', { status: 404, body: {} }, { code: 'KALSHI_REFUSED', exit: 6 }],
    [
      'the series is none',
      '/series/KXNBAGAME',
      { status: 200, body: { series: [] } },
      { code: 'KALSHI_BAD_REPLY' },
    ],
    ['a page is none', '/markets', { status: 200, body: { markets: {} } }, { code: 'KALSHI_UNREACHABLE' }],
    [
      'the cursor goes in a circle',
      '/markets?next',
      { status: 200, body: { markets: [], cursor: 'next' } },
      { code: 'KALSHI_UNREACHABLE' },
    ],
  ] as [string, string, Answer, object][])('%s: no half a listing', async (_, path, answer, expected) => {
    pages[path] = answer
    await expect(catalog.openMarkets('nba', never)).rejects.toMatchObject(expected)
  })

  it('a league that the venue has no series for lists nothing, and says so', async () => {
    const notFound: Answer = { status: 404, body: { error: { code: 'not_found', message: 'not found' } } }
    pages['/series/KXNBAGAME'] = notFound
    await expect(catalog.openMarkets('nba', never)).rejects.toMatchObject({ code: 'KALSHI_BAD_REPLY' })
    pages['/markets'] = { status: 200, body: { markets: [], cursor: '' } }
    const listing = await catalog.openMarkets('nba', never)
    expect(listing).toEqual({ markets: [], skipped: [{ id: 'KXNBAGAME', reason: 'series_not_found' }] })
  })

  it('stops when it is told to', async () => {
    await expect(catalog.openMarkets('nba', AbortSignal.abort())).rejects.toMatchObject({
      code: 'KALSHI_UNREACHABLE',
    })
    expect(venue.requests).toEqual([])
  })
})
