/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return -- foreign JSON, asserted by field */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  addressOf,
  bookHash,
  call,
  connect,
  EXCHANGES,
  l2Headers,
  newOrder,
  orderDigest,
  polyGet,
  postOrder,
  refusedUpgrade,
  signOrder,
  startBench,
  until,
  type Bench,
  type Connection,
  type Json,
  type OrderFields,
  type PostOptions,
} from './harness.js'

interface Market {
  readonly conditionId: string
  readonly tokens: [string, string]
  readonly tick: number
  readonly negRisk: boolean
}

async function marketsOf(bench: Bench): Promise<Market[]> {
  const { body } = await call(`${bench.sim.urls.gamma}/events?tag_id=100639&closed=false`)
  return body.map(({ markets }: Json) => {
    const [market] = markets
    return {
      conditionId: market.conditionId,
      tokens: JSON.parse(market.clobTokenIds),
      tick: market.orderPriceMinTickSize,
      negRisk: market.negRisk,
    }
  })
}

const bookOf = async (bench: Bench, token: string): Promise<Json> =>
  (await call(`${bench.sim.urls.clob}/book?token_id=${token}`)).body

/** A market buy of whole cents at a limit: amounts as the venue's rounding table has them. */
function buy(bench: Bench, token: string, limit: number, dollars: number, tick = 0.01): OrderFields {
  const unit = tick === 0.01 ? 1e4 : 1e5
  const shares = Math.floor((dollars / limit) * unit + 1e-9) / unit
  return newOrder(bench.wallet, {
    tokenId: token,
    makerAmount: String(Math.round(dollars * 1e6)),
    takerAmount: String(Math.round(shares * 1e6)),
  })
}

