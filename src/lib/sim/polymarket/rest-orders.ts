/** Orders, trades and balances of the account over REST; every route is signed. */

import { Hono, type Context } from 'hono'
import type { Clock } from '../../core/clock.js'
import type { PublicAccounts } from '../accounts.js'
import { parseJson, recordOf, reply } from '../http-host.js'
import type { DelayedOrder, PolyAccount } from './account.js'
import { isPolyRefusal, polyError, type PolyRefusal } from './errors.js'
import type { PolyOrderEntry } from './order-entry.js'
import { openOrderShape, tradeShape } from './shapes.js'
import type { Signed } from './signed-routes.js'

export interface PolyOrderOptions {
  readonly clock: Clock
  readonly account: PolyAccount
  readonly owner: PublicAccounts['polymarket']
  readonly orderEntry: PolyOrderEntry
  readonly refuse: (refusal: PolyRefusal) => Response
  readonly signed: Signed
}

const PAGE = 100
const LAST_CURSOR = 'LTE='
const MAX_CANCELS = 1000
const ALLOWANCE = '999999999000000'

export function polyOrderRoutes(options: PolyOrderOptions): Hono {
  const { clock, account, owner, orderEntry, refuse, signed } = options
  const app = new Hono()
  app.post(
    '/order',
    signed((c, body) => {
      const result = orderEntry.post(body, c.req.header('POLY_API_KEY') ?? '')
      return isPolyRefusal(result) ? refuse(result) : reply(result.status, result.body)
    }),
  )

  // Delayed orders cannot be canceled and nothing else ever waits.
  const notCanceled = (ids: readonly string[]): Response => {
    const reasonOf = (id: string) =>
      account.delayed.has(id) ? 'order is delayed' : 'order not found or already matched'
    return reply(200, { canceled: [], not_canceled: Object.fromEntries(ids.map((id) => [id, reasonOf(id)])) })
  }
  const delayedOf = (keep: (order: DelayedOrder) => boolean) => [...account.delayed.values()].filter(keep)
  app.delete(
    '/order',
    signed((_c, body) => {
      const orderId = recordOf(parseJson(body))?.['orderID']
      if (typeof orderId !== 'string') return refuse(polyError(400, 'invalid_payload', 'Invalid orderID'))
      return notCanceled([orderId])
    }),
  )
  app.delete(
    '/orders',
    signed((_c, body) => {
      const ids = parseJson(body)
      if (!Array.isArray(ids) || ids.length > MAX_CANCELS || !ids.every((id) => typeof id === 'string')) {
        return refuse(polyError(400, 'invalid_payload', 'Invalid orderIDs'))
      }
      return notCanceled(ids)
    }),
  )
  app.delete(
    '/cancel-all',
    signed(() => notCanceled([...account.delayed.keys()])),
  )
  app.delete(
    '/cancel-market-orders',
    signed((_c, body) => {
      const asked = recordOf(parseJson(body)) ?? {}
      return notCanceled(delayedOf((order) => isOf(order, asked)).map(({ orderId }) => orderId))
    }),
  )

  app.get(
    '/data/order/:id',
    signed((c) => {
      const order = account.delayed.get(c.req.param('id') ?? '')
      // Only active orders are shown; anything else is an empty answer, not an error.
      return reply(200, order === undefined ? null : openOrderShape(order, owner))
    }),
  )
  app.get(
    '/data/orders',
    signed((c) => {
      const asked = c.req.query()
      const data = delayedOf((order) => isOf(order, asked)).map((order) => openOrderShape(order, owner))
      return reply(200, { limit: PAGE, count: data.length, next_cursor: LAST_CURSOR, data })
    }),
  )
  app.get(
    '/data/trades',
    signed((c) => {
      const { id, market, asset_id: assetId, before, after, next_cursor: cursor } = c.req.query()
      const trades = account.trades
        .filter((trade) => id === undefined || trade.id === id)
        .filter((trade) => market === undefined || trade.market.id === market)
        .filter((trade) => assetId === undefined || trade.market.tokenIds[trade.token] === assetId)
        .filter((trade) => before === undefined || trade.matchedMs < Number(before) * 1000)
        .filter((trade) => after === undefined || trade.matchedMs > Number(after) * 1000)
      const offset = offsetOf(cursor)
      const page = trades.slice(offset, offset + PAGE)
      const next = offset + PAGE
      return reply(200, {
        limit: PAGE,
        count: page.length,
        next_cursor: next < trades.length ? Buffer.from(String(next)).toString('base64') : LAST_CURSOR,
        data: page.map((trade) => tradeShape(trade, account, owner, clock.nowMs())),
      })
    }),
  )

  const balance = (c: Context): Response => {
    const { asset_type: type, token_id: tokenId } = c.req.query()
    if (type !== 'COLLATERAL' && type !== 'CONDITIONAL') {
      return refuse(polyError(400, 'invalid_payload', 'invalid asset type'))
    }
    const held = type === 'COLLATERAL' ? account.cashMicros : account.tokenE6(tokenId ?? '')
    return reply(200, { balance: String(held), allowance: ALLOWANCE })
  }
  app.get('/balance-allowance', signed(balance))
  app.get('/balance-allowance/update', signed(balance))
  return app
}

function isOf(order: DelayedOrder, asked: Readonly<Record<string, unknown>>): boolean {
  const { id, market, asset_id: assetId } = asked
  if (id !== undefined && id !== order.orderId) return false
  if (market !== undefined && market !== order.market.id) return false
  return assetId === undefined || assetId === order.market.tokenIds[order.token]
}

function offsetOf(cursor: string | undefined): number {
  if (cursor === undefined || cursor === '' || cursor === LAST_CURSOR) return 0
  const offset = Number(Buffer.from(cursor, 'base64').toString())
  return Number.isSafeInteger(offset) && offset >= 0 ? offset : 0
}
