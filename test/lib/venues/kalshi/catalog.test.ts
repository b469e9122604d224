import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { readPriceGrid } from '../../../../src/lib/venues/kalshi/catalog-market.js'
import { KalshiCatalog } from '../../../../src/lib/venues/kalshi/catalog.js'
import { gamesOf } from '../../../../src/lib/venues/kalshi/listing.js'
import { HttpVenue, type Answer } from './http-venue.js'
import { ed25519Credentials } from './keys.js'
import { EVENT, LINEAR_CENT, NOW_MS, TAPERED, entry, eventEntry, listing, type Told } from './listings.js'

const list = (entries: readonly unknown[], told: Partial<Told> = {}) =>
  gamesOf(listing(entries, told), 'nba', NOW_MS)

describe('Kalshi listings', () => {
  it('two markets of an event are a game, away team first, each with what trading it takes', () => {
    const { markets, skipped } = list([entry('SAS'), entry('NYK', { exchange_index: undefined })])
    expect(skipped).toEqual([])
    expect(markets).toEqual([
      {
        venue: 'kalshi',
        marketId: `${EVENT}-SAS`,
        league: 'nba',
        kind: 'moneyline',
        eventId: EVENT,
        easternDate: '2026-06-13',
        teams: ['NYK', 'SAS'],
        teamNames: [['San Antonio'], ['San Antonio']],
        selection: 'SAS',
        title: 'SAS wins',
        tickE4: 100,
        sizeStepE2: 1,
        minSizeE2: 1,
        fees: { ratePpm: 70_000, roundUpToMicros: 100 },
        takerDelayMs: 0,
        exchangeIndex: 3,
      },
      expect.objectContaining({ marketId: `${EVENT}-NYK`, selection: 'NYK' }),
    ])
    expect(markets[1]).not.toHaveProperty('exchangeIndex')
  })

  it('tells the names of the teams, the start and the number of the game, and its own middle price', () => {
    const event = 'KXMLBGAME-26SEP051605AZWSHG2'
    const mlb = (team: string, more: object) =>
      entry(team, { ticker: `${event}-${team}`, event_ticker: event, ...more })
    const entries = [
      mlb('WSH', { yes_sub_title: 'Washington', yes_bid_dollars: '0.6000', yes_ask_dollars: '0.6300' }),
      mlb('AZ', { yes_sub_title: 'Arizona', yes_bid_dollars: '0.0000', yes_ask_dollars: '0.4100' }),
    ]
    const told = { series: 'KXMLBGAME', eventEntries: [eventEntry({ event_ticker: event })] }
    expect(gamesOf(listing(entries, told), 'mlb', NOW_MS).markets).toMatchObject([
      {
        teams: ['AZ', 'WSH'],
        teamNames: [['Arizona'], ['Washington']],
        ...{ easternTime: '16:05', gameNumber: 2, statedE4: 6150 },
      },
      { selection: 'AZ', easternTime: '16:05', gameNumber: 2 },
    ])
    expect(gamesOf(listing(entries, told), 'mlb', NOW_MS).markets[1]).not.toHaveProperty('statedE4')
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
    const three = list([entry('SAS'), entry('NYK'), entry('BOS')])
    expect(three.markets).toEqual([])
    expect(three.skipped.map(({ reason }) => reason)).toEqual(Array(3).fill('markets_of_event_3'))
    expect(list([entry('SAS')]).skipped).toEqual([{ id: `${EVENT}-SAS`, reason: 'markets_of_event_1' }])
  })

  it('a tie beside the two teams makes a three-way game', () => {
    const { markets, skipped } = list([entry('SAS'), entry('TIE'), entry('NYK')])
    expect(skipped).toEqual([])
    expect(markets.map(({ kind, selection, teams }) => [kind, selection, teams.join()])).toEqual([
      ['three_way', 'SAS', 'NYK,SAS'],
      ['three_way', 'TIE', 'NYK,SAS'],
      ['three_way', 'NYK', 'NYK,SAS'],
    ])
  })

  it('a game leaves whole when one of its markets does', () => {
    const { markets, skipped } = list([entry('SAS', { status: 'inactive' }), entry('NYK')])
    expect(markets).toEqual([])
    expect(skipped.map(({ reason }) => reason)).toEqual(['status_inactive', 'other_market_left_out'])
  })

  it('fees that are not understood, or an event that may override them unseen, leave everything out', () => {
    const reasonsOf = (told: Partial<Told>) => {
      const { markets, skipped } = list([entry('SAS'), entry('NYK')], told)
      return [markets.length, ...skipped.map(({ reason }) => reason)]
    }
    expect(reasonsOf({ seriesFees: { feeType: 'flat', feeMultiplier: 1 } })).toEqual([
      0,
      'fee_type',
      'fee_type',
    ])
    expect(reasonsOf({ eventEntries: [] })).toEqual([0, 'event_not_listed', 'event_not_listed'])
    const override = eventEntry({ fee_type_override: 'flat', fee_multiplier_override: 1 })
    expect(reasonsOf({ eventEntries: [override] })).toEqual([0, 'fee_type', 'fee_type'])
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
  let nowMs: number
  let monoUs: number
  beforeEach(async () => {
    venue = await HttpVenue.start(credentials.privateKey)
    nowMs = NOW_MS
    monoUs = 0
    const clock = { nowMs: () => nowMs, monoUs: () => monoUs }
    catalog = new KalshiCatalog({ baseUrl: venue.baseUrl, timeoutMs: 2000, clock })
    pages = {
      '/series/KXNBAGAME': {
        status: 200,
        body: { series: { fee_type: 'quadratic_with_maker_fees', fee_multiplier: 1 } },
      },
      '/series/fee_changes': { status: 200, body: { series_fee_change_arr: [] } },
      '/events/fee_changes': { status: 200, body: { event_fee_changes: [], cursor: '' } },
      '/events': { status: 200, body: { events: [eventEntry()], cursor: '' } },
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

  it('asks again when it is told that it asks too often', async () => {
    let refusals = 0
    const { answer } = venue
    venue.answer = (request) => {
      if (request.path === '/markets' && refusals++ < 2)
        return { status: 429, body: { error: 'too many requests' } }
      return answer(request)
    }
    expect((await catalog.openMarkets('nba', never)).markets).toHaveLength(2)
    expect(venue.of('/markets')).toHaveLength(4)
  })

  it.each([
    ['goes in a circle', (count: number) => (count % 2 === 0 ? 'a' : 'b'), [entry('NYK')], 3],
    ['brings the same page under new names', (count: number) => `c${count}`, [entry('NYK')], 2],
    ['never ends', (count: number) => `c${count}`, undefined, 100],
  ])('a list that %s is none', async (_, cursorOf, markets, calls) => {
    let count = 0
    const { answer } = venue
    venue.answer = (request) => {
      if (request.path !== '/markets') return answer(request)
      count++
      const page = markets ?? [entry('NYK', { title: `${count}` })]
      return { status: 200, body: { markets: page, cursor: cursorOf(count) } }
    }
    await expect(catalog.openMarkets('nba', never)).rejects.toMatchObject({ code: 'KALSHI_UNREACHABLE' })
    expect(count).toBeLessThanOrEqual(calls)
  })

  it('stands by its last listing while the venue fails, says so, and not for ever', async () => {
    await catalog.openMarkets('nba', never)
    pages['/markets'] = { status: 503, body: '<html>' }
    nowMs += 299_000
    const kept = await catalog.openMarkets('nba', never)
    expect(kept.markets).toHaveLength(2)
    expect(kept.stale).toMatchObject({
      ageMs: 299_000,
      reason: expect.stringContaining('HTTP 503') as string,
    })
    nowMs += 2_000
    await expect(catalog.openMarkets('nba', never)).rejects.toMatchObject({ code: 'KALSHI_REFUSED' })
    expect(catalog.current('nba')).toBeUndefined()
    pages['/markets'] = { status: 200, body: { markets: [entry('SAS'), entry('NYK')], cursor: '' } }
    expect(await catalog.openMarkets('nba', never)).not.toHaveProperty('stale')
  })

  it('what is told between two looks counts at once: a market that closes takes its game along', async () => {
    await catalog.openMarkets('nba', never)
    const closed = { kind: 'market_status', ticker: `${EVENT}-SAS`, status: 'determined' } as const
    expect(catalog.apply(closed)).toEqual({ leagues: ['nba'], isOutdated: false })
    expect(catalog.current('nba')?.markets).toEqual([])
    expect(catalog.apply({ ...closed, ticker: 'KXNFLGAME-26DEC31LALAC-LA' })).toEqual({
      leagues: [],
      isOutdated: false,
    })
    expect(catalog.apply({ kind: 'market_created', ticker: 'KXNBAGAME-26JUN14LALBOS-BOS' })).toEqual({
      leagues: ['nba'],
      isOutdated: true,
    })
  })

  it('what is told while a listing is under way, or after the venue made the copy that it shows, stands', async () => {
    const paused = { kind: 'market_status', ticker: `${EVENT}-SAS`, status: 'inactive' } as const
    const { answer } = venue
    venue.answer = (request) => {
      if (request.query.get('cursor') === 'next') catalog.apply(paused)
      return answer(request)
    }
    expect((await catalog.openMarkets('nba', never)).markets).toEqual([])
    venue.answer = answer
    expect((await catalog.openMarkets('nba', never)).markets).toEqual([])
    monoUs += 21_000_000
    expect((await catalog.openMarkets('nba', never)).markets).toHaveLength(2)
  })

  it('fees follow the event, and changes that are announced, from a minute before they apply', async () => {
    const ratesOf = async () =>
      (await catalog.openMarkets('nba', never)).markets.map(({ fees }) => fees.ratePpm)
    const override = eventEntry({ fee_type_override: 'quadratic', fee_multiplier_override: 0.5 })
    pages['/events'] = { status: 200, body: { events: [override], cursor: '' } }
    const change = (at: number, fee_multiplier_override: number | null) => ({
      ...{ id: 'x', event_ticker: EVENT, series_ticker: 'KXNBAGAME', fee_type_override: null },
      ...{ fee_multiplier_override, scheduled_ts: new Date(NOW_MS + at).toISOString() },
    })
    const event_fee_changes = [change(120_000, 2), change(7_200_000, null)]
    pages['/events/fee_changes'] = { status: 200, body: { event_fee_changes, cursor: '' } }
    expect(await ratesOf()).toEqual([35_000, 35_000])
    nowMs += 59_000
    expect(await ratesOf()).toEqual([35_000, 35_000])
    nowMs += 1_000
    expect(await ratesOf()).toEqual([140_000, 140_000])
    expect(venue.of('/events/fee_changes')).toHaveLength(1)
  })

  it('lists on without the announced changes when they cannot be read, and tells what is missing', async () => {
    pages['/events/fee_changes'] = { status: 500, body: {} }
    const told = await catalog.list({ series: 'KXNBAGAME', status: 'open' }, never)
    const problem =
      'the fee changes of events could not all be read (GET /events/fee_changes: HTTP 500 http_500)'
    expect(told.feeChanges.problem).toBe(problem)
    expect(await catalog.openMarkets('nba', never)).toMatchObject({ markets: { length: 2 }, problem })
  })

  it('reads announced changes of fees page by page, and says so when there is no end of them', async () => {
    let pagesRead = 0
    const change = (index: number) => ({
      ...{ event_ticker: index === 50 && lastPage === 60 ? EVENT : `KX-${index}`, fee_type_override: null },
      ...{ fee_multiplier_override: 2, scheduled_ts: new Date(NOW_MS + 640_000).toISOString() },
    })
    let lastPage = 60
    const { answer } = venue
    venue.answer = (request) => {
      if (request.path !== '/events/fee_changes') return answer(request)
      const page = Number(request.query.get('cursor') ?? 0)
      pagesRead++
      const cursor = page === lastPage ? '' : `${page + 1}`
      return { status: 200, body: { event_fee_changes: [change(page)], cursor } }
    }
    const read = async () => {
      const { markets, problem } = await catalog.openMarkets('nba', never)
      return [markets[0]?.fees.ratePpm, problem]
    }
    expect(await read()).toEqual([70_000, undefined])
    lastPage = Infinity
    nowMs += 600_000
    const endless = expect.stringContaining('more than 100 pages') as unknown
    // What was known is not lost with it.
    expect(await read()).toEqual([140_000, endless])
    pagesRead = 0
    expect(await read()).toEqual([140_000, endless])
    expect(pagesRead).toBe(0)
    nowMs += 30_000
    lastPage = 0
    expect(await read()).toEqual([70_000, undefined])
  })

  it('lists one event, whatever its status, and refuses one that is not there', async () => {
    pages[`/events/${EVENT}`] = {
      status: 200,
      body: { event: eventEntry(), markets: [entry('SAS', { status: 'finalized' }), entry('NYK')] },
    }
    const told = await catalog.listEvent(EVENT, never)
    expect([...told.markets.keys()]).toEqual([`${EVENT}-SAS`, `${EVENT}-NYK`])
    pages['/events/KXNBAGAME-X'] = { status: 404, body: { error: { code: 'not_found', message: 'no' } } }
    await expect(catalog.listEvent('KXNBAGAME-X', never)).rejects.toMatchObject({
      code: 'NO_SUCH_EVENT',
      exit: 2,
    })
  })

  it('stops when it is told to', async () => {
    await expect(catalog.openMarkets('nba', AbortSignal.abort())).rejects.toMatchObject({
      code: 'KALSHI_UNREACHABLE',
    })
    expect(venue.requests).toEqual([])
  })
})
