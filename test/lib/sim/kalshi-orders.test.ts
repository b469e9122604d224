/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return -- foreign JSON, asserted by field */
import { constants, createPrivateKey, sign, type SignKeyObjectInput } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/lib/core/clock.js'
import type { TradingAlarm } from '../../../src/lib/venues/ports.js'
import { KalshiCatalog } from '../../../src/lib/venues/kalshi/catalog.js'
import { KalshiGateway } from '../../../src/lib/venues/kalshi/gateway.js'
import {
  call,
  kalshiCall,
  kalshiHeaders,
  kalshiSocket,
  startBench,
  until,
  type Answer,
  type Bench,
  type Connection,
  type Json,
  type KalshiKey,
} from './harness.js'

let bench: Bench
let ticker: string
let own: Connection
let others: Connection
beforeAll(async () => {
  // So slow that no maker moves meanwhile.
  bench = await startBench({ speed: 0.0001 }, 'premier')
  const { body } = await call(`${bench.sim.urls.kalshiRest}/markets?series_ticker=KXNBAGAME&status=open`)
  ticker = body.markets[0].ticker
  own = await subscribe(bench.trade)
  others = await subscribe(bench.rival)
})
afterAll(async () => {
  own.close()
  others.close()
  await bench.close()
})

async function subscribe(key: KalshiKey): Promise<Connection> {
  const connection = await kalshiSocket(bench, key)
  const channels = ['fill', 'user_orders', 'market_positions', 'order_group_updates', 'trade']
  connection.send({
    id: 1,
    cmd: 'subscribe',
    params: { channels: ['orderbook_delta'], market_ticker: ticker, use_yes_price: true },
  })
  connection.send({ id: 2, cmd: 'subscribe', params: { channels } })
  await connection.next(({ msg }) => msg?.channel === 'trade', 'the subscriptions')
  return connection
}

let ids = 0
const order = (fields: Record<string, unknown> = {}): Json => {
  ids += 1
  return {
    ...{ ticker, side: 'bid', count: '5.00', price: '0.0200', client_order_id: `r-${ids}` },
    ...{ time_in_force: 'good_till_canceled', self_trade_prevention_type: 'taker_at_cross' },
    ...fields,
  }
}
const create = (fields: Record<string, unknown> = {}, key = bench.trade): Promise<Answer> =>
  kalshiCall(bench, 'POST', '/portfolio/events/orders', order(fields), key)
const cancel = (id: string, query = `?market_ticker=${ticker}`, key = bench.trade): Promise<Answer> =>
  kalshiCall(bench, 'DELETE', `/portfolio/events/orders/${id}${query}`, undefined, key)
const read = (id: string, key = bench.trade): Promise<Json> =>
  until(async () => {
    const { status, body } = await kalshiCall(bench, 'GET', `/portfolio/orders/${id}`, undefined, key)
    return status === 200 && body.order
  }, 'the order')
const free = async (): Promise<number> =>
  Number((await kalshiCall(bench, 'GET', '/portfolio/balance')).body.balance_breakdown[1].balance)
/** The best prices, in cents of YES. */
const best = async (): Promise<{ bid: number; ask: number }> => {
  const { body } = await call(`${bench.sim.urls.kalshiRest}/markets/${ticker}`)
  return {
    bid: Math.round(Number(body.market.yes_bid_dollars) * 100),
    ask: Math.round(Number(body.market.yes_ask_dollars) * 100),
  }
}
const dollars = (cents: number) => (cents / 100).toFixed(4)
const deltas = (connection: Connection, price: string): Json[] =>
  connection.frames
    .filter(({ type, msg }) => type === 'orderbook_delta' && msg.price_dollars === price)
    .map(({ msg }) => msg)
const updates = (connection: Connection, id: string): Json[] =>
  connection.frames.filter(({ type, msg }) => type === 'user_order' && msg.order_id === id)

/** The order's last state on its owner's channel: REST lags behind by most of a second. */
const told = (id: string, status: string): Promise<Json> =>
  until(() => {
    const last = updates(own, id).at(-1)?.msg
    return last?.status === status && last
  }, `the order to be ${status}`)

