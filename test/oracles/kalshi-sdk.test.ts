/**
 * The venue's own client, with its own signing, against our simulated Kalshi and beside our own signing.
 *
 * Where its types (3.30.0) and recorded answers of the venue differ:
 * - Fills and positions of June 2026 have no `exchange_index`, which the types require; it came with the shards.
 * - Positions carry `resting_orders_count`, markets `fractional_trading_enabled` and `response_price_units`, events
 *   `available_on_brokers`: the types know none of them.
 * - Errors are typed flat, `{code, message, details}`; recorded are that inside `error` (with `service`), flat, `{msg}`
 *   for a query, and `error` as a text (429).
 * - `status` of a market is typed with `inactive` to `finalized`, the filter of `getMarkets` has words of its own.
 * The simulator answers with the fields of both.
 */

import { constants, createPrivateKey, createPublicKey, randomUUID, verify } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readFileSync } from 'node:fs'
import {
  AccountApi,
  Configuration,
  EventsApi,
  ExchangeApi,
  MarketApi,
  OrderGroupsApi,
  OrdersApi,
  PortfolioApi,
} from 'kalshi-typescript'
import type { CreateOrderV2Request } from 'kalshi-typescript'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signRequest } from '../../src/lib/venues/kalshi/auth.js'
import { readPosition } from '../../src/lib/venues/kalshi/account-frames.js'
import { sumFills } from '../../src/lib/venues/kalshi/order-fills.js'
import { outcomeOfCreate, outcomeOfListed } from '../../src/lib/venues/kalshi/order-outcome.js'
import type { PreparedOrder } from '../../src/lib/venues/ports.js'
import { startBench, until, type Bench } from '../lib/sim/harness.js'

let bench: Bench
let api: ReturnType<typeof sdk>
let ticker: string
beforeAll(async () => {
  bench = await startBench({ speed: 0.05 }, 'premier')
  api = sdk(bench.sim.urls.kalshiRest)
  const listed = await api.markets.getMarkets(10, undefined, undefined, 'KXNBAGAME')
  ticker = listed.data.markets[0]!.ticker
})
afterAll(() => bench.close())

function sdk(basePath: string) {
  const { id, pem } = bench.trade
  const configuration = new Configuration({ apiKey: id, privateKeyPem: pem, basePath })
  return {
    account: new AccountApi(configuration),
    events: new EventsApi(configuration),
    exchange: new ExchangeApi(configuration),
    groups: new OrderGroupsApi(configuration),
    markets: new MarketApi(configuration),
    orders: new OrdersApi(configuration),
    portfolio: new PortfolioApi(configuration),
  }
}

const order = (fields: Partial<CreateOrderV2Request> = {}): CreateOrderV2Request => ({
  ...{ ticker, side: 'bid', count: '2.00', price: '0.9900' },
  ...{ time_in_force: 'immediate_or_cancel', self_trade_prevention_type: 'taker_at_cross' },
  ...fields,
})

/** Field names that a type of the client cannot do without. */
function requiredBy(model: string): string[] {
  const file = new URL(`node_modules/kalshi-typescript/dist/models/${model}.d.ts`, import.meta.url)
  const fields = readFileSync(file, 'utf8').matchAll(/^ {4}'(\w+)': /gm)
  return [...fields].map(([, name]) => name!)
}

/** What the venue's client makes of a refusal. */
const refusal = async (call: Promise<unknown>): Promise<unknown> => {
  try {
    await call
  } catch (error) {
    const { response } = error as { response?: { status: number; data: unknown } }
    return { status: response?.status, data: response?.data }
  }
  throw new Error('was accepted')
}

