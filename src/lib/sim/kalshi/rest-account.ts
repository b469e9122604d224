/** Kalshi's signed REST reads of the account. */

import type { Context, Hono } from 'hono'
import { formatScaled } from '../../model/price.js'
import type { Clock } from '../../core/clock.js'
import { reply, wholeParam } from '../http-host.js'
import type { KalshiAccount } from './account.js'
import { notFound, queryError, type KalshiRefusal } from './errors.js'
import { limitTag, pageOf } from './paging.js'
import { KALSHI_BASE, READ_COST, ORDER_READ_COST, CANCEL_COST } from './costs.js'
import { eventPositionShape, fillShape, orderShape, positionShape } from './shapes.js'
import type { TokenBucket } from './token-bucket.js'

export type Handler = (c: Context) => Response | Promise<Response>

export interface AccountRoutes {
  readonly clock: Clock
  readonly account: KalshiAccount
  readonly read: TokenBucket
  readonly write: TokenBucket
  /** Authenticates and charges before the handler answers. */
  readonly signed: (scope: 'read' | 'write', cost: number, answer: Handler) => Handler
  readonly refuse: (refusal: KalshiRefusal) => Response
}

export function addAccountRoutes(
  app: Hono,
  { clock, account, read, write, signed, refuse }: AccountRoutes,
): void {
  app.get(
    '/portfolio/balance',
    signed('read', READ_COST, () =>
      reply(200, {
        balance: Math.floor(account.totalMicros / 10_000),
        balance_breakdown: account.balances().map(({ exchangeIndex, micros }) => ({
          balance: formatScaled(Math.floor(micros / 100), 4),
          exchange_index: exchangeIndex,
        })),
        balance_dollars: formatScaled(Math.floor(account.totalMicros / 100), 4),
        portfolio_value: Math.floor(
          [...account.positions.values()].reduce((sum, p) => sum + p.costMicros, 0) / 10_000,
        ),
        updated_ts: Math.floor(clock.nowMs() / 1000),
      }),
    ),
  )
  app.get(
    '/portfolio/positions',
    signed('read', READ_COST, (c) => {
      const ticker = c.req.query('ticker')
      const event = c.req.query('event_ticker')
      const positions = [...account.positions.values()]
        .filter(({ market }) => ticker === undefined || market.id === ticker)
        .filter(({ market }) => event === undefined || market.eventTicker === event)
      const events = new Set(positions.map(({ market }) => market.eventTicker))
      return reply(200, {
        cursor: '',
        event_positions: [...events].map((name) =>
          eventPositionShape(
            name,
            positions.filter(({ market }) => market.eventTicker === name),
          ),
        ),
        market_positions: positions.map(positionShape),
      })
    }),
  )
  app.get(
    '/portfolio/orders',
    signed('read', READ_COST, (c) => {
      const limit = wholeParam(c.req.query('limit'), 100, 1, 1000)
      if (limit === undefined) return refuse(queryError('GetOrders', 'Limit', limitTag(c.req.query('limit'))))
      const { ticker, event_ticker: event, status } = c.req.query()
      const orders = account.orders
        .filter(({ readableAtMs }) => readableAtMs <= clock.nowMs())
        .filter(({ market }) => ticker === undefined || market.id === ticker)
        .filter(({ market }) => event === undefined || market.eventTicker === event)
        .filter((order) => status === undefined || statusOf(order) === status)
      const page = pageOf(orders, limit, c.req.query('cursor'))
      return reply(200, {
        cursor: page.cursor,
        orders: page.items.map((order) => orderShape(order, account.userId)),
      })
    }),
  )
  app.get(
    '/portfolio/orders/:id',
    signed('read', ORDER_READ_COST, (c) => {
      const order = account.order(c.req.param('id') ?? '')
      if (order === undefined || order.readableAtMs > clock.nowMs()) return refuse(notFound)
      return reply(200, { order: orderShape(order, account.userId) })
    }),
  )
  app.get(
    '/portfolio/fills',
    signed('read', READ_COST, (c) => {
      const limit = wholeParam(c.req.query('limit'), 100, 1, 1000)
      if (limit === undefined) return refuse(queryError('GetFills', 'Limit', limitTag(c.req.query('limit'))))
      const { ticker, order_id: orderId, min_ts: minTs, max_ts: maxTs } = c.req.query()
      const fills = account.fills
        .filter(({ readableAtMs }) => readableAtMs <= clock.nowMs())
        .filter(({ order }) => ticker === undefined || order.market.id === ticker)
        .filter(({ order }) => orderId === undefined || order.orderId === orderId)
        .filter(({ createdMs }) => minTs === undefined || createdMs >= Number(minTs) * 1000)
        .filter(({ createdMs }) => maxTs === undefined || createdMs <= Number(maxTs) * 1000)
      const page = pageOf(fills, limit, c.req.query('cursor'))
      return reply(200, { cursor: page.cursor, fills: page.items.map(fillShape) })
    }),
  )
  const bucketShape = ({ capacity, refillPerS }: TokenBucket) => ({
    bucket_capacity: capacity,
    refill_rate: refillPerS,
  })
  app.get(
    '/account/limits',
    signed('read', READ_COST, () =>
      reply(200, { grants: [], read: bucketShape(read), usage_tier: 'basic', write: bucketShape(write) }),
    ),
  )
  app.get(
    '/account/endpoint_costs',
    signed('read', READ_COST, () =>
      reply(200, {
        default_cost: READ_COST,
        endpoint_costs: [
          { cost: CANCEL_COST, method: 'DELETE', path: `${KALSHI_BASE}/portfolio/events/orders/:order_id` },
          { cost: ORDER_READ_COST, method: 'GET', path: `${KALSHI_BASE}/portfolio/orders/:order_id` },
        ],
      }),
    ),
  )
}

const statusOf = ({ filledE2, countE2 }: { filledE2: number; countE2: number }) =>
  filledE2 === countE2 ? 'executed' : 'canceled'
