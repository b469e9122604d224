/** Kalshi's signed REST reads of the account. */

import type { Clock } from '../../core/clock.js'
import { formatScaled } from '../../model/price.js'
import { reply, wholeParam } from '../http-host.js'
import { DEFAULT_COST, ENDPOINT_COSTS } from './costs.js'
import { notFound, queryError } from './errors.js'
import { statusOf } from './order.js'
import { eventPositionShape, fillShape, orderShape, positionShape } from './order-shapes.js'
import { limitTag, pageOf, parseIndex } from './paging.js'
import type { SignedRoutes } from './signed-routes.js'
import type { TokenBucket } from './token-bucket.js'

interface AccountReads {
  readonly clock: Clock
  readonly usageTier: string
}

/** Unix seconds; a century from now is none. */
const MAX_TS = 5_000_000_000
/** What `status` may ask for. */
const STATUSES = ['resting', 'canceled', 'executed']

export function addAccountRoutes({ add, refuse }: SignedRoutes, { clock, usageTier }: AccountReads): void {
  add('GET', '/portfolio/balance', (c, { account }) => {
    const index = parseIndex(c.req.query('exchange_index'))
    if (index === null) return refuse(queryError('GetBalance', 'ExchangeIndex', 'gte'))
    const named = (exchangeIndex: number) => index === undefined || index === exchangeIndex
    const shards = account.balances().filter(({ exchangeIndex }) => named(exchangeIndex))
    const totalMicros = shards.reduce((sum, { micros }) => sum + micros, 0)
    const held = [...account.positions.values()].filter(({ market }) => named(market.exchangeIndex))
    return reply(200, {
      balance: Math.floor(totalMicros / 10_000),
      balance_breakdown: shards.map(({ exchangeIndex, micros }) => ({
        balance: formatScaled(Math.floor(micros / 100), 4),
        exchange_index: exchangeIndex,
      })),
      balance_dollars: formatScaled(Math.floor(totalMicros / 100), 4),
      portfolio_value: Math.floor(held.reduce((sum, p) => sum + p.costMicros, 0) / 10_000),
      updated_ts: Math.floor(clock.nowMs() / 1000),
    })
  })
  add('GET', '/portfolio/positions', (c, { account }) => {
    const { ticker, event_ticker: event } = c.req.query()
    const positions = [...account.positions.values()]
      .filter(({ market }) => ticker === undefined || market.id === ticker)
      .filter(({ market }) => event === undefined || market.eventTicker === event)
    const events = new Set(positions.map(({ market }) => market.eventTicker))
    const restingIn = (id: string) => account.resting.filter(({ market }) => market.id === id).length
    return reply(200, {
      cursor: '',
      event_positions: [...events].map((name) =>
        eventPositionShape(
          name,
          positions.filter(({ market }) => market.eventTicker === name),
        ),
      ),
      market_positions: positions.map((position) => positionShape(position, restingIn(position.market.id))),
    })
  })
  add('GET', '/portfolio/orders', (c, { account }) => {
    const { limit: asked, ticker, event_ticker: event, status, cursor } = c.req.query()
    const limit = wholeParam(asked, 100, 1, 1000)
    if (limit === undefined) return refuse(queryError('GetOrders', 'Limit', limitTag(asked)))
    if (status !== undefined && !STATUSES.includes(status)) {
      return refuse(queryError('GetOrders', 'Status', 'oneof'))
    }
    const orders = account.orders
      .filter(({ readableAtMs }) => readableAtMs <= clock.nowMs())
      .filter(({ market }) => ticker === undefined || market.id === ticker)
      .filter(({ market }) => event === undefined || market.eventTicker === event)
      .filter((order) => status === undefined || statusOf(order) === status)
    const page = pageOf(orders, limit, cursor)
    return reply(200, {
      cursor: page.cursor,
      orders: page.items.map((order) => orderShape(order, account.userId)),
    })
  })
  add('GET', '/portfolio/orders/:order_id', (c, { account }) => {
    const order = account.order(c.req.param('order_id') ?? '')
    if (order === undefined || order.readableAtMs > clock.nowMs()) return refuse(notFound)
    return reply(200, { order: orderShape(order, account.userId) })
  })
  add('GET', '/portfolio/fills', (c, { account }) => {
    const { limit: asked, ticker, order_id: orderId, min_ts: minTs, max_ts: maxTs, cursor } = c.req.query()
    const limit = wholeParam(asked, 100, 1, 1000)
    if (limit === undefined) return refuse(queryError('GetFills', 'Limit', limitTag(asked)))
    const [from, to] = [wholeParam(minTs, 0, 0, MAX_TS), wholeParam(maxTs, MAX_TS, 0, MAX_TS)]
    if (from === undefined || to === undefined) {
      return refuse(queryError('GetFills', from === undefined ? 'MinTs' : 'MaxTs', 'gte'))
    }
    const fills = account.fills
      .filter(({ readableAtMs }) => readableAtMs <= clock.nowMs())
      .filter(({ order }) => ticker === undefined || order.market.id === ticker)
      .filter(({ order }) => orderId === undefined || order.orderId === orderId)
      .filter(({ createdMs }) => createdMs >= from * 1000 && createdMs <= to * 1000)
    const page = pageOf(fills, limit, cursor)
    return reply(200, { cursor: page.cursor, fills: page.items.map(fillShape) })
  })
  const bucketShape = ({ capacity, refillPerS }: TokenBucket) => ({
    bucket_capacity: capacity,
    refill_rate: refillPerS,
  })
  add('GET', '/account/limits', (_, { read, write }) =>
    reply(200, { grants: [], read: bucketShape(read), usage_tier: usageTier, write: bucketShape(write) }),
  )
  add('GET', '/account/endpoint_costs', () =>
    reply(200, { default_cost: DEFAULT_COST, endpoint_costs: ENDPOINT_COSTS }),
  )
}
