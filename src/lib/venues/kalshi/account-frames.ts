/** What Kalshi tells of an account on its socket, and in its lists. Pure. */

import { sanitize } from '../../core/sanitize.js'
import { parseScaled } from '../../model/price.js'
import { integerOf, isJsonObject, parseJson, textOf, type JsonObject } from './wire.js'

/** One match of an order of the account; `orderId` is its client's own. */
export interface AccountFill {
  readonly tradeId: string
  readonly venueOrderId: string
  readonly orderId: string | undefined
  readonly marketId: string
  readonly countE6: number
}

/** +YES, -NO, contracts x 10^6. */
export interface AccountPosition {
  readonly marketId: string
  readonly sizeE6: number
}

export type AccountFrame =
  /** Of the subaccount by number; undefined when the venue does not say. */
  | { readonly kind: 'fill'; readonly fill: AccountFill; readonly subaccount: number | undefined }
  | { readonly kind: 'position'; readonly position: AccountPosition; readonly subaccount: number | undefined }
  /** The last word on an order, `filledE6` in all; resting ones are skipped. */
  | {
      readonly kind: 'order'
      readonly venueOrderId: string
      readonly orderId: string | undefined
      readonly filledE6: number
    }
  /** The one channel with a number; contiguous. */
  | {
      readonly kind: 'group'
      readonly groupId: string
      readonly event: string
      readonly seq: number | undefined
    }
  | { readonly kind: 'subscribed' }
  /** A channel is no longer told. */
  | { readonly kind: 'ended' }
  | { readonly kind: 'error'; readonly text: string }
  | { readonly kind: 'skipped' }
  | { readonly kind: 'unreadable'; readonly what: string }

export const ACCOUNT_CHANNELS = ['fill', 'user_orders', 'market_positions', 'order_group_updates'] as const

export function parseAccountFrame(text: string): AccountFrame {
  const frame = parseJson(text)
  if (!isJsonObject(frame)) return { kind: 'unreadable', what: 'no JSON object' }
  const type = textOf(frame['type']) ?? ''
  const msg = isJsonObject(frame['msg']) ? frame['msg'] : {}
  const subaccount = integerOf(msg['subaccount'])
  const unreadable: AccountFrame = { kind: 'unreadable', what: sanitize(type, 40) }
  switch (type) {
    case 'fill': {
      const fill = readFill(msg, 'market_ticker')
      return fill === undefined ? unreadable : { kind: 'fill', fill, subaccount }
    }
    case 'user_order': {
      const venueOrderId = textOf(msg['order_id'])
      const filledE6 = scaled(msg['fill_count_fp'])
      const status = textOf(msg['status'])
      if (venueOrderId === undefined || filledE6 === undefined || status === undefined) return unreadable
      if (status !== 'executed' && status !== 'canceled') return { kind: 'skipped' }
      return { kind: 'order', venueOrderId, orderId: textOf(msg['client_order_id']), filledE6 }
    }
    case 'market_position': {
      const position = readPosition(msg, 'market_ticker')
      return position === undefined ? unreadable : { kind: 'position', position, subaccount }
    }
    case 'order_group_updates': {
      const [groupId, event] = [textOf(msg['order_group_id']), textOf(msg['event_type'])]
      if (groupId === undefined || event === undefined) return unreadable
      return { kind: 'group', groupId, event, seq: integerOf(frame['seq']) }
    }
    case 'subscribed':
      return { kind: type }
    case 'unsubscribed':
      return { kind: 'ended' }
    case 'error': {
      const code = integerOf(msg['code'])
      return { kind: 'error', text: `${code ?? '?'} ${sanitize(textOf(msg['msg']) ?? '', 100)}` }
    }
    default:
      return { kind: 'skipped' }
  }
}

/** A fill of the channel or of `GET /portfolio/fills`, which says `ticker`; undefined when it is not as documented. */
export function readFill(item: JsonObject, ticker: 'market_ticker' | 'ticker'): AccountFill | undefined {
  const tradeId = textOf(item['trade_id']) ?? textOf(item['fill_id'])
  const venueOrderId = textOf(item['order_id'])
  const marketId = textOf(item[ticker]) ?? textOf(item['market_ticker'])
  const countE6 = scaled(item['count_fp'])
  if (tradeId === undefined || venueOrderId === undefined || marketId === undefined) return undefined
  if (countE6 === undefined || countE6 <= 0) return undefined
  return { tradeId, venueOrderId, orderId: textOf(item['client_order_id']), marketId, countE6 }
}

/** A position of the channel or of `GET /portfolio/positions`, which says `ticker`; undefined when it is not as documented. */
export function readPosition(item: unknown, ticker: 'market_ticker' | 'ticker'): AccountPosition | undefined {
  if (!isJsonObject(item)) return undefined
  const [marketId, sizeE6] = [textOf(item[ticker]), scaled(item['position_fp'])]
  return marketId === undefined || sizeE6 === undefined ? undefined : { marketId, sizeE6 }
}

const scaled = (value: unknown): number | undefined =>
  typeof value === 'string' ? parseScaled(value, 6) : undefined
