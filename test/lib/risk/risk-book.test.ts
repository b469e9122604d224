import { describe, expect, it } from 'vitest'
import type { OrderRequest } from '../../../src/lib/model/order.js'
import type { Signal, StrategySignal } from '../../../src/lib/model/signal.js'
import { worstCashMicros, worstLegMicros } from '../../../src/lib/risk/limits.js'
import type { Limits } from '../../../src/lib/risk/limits.js'
import { RiskBook } from '../../../src/lib/risk/risk-book.js'
import type { PlanQuestion, RiskApproved } from '../../../src/lib/risk/risk-book.js'
import { GAME_ID, kalshiMarket, orderOf, polyMarket, signal } from './samples.js'

const WIDE: Limits = { orderMicros: 200e6, gameMicros: 1000e6, totalMicros: 5000e6 }
const MARKETS = [polyMarket(), kalshiMarket()]
const ask = (plan: Signal, more: Partial<PlanQuestion> = {}): PlanQuestion => ({
  signal: plan,
  markets: MARKETS,
  ageMs: 10,
  ...more,
})
/** The same markets, the other outcome of each. */
const opposite = (more: Partial<StrategySignal>): Signal => ({
  ...signal(more),
  legs: signal().legs.map((own) => ({ ...own, outcome: own.outcome === 'yes' ? 'no' : 'yes' })),
})
const leg = (index: number, change: Partial<Signal['legs'][number]>): Signal['legs'] =>
  signal().legs.map((own, at) => (at === index ? { ...own, ...change } : own))

describe('the worst cost of an order', () => {
  it.each([
    // limit, size, cash in whole cents + rate x cash + ten roundings
    ['kalshi', kalshiMarket(), 4700, 2000, 9_400_000 + 658_000 + 1_000],
    ['kalshi, odd cents', kalshiMarket(), 4700, 1, 10_000 + 700 + 1_000],
    ['poly', polyMarket(), 4300, 2000, 8_600_000 + 430_000 + 100],
    ['no fee', kalshiMarket({ fees: { ratePpm: 0, roundUpToMicros: 0 } }), 5000, 100, 500_000],
  ])('of %s', (_name, market, limitE4, sizeE2, micros) => {
    expect(worstCashMicros(market, limitE4, sizeE2)).toBe(micros)
  })

  it('bounds three attempts that each round anew', () => {
    const market = kalshiMarket()
    const thirds = [667, 667, 666].reduce((sum, sizeE2) => sum + worstCashMicros(market, 4700, sizeE2), 0)
    expect(worstLegMicros(market, { side: 'buy', limitE4: 4700, sizeE2: 2000 })).toBeGreaterThanOrEqual(
      thirds,
    )
  })
})

