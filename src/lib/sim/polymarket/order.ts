/** An order as the simulated Polymarket keeps it. */

import { complementE4 } from '../../model/price.js'
import type { BookSide } from '../../model/order-book.js'
import type { PolyMarket } from '../market.js'
import type { TakerOrder } from '../matching.js'
import type { RestingOrder } from '../price-level.js'
import type { TokenIndex } from './book-state.js'

export type OrderType = 'GTC' | 'GTD' | 'FAK' | 'FOK'
export type TokenSide = 'BUY' | 'SELL'

/** What somebody wants of one outcome token. */
export interface Leg {
  readonly token: TokenIndex
  readonly tokenSide: TokenSide
}

export interface PolyOrder extends RestingOrder, Leg {
  readonly market: PolyMarket
  readonly type: OrderType
  /** Worst price, in the token's own terms. */
  readonly limitE4: number
  /** What is given at most: dollars of a buy, shares of a sell, x 10^6. */
  readonly makerE6: number
  /** Shares at the limit, x 10^6. */
  readonly sharesE6: number
  readonly postOnly: boolean
  /** Unix ms. */
  readonly createdMs: number
  /** As the request had it, Unix s; 0: none. */
  readonly expirationS: number
  /** What of it stands in the book, x 10^2: who takes a part of a hundredth takes it whole. */
  restsE2: number
  status: 'DELAYED' | 'LIVE' | 'MATCHED' | 'UNMATCHED' | 'CANCELED'
  /** Shares that traded, x 10^6. */
  matchedE6: number
  /** Dollars that they cost or brought, x 10^6, without fees. */
  cashE6: number
  readonly tradeIds: string[]
}

/** Where a leg at a price stands in the book, which is kept in YES. */
export function placeInBook(
  { token, tokenSide }: Leg,
  priceE4: number,
): { readonly side: BookSide; readonly priceE4: number } {
  const isBid = (tokenSide === 'BUY') === (token === 0)
  return { side: isBid ? 'bid' : 'ask', priceE4: token === 0 ? priceE4 : complementE4(priceE4) }
}

export const takerOf = ({ token, tokenSide, limitE4 }: PolyOrder): TakerOrder => ({
  outcome: token === 0 ? 'yes' : 'no',
  side: tokenSide === 'BUY' ? 'buy' : 'sell',
  limitE4,
})

/** Bought by the dollar: better prices make more shares of the same money. */
export const isMarketBuy = ({ type, tokenSide }: Pick<PolyOrder, 'type' | 'tokenSide'>): boolean =>
  tokenSide === 'BUY' && (type === 'FAK' || type === 'FOK')

/** A GTD order goes a minute before its expiration. */
export const hasExpired = (
  { type, expirationS }: Pick<PolyOrder, 'type' | 'expirationS'>,
  nowMs: number,
): boolean => type === 'GTD' && nowMs > expirationS * 1000 - 60_000

export const isOpen = ({ status }: PolyOrder): boolean => status === 'LIVE' || status === 'DELAYED'

/** What an open order may still give, x 10^6. */
export const remainingE6 = ({ tokenSide, makerE6, matchedE6, cashE6 }: PolyOrder): number =>
  Math.max(0, makerE6 - (tokenSide === 'BUY' ? cashE6 : matchedE6))
