/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return -- foreign JSON, asserted by field */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  call,
  kalshiCall,
  kalshiHeaders,
  startBench,
  until,
  type Answer,
  type Bench,
  type Json,
} from './harness.js'

let bench: Bench
let ticker: string
let nhlTicker: string
beforeAll(async () => {
  // Slow enough that a book read and an order on it see the same makers.
  bench = await startBench({ speed: 0.05 })
  const nba = await call(`${bench.sim.urls.kalshiRest}/markets?series_ticker=KXNBAGAME&status=open`)
  ticker = nba.body.markets[0].ticker
  const nhl = await call(`${bench.sim.urls.kalshiRest}/markets?series_ticker=KXNHLGAME&status=open`)
  nhlTicker = nhl.body.markets[0].ticker
})
afterAll(() => bench.close())

let ids = 0
function order(fields: Record<string, unknown> = {}): Record<string, unknown> {
  ids += 1
  return {
    ticker,
    side: 'bid',
    count: '2.00',
    price: '0.9900',
    time_in_force: 'immediate_or_cancel',
    self_trade_prevention_type: 'taker_at_cross',
    client_order_id: `t-${ids}`,
    ...fields,
  }
}

/** Stays under the account's ten orders a second. */
const create = async (body: unknown): Promise<Answer> =>
  until(async () => {
    const answer = await kalshiCall(bench, 'POST', '/portfolio/events/orders', body)
    return answer.status === 429 ? undefined : answer
  }, 'the rate limit')

const public_ = (path: string) => call(`${bench.sim.urls.kalshiRest}${path}`)
let reads = 0
const bookOf = async (of = ticker): Promise<{ yes: [string, string][]; no: [string, string][] }> => {
  reads += 1
  // Another query is not in the cache.
  const { body } = await public_(`/markets/${of}/orderbook?n=${reads}`)
  return { yes: body.orderbook_fp.yes_dollars, no: body.orderbook_fp.no_dollars }
}

