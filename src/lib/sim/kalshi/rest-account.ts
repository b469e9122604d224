/** Kalshi's signed REST reads of the account. */

import type { Context } from 'hono'
import type { Clock } from '../../core/clock.js'
import { formatScaled } from '../../model/price.js'
import { reply, wholeParam } from '../http-host.js'
import { DEFAULT_COST, ENDPOINT_COSTS } from './costs.js'
import { isRefusal, notFound, queryError, type KalshiRefusal } from './errors.js'
import { statusOf, type KalshiOrder } from './order.js'
import { eventPositionShape, fillShape, orderShape, positionShape } from './order-shapes.js'
import { limitTag, pageOf, parseIndex } from './paging.js'
import type { SignedRoutes } from './signed-routes.js'
import type { KalshiPosition, Subaccount } from './subaccount.js'
import type { TokenBucket } from './token-bucket.js'

interface AccountReads {
  readonly clock: Clock
  readonly usageTier: string
}

/** Unix seconds; a century from now is none. */
const MAX_TS = 5_000_000_000
/** Events that one list of orders may name. */
const MAX_EVENTS = 10
/** What `count_filter` may ask not to be zero. */
const COUNTS: ReadonlyMap<string, (position: KalshiPosition) => number> = new Map([
  ['position', ({ positionE2 }) => positionE2],
  ['total_traded', ({ tradedMicros }) => tradedMicros],
])
/** What `status` may ask for. */
const STATUSES = ['resting', 'canceled', 'executed']

export function addAccountRoutes({ add, refuse }: SignedRoutes, { clock, usageTier }: AccountReads): void {
  add('GET', '/portfolio/balance', (c, { account, subaccount }) => {
    const of = subaccount ?? account.primary
    const index = parseIndex(c.req.query('exchange_index'))
    if (index === null) return refuse(queryError('GetBalance', 'ExchangeIndex', 'gte'))
    const named = (exchangeIndex: number) => index === undefined || index === exchangeIndex
    const shards = of.balances().filter(({ exchangeIndex }) => named(exchangeIndex))
    const totalMicros = shards.reduce((sum, { micros }) => sum + micros, 0)
    const held = [...of.positions.values()].filter(({ market }) => named(market.exchangeIndex))
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
  add('GET', '/portfolio/positions', (c, { account, subaccount }) => {
    const of = subaccount ?? account.primary
    const { ticker, event_ticker: event, limit: asked, cursor, count_filter: fields = '' } = c.req.query()
    const limit = wholeParam(asked, 100, 1, 1000)
    if (limit === undefined) return refuse(queryError('GetPositions', 'Limit', limitTag(asked)))
    const index = parseIndex(c.req.query('exchange_index'))
    if (index === null) return refuse(queryError('GetPositions', 'ExchangeIndex', 'gte'))
    const counts = fields.split(',').filter((field) => field !== '')
    if (counts.some((field) => !COUNTS.has(field))) {
      return refuse(queryError('GetPositions', 'CountFilter', 'oneof'))
    }
    const positions = [...of.positions.values()]
      .filter(({ market }) => ticker === undefined || market.id === ticker)
      .filter(({ market }) => event === undefined || market.eventTicker === event)
      .filter(({ market }) => index === undefined || market.exchangeIndex === index)
      .filter(
        (position) => counts.length === 0 || counts.some((field) => COUNTS.get(field)?.(position) !== 0),
      )
    const page = pageOf(positions, limit, cursor)
    const events = new Set(page.items.map(({ market }) => market.eventTicker))
    const restingIn = (id: string) => of.resting.filter(({ market }) => market.id === id).length
    return reply(200, {
      cursor: page.cursor,
      event_positions: [...events].map((name) =>
        eventPositionShape(
          name,
          positions.filter(({ market }) => market.eventTicker === name),
        ),
      ),
      market_positions: page.items.map((position) => positionShape(position, restingIn(position.market.id))),
    })
  })
  add('GET', '/portfolio/orders', (c, { account, subaccount }) => {
    const { limit: asked, ticker, event_ticker: events, status, cursor } = c.req.query()
    const limit = wholeParam(asked, 100, 1, 1000)
    if (limit === undefined) return refuse(queryError('GetOrders', 'Limit', limitTag(asked)))
    if (status !== undefined && !STATUSES.includes(status)) {
      return refuse(queryError('GetOrders', 'Status', 'oneof'))
    }
    const index = parseIndex(c.req.query('exchange_index'))
    if (index === null) return refuse(queryError('GetOrders', 'ExchangeIndex', 'gte'))
    const named = events?.split(',')
    if (named !== undefined && named.length > MAX_EVENTS) {
      return refuse(queryError('GetOrders', 'EventTicker', 'max'))
    }
    const span = spanOf('GetOrders', c)
    if (isRefusal(span)) return refuse(span)
    const orders = account.orders
      .filter(({ readableAtMs }) => readableAtMs <= clock.nowMs())
      .filter(({ market }) => ticker === undefined || market.id === ticker)
      .filter(({ market }) => named?.includes(market.eventTicker) ?? true)
      .filter((order) => isAmong(order, subaccount, index) && isWithin(order, span))
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
  add('GET', '/portfolio/fills', (c, { account, subaccount }) => {
    const { limit: asked, ticker, order_id: orderId, cursor } = c.req.query()
    const limit = wholeParam(asked, 100, 1, 1000)
    if (limit === undefined) return refuse(queryError('GetFills', 'Limit', limitTag(asked)))
    const index = parseIndex(c.req.query('exchange_index'))
    if (index === null) return refuse(queryError('GetFills', 'ExchangeIndex', 'gte'))
    const span = spanOf('GetFills', c)
    if (isRefusal(span)) return refuse(span)
    const fills = account.fills
      .filter(({ readableAtMs }) => readableAtMs <= clock.nowMs())
      .filter(({ order }) => ticker === undefined || order.market.id === ticker)
      .filter(({ order }) => orderId === undefined || order.orderId === orderId)
      .filter((fill) => isAmong(fill.order, subaccount, index) && isWithin(fill, span))
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

/** Where a list is asked to begin and to end, Unix ms. */
interface Span {
  readonly fromMs: number
  readonly toMs: number
}

function spanOf(call: string, c: Context): Span | KalshiRefusal {
  const [from, to] = ['min_ts', 'max_ts'].map((name, at) =>
    wholeParam(c.req.query(name), at === 0 ? 0 : MAX_TS, 0, MAX_TS),
  )
  if (from === undefined) return queryError(call, 'MinTs', 'gte')
  if (to === undefined) return queryError(call, 'MaxTs', 'gte')
  return { fromMs: from * 1000, toMs: to * 1000 }
}

const isWithin = ({ createdMs }: { readonly createdMs: number }, { fromMs, toMs }: Span): boolean =>
  createdMs >= fromMs && createdMs <= toMs

/** Orders and fills are listed of every subaccount and shard when none is named. */
const isAmong = (
  { subaccount, market }: KalshiOrder,
  of: Subaccount | undefined,
  exchangeIndex: number | undefined,
): boolean =>
  (of === undefined || subaccount === of.number) &&
  (exchangeIndex === undefined || market.exchangeIndex === exchangeIndex)
