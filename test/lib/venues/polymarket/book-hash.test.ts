import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BookSide } from '../../../../src/lib/model/order-book.js'
import { VenueBook, type HashContext } from '../../../../src/lib/venues/polymarket/book-hash.js'

const CONTEXT: HashContext = {
  market: '0xab',
  assetId: '77',
  minOrderSize: '5',
  tickSize: '0.001',
  negRisk: true,
  lastTradePrice: '0.255',
}

const price = fc.integer({ min: 1, max: 999 })
const size = fc.constantFrom('0', '1', '20.5', '1234567.89', '0.000')
const change = fc.record({ side: fc.constantFrom<BookSide>('bid', 'ask'), price, size })

describe('the hash of a book that changes', () => {
  it('is the hash of the whole of it, however it came to be', () => {
    const step = fc.oneof(
      { weight: 9, arbitrary: change },
      fc.constantFrom('clear' as const, 'hash' as const),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
        const book = new VenueBook()
        const sides = { bid: new Map<number, string>(), ask: new Map<number, string>() }
        const check = (timestamp: string) => {
          expect(book.hash(CONTEXT, timestamp)).toBe(sha1(sides, timestamp))
        }
        steps.forEach((one, index) => {
          if (one === 'clear') {
            book.clear()
            sides.bid.clear()
            sides.ask.clear()
          } else if (one === 'hash') check(String(index))
          else {
            const empty = Number(one.size) === 0
            const priceE4 = one.price * 10
            book.set(one.side, { price: String(one.price / 1000), size: one.size, priceE4, sizeE2: 0, empty })
            if (empty) sides[one.side].delete(one.price)
            else sides[one.side].set(one.price, one.size)
          }
        })
        check('1790000000001')
      }),
      { numRuns: 60 },
    )
  })
})

function sha1(sides: Record<BookSide, Map<number, string>>, timestamp: string): string {
  const list = (side: BookSide, sign: number) =>
    [...sides[side]]
      .sort(([a], [b]) => sign * (a - b))
      .map(([at, size]) => ({ price: String(at / 1000), size }))
  const { market, assetId, minOrderSize, tickSize, negRisk, lastTradePrice } = CONTEXT
  const body = JSON.stringify({
    ...{ market, asset_id: assetId, timestamp, hash: '', bids: list('bid', 1), asks: list('ask', -1) },
    ...{
      min_order_size: minOrderSize,
      tick_size: tickSize,
      neg_risk: negRisk,
      last_trade_price: lastTradePrice,
    },
  })
  return createHash('sha1').update(body).digest('hex')
}
