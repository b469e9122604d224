import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { systemClock } from '../../../../src/lib/core/clock.js'
import type { GameMarket } from '../../../../src/lib/model/game.js'
import { KalshiAccount } from '../../../../src/lib/venues/kalshi/account.js'
import { KalshiGateway, type KalshiGatewayOptions } from '../../../../src/lib/venues/kalshi/gateway.js'
import { OrderGroups } from '../../../../src/lib/venues/kalshi/order-groups.js'
import { RatedRest } from '../../../../src/lib/venues/kalshi/rated-rest.js'
import { KalshiRates } from '../../../../src/lib/venues/kalshi/rates.js'
import type { RestResult } from '../../../../src/lib/venues/kalshi/rest-result.js'
import { KalshiRest } from '../../../../src/lib/venues/kalshi/rest.js'
import type { OrderOutcome, Withheld } from '../../../../src/lib/venues/ports.js'
import { until } from '../../poll.js'
import { AccountVenue } from './account-venue.js'
import { HttpVenue } from './http-venue.js'
import { rsaCredentials } from './keys.js'
import { gameMarket } from './markets.js'
import { VenueServer } from './venue-server.js'

const credentials = rsaCredentials()
const CREATE = '/portfolio/events/orders'
const ON_3 = gameMarket({ exchangeIndex: 3 })
const ON_0 = gameMarket({ exchangeIndex: 0, marketId: 'KXNFLGAME-26NOV23BUFMIA-BUF' })

let http: HttpVenue
let venue: AccountVenue
let gateways: KalshiGateway[] = []
const notices: string[] = []
const brakes: string[] = []
beforeEach(async () => {
  http = await HttpVenue.start(credentials.privateKey)
  venue = new AccountVenue(http)
})
afterEach(async () => {
  for (const gateway of gateways) await gateway.close()
  gateways = []
  notices.length = brakes.length = 0
  await http.close()
})

async function warmed(more: Partial<KalshiGatewayOptions> = {}): Promise<KalshiGateway> {
  const gateway = new KalshiGateway({
    baseUrl: http.baseUrl,
    credentials,
    clock: systemClock,
    keepWarmMs: 0,
    orderGroup: { contractsLimit: 50, isRequired: true },
    onNotice: (_, text) => notices.push(text),
    onBrake: (reason) => brakes.push(reason),
    ...more,
  })
  gateways.push(gateway)
  await gateway.warm()
  return gateway
}

let orders = 0
function send(
  gateway: KalshiGateway,
  {
    market = ON_3,
    leg = 0,
    attempt = 0,
    sizeE2 = 1000,
  }: { market?: GameMarket; leg?: number; attempt?: number; sizeE2?: number } = {},
): Promise<OrderOutcome | Withheld> {
  const { marketId } = market
  const ids = { orderId: `order-${++orders}`, signalId: 's', leg, attempt }
  const terms = { outcome: 'yes', side: 'buy', limitE4: 5000, sizeE2, signalMs: 1 } as const
  const prepared = gateway.prepare({ ...ids, venue: 'kalshi', marketId, ...terms }, market)
  return gateway.send(
    prepared,
    () => undefined,
    () => true,
  )
}
const admit = (gateway: KalshiGateway, market: GameMarket, dollars: number) =>
  gateway.admit([{ market, worstMicros: dollars * 1e6 }])

