import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Exchange } from '../../../src/lib/sim/exchange.js'
import { PolyAccount } from '../../../src/lib/sim/polymarket/account.js'
import { placeInBook, type PolyOrder } from '../../../src/lib/sim/polymarket/order.js'
import { PolyDesk } from '../../../src/lib/sim/polymarket/order-desk.js'
import { Settlement } from '../../../src/lib/sim/polymarket/settlement.js'
import { priceFor } from '../../../src/lib/sim/polymarket/trade.js'
import { Scenario } from '../../../src/lib/sim/scenario.js'
import { StatsCounter } from '../../../src/lib/sim/stats.js'

const NOW_MS = 1_790_000_000_000
const clock = { nowMs: () => NOW_MS, monoUs: () => 0 }
const polyPace = { secondsDelay: 0, visibleMs: 0, minedMs: 1e6, confirmedMs: 2e6 }

const wish = fc.record({
  token: fc.constantFrom(0 as const, 1 as const),
  tokenSide: fc.constantFrom('BUY' as const, 'SELL' as const),
  type: fc.constantFrom('GTC' as const, 'FAK' as const, 'FOK' as const),
  limitE4: fc.integer({ min: 400, max: 600 }).map((price) => price * 10),
  sizeE2: fc.integer({ min: 500, max: 50_000 }),
  cancels: fc.boolean(),
})

/** A venue whose makers stand still, one account, and a step for each order. */
function stage(seed: number) {
  const exchange = new Exchange(new Scenario({ seed, nowMs: NOW_MS, polyPace }), clock, 1)
  const account = new PolyAccount('0xfunder')
  const desk = new PolyDesk(exchange, account, new Settlement(exchange, account), new StatsCounter())
  exchange.listen({ onBook: (change) => desk.onBook(change) })
  // Of the fine tick.
  const market = exchange.games[1]!.poly
  const book = exchange.bookOf(market)
  // Without makers the account's own orders meet.
  if (seed % 2 === 0) book.setLadder({ bids: [], asks: [] }, 0)
  return { exchange, account, desk, market, book }
}

describe('orders of both tokens in one book', () => {
  it('never cross it, trade within their limits, and leave every dollar and share accounted for', () => {
    let met = 0
    fc.assert(
      fc.property(
        fc.nat(1000),
        fc.array(wish, { minLength: 1, maxLength: 40, size: 'max' }),
        (seed, wishes) => {
          const { exchange, account, desk, market, book } = stage(seed)
          const opening = account.cashMicros
          const orders: PolyOrder[] = []
          wishes.forEach(({ cancels, sizeE2, ...asked }, index) => {
            const last = orders.at(-1)
            if (cancels && last !== undefined) desk.cancel(last)
            const sharesE6 = sizeE2 * 10_000
            const dollarsE6 = Math.floor((asked.limitE4 * sizeE2) / 10_000) * 10_000
            const spends = asked.tokenSide === 'BUY' && asked.type !== 'GTC'
            const order: PolyOrder = {
              ...asked,
              ...placeInBook(asked, asked.limitE4),
              ...{ orderId: `0x${index}`, owner: account.funder, market, postOnly: false },
              makerE6: asked.tokenSide === 'SELL' ? sharesE6 : spends ? dollarsE6 : asked.limitE4 * sizeE2,
              ...{ sharesE6, createdMs: NOW_MS, expirationS: 0, status: 'LIVE' },
              ...{ restsE2: 0, matchedE6: 0, cashE6: 0, tradeIds: [] },
            }
            orders.push(order)
            desk.place(order)
            expect(book.display.isCrossed).toBe(false)
          })

          let cash = 0
          const shares = [0, 0]
          for (const trade of account.trades) {
            for (const party of [trade.taker, trade.maker]) {
              const { order, token, tokenSide } = party
              if (order === undefined) continue
              const priceE4 = priceFor(trade, party)
              expect(tokenSide === 'BUY' ? priceE4 <= order.limitE4 : priceE4 >= order.limitE4).toBe(true)
              if (party === trade.maker) expect(priceE4).toBe(order.limitE4)
              shares[token]! += tokenSide === 'BUY' ? trade.sizeE6 : -trade.sizeE6
            }
            const { taker, maker, sizeE6, feeMicros, priceE4 } = trade
            cash -= feeMicros
            if (maker.order === undefined || taker.order === undefined) {
              const own = taker.order === undefined ? maker : taker
              const paid = (priceFor(trade, own) * sizeE6) / 10_000
              cash += own.tokenSide === 'BUY' ? -paid : paid
              continue
            }
            met += 1
            // Between two of its own the account mints for a dollar a share, merges for one, or pays itself.
            if (taker.token !== maker.token) cash += taker.tokenSide === 'BUY' ? -sizeE6 : sizeE6
            expect(taker.token === maker.token).toBe(taker.tokenSide !== maker.tokenSide)
            expect(priceE4 % 10).toBe(0)
          }
          // A fraction of a micro-dollar is lost in a trade at most.
          expect(Math.abs(account.cashMicros - opening - cash)).toBeLessThanOrEqual(account.trades.length)
          expect(market.tokenIds.map((id) => account.tokenE6(id))).toEqual(shares)

          for (const order of orders) {
            const rests = book
              .queueAt(order.side, order.priceE4)
              .filter((place) => place.order === order)
              .reduce((sum, { sizeE2 }) => sum + sizeE2, 0)
            expect(rests > 0).toBe(order.status === 'LIVE')
            expect(account.orders.has(order.orderId)).toBe(order.status === 'LIVE')
            if (rests === 0) continue
            expect(rests).toBe(order.restsE2)
            // What takes a part of a hundredth takes it whole.
            const left = (order.sharesE6 - order.matchedE6) / 10_000
            expect(left - rests).toBeGreaterThanOrEqual(0)
            expect(left - rests).toBeLessThanOrEqual(order.tradeIds.length)
          }
          exchange.stop()
        },
      ),
      { numRuns: 150 },
    )
    expect(met).toBeGreaterThan(50)
  })
})
