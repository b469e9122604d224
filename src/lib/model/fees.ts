/**
 * Taker fees as data: `venues/<venue>/fees` fills a schedule, strategy and risk only compute with it.
 *
 * Both venues charge  multiplier x rate x size x price x (1 - price)  per fill and round up:
 * Kalshi 0.07 to $0.0001, Polymarket sports 0.05 to $0.00001.
 */

import { ONE_E4 } from './price.js'

export interface FeeSchedule {
  /** rate x multiplier, parts per million: Kalshi 0.07 x 1 -> 70000; Polymarket 0.05 -> 50000. */
  readonly ratePpm: number
  /** A fill's fee is rounded up to a multiple of this many micro-dollars. */
  readonly roundUpToMicros: number
}

/** Each fill's fee is rounded up on its own: so many fills of an order are reserved for. */
export const FEE_ROUNDINGS = 10
/** A Polymarket buy spends whole cents, so an order may cost up to one more than its limit x size. */
export const CASH_UNIT_MICROS = 10_000

/**
 * Fee in micro-dollars of taking `sizeE2` at `priceE4`, rounded up.
 * ppm x E2 x E4 x E4 is 10^-16 dollars: BigInt, then one division.
 */
export function takerFeeMicros(schedule: FeeSchedule, priceE4: number, sizeE2: number): number {
  if (schedule.ratePpm === 0 || sizeE2 === 0) return 0
  const scaled = BigInt(schedule.ratePpm) * BigInt(sizeE2) * BigInt(priceE4) * BigInt(ONE_E4 - priceE4)
  // 10^-16 dollars -> micros (10^-6) is 10^10; one division keeps the round-up exact.
  const unit = 10n ** 10n * BigInt(schedule.roundUpToMicros)
  return Number((scaled + unit - 1n) / unit) * schedule.roundUpToMicros
}