describe('the account of an order', () => {
  it('is asked for its limits, costs, money and status at start, and every order carries its shard’s group', async () => {
    const gateway = await warmed()
    expect([...venue.groups.values()].map(({ shard, limit }) => [shard, limit])).toEqual([
      [0, 50],
      [3, 50],
    ])
    expect(await send(gateway)).toMatchObject({ kind: 'filled' })
    expect(await send(gateway, { market: ON_0 })).toMatchObject({ kind: 'filled' })
    const shards = venue.accepted.map(({ order_group_id: id = '' }) => venue.groups.get(id)?.shard)
    expect(shards).toEqual([3, 0])
    expect(http.of('/account/limits')).toHaveLength(1)
    expect(http.of('/account/endpoint_costs')).toHaveLength(1)
  })

  it('is asked for its limits and costs again until they are told, and then for minutes no more', async () => {
    const paths = ['/account/limits', '/account/endpoint_costs']
    for (const path of paths) venue.before.set(`GET ${path}`, { status: 503, body: '' })
    await warmed({ keepWarmMs: 20 })
    const asked = (path: string) => http.of(path).length
    await until(() => paths.every((path) => asked(path) > 2), 'they are asked again')
    venue.before.clear()
    const looks = async (more: number) => {
      const before = asked('/exchange/status')
      await until(() => asked('/exchange/status') > before + more, 'it looks again')
    }
    await looks(1)
    const told = paths.map(asked)
    await looks(2)
    expect(paths.map(asked)).toEqual(told)
  })

  it('names the subaccount to the venue in every call that takes one', async () => {
    venue.subaccount = 7
    const gateway = await warmed({ subaccount: 7 })
    expect(admit(gateway, ON_3, 15)).toBeUndefined()
    expect(await send(gateway)).toMatchObject({ kind: 'filled' })
  })

  it('lacks money on one shard: denied with the number and the limit before anything is sent', async () => {
    const gateway = await warmed()
    expect(admit(gateway, ON_3, 20)).toBeUndefined()
    expect(admit(gateway, ON_0, 100)).toBeUndefined()
    expect(admit(gateway, ON_3, 20.5)).toEqual({
      code: 'SHARD_CASH',
      checks: [{ name: 'shard_3_cash_micros', value: 20_500_000, limit: 20_000_000 }],
    })
    const both = [ON_3, ON_3].map((market) => ({ market, worstMicros: 11e6 }))
    expect(gateway.admit(both)).toMatchObject({ code: 'SHARD_CASH', checks: [{ value: 22_000_000 }] })
  })

  it('has less after a fill, at once by our own reckoning, then by the venue’s', async () => {
    const gateway = await warmed()
    const sending = send(gateway)
    expect(admit(gateway, ON_3, 15)).toMatchObject({ code: 'SHARD_CASH' })
    expect(await sending).toMatchObject({ kind: 'filled' })
    await until(() => admit(gateway, ON_3, 15) === undefined, 'the balance is read again')
    expect(admit(gateway, ON_3, 15.01)).toMatchObject({ code: 'SHARD_CASH' })
  })

  it('has all of it again as soon as an order is known to have taken nothing', async () => {
    const gateway = await warmed()
    const reads = () => http.of('/portfolio/balance').length
    const before = reads()
    venue.before.set(`POST ${CREATE}`, {
      status: 400,
      body: { error: { code: 'invalid_price', message: '' } },
    })
    expect(await send(gateway)).toMatchObject({ kind: 'rejected' })
    expect(admit(gateway, ON_3, 20)).toBeUndefined()
    const nothing = { order_id: 'v', fill_count: '0.00', remaining_count: '0.00', ts_ms: 1 }
    venue.before.set(`POST ${CREATE}`, { status: 201, body: nothing })
    expect(await send(gateway)).toMatchObject({ kind: 'none' })
    expect(admit(gateway, ON_3, 20)).toBeUndefined()
    expect(reads()).toBe(before)
  })

  it('is read again when an order took nothing while a read may have seen it set aside', async () => {
    const rest = new KalshiRest({ baseUrl: http.baseUrl, credentials })
    const rated = new RatedRest(rest, new KalshiRates(systemClock), 1000)
    const shared = { groups: undefined, clock: systemClock, subaccount: 0, onNotice: () => undefined }
    const account = new KalshiAccount({ rest: rated, ...shared })
    const ids = { orderId: 'a', signalId: 's', leg: 0, attempt: 0, marketId: ON_3.marketId, signalMs: 1 }
    const terms = { venue: 'kalshi', outcome: 'yes', side: 'buy', limitE4: 5000, sizeE2: 1000 } as const
    const order = { request: { ...ids, ...terms }, market: ON_3, body: '', sizeE2: 1000 }
    account.sends(order)
    let answered: (result: RestResult) => void = () => undefined
    const reading = account.withBalance(() => new Promise((resolve) => (answered = resolve)))
    account.sent(order, { kind: 'none' })
    const free = () => account.admit([{ market: ON_3, worstMicros: 20e6 }]) === undefined
    await until(free, 'the balance is read again')
    const setAside = {
      balance_dollars: '115.0000',
      balance_breakdown: [{ exchange_index: 3, balance: '15' }],
    }
    answered({ kind: 'ok', status: 200, body: setAside })
    await reading
    expect(free()).toBe(true)
    await rest.close()
  })

  it('counts what open plans elsewhere need as money and as rate, and nothing else of them', async () => {
    venue.paused.add(3)
    venue.cash.set(4, 1)
    const gateway = await warmed()
    const open = (market: GameMarket, dollars: number) =>
      ({ market, worstMicros: dollars * 1e6, isOfOpenPlan: true }) as const
    const mine = { market: ON_0, worstMicros: 60e6 }
    expect(gateway.admit([open(ON_3, 1), mine])).toBeUndefined()
    expect(gateway.admit([open(gameMarket({ exchangeIndex: 4 }), 2), mine])).toBeUndefined()
    expect(gateway.admit([open(ON_0, 41), mine])).toMatchObject({
      ...{ code: 'SHARD_CASH', checks: [{ value: 101_000_000 }] },
    })
    expect(gateway.admit([...Array<typeof mine>(10).fill(open(ON_0, 0.1)), mine])).toMatchObject({
      code: 'RATE_LIMITED',
    })
    expect(gateway.admit([mine, { market: ON_3, worstMicros: 1 }])).toMatchObject({ code: 'EXCHANGE_PAUSED' })
  })

  it('is denied everything while its money was never told', async () => {
    venue.before.set('GET /portfolio/balance', { status: 502, body: '<html>bad gateway</html>' })
    const gateway = await warmed()
    expect(admit(gateway, ON_3, 1)).toMatchObject({ code: 'ORDER_GROUP' })
    const plain = await warmed({ orderGroup: { contractsLimit: 50, isRequired: false } })
    expect(admit(plain, ON_3, 1)).toEqual({ code: 'CASH_UNKNOWN', checks: [] })
  })
})

