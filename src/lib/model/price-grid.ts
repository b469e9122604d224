/**
 * The prices that a market takes orders at, in dollars x 10^4, strictly between 0 and 1. Most have one step from $0 to
 * $1; a tapered one has finer steps near the edges. All prices here are YES prices: what an order for NO may ask is the
 * complement of one (`isLimitOnGrid`, `cappedLimitE4`).
 */

import { ONE_E4, complementE4, leastCommonMultiple } from './price.js'
import type { Outcome } from './venue.js'

/** The multiples of `stepE4` from `startE4` to `endE4`, which are two of them. */
export interface PriceRange {
  readonly startE4: number
  readonly endE4: number
  readonly stepE4: number
}

export interface PriceGrid {
  /** A step that holds at every price, in $0.0001: the only one, or the least that all of `priceRanges` share. */
  readonly tickE4: number
  /** Where the step differs between prices: from $0 to $1 without a hole, lowest first. */
  readonly priceRanges?: readonly PriceRange[]
}

/** The grid of ranges in any order; undefined when they leave a hole, overlap, or begin or end off their step. */
export function priceGridOf(ranges: readonly PriceRange[]): PriceGrid | undefined {
  const sorted = [...ranges].sort((a, b) => a.startE4 - b.startE4)
  const steps = new Set(sorted.map(({ stepE4 }) => stepE4))
  const [only] = steps
  if (only === undefined || !areWhole(sorted)) return undefined
  if (steps.size === 1) return { tickE4: only }
  const tickE4 = [...steps].reduce(leastCommonMultiple)
  return tickE4 > ONE_E4 ? undefined : { tickE4, priceRanges: sorted }
}

/** Whether the arithmetic below can be trusted with it: a message from elsewhere said so. */
export function isPriceGrid({ tickE4, priceRanges }: PriceGrid): boolean {
  if (priceRanges !== undefined) return areWhole(priceRanges)
  return Number.isSafeInteger(tickE4) && tickE4 > 0 && ONE_E4 % tickE4 === 0
}

export function isOnGrid(grid: PriceGrid, priceE4: number): boolean {
  if (grid.priceRanges === undefined) return priceE4 % grid.tickE4 === 0
  return floorToGrid(grid, priceE4) === priceE4
}

/** The greatest price of the grid, $0 and $1 included, that is not above this one. */
export function floorToGrid(grid: PriceGrid, priceE4: number): number {
  if (grid.priceRanges === undefined) return priceE4 - (priceE4 % grid.tickE4)
  for (const { endE4, stepE4 } of grid.priceRanges) {
    if (priceE4 <= endE4) return priceE4 - (priceE4 % stepE4)
  }
  return ONE_E4
}

/** The least price of the grid, $0 and $1 included, that is not below this one. */
export function ceilToGrid(grid: PriceGrid, priceE4: number): number {
  const floorE4 = floorToGrid(grid, priceE4)
  return floorE4 === priceE4 ? priceE4 : floorE4 + stepFrom(grid, floorE4)
}

/** The next price of the grid above this one, at most $1. */
export const nextAbove = (grid: PriceGrid, priceE4: number): number =>
  priceE4 >= ONE_E4 ? ONE_E4 : ceilToGrid(grid, priceE4 + 1)

/** The next price of the grid below this one, at least $0. */
export const nextBelow = (grid: PriceGrid, priceE4: number): number =>
  priceE4 <= 0 ? 0 : floorToGrid(grid, priceE4 - 1)

/** Whether the venue takes an order for this outcome at this price of the outcome. */
export function isLimitOnGrid(grid: PriceGrid, outcome: Outcome, limitE4: number): boolean {
  if (limitE4 <= 0 || limitE4 >= ONE_E4) return false
  return isOnGrid(grid, outcome === 'yes' ? limitE4 : complementE4(limitE4))
}

/**
 * The highest limit for the outcome, from `fromE4` (on the grid) up to below $1, that `affords`, which must hold up to
 * some price and not beyond it; `fromE4` when it affords none above.
 */
export function cappedLimitE4(
  grid: PriceGrid,
  outcome: Outcome,
  fromE4: number,
  affords: (limitE4: number) => boolean,
): number {
  const isYes = outcome === 'yes'
  const above = (limitE4: number) =>
    isYes ? nextAbove(grid, limitE4) : complementE4(nextBelow(grid, complementE4(limitE4)))
  const below = (limitE4: number) =>
    isYes ? nextBelow(grid, limitE4) : complementE4(nextAbove(grid, complementE4(limitE4)))
  let low = fromE4
  let high = below(ONE_E4)
  while (low < high) {
    // Half way between two prices of the grid, and always above the lower one.
    const middle = Math.max(below(Math.ceil((low + high) / 2) + 1), above(low))
    if (affords(middle)) low = middle
    else high = below(middle)
  }
  return low
}

/** The step that leads up from a price of the grid. */
function stepFrom({ tickE4, priceRanges }: PriceGrid, priceE4: number): number {
  return priceRanges?.find(({ endE4 }) => priceE4 < endE4)?.stepE4 ?? tickE4
}

/** From $0 to $1, one behind the other, each from one multiple of its step to another. */
function areWhole(sorted: readonly PriceRange[]): boolean {
  let coveredE4 = 0
  for (const { startE4, endE4, stepE4 } of sorted) {
    if (startE4 !== coveredE4 || !Number.isSafeInteger(stepE4) || stepE4 <= 0) return false
    if (!Number.isSafeInteger(endE4) || endE4 <= startE4) return false
    if (startE4 % stepE4 !== 0 || endE4 % stepE4 !== 0) return false
    coveredE4 = endE4
  }
  return coveredE4 === ONE_E4
}
