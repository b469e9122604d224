/** Orders and cancels of the account over REST; every route is signed. */

import type { Context, Hono } from 'hono'
import { parseJson, recordOf, reply } from '../http-host.js'
import type { PolyAccount } from './account.js'
import { isPolyRefusal, polyError, type PolyRefusal } from './errors.js'
import type { PolyOrder } from './order.js'
import type { PolyDesk } from './order-desk.js'
import type { PolyOrderEntry } from './order-entry.js'
import { isOf, isOrderId } from './order-filter.js'
import { invalidPayload } from './order-request.js'
import type { Signed } from './signed-routes.js'
import type { VenueState } from './venue-state.js'

const MAX_CANCELS = 1000

const badOrderId = polyError(400, 'invalid_order_id', 'Invalid orderID')

export interface PolyOrderOptions {
  readonly state: VenueState
  readonly account: PolyAccount
  readonly orderEntry: PolyOrderEntry
  readonly desk: PolyDesk
  readonly refuse: (refusal: PolyRefusal) => Response
  readonly signed: Signed
}

export function addOrderRoutes(app: Hono, options: PolyOrderOptions): void {
  const { state, account, orderEntry, desk, refuse, signed } = options
  const answer = (body: object): Response => (isPolyRefusal(body) ? refuse(body) : reply(200, body))
  const cancelIds = (ids: readonly string[]): object => {
    const canceled: string[] = []
    const refused: Record<string, string> = {}
    for (const id of new Set(ids)) {
      const order = account.orders.get(id.toLowerCase())
      if (order !== undefined && desk.cancel(order)) canceled.push(id)
      else refused[id] = order?.status === 'DELAYED' ? 'order is delayed' : 'already canceled or matched'
    }
    return { canceled, not_canceled: refused }
  }
  const cancelWhere = (rule: (order: PolyOrder) => boolean): object =>
    cancelIds([...account.orders.values()].filter(rule).map(({ orderId }) => orderId))
  const cancels = (cancel: (body: unknown) => object) =>
    signed((_c, body) => answer(state.refuseCancel() ?? cancel(parseJson(body))))
  const keyOf = (c: Context): string => c.req.header('POLY_API_KEY') ?? ''

  // Where we are counts before who we are.
  app.on('POST', ['/order', '/orders'], async (_c, next) => {
    const refusal = state.refuseRegion()
    return refusal === undefined ? next() : refuse(refusal)
  })
  app.post(
    '/order',
    signed((c, body) => answer(orderEntry.post(body, keyOf(c)))),
  )
  app.post(
    '/orders',
    signed((c, body) => answer(orderEntry.postAll(body, keyOf(c)))),
  )
  app.delete(
    '/order',
    cancels((body) => {
      const orderId = recordOf(body)?.['orderID']
      if (typeof orderId !== 'string') return invalidPayload
      return isOrderId(orderId) ? cancelIds([orderId]) : badOrderId
    }),
  )
  app.delete(
    '/orders',
    cancels((body) => {
      if (!Array.isArray(body)) return invalidPayload
      if (body.length > MAX_CANCELS) {
        return polyError(400, 'batch_size', `Too many orders in payload, max allowed: ${MAX_CANCELS}`)
      }
      return body.every(isOrderId) ? cancelIds(body) : badOrderId
    }),
  )
  app.delete(
    '/cancel-all',
    cancels(() => cancelWhere(() => true)),
  )
  app.delete(
    '/cancel-market-orders',
    cancels((body) => {
      const { market, asset_id: assetId } = recordOf(body) ?? {}
      if (market === undefined && assetId === undefined) return invalidPayload
      return cancelWhere((order) => isOf(order, { market, asset_id: assetId }))
    }),
  )
}
