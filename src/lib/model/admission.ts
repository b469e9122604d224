/** What a venue, as last heard, would have against orders: asked before anything of a plan is sent. */

import type { GameMarket } from './game.js'

/** An order that a plan is about to send, or may still send. */
export interface PlannedOrder {
  readonly market: GameMarket
  /** What it can cost at worst, fees included. */
  readonly worstMicros: number
  /** Of a plan that is open already: it needs its money and its rate, and nothing else about it concerns the one that asks. */
  readonly isOfOpenPlan?: true
}

export type VenueDenialCode =
  /** The account's rate limit does not pay for every leg now. */
  | 'RATE_LIMITED'
  /** The money on the market's exchange shard does not suffice. */
  | 'SHARD_CASH'
  /** The account's money was never told, or not for too long. */
  | 'CASH_UNKNOWN'
  | 'EXCHANGE_PAUSED'
  | 'MARKET_CLOSED'
  /** The venue's own brake has not been put on, or has fallen and was not reset. */
  | 'ORDER_GROUP'

/** Which orders are not to be sent, and by which number: `value` was found or is needed, `limit` is what there is. */
export interface VenueDenial {
  readonly code: VenueDenialCode
  readonly checks: readonly { readonly name: string; readonly value: number; readonly limit: number }[]
}