describe('orders', () => {
  let bench: Bench
  let coarse: Market
  let fine: Market
  let negRisk: Market

  beforeAll(async () => {
    bench = await startBench({ speed: 0.6, seed: 3 })
    const markets = await marketsOf(bench)
    coarse = markets.find((market) => market.tick === 0.01 && !market.negRisk)!
    fine = markets.find((market) => market.tick === 0.001 && !market.negRisk)!
    negRisk = markets.find((market) => market.negRisk)!
  })
  afterAll(() => bench.close())

  const tradesOf = async (orderId: string): Promise<Json[]> =>
    (await polyGet(bench, '/data/trades')).body.data.filter((trade: Json) => trade.taker_order_id === orderId)

  it('holds a marketable order for the delay, then fills it at the book of that time', async () => {
    const before = bench.sim.stats()
    const [yes] = coarse.tokens
    const order = buy(bench, yes, 0.99, 20)
    const answer = await postOrder(bench, order)
    expect(answer).toEqual({
      status: 200,
      body: {
        success: true,
        errorMsg: '',
        orderID: `0x${Buffer.from(orderDigest(order, EXCHANGES.standard)).toString('hex')}`,
        status: 'delayed',
        makingAmount: '',
        takingAmount: '',
        tradeIDs: [],
      },
    })
    const { orderID } = answer.body
    expect(bench.sim.stats().orders - before.orders).toBe(1)
    expect(bench.sim.stats().fills).toBe(before.fills)
    const waiting = await polyGet(bench, `/data/order/${orderID}`)
    expect(waiting.body).toMatchObject({
      id: orderID,
      status: 'DELAYED',
      original_size: '20',
      side: 'BUY',
      asset_id: yes,
    })
    const canceled = await call(`${bench.sim.urls.clob}/order`, {
      method: 'DELETE',
      headers: l2Headers(bench.wallet, 'DELETE', '/order', JSON.stringify({ orderID })),
      body: JSON.stringify({ orderID }),
    })
    expect(canceled.body.canceled).toEqual([])
    expect(canceled.body.not_canceled[orderID]).toEqual(expect.any(String))
    expect(await tradesOf(orderID)).toEqual([])

    const trades = await until(async () => {
      const found = await tradesOf(orderID)
      return found.length > 0 && found
    }, 'the trades')
    expect(await polyGet(bench, `/data/order/${orderID}`)).toEqual({ status: 200, body: null })
    const after = bench.sim.stats()
    const shares = trades.reduce((sum, trade) => sum + Math.round(Number(trade.size) * 1e6), 0)
    const cash = trades.reduce(
      (sum, trade) => sum + Math.floor(Number(trade.size) * Number(trade.price) * 1e6 + 1e-6),
      0,
    )
    expect(after.fills - before.fills).toBe(1)
    expect(after.filledSizeE6 - before.filledSizeE6).toBe(shares)
    expect(after.cashMicros - before.cashMicros).toBe(cash)
    // Price improvement buys more shares for the same dollars.
    expect(20_000_000 - cash).toBeLessThan(100)
    expect(shares).toBeGreaterThan(Number(order.takerAmount))
    const fee = trades.reduce(
      (sum, { size, price }) => sum + 0.05 * Number(size) * Number(price) * (1 - Number(price)),
      0,
    )
    expect((after.feesMicros - before.feesMicros) / 1e6).toBeCloseTo(fee, 4)
    expect(trades[0]).toMatchObject({
      trader_side: 'TAKER',
      fee_rate_bps: '0',
      market: coarse.conditionId,
      side: 'BUY',
    })
    await until(
      async () => (await tradesOf(orderID)).every(({ status }) => status === 'CONFIRMED'),
      'confirmation',
    )
  })

  it('moves a trade from MATCHED to MINED to CONFIRMED, and only then lets its shares be sold', async () => {
    const [, no] = fine.tokens
    const { body } = await postOrder(bench, buy(bench, no, 0.999, 10, 0.001))
    expect(body.status).toBe('delayed')
    const seen: string[] = []
    const sell = newOrder(bench.wallet, {
      tokenId: no,
      side: 'SELL',
      makerAmount: '5000000',
      takerAmount: '5000',
    })
    let refusedEarly = false
    await until(async () => {
      const status = (await tradesOf(String(body.orderID)))[0]?.status
      if (status !== undefined && status !== seen.at(-1)) seen.push(status)
      if ((status === 'MATCHED' || status === 'MINED') && !refusedEarly) {
        const early = await postOrder(bench, sell)
        expect(early).toEqual({ status: 400, body: { error: 'not enough balance / allowance' } })
        refusedEarly = true
      }
      return status === 'CONFIRMED'
    }, 'confirmation')
    // A slow poll may miss one, never see them in another order.
    expect(['MATCHED', 'MINED', 'CONFIRMED'].filter((status) => seen.includes(status))).toEqual(seen)
    expect(seen.length).toBeGreaterThan(1)
    expect(refusedEarly).toBe(true)
    const before = bench.sim.stats()
    expect((await postOrder(bench, sell)).body.status).toBe('delayed')
    await until(() => bench.sim.stats().fills > before.fills, 'the sale')
    expect(bench.sim.stats().cashMicros).toBeLessThan(before.cashMicros)
    expect(bench.sim.stats().filledSizeE6 - before.filledSizeE6).toBe(5_000_000)
  })

  it('answers a FAK without a match with 400 and the venue text; it was an order all the same', async () => {
    const before = bench.sim.stats()
    const answer = await postOrder(bench, buy(bench, coarse.tokens[0], 0.01, 5))
    expect(answer.status).toBe(400)
    expect(answer.body.error).toBe(
      'no orders found to match with FAK order. FAK orders are partially filled or killed if no match is found.',
    )
    expect(bench.sim.stats().orders - before.orders).toBe(1)
    expect(bench.sim.stats().fills).toBe(before.fills)
    const fok = await postOrder(bench, buy(bench, coarse.tokens[0], 0.01, 5), { orderType: 'FOK' })
    expect(fok.body.error).toBe("order couldn't be fully filled. FOK orders are fully filled or killed.")
  })

  it('fills an FOK whole or not at all', async () => {
    const before = bench.sim.stats()
    const huge = await postOrder(bench, buy(bench, coarse.tokens[0], 0.99, 20_000), { orderType: 'FOK' })
    expect(huge.body.status).toBe('delayed')
    const small = await postOrder(bench, buy(bench, coarse.tokens[0], 0.99, 6), { orderType: 'FOK' })
    await until(async () => (await tradesOf(String(small.body.orderID))).length > 0, 'the small one')
    expect(await tradesOf(String(huge.body.orderID))).toEqual([])
    expect(bench.sim.stats().fills - before.fills).toBe(1)
  })

  it('wants the exchange contract of a negative-risk market', async () => {
    const { body: wrong } = await postOrder(bench, buy(bench, negRisk.tokens[0], 0.999, 6, negRisk.tick))
    expect(wrong.error).toBe('order_version_mismatch')
    const right = await postOrder(bench, buy(bench, negRisk.tokens[0], 0.999, 6, negRisk.tick), {
      negRisk: true,
    })
    expect(right.body.status).toBe('delayed')
  })

  it('refuses the same order twice, whatever became of it', async () => {
    const order = buy(bench, coarse.tokens[0], 0.01, 5)
    await postOrder(bench, order)
    const again = await postOrder(bench, order)
    expect(again.status).toBe(400)
    expect(again.body.error).toMatch(/Duplicated/)
  })

  const stranger = `0x${'11'.repeat(32)}`
  it.each<[string, (order: OrderFields) => OrderFields, (order: OrderFields) => PostOptions, number, RegExp]>(
    [
      [
        'no L2 headers',
        (o) => o,
        () => ({ headers: { POLY_SIGNATURE: '' } }),
        401,
        /Unauthorized\/Invalid api key/,
      ],
      ['a wrong HMAC', (o) => o, () => ({ headers: { POLY_SIGNATURE: 'AAAA' } }), 401, /Unauthorized/],
      ['a wrong api key', (o) => o, () => ({ headers: { POLY_API_KEY: 'x' } }), 401, /Unauthorized/],
      ['a wrong passphrase', (o) => o, () => ({ headers: { POLY_PASSPHRASE: 'x' } }), 401, /Unauthorized/],
      [
        "somebody else's address",
        (o) => o,
        () => ({ headers: { POLY_ADDRESS: addressOf(stranger) } }),
        401,
        /Unauthorized/,
      ],
      [
        'a body altered after the HMAC',
        (o) => o,
        () => ({ tamper: (body) => body.replace('"FAK"', '"FOK"') }),
        401,
        /Unauthorized/,
      ],
      ['another owner', (o) => o, () => ({ owner: 'somebody' }), 400, /owner/],
      [
        "a stranger's signature",
        (o) => o,
        (o) => ({ signature: signOrder(o, EXCHANGES.standard, stranger) }),
        400,
        /invalid signature/,
      ],
      [
        'a signature of something else',
        (o) => o,
        (o) => ({
          signature: signOrder({ ...o, takerAmount: '1' }, EXCHANGES.standard, bench.wallet.private_key),
        }),
        400,
        /invalid signature/,
      ],
      [
        'a V1 domain',
        (o) => o,
        (o) => ({ signature: signOrder(o, EXCHANGES.standard, bench.wallet.private_key, '1') }),
        400,
        /order_version_mismatch/,
      ],
      ['no signature', (o) => o, () => ({ signature: '0x' }), 400, /invalid signature/],
      ['another signer', (o) => ({ ...o, signer: addressOf(stranger) }), () => ({}), 400, /signer/],
      ['another maker', (o) => ({ ...o, maker: addressOf(stranger) }), () => ({}), 400, /invalid signature/],
      ['another signature type', (o) => ({ ...o, signatureType: 0 }), () => ({}), 400, /invalid signature/],
      ['an unknown token', (o) => ({ ...o, tokenId: '123' }), () => ({}), 400, /does not exist/],
      [
        'a price off the tick',
        (o) => ({ ...o, makerAmount: '10000000', takerAmount: '19801900' }),
        () => ({}),
        400,
        /tick size/,
      ],
      [
        'a price of one',
        (o) => ({ ...o, makerAmount: '10000000', takerAmount: '10000000' }),
        () => ({}),
        400,
        /tick size/,
      ],
      [
        'a fraction of a cent',
        (o) => ({ ...o, makerAmount: '10005000', takerAmount: '20010000' }),
        () => ({}),
        400,
        /max accuracy of 2 decimals/,
      ],
      [
        'too many share decimals',
        (o) => ({ ...o, makerAmount: '10000000', takerAmount: '20000001' }),
        () => ({}),
        400,
        /max accuracy/,
      ],
      [
        'less than the minimum size',
        (o) => ({ ...o, makerAmount: '2000000', takerAmount: '4000000' }),
        () => ({}),
        400,
        /lower than the minimum/,
      ],
      ['zero', (o) => ({ ...o, makerAmount: '0' }), () => ({}), 400, /higher than 0/],
      [
        'more money than there is',
        (o) => ({ ...o, makerAmount: '60000000000', takerAmount: '120000000000' }),
        () => ({}),
        400,
        /not enough balance/,
      ],
      [
        'shares it does not hold',
        (o) => ({ ...o, side: 'SELL', makerAmount: '900000000', takerAmount: '9000000' }),
        () => ({}),
        400,
        /not enough balance/,
      ],
      [
        'sale proceeds that are not price x size',
        (o) => ({ ...o, side: 'SELL', makerAmount: '19690000', takerAmount: '4331700' }),
        () => ({}),
        400,
        /should be '4.3318'/,
      ],
      ['a resting order', (o) => o, () => ({ orderType: 'GTC' }), 400, /rests no orders/],
      ['an unknown order type', (o) => o, () => ({ orderType: 'IOC' }), 400, /order type/],
      ['a post-only FAK', (o) => o, () => ({ extra: { postOnly: true } }), 400, /post-only/],
      ['an expiration', (o) => ({ ...o, expiration: '1900000000' }), () => ({}), 400, /invalid expiration/],
      [
        'a text salt',
        (o) => ({ ...o, salt: '5' as unknown as number }),
        (o) => ({ signature: signOrder(o, EXCHANGES.standard, bench.wallet.private_key) }),
        400,
        /payload/,
      ],
      [
        'a numeric amount',
        (o) => ({ ...o, makerAmount: 10 as unknown as string }),
        () => ({ signature: `0x${'00'.repeat(65)}` }),
        400,
        /payload/,
      ],
      [
        'a negative amount',
        (o) => ({ ...o, makerAmount: '-10' }),
        () => ({ signature: `0x${'00'.repeat(65)}` }),
        400,
        /payload/,
      ],
    ],
  )('refuses %s', async (_what, change, options, status, text) => {
    const before = bench.sim.stats()
    const order = change(buy(bench, coarse.tokens[0], 0.5, 10))
    const answer = await postOrder(bench, order, options(order))
    expect(answer.body.error).toMatch(text)
    expect(answer.status).toBe(status)
    const after = bench.sim.stats()
    expect(after.orders).toBe(before.orders)
    const count = ({ refused }: typeof before) => Object.values(refused).reduce((a, b) => a + b, 0)
    expect(count(after)).toBe(count(before) + 1)
  })

  it('refuses an old or a future HMAC timestamp', async () => {
    const body = JSON.stringify({})
    for (const seconds of [-120, 120]) {
      const headers = l2Headers(bench.wallet, 'POST', '/order', body, Math.floor(Date.now() / 1000) + seconds)
      expect((await call(`${bench.sim.urls.clob}/order`, { method: 'POST', headers, body })).status).toBe(401)
    }
    expect(
      (
        await call(`${bench.sim.urls.clob}/order`, {
          method: 'POST',
          headers: l2Headers(bench.wallet, 'POST', '/order', body),
          body,
        })
      ).status,
    ).toBe(400)
    expect((await call(`${bench.sim.urls.clob}/data/trades`)).status).toBe(401)
  })

  it('answers public questions', async () => {
    const { clob } = bench.sim.urls
    expect((await call(`${clob}/version`)).body).toEqual({ version: 2 })
    expect((await call(`${clob}/tick-size?token_id=${fine.tokens[1]}`)).body).toEqual({
      minimum_tick_size: 0.001,
    })
    expect((await call(`${clob}/neg-risk?token_id=${negRisk.tokens[0]}`)).body).toEqual({ neg_risk: true })
    expect((await call(`${clob}/book?token_id=1`)).status).toBe(404)
    expect((await call(`${clob}/markets/${coarse.conditionId}`)).body).toMatchObject({
      seconds_delay: 1,
      minimum_order_size: 5,
    })
    expect((await call(`${clob}/clob-markets/${coarse.conditionId}`)).body).toMatchObject({
      sd: 1,
      fd: { r: 0.05, e: 1, to: true },
    })
    const books = await call(`${clob}/books`, {
      method: 'POST',
      body: JSON.stringify(coarse.tokens.map((token_id) => ({ token_id }))),
    })
    expect(books.body.map((book: Json) => book.asset_id)).toEqual(coarse.tokens)
    expect((await polyGet(bench, '/balance-allowance?asset_type=COLLATERAL')).body.balance).toMatch(/^\d+$/)
  })
})