describe('the rate limit of orders', () => {
  it('denies a plan that it cannot pay in full, refuses an opening, and lets a hedge wait', async () => {
    venue.cash.set(3, 1000)
    // What starting up has cost.
    const gateway = await warmed({ orderGroup: { contractsLimit: 5000, isRequired: true } })
    await Promise.all(Array.from({ length: 7 }, () => send(gateway, { sizeE2: 100 })))
    const pair = [ON_3, ON_3].map((market) => ({ market, worstMicros: 1e6 }))
    let denied = gateway.admit(pair)
    for (let sent = 0; denied === undefined && sent < 10; sent++) {
      void send(gateway, { sizeE2: 100 })
      denied = gateway.admit(pair)
    }
    expect(denied).toMatchObject({ code: 'RATE_LIMITED', checks: [{ name: 'write_tokens', value: 20 }] })
    venue.writeTokens = 1000
    const opened = await Promise.all([1, 2, 3].map(() => send(gateway, { sizeE2: 100 })))
    expect(opened).toContainEqual(expect.objectContaining({ kind: 'rejected', code: 'rate_limited' }))
    expect(await send(gateway, { sizeE2: 100, leg: 1 })).toMatchObject({ kind: 'filled' })
  })

  it('is believed to be used up after a 429, and for longer after each', async () => {
    const gateway = await warmed()
    expect(admit(gateway, ON_3, 1)).toBeUndefined()
    venue.writeTokens = 0
    expect(await send(gateway)).toMatchObject({ kind: 'rejected', code: 'http_429' })
    const sent = http.of(CREATE).length
    expect(admit(gateway, ON_3, 1)).toMatchObject({ code: 'RATE_LIMITED' })
    expect(await send(gateway)).toMatchObject({ kind: 'rejected', code: 'rate_limited' })
    expect(http.of(CREATE)).toHaveLength(sent)
  })
})

