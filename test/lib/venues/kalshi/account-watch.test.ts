import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { ManualClock, systemClock } from '../../../../src/lib/core/clock.js'
import { parseAccountFrame } from '../../../../src/lib/venues/kalshi/account-frames.js'
import { AccountWatch } from '../../../../src/lib/venues/kalshi/account-watch.js'
import { OwnOrders } from '../../../../src/lib/venues/kalshi/own-orders.js'
import { RatedRest } from '../../../../src/lib/venues/kalshi/rated-rest.js'
import { KalshiRates } from '../../../../src/lib/venues/kalshi/rates.js'
import { KalshiRest } from '../../../../src/lib/venues/kalshi/rest.js'
import type { OwnTrading, PreparedOrder, TradingAlarm } from '../../../../src/lib/venues/ports.js'
import { HttpVenue, type Answer } from './http-venue.js'
import { rsaCredentials } from './keys.js'
import { gameMarket } from './markets.js'

const credentials = rsaCredentials()
const T = 'KXNBAGAME-26JUN13NYKSAS-NYK'
const LAG_MS = 3_000

const prepared = (orderId: string, outcome: 'yes' | 'no' = 'yes'): PreparedOrder => {
  const ids = {
    orderId,
    signalId: 's',
    leg: 0,
    attempt: 0,
    venue: 'kalshi',
    marketId: T,
    signalMs: 1,
  } as const
  const request = { ...ids, outcome, side: 'buy', limitE4: 5000, sizeE2: 1000 } as const
  return { request, market: gameMarket(), body: '', sizeE2: 1000 }
}
const filled = (venueOrderId: string) => ({ kind: 'filled', venueOrderId, filledE6: 10_000_000 }) as const
const listedFill = (tradeId: string, orderId: string) => ({
  ...{ trade_id: tradeId, fill_id: tradeId, order_id: orderId, ticker: T, market_ticker: T },
  ...{ count_fp: '10.00', is_taker: true, fee_cost: '0.1', yes_price_dollars: '0.5000' },
})

/** What the venue lists, to be changed by a test. */
let listed: {
  fills: object[]
  positions: [string, string][]
  orders: Map<string, object>
  /** Of each market: its status, or the HTTP status of the reply. */
  markets: Map<string, string | number>
  fillsFail: boolean
}
let http: HttpVenue
let rest: KalshiRest
const watches: AccountWatch[] = []
beforeEach(async () => {
  listed = { fills: [], positions: [], orders: new Map(), markets: new Map(), fillsFail: false }
  http = await HttpVenue.start(credentials.privateKey)
  rest = new KalshiRest({ baseUrl: http.baseUrl, credentials })
  http.answer = ({ path }): Answer => {
    const ok = (body: object): Answer => ({ status: 200, body })
    if (path === '/portfolio/fills')
      return listed.fillsFail ? { status: 500, body: '' } : ok({ fills: listed.fills, cursor: '' })
    if (path === '/portfolio/positions') {
      const rows = listed.positions.map(([ticker, position_fp]) => ({ ticker, position_fp }))
      return ok({ market_positions: rows, event_positions: [], cursor: '' })
    }
    if (path.startsWith('/markets/')) {
      const status = listed.markets.get(path.replace('/markets/', '')) ?? 'active'
      return typeof status === 'number' ? { status, body: '' } : ok({ market: { status } })
    }
    const order = listed.orders.get(path.replace('/portfolio/orders/', ''))
    return order === undefined ? { status: 404, body: { error: { code: 'not_found' } } } : ok({ order })
  }
})
afterEach(async () => {
  for (const watch of watches.splice(0)) watch.close()
  await rest.close()
  await http.close()
})

function watching(more: Partial<OwnTrading> = {}) {
  const own = new OwnOrders()
  const clock = new ManualClock()
  const before: OwnTrading = {
    ...{ positions: new Map(), markets: [], accepted: new Map(), isOurs: () => false },
    ...more,
  }
  own.takeOver(before)
  const alarms: TradingAlarm[] = []
  const notices: string[] = []
  const watch = new AccountWatch({
    ...{ own, before, query: {}, sinceS: 1, lagMs: LAG_MS },
    rest: new RatedRest(rest, new KalshiRates(systemClock), 1000),
    nowMs: () => clock.monoUs() / 1000,
    onAlarm: (alarm) => alarms.push(alarm),
    onNotice: (_, text) => notices.push(text),
  })
  watches.push(watch)
  const nowMs = () => clock.monoUs() / 1000
  /** As the timers would: each look after what was on its way has arrived. */
  const look = async (times = 1, everyMs = LAG_MS + 1) => {
    for (let n = 0; n < times; n++) {
      clock.advanceMs(everyMs)
      await watch.look()
    }
  }
  return { own, watch, alarms, notices, nowMs, look }
}

