import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { sleep } from '../../../../src/lib/core/backoff.js'
import { ManualClock, systemClock } from '../../../../src/lib/core/clock.js'
import { ArbeesError } from '../../../../src/lib/core/errors.js'
import type { OrderRequest } from '../../../../src/lib/model/order.js'
import type { OrderOutcome, Withheld } from '../../../../src/lib/venues/ports.js'
import { KalshiGateway, type KalshiGatewayOptions } from '../../../../src/lib/venues/kalshi/gateway.js'
import { until as poll } from '../../poll.js'
import { HttpVenue, type Answer, type ReceivedRequest } from './http-venue.js'
import { KEY_ID, rsaCredentials } from './keys.js'
import { gameMarket } from './markets.js'
import { until } from './until.js'
import { VenueServer } from './venue-server.js'

const credentials = rsaCredentials()
const TICKER = 'KXNBAGAME-26JUN13NYKSAS-NYK'
const CREATE = '/portfolio/events/orders'
const ORDER_ID = '2b8394e0515e4b89b624f34067756855'
const VENUE_ID = '97ec18b7-10d3-4557-9de0-8598aad625f0'

const mayGo = (): boolean => true

let venue: HttpVenue
let gateways: KalshiGateway[] = []
beforeEach(async () => {
  venue = await HttpVenue.start(credentials.privateKey)
})
afterEach(async () => {
  for (const gateway of gateways) await gateway.close()
  gateways = []
  await venue.close()
})

function connect(more: Partial<KalshiGatewayOptions> = {}): KalshiGateway {
  const gateway = new KalshiGateway({ baseUrl: venue.baseUrl, credentials, clock: systemClock, ...more })
  gateways.push(gateway)
  return gateway
}

function request(more: Partial<OrderRequest> = {}): OrderRequest {
  return {
    orderId: ORDER_ID,
    signalId: 's',
    leg: 0,
    attempt: 0,
    venue: 'kalshi',
    marketId: TICKER,
    outcome: 'yes',
    side: 'buy',
    limitE4: 5200,
    sizeE2: 250,
    signalMs: 1,
    ...more,
  }
}

const error = (status: number, code: string): Answer => ({ status, body: { error: { code, message: code } } })
const created = (fillCount: unknown, more: object = {}): Answer => {
  const body = {
    order_id: VENUE_ID,
    client_order_id: ORDER_ID,
    fill_count: fillCount,
    remaining_count: '0.00',
    ts_ms: 1,
  }
  return { status: 201, body: { ...body, ...more } }
}

async function outcomeOf(
  answer: Answer,
  options: Partial<KalshiGatewayOptions> = {},
): Promise<OrderOutcome | Withheld> {
  const gateway = connect(options)
  venue.answer = () => answer
  return gateway.send(gateway.prepare(request(), gameMarket()), () => undefined, mayGo)
}