describe('a plan', () => {
  it('is approved with the checks it passed', () => {
    const decision = new RiskBook(WIDE).openPlan(ask(signal()))
    expect(decision.kind).toBe('approved')
    expect(decision.checks.map(({ name }) => name)).toEqual([
      'age_ms',
      'order_micros_0',
      'order_micros_1',
      'game_micros',
      'total_micros',
    ])
  })

  it('is denied with what its venues have against it, and nothing is set aside', () => {
    const risk = new RiskBook(WIDE)
    const check = { name: 'shard_3_cash_micros', value: 12, limit: 7 }
    const decision = risk.openPlan(ask(signal(), { admit: () => ({ code: 'SHARD_CASH', checks: [check] }) }))
    expect(decision).toMatchObject({ kind: 'denied', code: 'SHARD_CASH' })
    expect(decision.checks.at(-1)).toEqual(check)
    expect([risk.totalMicros, risk.openPlans]).toEqual([0, 0])
  })

  it('asks its venues for its legs and for what open plans may still send, until they end', () => {
    const risk = new RiskBook(WIDE)
    const asked: string[][] = []
    const admit: PlanQuestion['admit'] = (orders) => {
      asked.push(orders.map(({ market, isOfOpenPlan }) => `${market.marketId}${isOfOpenPlan ? ' open' : ''}`))
      expect(orders.every(({ worstMicros }) => worstMicros > 0)).toBe(true)
      return undefined
    }
    const [poly, kalshi] = MARKETS.map(({ marketId }) => marketId)
    risk.openPlan(ask(signal(), { admit }))
    risk.openPlan(ask(opposite({ id: 'b', pair: 'b' }), { admit }))
    risk.finishPlan('signal-1')
    risk.openPlan(ask(signal({ id: 'c', pair: 'c' }), { admit }))
    expect(asked).toEqual([
      [poly, kalshi],
      [`${poly} open`, `${kalshi} open`, poly, kalshi],
      [`${poly} open`, `${kalshi} open`, poly, kalshi],
    ])
  })

  it.each<[string, string, Partial<PlanQuestion>, Partial<Limits>]>([
    ['with one leg only', 'BAD_PLAN', { signal: signal({ legs: signal().legs.slice(0, 1) }) }, {}],
    ['of three outcomes with two legs', 'BAD_PLAN', { signal: signal({ kind: 'three-way' }) }, {}],
    ['that sells', 'BAD_PLAN', { signal: signal({ legs: leg(1, { side: 'sell' }) }) }, {}],
    ['at a price of 0', 'BAD_PLAN', { signal: signal({ legs: leg(0, { limitE4: 0 }) }) }, {}],
    ['at a price of 1', 'BAD_PLAN', { signal: signal({ legs: leg(0, { limitE4: 10_000 }) }) }, {}],
    ['of no size', 'BAD_PLAN', { signal: signal({ legs: leg(1, { sizeE2: 0 }) }) }, {}],
    ['valid for an hour', 'BAD_PLAN', { signal: signal({ validMs: 3_600_000 }) }, {}],
    ['older than it is valid', 'EXPIRED', { ageMs: 1501 }, {}],
    ['from the future', 'FROM_FUTURE', { ageMs: -251 }, {}],
    ['while halted', 'HALTED', { blocked: 'HALTED' }, {}],
    ['with an unknown market', 'UNKNOWN_MARKET', { markets: [polyMarket(), undefined] }, {}],
    ['with swapped markets', 'UNKNOWN_MARKET', { markets: [kalshiMarket(), polyMarket()] }, {}],
    ['over the order limit', 'ORDER_LIMIT', {}, { orderMicros: 10_000_000 }],
    ['over the game limit', 'GAME_LIMIT', {}, { gameMicros: 19_000_000 }],
    ['over the total limit', 'TOTAL_LIMIT', {}, { totalMicros: 19_000_000 }],
  ])('%s is denied as %s and reserves nothing', (_name, code, question, limits) => {
    const book = new RiskBook({ ...WIDE, ...limits })
    expect(book.openPlan({ ...ask(signal()), ...question })).toMatchObject({ kind: 'denied', code })
    expect(book.totalMicros).toBe(0)
  })

  it('is denied while one of its pair and orientation is open, and taken when that has ended', () => {
    const book = new RiskBook(WIDE)
    book.openPlan(ask(signal()))
    expect(book.openPlan(ask(signal({ id: 'signal-2' })))).toMatchObject({ code: 'PLAN_OPEN' })
    expect(book.openPlan(ask(opposite({ id: 'signal-3', pair: 'the other orientation' }))).kind).toBe(
      'approved',
    )
    book.finishPlan('signal-1')
    expect(book.openPlan(ask(signal({ id: 'signal-4' }))).kind).toBe('approved')
  })

  it('is denied while another combination is open that is to take one of its offers', () => {
    const [poly, kalshi] = signal().legs
    const elsewhere = kalshiMarket({ marketId: 'KXNBAGAME-26JAN15MIABOS-BOS', selection: 'BOS' })
    const legs = [kalshi!, { ...kalshi!, marketId: elsewhere.marketId }]
    const both = signal({ id: 'both', pair: 'both', kind: 'same-venue', legs })
    const question = ask(both, { markets: [kalshiMarket(), elsewhere] })
    const book = new RiskBook(WIDE)
    book.openPlan(ask(signal()))
    expect(book.openPlan(question)).toMatchObject({ code: 'PLAN_OPEN' })
    const apart = [{ ...poly!, outcome: 'yes' as const }, legs[1]!]
    const beside = signal({ id: 'beside', pair: 'beside', legs: apart })
    expect(book.openPlan(ask(beside, { markets: [polyMarket(), elsewhere] })).kind).toBe('approved')
    book.finishPlan('beside')
    book.finishPlan('signal-1')
    expect(book.openPlan(question).kind).toBe('approved')
  })

  it('is denied on quarantined markets in both orientations, until their game is final', () => {
    const book = new RiskBook(WIDE)
    book.quarantinePair(['KXNBAGAME-26JAN15MIABOS-MIA', '0xabc'], GAME_ID)
    expect(book.openPlan(ask(signal()))).toMatchObject({ code: 'QUARANTINED' })
    expect(book.openPlan(ask(signal({ pair: 'the other orientation' })))).toMatchObject({
      code: 'QUARANTINED',
    })
    book.releaseGame(GAME_ID)
    expect(book.isQuarantined(['0xabc', 'KXNBAGAME-26JAN15MIABOS-MIA'])).toBe(false)
    expect(book.openPlan(ask(signal()))).toMatchObject({ code: 'GAME_FINAL' })
  })
})