describe('an order that rests', () => {
  it('answers what remains, binds money, is read, listed and canceled once', async () => {
    const before = await free()
    const { status, body } = await create()
    expect(status).toBe(201)
    expect(body).toEqual({
      ...{ order_id: expect.any(String), client_order_id: `r-${ids}`, ts_ms: expect.any(Number) },
      ...{ fill_count: '0.00', remaining_count: '5.00' },
    })
    // 5 contracts at 2 cents, and a maker's fee of 0.0172 cents up to the next hundredth.
    expect(before - (await free())).toBeCloseTo(0.1 + 0.0018, 6)
    expect(await read(body.order_id)).toMatchObject({
      ...{ status: 'resting', remaining_count_fp: '5.00', initial_count_fp: '5.00', fill_count_fp: '0.00' },
      ...{ book_side: 'bid', yes_price_dollars: '0.0200', no_price_dollars: '0.9800', type: 'limit' },
    })
    const listed = async (state: string) =>
      (await kalshiCall(bench, 'GET', `/portfolio/orders?status=${state}`)).body.orders.map(
        (each: Json) => each.order_id,
      )
    expect(await listed('resting')).toEqual([body.order_id])
    expect((await kalshiCall(bench, 'GET', '/portfolio/orders?status=open')).status).toBe(400)
    expect(await cancel(body.order_id)).toEqual({
      status: 200,
      body: {
        ...{ order_id: body.order_id, client_order_id: body.client_order_id, reduced_by: '5.00' },
        ts_ms: expect.any(Number),
      },
    })
    expect(await cancel(body.order_id)).toEqual({
      status: 404,
      body: { error: { code: 'not_found', message: 'not found', service: 'exchange' } },
    })
    expect(await free()).toBe(before)
    expect(await listed('resting')).toEqual([])
    expect(await listed('canceled')).toEqual([body.order_id])
    // Its own id stays used.
    expect((await create({ client_order_id: body.client_order_id })).body.error.code).toBe(
      'order_already_exists',
    )
    expect(updates(own, body.order_id).map(({ msg }) => msg.status)).toEqual(['resting', 'canceled'])
    expect(updates(others, body.order_id)).toEqual([])
  })

  it('is found by its shard, or by its market, by its own account alone', async () => {
    const { body } = await create()
    for (const query of [
      '',
      '?exchange_index=0',
      '?exchange_index=-1',
      '?market_ticker=NOPE',
      '?exchange_index=x',
    ]) {
      expect((await cancel(body.order_id, query)).status).toBe(404)
    }
    expect((await cancel(body.order_id, undefined, bench.rival)).status).toBe(404)
    const readOnly = await cancel(body.order_id, undefined, bench.read)
    expect(readOnly.status).toBe(403)
    expect((await cancel(body.order_id, '?exchange_index=3')).status).toBe(200)
  })

  it('tells its id in the deltas to its owner alone', async () => {
    const { body } = await create({ price: '0.0300' })
    await cancel(body.order_id)
    await until(() => deltas(others, '0.0300').length === 2, 'two deltas')
    expect(deltas(own, '0.0300')).toMatchObject([
      { delta_fp: '5.00', side: 'yes', client_order_id: body.client_order_id, subaccount: 0 },
      { delta_fp: '-5.00', side: 'yes', client_order_id: body.client_order_id, subaccount: 0 },
    ])
    for (const delta of deltas(others, '0.0300')) {
      expect(Object.keys(delta)).toEqual(expect.not.arrayContaining(['client_order_id', 'subaccount']))
    }
  })

  it('is filled by price and time, pays the maker fee, and both sides hear of it', async () => {
    const { bid, ask } = await best()
    expect(ask - bid).toBeGreaterThanOrEqual(1)
    // Better than every maker: first in the queue.
    const price = dollars(ask - bid > 1 ? bid + 1 : bid)
    const makers = ask - bid > 1 ? 0 : Number((await bookSizes()).bid)
    const first = await create({ price, count: '2.00' })
    const second = await create({ price, count: '3.00' })
    const before = bench.sim.stats()
    const taken = await create(
      { side: 'ask', price, count: (makers + 4).toFixed(2), time_in_force: 'immediate_or_cancel' },
      bench.rival,
    )
    expect(taken.body).toMatchObject({ fill_count: (makers + 4).toFixed(2), average_fill_price: price })
    expect(await told(first.body.order_id, 'executed')).toMatchObject({
      ...{ fill_count_fp: '2.00', remaining_count_fp: '0.00' },
      maker_fill_cost_dollars: (2 * Number(price)).toFixed(6),
      taker_fill_cost_dollars: '0.000000',
    })
    expect(await told(second.body.order_id, 'resting')).toMatchObject({
      ...{ fill_count_fp: '2.00', remaining_count_fp: '1.00' },
    })
    // Takers alone are counted: exec never makes.
    expect(bench.sim.stats().fills - before.fills).toBe(1)
    const fill = own.frames.find(({ type, msg }) => type === 'fill' && msg.order_id === second.body.order_id)
    const p = Number(price)
    const fee = Math.ceil(0.25 * 0.07 * 2 * p * (1 - p) * 10_000 - 1e-9) / 10_000
    expect(fill.msg).toMatchObject({ is_taker: false, count_fp: '2.00', fee_cost: fee.toFixed(6) })
    expect(others.frames.some(({ type, msg }) => type === 'fill' && msg.is_taker)).toBe(true)
    expect((await cancel(second.body.order_id)).body.reduced_by).toBe('1.00')
    await told(second.body.order_id, 'canceled')
  })

  it('takes what it can and leaves the rest', async () => {
    const { ask } = await best()
    const { ask: size } = await bookSizes()
    const { body } = await create({ price: dollars(ask), count: (Number(size) + 7).toFixed(2) })
    expect(body).toMatchObject({ fill_count: size, remaining_count: '7.00' })
    expect(await best()).toMatchObject({ bid: ask })
    // Whoever is post-only may not meet it, nor may its own account.
    const against = { side: 'ask', price: dollars(ask), count: '2.00' }
    const refused = await create({ ...against, post_only: true }, bench.rival)
    expect(refused).toEqual({
      status: 400,
      body: { error: { code: 'invalid_order', message: 'invalid order', details: 'post only cross' } },
    })
    const self = await create({ ...against, time_in_force: 'immediate_or_cancel' })
    expect(self.body).toMatchObject({ fill_count: '0.00', remaining_count: '0.00' })
    const rests = await create({ ...against, self_trade_prevention_type: 'maker' })
    expect(rests.body).toMatchObject({ fill_count: '0.00', remaining_count: '2.00' })
    expect(await told(body.order_id, 'canceled')).toMatchObject({ remaining_count_fp: '0.00' })
    await cancel(rests.body.order_id)
  })

  it('goes when its time is over', async () => {
    const expires = Math.ceil(Date.now() / 1000) + 1
    const { body } = await create({ expiration_time: expires })
    const shown = await told(body.order_id, 'resting')
    expect(shown.expiration_time).toBe(new Date(expires * 1000).toISOString())
    await until(() => updates(own, body.order_id).length === 2, 'the end of the order')
    expect(Date.now()).toBeGreaterThanOrEqual(expires * 1000)
    await told(body.order_id, 'canceled')
  })

  it('leaves no more to trade with than there is', async () => {
    const { body } = await create({ count: '2000000.00', price: '0.0100' })
    expect(body.remaining_count).toBe('2000000.00')
    const more = (fields: Record<string, unknown>) => create({ price: '0.0200', ...fields })
    // 30,000 of the 50,000 dollars of shard 3 are left, and 50,000 on shard 0.
    expect((await more({ count: '2000000.00' })).body.error.code).toBe('insufficient_shard_balance')
    expect((await more({ count: '4000000.00' })).body.error.code).toBe('insufficient_balance')
    const some = await more({ count: '1000000.00' })
    expect(some.status).toBe(201)
    const all = await kalshiCall(bench, 'DELETE', '/portfolio/events/orders')
    expect(all).toEqual({ status: 204, body: undefined })
    await told(some.body.order_id, 'canceled')
    expect((await create({ count: '2000000.00', price: '0.0200' })).status).toBe(201)
    await kalshiCall(bench, 'DELETE', '/portfolio/events/orders')
  })
})

