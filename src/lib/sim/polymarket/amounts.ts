/**
 * An order's limit and size out of its two amounts (6 decimals each). A FAK or FOK buy is a market buy: it spends
 * `makerAmount` dollars, in whole cents, and `takerAmount` only says the price; any other gives or takes shares in
 * hundredths at exactly its price.
 */

import { polyError, type PolyRefusal } from './errors.js'
import { isMarketBuy, type OrderType } from './order.js'
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
/** Decimals of the amount that is computed, by tick in $0.0001. */
const AMOUNT_DECIMALS: ReadonlyMap<number, number> = new Map([
  [1000, 3],
  [100, 4],
  [50, 5],
  [25, 6],
  [10, 5],
  [1, 6],
])

export function priceOrder(
  order: OrderStruct,
  type: OrderType,
  tickE4: number,
  hash: string,
): PricedOrder | PolyRefusal {
  const isBuy = order.side === 0
  if (order.makerAmount === 0n || order.takerAmount === 0n) {
    return polyError(400, 'amounts', 'invalid amounts, maker and taker amount must be higher than 0')
  }
  if (order.makerAmount > MAX_AMOUNT || order.takerAmount > MAX_AMOUNT) {
    return polyError(400, 'balance', 'not enough balance / allowance')
  }
  const makerE6 = Number(order.makerAmount)
  const takerE6 = Number(order.takerAmount)
  const decimals = AMOUNT_DECIMALS.get(tickE4) ?? 4
  const unitE6 = 10 ** (6 - decimals)
  const [dollarsE6, sharesE6] = isBuy ? [makerE6, takerE6] : [takerE6, makerE6]
  const isMarket = type === 'FAK' || type === 'FOK'
  const spends = isMarketBuy({ type, tokenSide: isBuy ? 'BUY' : 'SELL' })
  // What is given in hundredths: a market buy's dollars, else shares. The other amount is computed.
  const [givenE6, computedE6] = spends ? [dollarsE6, sharesE6] : [sharesE6, dollarsE6]
  if (givenE6 % CENT_E6 !== 0 || computedE6 % unitE6 !== 0) {
    const kind = `${isMarket ? 'market ' : ''}${isBuy ? 'buy' : 'sell'}`
    const [maker, taker] = spends || !isBuy ? [2, decimals] : [decimals, 2]
    return polyError(
      400,
      'amounts',
      `invalid amounts, the ${kind} orders maker amount supports a max accuracy of ${maker} decimals, taker amount a max of ${taker} decimals`,
    )
  }
  const exactE4 = (BigInt(dollarsE6) * 10_000n * 1000n) / BigInt(sharesE6)
  const limitE4 = Math.round(Number(exactE4) / 1000 / tickE4) * tickE4
  const breaksTick = polyError(400, 'tick', `order ${hash} is invalid. Price breaks minimum tick size rules`)
  if (limitE4 < tickE4 || limitE4 > 10_000 - tickE4) return breaksTick
  const difference = BigInt(dollarsE6) * 10_000n - BigInt(limitE4) * BigInt(sharesE6)
  const off = difference < 0n ? -difference : difference
  if (spends) {
    // Shares are rounded to their decimals: the price they imply may be that much off its tick, and no more.
    if (off > BigInt(limitE4) * BigInt(unitE6)) return breaksTick
  } else if (off !== 0n) {
    if (off > BigInt(unitE6) * 10_000n) return breaksTick
    const wanted = amountText(Number((BigInt(limitE4) * BigInt(sharesE6)) / 10_000n))
    return polyError(
      400,
      'amounts',
      `invalid amounts, the ${isBuy ? 'maker' : 'taker'} amount for a $${priceText(limitE4)} order of size ${amountText(sharesE6)} should be '${wanted}' but the value submited is '${amountText(dollarsE6)}'`,
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
