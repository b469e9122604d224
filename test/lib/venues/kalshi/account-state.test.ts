import { describe, expect, it } from 'vitest'
import fc from 'fast-check'

import { ManualClock } from '../../../../src/lib/core/clock.js'
import { ExchangeStatus } from '../../../../src/lib/venues/kalshi/exchange-status.js'
import { KalshiRates } from '../../../../src/lib/venues/kalshi/rates.js'
import { ShardCash } from '../../../../src/lib/venues/kalshi/shard-cash.js'
import { TokenBucket } from '../../../../src/lib/venues/kalshi/token-bucket.js'

const BASIC = { capacity: 100, refillPerS: 100 }

describe('a token bucket', () => {
  it('pays ten orders at once, then one each 100 ms', () => {
    const bucket = new TokenBucket(BASIC, 0)
    for (let order = 0; order < 10; order++) expect(bucket.take(10, 0)).toBe(true)
    expect(bucket.take(10, 99)).toBe(false)
    expect(bucket.waitMs(10, 99)).toBe(1)
    expect(bucket.take(10, 100)).toBe(true)
  })

  it('is empty after a refusal, and twice as long after each', () => {
    const bucket = new TokenBucket(BASIC, 0)
    bucket.refused(0)
    expect(bucket.take(1, 249)).toBe(false)
    expect(bucket.waitMs(10, 0)).toBe(350)
    expect(bucket.take(10, 350)).toBe(true)
    bucket.refused(1000)
    expect(bucket.waitMs(10, 1000)).toBe(600)
    bucket.accepted()
    bucket.refused(10_000)
    expect(bucket.waitMs(10, 10_000)).toBe(350)
  })

  it('never holds what costs more than its capacity', () => {
    expect(new TokenBucket(BASIC, 0).waitMs(101, 0)).toBe(Infinity)
  })

  it('keeps what was spent when the account has another size', () => {
    const bucket = new TokenBucket(BASIC, 0)
    bucket.take(60, 0)
    bucket.resize({ capacity: 600, refillPerS: 300 }, 0)
    expect(bucket.available(0)).toBe(540)
    bucket.resize({ capacity: 50, refillPerS: 50 }, 0)
    expect(bucket.available(0)).toBe(0)
  })

  it('never pays more than capacity and refill allow, whatever the calls', () => {
    const call = fc.record({ afterMs: fc.nat(300), cost: fc.integer({ min: 1, max: 40 }) })
    fc.assert(
      fc.property(fc.array(call, { maxLength: 60 }), (calls) => {
        const bucket = new TokenBucket(BASIC, 0)
        let [nowMs, paid] = [0, 0]
        for (const { afterMs, cost } of calls) {
          nowMs += afterMs
          if (bucket.take(cost, nowMs)) paid += cost
          expect(paid).toBeLessThanOrEqual(BASIC.capacity + (nowMs / 1000) * BASIC.refillPerS + 1e-6)
        }
      }),
    )
  })
})

describe('what calls cost', () => {
  it('is as the venue lists it, whatever its parameters are called', () => {
    const rates = new KalshiRates(new ManualClock())
    expect(rates.costOf('DELETE', '/portfolio/events/orders/:')).toBe(2)
    const listed = { cost: 4, method: 'DELETE', path: '/trade-api/v2/portfolio/events/orders/:order_id' }
    expect(rates.learnCosts({ default_cost: 20, endpoint_costs: [listed] })).toBe(true)
    expect(rates.costOf('DELETE', '/portfolio/events/orders/:')).toBe(4)
    expect(rates.costOf('POST', '/portfolio/events/orders')).toBe(20)
  })

  it.each([
    ['no default', { endpoint_costs: [] }],
    ['no list', { default_cost: 10 }],
    [
      'a cost that is no number',
      { default_cost: 10, endpoint_costs: [{ cost: '1', method: 'GET', path: '/' }] },
    ],
  ])('%s changes nothing', (_, body) => {
    const rates = new KalshiRates(new ManualClock())
    expect(rates.learnCosts(body)).toBe(false)
    expect(rates.costOf('GET', '/portfolio/orders/:')).toBe(2)
  })

  it('reads never take what orders need', () => {
    const rates = new KalshiRates(new ManualClock())
    while (rates.take('GET', '/portfolio/orders'));
    expect(rates.take('POST', '/portfolio/events/orders')).toBe(true)
  })
})

const balance = (...shards: [number, string][]) => ({
  balance: 1,
  balance_dollars: '130.5000',
  balance_breakdown: shards.map(([exchange_index, dollars]) => ({ exchange_index, balance: dollars })),
})