describe('Kalshi orders', () => {
  it.each([
    ['yes', 'buy', 5200, 'bid', '0.5200'],
    ['yes', 'sell', 5200, 'ask', '0.5200'],
    ['no', 'buy', 3300, 'ask', '0.6700'],
    ['no', 'sell', 3300, 'bid', '0.6700'],
  ] as const)('%s %s at %i is a %s at %s on the YES book', (outcome, side, limitE4, bookSide, price) => {
    const prepared = connect().prepare(request({ outcome, side, limitE4 }), gameMarket({ exchangeIndex: 3 }))
    expect(JSON.parse(prepared.body)).toEqual({
      ticker: TICKER,
      side: bookSide,
      count: '2.50',
      price,
      time_in_force: 'immediate_or_cancel',
      self_trade_prevention_type: 'taker_at_cross',
      client_order_id: ORDER_ID,
      exchange_index: 3,
    })
    expect(prepared.sizeE2).toBe(250)
  })

  it('names no shard that it does not know', () => {
    expect(JSON.parse(connect().prepare(request(), gameMarket()).body)).not.toHaveProperty('exchange_index')
  })

  it.each([
    ['a price off the tick', { limitE4: 5250 }, {}],
    ['a price of nothing', { limitE4: 0 }, {}],
    ['a price of a whole dollar', { limitE4: 10_000 }, {}],
    ['a fractional price', { limitE4: 5200.5 }, {}],
    ['a size off the step', { sizeE2: 250 }, { sizeStepE2: 100 }],
    ['a size below the least', { sizeE2: 1 }, { minSizeE2: 100 }],
    ['no size', { sizeE2: 0 }, {}],
    ['a negative size', { sizeE2: -100 }, {}],
    ['an id that the venue refuses', { orderId: 'a.b' }, {}],
    ['another market', { marketId: 'KXOTHER' }, {}],
    ['another venue', { venue: 'poly' }, {}],
  ] as const)('cannot express %s', (_, order, market) => {
    const gateway = connect()
    expect(() => gateway.prepare(request(order), gameMarket(market))).toThrowError(ArbeesError)
  })

  it('sends the stored body, signed, and tells when the bytes are out', async () => {
    const gateway = connect()
    venue.answer = () => created('2.50')
    const prepared = gateway.prepare(request(), gameMarket())
    const told: number[] = []
    const outcome = await gateway.send(prepared, () => told.push(venue.requests.length), mayGo)
    expect(outcome).toEqual({ kind: 'filled', venueOrderId: VENUE_ID, filledE6: 2_500_000 })
    expect(told).toEqual([0])
    expect(venue.requests).toMatchObject([
      { method: 'POST', path: CREATE, signature: 'ok', body: prepared.body },
    ])
  })

  it.each([
    ['2.50', { kind: 'filled', venueOrderId: VENUE_ID, filledE6: 2_500_000 }],
    ['1.00', { kind: 'partial', venueOrderId: VENUE_ID, filledE6: 1_000_000 }],
    ['0.01', { kind: 'partial', venueOrderId: VENUE_ID, filledE6: 10_000 }],
    ['0.00', { kind: 'none', venueOrderId: VENUE_ID }],
  ])('a fill count of %s of 2.50, with nothing remaining', async (count, expected) => {
    expect(await outcomeOf(created(count))).toEqual(expected)
  })

  it.each([
    ['no fill count', created(undefined)],
    ['a fill count as a number', created(2.5)],
    ['more than was asked', created('2.51')],
    ['a negative fill count', created('-1.00')],
    ['no order id', created('2.50', { order_id: undefined })],
    ["another order's id", created('2.50', { client_order_id: 'other' })],
    ['a body that is no JSON', { status: 201, body: '<html>' }],
    ['an empty body', { status: 201, body: '' }],
    ['accepted for later', { status: 202, body: { order_id: VENUE_ID, fill_count: '0.00' } }],
    ['a server error', error(500, 'internal_error')],
    ['a bad gateway in HTML', { status: 502, body: '<html>Bad Gateway</html>' }],
    ['a gateway timeout', { status: 504, body: '' }],
    ['a request timeout', error(408, 'timeout')],
    ['a redirect', { status: 302, body: '' }],
    ['a refusal in HTML, by nobody knows whom', { status: 400, body: '<html>Bad Request</html>' }],
    ['an order that already exists', error(409, 'order_already_exists')],
    ['a conflict never seen', error(409, 'some_new_conflict')],
    ['a cut after it was read', 'cut'],
  ] as [string, Answer][])('%s is unknown', async (_, answer) => {
    expect(await outcomeOf(answer)).toMatchObject({ kind: 'unknown', reason: expect.any(String) as string })
    expect(venue.of(CREATE)).toHaveLength(1)
  })

  it('no answer in time is unknown, and the order is not sent again', async () => {
    const outcome = await outcomeOf('hang', { orderTimeoutMs: 150 })
    expect(outcome).toMatchObject({ kind: 'unknown', reason: expect.stringContaining('timeout') as string })
    expect(venue.of(CREATE)).toHaveLength(1)
  })

  it.each([
    ['usual shape', error(400, 'insufficient_balance'), 'insufficient_balance'],
    [
      'with details',
      { status: 400, body: { error: { code: 'invalid_order', message: 'm', details: 'post only cross' } } },
      'invalid_order',
    ],
    [
      'flat shape',
      { status: 400, body: { code: 'bad_request', message: 'bad request', details: 'json' } },
      'bad_request',
    ],
    ['bare msg', { status: 400, body: { msg: 'Parameter validation failed' } }, 'http_400'],
    ['429 as text', { status: 429, body: { error: 'too many requests' } }, 'http_429'],
    ['429 of a CDN', { status: 429, body: '<html>slow down</html>' }, 'http_429'],
    ['expired timestamp', error(401, 'header_timestamp_expired'), 'header_timestamp_expired'],
    ['shard without money', error(404, 'insufficient_shard_balance'), 'insufficient_shard_balance'],
    ['removed endpoint', error(410, 'deprecated_v1_order_endpoint'), 'deprecated_v1_order_endpoint'],
    ['trading paused', { status: 409, body: { error: { code: 'trading_is_paused' } } }, 'trading_is_paused'],
    ['exchange paused', error(409, 'exchange_is_paused'), 'exchange_is_paused'],
    ['market closed', error(409, 'market_closed'), 'market_closed'],
    [
      'no volume',
      error(409, 'fill_or_kill_insufficient_resting_volume'),
      'fill_or_kill_insufficient_resting_volume',
    ],
  ] as [string, Answer, string][])('a documented refusal is rejected: %s', async (_, answer, code) => {
    expect(await outcomeOf(answer)).toMatchObject({ kind: 'rejected', code })
  })

  it('an order of which no byte left is rejected, not unknown', async () => {
    const gateway = connect()
    const prepared = gateway.prepare(request(), gameMarket())
    await venue.close()
    const outcome = await gateway.send(prepared, () => expect.unreachable('no byte left'), mayGo)
    expect(outcome).toMatchObject({ kind: 'rejected', code: 'not_sent' })
    venue = await HttpVenue.start(credentials.privateKey)
  })

  it('names its account, the key id unless it is told another', () => {
    expect([connect().account, connect({ account: 'desk' }).account]).toEqual([KEY_ID, 'desk'])
  })
})

