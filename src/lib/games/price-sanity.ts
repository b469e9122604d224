/**
 * Whether two venues' own prices contradict the orientation of a pair: a second proof beside the outcomes' names. Pure.
 *
 * A pair is refused when the stated prices of its teams differ by more than 0.25 as they are paired, and fit within
 * 0.15 when the teams are swapped. Near 0.5 both fit, and prices prove nothing: the names stand alone.
 *
 * Before the start prices are calm, and less will do when it is seen in two looks, each at new listings of both venues:
 * over 0.06 as paired and under 0.02 when swapped refuses, the mirror image of that ends a refusal.
 *
 * It does not flap, because a verdict only moves one way: nothing seen -> even -> fits or disagrees; disagrees -> fits.
 * `fits` is for good. `disagrees` ends only when prices clearly fit as paired, which an inverted pair's never do. A game
 * under way is judged once, when its prices are first seen: later the venues' lists lag one another by seconds in
 * which a score may turn the odds over, so `even` then stands as it is.
 */

import type { GameStatus } from '../model/game.js'

const FAR_E4 = 2500
const NEAR_E4 = 1500
/** The same of calm prices. */
const CALM_FAR_E4 = 600
const CALM_NEAR_E4 = 200

/** `even`: prices were seen that fit both ways, or neither. */
export type PriceVerdict = 'even' | 'fits' | 'disagrees'
/** What one look at the prices says; those that lean decide nothing alone. */
export type PriceSight = PriceVerdict | 'leans_straight' | 'leans_swapped'

/** What a venue says that each team's win costs, $0.0001. */
export interface StatedPrices {
  readonly homeE4: number
  readonly awayE4: number
}

export interface PriceLook {
  readonly sight: PriceSight
  /** What each venue listed, told apart by identity: the same listing looked at again is no second look. */
  readonly listings: readonly object[]
}

/** What has been made of a pair so far, and the look that leaned last. */
export interface PriceRecord {
  readonly verdict: PriceVerdict
  readonly leaning?: PriceLook
}

export function comparePrices(one: StatedPrices, other: StatedPrices): PriceSight {
  const straight = Math.max(Math.abs(one.homeE4 - other.homeE4), Math.abs(one.awayE4 - other.awayE4))
  const swapped = Math.max(Math.abs(one.homeE4 - other.awayE4), Math.abs(one.awayE4 - other.homeE4))
  if (straight > FAR_E4 && swapped <= NEAR_E4) return 'disagrees'
  if (straight <= NEAR_E4 && swapped > FAR_E4) return 'fits'
  if (straight > CALM_FAR_E4 && swapped < CALM_NEAR_E4) return 'leans_swapped'
  return straight < CALM_NEAR_E4 && swapped > CALM_FAR_E4 ? 'leans_straight' : 'even'
}

/** After one more look. `look` is undefined when a venue states no price of use. */
export function nextRecord(
  before: PriceRecord | undefined,
  look: PriceLook | undefined,
  status: GameStatus,
): PriceRecord | undefined {
  if (look === undefined || before?.verdict === 'fits') return before
  const { sight } = look
  if (sight === 'fits') return before?.verdict === 'even' && status === 'live' ? before : { verdict: 'fits' }
  if (sight === 'disagrees') {
    return before?.verdict === 'even' && status === 'live' ? before : { verdict: 'disagrees' }
  }
  const verdict = before?.verdict ?? 'even'
  // Towards what would change the verdict.
  const isLeaning = status === 'pre' && sight === (verdict === 'even' ? 'leans_swapped' : 'leans_straight')
  if (!isLeaning) return { verdict }
  const { leaning } = before ?? {}
  if (leaning === undefined) return { verdict, leaning: look }
  const isNew = leaning.listings.every((listing, index) => listing !== look.listings[index])
  if (!isNew) return before
  return { verdict: verdict === 'even' ? 'disagrees' : 'fits' }
}