describe('public reads', () => {
  it('lists series, events and markets with the recorded fields', async () => {
    expect((await public_('/exchange/status')).body).toMatchObject({
      exchange_active: true,
      trading_active: true,
    })
    expect((await public_('/series/KXNBAGAME')).body.series).toMatchObject({
      ticker: 'KXNBAGAME',
      fee_type: 'quadratic_with_maker_fees',
      fee_multiplier: 1,
    })
    const market = (await public_(`/markets/${ticker}`)).body.market
    expect(market).toMatchObject({
      ticker,
      status: 'active',
      price_level_structure: 'tapered_deci_cent',
      price_ranges: [
        { start: '0.0000', end: '0.1000', step: '0.0010' },
        { start: '0.1000', end: '0.9000', step: '0.0100' },
        { start: '0.9000', end: '1.0000', step: '0.0010' },
      ],
      exchange_index: 3,
      fractional_trading_enabled: true,
      market_type: 'binary',
    })
    expect((await public_(`/markets/${nhlTicker}`)).body.market).toMatchObject({
      price_level_structure: 'linear_cent',
      price_ranges: [{ start: '0.0000', end: '1.0000', step: '0.0100' }],
    })
    // The scheduled start hides in two other times.
    const start = Date.parse(market.latest_expiration_time) - 14 * 86_400_000
    expect(Date.parse(market.occurrence_datetime)).toBe(start + 3 * 3_600_000)
    expect(market.no_sub_title).toBe(market.yes_sub_title)
    const event = await public_(`/events/${market.event_ticker}`)
    expect(event.body.event).toMatchObject({ mutually_exclusive: true, series_ticker: 'KXNBAGAME' })
    expect(event.body.markets).toHaveLength(2)
    const events = await public_('/events?series_ticker=KXNHLGAME&status=open&with_nested_markets=true')
    expect(events.body.events).toHaveLength(2)
    expect(events.body.events[0].markets).toHaveLength(2)
  })

  it('pages with an opaque cursor, quietly starts over on a garbage one, and ends with an empty one', async () => {
    const seen: string[] = []
    let cursor = ''
    do {
      const { body } = await public_(`/markets?limit=3&cursor=${cursor}`)
      seen.push(...body.markets.map((market: Json) => market.ticker))
      cursor = body.cursor
    } while (cursor !== '')
    expect(seen).toHaveLength(8)
    expect(new Set(seen).size).toBe(8)
    expect((await public_('/markets?limit=3&cursor=garbage')).body.markets[0].ticker).toBe(seen[0])
    expect((await public_(`/markets?tickers=${seen[1]},${seen[4]}`)).body.markets).toHaveLength(2)
  })

  it('refuses what the venue refuses, in its shapes', async () => {
    expect(await public_('/markets?limit=1001')).toEqual({
      status: 400,
      body: {
        msg: "Parameter validation failed for GetMarkets: Key: 'GetMarketsParams.Limit' Error:Field validation for 'Limit' failed on the 'lte' tag",
      },
    })
    expect((await public_('/markets?status=active')).status).toBe(400)
    expect((await public_('/markets/NOPE')).body.error.code).toBe('not_found')
    expect((await public_('/nothing')).status).toBe(404)
    expect((await public_('/portfolio/events/orders/x')).status).toBe(404)
  })

  it('carries hostile text in exactly one title', async () => {
    const { body } = await public_('/markets?limit=1000')
    const hostile = body.markets.filter(({ title }: Json) => /[\u0000-\u001f\u202e]/.test(title))
    expect(hostile).toHaveLength(1)
    expect(hostile[0].title).toContain('\u001b]0;')
  })

  it('quotes depth from the best level, as it was up to 15 s ago', async () => {
    const book = await bookOf()
    const { body } = await public_(`/markets/${ticker}/orderbook?depth=2`)
    expect(body.orderbook_fp.yes_dollars).toEqual(book.yes.slice(-2))
    expect((await public_(`/markets/${ticker}/orderbook?depth=101`)).status).toBe(400)
    // Somebody takes the best level: whoever asks the same again is told of it as before.
    const [, size] = book.no.at(-1)!
    expect((await create(order({ count: size }))).body.fill_count).toBe(size)
    const url = `${bench.sim.urls.kalshiRest}/markets/${ticker}/orderbook?depth=2`
    const again = await fetch(url)
    expect(again.headers.get('age')).toMatch(/^\d$/)
    expect(await again.json()).toEqual(body)
    expect((await bookOf()).no.at(-1)).not.toEqual(book.no.at(-1))
  })
})

