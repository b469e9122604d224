import { describe, expect, it } from 'vitest'
import type { Signal } from '../../../src/lib/model/signal.js'
import { worstLegMicros, worstOrderMicros } from '../../../src/lib/risk/limits.js'
import type { Limits } from '../../../src/lib/risk/limits.js'
import { RiskBook } from '../../../src/lib/risk/risk-book.js'
import type { PlanQuestion } from '../../../src/lib/risk/risk-book.js'
import { kalshiMarket, orderOf, polyMarket, signal } from './samples.js'

const WIDE: Limits = { orderMicros: 200e6, gameMicros: 1000e6, totalMicros: 5000e6 }
const KALSHI = kalshiMarket()
const buy = {
  venue: 'kalshi',
  marketId: KALSHI.marketId,
  outcome: 'yes',
  side: 'buy',
  limitE4: 4700,
  sizeE2: 1000,
} as const

function manual(leg: Partial<Signal['legs'][number]> = {}, more: Partial<Signal> = {}): Signal {
  const legs = more.legs ?? [{ ...buy, ...leg }]
  return { ...signal(), id: 'manual-1', kind: 'manual', pair: 'manual-kalshi', ...more, legs }
}
const ask = (plan: Signal, more: Partial<PlanQuestion> = {}): PlanQuestion => ({
  ...{ signal: plan, markets: [KALSHI], ageMs: 10 },
  ...more,
})
const codeOf = (book: RiskBook, question: PlanQuestion): string => {
  const decision = book.openPlan(question)
  return decision.kind === 'denied' ? decision.code : decision.kind
}