describe('Kalshi order connections', () => {
  it('warming opens them, orders use them, and reads stay off them', async () => {
    venue.answer = ({ path }) =>
      path === CREATE ? created('2.50') : { status: 200, body: { orders: [], cursor: '' } }
    const gateway = connect({ keepWarmMs: 0 })
    await gateway.warm()
    const warmed = new Set(venue.of('/portfolio/balance').map(({ socket }) => socket))
    expect(warmed.size).toBe(2)
    expect(venue.of('/portfolio/balance').map(({ signature }) => signature)).toEqual(['ok', 'ok'])
    const prepared = gateway.prepare(request(), gameMarket())
    await gateway.query(prepared)
    await gateway.send(prepared, () => undefined, mayGo)
    expect(warmed.has(venue.of(CREATE)[0]!.socket)).toBe(true)
    expect(warmed.has(venue.of('/portfolio/orders')[0]!.socket)).toBe(false)
  })

  it('are kept warm while they are idle, until close', async () => {
    venue.answer = () => ({ status: 200, body: {} })
    const gateway = connect({ keepWarmMs: 20 })
    await gateway.warm()
    await until('kept warm', () => venue.requests.length >= 6)
    expect(venue.sockets.size).toBeLessThanOrEqual(4)
    await gateway.close()
  })

  it('an order that waits for one is asked again before its first byte, and one kept back never arrives', async () => {
    const held: ReceivedRequest[] = []
    venue.answer = (received) => {
      held.push(received)
      return 'hang'
    }
    const gateway = connect({ keepWarmMs: 0, orderTimeoutMs: 300 })
    const prepared = (orderId: string) => gateway.prepare(request({ orderId }), gameMarket())
    let halted = false
    const send = (orderId: string) =>
      gateway.send(
        prepared(orderId),
        () => undefined,
        () => !halted,
      )
    const slow = Array.from({ length: 6 }, (_, index) => send(`slow-${index}`))
    await until('every connection is taken', () => held.length === 6)
    const waiting = gateway.send(
      prepared('waiting'),
      () => expect.unreachable('no byte may leave'),
      () => !halted,
    )
    halted = true
    // The connections are free again, and the one who waits is next.
    for (const { socket } of held) socket.destroy()
    expect(await waiting).toEqual({ kind: 'withheld' })
    expect(new Set((await Promise.all(slow)).map(({ kind }) => kind))).toEqual(new Set(['unknown']))
    expect(venue.requests.map(({ body }) => body).join()).not.toContain('waiting')
  })

  it('one that was kept back leaves its connection to the next', async () => {
    venue.answer = ({ path }) => (path === CREATE ? created('2.50') : { status: 200, body: {} })
    const gateway = connect({ keepWarmMs: 0 })
    await gateway.warm()
    const opened = venue.sockets.size
    const prepared = gateway.prepare(request(), gameMarket())
    expect(
      await gateway.send(
        prepared,
        () => undefined,
        () => false,
      ),
    ).toEqual({ kind: 'withheld' })
    expect(venue.of(CREATE)).toEqual([])
    expect(await gateway.send(prepared, () => undefined, mayGo)).toMatchObject({ kind: 'filled' })
    expect(venue.sockets.size).toBe(opened)
  })

  it('are free for orders while those who keep them warm hang', async () => {
    venue.answer = ({ path }) => (path === CREATE ? created('2.50') : { status: 200, body: {} })
    const gateway = connect({ keepWarmMs: 10, orderTimeoutMs: 60_000 })
    await gateway.warm()
    venue.answer = () => 'hang'
    await until('hanging', () => venue.of('/portfolio/balance').length >= 4)
    // Time for further ones, were they sent.
    await sleep(50)
    for (let index = 0; index < 4; index++) {
      void gateway.send(
        gateway.prepare(request({ orderId: `o-${index}` }), gameMarket()),
        () => undefined,
        mayGo,
      )
    }
    await until('four orders are with the venue', () => venue.of(CREATE).length === 4)
  })

  it('warming says what is wrong: credentials, or no venue', async () => {
    venue.answer = () => error(401, 'authentication_error')
    await expect(connect().warm()).rejects.toMatchObject({ code: 'KALSHI_CREDENTIALS', exit: 4 })
    venue.answer = () => 'cut'
    await expect(connect().warm()).rejects.toMatchObject({ code: 'KALSHI_UNREACHABLE', exit: 6 })
  })
})

