/**
 * Whether two venues' own prices contradict the orientation of a pair: a second proof beside the outcomes' names. Pure.
 *
 * A pair is refused when the stated prices of its teams differ by more than 0.25 as they are paired, and fit within
 * 0.15 when the teams are swapped. Near 0.5 both fit, and prices prove nothing: the names stand alone.
 *
 * It does not flap, because a verdict only moves one way: nothing seen -> even -> fits or disagrees; disagrees -> fits.
 * `fits` is for good. `disagrees` ends only when prices clearly fit as paired, which an inverted pair's never do. A game
 * under way is judged once, when its prices are first seen: later the venues' lists lag one another by seconds in
 * which a score may turn the odds over, so `even` then stands as it is.
 */

const FAR_E4 = 2500
const NEAR_E4 = 1500

/** `even`: prices were seen that fit both ways, or neither. */
export type PriceVerdict = 'even' | 'fits' | 'disagrees'

/** What a venue says that each team's win costs, $0.0001. */
export interface StatedPrices {
  readonly homeE4: number
  readonly awayE4: number
}

export function comparePrices(one: StatedPrices, other: StatedPrices): PriceVerdict {
  const straight = Math.max(Math.abs(one.homeE4 - other.homeE4), Math.abs(one.awayE4 - other.awayE4))
  const swapped = Math.max(Math.abs(one.homeE4 - other.awayE4), Math.abs(one.awayE4 - other.homeE4))
  if (straight > FAR_E4 && swapped <= NEAR_E4) return 'disagrees'
  return straight <= NEAR_E4 && swapped > FAR_E4 ? 'fits' : 'even'
}

/** The verdict after one more look. `seen` is undefined when a venue states no price of use. */
export function nextVerdict(
  before: PriceVerdict | undefined,
  seen: PriceVerdict | undefined,
  isLive: boolean,
): PriceVerdict | undefined {
  if (before === 'fits' || seen === undefined) return before
  if (before === 'disagrees') return seen === 'fits' ? 'fits' : 'disagrees'
  return before === 'even' && isLive ? 'even' : seen
}
