/**
 * Kalshi's taker fee: M x 0.07 x C x P x (1 - P) dollars, M being the series' `fee_multiplier`, rounded up to
 * $0.0001 per fill (the unit in the venue's fills of 2026). Maker kinds differ only in what makers pay.
 */

import { parseScaled } from '../../model/price.js'
import type { FeeSchedule } from '../../model/fees.js'

const BASE_RATE_PPM = 70_000
const ROUND_UP_TO_MICROS = 100
/** Ten times the highest multiplier seen; above it the field does not mean what we think. */
const MAX_MULTIPLIER_E6 = 10_000_000

const QUADRATIC_TYPES: ReadonlySet<unknown> = new Set([
  'quadratic',
  'quadratic_with_maker_fees',
  'quadratic_with_combo_maker_fees',
])

export type SeriesFees =
  | { readonly kind: 'schedule'; readonly fees: FeeSchedule }
  /** Not a formula that we can compute with: its markets must not be traded. */
  | { readonly kind: 'refused'; readonly reason: 'fee_type' | 'fee_multiplier' }

/** The taker schedule of a series, from the `fee_type` and `fee_multiplier` of `GET /series/{ticker}`. */
export function feesOfSeries(series: {
  readonly feeType: unknown
  readonly feeMultiplier: unknown
}): SeriesFees {
  if (!QUADRATIC_TYPES.has(series.feeType)) return { kind: 'refused', reason: 'fee_type' }
  if (typeof series.feeMultiplier !== 'number') return { kind: 'refused', reason: 'fee_multiplier' }
  const multiplierE6 = parseScaled(String(series.feeMultiplier), 6)
  if (multiplierE6 === undefined || multiplierE6 < 0 || multiplierE6 > MAX_MULTIPLIER_E6) {
    return { kind: 'refused', reason: 'fee_multiplier' }
  }
  const ratePpm = Math.ceil((BASE_RATE_PPM * multiplierE6) / 1_000_000)
  return { kind: 'schedule', fees: { ratePpm, roundUpToMicros: ROUND_UP_TO_MICROS } }
}
