/**
 * What may be risked, in micro-dollars, and what a plan may cost at worst. Pure.
 *
 * Exposure is cash paid, or possibly paid, for positions: an order in flight or unknown counts as filled in full at
 * its limit with fees, a filled one counts its cash and fees, and a finished, hedged plan still counts until its game
 * is final, because its cash is tied up until then.
 */

import type { Settings } from '../core/config.js'
import type { VenueDenialCode } from '../model/admission.js'
import { CASH_UNIT_MICROS, FEE_ROUNDINGS } from '../model/fees.js'
import type { GameMarket } from '../model/game.js'
import { costMicros } from '../model/price.js'
import type { SignalLeg } from '../model/signal.js'
import type { Side } from '../model/venue.js'

export interface Limits {
  /** Most in one order, fees included. */
  readonly orderMicros: number
  /** Most at risk in one game. */
  readonly gameMicros: number
  /** Most at risk in all games together. */
  readonly totalMicros: number
}

const MICROS_PER_DOLLAR = 1_000_000

export const limitsOf = (settings: Settings): Limits => ({
  orderMicros: settings['limits.order_usd'] * MICROS_PER_DOLLAR,
  gameMicros: settings['limits.game_usd'] * MICROS_PER_DOLLAR,
  totalMicros: settings['limits.total_usd'] * MICROS_PER_DOLLAR,
})

/** Why risk says no; counted as `denied:<code>` and shown with the checks. */
export type DenialCode =
  /** Legs, sizes, prices or validity that no strategy of ours sends. */
  | 'BAD_PLAN'
  /** No `games.` message has told the details of a leg's market. */
  | 'UNKNOWN_MARKET'
  /** By exec's own markets its legs pay less at worst than the signal says. */
  | 'PAYOUT_OVERSTATED'
  /** Real money, and a venue does not say what a leg pays on some end of the game. */
  | 'SETTLEMENT_UNKNOWN'
  | 'EXPIRED'
  /** Stamped later than our own clock allows. */
  | 'FROM_FUTURE'
  | 'HALTED'
  | 'STOPPING'
  /** Exec has started and still learns what its last life left. */
  | 'RECOVERING'
  /** The ledger cannot write: nothing is sent blind. */
  | 'LEDGER_FAILED'
  | 'GAME_FINAL'
  /** An earlier plan on these markets ended unhedged or unknown. */
  | 'QUARANTINED'
  /** A plan of this pair and orientation, or one that takes one of its offers, is still open. */
  | 'PLAN_OPEN'
  /** A sale of more than our own fills left us there for certain. */
  | 'NOT_HELD'
  | 'ORDER_LIMIT'
  | 'GAME_LIMIT'
  | 'TOTAL_LIMIT'
  /** An order that belongs to no open plan, or was approved before. */
  | 'NOT_PLANNED'
  | VenueDenialCode

/** One thing that was tested: its name, what was found, what is allowed. */
export interface Check {
  readonly name: string
  readonly value: number
  readonly limit: number
}

/** One attempt and at most two more. */
export const MAX_ATTEMPTS = 3

const PPM = 1_000_000

/**
 * The most that buying `sizeE2` at up to `limitE4` can cost, fees included, whatever the fills.
 *
 * A buy that is bounded in dollars gets more shares at better prices, so its fee is bounded by rate x cash
 * (rate x shares x p x (1 - p) = rate x cash x (1 - p)), which also bounds a buy that is bounded in shares.
 */
export function worstCashMicros(market: GameMarket, limitE4: number, sizeE2: number): number {
  const { ratePpm, roundUpToMicros } = market.fees
  const units = Math.ceil(costMicros(limitE4, sizeE2) / CASH_UNIT_MICROS)
  const feeMicros = Math.ceil((units * ratePpm) / (PPM / CASH_UNIT_MICROS))
  return units * CASH_UNIT_MICROS + feeMicros + FEE_ROUNDINGS * roundUpToMicros
}

/** What is asked for of a market. */
export type OrderTerms = Pick<SignalLeg, 'side' | 'limitE4' | 'sizeE2'>

/** The most that an order can cost: a sale costs its fees, whatever price it gets. */
export function worstOrderMicros(market: GameMarket, { side, limitE4, sizeE2 }: OrderTerms): number {
  if (side === 'buy') return worstCashMicros(market, limitE4, sizeE2)
  const { ratePpm, roundUpToMicros } = market.fees
  // rate x shares x p x (1 - p), which is at most a quarter of rate x shares.
  return Math.ceil((ratePpm * sizeE2) / (4 * (PPM / CASH_UNIT_MICROS))) + FEE_ROUNDINGS * roundUpToMicros
}

/** What an order counts for its game, given the venue's own money: a sale frees nothing. */
export const spentMicros = (
  side: Side,
  { cashMicros, feesMicros }: { readonly cashMicros: number; readonly feesMicros: number },
): number => (side === 'buy' ? cashMicros + feesMicros : feesMicros)

/** The most that one leg can cost over all its attempts: each rounds anew. */
export function worstLegMicros(market: GameMarket, terms: OrderTerms): number {
  const roundings = FEE_ROUNDINGS * market.fees.roundUpToMicros + 2 * CASH_UNIT_MICROS
  return worstOrderMicros(market, terms) + (MAX_ATTEMPTS - 1) * roundings
}