describe('authentication of private calls', () => {
  const path = '/trade-api/v2/portfolio/balance'
  const get = (headers: Record<string, string>) =>
    call(`${bench.sim.urls.kalshiRest}/portfolio/balance`, { headers })

  it('answers the recorded bodies without, with stale and with wrong signatures', async () => {
    expect(await get({})).toEqual({
      status: 401,
      body: {
        error: { code: 'signature_is_missing_from_headers', message: 'signature is missing from headers' },
      },
    })
    expect(await get(kalshiHeaders(bench.read, 'GET', path, Date.now() - 30_000))).toEqual({
      status: 401,
      body: { error: { code: 'header_timestamp_expired', message: 'header timestamp expired' } },
    })
    expect(await get(kalshiHeaders(bench.read, 'POST', path))).toEqual({
      status: 401,
      body: {
        error: {
          code: 'authentication_error',
          message: 'authentication_error',
          details: 'INCORRECT_API_KEY_SIGNATURE',
        },
      },
    })
    const unknown = await get(kalshiHeaders({ ...bench.read, id: 'x' }, 'GET', path))
    expect(unknown.body.error.details).toBe('NOT_FOUND')
    expect((await get(kalshiHeaders(bench.read, 'GET', path))).status).toBe(200)
  })

  it('signs the path without its query', async () => {
    const query = '/portfolio/orders?limit=5&status=executed'
    expect((await kalshiCall(bench, 'GET', query)).status).toBe(200)
    const headers = kalshiHeaders(bench.read, 'GET', `/trade-api/v2${query}`)
    expect((await call(`${bench.sim.urls.kalshiRest}${query}`, { headers })).status).toBe(401)
  })

  it('lets a read-only key read and nothing else', async () => {
    expect((await kalshiCall(bench, 'GET', '/portfolio/balance', undefined, bench.read)).status).toBe(200)
    const before = bench.sim.stats().orders
    const answer = await kalshiCall(bench, 'POST', '/portfolio/events/orders', order(), bench.read)
    expect(answer.status).toBe(403)
    expect(bench.sim.stats().orders).toBe(before)
  })

  it.each([
    '/portfolio/orders?limit=0',
    '/portfolio/orders?status=open',
    '/portfolio/fills?limit=1001',
    '/portfolio/fills?min_ts=yesterday',
    '/portfolio/fills?max_ts=-1',
    '/portfolio/balance?exchange_index=x',
  ])('refuses the query of %s', async (path) => {
    const { status, body } = await kalshiCall(bench, 'GET', path)
    expect([status, body.msg]).toEqual([400, expect.stringContaining('Parameter validation failed for Get')])
  })

  it.each(['balance', 'positions', 'orders', 'fills', 'order_groups'])(
    'has no %s of a subaccount that does not exist',
    async (what) => {
      const { status, body } = await kalshiCall(bench, 'GET', `/portfolio/${what}?subaccount=7`)
      expect([status, body.error?.code]).toEqual([404, 'not_found'])
      expect((await kalshiCall(bench, 'GET', `/portfolio/${what}?subaccount=0`)).status).toBe(200)
    },
  )

  it.each([
    ['POST', '/portfolio/events/orders/batched'],
    ['POST', '/portfolio/events/orders/x/amend'],
    ['POST', '/portfolio/events/orders/x/decrease'],
    ['GET', '/portfolio/events/orders/x'],
    ['POST', '/portfolio/order_groups'],
  ])('has no %s %s', async (method, path) => {
    const { status, body } = await kalshiCall(bench, method, path, method === 'GET' ? undefined : {})
    expect([status, body.error.code]).toEqual([404, 'not_found'])
  })

  it('opens no subaccount below the Advanced tier', async () => {
    const { status, body } = await kalshiCall(bench, 'POST', '/portfolio/subaccounts', {})
    expect([status, body.error.code]).toEqual([400, 'bad_request'])
    expect((await kalshiCall(bench, 'GET', '/portfolio/balance?subaccount=2')).status).toBe(404)
  })

  it('has no V1 orders any more', async () => {
    const answer = await kalshiCall(bench, 'POST', '/portfolio/orders', {
      ticker,
      action: 'buy',
      side: 'yes',
      count: 1,
    })
    expect(answer).toEqual({
      status: 410,
      body: {
        error: {
          code: 'deprecated_v1_order_endpoint',
          message: 'Please switch to the V2 endpoints',
          details: 'https://docs.kalshi.com/api-reference/orders/create-order-v2',
        },
      },
    })
  })
})