describe("Kalshi's own client", () => {
  it('reads balance, limits and costs', async () => {
    const balance = (await api.portfolio.getBalance()).data
    expect(balance.balance_breakdown?.map(({ exchange_index: shard }) => shard)).toEqual([0, 3])
    expect((await api.account.getAccountApiLimits()).data).toMatchObject({ usage_tier: 'premier' })
    expect((await api.account.getAccountEndpointCosts()).data.default_cost).toBe(10)
  })

  it('buys, and finds the order, its fills and the position', async () => {
    const id = randomUUID()
    const created = (await api.orders.createOrderV2(order({ client_order_id: id }))).data
    expect(created).toMatchObject({ client_order_id: id, fill_count: '2.00', remaining_count: '0.00' })
    const orderId = created.order_id
    const fills = await until(async () => {
      const { data } = await api.portfolio.getFills(ticker, orderId)
      return data.fills.length > 0 && data.fills
    }, 'the fills')
    expect(fills.reduce((sum, { count_fp: count }) => sum + Number(count), 0)).toBe(2)
    const found = await until(async () => {
      const { data } = await api.orders.getOrders(ticker)
      return data.orders.find((each) => each.order_id === orderId)
    }, 'the order')
    expect(found).toMatchObject({ client_order_id: id, status: 'executed' })
    const { market_positions: positions } = (await api.portfolio.getPositions()).data
    // What the client parsed, by our readers: the same counts.
    const request = { orderId: id, outcome: 'yes', side: 'buy' } as const
    const prepared = { request, sizeE2: 200 } as unknown as PreparedOrder
    const filled = { kind: 'filled', venueOrderId: orderId, filledE6: 2_000_000 }
    expect(outcomeOfCreate({ kind: 'ok', status: 201, body: { ...created } }, prepared)).toEqual(filled)
    expect(outcomeOfListed({ ...found }, prepared)).toEqual(filled)
    const paid = fills.reduce((sum, fill) => sum + Number(fill.yes_price_dollars) * Number(fill.count_fp), 0)
    const { cashMicros, venueTradeIds } = sumFills(fills, request, {
      venueOrderId: orderId,
      filledE6: 2_000_000,
    })
    expect(Math.abs(cashMicros - paid * 1e6)).toBeLessThanOrEqual(1)
    expect(venueTradeIds).toEqual(fills.map((fill) => fill.trade_id))
    for (const position of positions) {
      const sizeE6 = Math.round(Number(position.position_fp) * 1e6)
      expect(readPosition(position, 'ticker')).toEqual({ marketId: position.ticker, sizeE6 })
    }
    expect(
      Number(positions.find((position) => position.ticker === ticker)?.position_fp),
    ).toBeGreaterThanOrEqual(2)
  })

  it('leaves an order to rest, reads it, cancels it, and is told when it is gone', async () => {
    const gtc = { time_in_force: 'good_till_canceled', price: '0.0100' } as const
    const { data: created } = await api.orders.createOrderV2(order({ ...gtc, client_order_id: randomUUID() }))
    expect(created).toMatchObject({ fill_count: '0.00', remaining_count: '2.00' })
    const { order_id: id, client_order_id: ownId } = created
    const status = () =>
      until(async () => {
        try {
          return (await api.orders.getOrder(id)).data.order.status
        } catch {
          return undefined
        }
      }, 'the order')
    expect(await status()).toBe('resting')
    const [listed] = (await api.orders.getOrders(ticker, undefined, undefined, undefined, 'resting')).data
      .orders
    expect(listed).toMatchObject({
      order_id: id,
      remaining_count_fp: '2.00',
      self_trade_prevention_type: 'taker_at_cross',
    })
    expect(requiredBy('order').filter((field) => !(field in listed!))).toEqual([])
    expect(await refusal(api.orders.cancelOrderV2(id))).toMatchObject({ status: 404 })
    const { data: canceled } = await api.orders.cancelOrderV2(id, undefined, undefined, ticker)
    expect(canceled).toMatchObject({ order_id: id, client_order_id: ownId, reduced_by: '2.00' })
    expect(await status()).toBe('canceled')
    expect(await refusal(api.orders.cancelOrderV2(id, undefined, 3))).toMatchObject({
      status: 404,
      data: { error: { code: 'not_found' } },
    })
    const { data: another } = await api.orders.createOrderV2(order(gtc))
    expect((await api.orders.cancelAllOrders()).status).toBe(204)
    expect(await refusal(api.orders.cancelOrderV2(another.order_id, 0, 3))).toMatchObject({ status: 404 })
  })

  it('brakes itself with an order group', async () => {
    const { data: group } = await api.groups.createOrderGroup({ contracts_limit: 1, exchange_index: 3 })
    const id = group.order_group_id
    await api.orders.createOrderV2(order({ order_group_id: id }))
    const refused = () => refusal(api.orders.createOrderV2(order({ order_group_id: id })))
    expect(await refused()).toMatchObject({ status: 400, data: { error: { code: 'invalid_order' } } })
    const { data: read } = await api.groups.getOrderGroup(id)
    expect(read).toMatchObject({
      contracts_limit_fp: '1.00',
      exchange_index: 3,
      is_auto_cancel_enabled: true,
    })
    expect(read.orders).toHaveLength(1)
    await api.groups.updateOrderGroupLimit(id, { contracts_limit: 9 }, 0, 3)
    await api.groups.resetOrderGroup(id, 0, 3, {})
    expect((await api.orders.createOrderV2(order({ order_group_id: id }))).data.fill_count).toBe('2.00')
    await api.groups.triggerOrderGroup(id, 0, 3, {})
    expect(await refused()).toMatchObject({ status: 400 })
    expect((await api.groups.getOrderGroups()).data.order_groups?.map((each) => each.id)).toContain(id)
    await api.groups.deleteOrderGroup(id, 0, 3)
    expect(await refusal(api.groups.getOrderGroup(id))).toMatchObject({ status: 404 })
  })

  it('finds every field that its types cannot do without', async () => {
    await api.orders.createOrderV2(order())
    const fills = await until(async () => {
      const { data } = await api.portfolio.getFills(ticker)
      return data.fills.length > 0 && data.fills
    }, 'a fill')
    const { market_positions: positions, event_positions: events } = (await api.portfolio.getPositions()).data
    const { market } = (await api.markets.getMarket(ticker)).data
    const series = (await api.markets.getSeries(ticker.split('-')[0]!)).data.series
    const { event } = (await api.events.getEvent(market.event_ticker)).data
    const status = (await api.exchange.getExchangeStatus()).data
    const limits = (await api.account.getAccountApiLimits()).data
    const answers: Record<string, object | undefined> = {
      fill: fills[0],
      'market-position': positions[0],
      'event-position': events[0],
      market,
      'event-data': event,
      series,
      'exchange-status': status,
      'exchange-index-status': status.exchange_index_statuses?.[1],
      'get-balance-response': (await api.portfolio.getBalance()).data,
      'get-account-api-limits-response': limits,
      'bucket-limit': limits.write,
      'orderbook-count-fp': (await api.markets.getMarketOrderbook(ticker)).data.orderbook_fp,
    }
    for (const [model, answer] of Object.entries(answers)) {
      const required = requiredBy(model)
      expect(required.length, model).toBeGreaterThan(0)
      expect(
        required.filter((field) => !(field in answer!)),
        model,
      ).toEqual([])
    }
  })

  it('is refused as the venue refuses', async () => {
    const again = order({ client_order_id: randomUUID() })
    await api.orders.createOrderV2(again)
    expect(await refusal(api.orders.createOrderV2(again))).toMatchObject({
      status: 409,
      data: { error: { code: 'order_already_exists' } },
    })
    expect(await refusal(api.orders.createOrderV2(order({ price: '0.4750' })))).toMatchObject({
      status: 400,
      data: { error: { code: 'invalid_price' } },
    })
    expect(await refusal(api.markets.getMarkets(1001))).toMatchObject({ status: 400 })
  })

  it('signs the text that we sign, and our signatures verify as its do', async () => {
    const requests: { method: string; url: string; headers: IncomingHttpHeaders }[] = []
    const server = createServer((request, response) => {
      requests.push({ method: request.method!, url: request.url!, headers: request.headers })
      request.resume()
      response.setHeader('content-type', 'application/json').end('{}')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const { orders, portfolio } = sdk(`http://127.0.0.1:${port}/trade-api/v2`)
    await portfolio.getFills(ticker, 'an-order', 1, 2, 100)
    await orders.createOrderV2(order())
    await orders.cancelOrderV2('an-order', 0, 3, ticker)
    server.close()
    const privateKey = createPrivateKey(bench.trade.pem)
    const key = {
      key: createPublicKey(privateKey),
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    }
    expect(requests.map(({ method }) => method)).toEqual(['GET', 'POST', 'DELETE'])
    for (const { method, url, headers } of requests) {
      const timestamp = headers['kalshi-access-timestamp'] as string
      const ours = signRequest(
        { keyId: bench.trade.id, privateKey },
        { timestampMs: Number(timestamp), method, path: url },
      )
      expect(headers['kalshi-access-key']).toBe(ours['KALSHI-ACCESS-KEY'])
      const text = Buffer.from(`${timestamp}${method}${url.split('?')[0]}`)
      for (const signature of [headers['kalshi-access-signature'], ours['KALSHI-ACCESS-SIGNATURE']]) {
        expect(verify('sha256', text, key, Buffer.from(signature as string, 'base64'))).toBe(true)
      }
    }
  })
})
