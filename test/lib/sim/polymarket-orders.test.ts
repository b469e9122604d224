/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return -- foreign JSON, asserted by field */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  addressOf,
  call,
  EXCHANGES,
  l2Headers,
  newOrder,
  orderDigest,
  polyGet,
  postOrder,
  signOrder,
  startBench,
  until,
  type Bench,
  type Json,
  type OrderFields,
  type PostOptions,
} from './harness.js'
import { buy, FAST_PACE, marketsOf, type Market } from './polymarket-client.js'

describe('orders', () => {
  let bench: Bench
  let coarse: Market
  let fine: Market
  let negRisk: Market

  beforeAll(async () => {
    bench = await startBench({ seed: 3, polyPace: { ...FAST_PACE, confirmedMs: 900 } })
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
      [
        'an order of V1',
        ({ timestamp: _, metadata: __, builder: ___, ...o }) =>
          ({ ...o, taker: `0x${'0'.repeat(40)}`, nonce: '0', feeRateBps: '0' }) as unknown as OrderFields,
        () => ({ signature: `0x${'00'.repeat(65)}` }),
        400,
        /^order_version_mismatch$/,
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
    expect(await polyGet(bench, '/data/trades?after=yesterday')).toEqual({
      status: 400,
      body: { error: 'Invalid trade params payload' },
    })
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
      seconds_delay: FAST_PACE.secondsDelay,
      minimum_order_size: 5,
    })
    expect((await call(`${clob}/clob-markets/${coarse.conditionId}`)).body).toMatchObject({
      sd: FAST_PACE.secondsDelay,
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