describe('the market channel', () => {
  let bench: Bench
  let markets: Market[]
  const connections: Connection[] = []

  beforeAll(async () => {
    bench = await startBench({ speed: 3, seed: 4 })
    markets = await marketsOf(bench)
  })
  afterAll(async () => {
    for (const connection of connections) connection.close()
    await bench.close()
  })

  const open = async () => {
    const connection = await connect(bench.sim.urls.polyWs)
    connections.push(connection)
    return connection
  }
  const eventsOf = ({ frames }: Connection): Json[] =>
    frames.flat().filter((event: Json) => event?.event_type !== undefined)

  it('dumps a subscription as one array of books whose hashes hold', async () => {
    const connection = await open()
    const [market] = markets as [Market]
    connection.send({ assets_ids: market.tokens, type: 'market', custom_feature_enabled: false })
    const dump = await connection.next((frame) => Array.isArray(frame), 'the dump')
    expect(dump.map(({ asset_id }: Json) => asset_id)).toEqual(market.tokens)
    for (const book of dump) {
      expect(book).toMatchObject({
        event_type: 'book',
        market: market.conditionId,
        timestamp: expect.stringMatching(/^\d{13}$/),
      })
      expect(book.hash).toBe(bookHash({ ...book, min_order_size: '5', neg_risk: market.negRisk }))
      const prices = (levels: Json[]) => levels.map(({ price }) => Number(price))
      expect(prices(book.bids)).toEqual(prices(book.bids).toSorted((a, b) => a - b))
      expect(prices(book.asks)).toEqual(prices(book.asks).toSorted((a, b) => b - a))
    }
    const rest = await bookOf(bench, market.tokens[0])
    expect(rest.hash).toBe(bookHash(rest))
    expect(rest).toMatchObject({ min_order_size: '5', neg_risk: market.negRisk })
    connection.close()
  })

  it('hashes every delta of every token after it, and folds to the REST book', async () => {
    const connection = await open()
    const tokens = markets.flatMap(({ tokens: ids }) => ids)
    const byCondition = new Map(markets.map((market) => [market.conditionId, market]))
    connection.send({ assets_ids: tokens, type: 'market' })
    // Prints included: the market's own small takers change last_trade_price along the way.
    await until(
      () => {
        const events = eventsOf(connection)
        const count = (type: string) => events.filter(({ event_type }) => event_type === type).length
        return count('price_change') > 250 && count('last_trade_price') > 3
      },
      'deltas and prints',
      15_000,
    )
    interface Fold {
      bids: Map<string, string>
      asks: Map<string, string>
      tick: string
      last: string
    }
    const state = new Map<string, Fold>()
    const hashOf = (token: string, market: Market, timestamp: string) => {
      const { bids, asks, tick, last } = state.get(token)!
      const levels = (side: Map<string, string>) => [...side].map(([price, size]) => ({ price, size }))
      return bookHash({
        market: market.conditionId,
        asset_id: token,
        timestamp,
        bids: levels(bids).sort((a, b) => Number(a.price) - Number(b.price)),
        asks: levels(asks).sort((a, b) => Number(b.price) - Number(a.price)),
        min_order_size: '5',
        tick_size: tick,
        neg_risk: market.negRisk,
        last_trade_price: last,
      })
    }
    let hashes = 0
    const replay = (events: Json[]) => {
      for (const event of events) {
        const market = byCondition.get(event.market)!
        if (event.event_type === 'book') {
          const side = (levels: Json[]) =>
            new Map<string, string>(levels.map(({ price, size }) => [price, size]))
          const known = state.get(event.asset_id)
          state.set(event.asset_id, {
            bids: side(event.bids),
            asks: side(event.asks),
            tick: event.tick_size ?? known!.tick,
            last: event.last_trade_price ?? known!.last,
          })
          expect(hashOf(event.asset_id, market, event.timestamp)).toBe(event.hash)
          hashes += 1
        } else if (event.event_type === 'price_change') {
          expect(event.asset_id).toBeUndefined()
          expect(event.price_changes.map(({ asset_id }: Json) => asset_id)).toEqual(market.tokens)
          const [a, b] = event.price_changes
          expect(Number(a.price) + Number(b.price)).toBeCloseTo(1, 9)
          expect(new Set([a.side, b.side])).toEqual(new Set(['BUY', 'SELL']))
          for (const { asset_id, price, size, side, hash, best_bid, best_ask } of event.price_changes) {
            const { bids, asks } = state.get(asset_id)!
            const levels = side === 'BUY' ? bids : asks
            if (size === '0') levels.delete(price)
            else levels.set(price, size)
            expect(hash).toBe(hashOf(asset_id, market, event.timestamp))
            hashes += 1
            expect(Number(best_bid)).toBe(Math.max(0, ...[...bids.keys()].map(Number)))
            expect(Number(best_ask)).toBe(Math.min(1, ...[...asks.keys()].map(Number)))
          }
        } else if (event.event_type === 'last_trade_price') {
          for (const token of market.tokens) state.get(token)!.last = event.price
        } else if (event.event_type === 'tick_size_change') {
          state.get(event.asset_id)!.tick = event.new_tick_size
        }
      }
    }
    let done = 0
    for (const token of tokens) {
      await until(async () => {
        const seen = connection.frames.length
        const rest = await bookOf(bench, token)
        if (connection.frames.length !== seen) return undefined
        const events = eventsOf(connection)
        replay(events.slice(done))
        done = events.length
        const { bids, asks, last, tick } = state.get(token)!
        const levels = (side: Map<string, string>) => [...side].sort(([a], [b]) => Number(a) - Number(b))
        const texts = (list: Json[]) => list.map(({ price, size }) => [price, size])
        expect(levels(bids)).toEqual(texts(rest.bids))
        expect(levels(asks).reverse()).toEqual(texts(rest.asks))
        expect([last, tick]).toEqual([rest.last_trade_price, rest.tick_size])
        return true
      }, 'a quiet moment')
    }
    expect(hashes).toBeGreaterThan(500)
    connection.close()
  })

  it("prints a trade, then both tokens' books without tick_size and last_trade_price", async () => {
    const connection = await open()
    const market = markets.find(({ negRisk }) => !negRisk)!
    const [, no] = market.tokens
    connection.send({ assets_ids: [no], type: 'market' })
    await connection.next((frame) => Array.isArray(frame), 'the dump')
    const { body } = await postOrder(
      bench,
      buy(bench, no, market.tick === 0.01 ? 0.99 : 0.999, 7, market.tick),
    )
    expect(body.status).toBe('delayed')
    const trades = await until(async () => {
      const own = (await polyGet(bench, '/data/trades')).body.data.filter(
        (trade: Json) => trade.taker_order_id === body.orderID,
      )
      return (own.length > 0 && own) as Json[]
    }, 'the trade')
    const events = await until(() => {
      const seen = eventsOf(connection)
      const index = seen.findIndex(
        ({ event_type, size, asset_id }) =>
          event_type === 'last_trade_price' && asset_id === no && size === trades.at(-1).size,
      )
      return index !== -1 && seen.length > index + trades.length && seen.slice(index)
    }, 'the print')
    expect(events[0]).toMatchObject({ market: market.conditionId, side: 'BUY' })
    const book = events.find(({ event_type }) => event_type === 'book')
    expect(book.asset_id).toBe(no)
    expect(book.tick_size).toBeUndefined()
    expect(book.last_trade_price).toBeUndefined()
    expect(eventsOf(connection).every((event) => event.event_type !== 'best_bid_ask')).toBe(true)
    connection.close()
  })

  it('adds and drops tokens by operation, and answers PING', async () => {
    const connection = await open()
    const [first, second] = markets as [Market, Market]
    connection.send({
      assets_ids: [first.tokens[0]],
      type: 'market',
      initial_dump: false,
      custom_feature_enabled: true,
    })
    await connection.next(({ event_type }) => event_type === 'best_bid_ask', 'best_bid_ask')
    expect(connection.frames.some((frame) => Array.isArray(frame))).toBe(false)
    connection.send({ assets_ids: [second.tokens[1]], operation: 'subscribe' })
    const dump = await connection.next((frame) => Array.isArray(frame), 'the second dump')
    expect(dump.map(({ asset_id }: Json) => asset_id)).toEqual([second.tokens[1]])
    connection.send({ assets_ids: [first.tokens[0]], operation: 'unsubscribe' })
    connection.send('PING')
    await connection.next((frame) => frame === 'PONG', 'PONG')
    const from = connection.frames.length
    await until(() => connection.frames.length > from + 10, 'more')
    expect(
      eventsOf(connection)
        .slice(-10)
        .every(({ market }) => market === second.conditionId),
    ).toBe(true)
    connection.close()
  })

  it('counts commands it cannot use, and has no other channel', async () => {
    const connection = await open()
    const before = bench.sim.stats().refused['poly:ws_invalid'] ?? 0
    connection.send('{')
    connection.send({ assets_ids: 'x', type: 'market' })
    connection.send({ asset_ids: [markets[0]!.tokens[0]], type: 'market' })
    connection.send({ assets_ids: [], operation: 'explode' })
    await until(() => bench.sim.stats().refused['poly:ws_invalid'] === before + 4, 'four refusals')
    expect(connection.frames).toEqual([])
    const user = await refusedUpgrade(bench.sim.urls.polyWs.replace('/market', '/user'), {})
    expect(user.status).toBe(404)
    connection.close()
  })
})

