/** What a plan must look like before anything of it is looked at. */

import type { GameMarket } from '../model/game.js'
import { ONE_E4 } from '../model/price.js'
import type { Signal, SignalLeg } from '../model/signal.js'

/** No signal of ours is good for longer. */
const MAX_VALID_MS = 60_000
const MAX_SIZE_E2 = 1e9

/**
 * A strategy buys as many legs as its kind has; what somebody typed is one leg, a purchase or a sale. Each is of a size
 * and at a price that can be, and no two are the same.
 */
export function isSound({ kind, legs, validMs }: Signal): boolean {
  const isFit = legs.length === LEGS[kind] && (kind === 'manual' || legs.every(isBuy))
  const distinct = new Set(legs.map(({ venue, marketId, outcome }) => `${venue} ${marketId} ${outcome}`))
  return isFit && validMs <= MAX_VALID_MS && legs.every(canBe) && distinct.size === legs.length
}

const LEGS: Readonly<Record<Signal['kind'], number>> = {
  manual: 1,
  'cross-venue': 2,
  'same-venue': 2,
  'three-way': 3,
}

const isBuy = ({ side }: SignalLeg): boolean => side === 'buy'
const canBe = ({ limitE4, sizeE2 }: SignalLeg): boolean =>
  limitE4 > 0 && limitE4 < ONE_E4 && sizeE2 > 0 && sizeE2 <= MAX_SIZE_E2

/** The market of each leg; undefined where one is not known, is another's, or has no step. */
export function marketsOf({
  signal,
  markets,
}: {
  readonly signal: Signal
  readonly markets: readonly (GameMarket | undefined)[]
}): GameMarket[] | undefined {
  const known = markets.filter((market) => market !== undefined)
  const fit = signal.legs.every(
    (leg, index) => markets[index]?.venue === leg.venue && markets[index].marketId === leg.marketId,
  )
  const stepped = known.every(({ sizeStepE2 }) => sizeStepE2 >= 1)
  return fit && stepped && known.length === signal.legs.length ? known : undefined
}
