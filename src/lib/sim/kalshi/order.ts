/** An order of a simulated Kalshi account, and what it was filled. */

import type { KalshiMarket } from '../market.js'
import type { RestingOrder } from '../price-level.js'

/** What an order paid in one role. */
export interface PaidAs {
  costMicros: number
  feesMicros: number
}

export interface KalshiOrder extends RestingOrder {
  readonly clientOrderId: string | undefined
  readonly market: KalshiMarket
  /** By number: whose money it is for. */
  readonly subaccount: number
  readonly countE2: number
  readonly selfTrade: 'taker_at_cross' | 'maker'
  /** Unix ms; undefined: rests until it is filled or canceled. */
  readonly expiresMs: number | undefined
  readonly cancelOnPause: boolean
  readonly groupId: string | undefined
  readonly createdMs: number
  /** Reads by id lag behind the reply. */
  readonly readableAtMs: number
  readonly taker: PaidAs
  readonly maker: PaidAs
  filledE2: number
  canceledE2: number
  updatedMs: number
}

export interface KalshiFill {
  readonly tradeId: string
  readonly order: KalshiOrder
  readonly isTaker: boolean
  readonly yesPriceE4: number
  readonly countE2: number
  readonly feeMicros: number
  readonly createdMs: number
  readonly readableAtMs: number
}

export const remainingE2 = ({ countE2, filledE2, canceledE2 }: KalshiOrder): number =>
  countE2 - filledE2 - canceledE2

export function statusOf(order: KalshiOrder): 'resting' | 'canceled' | 'executed' {
  if (remainingE2(order) > 0) return 'resting'
  return order.canceledE2 > 0 ? 'canceled' : 'executed'
}