describe('an order', () => {
  it('that risk has not approved does not type-check as sendable', () => {
    const send = (order: RiskApproved<OrderRequest>) => order.orderId
    const order = orderOf(signal(), 0)
    // @ts-expect-error: only RiskBook approves
    expect(send(order)).toBe(order.orderId)
  })

  it('is approved once, within its open plan, and never twice', () => {
    const book = new RiskBook(WIDE)
    expect(book.approveOrder(orderOf(signal(), 0), polyMarket())).toMatchObject({ code: 'NOT_PLANNED' })
    book.openPlan(ask(signal()))
    expect(book.approveOrder(orderOf(signal(), 0), polyMarket()).kind).toBe('approved')
    expect(book.approveOrder(orderOf(signal(), 0), polyMarket())).toMatchObject({ code: 'NOT_PLANNED' })
    book.finishPlan('signal-1')
    expect(book.approveOrder(orderOf(signal(), 1), kalshiMarket())).toMatchObject({ code: 'NOT_PLANNED' })
  })

  it('finds its reservation kept although others filled the limit up', () => {
    const reserved =
      worstLegMicros(polyMarket(), { side: 'buy', limitE4: 4300, sizeE2: 2000 }) +
      worstLegMicros(kalshiMarket(), { side: 'buy', limitE4: 4700, sizeE2: 2000 })
    const book = new RiskBook({ ...WIDE, totalMicros: reserved + 1000 })
    book.openPlan(ask(signal()))
    expect(book.openPlan(ask(opposite({ id: 'signal-2', pair: 'other' })))).toMatchObject({
      code: 'TOTAL_LIMIT',
    })
    for (const [attempt, sizeE2] of [
      [0, 2000],
      [1, 1300],
      [2, 700],
    ] as const) {
      const order = orderOf(signal(), 1, { attempt, sizeE2 })
      expect(book.approveOrder(order, kalshiMarket()).kind).toBe('approved')
      // What it filled: 700 of 2000, then 600 of 1300.
      book.settle(order.orderId, worstCashMicros(kalshiMarket(), 4700, attempt === 0 ? 700 : 600))
    }
    expect(book.totalMicros).toBeLessThanOrEqual(reserved)
  })

  it('larger than its reservation is cut to what the limits still allow', () => {
    const reserved =
      worstLegMicros(polyMarket(), { side: 'buy', limitE4: 4300, sizeE2: 2000 }) +
      worstLegMicros(kalshiMarket(), { side: 'buy', limitE4: 4700, sizeE2: 2000 })
    const book = new RiskBook({ ...WIDE, gameMicros: reserved })
    book.openPlan(ask(signal()))
    const decision = book.approveOrder(orderOf(signal(), 1, { sizeE2: 2500 }), kalshiMarket())
    if (decision.kind !== 'denied') throw new Error('it was approved')
    expect(decision.code).toBe('GAME_LIMIT')
    expect(decision.affordableE2).toBeGreaterThanOrEqual(2000)
    const cut = orderOf(signal(), 1, { sizeE2: decision.affordableE2 })
    const more = orderOf(signal(), 1, { sizeE2: decision.affordableE2 + 1 })
    expect(book.approveOrder(more, kalshiMarket()).kind).toBe('denied')
    expect(book.approveOrder(cut, kalshiMarket()).kind).toBe('approved')
  })
})

