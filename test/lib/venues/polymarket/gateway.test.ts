import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../../../src/lib/core/clock.js'
import type { GameMarket } from '../../../../src/lib/model/game.js'
import type { OrderRequest } from '../../../../src/lib/model/order.js'
import {
  addressOf,
  parsePrivateKey,
  type PolymarketCredentials,
} from '../../../../src/lib/venues/polymarket/auth.js'
import {
  PolymarketGateway,
  type PolymarketGatewayOptions,
} from '../../../../src/lib/venues/polymarket/gateway.js'
import { outcomeOf, readOrder, readTrades } from '../../../../src/lib/venues/polymarket/order-answer.js'
import { classifyRefusal } from '../../../../src/lib/venues/polymarket/rest.js'
import { until } from '../../poll.js'
import { MARKET, NO, YES } from './reference-venue.js'
import { OrderServer, type OrderBody, type Reply } from './order-server.js'

const privateKey = parsePrivateKey('0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80')!
const funder = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
const credentials: PolymarketCredentials = {
  privateKey,
  apiKey: '00000000-0000-0000-0000-000000000001',
  secret: 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I=',
  passphrase: 'pass',
  funder,
  signatureType: 2,
}
const account = { ...credentials, address: addressOf(privateKey), funder }

const market: GameMarket = {
  venue: 'poly',
  marketId: MARKET,
  kind: 'moneyline',
  selection: 'HOU',
  tickE4: 100,
  sizeStepE2: 1,
  minSizeE2: 500,
  fees: { ratePpm: 50_000, roundUpToMicros: 10 },
  takerDelayMs: 1000,
  tokenIds: [YES, NO],
  negRisk: false,
}

const request = (overrides: Partial<OrderRequest> = {}): OrderRequest => ({
  orderId: 'order-1',
  signalId: 'signal-1',
  leg: 0,
  attempt: 1,
  venue: 'poly',
  marketId: MARKET,
  outcome: 'yes',
  side: 'buy',
  limitE4: 4000,
  sizeE2: 10_000,
  signalMs: Date.now(),
  ...overrides,
})

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function start(options: Partial<PolymarketGatewayOptions> = {}) {
  const server = await OrderServer.listen(account)
  cleanups.push(() => server.close())
  const clock = new ManualClock(Date.now())
  const gateway = new PolymarketGateway({
    restUrl: server.url,
    geoblockUrl: `${server.url}/api/geoblock`,
    credentials,
    clock,
    orderTimeoutMs: 400,
    tradeWindowMs: 1500,
    ...options,
  })
  cleanups.push(() => gateway.close())
  return { server, gateway, clock }
}

const accepted = (id: string, more: object): Reply => ({
  status: 200,
  body: { success: true, errorMsg: '', orderID: id, makingAmount: '', takingAmount: '', ...more },
})
const refusal = (status: number, error: string, more: object = {}): Reply => ({
  status,
  body: { error, ...more },
})
const once = (): void => undefined
const mayGo = (): boolean => true

describe('a prepared order', () => {
  it('is accepted by a server that checks HMAC, signer and amounts itself, with the bytes that were stored', async () => {
    const { server, gateway } = await start()
    server.script = (id) => accepted(id, { status: 'matched', makingAmount: '40', takingAmount: '100' })
    const prepared = gateway.prepare(request(), market)
    expect(await gateway.send(prepared, once, mayGo)).toEqual({
      kind: 'filled',
      venueOrderId: prepared.venueOrderId,
      filledE6: 100_000_000,
    })
    expect(server.refused).toEqual([])
    expect(server.orders).toHaveLength(1)
    const [{ id, raw, body }] = server.orders as [(typeof server.orders)[0]]
    expect([id, raw]).toEqual([prepared.venueOrderId, prepared.body])
    expect(body.order).toMatchObject({
      maker: funder,
      signer: account.address,
      tokenId: YES,
      makerAmount: '40000000',
      takerAmount: '100000000',
      side: 'BUY',
      signatureType: 2,
      timestamp: String(prepared.request.signalMs),
    })
    expect(prepared.sizeE2).toBe(10_000)
    expect(gateway.account).toBe(funder)
  })

  it('takes the second token for NO, at the limit of its own price space, and sells shares', async () => {
    const { server, gateway } = await start()
    server.script = (id) => accepted(id, { status: 'matched', makingAmount: '20', takingAmount: '12.2' })
    const prepared = gateway.prepare(
      request({ outcome: 'no', side: 'sell', limitE4: 6000, sizeE2: 2000 }),
      market,
    )
    expect(await gateway.send(prepared, once, mayGo)).toMatchObject({ kind: 'filled', filledE6: 20_000_000 })
    expect(server.orders[0]!.body.order).toMatchObject({
      tokenId: NO,
      side: 'SELL',
      makerAmount: '20000000',
      takerAmount: '12000000',
    })
  })

  it('signs for the neg-risk exchange where the market says so', async () => {
    const { server, gateway } = await start()
    server.script = (id) => accepted(id, { status: 'delayed' })
    expect(
      await gateway.send(gateway.prepare(request(), { ...market, negRisk: true }), once, mayGo),
    ).toMatchObject({
      kind: 'rejected',
      code: 'ORDER_VERSION_MISMATCH',
    })
    server.negRisk = true
    const prepared = gateway.prepare(request({ orderId: 'order-2' }), { ...market, negRisk: true })
    expect(await gateway.send(prepared, once, mayGo)).toMatchObject({ kind: 'delayed' })
  })

  it('is the same bytes for the same leg, and others for the next attempt', async () => {
    const { gateway } = await start()
    const prepared = gateway.prepare(request({ signalMs: 1_790_000_000_000 }), market)
    const again = new PolymarketGateway({
      restUrl: 'http://127.0.0.1:9',
      geoblockUrl: 'http://127.0.0.1:9/api/geoblock',
      credentials,
      clock: new ManualClock(),
    })
    cleanups.push(() => again.close())
    expect(again.prepare(request({ signalMs: 1_790_000_000_000 }), market)).toEqual(prepared)
    const next = gateway.prepare(request({ orderId: 'order-2', signalMs: 1_790_000_000_000 }), market)
    expect(next.venueOrderId).not.toBe(prepared.venueOrderId)
  })

  it.each([
    ['of another market', { marketId: `0x${'cd'.repeat(32)}` }, {}],
    ['of another venue', { venue: 'kalshi' as const }, {}],
    ['without token ids', {}, { tokenIds: undefined }],
    ['without negRisk', {}, { negRisk: undefined }],
    ['off the tick', { limitE4: 4050 }, {}],
    ['below the minimum', { sizeE2: 100 }, {}],
  ])('%s is not built', async (_, order, of) => {
    const { gateway } = await start()
    const { tokenIds, negRisk, ...rest } = { ...market, ...of }
    const bare: GameMarket = {
      ...rest,
      ...(tokenIds === undefined ? {} : { tokenIds }),
      ...(negRisk === undefined ? {} : { negRisk }),
    }
    expect(() => gateway.prepare(request(order), bare)).toThrowError(
      expect.objectContaining({ code: 'BAD_ORDER' }),
    )
  })
})

