/** The venue's own client, with its own signing, against our simulated Kalshi and beside our own signing. */

import { constants, createPrivateKey, createPublicKey, randomUUID, verify } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AccountApi, Configuration, MarketApi, OrdersApi, PortfolioApi } from 'kalshi-typescript'
import type { CreateOrderV2Request } from 'kalshi-typescript'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signRequest } from '../../src/lib/venues/kalshi/auth.js'
import { startBench, until, type Bench } from '../lib/sim/harness.js'

let bench: Bench
let api: ReturnType<typeof sdk>
let ticker: string
beforeAll(async () => {
  bench = await startBench({ speed: 0.05 })
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

/** The account may read twenty times a second. */
const pause = () => new Promise((resolve) => setTimeout(resolve, 100))

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
    expect((await api.account.getAccountApiLimits()).data).toMatchObject({ usage_tier: 'basic' })
    expect((await api.account.getAccountEndpointCosts()).data.default_cost).toBe(10)
  })

  it('buys, and finds the order, its fills and the position', async () => {
    const id = randomUUID()
    const created = (await api.orders.createOrderV2(order({ client_order_id: id }))).data
    expect(created).toMatchObject({ client_order_id: id, fill_count: '2.00', remaining_count: '0.00' })
    const orderId = created.order_id
    const fills = await until(async () => {
      await pause()
      const { data } = await api.portfolio.getFills(ticker, orderId)
      return data.fills.length > 0 && data.fills
    }, 'the fills')
    expect(fills.reduce((sum, { count_fp: count }) => sum + Number(count), 0)).toBe(2)
    const found = await until(async () => {
      await pause()
      const { data } = await api.orders.getOrders(ticker)
      return data.orders.find((each) => each.order_id === orderId)
    }, 'the order')
    expect(found).toMatchObject({ client_order_id: id, status: 'executed' })
    const { market_positions: positions } = (await api.portfolio.getPositions()).data
    expect(
      Number(positions.find((position) => position.ticker === ticker)?.position_fp),
    ).toBeGreaterThanOrEqual(2)
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