async function bookSizes(): Promise<{ bid: string; ask: string }> {
  const { body } = await call(`${bench.sim.urls.kalshiRest}/markets/${ticker}`)
  return { bid: body.market.yes_bid_size_fp, ask: body.market.yes_ask_size_fp }
}

describe('an order group', () => {
  const group = (method: string, path: string, body?: unknown) =>
    kalshiCall(bench, method, `/portfolio/order_groups${path}`, body)
  const newGroup = async (limit: number): Promise<string> => {
    const { status, body } = await group('POST', '/create', { contracts_limit: limit, exchange_index: 3 })
    expect(status).toBe(201)
    expect(body).toEqual({ order_group_id: expect.any(String), subaccount: 0, exchange_index: 3 })
    return body.order_group_id
  }
  const events = (id: string): string[] =>
    own.frames
      .filter(({ type, msg }) => type === 'order_group_updates' && msg.order_group_id === id)
      .map(({ seq, msg }) => (expect(seq).toEqual(expect.any(Number)), msg.event_type))
  const takes = (id: string, count: string) =>
    create({ order_group_id: id, count, price: '0.9900', time_in_force: 'immediate_or_cancel' })

  it('cancels its orders when more than its limit trades in 15 s, and takes none until it is reset', async () => {
    const id = await newGroup(3)
    const waits = await create({ order_group_id: id })
    expect((await takes(id, '3.00')).body.fill_count).toBe('3.00')
    await told(waits.body.order_id, 'resting')
    expect((await takes(id, '0.01')).body.fill_count).toBe('0.01')
    expect(await told(waits.body.order_id, 'canceled')).toMatchObject({ order_group_id: id })
    expect(await takes(id, '1.00')).toEqual({
      status: 400,
      body: { error: { code: 'invalid_order', message: 'invalid order', details: 'order group triggered' } },
    })
    expect((await group('PUT', `/${id}/reset?exchange_index=3`, {})).body).toEqual({})
    expect((await takes(id, '1.00')).status).toBe(201)
    expect(events(id)).toEqual(['created', 'triggered', 'reset'])
    expect((await group('GET', `/${id}`)).body).toEqual({
      ...{ contracts_limit_fp: '3.00', exchange_index: 3, is_auto_cancel_enabled: true },
      orders: expect.arrayContaining([waits.body.order_id]),
    })
  })

  it('is triggered by hand and by a lower limit, listed and deleted', async () => {
    const id = await newGroup(10)
    await takes(id, '2.00')
    const waits = await create({ order_group_id: id })
    await group('PUT', `/${id}/limit?exchange_index=3`, { contracts_limit_fp: '1.00' })
    await told(waits.body.order_id, 'canceled')
    await group('PUT', `/${id}/reset?exchange_index=3`, {})
    const again = await create({ order_group_id: id })
    await group('PUT', `/${id}/trigger?exchange_index=3`, {})
    await told(again.body.order_id, 'canceled')
    await group('PUT', `/${id}/reset?exchange_index=3`, {})
    const last = await create({ order_group_id: id })
    expect((await group('GET', '')).body.order_groups.map((each: Json) => each.id)).toContain(id)
    expect((await group('DELETE', `/${id}?exchange_index=3`)).status).toBe(200)
    await told(last.body.order_id, 'canceled')
    expect((await group('GET', `/${id}`)).status).toBe(404)
    expect(events(id)).toEqual([
      ...['created', 'limit_updated', 'triggered', 'reset', 'triggered', 'reset', 'deleted'],
    ])
  })

  it.each<[string, string, string, unknown, number, string]>([
    ['no limit', 'POST', '/create', {}, 400, 'missing_parameters'],
    ['a limit of zero', 'POST', '/create', { contracts_limit: 0 }, 400, 'invalid_parameters'],
    ['half a contract', 'POST', '/create', { contracts_limit_fp: '1.50' }, 400, 'invalid_parameters'],
    [
      'two limits',
      'POST',
      '/create',
      { contracts_limit: 1, contracts_limit_fp: '2.00' },
      400,
      'invalid_parameters',
    ],
    [
      'an unknown shard',
      'POST',
      '/create',
      { contracts_limit: 1, exchange_index: 9 },
      400,
      'invalid_parameters',
    ],
    ['an unknown group', 'PUT', '/nope/reset', {}, 404, 'not_found'],
    ['an unknown group to delete', 'DELETE', '/nope', undefined, 404, 'not_found'],
  ])('refuses %s', async (_what, method, path, body, status, code) => {
    const answer = await group(method, path, body)
    expect([answer.status, answer.body.error.code]).toEqual([status, code])
  })

  it('does not span shards', async () => {
    const { body } = await group('POST', '/create', { contracts_limit: 5 })
    expect(body.exchange_index).toBe(0)
    expect((await create({ order_group_id: body.order_group_id })).status).toBe(404)
    const id = await newGroup(5)
    expect((await group('PUT', `/${id}/reset`, {})).status).toBe(404)
  })
})

