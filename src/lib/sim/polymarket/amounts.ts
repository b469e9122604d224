/**
 * An order's limit and size out of its two amounts (6 decimals each). A buy is a market buy: it spends `makerAmount`
 * dollars, in whole cents, and `takerAmount` only says the price; a sell gives `makerAmount` shares.
 */

import { polyError, type PolyRefusal } from './errors.js'
import type { OrderStruct } from './eip712.js'
import { amountText, priceText } from './text.js'

export interface PricedOrder {
  readonly limitE4: number
  /** Dollars to spend for a buy, shares to give for a sell, x 10^6. */
  readonly makerE6: number
  /** Shares at the limit, x 10^6. */
  readonly sharesE6: number
}

const MIN_SHARES_E6 = 5_000_000
const CENT_E6 = 10_000
/** More than any account holds: keeps the arithmetic in safe integers. */
const MAX_AMOUNT = 10n ** 12n

export function priceOrder(order: OrderStruct, tickE4: number, hash: string): PricedOrder | PolyRefusal {
  const isBuy = order.side === 0
  if (order.makerAmount === 0n || order.takerAmount === 0n) {
    return polyError(400, 'amounts', 'invalid amounts, maker and taker amount must be higher than 0')
  }
  if (order.makerAmount > MAX_AMOUNT || order.takerAmount > MAX_AMOUNT) {
    return polyError(400, 'balance', 'not enough balance / allowance')
  }
  const makerE6 = Number(order.makerAmount)
  const takerE6 = Number(order.takerAmount)
  // Amount decimals by tick: four on 0.01, five on 0.001.
  const unitE6 = tickE4 >= 100 ? 100 : 10
  const dollarsE6 = isBuy ? makerE6 : takerE6
  const sharesE6 = isBuy ? takerE6 : makerE6
  if (makerE6 % CENT_E6 !== 0 || takerE6 % unitE6 !== 0) {
    const [kind, side] = isBuy ? ['buy', 'maker'] : ['sell', 'maker']
    return polyError(
      400,
      'amounts',
      `invalid amounts, the market ${kind} orders ${side} amount supports a max accuracy of 2 decimals, taker amount a max of ${unitE6 === 100 ? 4 : 5} decimals`,
    )
  }
  const exactE4 = (BigInt(dollarsE6) * 10_000n * 1000n) / BigInt(sharesE6)
  const limitE4 = Math.round(Number(exactE4) / 1000 / tickE4) * tickE4
  const breaksTick = polyError(400, 'tick', `order ${hash} is invalid. Price breaks minimum tick size rules`)
  if (limitE4 < tickE4 || limitE4 > 10_000 - tickE4) return breaksTick
  const difference = BigInt(dollarsE6) * 10_000n - BigInt(limitE4) * BigInt(sharesE6)
  const off = difference < 0n ? -difference : difference
  if (isBuy) {
    // Shares are rounded to their decimals: the price they imply may be that much off its tick, and no more.
    if (off > BigInt(limitE4) * BigInt(unitE6)) return breaksTick
  } else if (off !== 0n) {
    if (off > BigInt(unitE6) * 10_000n) return breaksTick
    const wanted = amountText(Number((BigInt(limitE4) * BigInt(sharesE6)) / 10_000n))
    return polyError(
      400,
      'amounts',
      `invalid amounts, the taker amount for a $${priceText(limitE4)} order of size ${amountText(sharesE6)} should be '${wanted}' but the value submited is '${amountText(takerE6)}'`,
    )
  }
  if (sharesE6 < MIN_SHARES_E6) {
    return polyError(
      400,
      'min_size',
      `order ${hash} is invalid. Size (${amountText(sharesE6)}) lower than the minimum: 5`,
    )
  }
  return { limitE4, makerE6, sharesE6 }
}
