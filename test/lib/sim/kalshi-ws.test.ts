/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return -- foreign JSON, asserted by field */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/lib/core/clock.js'
import {
  call,
  connect,
  kalshiCall,
  kalshiHeaders,
  kalshiSocket,
  refusedUpgrade,
  startBench,
  until,
  type Bench,
  type Connection,
  type Json,
} from './harness.js'

let bench: Bench
let tickers: string[]
const connections: Connection[] = []

beforeAll(async () => {
  bench = await startBench({ speed: 2 })
  const { body } = await call(`${bench.sim.urls.kalshiRest}/markets?status=open`)
  tickers = body.markets.map(({ ticker }: Json) => ticker)
})
afterAll(async () => {
  for (const connection of connections) connection.close()
  await bench.close()
})

async function open(): Promise<Connection> {
  const connection = await kalshiSocket(bench)
  connections.push(connection)
  return connection
}

const PATH = '/trade-api/ws/v2'
type Book = Map<string, number>
const cents = (text: string) => Math.round(Number(text) * 100)

/** The slow fold: recomputes every book from the frames of one sid, from the start. */
function fold(frames: readonly Json[], sid: number): Map<string, { yes: Book; no: Book }> {
  const books = new Map<string, { yes: Book; no: Book }>()
  for (const { type, sid: own, msg } of frames) {
    if (own !== sid) continue
    if (type === 'orderbook_snapshot') {
      const side = (levels: [string, string][] = []) =>
        new Map(levels.map(([price, size]) => [price, cents(size)] as const))
      books.set(msg.market_ticker, { yes: side(msg.yes_dollars_fp), no: side(msg.no_dollars_fp) })
    }
    if (type === 'orderbook_delta') {
      const side: Book = (books.get(msg.market_ticker) as Json)[msg.side]
      const size = (side.get(msg.price_dollars) ?? 0) + cents(msg.delta_fp)
      if (size < 0) throw new Error(`negative size at ${msg.price_dollars}`)
      if (size === 0) side.delete(msg.price_dollars)
      else side.set(msg.price_dollars, size)
    }
  }
  return books
}

const sorted = (side: Book) => [...side].sort(([a], [b]) => Number(a) - Number(b))
const restSide = (levels: [string, string][]) => levels.map(([price, size]) => [price, cents(size)])

describe('the signed handshake', () => {
  it('accepts a signature within the window and pings with the payload heartbeat', async () => {
    const connection = await kalshiSocket(bench)
    connections.push(connection)
    const late = await connect(
      bench.sim.urls.kalshiWs,
      kalshiHeaders(bench.read, 'GET', PATH, Date.now() - 5000),
    )
    late.close()
    await until(() => connection.pings.includes('heartbeat'), 'the server ping', 12_000)
  })

  it.each([
    ['no headers', () => ({}), 'signature_is_missing_from_headers', undefined],
    [
      'a stale timestamp',
      () => kalshiHeaders(bench.read, 'GET', PATH, Date.now() - 11_000),
      'header_timestamp_expired',
      undefined,
    ],
    [
      'a timestamp ahead',
      () => kalshiHeaders(bench.read, 'GET', PATH, Date.now() + 30_000),
      'header_timestamp_expired',
      undefined,
    ],
    [
      'another path signed',
      () => kalshiHeaders(bench.read, 'GET', '/trade-api/v2'),
      'authentication_error',
      'INCORRECT_API_KEY_SIGNATURE',
    ],
    [
      'another method signed',
      () => kalshiHeaders(bench.read, 'POST', PATH),
      'authentication_error',
      'INCORRECT_API_KEY_SIGNATURE',
    ],
    [
      "another key's signature",
      () => kalshiHeaders({ id: bench.read.id, pem: bench.trade.pem }, 'GET', PATH),
      'authentication_error',
      'INCORRECT_API_KEY_SIGNATURE',
    ],
    [
      'an unknown key',
      () => kalshiHeaders({ id: 'nobody', pem: bench.read.pem }, 'GET', PATH),
      'authentication_error',
      'NOT_FOUND',
    ],
  ])('refuses %s with 401', async (_what, headers, code, details) => {
    const answer = await refusedUpgrade(bench.sim.urls.kalshiWs, headers())
    expect(answer.status).toBe(401)
    expect(answer.body.error.code).toBe(code)
    expect(answer.body.error.details).toBe(details)
  })

  it('has no other socket', async () => {
    const url = bench.sim.urls.kalshiWs.replace('/ws/v2', '/ws/v1')
    const answer = await refusedUpgrade(url, kalshiHeaders(bench.read, 'GET', '/trade-api/ws/v1'))
    expect(answer.status).toBe(404)
  })
})

