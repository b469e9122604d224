/** Recorded answers about orders and errors, at the gateway. */

import { expect } from 'vitest'
import type { OrderRequest } from '../../../../src/lib/model/order.js'
import type { Answer, ReceivedRequest } from './http-venue.js'
import { gameMarket } from './markets.js'
import type { Json } from './recordings.js'
import {
  T,
  bodyOf,
  codeOf,
  fileAt,
  isObject,
  listOf,
  listing,
  request,
  scaled,
  textOf,
  withGateway,
  type Recording,
  type Said,
} from './replay-venue.js'

/** An error answers a create, a list, a listing and the first call of all: none may take it for anything else. */
export async function replayRefusal(recording: Recording): Promise<Said> {
  const { status, text } = recording
  const body = bodyOf(text)
  const inner = isObject(body['error']) ? body['error'] : body
  const code = typeof inner['code'] === 'string' ? inner['code'] : `http_${status}`
  const [outcome, listed] = await withGateway(
    ({ path, method }) =>
      method === 'POST' || path === '/portfolio/orders' ? { status, body: text } : undefined,
    async (gateway) => {
      const prepared = gateway.prepare(request({}), gameMarket({ marketId: T }))
      const sent = await gateway.send(
        prepared,
        () => undefined,
        () => true,
      )
      return [sent, await gateway.query(prepared)]
    },
  )
  expect(listed).toMatchObject({ kind: 'unknown', reason: expect.stringContaining(`HTTP ${status} ${code}`) })
  const shown = 'code' in outcome ? outcome.code : 'reason' in outcome ? outcome.reason : ''
  expect(shown).toContain(code)
  // After a 429 it asks again, for seconds.
  if (status === 429) return { refused: undefined, read: [outcome.kind, code], told: ['rejected', code] }
  const warmed = await withGateway(fileAt(recording, /./), (gateway) =>
    gateway.warm().then(() => undefined, codeOf),
  )
  expect(warmed?.split(':')[0]).toBe(status === 401 || status === 403 ? 'KALSHI_CREDENTIALS' : undefined)
  const catalog = await listing(recording, /./).then(() => 'a listing', codeOf)
  const series = code === 'not_found' ? /KALSHI_REFUSED/ : /^KALSHI_(REFUSED|CREDENTIALS)/
  expect(catalog).toMatch(series)
  return { refused: undefined, read: [outcome.kind, code], told: [outcome.kind, code] }
}

export async function replayCreate(recording: Recording): Promise<Said> {
  const body = bodyOf(recording.text)
  const asked =
    recording.sent?.['count'] ?? (Number(body['fill_count']) + Number(body['remaining_count']) || 1)
  const [sizeE2, filledE6] = [scaled(asked, 100), scaled(body['fill_count'], 1e6)]
  const orderId = textOf(body['client_order_id']) ?? 'none-of-it'
  const outcome = await withGateway(fileAt(recording, /events\/orders$/), (gateway) => {
    const prepared = gateway.prepare(request({ orderId, sizeE2 }), gameMarket({ marketId: T }))
    return gateway.send(
      prepared,
      () => undefined,
      () => true,
    )
  })
  if (outcome.kind === 'unknown') return { refused: outcome.reason }
  const kind = filledE6 === 0 ? 'none' : filledE6 === sizeE2 * 1e4 ? 'filled' : 'partial'
  const venueOrderId = String(body['order_id'])
  return {
    refused: undefined,
    read: outcome,
    told: kind === 'none' ? { kind, venueOrderId } : { kind, venueOrderId, filledE6 },
  }
}

/** An order that rests is canceled, and what the cancel says is told. */
export async function replayCancel(recording: Recording): Promise<Said> {
  const { order_id: id } = bodyOf(recording.text)
  const order = {
    order_id: id ?? 'v',
    client_order_id: 'none-of-it',
    status: 'resting',
    fill_count_fp: '0.00',
  }
  return withGateway(
    (received) =>
      received.method === 'DELETE'
        ? { status: recording.status, body: recording.text }
        : received.path === '/portfolio/orders'
          ? { status: 200, body: { orders: [order], cursor: '' } }
          : undefined,
    async (gateway, notices) => {
      const prepared = gateway.prepare(request({}), gameMarket({ marketId: T }))
      const { kind } = await gateway.query(prepared)
      const refused = typeof id === 'string' ? undefined : 'no order_id'
      const told = 'order none-of-it rests at Kalshi, which none of ours may: it is canceled'
      return { refused, read: [kind, notices.at(-1)], told: ['unknown', told] }
    },
  )
}

/** Each order of a list, or the one of a single read, asked for by its own id. */
export async function replayOrders(recording: Recording): Promise<Said> {
  const body = bodyOf(recording.text)
  const single = body['order'] as Json | undefined
  const orders = single === undefined ? listOf(body, 'orders') : [single]
  const list = single === undefined ? recording.text : { orders, cursor: '' }
  const serve = ({ path, method, query }: ReceivedRequest): Answer | undefined =>
    method === 'GET' && path === '/portfolio/orders'
      ? { status: 200, body: query.has('cursor') ? { orders: [], cursor: '' } : list }
      : undefined
  return withGateway(serve, async (gateway) => {
    const read: unknown[] = []
    const ask = (more: Partial<OrderRequest>) =>
      gateway.query(gateway.prepare(request(more), gameMarket({ marketId: T })))
    const nobody = await ask({})
    if (nobody.kind === 'unknown' && !nobody.reason.startsWith('the venue lists no order'))
      return { refused: nobody.reason }
    for (const order of orders) {
      const sizeE2 = Math.max(1, scaled(order['initial_count_fp'], 100))
      const outcome = await ask({ orderId: String(order['client_order_id']), sizeE2 })
      read.push([outcome.kind, 'filledE6' in outcome ? outcome.filledE6 : 0])
    }
    const told = orders.map((order) => {
      const [filledE6, askedE6] = [
        scaled(order['fill_count_fp'], 1e6),
        scaled(order['initial_count_fp'], 1e6),
      ]
      if (order['status'] === 'resting') return ['unknown', 0]
      return [filledE6 === 0 ? 'none' : filledE6 === askedE6 ? 'filled' : 'partial', filledE6]
    })
    return { refused: undefined, read, told }
  })
}
