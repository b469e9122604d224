/**
 * A Kalshi account over HTTP that keeps the rules of its own that orders run into: money by shard, rate limits, order
 * groups, pauses. Written from the venue's documentation, without the code under test.
 */

import type { Answer, HttpVenue, ReceivedRequest } from './http-venue.js'

const CREATE = '/portfolio/events/orders'

interface Group {
  readonly id: string
  readonly shard: number
  readonly limit: number
  matched: number
  triggered: boolean
}

interface OrderBody {
  readonly ticker: string
  readonly side: 'bid' | 'ask'
  readonly count: string
  readonly price: string
  readonly client_order_id: string
  readonly exchange_index?: number
  readonly order_group_id?: string
  readonly subaccount?: number
}

const refusal = (status: number, code: string): Answer => ({
  status,
  body: { error: { code, message: code } },
})
const ok = (body: object, status = 200): Answer => ({ status, body })

export class AccountVenue {
  /** Dollars by shard. */
  readonly cash = new Map([
    [0, 100],
    [3, 20],
  ])
  readonly groups = new Map<string, Group>()
  readonly paused = new Set<number>()
  readonly accepted: OrderBody[] = []
  /** Write tokens, refilled by the test alone. */
  writeTokens = 100
  subaccount = 0
  offersGroups = true
  /** Answers of one path before the account is asked. */
  readonly before = new Map<string, Answer>()
  private ids = 0

  constructor(readonly http: HttpVenue) {
    http.answer = (request) => this.answer(request)
  }

  private answer(request: ReceivedRequest): Answer {
    const { method, path, query, body, signature } = request
    const special = this.before.get(`${method} ${path}`)
    if (special !== undefined) return special
    if (signature !== 'ok') return refusal(401, 'authentication_error')
    if (method === 'POST' && path === CREATE) return this.create(JSON.parse(body) as OrderBody)
    if (path.startsWith('/portfolio/order_groups')) return this.group(request)
    if (method !== 'GET') return refusal(404, 'not_found')
    if (path === '/account/limits') {
      const limit = { bucket_capacity: 100, refill_rate: 100 }
      return ok({ usage_tier: 'basic', grants: [], read: limit, write: limit })
    }
    if (path === '/account/endpoint_costs') return ok({ default_cost: 10, endpoint_costs: [] })
    if (path === '/exchange/status') {
      const statuses = [...this.cash.keys()].map((index) => ({
        exchange_index: index,
        exchange_active: true,
        trading_active: !this.paused.has(index),
      }))
      const top = { exchange_active: true, trading_active: !this.paused.has(0) }
      return ok({ ...top, exchange_index_statuses: statuses })
    }
    if (path === '/portfolio/balance') {
      if (Number(query.get('subaccount') ?? 0) !== this.subaccount) return refusal(404, 'not_found')
      const list = [...this.cash].map(([index, dollars]) => ({
        exchange_index: index,
        balance: dollars.toFixed(4),
      }))
      return ok({ balance: 0, balance_dollars: '120.0000', balance_breakdown: list })
    }
    return refusal(404, 'not_found')
  }

  private create(order: OrderBody): Answer {
    this.writeTokens -= 10
    if (this.writeTokens < 0) return { status: 429, body: { error: 'too many requests' } }
    const shard = order.exchange_index ?? 0
    if (this.paused.has(shard)) return refusal(409, 'trading_is_paused')
    if ((order.subaccount ?? 0) !== this.subaccount) return refusal(400, 'invalid_parameters')
    const group = order.order_group_id === undefined ? undefined : this.groups.get(order.order_group_id)
    if (order.order_group_id !== undefined && group?.shard !== shard) return refusal(404, 'not_found')
    if (group?.triggered === true) return refusal(409, 'order_group_triggered')
    const price = order.side === 'bid' ? Number(order.price) : 1 - Number(order.price)
    const cost = price * Number(order.count)
    const cash = this.cash.get(shard) ?? 0
    if (cost > cash) return refusal(404, 'insufficient_shard_balance')
    this.cash.set(shard, cash - cost)
    this.accepted.push(order)
    if (group !== undefined && (group.matched += Number(order.count)) > group.limit) group.triggered = true
    const reply = { order_id: `v-${++this.ids}`, client_order_id: order.client_order_id, ts_ms: 1 }
    return ok({ ...reply, fill_count: order.count, remaining_count: '0.00' }, 201)
  }

  private group({ method, path, query, body }: ReceivedRequest): Answer {
    if (!this.offersGroups) return refusal(404, 'not_found')
    if (method === 'POST' && path.endsWith('/create')) {
      const wanted = JSON.parse(body) as Record<string, unknown>
      const { contracts_limit: limit, exchange_index: shard = 0, subaccount = 0 } = wanted
      if (!Number.isInteger(limit) || Number(limit) < 1) return refusal(400, 'invalid_parameters')
      if (!this.cash.has(Number(shard)) || subaccount !== this.subaccount)
        return refusal(400, 'invalid_parameters')
      const id = `group-${++this.ids}`
      this.groups.set(id, { id, shard: Number(shard), limit: Number(limit), matched: 0, triggered: false })
      return ok({ order_group_id: id, subaccount: this.subaccount, exchange_index: Number(shard) }, 201)
    }
    const group = this.groups.get(path.split('/')[3] ?? '')
    if (group === undefined || Number(query.get('exchange_index')) !== group.shard)
      return refusal(404, 'not_found')
    if (method === 'PUT' && path.endsWith('/reset')) {
      group.triggered = false
      group.matched = 0
      return ok({})
    }
    if (method === 'GET') return ok({ is_auto_cancel_enabled: true, orders: [] })
    if (method !== 'DELETE') return refusal(404, 'not_found')
    this.groups.delete(group.id)
    return { status: 204, body: '' }
  }
}