describe('what became of a Kalshi order', () => {
  const listed = (more: object) => ({
    order_id: VENUE_ID,
    client_order_id: ORDER_ID,
    ticker: TICKER,
    status: 'executed',
    fill_count_fp: '2.50',
    remaining_count_fp: '0.00',
    ...more,
  })

  async function queried(pages: Record<string, object>): Promise<OrderOutcome> {
    venue.answer = ({ query }) => ({ status: 200, body: pages[query.get('cursor') ?? '']! })
    const gateway = connect()
    return gateway.query(gateway.prepare(request(), gameMarket()))
  }

  it.each([
    [{}, { kind: 'filled', venueOrderId: VENUE_ID, filledE6: 2_500_000 }],
    [
      { status: 'canceled', fill_count_fp: '1.00' },
      { kind: 'partial', venueOrderId: VENUE_ID, filledE6: 1_000_000 },
    ],
    [
      { status: 'canceled', fill_count_fp: '0.00' },
      { kind: 'none', venueOrderId: VENUE_ID },
    ],
  ])('is found by our id: %j', async (more, expected) => {
    expect(
      await queried({ '': { orders: [listed({ client_order_id: 'x' }), listed(more)], cursor: '' } }),
    ).toEqual(expected)
    expect(venue.of('/portfolio/orders')).toMatchObject([{ method: 'GET', signature: 'ok' }])
    expect(venue.requests[0]!.query.get('ticker')).toBe(TICKER)
  })

  it('is taken off, once and on its own shard, when it is listed as resting', async () => {
    const gateway = connect({ subaccount: 7 })
    const cancels = () => venue.requests.filter(({ method }) => method === 'DELETE')
    venue.answer = ({ method }) => {
      if (method === 'DELETE')
        return { status: 200, body: { order_id: VENUE_ID, reduced_by: '2.50', ts_ms: 1 } }
      const status = cancels().length === 0 ? 'resting' : 'canceled'
      return { status: 200, body: { orders: [listed({ status, fill_count_fp: '1.00' })], cursor: '' } }
    }
    const prepared = gateway.prepare(request(), gameMarket({ exchangeIndex: 3 }))
    expect(await gateway.query(prepared)).toMatchObject({ kind: 'unknown' })
    expect(await gateway.query(prepared)).toEqual({
      kind: 'partial',
      venueOrderId: VENUE_ID,
      filledE6: 1_000_000,
    })
    expect(cancels()).toMatchObject([{ path: `${CREATE}/${VENUE_ID}`, signature: 'ok' }])
    const query = { market_ticker: TICKER, exchange_index: '3', subaccount: '7' }
    expect(Object.fromEntries(cancels()[0]!.query)).toEqual(query)
  })

  it('is known by the account’s channel while the list still lags', async () => {
    const channel = await VenueServer.start([], credentials.privateKey)
    venue.answer = ({ path }) => ({
      status: 200,
      body: { [path.split('/').at(-1)!]: [], market_positions: [] },
    })
    const gateway = connect({ wsUrl: channel.url })
    const prepared = gateway.prepare(request(), gameMarket())
    const none = { positions: new Map(), markets: [], accepted: new Map(), isOurs: () => false }
    gateway.watch(none, () => undefined)
    await until('it has subscribed', () => channel.commands.length === 1)
    expect(channel.handshakes).toEqual(['ok'])
    expect(await gateway.query(prepared)).toMatchObject({ kind: 'unknown' })
    const told = { order_id: VENUE_ID, client_order_id: ORDER_ID, ticker: TICKER }
    const say = (status: string, fill_count_fp: string) =>
      channel.sendText(
        JSON.stringify({ type: 'user_order', sid: 2, msg: { ...told, status, fill_count_fp } }),
      )
    say('resting', '0.00')
    say('canceled', '1.00')
    let outcome: OrderOutcome = { kind: 'unknown', reason: '' }
    for (let asked = 0; outcome.kind === 'unknown' && asked < 100; asked++) {
      outcome = await gateway.query(prepared)
      await sleep(5)
    }
    expect(outcome).toEqual({ kind: 'partial', venueOrderId: VENUE_ID, filledE6: 1_000_000 })
    await gateway.close()
    await channel.close()
  })

  it('is looked at once for redials that follow each other, and its groups after each hole', async () => {
    const channel = await VenueServer.start([], credentials.privateKey)
    const balance = {
      balance_dollars: '9.0000',
      balance_breakdown: [{ exchange_index: 3, balance: '9.0000' }],
    }
    const lists = { orders: [], fills: [], market_positions: [], cursor: '' }
    venue.answer = () => ({ status: 200, body: { ...balance, ...lists, order_group_id: 'g' } })
    const gateway = connect({ wsUrl: channel.url, orderGroup: { contractsLimit: 5, isRequired: false } })
    await gateway.warm()
    const none = { positions: new Map(), markets: [], accepted: new Map(), isOurs: () => false }
    gateway.watch(none, () => undefined)
    for (let dials = 1; dials <= 4; dials++) {
      await until('it has subscribed', () => channel.commands.length === dials)
      // The venue that plays it has answered for one channel.
      for (const sid of [2, 3, 4])
        channel.sendText(JSON.stringify({ type: 'subscribed', id: 1, msg: { channel: 'x', sid } }))
      await sleep(30)
      if (dials < 4) channel.cut()
    }
    expect(venue.of('/portfolio/positions').length).toBeLessThanOrEqual(2)
    const checks = () => venue.of('/portfolio/order_groups/g').length
    expect(checks()).toBe(1)
    const msg = { event_type: 'limit_updated', order_group_id: 'g', ts_ms: 1 }
    for (const seq of [7, 9])
      channel.sendText(JSON.stringify({ type: 'order_group_updates', sid: 4, seq, msg }))
    await until('the group is asked for', () => checks() === 2)
    await gateway.close()
    await channel.close()
  })

  it('that ended without a fill by its channel is asked for in the list, which may know of one', async () => {
    const channel = await VenueServer.start([], credentials.privateKey)
    let orders: object[] = []
    venue.answer = ({ path }) => ({
      status: 200,
      body: { fills: [], market_positions: [], ...(path === '/portfolio/orders' && { orders }) },
    })
    const gateway = connect({ wsUrl: channel.url })
    const prepared = gateway.prepare(request(), gameMarket())
    const none = { positions: new Map(), markets: [], accepted: new Map(), isOurs: () => false }
    gateway.watch(none, () => undefined)
    await until('it has subscribed', () => channel.commands.length === 1)
    const say = (clientId: string, fillCount: string) => {
      const told = { order_id: VENUE_ID, client_order_id: clientId, ticker: TICKER, status: 'canceled' }
      channel.sendText(
        JSON.stringify({ type: 'user_order', sid: 2, msg: { ...told, fill_count_fp: fillCount } }),
      )
    }
    say(ORDER_ID, '0.00')
    // What comes behind it is known: so is the end without a fill.
    const next = gateway.prepare(request({ orderId: 'next' }), gameMarket())
    say('next', '2.50')
    await poll(async () => (await gateway.query(next)).kind === 'filled', 'the channel is read')
    expect(await gateway.query(prepared)).toMatchObject({
      kind: 'unknown',
      reason: expect.stringContaining('no order of this id') as string,
    })
    orders = [listed({ status: 'canceled', fill_count_fp: '1.00' })]
    expect(await gateway.query(prepared)).toMatchObject({ kind: 'partial', filledE6: 1_000_000 })
    await gateway.close()
    await channel.close()
  })

  it('is looked for on every page', async () => {
    const outcome = await queried({
      '': { orders: [listed({ client_order_id: 'x' })], cursor: 'next' },
      next: { orders: [listed({})], cursor: '' },
    })
    expect(outcome.kind).toBe('filled')
    expect(venue.requests).toHaveLength(2)
  })

  it.each([
    ['not listed', { orders: [], cursor: '' }, /no order of this id/],
    [
      'listed as resting, which an IOC never is: the list lags',
      { orders: [listed({ status: 'resting' })], cursor: '' },
      /resting/,
    ],
    ['of a status never seen', { orders: [listed({ status: 'odd' })], cursor: '' }, /odd/],
    ['without a fill count', { orders: [listed({ fill_count_fp: undefined })], cursor: '' }, /fill count/],
    ['in a list that is none', { orders: 'none', cursor: '' }, /unreadable/],
    ['behind a cursor that goes in a circle', { orders: [], cursor: 'again' }, /unreadable/],
  ])('%s: unknown, and why', async (_, page, reason) => {
    const outcome = await queried({ '': page, again: page })
    expect(outcome).toMatchObject({ kind: 'unknown', reason: expect.stringMatching(reason) as string })
  })

  describe('that never reached the venue', () => {
    let lists: { orders: object[]; fills: object[] }
    let clock: ManualClock
    let gateway: KalshiGateway
    beforeEach(() => {
      lists = { orders: [], fills: [] }
      clock = new ManualClock(Date.now())
      venue.answer = ({ method, path }) =>
        method === 'POST' ? 'cut' : { status: 200, body: { ...lists, cursor: '', path } }
      gateway = connect({ clock, subaccount: 7 })
    })
    const prepared = () => gateway.prepare(request({ signalMs: 2_000_000_000 }), gameMarket())
    const sentOnce = async () => {
      expect(await gateway.send(prepared(), () => undefined, mayGo)).toMatchObject({ kind: 'unknown' })
    }
    const askedAfter = async (ms: number) => {
      clock.advanceMs(ms)
      return (await gateway.query(prepared())).kind
    }

    it('is none once two looks, 20 s apart and a minute after it was signed, found nothing of it', async () => {
      await sentOnce()
      expect(await askedAfter(1)).toBe('unknown')
      expect(await askedAfter(59_998)).toBe('unknown')
      expect(venue.of('/portfolio/fills')).toHaveLength(0)
      expect(await askedAfter(1)).toBe('unknown')
      expect(await askedAfter(19_999)).toBe('unknown')
      expect(await askedAfter(1)).toBe('none')
      const query = { ticker: TICKER, min_ts: '1999400', limit: '200', subaccount: '7' }
      expect(Object.fromEntries(venue.of('/portfolio/fills')[0]!.query)).toEqual(query)
    })

    it('of an earlier life is, counted from when this one first asked', async () => {
      clock.advanceMs(1_000_000)
      expect(await askedAfter(0)).toBe('unknown')
      expect(await askedAfter(59_999)).toBe('unknown')
      expect([await askedAfter(30_000), await askedAfter(30_000)]).toEqual(['unknown', 'none'])
    })

    it.each<[string, () => void, () => void]>([
      [
        'the list cannot be read',
        () => (venue.answer = () => error(503, 'unavailable')),
        () => (venue.answer = () => ({ status: 200, body: { ...lists, cursor: '' } })),
      ],
      [
        'a fill is of no listed order',
        () => (lists.fills = [fillOf('another')]),
        () => (lists.orders = [listed({ order_id: 'another', client_order_id: 'x' })]),
      ],
      [
        'a fill is not in the documented form',
        () => (lists.fills = [{ ...fillOf('x'), count_fp: 1 }]),
        () => (lists.fills = []),
      ],
      ['an order has no id', () => (lists.orders = [{ status: 'executed' }]), () => (lists.orders = [])],
    ])('is not while %s: looks count anew', async (_, breaks, mends) => {
      await sentOnce()
      expect(await askedAfter(60_000)).toBe('unknown')
      breaks()
      expect(await askedAfter(30_000)).toBe('unknown')
      mends()
      expect(await askedAfter(30_000)).toBe('unknown')
      expect(await askedAfter(30_000)).toBe('none')
    })

    it('has arrived when its fill is told, whatever the lists say', async () => {
      const channel = await VenueServer.start([], credentials.privateKey)
      gateway = connect({ clock, wsUrl: channel.url })
      venue.answer = ({ method }) =>
        method === 'POST' ? 'cut' : { status: 200, body: { ...lists, market_positions: [], cursor: '' } }
      const alarms: string[] = []
      const before = { positions: new Map(), markets: [], accepted: new Map(), isOurs: () => false }
      gateway.watch(before, ({ text }) => alarms.push(text))
      await until('it has subscribed', () => channel.commands.length === 1)
      await sentOnce()
      const msg = { ...fillOf(VENUE_ID), client_order_id: ORDER_ID, market_ticker: TICKER }
      channel.sendText(JSON.stringify({ type: 'fill', sid: 1, msg }))
      channel.sendText(
        JSON.stringify({ type: 'fill', sid: 1, msg: { ...msg, trade_id: 'told', count_fp: '9.00' } }),
      )
      await until('the channel is read', () => alarms.length === 1)
      for (let look = 0; look < 4; look++) expect(await askedAfter(60_000)).toBe('unknown')
      await gateway.close()
      await channel.close()
    })

    it('leaves its money free again', async () => {
      await gateway.warm().catch(() => undefined)
      const balance = { balance_dollars: '2.0000', balance: 200 }
      venue.answer = ({ method }) =>
        method === 'POST' ? 'cut' : { status: 200, body: { ...lists, ...balance, cursor: '' } }
      await gateway.warm()
      const fits = () => gateway.admit([{ market: gameMarket(), worstMicros: 2e6 }]) === undefined
      expect(fits()).toBe(true)
      await sentOnce()
      expect(fits()).toBe(false)
      await askedAfter(60_000)
      expect(await askedAfter(20_000)).toBe('none')
      await gateway.warm()
      expect(fits()).toBe(true)
    })

    const fillOf = (venueOrderId: string) => ({
      ...{ trade_id: `of ${venueOrderId}`, order_id: venueOrderId, ticker: TICKER, count_fp: '1.00' },
      ...{ yes_price_dollars: '0.5200', fee_cost: '0.017500' },
    })
  })

  it('stays unknown while the venue cannot be asked', async () => {
    venue.answer = () => error(503, 'unavailable')
    const gateway = connect()
    const outcome = await gateway.query(gateway.prepare(request(), gameMarket()))
    expect(outcome).toMatchObject({ kind: 'unknown', reason: expect.stringContaining('503') as string })
  })
})