describe('a manual order', () => {
  it.each<[string, Signal, Partial<PlanQuestion>, string]>([
    ['buys one leg', manual(), {}, 'approved'],
    ['has no two legs', manual({}, { legs: signal().legs }), {}, 'BAD_PLAN'],
    ['has no legs at all', manual({}, { legs: [] }), {}, 'BAD_PLAN'],
    ['costs less than a dollar a contract', manual({ limitE4: 10_000 }), {}, 'BAD_PLAN'],
    ['costs something', manual({ limitE4: 0 }), {}, 'BAD_PLAN'],
    ['has a size', manual({ sizeE2: 0 }), {}, 'BAD_PLAN'],
    ['is good for a minute at most', manual({}, { validMs: 60_001 }), {}, 'BAD_PLAN'],
    ['expires', manual(), { ageMs: 1501 }, 'EXPIRED'],
    ['is not from the future', manual(), { ageMs: -251 }, 'FROM_FUTURE'],
    ['is halted like any entry', manual(), { blocked: 'HALTED' }, 'HALTED'],
    ['is for a market that a game has told of', manual(), { markets: [undefined] }, 'UNKNOWN_MARKET'],
    ['is for that market', manual(), { markets: [polyMarket()] }, 'UNKNOWN_MARKET'],
    ['sells nothing that is not held', manual({ side: 'sell' }), {}, 'NOT_HELD'],
    ['sells all that is held', manual({ side: 'sell' }), { heldE6: 10_000_000 }, 'approved'],
    ['sells no hundredth more', manual({ side: 'sell' }), { heldE6: 9_999_999 }, 'NOT_HELD'],
    ['sells nothing short', manual({ side: 'sell' }), { heldE6: -1 }, 'NOT_HELD'],
    ['is halted when it sells, too', manual({ side: 'sell' }), { heldE6: 1e9, blocked: 'HALTED' }, 'HALTED'],
  ])('%s', (_name, plan, more, code) => {
    expect(codeOf(new RiskBook(WIDE), ask(plan, more))).toBe(code)
  })

  it.each([
    ['ORDER_LIMIT', { orderMicros: 4e6 }, 'order_micros_0'],
    ['GAME_LIMIT', { gameMicros: 4e6 }, 'game_micros'],
    ['TOTAL_LIMIT', { totalMicros: 4e6 }, 'total_micros'],
  ] as const)('that buys is held to its %s, one that sells is not', (code, limits, name) => {
    const narrow = { ...WIDE, ...limits }
    const decision = new RiskBook(narrow).openPlan(ask(manual()))
    expect(decision).toMatchObject({ kind: 'denied', code })
    expect(decision.checks.at(-1)).toMatchObject({ name, limit: 4e6 })
    const sale = ask(manual({ side: 'sell' }), { heldE6: 1e9 })
    expect(codeOf(new RiskBook(narrow), sale)).toBe('approved')
  })

  it('that no shard may send: one leg, or a sale, of a strategy is no plan', () => {
    const [first, second] = signal().legs
    const markets = [polyMarket(), KALSHI]
    expect(codeOf(new RiskBook(WIDE), ask({ ...manual(), kind: 'cross-venue' }))).toBe('BAD_PLAN')
    const sells = { ...signal(), legs: [first!, { ...second!, side: 'sell' as const }] }
    expect(codeOf(new RiskBook(WIDE), ask(sells, { markets, heldE6: 1e9 }))).toBe('BAD_PLAN')
  })

  it('is one at a time for an offer; a sale has the market for itself, a purchase goes beside a plan', () => {
    const pair = ask(signal(), { markets: [polyMarket(), KALSHI] })
    const sale = (id: string) => ask(manual({ side: 'sell' }, { id }), { heldE6: 1e9 })
    const book = new RiskBook(WIDE)
    expect(codeOf(book, ask(manual()))).toBe('approved')
    expect(codeOf(book, ask(manual({}, { id: 'again' })))).toBe('PLAN_OPEN')
    expect(codeOf(book, sale('sale'))).toBe('PLAN_OPEN')
    expect(codeOf(book, pair)).toBe('PLAN_OPEN')
    book.finishPlan('manual-1')
    expect(codeOf(book, pair)).toBe('approved')
    expect(codeOf(book, ask(manual({}, { id: 'beside' })))).toBe('approved')
    book.finishPlan('beside')
    expect(codeOf(book, sale('sale'))).toBe('PLAN_OPEN')
    book.finishPlan(signal().id)
    expect(codeOf(book, sale('sale'))).toBe('approved')
    expect(codeOf(book, ask({ ...signal(), id: 'later' }, { markets: [polyMarket(), KALSHI] }))).toBe(
      'PLAN_OPEN',
    )
    const elsewhere = kalshiMarket({ marketId: 'ELSEWHERE' })
    const other = manual({ marketId: 'ELSEWHERE' }, { id: 'else', pair: 'manual-else' })
    expect(codeOf(book, ask(other, { markets: [elsewhere] }))).toBe('approved')
  })

  it('mends what a plan left unhedged, in markets that take no entry', () => {
    const book = new RiskBook(WIDE)
    book.quarantinePair([KALSHI.marketId, polyMarket().marketId], signal().gameId)
    expect(codeOf(book, ask(signal(), { markets: [polyMarket(), KALSHI] }))).toBe('QUARANTINED')
    expect(codeOf(book, ask(manual()))).toBe('approved')
  })

  it('that sold counts its fees, and frees nothing that was paid before', () => {
    const book = new RiskBook(WIDE)
    const bought = manual()
    book.openPlan(ask(bought))
    book.approveOrder(orderOf(bought, 0), KALSHI)
    book.settle(orderOf(bought, 0).orderId, 4_700_000)
    book.finishPlan(bought.id)
    expect(book.totalMicros).toBe(4_700_000)
    const sold = manual({ side: 'sell' }, { id: 'manual-2' })
    book.openPlan(ask(sold, { heldE6: 10_000_000 }))
    expect(book.totalMicros).toBe(4_700_000 + worstLegMicros(KALSHI, sold.legs[0]!))
    expect(book.approveOrder(orderOf(sold, 0), KALSHI).kind).toBe('approved')
    expect(book.approveOrder({ ...orderOf(sold, 0), orderId: 'x', side: 'buy' }, KALSHI)).toMatchObject({
      code: 'NOT_PLANNED',
    })
    book.settle(orderOf(sold, 0).orderId, 20_000)
    book.finishPlan(sold.id)
    expect(book.totalMicros).toBe(4_720_000)
  })

  it.each([100, 2500, 5000, 9900])(
    'that sells at %i e-4 or better costs no more fees than set aside',
    (priceE4) => {
      const worst = worstOrderMicros(KALSHI, { side: 'sell', limitE4: 100, sizeE2: 1000 })
      const price = priceE4 / 10_000
      expect(worst).toBeGreaterThanOrEqual(0.07 * 10 * price * (1 - price) * 1e6)
    },
  )
})
