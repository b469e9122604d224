/** What the trades of one order come to: how much, for what money, and how far it has settled. */

import { ArbeesError } from '../../core/errors.js'
import type { FillReport, FillSettlement, PreparedOrder } from '../ports.js'
import { orderAmounts } from './amounts.js'
import { tradeFeeMicros } from './fees.js'
import type { Trade } from './order-answer.js'

/** Not given up by the venue. */
export const isStanding = ({ settled }: Trade): boolean => settled !== 'failed'

export const sumSizes = (trades: readonly Trade[]): bigint =>
  trades.reduce((sum, { sizeE6 }) => sum + sizeE6, 0n)

const sumCash = (trades: readonly Trade[]): bigint =>
  trades.reduce((sum, { priceE6, sizeE6 }) => sum + priceE6 * sizeE6, 0n)

/** The order is done: all its shares, or all its dollars less the dust that buys none. */
export function isWhole(trades: readonly Trade[], { request, market }: PreparedOrder): boolean {
  const { makerE6, takerE6 } = orderAmounts(request, market)
  const sharesE6 = sumSizes(trades)
  return request.side === 'buy'
    ? sharesE6 >= takerE6 || sumCash(trades) / 1_000_000n >= makerE6
    : sharesE6 >= makerE6
}

/**
 * Cash as the trades state it, price x size summed exactly, to the micro-dollar against us; positive for buys and sells
 * alike. Fees are computed from the market's schedule: the venue charges them in pUSD on top of a trade but reports
 * `fee_rate_bps` 0. A trade that was given up since the fill was told is of it all the same: `settlementOf` says so. Throws
 * `FILLS_NOT_VISIBLE` until the trades add up to the fill; undefined trades could not be read.
 */
export function reportOf(
  all: readonly Trade[] | undefined,
  { request, market }: PreparedOrder,
  filled: { readonly venueOrderId: string; readonly filledE6: number },
): FillReport {
  const addUp = (trades: readonly Trade[]): boolean => sumSizes(trades) >= BigInt(filled.filledE6)
  const standing = all?.filter(isStanding)
  const trades = standing !== undefined && addUp(standing) ? standing : all
  if (trades === undefined || !addUp(trades)) {
    throw new ArbeesError('FILLS_NOT_VISIBLE', `trades of order ${filled.venueOrderId} do not add up yet`, {
      hint: 'ask again in a second',
    })
  }
  const roundUp = request.side === 'buy' ? 999_999n : 0n
  const fees = trades.map(({ priceE6, sizeE6 }) => tradeFeeMicros(market.fees, priceE6, sizeE6))
  return {
    cashMicros: Number((sumCash(trades) + roundUp) / 1_000_000n),
    feesMicros: Number(fees.reduce((sum, fee) => sum + fee, 0n)),
    venueTradeIds: trades.map(({ id }) => id),
  }
}

export function settlementOf(trades: readonly Trade[]): FillSettlement {
  const sizeE6 = (settled: Trade['settled']): number =>
    Number(sumSizes(trades.filter((trade) => trade.settled === settled)))
  return {
    confirmedE6: sizeE6('confirmed'),
    voidedE6: sizeE6('failed'),
    isFinal: trades.every(({ settled }) => settled !== 'pending'),
  }
}