describe('the money of a Kalshi order', () => {
  const fill = (tradeId: string, more: object = {}) => ({
    trade_id: tradeId,
    order_id: VENUE_ID,
    count_fp: '1.00',
    yes_price_dollars: '0.5200',
    no_price_dollars: '0.4800',
    fee_cost: '0.017500',
    ...more,
  })

  async function reported(fills: object[], filledE6: number, more: Partial<OrderRequest> = {}) {
    venue.answer = () => ({ status: 200, body: { fills, cursor: '' } })
    const gateway = connect()
    return gateway.report(gateway.prepare(request(more), gameMarket()), { venueOrderId: VENUE_ID, filledE6 })
  }

  it('sums cash and fees of every fill at the YES price', async () => {
    const fills = [
      fill('t1'),
      fill('t2', { count_fp: '1.50', yes_price_dollars: '0.5100', fee_cost: '0.026300' }),
    ]
    expect(await reported(fills, 2_500_000)).toEqual({
      cashMicros: 520_000 + 765_000,
      feesMicros: 43_800,
      venueTradeIds: ['t1', 't2'],
    })
    expect(venue.requests[0]!.query.get('order_id')).toBe(VENUE_ID)
  })

  it('takes the NO price for NO, positive for a sell as well', async () => {
    const no = { outcome: 'no', side: 'sell', limitE4: 4800 } as const
    expect(await reported([fill('t1')], 1_000_000, no)).toMatchObject({
      cashMicros: 480_000,
      feesMicros: 17_500,
    })
  })

  it('a fraction of a micro-dollar goes against us', async () => {
    const odd = [fill('t1', { count_fp: '0.01', yes_price_dollars: '0.520050' })]
    expect(await reported(odd, 10_000)).toMatchObject({ cashMicros: 5201 })
    expect(await reported(odd, 10_000, { side: 'sell' })).toMatchObject({ cashMicros: 5200 })
  })

  it("counts a fill once, and no other order's", async () => {
    const fills = [fill('t1'), fill('t1'), fill('t9', { order_id: 'other' })]
    expect(await reported(fills, 1_000_000)).toMatchObject({ cashMicros: 520_000, venueTradeIds: ['t1'] })
  })

  it('reads every page', async () => {
    venue.answer = ({ query }) => {
      const isFirst = query.get('cursor') === null
      return { status: 200, body: { fills: [fill(isFirst ? 't1' : 't2')], cursor: isFirst ? 'next' : '' } }
    }
    const gateway = connect()
    const prepared = gateway.prepare(request(), gameMarket())
    const report = await gateway.report(prepared, { venueOrderId: VENUE_ID, filledE6: 2_000_000 })
    expect(report.venueTradeIds).toEqual(['t1', 't2'])
  })

  it.each([
    ['none yet', [], 'FILLS_NOT_VISIBLE'],
    ['some missing', [fill('t1')], 'FILLS_NOT_VISIBLE'],
    ['too many', [fill('t1', { count_fp: '9.00' })], 'FILLS_DISAGREE'],
    ['no fee', [fill('t1', { fee_cost: undefined })], 'KALSHI_BAD_REPLY'],
    ['no price', [fill('t1', { yes_price_dollars: undefined })], 'KALSHI_BAD_REPLY'],
    ['a price over 1', [fill('t1', { yes_price_dollars: '1.0100' })], 'KALSHI_BAD_REPLY'],
    ['a negative count', [fill('t1', { count_fp: '-1.00' })], 'KALSHI_BAD_REPLY'],
    ['no id', [fill('t1', { trade_id: undefined })], 'KALSHI_BAD_REPLY'],
  ])('%s: refuses to guess', async (_, fills, code) => {
    await expect(reported(fills, 2_000_000)).rejects.toMatchObject({ code })
  })

  it('a venue that cannot be asked is unreachable', async () => {
    venue.answer = () => error(500, 'internal_error')
    const gateway = connect()
    const asked = gateway.report(gateway.prepare(request(), gameMarket()), {
      venueOrderId: VENUE_ID,
      filledE6: 1,
    })
    await expect(asked).rejects.toMatchObject({ exit: 6 })
  })
})
