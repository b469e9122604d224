/** What the simulated Kalshi charges, up to $0.0001 per fill: series of `quadratic_with_maker_fees`, multiplier 1. */

/** Taker: 0.07 x C x P x (1 - P). */
export const takerFeeMicros = (priceE4: number, countE2: number): number => feeMicros(28n, priceE4, countE2)

/** Maker: a quarter of the taker's. */
export const makerFeeMicros = (priceE4: number, countE2: number): number => feeMicros(7n, priceE4, countE2)

function feeMicros(rateE2x4: bigint, priceE4: number, countE2: number): number {
  const numerator = rateE2x4 * BigInt(countE2) * BigInt(priceE4) * BigInt(10_000 - priceE4)
  const unit = 400_000_000n
  return Number((numerator + unit - 1n) / unit) * 100
}