describe('a pause of the exchange', () => {
  it('that an order is refused with keeps entries from that shard, and the status that follows ends it', async () => {
    const gateway = await warmed({ keepWarmMs: 50 })
    venue.paused.add(3)
    expect(await send(gateway)).toMatchObject({ kind: 'rejected', code: 'trading_is_paused' })
    expect(admit(gateway, ON_3, 1)).toEqual({
      code: 'EXCHANGE_PAUSED',
      checks: [{ name: 'shard_3_paused', value: 1, limit: 0 }],
    })
    expect(admit(gateway, ON_0, 1)).toBeUndefined()
  })

  it('that the status tells is seen before any order is refused, and its end too', async () => {
    venue.paused.add(3)
    const gateway = await warmed({ keepWarmMs: 50 })
    expect(admit(gateway, ON_3, 1)).toMatchObject({ code: 'EXCHANGE_PAUSED' })
    venue.paused.delete(3)
    await until(() => admit(gateway, ON_3, 1) === undefined, 'entries go on')
    expect(notices.join()).toContain('trades again')
  })

  it('is not ended by a status that cannot be read', async () => {
    venue.paused.add(3)
    const gateway = await warmed({ keepWarmMs: 20 })
    venue.before.set('GET /exchange/status', { status: 200, body: { trading_active: 'yes' } })
    const asked = http.of('/exchange/status').length
    await until(() => http.of('/exchange/status').length > asked + 2, 'it is asked again')
    expect(admit(gateway, ON_3, 1)).toMatchObject({ code: 'EXCHANGE_PAUSED' })
  })
})

