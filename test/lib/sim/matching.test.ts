import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Level } from '../../../src/lib/model/order-book.js'
import {
  cashMicros,
  fillContracts,
  fillDollars,
  planContracts,
  restingSide,
  sumE6,
  type TakerOrder,
} from '../../../src/lib/sim/matching.js'
import { MatchingBook, type BookStep } from '../../../src/lib/sim/matching-book.js'
import type { RestingOrder } from '../../../src/lib/sim/price-level.js'

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

const makers = <T>(change: T) => ({ ...change, order: undefined })

describe('matching', () => {
  it('never fills beyond the limit, the size or what is displayed', () => {
    fc.assert(
      fc.property(ladder, order, fc.integer({ min: 1, max: 10_000_000 }), (levels, taker, sizeE2) => {
        const book = new MatchingBook()
        book.setLadder(levels, 0)
        const before = new Map([
          ...levels.bids.map(([p, s]) => [`bid${p}`, s] as const),
          ...levels.asks.map(([p, s]) => [`ask${p}`, s] as const),
        ])
        const fills = fillContracts(book, taker, sizeE2 * 10_000)
        expect(sumE6(fills)).toBeLessThanOrEqual(sizeE2 * 10_000)
        for (const { priceE4, yesPriceE4, sizeE6 } of fills) {
          expect(within(taker, priceE4)).toBe(true)
          expect(priceE4).toBe(taker.outcome === 'yes' ? yesPriceE4 : 10_000 - yesPriceE4)
          expect(sizeE6).toBeGreaterThan(0)
          expect(sizeE6).toBeLessThanOrEqual(before.get(`${restingSide(taker)}${yesPriceE4}`)! * 10_000)
        }
        book.take(taker, fills, 0)
        for (const { yesPriceE4, sizeE6 } of fills) {
          const left = before.get(`${restingSide(taker)}${yesPriceE4}`)! - sizeE6 / 10_000
          expect(book.display.sizeAt(restingSide(taker), yesPriceE4)).toBe(left)
        }
        // What is left unfilled could not be filled.
        if (sumE6(fills) < sizeE2 * 10_000) expect(fillContracts(book, taker, 10_000)).toEqual([])
      }),
    )
  })

  it('spends at most the dollars, at prices within the limit, and gets more for a better price', () => {
    fc.assert(
      fc.property(ladder, order, fc.integer({ min: 1, max: 500_000_00 }), (levels, any, cents) => {
        const taker: TakerOrder = { ...any, side: 'buy' }
        const book = new MatchingBook()
        book.setLadder(levels, 0)
        const micros = cents * 10_000
        const fills = fillDollars(book, taker, micros)
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
    const book = new MatchingBook()
    const levels = { bids: [[4700, 10_000]] as Level[], asks: [[4900, 20_000]] as Level[] }
    book.setLadder(levels, 0)
    const taker: TakerOrder = { outcome: 'yes', side: 'buy', limitE4: 4900 }
    const changes = book.take(taker, fillContracts(book, taker, 150_000_000), 1000)
    expect(changes).toEqual([makers({ side: 'ask', priceE4: 4900, sizeE2: 5000, deltaE2: -15_000 })])
    expect(book.setLadder(levels, 0)).toEqual([])
    expect(book.refill(1500)).toEqual([])
    const refilled = makers({ side: 'ask', priceE4: 4900, sizeE2: 12_500, deltaE2: 7500 })
    expect(book.refill(2500)).toEqual([{ changes: [refilled], trade: undefined }])
    for (let at = 4000; at < 60_000; at += 1500) book.refill(at)
    expect(book.display.sizeAt('ask', 4900)).toBe(20_000)
  })

  it('never shows a crossed or an empty book, or a price better than the new best, while the makers move', () => {
    fc.assert(
      fc.property(ladder, fc.integer({ min: -45, max: 45 }), (levels, shift) => {
        const moved = (list: readonly Level[]) =>
          list.map(([p, s]): Level => [p + shift * 100, s]).filter(([p]) => p > 0 && p < 10_000)
        const book = new MatchingBook()
        const seen = { bid: new Map<number, number>(), ask: new Map<number, number>() }
        const steps = [levels, { bids: moved(levels.bids), asks: moved(levels.asks) }]
        for (const [index, step] of steps.entries()) {
          let added = false
          for (const { side, priceE4, sizeE2 } of book.setLadder(step, 0).flatMap(({ changes }) => changes)) {
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

let names = 0
const resting = (side: 'bid' | 'ask', priceE4: number, owner = 'a'): RestingOrder => {
  names += 1
  return { orderId: `o${names}`, owner, side, priceE4 }
}
const buy = (limitE4: number): TakerOrder => ({ outcome: 'yes', side: 'buy', limitE4 })
const sell = (limitE4: number): TakerOrder => ({ outcome: 'yes', side: 'sell', limitE4 })

describe('resting orders', () => {
  /** The slow book: one list, sorted anew for every taker. */
  interface Row {
    readonly order: RestingOrder
    readonly turn: number
    sizeE2: number
  }
  const action = fc.record({
    kind: fc.constantFrom('rest', 'rest', 'cancel', 'take', 'take own'),
    side: fc.constantFrom('bid' as const, 'ask' as const),
    owner: fc.constantFrom('a', 'b'),
    cents: fc.integer({ min: 30, max: 70 }),
    sizeE2: fc.integer({ min: 1, max: 5000 }),
  })

  it('are filled by price, then by time, whatever comes and goes', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const book = new MatchingBook()
        let rows: Row[] = []
        for (const [turn, { kind, side, owner, cents, sizeE2 }] of actions.entries()) {
          const priceE4 = cents * 100
          if (kind === 'cancel') {
            const row = rows[sizeE2 % Math.max(1, rows.length)]
            rows = rows.filter((each) => each !== row)
            if (row !== undefined) expect(book.cancel(row.order)?.deltaE2).toBe(-row.sizeE2)
            continue
          }
          const taker = side === 'bid' ? buy(priceE4) : sell(priceE4)
          const facing = rows
            .filter(({ order }) => order.side !== side)
            .filter(({ order }) => (side === 'bid' ? order.priceE4 <= priceE4 : order.priceE4 >= priceE4))
            .sort(
              (one, two) =>
                (side === 'bid' ? 1 : -1) * (one.order.priceE4 - two.order.priceE4) || one.turn - two.turn,
            )
          const own = kind === 'take own' ? { owner, cancels: 'taker' as const } : undefined
          const plan = planContracts(book, taker, sizeE2 * 10_000, own)
          let left = sizeE2
          const expected: [string, number, number][] = []
          let stopped = false
          for (const row of facing) {
            if (left === 0) break
            if (row.order.owner === own?.owner) {
              stopped = true
              break
            }
            const part = Math.min(left, row.sizeE2)
            expected.push([row.order.orderId, row.order.priceE4, part])
            left -= part
            row.sizeE2 -= part
          }
          expect(
            plan.fills.map(({ maker, yesPriceE4, sizeE6 }) => [maker!.orderId, yesPriceE4, sizeE6 / 10_000]),
          ).toEqual(expected)
          expect(plan.stopped).toBe(stopped)
          book.take(taker, plan.fills, turn)
          rows = rows.filter((row) => row.sizeE2 > 0)
          if (kind === 'rest' && left > 0) {
            const order = resting(side, priceE4, owner)
            book.rest(order, left)
            rows.push({ order, turn, sizeE2: left })
          }
          for (const shown of ['bid', 'ask'] as const) {
            const sums = new Map<number, number>()
            for (const { order, sizeE2: size } of rows.filter((row) => row.order.side === shown)) {
              sums.set(order.priceE4, (sums.get(order.priceE4) ?? 0) + size)
            }
            expect(new Map(book.display.levels(shown))).toEqual(sums)
          }
          expect(book.display.isCrossed).toBe(false)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('never stand across the makers, and every frame of theirs adds up to what is displayed', () => {
    const deed = fc.record({
      kind: fc.constantFrom('ladder', 'ladder', 'refill', 'rest', 'cancel', 'take'),
      levels: ladder,
      shift: fc.integer({ min: -30, max: 30 }),
      side: fc.constantFrom('bid' as const, 'ask' as const),
      cents: fc.integer({ min: 20, max: 80 }),
      sizeE2: fc.integer({ min: 1, max: 90_000 }),
    })
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 25 }), (deeds) => {
        const book = new MatchingBook()
        const shown = { bid: new Map<number, number>(), ask: new Map<number, number>() }
        /** What is left of each order, by the fills and the deltas that were told. */
        const open = new Map<RestingOrder, number>()
        const apply = ({ changes, trade }: BookStep) => {
          for (const { side, priceE4, deltaE2, sizeE2, order } of changes) {
            const size = (shown[side].get(priceE4) ?? 0) + deltaE2
            expect(size).toBe(sizeE2)
            if (size === 0) shown[side].delete(priceE4)
            else shown[side].set(priceE4, size)
            if (order !== undefined && trade === undefined) {
              open.set(order, (open.get(order) ?? 0) + deltaE2)
            }
          }
          for (const { maker, sizeE6, yesPriceE4 } of trade?.fills ?? []) {
            if (maker === undefined) continue
            expect(yesPriceE4).toBe(maker.priceE4)
            open.set(maker, open.get(maker)! - sizeE6 / 10_000)
          }
        }
        for (const [turn, { kind, levels, shift, side, cents, sizeE2 }] of deeds.entries()) {
          const atMs = turn * 1600
          const moved = (list: readonly Level[]) =>
            list.map(([p, s]): Level => [p + shift * 100, s]).filter(([p]) => p > 0 && p < 10_000)
          if (kind === 'ladder') {
            const steps = book.setLadder({ bids: moved(levels.bids), asks: moved(levels.asks) }, atMs)
            steps.forEach(apply)
          } else if (kind === 'refill') book.refill(atMs).forEach(apply)
          else if (kind === 'cancel') {
            const [order] = [...open].findLast(([, left]) => left > 0) ?? []
            const change = order && book.cancel(order)
            if (change !== undefined) apply({ changes: [change], trade: undefined })
          } else {
            const taker = side === 'bid' ? buy(cents * 100) : sell(cents * 100)
            const { fills } = planContracts(book, taker, sizeE2 * 10_000)
            apply({ changes: book.take(taker, fills, atMs), trade: { order: taker, fills } })
            const left = sizeE2 - sumE6(fills) / 10_000
            if (kind === 'rest' && left > 0) {
              apply({ changes: [book.rest(resting(side, cents * 100), left)], trade: undefined })
            }
          }
          expect(book.display.isCrossed).toBe(false)
          for (const each of ['bid', 'ask'] as const) {
            expect(new Map(book.display.levels(each))).toEqual(shown[each])
          }
          for (const [order, left] of open) {
            const place = book.queueAt(order.side, order.priceE4).find((queued) => queued.order === order)
            expect(place?.sizeE2 ?? 0).toBe(left)
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  it('wait behind the makers who were there before, and before those who come later', () => {
    const book = new MatchingBook()
    book.setLadder({ bids: [], asks: [[4900, 1000]] }, 0)
    const order = resting('ask', 4900)
    expect(book.rest(order, 500)).toEqual({ side: 'ask', priceE4: 4900, sizeE2: 1500, deltaE2: 500, order })
    book.setLadder({ bids: [], asks: [[4900, 1800]] }, 0)
    const fills = fillContracts(book, buy(5000), 17_000_000)
    expect(fills.map(({ maker, sizeE6 }) => [maker?.orderId, sizeE6])).toEqual([
      [undefined, 10_000_000],
      [order.orderId, 5_000_000],
      [undefined, 2_000_000],
    ])
    // Makers who want less leave from the back.
    book.setLadder({ bids: [], asks: [[4900, 1300]] }, 0)
    const makersOf = (sizeE2: number) => ({ order: undefined, sizeE2 })
    expect(book.queueAt('ask', 4900)).toEqual([makersOf(1000), { order, sizeE2: 500 }, makersOf(300)])
    book.take(buy(5000), fillContracts(book, buy(5000), 4_000_000), 0)
    expect(book.queueAt('ask', 4900)).toEqual([makersOf(600), { order, sizeE2: 500 }, makersOf(300)])
  })

  it('trade with makers whose new quote reaches them, at their own price, and the book is not crossed', () => {
    const book = new MatchingBook()
    const order = resting('ask', 4900)
    book.setLadder({ bids: [[4700, 1000]], asks: [] }, 0)
    book.rest(order, 500)
    const steps = book.setLadder(
      {
        bids: [
          [5000, 800],
          [4700, 1000],
        ],
        asks: [[5200, 100]],
      },
      10,
    )
    expect(steps[0]?.trade?.fills).toEqual([
      { yesPriceE4: 4900, priceE4: 4900, sizeE6: 5_000_000, maker: order },
    ])
    expect(steps[0]?.changes).toEqual([{ side: 'ask', priceE4: 4900, sizeE2: 0, deltaE2: -500, order }])
    expect(book.display.levels('bid')).toEqual([
      [5000, 300],
      [4700, 1000],
    ])
    expect(book.cancel(order)).toBeUndefined()
    // Those makers come back later, as after any other trade.
    book.refill(2000)
    expect(book.display.sizeAt('bid', 5000)).toBe(550)
  })

  it('are filled by the makers who come back to a level', () => {
    const book = new MatchingBook()
    book.setLadder({ bids: [], asks: [[4900, 1000]] }, 0)
    book.take(buy(4900), fillContracts(book, buy(4900), 10_000_000), 0)
    const order = resting('bid', 4900)
    book.rest(order, 300)
    const [step] = book.refill(2000)
    expect(step?.trade?.order).toEqual(sell(4900))
    expect(step?.trade?.fills).toMatchObject([{ maker: order, sizeE6: 3_000_000 }])
    expect(book.display.best('bid')).toBeUndefined()
    expect(book.display.sizeAt('ask', 4900)).toBe(200)
  })

  it('are passed by their own account when it asks for that, and stop it otherwise', () => {
    const book = new MatchingBook()
    const [theirs, ours, later] = [resting('ask', 4800, 'b'), resting('ask', 4900), resting('ask', 5000, 'b')]
    for (const order of [theirs, ours, later]) book.rest(order, 100)
    const sizes = (cancels: 'taker' | 'maker') => {
      const plan = planContracts(book, buy(6000), 3_000_000, { owner: 'a', cancels })
      return [plan.fills.map(({ maker }) => maker), plan.canceled, plan.stopped]
    }
    expect(sizes('taker')).toEqual([[theirs], [], true])
    expect(sizes('maker')).toEqual([[theirs, later], [ours], false])
    // It is reached only by who gets so far.
    expect(planContracts(book, buy(6000), 1_000_000, { owner: 'a', cancels: 'taker' }).stopped).toBe(false)
  })
})
