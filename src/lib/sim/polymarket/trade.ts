/**
 * A match of two orders. Where both want the same side of different tokens the pair is minted (two buys, a dollar a
 * share between them) or merged (two sells); else the shares change hands.
 */

import { complementE4 } from '../../model/price.js'
import type { PolyMarket } from '../market.js'
import { cashMicros } from '../matching.js'
import type { Leg, PolyOrder } from './order.js'

export interface Party extends Leg {
  /** Undefined: somebody of the scenario. */
  readonly order: PolyOrder | undefined
}

export type TradeStatus = 'MATCHED' | 'MINED' | 'CONFIRMED' | 'RETRYING' | 'FAILED'

export interface PolyTrade {
  readonly id: string
  readonly market: PolyMarket
  readonly taker: Party
  readonly maker: Party
  /** In the taker's token. */
  readonly priceE4: number
  readonly sizeE6: number
  /** The taker's. */
  readonly feeMicros: number
  /** Unix ms. */
  readonly matchedMs: number
  readonly transactionHash: string
  status: TradeStatus
  /** Unix ms. */
  statusSinceMs: number
  /** Reads show it. */
  visible: boolean
}

/** What a party's account gains, negative what it gives. */
export interface Flow {
  readonly cashMicros: number
  readonly sharesE6: number
}

export function flowOf(trade: PolyTrade, party: Party): Flow {
  const { taker, priceE4, sizeE6, feeMicros } = trade
  const takerCash = cashMicros(priceE4, sizeE6)
  const cash = party.token === taker.token ? takerCash : sizeE6 - takerCash
  const fee = party === taker ? feeMicros : 0
  const sign = party.tokenSide === 'BUY' ? 1 : -1
  return { cashMicros: -sign * cash - fee, sharesE6: sign * sizeE6 }
}

/** The price in a party's own token. */
export const priceFor = ({ taker, priceE4 }: PolyTrade, { token }: Party): number =>
  token === taker.token ? priceE4 : complementE4(priceE4)