describe('the venue’s own brake', () => {
  it('that has fallen stops entries with a reason, and is reset by the operator alone', async () => {
    venue.cash.set(3, 1000)
    const gateway = await warmed({ orderGroup: { contractsLimit: 15, isRequired: true } })
    await send(gateway)
    await send(gateway)
    expect(await send(gateway)).toMatchObject({ kind: 'rejected', code: 'order_group_triggered' })
    expect(brakes).toEqual([expect.stringContaining('more than 15 contracts')])
    expect(admit(gateway, ON_3, 1)).toMatchObject({ code: 'ORDER_GROUP' })
    expect(admit(gateway, ON_0, 1)).toBeUndefined()
    // A hedge is no entry: the other leg stands already, and its next attempt completes the plan.
    expect(await send(gateway, { leg: 1 })).toMatchObject({ kind: 'rejected', code: 'order_group_triggered' })
    expect(await send(gateway, { leg: 1, attempt: 1 })).toMatchObject({ kind: 'filled' })
    expect(venue.accepted.at(-1)).not.toHaveProperty('order_group_id')
    gateway.resume()
    await until(() => admit(gateway, ON_3, 1) === undefined, 'the group is reset')
    expect(await send(gateway)).toMatchObject({ kind: 'filled' })
  })

  it('counts the orders of later legs too: a strategy may send the other venue first', async () => {
    venue.cash.set(3, 1000)
    const gateway = await warmed({ orderGroup: { contractsLimit: 15, isRequired: true } })
    const outcomes = []
    for (let plan = 0; plan < 8; plan++) outcomes.push((await send(gateway, { leg: 1 })).kind)
    expect(outcomes).toEqual(['filled', 'filled', ...Array<string>(6).fill('rejected')])
    expect(brakes).toEqual([expect.stringContaining('more than 15 contracts')])
    expect(admit(gateway, ON_3, 1)).toMatchObject({ code: 'ORDER_GROUP' })
  })

  it('is found to have fallen by what has matched, where the word of it was missed', async () => {
    const rest = new KalshiRest({ baseUrl: http.baseUrl, credentials })
    const rated = new RatedRest(rest, new KalshiRates(systemClock), 1000)
    const told: string[] = []
    const groups = new OrderGroups({
      ...{ rest: rated, contractsLimit: 15, subaccount: 0, isRequired: true },
      ...{ onNotice: () => undefined, onTriggered: (reason: string) => told.push(reason) },
    })
    await groups.arm([3])
    groups.onFilled(3, 10e6, 0)
    groups.onFilled(3, 10e6, 15_000)
    groups.onFilled(3, 5e6, 15_001)
    await groups.check()
    expect([told, groups.lets(3)]).toEqual([[], true])
    groups.onFilled(3, 10e4, 29_999)
    await groups.check()
    await groups.check()
    expect([told.length, groups.lets(3)]).toEqual([1, false])
    await groups.reset()
    await groups.check()
    expect([told.length, groups.lets(3)]).toEqual([1, true])
    await rest.close()
  })

  it('counts what its own orders filled', async () => {
    const channel = await VenueServer.start([], credentials.privateKey)
    venue.cash.set(3, 1000)
    const gateway = await warmed({ orderGroup: { contractsLimit: 15, isRequired: true }, wsUrl: channel.url })
    for (const leg of [0, 1]) expect(await send(gateway, { leg })).toMatchObject({ kind: 'filled' })
    const none = { positions: new Map(), markets: [], accepted: new Map(), isOurs: () => false }
    gateway.watch(none, () => undefined)
    await until(() => channel.commands.length === 1, 'the channels are asked for')
    expect(brakes).toEqual([])
    const msg = { event_type: 'limit_updated', order_group_id: 'g' }
    for (const seq of [1, 3])
      channel.sendText(JSON.stringify({ type: 'order_group_updates', sid: 4, seq, msg }))
    await until(() => brakes.length === 1, 'the hole is looked into')
    await channel.close()
  })

  it('has fallen wherever a refusal names it, and such an order has not traded', async () => {
    const gateway = await warmed()
    const body = { error: { code: 'conflict', message: 'Order group limit reached' } }
    venue.before.set(`POST ${CREATE}`, { status: 409, body })
    expect(await send(gateway, { leg: 1 })).toMatchObject({ kind: 'rejected', code: 'conflict' })
    expect(brakes).toHaveLength(1)
    const exists = { error: { code: 'order_already_exists', message: 'in its order group' } }
    venue.before.set(`POST ${CREATE}`, { status: 409, body: exists })
    expect(await send(gateway)).toMatchObject({ kind: 'unknown' })
  })

  it('that the venue does not offer is told of once, and only those who may go without it', async () => {
    venue.offersGroups = false
    const bold = await warmed({ orderGroup: { contractsLimit: 15, isRequired: false } })
    expect(notices.filter((text) => text.includes('order group'))).toEqual([
      expect.stringContaining('orders go without this second brake'),
    ])
    expect(admit(bold, ON_3, 1)).toBeUndefined()
    expect(await send(bold)).toMatchObject({ kind: 'filled' })
    expect(venue.accepted[0]).not.toHaveProperty('order_group_id')
    const careful = await warmed()
    expect(admit(careful, ON_3, 1)).toMatchObject({ code: 'ORDER_GROUP' })
  })

  it('does not hold up a market of which the venue names no shard, unless it has fallen, and that is told once', async () => {
    venue.cash.set(0, 1000)
    const nowhere = gameMarket()
    const gateway = await warmed({ orderGroup: { contractsLimit: 15, isRequired: true } })
    expect(nowhere).not.toHaveProperty('exchangeIndex')
    expect([admit(gateway, nowhere, 1), admit(gateway, nowhere, 1)]).toEqual([undefined, undefined])
    expect(notices.filter((text) => text.includes('exchange_index'))).toHaveLength(1)
    expect(await send(gateway, { market: nowhere })).toMatchObject({ kind: 'filled' })
    expect(venue.accepted[0]).not.toHaveProperty('order_group_id')
    expect(venue.accepted[0]).not.toHaveProperty('exchange_index')
    for (let sent = 0; sent < 3; sent++) await send(gateway, { market: ON_0 })
    expect(admit(gateway, nowhere, 1)).toMatchObject({ code: 'ORDER_GROUP' })
  })

  it('that cannot be put on while the exchange pauses is put on when it is back', async () => {
    const create = 'POST /portfolio/order_groups/create'
    const body = { error: { code: 'exchange_is_paused', message: 'exchange_is_paused' } }
    venue.before.set(create, { status: 409, body })
    const gateway = await warmed({ keepWarmMs: 20 })
    expect(admit(gateway, ON_3, 1)).toMatchObject({ code: 'ORDER_GROUP' })
    venue.before.delete(create)
    await until(() => admit(gateway, ON_3, 1) === undefined, 'the brake is on')
  })

  it('that somebody has removed is put on anew, and is no brake that has fallen', async () => {
    const gateway = await warmed()
    venue.groups.clear()
    expect(await send(gateway)).toMatchObject({ kind: 'rejected', code: 'not_found' })
    await until(() => venue.groups.size === 1, 'another is there')
    await until(() => admit(gateway, ON_3, 1) === undefined, 'entries go on')
    expect(await send(gateway)).toMatchObject({ kind: 'filled' })
    expect(venue.accepted.at(-1)!.order_group_id).toBe([...venue.groups.keys()][0])
    expect(brakes).toEqual([])
  })

  it('is taken off at the end', async () => {
    const gateway = await warmed()
    expect(venue.groups.size).toBe(2)
    await gateway.close()
    expect(venue.groups.size).toBe(0)
  })
})