describe('a market without a step', () => {
  const stepless = polyMarket({ sizeStepE2: 0 })

  it('makes no plan', () => {
    const book = new RiskBook(WIDE)
    expect(book.openPlan(ask(signal(), { markets: [stepless, kalshiMarket()] }))).toMatchObject({
      code: 'UNKNOWN_MARKET',
    })
  })

  it('makes no order that could be cut to the limits', () => {
    const book = new RiskBook({ ...WIDE, orderMicros: 11_000_000 })
    book.openPlan(ask(signal()))
    const order = orderOf(signal(), 0, { sizeE2: 5000 })
    expect(book.approveOrder(order, stepless)).toMatchObject({ code: 'ORDER_LIMIT', affordableE2: 0 })
  })
})

describe('exposure', () => {
  const opened = () => {
    const book = new RiskBook(WIDE)
    book.openPlan(ask(signal()))
    const order = orderOf(signal(), 0)
    book.approveOrder(order, polyMarket())
    return { book, order }
  }

  it('counts an order that is in flight or unknown as filled in full, also after its plan has ended', () => {
    const { book } = opened()
    book.finishPlan('signal-1')
    expect(book.totalMicros).toBe(worstCashMicros(polyMarket(), 4300, 2000))
  })

  it('holds the cash and fees of a finished plan until its game is final', () => {
    const { book, order } = opened()
    book.settle(order.orderId, 8_750_000)
    book.finishPlan('signal-1')
    expect(book.totalMicros).toBe(8_750_000)
    expect(book.gameExposureMicros(GAME_ID)).toBe(8_750_000)
    book.releaseGame(GAME_ID)
    expect(book.totalMicros).toBe(0)
  })

  it('of an open plan ends only with the plan, also when its game is final before', () => {
    const { book, order } = opened()
    book.releaseGame(GAME_ID)
    expect(book.totalMicros).toBeGreaterThan(8_600_000)
    book.settle(order.orderId, 8_600_000)
    book.finishPlan('signal-1')
    expect(book.totalMicros).toBe(0)
  })

  it('of a plan that bought nothing is nothing', () => {
    const { book, order } = opened()
    book.settle(order.orderId, 0)
    book.finishPlan('signal-1')
    expect(book.totalMicros).toBe(0)
    expect(book.openPlan(ask(signal())).kind).toBe('approved')
  })

  it('of an earlier life counts against the limits', () => {
    const book = new RiskBook({ ...WIDE, gameMicros: 30_000_000 })
    const order = orderOf(signal(), 0)
    book.restore({ signalId: 'signal-1', gameId: GAME_ID, orders: new Map([[order.orderId, 15_000_000]]) })
    expect(book.openPlan(ask(signal({ id: 'signal-2' })))).toMatchObject({ code: 'GAME_LIMIT' })
    book.settle(order.orderId, 0)
    expect(book.openPlan(ask(signal({ id: 'signal-3' }))).kind).toBe('approved')
  })
})
