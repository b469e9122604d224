/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return -- foreign JSON, asserted by field */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/lib/core/clock.js'
import {
  bookHash,
  connect,
  newOrder,
  postOrder,
  signOrder,
  startBench,
  until,
  type Answer,
  type Bench,
  type Connection,
  type Json,
  type OrderFields,
  type PostOptions,
} from './harness.js'
import { bookOf, eventsOf, limit, marketsOf, signed, type Market } from './polymarket-client.js'

/** Scenario makers stand still while this runs, and nothing waits. */
const STILL = {
  seed: 3,
  speed: 0.001,
  polyPace: { secondsDelay: 0, visibleMs: 0.4, minedMs: 0.1, confirmedMs: 0.2 },
}
const e6 = (value: unknown): number => Math.round(Number(value) * 1e6)

describe('orders that rest', () => {
  let bench: Bench
  let market: Market
  let feed: Connection
  let yes: string
  let no: string
  /** Inside the spread of YES, on the tick. */
  let middle: number
  beforeAll(async () => {
    bench = await startBench(STILL)
    market = (await marketsOf(bench)).find(({ tick, negRisk }) => tick === 0.001 && !negRisk)!
    ;[yes, no] = market.tokens
    feed = await connect(bench.sim.urls.polyWs)
    feed.send({ assets_ids: [yes], type: 'market', custom_feature_enabled: true })
    await until(() => eventsOf(feed).length > 0, 'the dump')
    const { bids, asks } = await bookOf(bench, yes)
    middle = Math.round(((Number(bids.at(-1).price) + Number(asks.at(-1).price)) / 2) * 1000) / 1000
    expect(Number(asks.at(-1).price) - Number(bids.at(-1).price)).toBeGreaterThan(0.005)
  })
  afterAll(async () => {
    feed.close()
    await bench.close()
  })

  const post = (order: OrderFields, options: PostOptions = {}): Promise<Answer> =>
    postOrder(bench, order, { orderType: 'GTC', ...options })
  const place = async (
    token: string,
    side: 'BUY' | 'SELL',
    price: number,
    shares: number,
  ): Promise<string> => {
    const { body } = await post(limit(bench, token, side, price, shares))
    expect(body).toMatchObject({
      success: true,
      errorMsg: '',
      status: 'live',
      makingAmount: '',
      tradeIDs: [],
    })
    return body.orderID
  }
  const sizeAt = async (token: string, side: 'bids' | 'asks', price: number): Promise<string | undefined> =>
    (await bookOf(bench, token))[side].find((level: Json) => Number(level.price) === price)?.size
  const cash = async (): Promise<number> =>
    Number((await signed(bench, 'GET', '/balance-allowance?asset_type=COLLATERAL')).body.balance)
  const shares = async (token: string): Promise<number> => {
    const path = `/balance-allowance?asset_type=CONDITIONAL&token_id=${token}`
    return Number((await signed(bench, 'GET', path)).body.balance)
  }
  const cancel = (id: string) => signed(bench, 'DELETE', '/order', { orderID: id })
  const tradesOf = async (id: string): Promise<Json[]> =>
    (await signed(bench, 'GET', '/data/trades')).body.data.filter(
      ({ taker_order_id: taker }: Json) => taker === id,
    )

  it('stand in both books, are told with hashes, and bind money until they are canceled', async () => {
    const id = await place(no, 'BUY', 0.2, 10)
    expect(await sizeAt(no, 'bids', 0.2)).toBe('10')
    expect(await sizeAt(yes, 'asks', 0.8)).toBe('10')
    const told = await until<Json>(
      () => eventsOf(feed).find(({ event_type: type }) => type === 'price_change'),
      'the change',
    )
    expect(told.price_changes).toMatchObject([
      { asset_id: yes, price: '0.8', size: '10', side: 'SELL' },
      { asset_id: no, price: '0.2', size: '10', side: 'BUY' },
    ])
    const [a, b] = await Promise.all([bookOf(bench, yes), bookOf(bench, no)])
    expect(told.price_changes.map(({ hash }: Json) => hash)).toEqual([a.hash, b.hash])
    expect(bookHash(a)).toBe(a.hash)
    const open = { status: 'LIVE', original_size: '10', size_matched: '0', price: '0.2', order_type: 'GTC' }
    expect((await signed(bench, 'GET', `/data/order/${id}`)).body).toMatchObject({ id, ...open })
    const listed = await signed(bench, 'GET', `/data/orders?asset_id=${no}`)
    expect(listed.body.data).toMatchObject([{ id, ...open }])

    const all = (await cash()) / 1e6
    const tooMuch = await post(limit(bench, no, 'BUY', 0.1, Math.floor((all - 1) * 10)))
    expect(tooMuch.body).toEqual({ error: 'not enough balance / allowance' })
    expect((await cancel(id)).body).toEqual({ canceled: [id], not_canceled: {} })
    expect(await sizeAt(no, 'bids', 0.2)).toBeUndefined()
    expect((await cancel(id)).body).toEqual({
      canceled: [],
      not_canceled: { [id]: 'already canceled or matched' },
    })
    expect((await signed(bench, 'GET', `/data/order/${id}`)).body).toBeNull()
    const free = await post(limit(bench, no, 'BUY', 0.1, Math.floor((all - 1) * 10)))
    expect((await cancel(String(free.body.orderID))).body.canceled).toHaveLength(1)
  })

  it('of two tokens meet: two buys mint a pair for a dollar, two sells merge one', async () => {
    const before = [await cash(), await shares(yes), await shares(no)] as const
    await place(no, 'BUY', 1 - middle, 20)
    const taker = await post(limit(bench, yes, 'BUY', middle, 20))
    expect(taker.body).toMatchObject({
      status: 'matched',
      makingAmount: String(middle * 20),
      takingAmount: '20',
    })
    // Reads lag behind.
    expect(await tradesOf(String(taker.body.orderID))).toEqual([])
    const [minted] = await until(async () => {
      const found = await tradesOf(String(taker.body.orderID))
      return found.length > 0 && found
    }, 'the trade')
    expect(minted).toMatchObject({ asset_id: yes, side: 'BUY', size: '20', trader_side: 'TAKER' })
    expect(minted.maker_orders).toMatchObject([{ asset_id: no, side: 'BUY', matched_amount: '20' }])
    expect(Number(minted.price) + Number(minted.maker_orders[0].price)).toBeCloseTo(1, 9)
    const feeOf = (size: number) => Math.round(0.05 * size * middle * (1 - middle) * 1e5) * 10
    expect(await cash()).toBe(before[0] - 20_000_000 - feeOf(20))
    expect([await shares(yes), await shares(no)]).toEqual([before[1] + e6(20), before[2] + e6(20)])

    await until(
      async () => (await tradesOf(minted.taker_order_id))[0]?.status === 'CONFIRMED',
      'confirmation',
    )
    await place(yes, 'SELL', middle, 10)
    const seller = await post(limit(bench, no, 'SELL', 1 - middle, 10), { orderType: 'FAK' })
    expect(seller.body).toMatchObject({ status: 'matched', makingAmount: '10' })
    expect(await cash()).toBe(before[0] - 10_000_000 - feeOf(20) - feeOf(10))
    expect([await shares(yes), await shares(no)]).toEqual([before[1] + e6(10), before[2] + e6(10)])
  })

  it('at one price are filled in the order in which they came, and a part is told as a part', async () => {
    const first = await place(no, 'BUY', 1 - middle, 6)
    const second = await place(no, 'BUY', 1 - middle, 6)
    const taker = await post(limit(bench, yes, 'BUY', middle, 8))
    expect(taker.body).toMatchObject({ status: 'matched', takingAmount: '8' })
    const matched = async (id: string) => (await signed(bench, 'GET', `/data/order/${id}`)).body?.size_matched
    expect([await matched(first), await matched(second)]).toEqual([undefined, '2'])
    // What a limit order does not get rests.
    const rest = await post(limit(bench, yes, 'BUY', middle, 9))
    expect(rest.body).toMatchObject({ status: 'matched', takingAmount: '4' })
    expect(await sizeAt(yes, 'bids', middle)).toBe('5')
    const all = await signed(bench, 'DELETE', '/cancel-market-orders', { market: market.conditionId })
    expect(all.body.canceled).toEqual([rest.body.orderID])
    expect(await sizeAt(yes, 'bids', middle)).toBeUndefined()
  })

  it('that are post-only never take, and good-till-date ones live for a minute at least', async () => {
    const ask = Number((await bookOf(bench, yes)).asks.at(-1).price)
    const crossing = await post(limit(bench, yes, 'BUY', ask, 6), { extra: { postOnly: true } })
    expect(crossing).toEqual({ status: 400, body: { error: 'invalid post-only order: order crosses book' } })
    const till = (seconds: number) => ({
      ...limit(bench, yes, 'BUY', middle, 6),
      expiration: String(Math.floor(Date.now() / 1000) + seconds),
    })
    for (const order of [till(-10), till(30), { ...till(0), expiration: '0' }]) {
      const late = await post(order, { orderType: 'GTD' })
      expect(late).toEqual({ status: 400, body: { error: 'invalid expiration' } })
    }
    const good = await post(till(62), { orderType: 'GTD', extra: { postOnly: true } })
    expect(good.body.status).toBe('live')
    await until(() => sizeAt(yes, 'bids', middle).then((size) => size === undefined), 'its end')
  })

  it('come in batches of 15, each answered for itself, and go in one call', async () => {
    const bodyOf = (order: OrderFields) => ({
      order: {
        ...order,
        signature: signOrder(order, '0xE111180000d2663C0091e4f400237545B87B996B', bench.wallet.private_key),
      },
      owner: bench.wallet.api_key,
      orderType: 'GTC',
      deferExec: false,
    })
    const good = [0.05, 0.06].map((price) => bodyOf(limit(bench, yes, 'BUY', price, 10)))
    const bad = bodyOf(limit(bench, yes, 'BUY', 0.05, 2))
    const { body } = await signed(bench, 'POST', '/orders', [good[0], bad, good[1]])
    expect(body).toMatchObject([
      { success: true, status: 'live', errorMsg: '' },
      { success: true, orderID: '', errorMsg: expect.stringMatching(/lower than the minimum: 5$/) },
      { success: true, status: 'live' },
    ])
    const many = Array.from({ length: 16 }, () => bodyOf(newOrder(bench.wallet, { tokenId: yes })))
    expect(await signed(bench, 'POST', '/orders', many)).toEqual({
      status: 400,
      body: { error: 'Too many orders in payload: 16, max allowed: 15' },
    })
    const ids = [body[0].orderID, body[2].orderID]
    expect((await signed(bench, 'DELETE', '/orders', [ids[0]])).body.canceled).toEqual([ids[0]])
    expect((await signed(bench, 'DELETE', '/cancel-all')).body.canceled).toEqual([ids[1]])
    const tooMany = Array.from({ length: 1001 }, () => ids[0])
    expect((await signed(bench, 'DELETE', '/orders', tooMany)).body.error).toMatch(/max allowed: 1000/)
    expect((await signed(bench, 'DELETE', '/order', { orderID: '7' })).body.error).toBe('Invalid orderID')
  })
})

