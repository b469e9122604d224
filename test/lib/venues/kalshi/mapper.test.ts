import { describe, expect, it } from 'vitest'

import { OrderBook } from '../../../../src/lib/model/order-book.js'
import type { DeltaFrame, SnapshotFrame } from '../../../../src/lib/venues/kalshi/book-frames.js'
import { parseFrame } from '../../../../src/lib/venues/kalshi/frames.js'
import { applyDelta, applySnapshot, yesPriceE4 } from '../../../../src/lib/venues/kalshi/mapper.js'

const snapshot: SnapshotFrame = {
  kind: 'snapshot',
  sid: 1,
  seq: 1,
  ticker: 'T',
  yes: [
    [4500, 100],
    [4700, 300],
  ],
  no: [
    [4600, 500],
    [4800, 200],
  ],
}
const delta = (side: 'yes' | 'no', priceE4: number, deltaE2: number): DeltaFrame => {
  return { kind: 'delta', sid: 1, seq: 2, ticker: 'T', side, priceE4, deltaE2, venueMs: undefined }
}

describe('Kalshi wire to YES book', () => {
  it('NO bids become YES asks at one minus their price, unless they are YES prices already', () => {
    expect([yesPriceE4('no', 4800, false), yesPriceE4('no', 5200, true)]).toEqual([5200, 5200])
    expect([yesPriceE4('yes', 4800, false), yesPriceE4('yes', 4800, true)]).toEqual([4800, 4800])
  })

  it.each([
    [false, [4600, 4800]],
    [true, [5400, 5200]],
  ] as const)(
    'the same book from both forms of the NO side (use_yes_price %s)',
    (useYesPrice, [worse, better]) => {
      const book = new OrderBook()
      const no = [
        [worse, 500],
        [better, 200],
      ] as const
      applySnapshot(book, { ...snapshot, no }, useYesPrice)
      expect(book.best('bid')).toEqual([4700, 300])
      expect(book.levels('bid')).toEqual([
        [4700, 300],
        [4500, 100],
      ])
      expect(book.levels('ask')).toEqual([
        [5200, 200],
        [5400, 500],
      ])
      expect(applyDelta(book, delta('no', better, -200), useYesPrice)).toBe(true)
      expect(book.best('ask')).toEqual([5400, 500])
    },
  )

  it('a snapshot replaces everything, and an absent side is empty', () => {
    const book = new OrderBook()
    applySnapshot(book, snapshot, false)
    applySnapshot(book, { ...snapshot, yes: [], no: [[100, 1]] }, false)
    expect(book.levels('bid')).toEqual([])
    expect(book.levels('ask')).toEqual([[9900, 1]])
  })

  it('deltas add up, a level at zero is gone, and one below zero is refused without a change', () => {
    const book = new OrderBook()
    applySnapshot(book, snapshot, false)
    expect(applyDelta(book, delta('yes', 4600, 50), false)).toBe(true)
    expect(applyDelta(book, delta('yes', 4600, 25), false)).toBe(true)
    expect(book.sizeAt('bid', 4600)).toBe(75)
    expect(applyDelta(book, delta('yes', 4700, -300), false)).toBe(true)
    expect(book.best('bid')).toEqual([4600, 75])
    expect(applyDelta(book, delta('yes', 4600, -76), false)).toBe(false)
    expect(applyDelta(book, delta('no', 100, -1), false)).toBe(false)
    expect(applyDelta(book, delta('yes', 4600, Number.MAX_SAFE_INTEGER), false)).toBe(false)
    expect(book.sizeAt('bid', 4600)).toBe(75)
  })

  it('recorded strings give the recorded top: NO 0.4800 is a YES ask at 0.52', () => {
    const frame = parseFrame(
      '{"type":"orderbook_snapshot","sid":1,"seq":1,"msg":{"market_ticker":"T","yes_dollars_fp":[["0.4700","3.00"]],"no_dollars_fp":[["0.4800","2.00"]]}}',
    )
    const book = new OrderBook()
    if (frame.kind !== 'snapshot') throw new Error(frame.kind)
    applySnapshot(book, frame, false)
    expect([book.best('bid'), book.best('ask')]).toEqual([
      [4700, 300],
      [5200, 200],
    ])
  })
})
