/** What the account's owner may read: open orders, trades and balances. */

import type { Context, Hono } from 'hono'
import { reply } from '../http-host.js'
import type { PolyAccount } from './account.js'
import { polyError, type PolyRefusal } from './errors.js'
import { isOf, isOrderId } from './order-filter.js'
import { openOrderShape, tradeShape } from './shapes.js'
import type { Signed } from './signed-routes.js'
import type { VenueState } from './venue-state.js'

const PAGE = 100
const LAST_CURSOR = 'LTE='
const ALLOWANCE = '999999999000000'

interface AccountReads {
  readonly state: VenueState
  readonly account: PolyAccount
  readonly signed: Signed
  readonly refuse: (refusal: PolyRefusal) => Response
}

export function addAccountReads(app: Hono, { state, account, signed, refuse }: AccountReads): void {
  const ofOrders = (read: (c: Context) => Response) =>
    signed((c) => {
      const refusal = state.refuseRead()
      return refusal === undefined ? read(c) : refuse(refusal)
    })
  app.get(
    '/data/order/:id',
    ofOrders((c) => {
      const orderId = c.req.param('id')
      if (!isOrderId(orderId)) return refuse(polyError(400, 'invalid_order_id', 'Invalid orderID'))
      const order = account.orders.get(orderId.toLowerCase())
      // Only active orders are shown; anything else is an empty answer, not an error.
      return reply(200, order === undefined ? null : openOrderShape(order, keyOf(c)))
    }),
  )
  app.get(
    '/data/orders',
    ofOrders((c) => {
      const open = [...account.orders.values()].filter((order) => isOf(order, c.req.query()))
      return page(c, open, (order) => openOrderShape(order, keyOf(c)))
    }),
  )
  app.get(
    '/data/trades',
    signed((c) => {
      const { id, market, asset_id: assetId, before, after } = c.req.query()
      if (![before, after].every((time) => time === undefined || /^\d{1,12}$/.test(time))) {
        return refuse(polyError(400, 'invalid_payload', 'Invalid trade params payload'))
      }
      const trades = account.trades
        .filter((trade) => trade.visible && (id ?? trade.id) === trade.id)
        .filter((trade) => (market ?? trade.market.id) === trade.market.id)
        .filter(
          ({ market: { tokenIds }, taker }) => (assetId ?? tokenIds[taker.token]) === tokenIds[taker.token],
        )
        .filter((trade) => before === undefined || trade.matchedMs < Number(before) * 1000)
        .filter((trade) => after === undefined || trade.matchedMs > Number(after) * 1000)
      return page(c, trades, (trade) => tradeShape(trade, keyOf(c)))
    }),
  )
  const balance = (c: Context): Response => {
    const { asset_type: type, token_id: tokenId, signature_type: signatureType } = c.req.query()
    if (type !== 'COLLATERAL' && type !== 'CONDITIONAL') {
      return refuse(polyError(400, 'invalid_payload', 'Invalid asset type'))
    }
    if (signatureType !== undefined && !/^[0-3]$/.test(signatureType)) {
      return refuse(polyError(400, 'invalid_payload', 'Invalid signature_type'))
    }
    const held = type === 'COLLATERAL' ? account.cashMicros : account.tokenE6(tokenId ?? '')
    return reply(200, { balance: String(held), allowance: ALLOWANCE })
  }
  app.get('/balance-allowance', signed(balance))
  app.get('/balance-allowance/update', signed(balance))
}

const keyOf = (c: Context): string => c.req.header('POLY_API_KEY') ?? ''

function page<T>(c: Context, all: readonly T[], shape: (item: T) => unknown): Response {
  const offset = offsetOf(c.req.query('next_cursor'))
  const items = all.slice(offset, offset + PAGE)
  const next = offset + PAGE
  return reply(200, {
    limit: PAGE,
    count: items.length,
    next_cursor: next < all.length ? Buffer.from(String(next)).toString('base64') : LAST_CURSOR,
    data: items.map(shape),
  })
}

function offsetOf(cursor: string | undefined): number {
  if (cursor === undefined || cursor === '' || cursor === LAST_CURSOR) return 0
  const offset = Number(Buffer.from(cursor, 'base64').toString())
  return Number.isSafeInteger(offset) && offset >= 0 ? offset : 0
}
