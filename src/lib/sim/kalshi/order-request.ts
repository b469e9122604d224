/** The body of `POST /portfolio/events/orders` (V2), checked as Kalshi's decoder and validator do. */

import { parseScaled } from '../../model/price.js'
import { decodeBody, type BodyForm } from './decode.js'
import { isRefusal, kalshiError, type KalshiRefusal } from './errors.js'

export interface OrderRequestV2 {
  readonly ticker: string
  readonly side: 'bid' | 'ask'
  readonly countE2: number
  /** YES dollars; range and tick are the market's to check. */
  readonly priceE4: number | undefined
  readonly timeInForce: 'good_till_canceled' | 'immediate_or_cancel' | 'fill_or_kill'
  readonly selfTrade: 'taker_at_cross' | 'maker'
  readonly clientOrderId: string | undefined
  /** Unix ms. */
  readonly expiresMs: number | undefined
  readonly cancelOnPause: boolean
  readonly groupId: string | undefined
  readonly postOnly: boolean
  readonly reduceOnly: boolean
  readonly exchangeIndex: number | undefined
  /** By number; 0 is the primary one. */
  readonly subaccount: number
}

const FORM: BodyForm = {
  name: 'CreateOrderV2Request',
  types: {
    ticker: 'string',
    side: 'string',
    count: 'string',
    price: 'string',
    time_in_force: 'string',
    self_trade_prevention_type: 'string',
    client_order_id: 'string',
    order_group_id: 'string',
    expiration_time: 'int64',
    subaccount: 'int',
    exchange_index: 'int',
    post_only: 'bool',
    cancel_order_on_pause: 'bool',
    reduce_only: 'bool',
  },
  required: ['ticker', 'side', 'count', 'price', 'time_in_force', 'self_trade_prevention_type'],
}

/** The facts say: strings, prices of 2 to 4 decimals, counts to a hundredth. */
const PRICE = /^\d\.\d{2,4}$/
const COUNT = /^\d{1,9}(\.\d{1,2})?$/

const TIMES_IN_FORCE = ['good_till_canceled', 'immediate_or_cancel', 'fill_or_kill'] as const
const CLIENT_ID = /^[A-Za-z0-9_-]{1,64}$/

/** A field that decodes and is not what it may be. */
export const invalid = (details: string): KalshiRefusal =>
  kalshiError(400, 'invalid_parameters', 'invalid parameters', { details })

/** The request, or the refusal. */
export function parseOrderRequest(body: string): OrderRequestV2 | KalshiRefusal {
  const raw = decodeBody(body, FORM)
  return isRefusal(raw) ? raw : validate(raw)
}

function validate(raw: Readonly<Record<string, unknown>>): OrderRequestV2 | KalshiRefusal {
  const side = raw['side']
  if (side !== 'bid' && side !== 'ask') return invalid('side')
  const timeInForce = TIMES_IN_FORCE.find((known) => known === raw['time_in_force'])
  if (timeInForce === undefined) return invalid('time_in_force')
  const selfTrade = raw['self_trade_prevention_type']
  if (selfTrade !== 'taker_at_cross' && selfTrade !== 'maker') return invalid('self_trade_prevention_type')
  const countE2 = matches(raw['count'], COUNT) ? parseScaled(raw['count'], 2) : undefined
  if (countE2 === undefined || countE2 <= 0) return invalid('count')
  const clientOrderId = typeof raw['client_order_id'] === 'string' ? raw['client_order_id'] : undefined
  if (clientOrderId !== undefined && clientOrderId !== '' && !CLIENT_ID.test(clientOrderId)) {
    return invalid('client_order_id')
  }
  const postOnly = raw['post_only'] === true
  const reduceOnly = raw['reduce_only'] === true
  const immediate = timeInForce !== 'good_till_canceled'
  if (immediate && (postOnly || raw['expiration_time'] !== undefined)) return invalid('time_in_force')
  if (reduceOnly && timeInForce !== 'immediate_or_cancel') return invalid('reduce_only')
  const expiresS = raw['expiration_time']
  const groupId = raw['order_group_id']
  return {
    ticker: String(raw['ticker']),
    side,
    countE2,
    priceE4: matches(raw['price'], PRICE) ? parseScaled(raw['price'], 4) : undefined,
    timeInForce,
    selfTrade,
    expiresMs: typeof expiresS === 'number' ? expiresS * 1000 : undefined,
    cancelOnPause: raw['cancel_order_on_pause'] === true,
    groupId: typeof groupId === 'string' && groupId !== '' ? groupId : undefined,
    clientOrderId: clientOrderId === '' ? undefined : clientOrderId,
    postOnly,
    reduceOnly,
    exchangeIndex: typeof raw['exchange_index'] === 'number' ? raw['exchange_index'] : undefined,
    subaccount: typeof raw['subaccount'] === 'number' ? raw['subaccount'] : 0,
  }
}

const matches = (value: unknown, form: RegExp): value is string =>
  typeof value === 'string' && form.test(value)
