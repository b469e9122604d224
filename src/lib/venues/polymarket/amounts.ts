/**
 * The two amounts of a fill-and-kill order, in millionths, by the venue's rules.
 *
 * A FAK buy is a spend: makerAmount is pUSD in whole cents, and the venue fills until they are spent. So a plan whose
 * price x size is no whole cent spends up to a cent more, and at better prices buys more shares; never more dollars.
 * The shares are cut, not rounded up, to the decimals that the tick allows (as the venue's client does): rounded up,
 * the order's price would fall below its limit and not match there. No tick above the limit is ever reached.
 */

import { ArbeesError } from '../../core/errors.js'
import { ONE_E4, priceToWire, sizeToWire } from '../../model/price.js'
import type { Side } from '../../model/venue.js'

/** Decimals of the computed amount, by tick in $0.0001. Sizes always have 2. */
const AMOUNT_DECIMALS: ReadonlyMap<number, number> = new Map([
  [1000, 3],
  [100, 4],
  [50, 5],
  [25, 6],
  [10, 5],
  [1, 6],
])

export interface OrderAmounts {
  /** What we give: pUSD for a buy, shares for a sell. */
  readonly makerE6: bigint
  /** What we take: shares for a buy, pUSD for a sell. */
  readonly takerE6: bigint
  /** Shares at the limit price, rounded up to 0.01. */
  readonly sizeE2: number
}

export interface OrderTerms {
  readonly side: Side
  readonly limitE4: number
  readonly sizeE2: number
}

/** Throws ArbeesError `BAD_ORDER` for a limit off the tick, a size off the step or below the minimum, an unknown tick. */
export function orderAmounts(
  { side, limitE4, sizeE2 }: OrderTerms,
  market: { readonly tickE4: number; readonly minSizeE2: number },
): OrderAmounts {
  const decimals = AMOUNT_DECIMALS.get(market.tickE4)
  if (decimals === undefined) throw bad(`no rounding rule for a step of ${priceToWire(market.tickE4)}`)
  if (!Number.isSafeInteger(limitE4) || limitE4 < market.tickE4 || limitE4 > ONE_E4 - market.tickE4) {
    throw bad(`the limit ${priceToWire(limitE4)} is not between one step above 0 and one below 1`)
  }
  if (limitE4 % market.tickE4 !== 0)
    throw bad(
      `the limit ${priceToWire(limitE4)} is no price of the market: its step is ${priceToWire(market.tickE4)}`,
    )
  if (!Number.isSafeInteger(sizeE2) || sizeE2 <= 0 || sizeE2 < market.minSizeE2) {
    throw bad(`the size ${sizeToWire(sizeE2)} is below the least, ${sizeToWire(market.minSizeE2)}`)
  }
  const cashE6 = BigInt(limitE4) * BigInt(sizeE2)
  const sharesE6 = BigInt(sizeE2) * 10_000n
  if (side === 'sell') return { makerE6: sharesE6, takerE6: cut(cashE6, decimals), sizeE2 }
  const spendE6 = ((cashE6 + 9999n) / 10_000n) * 10_000n
  const boughtE6 = cut((spendE6 * 10_000n) / BigInt(limitE4), decimals)
  return { makerE6: spendE6, takerE6: boughtE6, sizeE2: Number((boughtE6 + 9999n) / 10_000n) }
}

function cut(amountE6: bigint, decimals: number): bigint {
  const step = 10n ** BigInt(6 - decimals)
  return (amountE6 / step) * step
}

const bad = (message: string): ArbeesError => new ArbeesError('BAD_ORDER', `polymarket order: ${message}`)
