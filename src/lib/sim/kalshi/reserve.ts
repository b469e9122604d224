/** The money that orders bind until they fill or go: the worst they can cost, fees included. */

import type { KalshiMarket } from '../market.js'
import type { BookSide } from '../../model/order-book.js'
import { makerFeeMicros, takerFeeMicros } from './fees.js'
import { remainingE2, type KalshiOrder } from './order.js'

/** One order's claim. */
interface Claim {
  readonly side: BookSide
  readonly priceE4: number
  readonly sizeE2: number
  readonly feeMicros: number
}

/**
 * Of one market's claims, oldest first. What an order closes needs no money, and a contract held is closed by the first
 * order that would: `heldE2` is positive for YES and negative for NO.
 */
function boundMicros(claims: readonly Claim[], heldE2: number): number {
  const free = { bid: Math.max(0, -heldE2), ask: Math.max(0, heldE2) }
  let bound = 0
  for (const { side, priceE4, sizeE2, feeMicros } of claims) {
    const closes = Math.min(sizeE2, free[side])
    free[side] -= closes
    if (sizeE2 === closes) continue
    bound += (side === 'bid' ? priceE4 : 10_000 - priceE4) * (sizeE2 - closes) + feeMicros
  }
  return bound
}

const claimOf = (order: KalshiOrder): Claim => {
  const { side, priceE4 } = order
  const sizeE2 = remainingE2(order)
  return { side, priceE4, sizeE2, feeMicros: makerFeeMicros(order.market, priceE4, sizeE2) }
}

/** What resting orders of one account bind, market by market. `orders` are oldest first. */
export function reservedMicros(
  orders: readonly KalshiOrder[],
  heldE2: (market: KalshiMarket) => number,
): number {
  const byMarket = new Map<KalshiMarket, Claim[]>()
  for (const order of orders) {
    const claims = byMarket.get(order.market) ?? []
    claims.push(claimOf(order))
    byMarket.set(order.market, claims)
  }
  let bound = 0
  for (const [market, claims] of byMarket) bound += boundMicros(claims, heldE2(market))
  return bound
}

/** What one more order would bind beside those that rest in its market already. */
export function neededMicros(
  market: KalshiMarket,
  resting: readonly KalshiOrder[],
  heldE2: number,
  order: { readonly side: BookSide; readonly priceE4: number; readonly countE2: number },
): number {
  const { side, priceE4, countE2: sizeE2 } = order
  const claims = resting.map(claimOf)
  const added = { side, priceE4, sizeE2, feeMicros: takerFeeMicros(market, priceE4, sizeE2) }
  return boundMicros([...claims, added], heldE2) - boundMicros(claims, heldE2)
}