describe('fills of the account', () => {
  it('that are ours are no alarm, by channel, by list, or both', async () => {
    const { own, watch, alarms, nowMs, look } = watching()
    own.sent(prepared('a'), nowMs())
    const fill = { tradeId: 't1', venueOrderId: 'v1', orderId: 'a', marketId: T, countE6: 10_000_000 }
    watch.onFill(fill)
    watch.onFill(fill)
    own.ended(prepared('a'), filled('v1'), nowMs())
    listed.fills = [listedFill('t1', 'v1')]
    listed.positions = [[T, '10.00']]
    await look(2)
    expect(alarms).toEqual([])
  })

  it('that are more than their order asked for are told', async () => {
    const { own, watch, alarms, nowMs, look } = watching()
    own.sent(prepared('a'), nowMs())
    const fill = { venueOrderId: 'v1', orderId: 'a', marketId: T }
    watch.onFill({ ...fill, tradeId: 't1', countE6: 6_000_000 })
    watch.onFill({ ...fill, tradeId: 't2', countE6: 4_000_000 })
    // Asked after, as after a timeout: its size is not new.
    own.sent(prepared('a'), nowMs())
    expect(alarms).toEqual([])
    listed.fills = [listedFill('t3', 'v1')]
    await look(2)
    expect(alarms).toEqual([
      { kind: 'fill', text: `fill t3 of 10.000000 in ${T} at Kalshi is more than its order asked for` },
    ])
  })

  it('of another hand are told once each, however often they are seen', async () => {
    const { watch, alarms, look } = watching()
    const fill = { tradeId: 't1', venueOrderId: 'v1', orderId: 'by-hand', marketId: T, countE6: 10_000_000 }
    watch.onFill(fill)
    watch.onFill(fill)
    listed.fills = [listedFill('t1', 'v1'), listedFill('t2', 'v2')]
    listed.orders.set('v2', { order_id: 'v2', client_order_id: 'another' })
    await look(2)
    const fills = alarms.filter(({ kind }) => kind === 'fill')
    expect(fills.map(({ text }) => text.split(' ')[1])).toEqual(['t1', 't2'])
  })

  it('whose order is not listed yet wait for it; of an order without our kind of id they are not ours', async () => {
    const { alarms, look } = watching({ isOurs: (orderId) => orderId === 'earlier-life' })
    listed.fills = [listedFill('late', 'v1'), listedFill('web', 'v2')]
    listed.orders.set('v2', { order_id: 'v2' })
    await look()
    expect(alarms.map(({ text }) => text.split(' ')[1])).toEqual(['web'])
    listed.orders.set('v1', { order_id: 'v1', client_order_id: 'earlier-life' })
    await look(4)
    expect(alarms.filter(({ kind }) => kind === 'fill')).toHaveLength(1)
  })

  it('whose order is never listed are not ours in the end', async () => {
    const { alarms, look } = watching()
    listed.fills = [listedFill('t', 'v')]
    await look(2)
    expect(alarms).toEqual([])
    await look(3)
    expect(alarms).toHaveLength(1)
  })
})

describe('the list of fills', () => {
  const since = () => Number(http.of('/portfolio/fills').at(-1)!.query.get('min_ts'))

  it('is read from two minutes before the last time that it was read whole', async () => {
    const { look } = watching()
    await look()
    expect(since()).toBe(1)
    await look(1, 600_000)
    expect(since()).toBe(1)
    await look(1, 10_000)
    expect(since()).toBe(1 + 603 - 120)
    listed.fillsFail = true
    await look(2, 600_000)
    expect(since()).toBe(1 + 613 - 120)
  })

  it('is read again whole while the order of a fill in it is not listed', async () => {
    const { alarms, look } = watching()
    listed.fills = [listedFill('t', 'v')]
    await look(2, 600_000)
    expect(since()).toBe(1)
    await look(2, 600_000)
    expect(alarms).toHaveLength(1)
    expect(since()).toBe(1 + 1800 - 120)
  })
})

