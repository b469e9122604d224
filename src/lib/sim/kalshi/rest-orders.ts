/**
 * Kalshi's signed order calls: create, cancel, cancel all. The simulator has no amend, decrease or batch call (404), and
 * V1 is gone from the venue.
 */

import { exchangeError, isRefusal, kalshiError } from './errors.js'
import { reply } from '../http-host.js'
import type { ExchangeState } from './exchange-state.js'
import type { OrderDesk } from './order-desk.js'
import type { OrderEntry } from './order-entry.js'
import { parseIndex } from './paging.js'
import type { SignedRoutes } from './signed-routes.js'

interface OrderRoutes {
  readonly orderEntry: OrderEntry
  readonly desk: OrderDesk
  readonly state: ExchangeState
}

export function addOrderRoutes(
  { add, refuse }: SignedRoutes,
  { orderEntry, desk, state }: OrderRoutes,
): void {
  add('POST', '/portfolio/events/orders', async (c, { account }) => {
    const result = orderEntry.create(account, await c.req.text())
    return isRefusal(result) ? refuse(result) : reply(result.status, result.body)
  })
  // The venue may also catch what is placed in the next minute; here it does not.
  add('DELETE', '/portfolio/events/orders', (_, { account, subaccount }) => {
    desk.cancelWhere(
      (order, owner) =>
        owner === account &&
        order.subaccount === (subaccount?.number ?? 0) &&
        state.refuseChange(order.market.exchangeIndex) === undefined,
    )
    return new Response(null, { status: 204 })
  })
  add('DELETE', '/portfolio/events/orders/:order_id', (c, { account, subaccount: of }) => {
    const { market_ticker: ticker, exchange_index: index } = c.req.query()
    const exchangeIndex = parseIndex(index)
    if (exchangeIndex === null) return refuse(exchangeError(404, 'not_found'))
    const route = { ticker, exchangeIndex, subaccount: of?.number ?? 0 }
    const result = orderEntry.cancel(account, c.req.param('order_id') ?? '', route)
    return isRefusal(result) ? refuse(result) : reply(result.status, result.body)
  })
  const gone = kalshiError(410, 'deprecated_v1_order_endpoint', 'Please switch to the V2 endpoints', {
    details: 'https://docs.kalshi.com/api-reference/orders/create-order-v2',
  })
  const old = '/portfolio/orders'
  for (const route of [old, `${old}/batched`, `${old}/:order_id/amend`, `${old}/:order_id/decrease`]) {
    add('POST', route, () => refuse(gone))
  }
  for (const route of [`${old}/batched`, `${old}/:order_id`]) add('DELETE', route, () => refuse(gone))
}
