/** The prices that Kalshi's markets take, by the venue's names for them; multiples of a step within each range. */

import { formatScaled } from '../model/price.js'

const STEPS = {
  linear_cent: [[0, 10_000, 100]],
  // Sub-cent near the ends alone.
  tapered_deci_cent: [
    [0, 1000, 10],
    [1000, 9000, 100],
    [9000, 10_000, 10],
  ],
  deci_cent: [[0, 10_000, 10]],
} as const satisfies Readonly<
  Record<string, readonly (readonly [startE4: number, endE4: number, stepE4: number])[]>
>

export type PriceStructure = keyof typeof STEPS
export const PRICE_STRUCTURES = Object.keys(STEPS) as readonly PriceStructure[]

/** What the catalog says of a structure. */
export const priceLevels = (structure: PriceStructure): object => ({
  price_level_structure: structure,
  price_ranges: STEPS[structure].map(([startE4, endE4, stepE4]) => ({
    end: formatScaled(endE4, 4),
    start: formatScaled(startE4, 4),
    step: formatScaled(stepE4, 4),
  })),
})

/** Whether an order may ask this price. */
export const takesPrice = (structure: PriceStructure, priceE4: number): boolean =>
  priceE4 > 0 && priceE4 < 10_000 && priceE4 % stepAt(structure, priceE4) === 0

/** The step at a price, or at the end that is nearest to it; where two ranges meet, the finer one's. */
export function stepAt(structure: PriceStructure, priceE4: number): number {
  const withinE4 = Math.min(10_000, Math.max(0, priceE4))
  const around = STEPS[structure].filter(([startE4, endE4]) => startE4 <= withinE4 && withinE4 <= endE4)
  return Math.min(...around.map(([, , stepE4]) => stepE4))
}