describe('positions of the account', () => {
  it('that our fills of all lives explain are no alarm, YES and NO', async () => {
    const { own, alarms, nowMs, look } = watching({ positions: new Map([[T, 5_000_000]]), markets: [T] })
    own.sent(prepared('a', 'no'), nowMs())
    own.ended(prepared('a', 'no'), filled('v'), nowMs())
    // Asked after again, as recovery does: it counts once.
    own.sent(prepared('a', 'no'), nowMs())
    own.ended(prepared('a', 'no'), filled('v'), nowMs())
    listed.positions = [[T, '-5.00']]
    await look(3)
    expect(alarms).toEqual([])
  })

  it.each([
    ['more than ours', [[T, '12.00']] as [string, string][], '12.000000', '10.000000', LAG_MS + 1],
    ['none where we have one', [] as [string, string][], '0.000000', '10.000000', 20_000],
    ['the other side', [[T, '-10.00']] as [string, string][], '-10.000000', '10.000000', LAG_MS + 1],
  ])(
    '%s: told after two looks, once, until the operator accepts it',
    async (_, positions, has, wants, ms) => {
      const { watch, alarms, look } = watching({ positions: new Map([[T, 10_000_000]]), markets: [T] })
      listed.positions = positions
      await look()
      expect(alarms).toEqual([])
      await look(3, ms)
      expect(alarms).toEqual([
        { kind: 'position', text: `Kalshi shows a position of ${has} in ${T}, the ledger explains ${wants}` },
      ])
      const accepted = watch.accept()
      expect(accepted.get(T)).toBe((Number(has) - Number(wants)) * 1e6)
      await look(3)
      expect(alarms).toHaveLength(1)
      const next = watching({ positions: new Map([[T, 10_000_000]]), markets: [T], accepted })
      await next.look(3)
      expect(next.alarms).toEqual([])
      listed.positions = [[T, '77.00']]
      await look(3)
      expect(alarms).toHaveLength(2)
    },
  )

  it('are not compared while an order is out, or has just ended', async () => {
    const { own, watch, alarms, nowMs, look } = watching()
    own.sent(prepared('a'), nowMs())
    listed.positions = [[T, '10.00']]
    await look(3)
    own.ended(prepared('a'), { kind: 'unknown', reason: 'cut' }, nowMs())
    await look(3)
    own.ended(prepared('a'), filled('v'), nowMs())
    listed.positions = []
    await watch.look()
    await watch.look()
    expect(alarms).toEqual([])
    await look(2, 20_000)
    expect(alarms).toHaveLength(1)
  })

  it('of a market that has paid out are gone, and that is right, also while a cache calls it active', async () => {
    const { watch, alarms, look } = watching({ positions: new Map([[T, 10_000_000]]), markets: [T] })
    watch.onPosition({ marketId: T, sizeE6: 0 })
    await look(5)
    listed.markets.set(T, 'finalized')
    await look(3, 20_000)
    expect(alarms).toEqual([])
  })

  it('of which the channel tells are told as soon as the list says the same', async () => {
    const { watch, alarms, look } = watching()
    listed.positions = [[T, '7.00']]
    watch.onPosition({ marketId: T, sizeE6: 7_000_000 })
    expect(alarms).toEqual([])
    await watch.look()
    expect(alarms).toEqual([
      {
        kind: 'position',
        text: `Kalshi shows a position of 7.000000 in ${T}, the ledger explains 0.000000`,
      },
    ])
    watch.onPosition({ marketId: T, sizeE6: 7_000_000 })
    await look(3)
    expect(alarms).toHaveLength(1)
  })

  it('of which the channel tells otherwise than the list are none to be told', async () => {
    const { own, watch, alarms, nowMs, look } = watching()
    watch.onPosition({ marketId: T, sizeE6: 7_000_000 })
    await look(3)
    // Our own order is on its way: what the channel tells may be its fill.
    own.sent(prepared('a'), nowMs())
    watch.onPosition({ marketId: T, sizeE6: 10_000_000 })
    own.ended(prepared('a'), filled('v'), nowMs())
    watch.onPosition({ marketId: T, sizeE6: 10_000_000 })
    listed.positions = [[T, '10.00']]
    await look(3)
    expect(alarms).toEqual([])
  })

  it('are compared though fills cannot be read', async () => {
    const { alarms, notices, look } = watching()
    listed.fillsFail = true
    listed.positions = [[T, '7.00']]
    await look(2)
    expect(alarms).toHaveLength(1)
    expect(notices.join()).toContain('GET /portfolio/fills: HTTP 500')
  })

  it('of a market that cannot be asked about hide no others, and are told themselves after a minute', async () => {
    const { alarms, notices, look } = watching()
    listed.positions = [
      ['KX-FAILS', '1.00'],
      [T, '7.00'],
    ]
    listed.markets.set('KX-FAILS', 500)
    await look(2)
    expect(alarms.map(({ text }) => text)).toEqual([expect.stringContaining(T)])
    expect(notices.join()).toContain('GET /markets/KX-FAILS: HTTP 500')
    await look(3, 20_000)
    expect(alarms.map(({ text }) => text)).toEqual([
      expect.stringContaining(T),
      expect.stringContaining('KX-FAILS'),
    ])
  })

  it('of a market that the venue has not are missed: it is another one, or began anew', async () => {
    listed.markets.set(T, 404)
    const { watch, alarms, look } = watching({ positions: new Map([[T, 10_000_000]]), markets: [T] })
    await look()
    expect(alarms).toEqual([
      {
        kind: 'position',
        text: `Kalshi has no market ${T}, in which the ledger explains a position of 10.000000: it is not the venue that was traded at`,
      },
    ])
    expect(watch.accept().get(T)).toBe(-10_000_000)
    await look(3)
    expect(alarms).toHaveLength(1)
    // Where nothing is expected, nothing is missed.
    const flat = watching({ positions: new Map([[T, 0]]), markets: [T] })
    await flat.look(3)
    expect(flat.alarms).toEqual([])
  })

  it('that cannot be read say nothing, and that is told', async () => {
    const { alarms, notices, look } = watching()
    listed.positions = [[T, 'ten']]
    await look(2)
    expect(alarms).toEqual([])
    expect(notices.join()).toContain('not in the documented form')
  })
})