describe('commands', () => {
  it.each([
    ['not JSON', '{', 1],
    ['not an object', '[1]', 1],
    ['an unknown command', { id: 1, cmd: 'dance', params: {} }, 5],
    ['no params', { id: 1, cmd: 'subscribe' }, 2],
    ['no channels', { id: 1, cmd: 'subscribe', params: {} }, 3],
    ['an empty list of channels', { id: 1, cmd: 'subscribe', params: { channels: [] } }, 3],
    ['an unknown channel', { id: 1, cmd: 'subscribe', params: { channels: ['ticker_v2'] } }, 8],
    ['a book without tickers', { id: 1, cmd: 'subscribe', params: { channels: ['orderbook_delta'] } }, 14],
    [
      'one and many tickers',
      { id: 1, cmd: 'subscribe', params: { channels: ['trade'], market_ticker: 'A', market_tickers: ['B'] } },
      11,
    ],
    [
      'an unknown ticker',
      { id: 1, cmd: 'subscribe', params: { channels: ['trade'], market_tickers: ['NOPE'] } },
      11,
    ],
    [
      'a lifecycle filter',
      { id: 1, cmd: 'subscribe', params: { channels: ['market_lifecycle_v2'], market_tickers: ['A'] } },
      11,
    ],
    [
      'prices without index ids',
      { id: 1, cmd: 'subscribe', params: { channels: ['cfbenchmarks_value'] } },
      24,
    ],
    ['an unknown sid', { id: 1, cmd: 'unsubscribe', params: { sids: [99] } }, 7],
    ['no sids', { id: 1, cmd: 'unsubscribe', params: {} }, 4],
    [
      'two sids',
      {
        id: 1,
        cmd: 'update_subscription',
        params: { sids: [1, 2], action: 'add_markets', market_tickers: ['A'] },
      },
      12,
    ],
    [
      'no sid',
      { id: 1, cmd: 'update_subscription', params: { action: 'add_markets', market_tickers: ['A'] } },
      4,
    ],
    ['no action', { id: 1, cmd: 'update_subscription', params: { sid: 1, market_tickers: ['A'] } }, 15],
    [
      'an unsupported action',
      { id: 1, cmd: 'update_subscription', params: { sid: 1, action: 'explode', market_tickers: ['A'] } },
      13,
    ],
    [
      'an update without tickers',
      { id: 1, cmd: 'update_subscription', params: { sid: 1, action: 'add_markets' } },
      14,
    ],
    [
      'an update of an unknown sid',
      {
        id: 1,
        cmd: 'update_subscription',
        params: { sid: 77, action: 'add_markets', market_tickers: ['A'] },
      },
      7,
    ],
    ['channels in a text', { id: 1, cmd: 'subscribe', params: { channels: 'trade' } }, 11],
    ['one unknown channel of two', { id: 1, cmd: 'subscribe', params: { channels: ['trade', 'x'] } }, 8],
    ['a flag in text', { id: 1, cmd: 'subscribe', params: { channels: ['fill'], use_yes_price: 'no' } }, 11],
    ['markets by id', { id: 1, cmd: 'subscribe', params: { channels: ['trade'], market_ids: ['x'] } }, 11],
    ['prices without tickers', { id: 1, cmd: 'subscribe', params: { channels: ['pyth_value'] } }, 28],
    ['sids in text', { id: 1, cmd: 'unsubscribe', params: { sids: ['1'] } }, 11],
    ['a sid and sids', { id: 1, cmd: 'update_subscription', params: { sid: 1, sids: [1] } }, 12],
    ['no command', { id: 1, params: {} }, 5],
    ['a command that is a number', { id: 1, cmd: 5 }, 5],
    ['params that are a list', { id: 1, cmd: 'subscribe', params: ['trade'] }, 2],
    ['null channels', { id: 1, cmd: 'subscribe', params: { channels: null } }, 3],
    ['a numeric channel', { id: 1, cmd: 'subscribe', params: { channels: [1] } }, 11],
    ['a retired channel', { id: 1, cmd: 'subscribe', params: { channels: ['multivariate'] } }, 8],
    ['a numeric ticker', { id: 1, cmd: 'subscribe', params: { channels: ['trade'], market_ticker: 7 } }, 11],
    [
      'a book of no market',
      { id: 1, cmd: 'subscribe', params: { channels: ['orderbook_delta'], market_tickers: [] } },
      14,
    ],
    ['a sid in text', { id: 1, cmd: 'update_subscription', params: { sid: '1', action: 'add_markets' } }, 11],
    ['a numeric action', { id: 1, cmd: 'update_subscription', params: { sid: 1, action: 1 } }, 13],
    ['a null list of sids', { id: 1, cmd: 'unsubscribe', params: { sids: null } }, 4],
    ['an empty list of sids', { id: 1, cmd: 'update_subscription', params: { sids: [] } }, 4],
  ])('answers %s with an error code', async (_what, command, code) => {
    const connection = await open()
    connection.send(command)
    const error = await connection.next(({ type }) => type === 'error', 'an error')
    expect(error.msg.code).toBe(code)
    expect(typeof error.msg.msg).toBe('string')
    expect(error.id).toBe(typeof command === 'string' ? undefined : 1)
    expect(error.seq).toBeUndefined()
    connection.close()
  })

  it('takes 10,000 commands a second and no more', async () => {
    // Its clock stands: none comes back, however slow the machine is.
    const nowMs = Date.now()
    const still = await startBench({ speed: 1, clock: { ...systemClock, nowMs: () => nowMs } })
    try {
      const connection = await kalshiSocket(still)
      for (let id = 1; id <= 10_001; id++) connection.send(`{"id":${id},"cmd":"dance"}`)
      const last = await connection.next(({ id }) => id === 10_001, 'the last answer')
      expect(last.msg).toEqual({ code: 27, msg: expect.any(String) })
      expect(connection.frames.filter(({ msg }) => msg.code === 5)).toHaveLength(10_000)
      connection.close()
    } finally {
      await still.close()
    }
  })

  it('gives one sid per channel, snapshots before deltas, and one sequence over all markets', async () => {
    const connection = await open()
    const some = tickers.slice(0, 4)
    connection.send({
      id: 1,
      cmd: 'subscribe',
      params: {
        channels: ['orderbook_delta', 'ticker', 'trade'],
        market_tickers: some,
        use_yes_price: false,
      },
    })
    await until(
      () => connection.frames.filter(({ type }) => type === 'orderbook_delta').length > 20,
      'deltas',
    )
    expect(connection.frames.slice(0, 3)).toEqual([
      { type: 'subscribed', id: 1, msg: { channel: 'orderbook_delta', sid: 1 } },
      { type: 'subscribed', id: 1, msg: { channel: 'ticker', sid: 2 } },
      { type: 'subscribed', id: 1, msg: { channel: 'trade', sid: 3 } },
    ])
    const book = connection.frames.filter(({ sid }) => sid === 1)
    expect(book.slice(0, 4).map(({ type }) => type)).toEqual(Array(4).fill('orderbook_snapshot'))
    expect(book.map(({ seq }) => seq)).toEqual(book.map((_, index) => index + 1))
    const ticker = connection.frames.find(({ type }) => type === 'ticker')
    expect(ticker).toMatchObject({ sid: 2, msg: { yes_bid_dollars: expect.stringMatching(/^\d\.\d{4}$/) } })
    expect(ticker.seq).toBeUndefined()
    const delta = book.find(({ type }) => type === 'orderbook_delta')
    expect(delta.msg).toEqual({
      market_ticker: expect.any(String),
      market_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      price_dollars: expect.stringMatching(/^0\.\d{4}$/),
      delta_fp: expect.stringMatching(/^-?\d+\.\d\d$/),
      side: expect.stringMatching(/^(yes|no)$/),
      ts: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      ts_ms: expect.any(Number),
    })
    connection.close()
  })

  it('adds, deletes and snapshots markets, its replies consuming sequence numbers', async () => {
    const connection = await open()
    const [a, b, c] = tickers as [string, string, string]
    connection.send({
      id: 1,
      cmd: 'subscribe',
      params: { channels: ['orderbook_delta'], market_ticker: a, use_yes_price: false },
    })
    await connection.next(({ type }) => type === 'orderbook_snapshot', 'the first snapshot')
    connection.send({
      id: 2,
      cmd: 'update_subscription',
      params: { sids: [1], action: 'add_markets', market_tickers: [b, c] },
    })
    const added = await connection.next(({ id }) => id === 2, 'the ok of add_markets')
    expect(added).toMatchObject({
      type: 'ok',
      sid: 1,
      seq: expect.any(Number),
      msg: { market_tickers: [a, b, c] },
    })
    await until(
      () => connection.frames.filter(({ type }) => type === 'orderbook_snapshot').length === 3,
      'two more snapshots',
    )
    connection.send({
      id: 3,
      cmd: 'update_subscription',
      params: { sid: 1, action: 'delete_markets', market_tickers: [b] },
    })
    const removed = await connection.next(({ id }) => id === 3, 'the ok of delete_markets')
    expect(removed.msg.market_tickers).toEqual([a, c])
    connection.send({
      id: 4,
      cmd: 'update_subscription',
      params: { sids: [1], action: 'get_snapshot', market_tickers: [a] },
    })
    const snapshot = await connection.next(
      ({ id, type }) => id === 4 && type === 'orderbook_snapshot',
      'a snapshot on request',
    )
    expect(snapshot.msg.market_ticker).toBe(a)
    connection.send({
      id: 8,
      cmd: 'update_subscription',
      params: { sids: [1], action: 'get_snapshot', market_tickers: [a, b] },
    })
    const stranger = await connection.next(({ id }) => id === 8, 'no snapshot of a market that was deleted')
    expect(stranger).toMatchObject({ type: 'error', sid: 1, seq: expect.any(Number), msg: { code: 11 } })
    connection.send({ id: 5, cmd: 'update_subscription', params: { sid: 1, action: 'add_markets' } })
    const error = await connection.next(({ id }) => id === 5, 'an error')
    expect(error).toMatchObject({ type: 'error', sid: 1, seq: expect.any(Number), msg: { code: 14 } })
    connection.send({ id: 6, cmd: 'list_subscriptions' })
    expect(await connection.next(({ id }) => id === 6, 'the list')).toEqual({
      id: 6,
      type: 'ok',
      msg: [{ channel: 'orderbook_delta', sid: 1 }],
    })
    connection.send({ id: 7, cmd: 'unsubscribe', params: { sids: [1] } })
    expect(await connection.next(({ id }) => id === 7, 'the goodbye')).toEqual({
      id: 7,
      sid: 1,
      seq: expect.any(Number),
      type: 'unsubscribed',
    })
    const own = connection.frames.filter(({ sid }) => sid === 1)
    expect(own.map(({ seq }) => seq)).toEqual(own.map((_, index) => index + 1))
    const after = own.filter(({ seq }) => seq > removed.seq && seq < snapshot.seq)
    expect(after.every(({ msg }) => msg.market_ticker !== b)).toBe(true)
    connection.close()
  })

  it('subscribes to nothing when one of the channels is wrong, and passes over fields it does not know', async () => {
    const connection = await open()
    connection.send({ id: 1, cmd: 'subscribe', params: { channels: ['trade', 'nope'] } })
    const [one, two] = tickers as [string, string]
    const some = { market_tickers: [one], nonsense: true }
    connection.send({ id: 2, cmd: 'subscribe', params: { channels: ['trade', 'trade', 'fill'], ...some } })
    connection.send({ id: 3, cmd: 'list_subscriptions', params: 7, more: [] })
    expect((await connection.next(({ id }) => id === 3, 'the list')).msg).toEqual([
      { channel: 'trade', sid: 1 },
      { channel: 'trade', sid: 2 },
      { channel: 'fill', sid: 3 },
    ])
    const update = (id: number, sid: number, action: string) =>
      connection.send({
        id,
        cmd: 'update_subscription',
        params: { sids: [sid], action, market_tickers: [two] },
      })
    // No book, no snapshot; no filter, nothing to add to; and a channel without numbers answers without.
    update(4, 1, 'get_snapshot')
    expect((await connection.next(({ id }) => id === 4, 'an error')).msg.code).toBe(13)
    connection.send({ id: 5, cmd: 'subscribe', params: { channels: ['ticker'] } })
    update(6, 4, 'add_markets')
    expect((await connection.next(({ id }) => id === 6, 'an error')).msg.code).toBe(13)
    update(7, 3, 'add_markets')
    expect(await connection.next(({ id }) => id === 7, 'the ok')).toEqual({
      ...{ id: 7, type: 'ok', sid: 3 },
      msg: { market_tickers: [one, two] },
    })
    connection.close()
  })

  it('folds to the same book as REST, in both price conventions', async () => {
    const connection = await open()
    connection.send({
      id: 1,
      cmd: 'subscribe',
      params: { channels: ['orderbook_delta'], market_tickers: tickers, use_yes_price: false },
    })
    connection.send({
      id: 2,
      cmd: 'subscribe',
      params: { channels: ['orderbook_delta'], market_tickers: tickers, use_yes_price: true },
    })
    await until(
      () => connection.frames.filter(({ type }) => type === 'orderbook_delta').length > 200,
      '200 deltas',
    )
    const flip = (side: Book): Book =>
      new Map([...side].map(([price, size]) => [(1 - Number(price)).toFixed(4), size]))
    for (const ticker of tickers) {
      // The same moment on both sides: nothing arrived while the REST answer came.
      await until(async () => {
        const seen = connection.frames.length
        const { body } = await call(`${bench.sim.urls.kalshiRest}/markets/${ticker}/orderbook?n=${seen}`)
        if (connection.frames.length !== seen) return undefined
        const plain = fold(connection.frames, 1).get(ticker)!
        const inYes = fold(connection.frames, 2).get(ticker)!
        expect(sorted(plain.yes)).toEqual(restSide(body.orderbook_fp.yes_dollars))
        expect(sorted(plain.no)).toEqual(restSide(body.orderbook_fp.no_dollars))
        expect(sorted(flip(inYes.no))).toEqual(sorted(plain.no))
        expect(sorted(inYes.yes)).toEqual(sorted(plain.yes))
        return true
      }, `a quiet moment of ${ticker}`)
    }
    connection.close()
  })

  it('tells the owner of a fill, the order and the position', async () => {
    const connection = await kalshiSocket(bench, bench.trade)
    connection.send({
      id: 1,
      cmd: 'subscribe',
      params: { channels: ['fill', 'user_orders', 'market_positions', 'trade'] },
    })
    await connection.next(({ msg }) => msg?.channel === 'market_positions', 'subscriptions')
    const ticker = tickers[0]!
    const { body } = await kalshiCall(bench, 'POST', '/portfolio/events/orders', {
      ticker,
      side: 'bid',
      count: '3.00',
      price: '0.9900',
      time_in_force: 'immediate_or_cancel',
      self_trade_prevention_type: 'taker_at_cross',
      client_order_id: 'ws-fill-1',
    })
    expect(body.fill_count).toBe('3.00')
    const fill = await connection.next(({ type }) => type === 'fill', 'the fill')
    expect(fill.seq).toBeUndefined()
    expect(fill.msg).toMatchObject({
      order_id: body.order_id,
      client_order_id: 'ws-fill-1',
      market_ticker: ticker,
      is_taker: true,
      book_side: 'bid',
      post_position_fp: '3.00',
    })
    const order = await connection.next(({ type }) => type === 'user_order', 'the order')
    expect(order.msg).toMatchObject({ ticker, status: 'executed', fill_count_fp: '3.00' })
    const position = await connection.next(({ type }) => type === 'market_position', 'the position')
    expect(position.msg).toMatchObject({ market_ticker: ticker, position_fp: '3.00' })
    const trade = await connection.next(
      ({ type, msg }) => type === 'trade' && msg.market_ticker === ticker,
      'the print',
    )
    expect(trade).toMatchObject({ seq: expect.any(Number), msg: { taker_outcome_side: expect.any(String) } })
    connection.close()
  })
})

