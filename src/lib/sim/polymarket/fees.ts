/** What takers pay in a sports market, in pUSD on top of a buy and out of a sale; makers pay nothing. */

/** Rate 0.05, exponent 1: size x 0.05 x p(1 - p), rounded to $0.00001, at least that much. */
export function polyFeeMicros(priceE4: number, sizeE6: number): number {
  const scaled = 5n * BigInt(sizeE6) * BigInt(priceE4) * BigInt(10_000 - priceE4)
  // micro-dollars x 10^10; to tens of micro-dollars, half up.
  const unit = 100n * 10n ** 8n * 10n
  return Math.max(10, Number((scaled + unit / 2n) / unit) * 10)
}
