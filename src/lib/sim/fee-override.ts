/** What a Kalshi event may charge instead of what its series does. */

/** The kinds with a formula. */
export const FEE_TYPES = [
  'quadratic',
  'quadratic_with_maker_fees',
  'quadratic_with_combo_maker_fees',
] as const
export type FeeType = (typeof FEE_TYPES)[number]

/** Null where the series' own stands. */
export interface FeeOverride {
  readonly feeType: FeeType | null
  readonly feeMultiplier: number | null
}