describe('what became of a sent order', () => {
  const noMatch =
    'no orders found to match with FAK order. FAK orders are partially filled or killed if no match is found.'

  it.each<[string, (id: string) => Reply, object]>([
    [
      'part',
      (id) => accepted(id, { status: 'matched', makingAmount: '16', takingAmount: '40' }),
      { kind: 'partial', filledE6: 40_000_000 },
    ],
    [
      'all its dollars at a better price',
      (id) => accepted(id, { status: 'matched', makingAmount: '40', takingAmount: '101.5' }),
      { kind: 'filled', filledE6: 101_500_000 },
    ],
    [
      'all its shares for less',
      (id) => accepted(id, { status: 'matched', makingAmount: '39', takingAmount: '100' }),
      { kind: 'filled', filledE6: 100_000_000 },
    ],
    ['held back by the sports delay', (id) => accepted(id, { status: 'delayed' }), { kind: 'delayed' }],
    ['unmatched', (id) => accepted(id, { status: 'unmatched' }), { kind: 'none' }],
    ['no match', () => refusal(400, noMatch), { kind: 'none' }],
    ['no match, with its id', (id) => refusal(400, noMatch, { orderID: id }), { kind: 'none' }],
    ['resting, which a FAK cannot', (id) => accepted(id, { status: 'live' }), { kind: 'unknown' }],
    ['accepted without a status', (id) => accepted(id, {}), { kind: 'unknown' }],
    ['matched without amounts', (id) => accepted(id, { status: 'matched' }), { kind: 'unknown' }],
    [
      'matched in other units',
      (id) => accepted(id, { status: 'matched', makingAmount: '40000000', takingAmount: '100000000' }),
      { kind: 'unknown' },
    ],
    [
      'accepted and refused at once',
      (id) => accepted(id, { status: 'matched', errorMsg: 'odd', makingAmount: '40', takingAmount: '100' }),
      { kind: 'unknown' },
    ],
    [
      'refused in a 200',
      () => ({ status: 200, body: { success: false, orderID: null, errorMsg: 'Insufficient balance' } }),
      { kind: 'rejected', code: 'INSUFFICIENT_BALANCE' },
    ],
    [
      'refused in a 200 for a new reason',
      () => ({ status: 200, body: { success: false, orderID: '', errorMsg: 'market is sleepy' } }),
      { kind: 'rejected', code: 'NOT_ACCEPTED' },
    ],
    [
      'refused for its funds',
      () => refusal(400, 'not enough balance / allowance'),
      { kind: 'rejected', code: 'INSUFFICIENT_BALANCE' },
    ],
    [
      'refused by region',
      () => refusal(403, 'Trading restricted in your region, please refer to…'),
      { kind: 'rejected', code: 'REGION_RESTRICTED' },
    ],
    [
      'refused while the engine restarts',
      () => ({ status: 425, body: '', type: 'text/plain' }),
      { kind: 'rejected', code: 'ENGINE_RESTARTING' },
    ],
    [
      'refused for its rate',
      () => ({ status: 429, body: '<html>slow down</html>', type: 'text/html' }),
      { kind: 'rejected', code: 'RATE_LIMITED' },
    ],
    ['an unexplained 500', () => refusal(500, 'Internal server error'), { kind: 'unknown' }],
    [
      'a gateway’s page',
      () => ({ status: 502, body: '<html>bad gateway, not enough balance</html>', type: 'text/html' }),
      { kind: 'unknown' },
    ],
    ['an unknown 400', () => refusal(400, 'something new'), { kind: 'unknown' }],
    [
      'an unexplained 403',
      () => ({ status: 403, body: '<html>blocked</html>', type: 'text/html' }),
      { kind: 'unknown' },
    ],
    [
      'garbage',
      () => ({ status: 200, body: '{"success":tru', type: 'application/json' }),
      { kind: 'unknown' },
    ],
    ['a list', () => ({ status: 200, body: [] }), { kind: 'unknown' }],
    ['taken, then cut', () => 'cut', { kind: 'unknown' }],
    ['taken, then silence', () => 'hang', { kind: 'unknown', reason: 'TIMEOUT: no answer within 400 ms' }],
  ])('%s', async (_, script, expected) => {
    const { server, gateway } = await start()
    server.script = script
    let handed = 0
    const outcome = await gateway.send(gateway.prepare(request(), market), () => (handed += 1), mayGo)
    expect(outcome).toMatchObject(expected)
    expect([handed, server.orders.length]).toEqual([1, 1])
  })

  it('nothing, and certainly so, when the venue cannot be reached', async () => {
    const closed = createServer()
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
    const { port } = closed.address() as AddressInfo
    await new Promise((resolve) => closed.close(resolve))
    const { gateway } = await start({ restUrl: `http://127.0.0.1:${port}` })
    let handed = 0
    const outcome = await gateway.send(gateway.prepare(request(), market), () => (handed += 1), mayGo)
    expect(outcome).toMatchObject({ kind: 'rejected', code: 'NOT_SENT' })
    expect(handed).toBe(0)
  })

  it('never a second time: the same order is not sent again', async () => {
    const { server, gateway } = await start()
    server.script = () => 'cut'
    const prepared = gateway.prepare(request(), market)
    await gateway.send(prepared, once, mayGo)
    expect(await gateway.send(prepared, once, mayGo)).toMatchObject({ kind: 'unknown' })
    expect(server.orders).toHaveLength(1)
  })

  it('that waits for a connection is asked again before its first byte, and one kept back never arrives', async () => {
    const { server, gateway } = await start({ orderTimeoutMs: 300 })
    server.script = () => 'hang'
    const prepared = (orderId: string) => gateway.prepare(request({ orderId }), market)
    let halted = false
    const slow = Array.from({ length: 4 }, (_, index) =>
      gateway.send(prepared(`slow-${index}`), once, () => !halted),
    )
    await until(() => server.orders.length === 4, 'every connection is taken')
    const late = prepared('waiting')
    const waiting = gateway.send(
      late,
      () => expect.unreachable('no byte may leave'),
      () => !halted,
    )
    halted = true
    server.cut()
    expect(await waiting).toEqual({ kind: 'withheld' })
    expect(new Set((await Promise.all(slow)).map(({ kind }) => kind))).toEqual(new Set(['unknown']))
    expect(server.orders.map(({ id }) => id)).not.toContain(late.venueOrderId)
  })

  it('does not wait for reads, however many hang', async () => {
    const { server, gateway } = await start({ queryTimeoutMs: 1000 })
    server.script = (id) => accepted(id, { status: 'delayed' })
    server.silentReads = true
    const prepared = gateway.prepare(request(), market)
    const reads = Array.from({ length: 8 }, () => gateway.query(prepared))
    await until(() => server.requests.length >= 4, 'the reads hang')
    expect(await gateway.send(prepared, once, mayGo)).toMatchObject({ kind: 'delayed' })
    server.cut()
    await gateway.close()
    await Promise.all(reads)
  })

  it('tells the moment of sending before the answer, once the bytes are with the server', async () => {
    const { server, gateway } = await start()
    const events: string[] = []
    server.script = (id) => {
      events.push('server')
      return accepted(id, { status: 'delayed' })
    }
    await gateway.warm()
    await gateway.send(gateway.prepare(request(), market), () => events.push('bytes'), mayGo)
    expect(events).toEqual(['bytes', 'server'])
  })
})