/** What a row sends, when it is not an order of `order()` with other fields. */
interface Call {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

// Beside what kalshi-rest and kalshi-ws refuse: each row says what is documented, and where.
describe('the venue refuses', () => {
  const ORDERS = '/portfolio/events/orders'
  const GROUPS = '/portfolio/order_groups'
  const path = `/trade-api/v2${ORDERS}`
  const list =
    (query: string): (() => Call) =>
    () => ({ method: 'GET', path: query })
  const group =
    (body: unknown): (() => Call) =>
    () => ({ method: 'POST', path: `${GROUPS}/create`, body })
  /** An order whose headers are made of the right ones, or of another text signed. */
  const signed =
    (tamper: (headers: Record<string, string>) => Record<string, string>, text = ['POST', path]) =>
    (): Call => ({
      ...{ method: 'POST', path: ORDERS, body: order() },
      headers: tamper(kalshiHeaders(bench.trade, text[0]!, text[1]!)),
    })
  const as = (options: Partial<SignKeyObjectInput>) =>
    signed((headers) => {
      const text = `${headers['KALSHI-ACCESS-TIMESTAMP']}POST${path}`
      const signature = sign('sha256', Buffer.from(text), { key: bench.trade.pem, ...options } as never)
      return { ...headers, 'KALSHI-ACCESS-SIGNATURE': signature.toString('base64') }
    })
  const without = (name: string) => signed(({ [`KALSHI-ACCESS-${name}`]: _, ...headers }) => headers)
  const signature = (change: (text: string) => string) =>
    signed((headers) => {
      const text = change(headers['KALSHI-ACCESS-SIGNATURE']!)
      return { ...headers, 'KALSHI-ACCESS-SIGNATURE': text }
    })
  const none = ['none of the three headers may lack', 401, 'signature_is_missing_from_headers'] as const
  const salted = { padding: constants.RSA_PKCS1_PSS_PADDING }
  const digest = { ...salted, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
  const now = { time_in_force: 'immediate_or_cancel' }

  it.each<[string, string, number, string, Record<string, unknown> | (() => Call | Promise<Call>)]>([
    // Section 1: headers and signature.
    ['a call without the key', ...none, without('KEY')],
    ['a call without the time', ...none, without('TIMESTAMP')],
    ['a call without the signature', ...none, without('SIGNATURE')],
    [
      'a time in seconds',
      'Unix ms; too old is header_timestamp_expired',
      401,
      'header_timestamp_expired',
      signed((headers) => ({ ...headers, 'KALSHI-ACCESS-TIMESTAMP': String(Math.floor(Date.now() / 1000)) })),
    ],
    [
      'another time than the signed one',
      'signed text = timestamp + METHOD + path',
      401,
      'authentication_error',
      signed((headers) => ({ ...headers, 'KALSHI-ACCESS-TIMESTAMP': String(Date.now() + 500) })),
    ],
    [
      'a method in small letters',
      'METHOD (upper case)',
      401,
      'authentication_error',
      signed((headers) => headers, ['post', path]),
    ],
    [
      'a path without its base',
      'path includes /trade-api/v2',
      401,
      'authentication_error',
      signed((headers) => headers, ['POST', ORDERS]),
    ],
    [
      'the whole address signed',
      'and excludes the host',
      401,
      'authentication_error',
      signed((headers) => headers, ['POST', `http://127.0.0.1${path}`]),
    ],
    ['PKCS #1 padding', 'RSASSA-PSS', 401, 'authentication_error', as({})],
    [
      'the longest salt',
      'salt length = digest length',
      401,
      'authentication_error',
      as({ ...salted, saltLength: constants.RSA_PSS_SALTLEN_MAX_SIGN }),
    ],
    [
      'a key of nobody',
      'details NOT_FOUND',
      401,
      'authentication_error',
      signed((headers) => ({ ...headers, 'KALSHI-ACCESS-KEY': bench.trade.id.toUpperCase() })),
    ],
    [
      'the URL alphabet',
      'standard base64',
      401,
      'authentication_error',
      signature((text) => `${text.slice(0, -4)}-_==`),
    ],
    [
      'base64 without its end',
      'standard base64',
      401,
      'authentication_error',
      signature((text) => text.replace(/=+$/, '')),
    ],
    // Section 4: the body of an order.
    ['a numeric client id', 'client_order_id string', 400, 'bad_request', { client_order_id: 7 }],
    ['a numeric ticker', 'ticker string', 400, 'bad_request', { ticker: 7 }],
    ['a numeric side', 'side bid|ask', 400, 'bad_request', { side: 1 }],
    ['a flag as a number', 'post_only boolean', 400, 'bad_request', { post_only: 1 }],
    ['half a second', 'expiration_time (s)', 400, 'bad_request', { expiration_time: 1.5 }],
    ['half a shard', 'exchange_index integer', 400, 'bad_request', { exchange_index: 3.5 }],
    ['an object as the price', 'price string', 400, 'bad_request', { price: { value: '0.5' } }],
    ['no side', 'required', 400, 'missing_parameters', { side: undefined }],
    ['a null count', 'required', 400, 'missing_parameters', { count: null }],
    ['an empty ticker', 'required', 400, 'missing_parameters', { ticker: '' }],
    ['no time in force', 'required', 400, 'missing_parameters', { time_in_force: undefined }],
    [
      'an order of V1',
      'yes_price, action, type no longer exist as inputs',
      400,
      'missing_parameters',
      () => ({
        ...{ method: 'POST', path: ORDERS },
        body: { ticker, action: 'buy', side: 'yes', type: 'limit', count: '1', yes_price: 50 },
      }),
    ],
    [
      'a time of GTT',
      'GTT is not a valid API value (SDK)',
      400,
      'invalid_parameters',
      { time_in_force: 'GTT' },
    ],
    ['three decimals of a count', 'counts to 0.01', 400, 'invalid_parameters', { count: '1.000' }],
    ['a count with a sign', 'string, 0-2 decimals (SDK)', 400, 'invalid_parameters', { count: '+1.00' }],
    ['a count with a space', 'string, 0-2 decimals (SDK)', 400, 'invalid_parameters', { count: ' 1.00' }],
    ['a count in powers', 'string, 0-2 decimals (SDK)', 400, 'invalid_parameters', { count: '1e2' }],
    ['five decimals of a price', 'prices of 2-4 decimals', 400, 'invalid_price', { price: '0.02000' }],
    ['a price in cents', 'YES dollars', 400, 'invalid_price', { price: '50' }],
    ['a negative price', 'off the grid is invalid_price', 400, 'invalid_price', { price: '-0.0200' }],
    [
      'a FOK that expires',
      'expiration_time GTC only',
      400,
      'invalid_parameters',
      () => ({
        ...{ method: 'POST', path: ORDERS },
        body: order({ time_in_force: 'fill_or_kill', expiration_time: 4_000_000_000 }),
      }),
    ],
    ['an id with a dot', 'letters, digits, - and _', 400, 'invalid_parameters', { client_order_id: 'a.b' }],
    [
      'a market in small letters',
      '404 not_found',
      404,
      'not_found',
      () => ({
        ...{ method: 'POST', path: ORDERS },
        body: order({ ticker: ticker.toLowerCase() }),
      }),
    ],
    ["another shard than the market's", '404 not_found', 404, 'not_found', { exchange_index: 2 }],
    [
      'an id that was used',
      'permanent per account',
      409,
      'order_already_exists',
      async () => {
        const used = { ...now, client_order_id: 'used' }
        await create(used)
        return { method: 'POST', path: ORDERS, body: order({ ...used, subaccount: 1 }) }
      },
    ],
    // Section 4: reads.
    ['a page of 201 events', 'events: limit up to 200', 400, 'msg', list('/events?limit=201')],
    ['a page of 1001 markets', 'over 1000 is 400, shape 3', 400, 'msg', list('/markets?limit=1001')],
    ['a page of none', 'markets: limit 1-1000', 400, 'msg', list('/markets?limit=0')],
    ['the status active', 'filter word open, body status active', 400, 'msg', list('/markets?status=active')],
    [
      'eleven events',
      'at most 10 (SDK)',
      400,
      'msg',
      list(`/portfolio/orders?event_ticker=${'A,'.repeat(10)}A`),
    ],
    [
      'another filter',
      'position, total_traded (SDK)',
      400,
      'msg',
      list('/portfolio/positions?count_filter=side'),
    ],
    ['an unknown market', '404 not_found', 404, 'not_found', list('/markets/NOPE')],
    ['an unknown event', '404 not_found', 404, 'not_found', list('/events/NOPE')],
    ['an unknown series', '404 not_found', 404, 'not_found', list('/series/NOPE')],
    ['an unknown order', '404 not_found', 404, 'not_found', list('/portfolio/orders/nope')],
    // Section 4: order groups.
    ['a limit in text', 'contracts_limit number (SDK)', 400, 'bad_request', group({ contracts_limit: '5' })],
    ['half a contract', 'whole contracts only (SDK)', 400, 'bad_request', group({ contracts_limit: 1.5 })],
    ['a numeric fp', 'contracts_limit_fp string (SDK)', 400, 'bad_request', group({ contracts_limit_fp: 5 })],
    [
      'a group of nobody',
      '0, 1-63 (SDK)',
      400,
      'invalid_parameters',
      group({ contracts_limit: 5, subaccount: 9 }),
    ],
    ['a group that is a list', 'an object (SDK)', 400, 'bad_request', group([])],
  ])('%s: %s', async (_what, _documented, status, code, said) => {
    const asked: Call =
      typeof said === 'function' ? await said() : { method: 'POST', path: ORDERS, body: order(said) }
    const before = bench.sim.stats().orders
    const { method, body } = asked
    const answer = await (asked.headers === undefined
      ? kalshiCall(bench, method, asked.path, body)
      : call(`${bench.sim.urls.kalshiRest}${asked.path}`, {
          ...{ method, body: JSON.stringify(body), headers: asked.headers },
        }))
    const told = answer.body.error?.code ?? answer.body.code ?? Object.keys(answer.body as object)[0]
    expect([answer.status, told]).toEqual([status, code])
    expect(bench.sim.stats().orders).toBe(before)
  })

  it('nothing of a right call: a client of its own signs, counts, prices and pages so', async () => {
    const right = as(digest)()
    const { status } = await call(`${bench.sim.urls.kalshiRest}${ORDERS}`, {
      ...{ method: 'POST', body: JSON.stringify(right.body), headers: right.headers! },
    })
    expect(status).toBe(201)
    for (const fields of [{ count: '1' }, { count: '1.0' }, { price: '0.02' }, { exchange_index: -1 }]) {
      expect((await create({ ...fields, unknown_field: 1 })).status).toBe(201)
    }
    await kalshiCall(bench, 'DELETE', ORDERS)
    const { body } = await call(`${bench.sim.urls.kalshiRest}/markets?limit=1&cursor=garbage`)
    expect(body.markets).toHaveLength(1)
  })
})

describe('a subaccount', () => {
  const money = async (): Promise<Record<string, number>> => {
    const { body } = await kalshiCall(bench, 'GET', '/portfolio/subaccounts/balances')
    const entries = body.subaccount_balances.map((each: Json) => [
      `${each.subaccount_number}/${each.exchange_index}`,
      Number(each.balance),
    ])
    return Object.fromEntries(entries)
  }
  const listed = async (what: string, of: number | undefined): Promise<Json[]> => {
    const query = of === undefined ? '' : `&subaccount=${of}`
    const { body } = await kalshiCall(bench, 'GET', `/portfolio/${what}?ticker=${ticker}${query}`)
    return body[what === 'positions' ? 'market_positions' : what]
  }
  const transfer = (fields: Json): Promise<Answer> =>
    kalshiCall(bench, 'POST', '/portfolio/subaccounts/transfer', {
      ...{ client_transfer_id: 'move', from_subaccount: 0, to_subaccount: 2, amount_cents: 1000 },
      ...{ exchange_index: 3 },
      ...fields,
    })

  it('trades for its own money and position through the real gateway, deaf to what another does', async () => {
    const { kalshiRest: baseUrl, kalshiWs: wsUrl } = bench.sim.urls
    const credentials = { keyId: bench.trade.id, privateKey: createPrivateKey(bench.trade.pem) }
    const alarms: TradingAlarm[] = []
    const notices: string[] = []
    const gateway = new KalshiGateway({
      ...{ baseUrl, wsUrl, credentials, clock: systemClock, keepWarmMs: 0, subaccount: 1, cacheMs: 0 },
      orderGroup: { contractsLimit: 1000, isRequired: true },
      onNotice: (_level, text) => notices.push(text),
    })
    const catalog = new KalshiCatalog({ baseUrl })
    try {
      const { markets } = await catalog.openMarkets('nba', new AbortController().signal)
      const found = markets.find(({ marketId }) => marketId === ticker)!
      await gateway.warm()
      const nothing = { positions: new Map(), markets: [ticker], accepted: new Map(), isOurs: () => false }
      gateway.watch(nothing, (alarm) => alarms.push(alarm))
      const before = { money: await money(), primary: await listed('positions', 0) }
      expect(await listed('positions', 1)).toEqual([])
      const ids = { orderId: 'sub-1', signalId: 's', leg: 0, attempt: 0, signalMs: 1 }
      const terms = { outcome: 'yes', side: 'buy', limitE4: 9900, sizeE2: 300 } as const
      const request = { ...ids, ...terms, venue: 'kalshi', marketId: ticker } as const
      const prepared = gateway.prepare(request, { ...found, kind: 'moneyline' })
      expect(JSON.parse(prepared.body)).toMatchObject({ subaccount: 1, order_group_id: expect.any(String) })
      const outcome = await gateway.send(
        prepared,
        () => undefined,
        () => true,
      )
      if (outcome.kind !== 'filled') throw new Error(JSON.stringify(outcome))
      expect(await gateway.query(prepared)).toMatchObject({ kind: 'filled', filledE6: 3_000_000 })

      const after = await money()
      expect({ ...after, '1/3': 0 }).toEqual({ ...before.money, '1/3': 0 })
      expect(after['1/3']).toBeLessThan(before.money['1/3']! - 0.03)
      expect(await listed('positions', 1)).toMatchObject([{ ticker, position_fp: '3.00' }])
      expect(await listed('positions', 0)).toEqual(before.primary)
      const fills = await until(async () => {
        const all = await listed('fills', 1)
        return all.length > 0 && all
      }, 'the fills')
      expect(new Set(fills.map((fill) => fill.subaccount_number))).toEqual(new Set([1]))
      const told = (type: string) => own.frames.filter((frame) => frame.type === type).at(-1).msg
      expect(told('fill')).toMatchObject({
        client_order_id: 'sub-1',
        subaccount: 1,
        post_position_fp: '3.00',
      })
      expect(told('user_order')).toMatchObject({ client_order_id: 'sub-1', subaccount_number: 1 })
      expect(told('market_position')).toMatchObject({ subaccount: 1, position_fp: '3.00' })

      const now = { price: '0.9900', time_in_force: 'immediate_or_cancel' }
      const foreign = () => alarms.filter(({ kind }) => kind === 'fill').map(({ text }) => text)
      // By hand: what the gateway must hear of is on its own subaccount, before and after what it must not.
      await create({ ...now, subaccount: 1, count: '0.01' })
      await until(() => foreign().length === 1, 'the first alarm')
      const { body } = await create({ ...now, count: '2.00' })
      expect(body.fill_count).toBe('2.00')
      await create({ ...now, subaccount: 1, count: '0.02' })
      await until(() => foreign().length >= 2, 'the second alarm')
      expect(foreign()).toEqual([
        expect.stringContaining(' of 0.010000 in '),
        expect.stringContaining(' of 0.020000 in '),
      ])
      expect((await money())['0/3']).toBeLessThan(after['0/3']!)
      await until(async () => (await listed('orders', 0))[0]?.order_id === body.order_id, 'the list')
      const own1 = (await listed('orders', 1)).map((each) => each.client_order_id)
      expect([own1.at(-1), own1.includes(body.client_order_id)]).toEqual(['sub-1', false])
      const all = (await listed('orders', undefined)).map((each) => each.client_order_id)
      expect(all).toEqual(expect.arrayContaining(['sub-1', body.client_order_id]))
      expect(notices).toEqual([])
    } finally {
      await gateway.close()
      await catalog.close()
    }
  })

  it('finds nothing of another: neither order to cancel, group, nor position to reduce', async () => {
    const { body } = await create({ subaccount: 1 })
    expect((await cancel(body.order_id)).status).toBe(404)
    await kalshiCall(bench, 'DELETE', '/portfolio/events/orders')
    const reduces = { side: 'ask', price: '0.0100', time_in_force: 'immediate_or_cancel', reduce_only: true }
    expect((await create({ ...reduces, subaccount: 2 })).body.error?.code).toBe('invalid_parameters')
    const sold = await create({ ...reduces, subaccount: 1, count: '9.00' })
    expect(sold.body.fill_count).toBe('3.03')
    expect((await cancel(body.order_id, `?market_ticker=${ticker}&subaccount=1`)).status).toBe(200)
    const group = await kalshiCall(bench, 'POST', '/portfolio/order_groups/create', {
      ...{ contracts_limit: 5, exchange_index: 3, subaccount: 1 },
    })
    expect(group.body.subaccount).toBe(1)
    const path = `/portfolio/order_groups/${group.body.order_group_id}`
    expect((await create({ order_group_id: group.body.order_group_id })).status).toBe(404)
    expect((await kalshiCall(bench, 'GET', `${path}?subaccount=0`)).status).toBe(404)
    expect((await kalshiCall(bench, 'DELETE', `${path}?exchange_index=3`)).status).toBe(404)
    expect((await kalshiCall(bench, 'DELETE', `${path}?exchange_index=3&subaccount=1`)).status).toBe(200)
  })

  it('is opened without money, and gets it by a transfer, once', async () => {
    const opened = await kalshiCall(bench, 'POST', '/portfolio/subaccounts', {})
    expect(opened).toEqual({ status: 201, body: { subaccount_number: 2 } })
    const poor = await create({ subaccount: 2 })
    expect([poor.status, poor.body.error.code]).toEqual([400, 'insufficient_balance'])
    const before = await money()
    for (const _ of [1, 2]) expect(await transfer({})).toEqual({ status: 200, body: {} })
    const after = await money()
    expect(after).toEqual({ ...before, '0/3': after['0/3'], '2/3': 10 })
    expect(before['0/3']! - after['0/3']!).toBeCloseTo(10, 6)
    expect((await create({ subaccount: 2 })).status).toBe(201)
    const { body } = await kalshiCall(bench, 'GET', '/portfolio/subaccounts/transfers')
    expect(body.transfers).toMatchObject([{ from_subaccount: 0, to_subaccount: 2, amount_cents: 1000 }])
  })

  it.each([
    ['no id', { client_transfer_id: '' }, 'missing_parameters'],
    ['no source', { from_subaccount: null }, 'missing_parameters'],
    ['an amount in text', { amount_cents: '1' }, 'bad_request'],
    ['half a cent', { amount_cents: 0.5 }, 'bad_request'],
    ['an amount of zero', { amount_cents: 0 }, 'invalid_parameters'],
    ['an unknown subaccount', { to_subaccount: 63 }, 'invalid_parameters'],
    ['an unknown shard', { exchange_index: 1 }, 'invalid_parameters'],
    ['more than there is', { amount_cents: 1e9 }, 'insufficient_balance'],
  ])('takes no transfer of %s', async (what, fields, code) => {
    const { status, body } = await transfer({ client_transfer_id: what, ...fields })
    expect([status, body.code ?? body.error.code]).toEqual([400, code])
  })
})