describe('order validation', () => {
  const gtc = { time_in_force: 'good_till_canceled' }
  const flat = (field: string, kind = 'number', type = 'string') => ({
    code: 'bad_request',
    message: 'bad request',
    details: `json: cannot unmarshal ${kind} into Go struct field CreateOrderV2Request.${field} of type ${type}`,
  })
  it.each<[string, Record<string, unknown> | string | (() => Record<string, unknown>), number, Json]>([
    ['a numeric count', { count: 1 }, 400, flat('count')],
    ['a numeric price', { price: 0.5 }, 400, flat('price')],
    ['a text flag', { reduce_only: 'yes' }, 400, flat('reduce_only', 'string', 'bool')],
    ['not JSON', '{', 400, { code: 'bad_request' }],
    ['an array', '[]', 400, { code: 'bad_request' }],
    ['no ticker', { ticker: undefined }, 400, 'missing_parameters'],
    ['no self trade prevention', { self_trade_prevention_type: undefined }, 400, 'missing_parameters'],
    ['no price', { price: undefined }, 400, 'missing_parameters'],
    ['a V1 side', { side: 'yes' }, 400, 'invalid_parameters'],
    ['an unknown time in force', { time_in_force: 'ioc' }, 400, 'invalid_parameters'],
    ['a third decimal in the count', { count: '1.005' }, 400, 'invalid_parameters'],
    ['a count of zero', { count: '0.00' }, 400, 'invalid_parameters'],
    ['a negative count', { count: '-1.00' }, 400, 'invalid_parameters'],
    ['a client id with a dot', { client_order_id: 'a.b' }, 400, 'invalid_parameters'],
    ['an expiration on IOC', { expiration_time: 1_900_000_000 }, 400, 'invalid_parameters'],
    ['a count with a bare point', { count: '1.' }, 400, 'invalid_parameters'],
    ['a price without a leading digit', { price: '.50' }, 400, 'invalid_price'],
    ['a price of one decimal', { price: '0.5' }, 400, 'invalid_price'],
    ['a price of six decimals', { price: '0.500000' }, 400, 'invalid_price'],
    ['a price off the tick', { price: '0.5050' }, 400, 'invalid_price'],
    ['a finer price than the edge has', { price: '0.0955' }, 400, 'invalid_price'],
    ['a price of the edge in the middle', { price: '0.1010' }, 400, 'invalid_price'],
    ['the same at the other edge', { price: '0.8990' }, 400, 'invalid_price'],
    [
      'a price of the edge in a market of whole cents',
      () => ({ ticker: nhlTicker, price: '0.0950' }),
      400,
      'invalid_price',
    ],
    ['a price of zero', { price: '0.0000' }, 400, 'invalid_price'],
    ['a price of one', { price: '1.0000' }, 400, 'invalid_price'],
    ['a price that is no number', { price: '1e-1' }, 400, 'invalid_price'],
    ['an unknown ticker', { ticker: 'KXNBAGAME-NOPE' }, 404, 'not_found'],
    ['another shard', { exchange_index: 0 }, 404, 'not_found'],
    ['a post-only IOC', { post_only: true }, 400, 'invalid_parameters'],
    ['a GTC that only reduces', { ...gtc, reduce_only: true }, 400, 'invalid_parameters'],
    ['an expiration in the past', { ...gtc, expiration_time: 1_600_000_000 }, 400, 'invalid_parameters'],
    [
      'an expiration in text',
      { ...gtc, expiration_time: '1' },
      400,
      flat('expiration_time', 'string', 'int64'),
    ],
    ['a group that does not exist', { order_group_id: 'nope' }, 404, 'not_found'],
    ['a subaccount that does not exist', { subaccount: 2 }, 400, 'invalid_parameters'],
    ['a subaccount below zero', { subaccount: -1 }, 400, 'invalid_parameters'],
    ['a subaccount in text', { subaccount: '1' }, 400, flat('subaccount', 'string', 'int')],
    ['a post-only order that crosses', { ...gtc, post_only: true }, 400, 'invalid_order'],
    ['more than the account holds', { count: '200000.00' }, 400, 'insufficient_balance'],
    ['more than the shard holds', { count: '60000.00' }, 404, 'insufficient_shard_balance'],
  ])('refuses %s', async (_what, fields, status, code) => {
    const before = bench.sim.stats()
    const said = typeof fields === 'function' ? fields() : fields
    const answer = await create(typeof said === 'string' ? said : order(said))
    expect(answer.status).toBe(status)
    if (typeof code === 'string') expect(answer.body.error.code).toBe(code)
    else expect(answer.body).toMatchObject(code)
    const after = bench.sim.stats()
    expect(after.orders).toBe(before.orders)
    expect(Object.values(after.refused).reduce((a, b) => a + b, 0)).toBeGreaterThan(
      Object.values(before.refused).reduce((a, b) => a + b, 0),
    )
  })
})

