import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OrderBook } from '../../../src/lib/model/order-book.js'
import type { BookSide, Level } from '../../../src/lib/model/order-book.js'
import { stateOfBook } from '../../../src/lib/model/quote.js'

/** The slow book: a map a side, sorted when asked. */
function slowLevels(entries: ReadonlyMap<number, number>, side: BookSide): Level[] {
  const levels = [...entries].filter(([, size]) => size > 0) as Level[]
  return levels.sort((a, b) => (side === 'bid' ? b[0] - a[0] : a[0] - b[0]))
}

describe('order book', () => {
  it('equals a slow fold over any sequence of level changes', () => {
    const change = fc.record({
      side: fc.constantFrom<BookSide>('bid', 'ask'),
      priceE4: fc.integer({ min: 1, max: 30 }),
      sizeE2: fc.integer({ min: 0, max: 3 }),
    })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
        const book = new OrderBook()
        const slow = { bid: new Map<number, number>(), ask: new Map<number, number>() }
        for (const { side, priceE4, sizeE2 } of changes) {
          book.setLevel(side, priceE4, sizeE2)
          slow[side].set(priceE4, sizeE2)
          expect(book.sizeAt(side, priceE4)).toBe(sizeE2)
        }
        for (const side of ['bid', 'ask'] as const) {
          expect(book.levels(side)).toEqual(slowLevels(slow[side], side))
          expect(book.best(side)).toEqual(slowLevels(slow[side], side)[0])
        }
      }),
    )
  })

  it('takes snapshots in any order and drops empty levels', () => {
    const book = new OrderBook()
    book.replace(
      [
        [4000, 100],
        [4200, 0],
        [4100, 50],
      ],
      [
        [4500, 10],
        [4400, 20],
      ],
    )
    expect(book.levels('bid')).toEqual([
      [4100, 50],
      [4000, 100],
    ])
    expect(book.best('ask')).toEqual([4400, 20])
    expect(book.levels('ask', 1)).toHaveLength(1)
  })

  it('calls an empty book EMPTY and a crossed one BROKEN', () => {
    const book = new OrderBook()
    expect(stateOfBook(book)).toBe('EMPTY')
    book.setLevel('bid', 5000, 100)
    expect(stateOfBook(book)).toBe('LIVE')
    book.setLevel('ask', 5000, 100)
    expect(stateOfBook(book)).toBe('BROKEN')
  })
})