describe('every error text of the venue', () => {
  it.each([
    [400, 'not enough balance / allowance', 'INSUFFICIENT_BALANCE'],
    [400, 'invalid post-only order: order crosses book', 'POST_ONLY_CROSSES'],
    [503, 'post-only mode: only post-only orders and cancels are allowed', 'POST_ONLY_MODE'],
    [400, 'the market is not yet ready to process new orders', 'MARKET_NOT_READY'],
    [400, 'invalid expiration', 'INVALID_EXPIRATION'],
    [400, 'order 0x1 is invalid. Price (0.405) breaks minimum tick size rules: 0.01', 'TICK_SIZE'],
    [400, 'Price breaks minimum tick size rules', 'TICK_SIZE'],
    [400, 'Size (4) lower than the minimum: 5', 'SIZE_BELOW_MINIMUM'],
    [
      400,
      'invalid amounts, the market buy orders maker amount supports a max accuracy of 2 decimals',
      'INVALID_AMOUNTS',
    ],
    [400, 'Invalid order payload', 'INVALID_ORDER'],
    [400, 'invalid signature', 'INVALID_ORDER'],
    [400, 'the order owner has to be the owner of the API KEY', 'NOT_OF_THIS_API_KEY'],
    [400, 'the order signer address has to be the address of the API KEY', 'NOT_OF_THIS_API_KEY'],
    [400, 'maker address not allowed, please use the deposit wallet flow', 'MAKER_NOT_ALLOWED'],
    [400, "address '0x1' banned", 'ACCOUNT_RESTRICTED'],
    [400, "'0x1' address in closed only mode", 'ACCOUNT_RESTRICTED'],
    [400, 'the orderbook 123 does not exist', 'NO_ORDERBOOK'],
    [400, 'order_version_mismatch', 'ORDER_VERSION_MISMATCH'],
    [403, 'Trading restricted in your region, please refer to the terms', 'REGION_RESTRICTED'],
    [401, 'Unauthorized/Invalid api key', 'UNAUTHORIZED'],
    [401, 'Invalid L1 Request headers', 'UNAUTHORIZED'],
    [429, 'Too Many Requests', 'RATE_LIMITED'],
    [503, 'Trading is currently disabled. Check polymarket.com for updates', 'TRADING_DISABLED'],
    [503, 'the exchange is in cancel-only mode', 'CANCEL_ONLY'],
    [425, '', 'ENGINE_RESTARTING'],
  ])('%i %s is %s', (status, error, code) => {
    expect(classifyRefusal(status, JSON.stringify({ error }))).toMatchObject({ kind: 'rejected', code })
  })

  it.each([
    [400, "order couldn't be fully filled. FOK orders are fully filled or killed."],
    [400, 'no orders found to match with FAK order.'],
  ])('%i %s is a fill of none', (status, error) => {
    expect(classifyRefusal(status, JSON.stringify({ error }))).toMatchObject({ kind: 'none' })
  })

  it('a post-only mode told by its code', () => {
    const body = JSON.stringify({ code: 'post_only_mode', retry_after_seconds: 5 })
    expect(classifyRefusal(503, body)).toMatchObject({ code: 'POST_ONLY_MODE' })
  })

  it.each([
    [500, '{"error":"Internal server error"}'],
    [400, '{"error":"something new"}'],
    [502, '<html>Too Many Requests, not enough balance</html>'],
    [200, 'null'],
  ])('but not %i %s', (status, body) => {
    expect(classifyRefusal(status, body)).toBeUndefined()
  })

  it('shows no escape codes', () => {
    const { message } = classifyRefusal(401, '{"error":"Unauthorized \\u001b[2J"}')!
    expect(message).toBe('Unauthorized \\u001b[2J')
  })
})

