/**
 * What the simulated Kalshi charges, up to $0.0001 per fill: M x 0.07 x C x P x (1 - P), of which makers pay a part. Its
 * series are all of one kind; an event may have terms of its own, and a market's fees may be waived for a time.
 */

import type { FeeOverride, FeeType } from '../fee-override.js'
import type { KalshiMarket } from '../market.js'

/** What makers pay of the taker's fee, in quarters. */
const MAKER_QUARTERS: Readonly<Record<FeeType, bigint>> = {
  quadratic: 0n,
  quadratic_with_maker_fees: 1n,
  quadratic_with_combo_maker_fees: 2n,
}

/** Of every simulated series. */
export const SERIES_FEES = { fee_type: 'quadratic_with_maker_fees', fee_multiplier: 1 } as const

/** As events and their messages have them. */
export const overrideFields = ({ feeType, feeMultiplier }: FeeOverride) => ({
  fee_type_override: feeType,
  fee_multiplier_override: feeMultiplier,
})

export function takerFeeMicros(market: KalshiMarket, priceE4: number, countE2: number): number {
  return feeMicros(market, 4n, priceE4, countE2)
}

export function makerFeeMicros(market: KalshiMarket, priceE4: number, countE2: number): number {
  const { feeType } = market.feeOverride
  return feeMicros(market, MAKER_QUARTERS[feeType ?? SERIES_FEES.fee_type], priceE4, countE2)
}

function feeMicros(
  { feeOverride, isFeeWaived }: KalshiMarket,
  quarters: bigint,
  priceE4: number,
  countE2: number,
): number {
  if (isFeeWaived) return 0
  const multiplier = feeOverride.feeMultiplier ?? SERIES_FEES.fee_multiplier
  const rate = 7n * BigInt(Math.round(multiplier * 1e6)) * quarters
  const numerator = rate * BigInt(countE2) * BigInt(priceE4) * BigInt(10_000 - priceE4)
  // Counts x 10^2, two prices x 10^4, 0.07 x 10^2, M x 10^6, quarters; in $0.0001.
  const unit = 400_000_000_000_000n
  return Number((numerator + unit - 1n) / unit) * 100
}