describe('the end of a game', () => {
  it('makes the tick finer near the edge, empties the book and resolves', async () => {
    const bench = await startBench({ speed: 30, seed: 2 })
    try {
      const markets = await marketsOf(bench)
      const coarse = markets.find(({ tick }) => tick === 0.01)!
      const connection = await connect(bench.sim.urls.polyWs)
      connection.send({ assets_ids: coarse.tokens, type: 'market', custom_feature_enabled: true })
      const change = await connection.next(({ event_type }) => event_type === 'tick_size_change', 'the tick')
      expect(change).toMatchObject({
        market: coarse.conditionId,
        old_tick_size: '0.01',
        new_tick_size: '0.001',
      })
      const index = connection.frames.indexOf(change)
      expect(connection.frames.slice(index, index + 4).map(({ event_type }) => event_type)).toEqual([
        'tick_size_change',
        'tick_size_change',
        'book',
        'book',
      ])
      const resolved = await connection.next(
        ({ event_type }) => event_type === 'market_resolved',
        'the resolution',
      )
      expect(coarse.tokens).toContain(resolved.winning_asset_id)
      const rest = await bookOf(bench, coarse.tokens[0])
      expect([rest.bids, rest.asks]).toEqual([[], []])
      expect(rest.hash).toBe(bookHash(rest))
      const fresh = await until<Json>(
        () => connection.frames.find(({ event_type }) => event_type === 'new_market'),
        'a new game',
      )
      expect(fresh.clob_token_ids).toHaveLength(2)
      const closed = await postOrder(bench, buy(bench, coarse.tokens[0], 0.5, 10, 0.001))
      expect(closed.body.error).toMatch(/not yet ready/)
      connection.close()
    } finally {
      await bench.close()
    }
  })
})