describe('asking what became of an order', () => {
  const trade = (id: string, size: string, price = '0.4', more: object = {}) => ({
    id,
    taker_order_id: '',
    size,
    price,
    status: 'MATCHED',
    fee_rate_bps: '0',
    side: 'BUY',
    ...more,
  })

  async function sent(reply: Reply = 'cut', order: Partial<OrderRequest> = {}) {
    const { server, gateway, clock } = await start()
    server.script = () => reply
    const prepared = gateway.prepare(request(order), market)
    await gateway.send(prepared, once, mayGo)
    const ours = <T extends object>(row: T): T => ({ ...row, taker_order_id: prepared.venueOrderId })
    return { server, gateway, clock, prepared, ours }
  }

  it('finds the whole fill of an order whose answer was cut', async () => {
    const { server, gateway, prepared, ours } = await sent()
    server.pages = [
      [trade('other', '5', '0.4', { taker_order_id: '0xother' }), ours(trade('a', '60'))],
      [ours(trade('b', '40'))],
    ]
    expect(await gateway.query(prepared)).toEqual({
      kind: 'filled',
      venueOrderId: prepared.venueOrderId,
      filledE6: 100_000_000,
    })
    expect(server.refused).toEqual([])
    expect(server.requests.slice(1)).toEqual([
      `GET /data/order/${prepared.venueOrderId}`,
      'GET /data/trades',
      'GET /data/trades',
    ])
  })

  it('counts a page twice read once, and a spend of all dollars as filled', async () => {
    const { server, gateway, prepared, ours } = await sent()
    server.pages = [[ours(trade('a', '97.56097', '0.41')), ours(trade('a', '97.56097', '0.41'))]]
    server.record = { status: 'MATCHED', size_matched: '40', associate_trades: ['a'] }
    expect(await gateway.query(prepared)).toMatchObject({ kind: 'partial', filledE6: 97_560_970 })
    server.pages = [[ours(trade('a', '100.00001', '0.4'))]]
    expect(await gateway.query(prepared)).toMatchObject({ kind: 'filled', filledE6: 100_000_010 })
  })

  it('says delayed while the venue holds it', async () => {
    const { server, gateway, prepared } = await sent()
    server.record = { status: 'DELAYED', size_matched: '0', associate_trades: [] }
    expect(await gateway.query(prepared)).toEqual({ kind: 'delayed', venueOrderId: prepared.venueOrderId })
  })

  it('says none only when it can no longer arrive', async () => {
    const { gateway, clock, prepared } = await sent()
    expect(await gateway.query(prepared)).toMatchObject({ kind: 'unknown' })
    clock.advanceMs(10_900)
    expect(await gateway.query(prepared)).toMatchObject({ kind: 'unknown' })
    clock.advanceMs(200)
    expect(await gateway.query(prepared)).toEqual({ kind: 'none', venueOrderId: prepared.venueOrderId })
  })

  const acknowledged = () =>
    sent({
      status: 200,
      body: {
        success: true,
        errorMsg: '',
        orderID: '0x1',
        status: 'delayed',
        makingAmount: '',
        takingAmount: '',
      },
    })
  const answers = async (
    { gateway, clock, prepared }: Awaited<ReturnType<typeof sent>>,
    ...stepsMs: readonly number[]
  ): Promise<string[]> => {
    const kinds: string[] = []
    for (const ms of stepsMs) {
      clock.advanceMs(ms)
      kinds.push((await gateway.query(prepared)).kind)
    }
    return kinds
  }
  const [open, none, partial] = ['unknown', 'none', 'partial']

  it('ends an acknowledged order soon after its delay: it has arrived, and trades show at once', async () => {
    const order = await acknowledged()
    // Its delay is 1,000 ms, the window 1,500 ms.
    expect(await answers(order, 0, 900, 100, 700, 799, 1)).toEqual([open, open, open, open, open, none])
    order.server.pages = [[order.ours(trade('a', '60'))]]
    expect(await answers(order, 0)).toEqual([open])
  })

  it('calls the visible part of an acknowledged order the whole story once it stands still', async () => {
    const order = await acknowledged()
    expect(await answers(order, 2_000)).toEqual([open])
    order.server.pages = [[order.ours(trade('a', '60'))]]
    expect(await answers(order, 600, 10)).toEqual([open, open])
    order.server.pages = [[order.ours(trade('a', '60')), order.ours(trade('b', '10'))]]
    expect(await answers(order, 10, 10, 10)).toEqual([open, open, partial])
    expect(await order.gateway.query(order.prepared)).toMatchObject({ filledE6: 70_000_000 })
  })

  it('counts the window of an acknowledged order from when it was last seen held', async () => {
    const order = await acknowledged()
    order.server.record = { status: 'DELAYED', size_matched: '0', associate_trades: [] }
    expect(await answers(order, 3_000)).toEqual(['delayed'])
    order.server.record = undefined
    expect(await answers(order, 0, 700, 700, 99, 1)).toEqual([open, open, open, open, none])
  })

  it('believes a record that tells of a match, whatever the window says', async () => {
    const order = await acknowledged()
    order.server.record = { status: 'MATCHED', size_matched: '24', associate_trades: ['a'] }
    expect(await answers(order, 3_000, 10, 10, 10)).toEqual([open, open, open, open])
  })

  it('takes the word of an earlier process that an order was acknowledged', async () => {
    const { gateway, clock } = await start()
    const prepared = { ...gateway.prepare(request({ signalMs: clock.nowMs() }), market), acknowledged: true }
    const order = { gateway, clock, prepared } as Awaited<ReturnType<typeof sent>>
    expect(await answers(order, 0, 1_000, 700, 799, 1)).toEqual([open, open, open, open, none])
  })

  it('does not call what a resting order had matched its whole story', async () => {
    const { server, gateway, clock, prepared, ours } = await sent()
    server.record = { status: 'LIVE', size_matched: '24', associate_trades: ['a'] }
    expect(await gateway.query(prepared)).toMatchObject({ kind: 'unknown' })
    server.record = undefined
    server.pages = [[ours(trade('a', '60'))]]
    expect(await gateway.query(prepared)).toMatchObject({ kind: 'unknown', filledE6: 60_000_000 })
    clock.advanceMs(50_000)
    expect(await gateway.query(prepared)).toMatchObject({ kind: 'partial', filledE6: 60_000_000 })
  })

  it('dates an order of an earlier process by when that sent it, else by its signal', async () => {
    const { gateway } = await start()
    const old = gateway.prepare(request({ signalMs: Date.now() - 60_000 }), market)
    expect(await gateway.query(old)).toMatchObject({ kind: 'none' })
    const young = gateway.prepare(request({ orderId: 'order-2', signalMs: Date.now() }), market)
    expect(await gateway.query(young)).toMatchObject({ kind: 'unknown' })
    // A late leg: its signal is old, and it left a moment ago.
    const late = gateway.prepare(request({ orderId: 'order-3', signalMs: Date.now() - 60_000 }), market)
    expect(await gateway.query({ ...late, sentMs: Date.now() - 1_000 })).toMatchObject({ kind: 'unknown' })
  })

  it('does not call a part the whole story while more may show', async () => {
    const { server, gateway, clock, prepared, ours } = await sent()
    server.pages = [[ours(trade('a', '60'))]]
    expect(await gateway.query(prepared)).toMatchObject({ kind: 'unknown' })
    server.record = { status: 'CANCELED', size_matched: '24', associate_trades: ['a'] }
    expect(await gateway.query(prepared)).toMatchObject({ kind: 'partial', filledE6: 60_000_000 })
    server.record = undefined
    clock.advanceMs(20_000)
    expect(await gateway.query(prepared)).toMatchObject({ kind: 'partial', filledE6: 60_000_000 })
    server.record = { status: 'CANCELED', size_matched: '24', associate_trades: ['a', 'b'] }
    expect(await gateway.query(prepared)).toMatchObject({ kind: 'unknown' })
    server.record = undefined
    expect(await gateway.query(prepared)).toMatchObject({ kind: 'unknown', matchedTradeIds: ['a', 'b'] })
  })

  describe('that the venue said has matched', () => {
    const HASHES = ['0xaaaa', '0xbbbb']
    it.each<[string, object, readonly string[]]>([
      ['without a status', { tradeIDs: ['a', 'b'], transactionsHashes: HASHES }, ['a', 'b']],
      ['without a status or hashes', { tradeIDs: ['a', 'b'] }, ['a', 'b']],
      ['by its transactions alone', { transactionsHashes: HASHES }, []],
      ['by amounts alone', { makingAmount: '40', takingAmount: '100' }, []],
      ['without amounts', { status: 'matched' }, []],
      ['for more than the order', { status: 'matched', makingAmount: '41', takingAmount: '100' }, []],
      ['live, with trades', { status: 'live', tradeIDs: ['a', 'b'] }, ['a', 'b']],
      ['with an error beside it', { errorMsg: 'odd', tradeIDs: ['a', 'b'] }, ['a', 'b']],
    ])('%s: is never none before its trades show, in a later process either', async (_, answer, ids) => {
      const { server, gateway, clock } = await start()
      server.script = (id) => accepted(id, answer)
      const prepared = gateway.prepare(request(), market)
      const known = { kind: 'unknown', matchedTradeIds: ids }
      expect(await gateway.send(prepared, once, mayGo)).toMatchObject(known)
      const later = (await start({ restUrl: server.url, clock })).gateway
      const restored = { ...prepared, sentMs: clock.nowMs(), matchedTradeIds: ids }
      for (const ms of [0, 11_100, 10_000, 20_000]) {
        clock.advanceMs(ms)
        expect(await gateway.query(prepared)).toMatchObject(known)
        expect(await later.query(restored)).toMatchObject(known)
      }
      const shown = { taker_order_id: prepared.venueOrderId }
      server.pages = [[trade('a', '60', '0.4', shown)]]
      const story = ids.length === 0 ? 'partial' : 'unknown'
      for (const one of [await gateway.query(prepared), await later.query(restored)]) {
        expect(one).toMatchObject({ kind: story, filledE6: 60_000_000 })
      }
      server.pages = [[trade('a', '60', '0.4', shown), trade('b', '30', '0.4', shown)]]
      expect(await later.query(restored)).toMatchObject({ kind: 'partial', filledE6: 90_000_000 })
      expect(server.refused).toEqual([])
    })

    it('is none when each of its trades has failed, and not before', async () => {
      const { server, gateway, clock, prepared, ours } = await sent({
        status: 200,
        body: { success: true, errorMsg: null, orderID: '0x1', tradeIDs: ['a', 'b'] },
      })
      clock.advanceMs(30_000)
      server.pages = [[ours(trade('a', '60', '0.4', { status: 'FAILED' }))]]
      expect(await gateway.query(prepared)).toMatchObject({ kind: 'unknown' })
      server.pages = [[...server.pages[0]!, ours(trade('b', '40', '0.4', { status: 'FAILED' }))]]
      expect(await gateway.query(prepared)).toMatchObject({ kind: 'none' })
    })

    it('has its trades asked for by their ids where the list does not show them', async () => {
      const { server, gateway, prepared, ours } = await sent({
        status: 200,
        body: { success: true, errorMsg: null, orderID: '0x1', tradeIDs: ['a', 'b'] },
      })
      server.pages = [[ours(trade('a', '60'))]]
      server.unlisted = [ours(trade('b', '40'))]
      expect(await gateway.query(prepared)).toMatchObject({ kind: 'filled', filledE6: 100_000_000 })
    })

    it.each([
      ['MATCHED, with its trades', { status: 'MATCHED', size_matched: '40', associate_trades: ['a'] }, ['a']],
      ['MATCHED', { status: 'MATCHED', size_matched: '' }, []],
      ['CANCELED after a part', { status: 'CANCELED', size_matched: '4' }, []],
    ])('in a record that is gone, %s, is not none', async (_, record, matchedTradeIds) => {
      const { server, gateway, clock, prepared } = await sent()
      server.record = record
      await gateway.query(prepared)
      server.record = undefined
      clock.advanceMs(30_000)
      expect(await gateway.query(prepared)).toMatchObject({ kind: 'unknown', matchedTradeIds })
      expect(server.refused).toEqual([])
    })
  })

  it('is not hurried by a wall clock that is set forward, nor kept by one that is set back', async () => {
    const { gateway, clock, prepared } = await sent()
    const early = gateway.prepare(request({ orderId: 'order-2', signalMs: clock.nowMs() }), market)
    const future = gateway.prepare(
      request({ orderId: 'order-3', signalMs: clock.nowMs() + 3_600_000 }),
      market,
    )
    const kinds = async () =>
      Promise.all([prepared, early, future].map(async (each) => (await gateway.query(each)).kind))
    expect(await kinds()).toEqual(['unknown', 'unknown', 'unknown'])
    clock.jumpTo(clock.nowMs() + 12_000)
    expect(await kinds()).toEqual(['unknown', 'unknown', 'unknown'])
    clock.jumpTo(clock.nowMs() - 30_000)
    clock.advanceMs(11_100)
    expect(await kinds()).toEqual(['none', 'none', 'none'])
  })

  it.each([
    [
      'canceled with nothing',
      { status: "CANCELED_order couldn't be fully filled", size_matched: '' },
      { kind: 'none' },
    ],
    ['unmatched', { status: 'ORDER_STATUS_UNMATCHED', size_matched: '0' }, { kind: 'none' }],
    ['matched, trades to come', { status: 'MATCHED', size_matched: '40' }, { kind: 'unknown' }],
    ['canceled with a part, trades to come', { status: 'CANCELED', size_matched: '4' }, { kind: 'unknown' }],
    ['still live', { status: 'LIVE', size_matched: '0' }, { kind: 'unknown' }],
    ['a record of another form', { state: 'x' }, { kind: 'unknown' }],
  ])('reads a record: %s', async (_, record, expected) => {
    const { server, gateway, prepared } = await sent()
    server.record = record
    expect(await gateway.query(prepared)).toMatchObject(expected)
  })

  it.each([
    ['the venue cancels', true, 'it is canceled'],
    ['the venue does not cancel', false, 'it is not canceled'],
  ])('takes an order off that rests, once, where %s', async (_, isCanceled, words) => {
    const notices: string[] = []
    const { server, gateway } = await start({ onNotice: (_level, text) => notices.push(text) })
    server.script = (id) => accepted(id, { status: 'live' })
    const prepared = gateway.prepare(request(), market)
    expect(await gateway.send(prepared, once, mayGo)).toMatchObject({ kind: 'unknown' })
    server.record = { status: 'LIVE', size_matched: '0', associate_trades: [] }
    server.cancels = isCanceled
    for (let asked = 0; asked < 3; asked++) {
      expect(await gateway.query(prepared)).toMatchObject({ kind: 'unknown' })
    }
    expect(server.requests.filter((each) => each.startsWith('DELETE'))).toEqual(['DELETE /order'])
    expect(server.canceled).toEqual([prepared.venueOrderId])
    expect(notices.join()).toContain(words)
    expect(server.refused).toEqual([])
    server.record = { status: 'CANCELED', size_matched: '0', associate_trades: [] }
    expect(await gateway.query(prepared)).toMatchObject({ kind: 'none' })
  })

  it('does not count a match that the venue gave up', async () => {
    const { server, gateway, prepared, ours } = await sent()
    server.pages = [[ours(trade('a', '100', '0.4', { status: 'TRADE_STATUS_FAILED' }))]]
    expect(await gateway.query(prepared)).toMatchObject({ kind: 'none' })
    server.pages = [[...server.pages[0]!, ours(trade('b', '40'))]]
    const filled = (filledE6: number) => ({ venueOrderId: prepared.venueOrderId!, filledE6 })
    // Of a fill that was told without it, it is none; of one that was told before it failed, it is.
    expect(await gateway.report(prepared, filled(40_000_000))).toMatchObject({ venueTradeIds: ['b'] })
    expect(await gateway.report(prepared, filled(140_000_000))).toMatchObject({ venueTradeIds: ['a', 'b'] })
  })

  it.each([
    ['MATCHED', 'pending'],
    ['MATCHED_NOT_BROADCASTED', 'pending'],
    ['MINED', 'pending'],
    ['RETRYING', 'pending'],
    ['CONFIRMED', 'confirmed'],
    ['FAILED', 'voided'],
    ['REVIEWING', 'pending'],
    ['NOT_FAILED', 'pending'],
  ] as const)('takes a trade that is %s for %s, with the prefix too', async (status, settled) => {
    const { server, gateway, prepared, ours } = await sent()
    for (const word of [status, `TRADE_STATUS_${status}`, status.toLowerCase()]) {
      server.pages = [
        [
          ours(trade('a', '60', '0.4', { status: word })),
          ours(trade('b', '40', '0.4', { status: 'CONFIRMED' })),
        ],
      ]
      expect(await gateway.settlement(prepared, ['a', 'b'])).toEqual({
        confirmedE6: settled === 'confirmed' ? 100_000_000 : 40_000_000,
        voidedE6: settled === 'voided' ? 60_000_000 : 0,
        isFinal: settled !== 'pending',
      })
    }
    expect(server.requests.at(-1)).toBe('GET /data/trades')
  })

  it('cannot say how a fill settles while one of its trades is not shown, or is of another order', async () => {
    const { server, gateway, prepared, ours } = await sent()
    server.pages = [[ours(trade('a', '60')), trade('b', '40', '0.4', { taker_order_id: '0xother' })]]
    for (const id of ['b', 'c']) {
      await expect(gateway.settlement(prepared, ['a', id])).rejects.toMatchObject({
        code: 'TRADES_UNREADABLE',
      })
    }
    server.queryStatus = 500
    await expect(gateway.settlement(prepared, ['a'])).rejects.toMatchObject({ code: 'TRADES_UNREADABLE' })
  })

  it.each([
    ['an error', (server: OrderServer) => (server.queryStatus = 500)],
    [
      'a trade without a price',
      (server: OrderServer, ours: <T extends object>(row: T) => T) =>
        (server.pages = [[ours(trade('a', '1', 'free'))]]),
    ],
    ['rows that are no objects', (server: OrderServer) => (server.pages = [['x']])],
  ])('is unknown on %s', async (_, arrange) => {
    const { server, gateway, prepared, ours, clock } = await sent()
    clock.advanceMs(60_000)
    arrange(server, ours)
    expect(await gateway.query(prepared)).toMatchObject({ kind: 'unknown' })
  })

  it('reports cash by the trades and fees by the schedule, once they add up', async () => {
    const { server, gateway, prepared, ours } = await sent()
    const filled = { venueOrderId: prepared.venueOrderId!, filledE6: 100_000_000 }
    server.pages = [[ours(trade('a', '60', '0.39'))]]
    await expect(gateway.report(prepared, filled)).rejects.toMatchObject({ code: 'FILLS_NOT_VISIBLE' })
    server.pages = [[ours(trade('a', '60', '0.39')), ours(trade('b', '40.00001', '0.4'))]]
    expect(await gateway.report(prepared, filled)).toEqual({
      // 60 x 0.39 + 40.00001 x 0.4
      cashMicros: 39_400_004,
      // 0.05 x 60 x 0.39 x 0.61 = 0.7137; 0.05 x 40.00001 x 0.24 = 0.48000012, up to 0.48001
      feesMicros: 713_700 + 480_010,
      venueTradeIds: ['a', 'b'],
    })
  })

  const maker = (asset: string, amount: string, price: string) => ({
    asset_id: asset,
    matched_amount: amount,
    price,
  })
  it.each<[string, Partial<OrderRequest>, number, object, object]>([
    [
      'the prices of its makers, of the other token by their complement',
      {},
      100_000_000,
      { size: '100', price: '0.4', maker_orders: [maker(YES, '60', '0.38'), maker(NO, '40', '0.65')] },
      // 60 x 0.38 + 40 x 0.35; fees 0.05 x (60 x 0.38 x 0.62 + 40 x 0.35 x 0.65)
      { cashMicros: 36_800_000, feesMicros: 706_800 + 455_000 },
    ],
    [
      'its own price where its makers do not add up',
      {},
      100_000_000,
      { size: '100', price: '0.4', maker_orders: [maker(YES, '60', '0.38')] },
      { cashMicros: 40_000_000 },
    ],
    [
      'a price of many decimals, rounded up for a buy',
      {},
      60_000_000,
      { size: '60', price: '0.3833333333' },
      { cashMicros: 23_000_040 },
    ],
    [
      'a price of many decimals, rounded down for a sell',
      { side: 'sell', sizeE2: 6000, limitE4: 3000 },
      60_000_000,
      { size: '60', price: '0.3833333333' },
      { cashMicros: 22_999_980 },
    ],
    [
      'makers of many decimals for a buy',
      {},
      60_000_000,
      {
        size: '60',
        price: '0.4',
        maker_orders: [maker(YES, '30', '0.3833333333'), maker(NO, '30', '0.6166666667')],
      },
      { cashMicros: 30 * 383_334 * 2 },
    ],
    [
      'a size of two decimals for a buy that took more',
      {},
      10_526_315,
      { size: '10.52', price: '0.38' },
      { cashMicros: 4_000_000 },
    ],
    [
      'a size of two decimals for a sell that gave more',
      { side: 'sell', sizeE2: 6000, limitE4: 3000 },
      10_526_315,
      { size: '10.52', price: '0.38' },
      { cashMicros: 3_997_600 },
    ],
  ])('reports the cash of a trade by %s', async (_, order, filledE6, row, expected) => {
    const { server, gateway, prepared, ours } = await sent('cut', order)
    server.pages = [[ours(trade('a', '1', '0.4', { asset_id: YES, ...row }))]]
    const filled = { venueOrderId: prepared.venueOrderId!, filledE6 }
    expect(await gateway.report(prepared, filled)).toMatchObject(expected)
    // A hundredth of a share is not to be lost.
    const more = gateway.report(prepared, { ...filled, filledE6: filledE6 + 10_000 })
    await expect(more).rejects.toMatchObject({ code: 'FILLS_NOT_VISIBLE' })
  })

  it('rounds a micro-dollar against us, on either side', async () => {
    for (const [side, cashMicros] of [
      ['buy', 4_000_001],
      ['sell', 4_000_000],
    ] as const) {
      const { server, gateway, prepared, ours } = await sent('cut', { side, sizeE2: 1000 })
      server.pages = [[ours(trade('a', '10.000001', '0.4'))]]
      const filled = { venueOrderId: prepared.venueOrderId!, filledE6: 10_000_001 }
      expect(await gateway.report(prepared, filled)).toMatchObject({ cashMicros })
    }
  })
})