describe('orders', () => {
  it.each(['0.0010', '0.0950', '0.1000', '0.9990'])(
    'are taken at %s where the grid has it',
    async (price) => {
      expect((await create(order({ price, count: '1.00' }))).status).toBe(201)
    },
  )

  it('fills at the displayed prices, better than the limit, and reports averages in YES terms', async () => {
    const book = await bookOf()
    const before = bench.sim.stats()
    const [noPrice] = book.no.at(-1)!
    const ask = 1 - Number(noPrice)
    const { status, body } = await create(order({ count: '2.00' }))
    expect(status).toBe(201)
    const fee = Math.ceil(0.07 * 2 * ask * (1 - ask) * 10_000 - 1e-9) / 10_000
    expect(body).toEqual({
      order_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      client_order_id: expect.any(String),
      fill_count: '2.00',
      remaining_count: '0.00',
      average_fill_price: ask.toFixed(4),
      average_fee_paid: (Math.floor((fee / 2) * 10_000 + 1e-9) / 10_000).toFixed(4),
      ts_ms: expect.any(Number),
    })
    const after = bench.sim.stats()
    expect(after.orders - before.orders).toBe(1)
    expect(after.fills - before.fills).toBe(1)
    expect(after.filledSizeE6 - before.filledSizeE6).toBe(2_000_000)
    expect(after.cashMicros - before.cashMicros).toBe(Math.round(2 * ask * 1e6))
    expect(after.feesMicros - before.feesMicros).toBe(Math.round(fee * 1e6))
    const fills = await until(async () => {
      const answer = await kalshiCall(bench, 'GET', `/portfolio/fills?order_id=${body.order_id}`)
      return answer.status === 200 && answer.body.fills.length > 0 && (answer.body.fills as Json[])
    }, 'the fill')
    expect(fills[0]).toMatchObject({
      ticker,
      count_fp: '2.00',
      yes_price_dollars: ask.toFixed(4),
      fee_cost: fee.toFixed(6),
      book_side: 'bid',
      is_taker: true,
    })
  })

  it('shows an order by id only after a while', async () => {
    const { body } = await create(order({ count: '1.00' }))
    const read = () => kalshiCall(bench, 'GET', `/portfolio/orders/${body.order_id}`)
    expect((await read()).status).toBe(404)
    const shown = await until(async () => {
      const answer = await read()
      return answer.status === 200 && answer.body.order
    }, 'the order')
    expect(shown).toMatchObject({ order_id: body.order_id, status: 'executed', fill_count_fp: '1.00' })
    const list = await kalshiCall(bench, 'GET', `/portfolio/orders?ticker=${ticker}&status=executed`)
    expect(list.body.orders.map((entry: Json) => entry.client_order_id)).toContain(body.client_order_id)
  })

  it('fills a part of what the book cannot give, and nothing when the limit is too far: both 201', async () => {
    const book = await bookOf(nhlTicker)
    const depth = book.no.reduce((sum, [, count]) => sum + Number(count), 0)
    const all = await create(order({ ticker: nhlTicker, count: '9000.00' }))
    expect(all.status).toBe(201)
    expect(Number(all.body.fill_count)).toBeCloseTo(depth, 2)
    expect(all.body.remaining_count).toBe('0.00')
    expect((await bookOf(nhlTicker)).no).toEqual([])
    const before = bench.sim.stats()
    const none = await create(order({ ticker: nhlTicker }))
    expect(none.status).toBe(201)
    expect(none.body).toEqual({
      order_id: expect.any(String),
      client_order_id: expect.any(String),
      fill_count: '0.00',
      remaining_count: '0.00',
      ts_ms: expect.any(Number),
    })
    expect(bench.sim.stats().orders - before.orders).toBe(1)
    expect(bench.sim.stats().fills).toBe(before.fills)
  })

  it('kills an FOK that cannot fill whole with 409, and its client id is gone', async () => {
    const request = order({ count: '9000.00', time_in_force: 'fill_or_kill' })
    const killed = await create(request)
    expect(killed.status).toBe(409)
    expect(killed.body.error.code).toBe('fill_or_kill_insufficient_resting_volume')
    const again = await create({ ...request, count: '1.00' })
    expect(again).toEqual({
      status: 409,
      body: { error: { code: 'order_already_exists', message: 'order already exists', service: 'exchange' } },
    })
  })

  it('never accepts a client order id twice', async () => {
    const request = order({ count: '1.00' })
    expect((await create(request)).status).toBe(201)
    expect((await create({ ...request, ticker: nhlTicker, count: '5.00' })).status).toBe(409)
    expect((await create(request)).body.error.code).toBe('order_already_exists')
  })

  it('nets positions: buying NO is an ask, and closes YES first', async () => {
    const position = async () =>
      Number(
        (await kalshiCall(bench, 'GET', `/portfolio/positions?ticker=${ticker}`)).body.market_positions[0]
          .position_fp,
      )
    const held = await position()
    expect(held).toBeGreaterThan(0)
    const before = bench.sim.stats()
    const sold = await create(
      order({ side: 'ask', price: '0.0100', count: held.toFixed(2), reduce_only: true }),
    )
    expect(sold.body.fill_count).toBe(held.toFixed(2))
    expect(bench.sim.stats().cashMicros).toBeLessThan(before.cashMicros)
    expect(await position()).toBe(0)
    const opened = await create(order({ side: 'ask', price: '0.0100', count: '4.00' }))
    expect(opened.body.fill_count).toBe('4.00')
    expect(await position()).toBe(-4)
    const paid = bench.sim.stats()
    expect(paid.cashMicros).toBeGreaterThan(before.cashMicros - Math.round(held * 1e6))
  })

  it('keeps the books of the account: balance is what is left of the money', async () => {
    const { body } = await kalshiCall(bench, 'GET', '/portfolio/balance')
    const stats = bench.sim.stats()
    const micros = 100_000_000_000 - stats.cashMicros - stats.feesMicros
    expect(body.balance_dollars).toBe((Math.floor(micros / 100) / 10_000).toFixed(4))
    expect(body.balance).toBe(Math.floor(micros / 10_000))
    const shards = body.balance_breakdown.map((entry: Json) => [entry.exchange_index, Number(entry.balance)])
    expect(shards.map(([index]: Json) => index)).toEqual([0, 3])
    expect(shards[0][1] + shards[1][1]).toBeCloseTo(Number(body.balance_dollars), 3)
  })

  it('answers 429 when the write bucket is empty, and recovers', async () => {
    expect((await kalshiCall(bench, 'GET', '/account/limits')).body).toEqual({
      grants: [],
      read: { bucket_capacity: 200, refill_rate: 200 },
      usage_tier: 'basic',
      write: { bucket_capacity: 100, refill_rate: 100 },
    })
    const burst = await Promise.all(
      Array.from({ length: 20 }, () =>
        kalshiCall(bench, 'POST', '/portfolio/events/orders', order({ count: '0.01' })),
      ),
    )
    const refused = burst.filter(({ status }) => status === 429)
    expect(refused.length).toBeGreaterThan(0)
    expect(refused[0]!.body).toEqual({ error: 'too many requests' })
    expect((await create(order({ count: '0.01' }))).status).toBe(201)
  })
})
