/** Sizes between legs: what can be ordered of a fill, and what is left unhedged. */

import type { GameMarket } from '../model/game.js'
import type { SignalLeg } from '../model/signal.js'

/** sizeE6 per sizeE2. */
export const E6_PER_E2 = 10_000
/** What a venue's rounding to whole cents may leave over. */
const DUST_MICROS = 10_000

/** What the attempts at one leg came to. */
export interface LegFill {
  readonly filledE6: number
  /** An order of this leg may have filled: nobody could tell. */
  readonly unknown: boolean
}

export interface Unhedged {
  /** `dust` is less than any order could hedge: a size step, or a cent's worth. */
  readonly kind: 'hedged' | 'dust' | 'naked' | 'unknown'
  /** By how much the legs differ, contracts x 10^6. */
  readonly unhedgedE6: number
}

/** The largest size of whole steps within `remainingE6`; 0 when it is below the market's minimum. */
export function orderableE2(remainingE6: number, market: GameMarket): number {
  const stepE2 = Math.max(1, market.sizeStepE2)
  const sizeE2 = Math.floor(remainingE6 / E6_PER_E2 / stepE2) * stepE2
  return sizeE2 >= market.minSizeE2 ? Math.max(0, sizeE2) : 0
}

/** How far the legs of a plan are from equal shares. */
export function unhedged(
  legs: readonly SignalLeg[],
  markets: readonly GameMarket[],
  fills: readonly LegFill[],
): Unhedged {
  const filled = legs.map((_, index) => fills[index]?.filledE6 ?? 0)
  const most = Math.max(...filled)
  const unhedgedE6 = most - Math.min(...filled)
  if (fills.some(({ unknown }) => unknown)) return { kind: 'unknown', unhedgedE6 }
  if (unhedgedE6 === 0) return { kind: 'hedged', unhedgedE6 }
  const stepE6 = Math.max(...markets.map(({ sizeStepE2 }) => sizeStepE2)) * E6_PER_E2
  const limitE4 = legs[filled.indexOf(most)]?.limitE4 ?? 0
  const worthMicros = Number((BigInt(unhedgedE6) * BigInt(limitE4)) / BigInt(E6_PER_E2))
  return { kind: unhedgedE6 < stepE6 || worthMicros <= DUST_MICROS ? 'dust' : 'naked', unhedgedE6 }
}