describe('an absent side', () => {
  it('has no key in the snapshot', async () => {
    const scoped = await startBench({ speed: 40 })
    try {
      // The first game ends within two scenario minutes; then its makers leave.
      const connection = await kalshiSocket(scoped)
      const { body } = await call(`${scoped.sim.urls.kalshiRest}/markets`)
      const ended = await until(async () => {
        const markets = (await call(`${scoped.sim.urls.kalshiRest}/markets`)).body.markets
        return markets.find(({ status }: Json) => status !== 'active')
      }, 'a closed market')
      expect(body.markets.map(({ ticker }: Json) => ticker)).toContain(ended.ticker)
      connection.send({
        id: 1,
        cmd: 'subscribe',
        params: { channels: ['orderbook_delta'], market_ticker: ended.ticker },
      })
      const snapshot = await connection.next(({ type }) => type === 'orderbook_snapshot', 'the snapshot')
      expect(Object.keys(snapshot.msg)).toEqual(['market_ticker', 'market_id'])
      const late = await kalshiCall(scoped, 'POST', '/portfolio/events/orders', {
        ...{ ticker: ended.ticker, side: 'bid', count: '1.00', price: '0.5000' },
        ...{ time_in_force: 'immediate_or_cancel', self_trade_prevention_type: 'taker_at_cross' },
      })
      expect([late.status, late.body.error?.code]).toEqual([409, 'market_closed'])
      connection.close()
    } finally {
      await scoped.close()
    }
  })
})