describe('a game that begins', () => {
  it("finds nobody's order from before: the book is cleared", async () => {
    let jumpedUs = 0
    const clock = { ...systemClock, monoUs: () => systemClock.monoUs() + jumpedUs }
    const bench = await startBench({ seed: 3, clock })
    try {
      const feed = await connect(bench.sim.urls.polyWs)
      feed.send({ assets_ids: ['0'], type: 'market', custom_feature_enabled: true })
      // The first game ends after a minute; the next one is listed ten seconds before it starts.
      jumpedUs += 60e6
      const fresh = await until<Json>(() => {
        const found = eventsOf(feed).find(({ event_type: type }) => type === 'new_market')
        if (found === undefined) jumpedUs += 1e6
        return found
      }, 'a new game')
      const [token] = fresh.clob_token_ids
      const { negRisk } = (await marketsOf(bench)).find(({ tokens }) => tokens[0] === token)!
      const order = limit(bench, token, 'BUY', 0.01, 10)
      const { body } = await postOrder(bench, order, { orderType: 'GTC', negRisk })
      expect(body.status).toBe('live')
      const path = `/data/order/${String(body.orderID)}`
      expect((await signed(bench, 'GET', path)).body).toMatchObject({ status: 'LIVE' })
      jumpedUs += 12e6
      await until(async () => (await signed(bench, 'GET', path)).body === null, 'the start')
      feed.close()
    } finally {
      await bench.close()
    }
  })
})