describe('warming', () => {
  it('opens a connection and refuses a venue of another order version', async () => {
    const { server, gateway } = await start()
    await gateway.warm()
    expect(server.requests).toEqual(['GET /api/geoblock', 'GET /version'])
    server.version = 3
    await expect(gateway.warm()).rejects.toMatchObject({ code: 'ORDER_VERSION_UNSUPPORTED', exit: 7 })
  })

  it.each<[string, number, unknown]>([
    ['an error', 500, { version: 2 }],
    ['a page', 200, '<html>try later</html>'],
    ['no version', 200, {}],
    ['a version that is none', 200, { version: null }],
    ['an empty version', 200, { version: '' }],
  ])('fails closed where the venue answers the version with %s', async (_, status, body) => {
    const { server, gateway } = await start()
    server.versionAnswer = { status, body }
    await expect(gateway.warm()).rejects.toMatchObject({ code: 'VENUE_BAD_ANSWER', exit: 6 })
  })

  it('says what cannot be reached', async () => {
    const { gateway } = await start({ restUrl: 'http://127.0.0.1:1' })
    await expect(gateway.warm()).rejects.toMatchObject({ code: 'VENUE_UNREACHABLE', exit: 6 })
  })

  it.each([
    [
      'says that it does not serve us',
      { blocked: true, country: 'US', region: 'NY' },
      'does not serve US NY',
    ],
    ['does not say so', { country: 'CA' }, 'does not say that it serves CA'],
    ['says so as a text', { blocked: 'false' }, 'does not say that it serves this region'],
    ['answers something else', [], 'does not say that it serves this region'],
    ['names a place of many letters', { blocked: true, country: 'X'.repeat(500) }, 'X…'],
  ])('fails closed, before it asks for anything else, where the venue %s', async (_, answer, words) => {
    const { server, gateway } = await start()
    server.geoblock = answer
    const refusal = await gateway.warm().catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'REGION_BLOCKED', exit: 7 })
    expect((refusal as Error).message).toContain(words)
    expect(server.requests).toEqual(['GET /api/geoblock'])
  })

  it('fails closed where nobody says that the venue serves us', async () => {
    for (const geoblockUrl of ['http://127.0.0.1:1/api/geoblock', undefined]) {
      const { server, gateway } = await start(geoblockUrl === undefined ? {} : { geoblockUrl })
      if (geoblockUrl === undefined) server.geoblock = '<html>try later</html>'
      await expect(gateway.warm()).rejects.toMatchObject({ exit: 6 })
      expect(server.orders).toEqual([])
    }
  })
})