describe('money by shard', () => {
  it('is each shard’s own, and none where nothing is', () => {
    const cash = new ShardCash()
    expect(cash.ageMs(0)).toBeUndefined()
    expect(cash.learn(balance([0, '30.5000'], [3, '100.0000']), cash.beginRead(5))).toBe(true)
    expect([0, 3, 2, undefined].map((shard) => cash.freeMicros(shard))).toEqual([
      30_500_000, 100_000_000, 0, 130_500_000,
    ])
    expect(cash.ageMs(10)).toBe(5)
  })

  it('of a venue that does not say is the account’s', () => {
    const cash = new ShardCash()
    cash.learn({ balance: 9801 }, cash.beginRead(0))
    expect(cash.freeMicros(3)).toBe(98_010_000)
  })

  it('that an order may take is not free until a read that began after its outcome', () => {
    const cash = new ShardCash()
    const before = cash.beginRead(0)
    cash.learn(balance([0, '30.0000'], [3, '100.0000']), before)
    cash.hold('a', 3, 40_000_000)
    expect(cash.freeMicros(3)).toBe(60_000_000)
    expect(cash.freeMicros(0)).toBe(30_000_000)
    const during = cash.beginRead(1)
    cash.settle('a')
    cash.learn(balance([3, '100.0000']), during)
    expect(cash.freeMicros(3)).toBe(60_000_000)
    cash.learn(balance([3, '61.0000']), cash.beginRead(2))
    expect(cash.freeMicros(3)).toBe(61_000_000)
  })

  it('of an order that nobody can tell about stays held', () => {
    const cash = new ShardCash()
    cash.hold('a', 3, 40_000_000)
    cash.learn(balance([3, '100.0000']), cash.beginRead(0))
    expect(cash.freeMicros(3)).toBe(60_000_000)
  })

  it('is not put back by an answer that was overtaken', () => {
    const cash = new ShardCash()
    const [early, late] = [cash.beginRead(0), cash.beginRead(1)]
    cash.learn(balance([3, '10.0000']), late)
    expect(cash.learn(balance([3, '100.0000']), early)).toBe(true)
    expect(cash.freeMicros(3)).toBe(10_000_000)
  })

  it.each([
    ['nothing', {}],
    ['a shard without a number', { balance: 1, balance_breakdown: [{ balance: '1.0000' }] }],
    [
      'a number where a string belongs',
      { balance: 1, balance_breakdown: [{ exchange_index: 0, balance: 1 }] },
    ],
    ['a breakdown that is no list', { balance: 1, balance_breakdown: {} }],
  ])('is not learned from %s', (_, body) => {
    const cash = new ShardCash()
    expect(cash.learn(body, cash.beginRead(0))).toBe(false)
    expect(cash.ageMs(0)).toBeUndefined()
  })
})

const flags = (exchange: boolean, trading: boolean) => ({
  exchange_active: exchange,
  trading_active: trading,
})
const shard = (index: number, trading: boolean) => ({ exchange_index: index, ...flags(true, trading) })

describe('the exchange’s status', () => {
  it.each([
    ['all is well, no shards listed', flags(true, true), [false, false, false]],
    ['all trading paused, no shards listed', flags(true, false), [true, true, true]],
    ['maintenance, no shards listed', flags(false, true), [true, true, true]],
    [
      'shard 3 paused alone',
      { ...flags(true, true), exchange_index_statuses: [shard(0, true), shard(3, false)] },
      [false, true, false],
    ],
    [
      'the default shard alone',
      { ...flags(true, false), exchange_index_statuses: [shard(0, false), shard(3, true)] },
      [true, false, false],
    ],
  ])('%s', (_, body, [zero, three, unknown]) => {
    const status = new ExchangeStatus()
    expect(status.learn(body, 0)).toBe(true)
    expect([0, 3, undefined].map((index) => status.isPaused(index))).toEqual([zero, three, unknown])
  })

  it('a refusal pauses its shard at once, until a status of later says otherwise', () => {
    const status = new ExchangeStatus()
    const at = { shard: 3, marketId: 'T' }
    expect(status.refused('insufficient_balance', at, 1000)).toBe(false)
    expect(status.isPaused(3)).toBe(false)
    expect(status.refused('trading_is_paused', at, 1000)).toBe(true)
    expect([status.isPaused(3), status.isPaused(0), status.isHeld]).toEqual([true, false, true])
    status.learn(flags(true, true), 1001)
    expect(status.isPaused(3)).toBe(true)
    status.learn(flags(true, true), 6000)
    expect([status.isPaused(3), status.isHeld]).toEqual([false, false])
  })

  it('a closed market is closed alone, for a while', () => {
    const status = new ExchangeStatus()
    expect(status.refused('market_closed', { shard: 0, marketId: 'T' }, 0)).toBe(true)
    expect([status.isClosed('T', 29_999), status.isClosed('U', 0), status.isPaused(0)]).toEqual([
      true,
      false,
      false,
    ])
    expect(status.isClosed('T', 30_000)).toBe(false)
  })

  it.each([
    ['no flags', {}],
    ['words for flags', { exchange_active: 'true', trading_active: true }],
    ['a shard without flags', { ...flags(true, true), exchange_index_statuses: [{ exchange_index: 3 }] }],
  ])('%s change nothing', (_, body) => {
    const status = new ExchangeStatus()
    status.learn(flags(false, false), 0)
    expect(status.learn(body, 1)).toBe(false)
    expect(status.isPaused(0)).toBe(true)
  })
})
