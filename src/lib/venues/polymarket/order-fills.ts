/** What the trades of one order come to: how much, for what money, and how far it has settled. */

import { ArbeesError } from '../../core/errors.js'
import type { FillReport, FillSettlement, PreparedOrder } from '../ports.js'
import { orderAmounts } from './amounts.js'
import { tradeFeeMicros } from './fees.js'
import { SIZE_STEP_E6, type Match, type Trade } from './order-answer.js'

/** Not given up by the venue. */
export const isStanding = ({ settled }: Trade): boolean => settled !== 'failed'

export const sumSizes = (trades: readonly Trade[]): bigint =>
  trades.reduce((sum, { sizeE6 }) => sum + sizeE6, 0n)

const matchesOf = (trades: readonly Trade[]): readonly Match[] => trades.flatMap(({ matches }) => matches)

const sumCash = (trades: readonly Trade[]): bigint =>
  matchesOf(trades).reduce((sum, { priceE6, sizeE6 }) => sum + priceE6 * sizeE6, 0n)

/** The order is done: all its shares, or all its dollars less the dust that buys none. */
export function isWhole(trades: readonly Trade[], { request, market }: PreparedOrder): boolean {
  const { makerE6, takerE6 } = orderAmounts(request, market)
  const sharesE6 = sumSizes(trades)
  return request.side === 'buy'
    ? sharesE6 >= takerE6 || sumCash(trades) / 1_000_000n >= makerE6
    : sharesE6 >= makerE6
}

/**
 * Cash as the trades state it, price x size of each maker summed exactly, to the micro-dollar against us; positive for
 * buys and sells alike. A trade may lack less than 0.01 share that its size does not show: a buy pays its highest price
 * for what is missing. Fees are computed from the market's schedule: the venue charges them in pUSD on top of a trade but reports
 * `fee_rate_bps` 0. A trade that was given up since the fill was told is of it all the same: `settlementOf` says so. Throws
 * `FILLS_NOT_VISIBLE` until the trades add up to the fill; undefined trades could not be read.
 */
export function reportOf(
  all: readonly Trade[] | undefined,
  { request, market }: PreparedOrder,
  filled: { readonly venueOrderId: string; readonly filledE6: number },
): FillReport {
  const addUp = (trades: readonly Trade[]): boolean =>
    sumSizes(trades) + BigInt(trades.length) * (SIZE_STEP_E6 - 1n) >= BigInt(filled.filledE6)
  const standing = all?.filter(isStanding)
  const trades = standing !== undefined && addUp(standing) ? standing : all
  if (trades === undefined || !addUp(trades)) {
    throw new ArbeesError('FILLS_NOT_VISIBLE', `trades of order ${filled.venueOrderId} do not add up yet`, {
      hint: 'ask again in a second',
    })
  }
  const missingE6 = BigInt(filled.filledE6) - sumSizes(trades)
  const prices = matchesOf(trades).map(({ priceE6 }) => priceE6)
  const highestE6 = prices.reduce((highest, priceE6) => (priceE6 > highest ? priceE6 : highest), 0n)
  const unseen = missingE6 > 0n ? missingE6 * highestE6 : 0n
  const against = request.side === 'buy' ? unseen + 999_999n : 0n
  const fees = matchesOf(trades).map(({ priceE6, sizeE6 }) => tradeFeeMicros(market.fees, priceE6, sizeE6))
  return {
    cashMicros: Number((sumCash(trades) + against) / 1_000_000n),
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
