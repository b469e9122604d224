import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Level } from '../../../src/lib/model/order-book.js'
import {
  cashMicros,
  DisplayedBook,
  fillContracts,
  fillDollars,
  restingSide,
  sumE6,
  type TakerOrder,
} from '../../../src/lib/sim/matching.js'

const ladder = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 1, max: 49 }), { minLength: 1, maxLength: 8 }),
    fc.uniqueArray(fc.integer({ min: 50, max: 99 }), { minLength: 1, maxLength: 8 }),
    fc.integer({ min: 1, max: 1_000_000 }),
  )
  .map(([bids, asks, seed]) => ({
    bids: bids.sort((a, b) => b - a).map((c): Level => [c * 100, 1 + ((seed * c) % 50_000)]),
    asks: asks.sort((a, b) => a - b).map((c): Level => [c * 100, 1 + ((seed * c) % 50_000)]),
  }))

const order = fc.record({
  outcome: fc.constantFrom('yes' as const, 'no' as const),
  side: fc.constantFrom('buy' as const, 'sell' as const),
  limitE4: fc.integer({ min: 1, max: 9999 }),
})

const within = ({ side, limitE4 }: TakerOrder, priceE4: number) =>
  side === 'buy' ? priceE4 <= limitE4 : priceE4 >= limitE4

describe('matching', () => {
  it('never fills beyond the limit, the size or what is displayed', () => {
    fc.assert(
      fc.property(ladder, order, fc.integer({ min: 1, max: 10_000_000 }), (levels, taker, sizeE2) => {
        const book = new DisplayedBook()
        book.setLadder(levels)
        const before = new Map([
          ...levels.bids.map(([p, s]) => [`bid${p}`, s] as const),
          ...levels.asks.map(([p, s]) => [`ask${p}`, s] as const),
        ])
        const fills = fillContracts(book.display, taker, sizeE2 * 10_000)
        expect(sumE6(fills)).toBeLessThanOrEqual(sizeE2 * 10_000)
        for (const { priceE4, yesPriceE4, sizeE6 } of fills) {
          expect(within(taker, priceE4)).toBe(true)
          expect(priceE4).toBe(taker.outcome === 'yes' ? yesPriceE4 : 10_000 - yesPriceE4)
          expect(sizeE6).toBeGreaterThan(0)
          expect(sizeE6).toBeLessThanOrEqual(before.get(`${restingSide(taker)}${yesPriceE4}`)! * 10_000)
        }
        book.consume(taker, fills, 0)
        for (const { yesPriceE4, sizeE6 } of fills) {
          const left = before.get(`${restingSide(taker)}${yesPriceE4}`)! - sizeE6 / 10_000
          expect(book.display.sizeAt(restingSide(taker), yesPriceE4)).toBe(left)
        }
        // What is left unfilled could not be filled.
        if (sumE6(fills) < sizeE2 * 10_000) expect(fillContracts(book.display, taker, 10_000)).toEqual([])
      }),
    )
  })

  it('spends at most the dollars, at prices within the limit, and gets more for a better price', () => {
    fc.assert(
      fc.property(ladder, order, fc.integer({ min: 1, max: 500_000_00 }), (levels, any, cents) => {
        const taker: TakerOrder = { ...any, side: 'buy' }
        const book = new DisplayedBook()
        book.setLadder(levels)
        const micros = cents * 10_000
        const fills = fillDollars(book.display, taker, micros)
        const spent = fills.reduce((sum, fill) => sum + cashMicros(fill.priceE4, fill.sizeE6), 0)
        expect(spent).toBeLessThanOrEqual(micros)
        for (const { priceE4, yesPriceE4, sizeE6 } of fills) {
          expect(within(taker, priceE4)).toBe(true)
          expect(sizeE6).toBeLessThanOrEqual(book.display.sizeAt(restingSide(taker), yesPriceE4) * 10_000)
        }
        const atLimit = Math.floor((spent * 10_000) / taker.limitE4)
        expect(sumE6(fills)).toBeGreaterThanOrEqual(atLimit)
      }),
    )
  })

  it('shows less after a take, keeps it so when makers repeat themselves, and refills after a while', () => {
    const book = new DisplayedBook()
    const levels = { bids: [[4700, 10_000]] as Level[], asks: [[4900, 20_000]] as Level[] }
    book.setLadder(levels)
    const taker: TakerOrder = { outcome: 'yes', side: 'buy', limitE4: 4900 }
    const changes = book.consume(taker, fillContracts(book.display, taker, 150_000_000), 1000)
    expect(changes).toEqual([{ side: 'ask', priceE4: 4900, sizeE2: 5000, deltaE2: -15_000 }])
    expect(book.setLadder(levels)).toEqual([])
    expect(book.refill(1500)).toEqual([])
    expect(book.refill(2500)).toEqual([{ side: 'ask', priceE4: 4900, sizeE2: 12_500, deltaE2: 7500 }])
    for (let at = 4000; at < 60_000; at += 1500) book.refill(at)
    expect(book.display.sizeAt('ask', 4900)).toBe(20_000)
  })

  it('never shows a crossed or an empty book, or a price better than the new best, while the makers move', () => {
    fc.assert(
      fc.property(ladder, fc.integer({ min: -45, max: 45 }), (levels, shift) => {
        const moved = (list: readonly Level[]) =>
          list.map(([p, s]): Level => [p + shift * 100, s]).filter(([p]) => p > 0 && p < 10_000)
        const book = new DisplayedBook()
        const seen = { bid: new Map<number, number>(), ask: new Map<number, number>() }
        const steps = [levels, { bids: moved(levels.bids), asks: moved(levels.asks) }]
        for (const [index, step] of steps.entries()) {
          let added = false
          for (const { side, priceE4, sizeE2 } of book.setLadder(step)) {
            if (sizeE2 === 0) seen[side].delete(priceE4)
            else seen[side].set(priceE4, sizeE2)
            const bid = Math.max(0, ...seen.bid.keys())
            const ask = Math.min(10_000, ...seen.ask.keys())
            expect(bid).toBeLessThan(ask)
            if (index === 0 || step.bids.length === 0 || step.asks.length === 0) continue
            expect(seen.bid.size + seen.ask.size).toBeGreaterThan(0)
            added ||= sizeE2 > 0
            if (added) expect([bid <= step.bids[0]![0], ask >= step.asks[0]![0]]).toEqual([true, true])
          }
        }
      }),
    )
  })
})