describe('the account’s frames', () => {
  const fill = {
    ...{ trade_id: 't', order_id: 'v', client_order_id: 'a', market_ticker: T, count_fp: '278.00' },
    ...{ yes_price_dollars: '0.7500', fee_cost: '0.010000', ts_ms: 1 },
  }
  const order = { order_id: 'v', client_order_id: 'a', ticker: T, status: 'canceled', fill_count_fp: '1.50' }
  it.each([
    [
      { type: 'fill', sid: 13, msg: fill },
      {
        kind: 'fill',
        fill: { tradeId: 't', venueOrderId: 'v', orderId: 'a', marketId: T, countE6: 278_000_000 },
      },
    ],
    [
      { type: 'user_order', sid: 1, msg: order },
      { kind: 'order', venueOrderId: 'v', orderId: 'a', filledE6: 1_500_000 },
    ],
    [{ type: 'user_order', sid: 1, msg: { ...order, status: 'resting' } }, { kind: 'skipped' }],
    [
      { type: 'order_group_updates', sid: 2, seq: 7, msg: { event_type: 'triggered', order_group_id: 'g' } },
      { kind: 'group', groupId: 'g', event: 'triggered', seq: 7 },
    ],
    [
      { type: 'market_position', sid: 14, msg: { subaccount: 2, market_ticker: T, position_fp: '-100.00' } },
      { kind: 'position', position: { marketId: T, sizeE6: -100_000_000 }, subaccount: 2 },
    ],
    [
      { type: 'market_position', sid: 14, msg: { market_ticker: T, position: 100 } },
      { kind: 'unreadable', what: 'market_position' },
    ],
    [{ type: 'ticker', sid: 3, msg: {} }, { kind: 'skipped' }],
    [{ type: 'subscribed', id: 1, msg: { channel: 'fill', sid: 1 } }, { kind: 'subscribed' }],
    [
      { type: 'error', id: 1, msg: { code: 8, msg: 'Unknown channel' } },
      { kind: 'error', text: '8 Unknown channel' },
    ],
    [
      { type: 'fill', msg: { ...fill, count_fp: 278 } },
      { kind: 'unreadable', what: 'fill' },
    ],
    [
      { type: 'fill', msg: { ...fill, count_fp: '0.00' } },
      { kind: 'unreadable', what: 'fill' },
    ],
    [
      { type: 'fill', msg: { ...fill, trade_id: undefined } },
      { kind: 'unreadable', what: 'fill' },
    ],
    [
      { type: 'user_order', msg: { ...order, fill_count_fp: undefined } },
      { kind: 'unreadable', what: 'user_order' },
    ],
    [[1], { kind: 'unreadable', what: 'no JSON object' }],
  ])('%j', (frame, expected) => {
    expect(parseAccountFrame(JSON.stringify(frame))).toEqual(expected)
  })
})