const root = process.env.ARBEES_FIXTURES
const folder = root === undefined ? '' : join(root, 'polymarket')
const fixture = (name: string) => ({
  kind: 'answer' as const,
  status: name.endsWith('500') ? 500 : 200,
  text: readFileSync(join(folder, `${name}.json`), 'utf8'),
})

describe.skipIf(root === undefined || !existsSync(folder))('recorded order answers (ARBEES_FIXTURES)', () => {
  const amounts = { makerE6: 40_000_000n, takerE6: 100_000_000n, sizeE2: 10_000 }
  it.each([
    // Accepted without a status: ask, do not assume.
    ['http_order_response_async_exec', { kind: 'unknown', matchedTradeIds: ['trade-0x001', 'trade-0x002'] }],
    [
      'http_order_response_trade_ids_only',
      { kind: 'unknown', matchedTradeIds: ['trade-0x101', 'trade-0x102'] },
    ],
    ['rs_http_order_response_ok', { kind: 'unknown' }],
    ['rs_http_order_response_failed', { kind: 'rejected', code: 'INSUFFICIENT_BALANCE' }],
    ['rs_http_order_response_error_500', { kind: 'unknown' }],
  ])('%s', (name, expected) => {
    expect(outcomeOf(fixture(name), 'buy', amounts, '0x1')).toMatchObject(expected)
  })

  it('an open order, its trades and their page', () => {
    const id = '0x1234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdef12'
    expect(readOrder(fixture('rs_http_open_order'))).toEqual({
      kind: 'order',
      status: 'LIVE',
      tradeIds: ['0xabc001'],
      matchedNothing: false,
      isMatched: true,
    })
    expect(readTrades(fixture('rs_http_trades_page'), id, 'buy')).toEqual({
      trades: [
        {
          id: 'trade-0x001',
          sizeE6: 10_000_000n,
          matches: [{ priceE6: 500_000n, sizeE6: 10_000_000n }],
          settled: 'pending',
        },
      ],
      nextCursor: undefined,
    })
  })

  it('a trade with makers of both tokens, and one whose makers do not add up', () => {
    const read = (name: string) => {
      const row = JSON.parse(fixture(name).text) as { readonly taker_order_id: string }
      const text = JSON.stringify({ data: [row], next_cursor: 'LTE=' })
      return readTrades({ kind: 'answer', status: 200, text }, row.taker_order_id, 'buy')?.trades[0]
    }
    const { sizeE6, matches } = read('py_ws_messages_user_trade1')!
    expect(matches.map(({ priceE6 }) => priceE6)).toEqual(Array.from({ length: 6 }, () => 518_000n))
    expect(matches.reduce((sum, match) => sum + match.sizeE6, 0n)).toBe(sizeE6)
    expect(read('rs_http_trade_report')?.matches).toEqual([{ priceE6: 500_000n, sizeE6: 25_000_000n }])
  })

  it('a signed order has the fields of ours', async () => {
    const { gateway } = await start()
    const { order } = JSON.parse(gateway.prepare(request(), market).body) as OrderBody
    const recorded = JSON.parse(fixture('rs_http_signed_order').text) as object
    expect(Object.keys(order).sort()).toEqual(Object.keys(recorded).sort())
    for (const [field, value] of Object.entries(recorded)) {
      expect([field, typeof order[field as keyof typeof order]]).toEqual([field, typeof value])
    }
  })
})
