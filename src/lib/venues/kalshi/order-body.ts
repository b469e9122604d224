/** The body of `POST /portfolio/events/orders`. */

import { ArbeesError } from '../../core/errors.js'
import { sanitize } from '../../core/sanitize.js'
import type { GameMarket } from '../../model/game.js'
import type { OrderRequest } from '../../model/order.js'
import { complementE4, formatScaled, ONE_E4, priceToWire, sizeToWire } from '../../model/price.js'
import { isLimitOnGrid } from '../../model/price-grid.js'

/** Letters, digits, `-` and `_`: a `.` is reported to be refused. */
const ORDER_ID = /^[A-Za-z0-9_-]{1,64}$/

/** Which part of the account an order is from; the primary subaccount, 0, is not named. */
export interface OrderPlace {
  readonly subaccount?: number
  readonly orderGroupId?: string | undefined
}

/**
 * Both outcomes trade on the YES book: buy YES at p is a bid at p, sell YES an ask at p, buy NO at q an ask at 1 - q,
 * sell NO a bid at 1 - q. Counts and prices are strings (numbers are refused), and the shard is named when known,
 * which spares the other shards' rate limits. Throws `ORDER_NOT_EXPRESSIBLE`.
 */
export function orderBody(
  request: OrderRequest,
  market: GameMarket,
  { subaccount = 0, orderGroupId }: OrderPlace = {},
): string {
  const refuse = (why: string): ArbeesError =>
    new ArbeesError('ORDER_NOT_EXPRESSIBLE', `order ${sanitize(request.orderId, 64)} on Kalshi: ${why}`)
  const { limitE4, sizeE2, outcome, side } = request
  if (request.venue !== 'kalshi' || market.venue !== 'kalshi') throw refuse('it is for another venue')
  if (request.marketId !== market.marketId)
    throw refuse(`it is for another market than ${sanitize(market.marketId)}`)
  if (!ORDER_ID.test(request.orderId)) throw refuse('the id has characters that the venue refuses')
  if (!Number.isSafeInteger(limitE4) || limitE4 <= 0 || limitE4 >= ONE_E4)
    throw refuse(`a limit of ${priceToWire(limitE4)} is not between 0 and 1 dollar`)
  if (!isLimitOnGrid(market, outcome, limitE4))
    throw refuse(
      `the limit ${priceToWire(limitE4)} is no price of the market: its step is ${stepsOf(market)}`,
    )
  if (!Number.isSafeInteger(sizeE2) || sizeE2 <= 0 || sizeE2 % market.sizeStepE2 !== 0) {
    throw refuse(`the size ${sizeToWire(sizeE2)} is no multiple of ${sizeToWire(market.sizeStepE2)}`)
  }
  if (sizeE2 < market.minSizeE2)
    throw refuse(`the size ${sizeToWire(sizeE2)} is below the least, ${sizeToWire(market.minSizeE2)}`)
  return JSON.stringify({
    ticker: request.marketId,
    side: (outcome === 'yes') === (side === 'buy') ? 'bid' : 'ask',
    count: formatScaled(sizeE2, 2),
    price: formatScaled(outcome === 'yes' ? limitE4 : complementE4(limitE4), 4),
    time_in_force: 'immediate_or_cancel',
    self_trade_prevention_type: 'taker_at_cross',
    client_order_id: request.orderId,
    ...(market.exchangeIndex === undefined ? {} : { exchange_index: market.exchangeIndex }),
    ...(subaccount === 0 ? {} : { subaccount }),
    ...(orderGroupId === undefined ? {} : { order_group_id: orderGroupId }),
  })
}

const stepsOf = ({ tickE4, priceRanges }: GameMarket): string =>
  [...new Set(priceRanges?.map(({ stepE4 }) => stepE4) ?? [tickE4])].map(priceToWire).join(' or ')
