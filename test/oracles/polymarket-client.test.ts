/**
 * The venue's own client, with its own signing, beside ours and against our simulated CLOB.
 *
 * Where it (1.1.0) and we differ:
 * - It draws salts from `Math.random() * Date.now()` and dates orders by the clock; ours come from the order id and the
 *   signal, so that the same leg is the same order.
 * - It posts `postOnly` and, where set, `taker`; ours posts neither: arbees sends no resting order.
 * - With `retryOnError` it posts an order again after a 5xx or a cut, and it signs anew for the version that the venue
 *   asks for: version 3 (ExchangeV3) is another domain. Ours posts once, and knows version 2 alone.
 * - It asks `/tick-size`, `/neg-risk`, `/markets-by-token` and `/clob-markets` before an order; ours has them from the
 *   catalog before there is a signal.
 * - It computes amounts in floating point; ours in integers: equal for every tick (below).
 * - It types a balance with `allowances`, a record by contract; recorded answers, and the simulator, say `allowance`.
 * - It takes `transactionsHashes` from the trades, which it polls until they have one; a fill of ours is final when its
 *   trades are CONFIRMED.
 */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Wallet } from '@ethersproject/wallet'
import {
  AssetType,
  Chain,
  ClobClient,
  OrderType,
  Side,
  createL1Headers,
  createL2Headers,
  orderToJsonV2,
} from '@polymarket/clob-client-v2'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { ManualClock } from '../../src/lib/core/clock.js'
import type { GameMarket } from '../../src/lib/model/game.js'
import type { OrderRequest } from '../../src/lib/model/order.js'
import { createSimAccounts } from '../../src/lib/sim/accounts.js'
import { startSimulator, type Simulator } from '../../src/lib/sim/simulator.js'
import { orderAmounts } from '../../src/lib/venues/polymarket/amounts.js'
import {
  l1Headers,
  l2Headers,
  parsePrivateKey,
  type SignatureType,
} from '../../src/lib/venues/polymarket/auth.js'
import { PolymarketGateway } from '../../src/lib/venues/polymarket/gateway.js'
import { OrderSigner, saltOf } from '../../src/lib/venues/polymarket/order-signing.js'
import { until } from '../lib/sim/harness.js'

// The first account of every local test chain: publicly known, worth nothing.
const KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'
const wallet = new Wallet(KEY)
const FUNDER = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
const TOKENS = [
  '71321045679252212594626385532706912750332728571942532289631379312455583992563',
  '52114319501245915516055106046884209969926127482827954674443846427813813222426',
] as const
const NOW_MS = 1_790_000_000_123
const creds = { key: 'k-1', secret: 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I=', passphrase: 'pass' }
const TYPES = [0, 1, 2, 3] as const

const funderOf = (type: SignatureType) => (type === 0 ? {} : { funder: FUNDER })

function clientOf(host: string, signatureType: SignatureType, key: typeof creds | undefined = creds) {
  return new ClobClient({
    host,
    chain: Chain.POLYGON,
    signer: wallet,
    signatureType,
    ...(signatureType === 0 ? {} : { funderAddress: FUNDER }),
    ...(key === undefined ? {} : { creds: key }),
  })
}

const gatewayOf = (signatureType: SignatureType) =>
  new PolymarketGateway({
    restUrl: 'http://127.0.0.1:9',
    geoblockUrl: 'http://127.0.0.1:9/api/geoblock',
    credentials: {
      privateKey: parsePrivateKey(KEY)!,
      apiKey: creds.key,
      secret: creds.secret,
      passphrase: creds.passphrase,
      signatureType,
      ...funderOf(signatureType),
    },
    clock: new ManualClock(NOW_MS),
  })

const marketOf = (negRisk: boolean, tickE4 = 100): GameMarket => ({
  venue: 'poly',
  marketId: `0x${'ab'.repeat(32)}`,
  kind: 'moneyline',
  selection: 'HOU',
  tickE4,
  sizeStepE2: 1,
  minSizeE2: 500,
  fees: { ratePpm: 50_000, roundUpToMicros: 10 },
  takerDelayMs: 1000,
  tokenIds: TOKENS,
  negRisk,
})

const requestOf = (fields: Partial<OrderRequest>): OrderRequest => ({
  orderId: 'order-1',
  signalId: 'signal-1',
  leg: 0,
  attempt: 0,
  venue: 'poly',
  marketId: `0x${'ab'.repeat(32)}`,
  outcome: 'yes',
  side: 'buy',
  limitE4: 4000,
  sizeE2: 1000,
  signalMs: NOW_MS,
  ...fields,
})

/** An order id whose salt comes out of the client's own formula too. */
const orderId = Array.from({ length: 1000 }, (_, index) => `order-${index}`).find(
  (id) => Math.round((saltOf(id) / NOW_MS) * NOW_MS) === saltOf(id),
)!

/** A function of the client that it does not export. */
async function internal<T>(path: string, name: string): Promise<T> {
  const folder = './node_modules/@polymarket/clob-client-v2/dist/'
  const module = (await import(new URL(folder + path, import.meta.url).href)) as Record<string, T>
  return module[name]!
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe("beside Polymarket's own client, ours signs the same", () => {
  const cases = TYPES.flatMap((type) =>
    [false, true].flatMap((negRisk) =>
      (['buy', 'sell'] as const).map((side) => ({ type, negRisk, side }) as const),
    ),
  )

  it.each(cases)('orders: type $type, neg-risk $negRisk, a $side', async ({ type, negRisk, side }) => {
    vi.spyOn(Date, 'now').mockReturnValue(NOW_MS)
    vi.spyOn(Math, 'random').mockReturnValue(saltOf(orderId) / NOW_MS)
    const gateway = gatewayOf(type)
    const prepared = gateway.prepare(requestOf({ orderId, side, outcome: 'no' }), marketOf(negRisk))
    await gateway.close()
    const { orderBuilder } = clientOf('http://127.0.0.1:9', type)
    const build = (version: number) =>
      orderBuilder.buildMarketOrder(
        {
          tokenID: TOKENS[1],
          amount: side === 'buy' ? 4 : 10,
          price: 0.4,
          side: side === 'buy' ? Side.BUY : Side.SELL,
        },
        { tickSize: '0.01', negRisk },
        version,
      )
    const theirs = await build(2)
    const { postOnly, ...posted } = orderToJsonV2(theirs as never, creds.key, OrderType.FAK)
    expect(postOnly).toBe(false)
    expect(JSON.parse(prepared.body)).toEqual(JSON.parse(JSON.stringify(posted)))
    // Its version 3 is signed for another contract and domain: not one that we could send.
    const third = await build(3)
    expect(third.signature).not.toBe(theirs.signature)
  })

  it.each(cases)(
    "the client's own salt: type $type, neg-risk $negRisk, a $side",
    async ({ type, negRisk, side }) => {
      const { orderBuilder } = clientOf('http://127.0.0.1:9', type)
      const signer = new OrderSigner(parsePrivateKey(KEY)!)
      const Builder = await internal<
        new (
          contract: string,
          chain: number,
          signer: unknown,
        ) => {
          buildOrderTypedData(order: unknown): unknown
          buildOrderHash(data: unknown): string
        }
      >('order-utils/exchangeOrderBuilderV2.js', 'ExchangeOrderBuilderV2')
      const contract = negRisk
        ? '0xe2222d279d744050d28e00520010520000310F59'
        : '0xE111180000d2663C0091e4f400237545B87B996B'
      const hasher = new Builder(contract, 137, wallet)
      for (let n = 1; n <= 5; n++) {
        const theirs = (await orderBuilder.buildMarketOrder(
          { tokenID: TOKENS[0], amount: 7 * n, price: 0.33, side: side === 'buy' ? Side.BUY : Side.SELL },
          { tickSize: '0.01', negRisk },
          2,
        )) as unknown as Record<string, string>
        const fields = {
          salt: Number(theirs['salt']),
          maker: theirs['maker']!,
          signer: theirs['signer']!,
          tokenId: theirs['tokenId']!,
          makerAmount: BigInt(theirs['makerAmount']!),
          takerAmount: BigInt(theirs['takerAmount']!),
          side: theirs['side'] as 'BUY',
          signatureType: type,
          timestampMs: Number(theirs['timestamp']),
        }
        expect(signer.sign(fields, negRisk)).toEqual({
          signature: theirs['signature'],
          hash: hasher.buildOrderHash(hasher.buildOrderTypedData(theirs)),
        })
      }
    },
  )

  it('L1 and L2 headers', async () => {
    const s = Math.floor(NOW_MS / 1000)
    expect(l1Headers(parsePrivateKey(KEY)!, NOW_MS)).toEqual(
      await createL1Headers(wallet, Chain.POLYGON, 0, s),
    )
    const ours = { apiKey: creds.key, secret: creds.secret, passphrase: creds.passphrase }
    for (const request of [
      { method: 'POST', path: '/order', body: '{"a":"ü~~>>??"}' },
      { method: 'GET', path: '/data/trades' },
      { method: 'DELETE', path: '/order', body: '{"orderID":"0x1"}' },
    ]) {
      expect(l2Headers(ours, wallet.address, { ...request, nowMs: NOW_MS })).toEqual(
        await createL2Headers(wallet, creds, { ...request, requestPath: request.path }, s),
      )
    }
  })

  it('the amounts that its rounding gives, for every tick', async () => {
    const amounts = await internal<
      (
        side: Side,
        amount: number,
        price: number,
        config: object,
      ) => { rawMakerAmt: number; rawTakerAmt: number }
    >('order-builder/helpers/getMarketOrderRawAmounts.js', 'getMarketOrderRawAmounts')
    const configs = await internal<Record<string, object>>(
      'order-builder/helpers/roundingConfig.js',
      'ROUNDING_CONFIG',
    )
    const e6 = (amount: number) => BigInt(Math.round(amount * 1e6))
    fc.assert(
      fc.property(
        fc.constantFrom(1000, 100, 50, 25, 10, 1),
        fc.nat(),
        fc.integer({ min: 500, max: 5_000_000 }),
        fc.constantFrom('buy', 'sell'),
        (tickE4, n, sizeE2, side) => {
          const limitE4 = tickE4 * (1 + (n % (10_000 / tickE4 - 1)))
          const ours = orderAmounts({ side, limitE4, sizeE2 }, { tickE4, minSizeE2: 500 })
          const amount = side === 'buy' ? Number(ours.makerE6) / 1e6 : sizeE2 / 100
          const config = configs[String(tickE4 / 10_000)]!
          const theirs = amounts(side === 'buy' ? Side.BUY : Side.SELL, amount, limitE4 / 10_000, config)
          expect([ours.makerE6, ours.takerE6]).toEqual([e6(theirs.rawMakerAmt), e6(theirs.rawTakerAmt)])
        },
      ),
      { numRuns: 5_000 },
    )
  })
})

interface Place {
  readonly type: SignatureType
  readonly sim: Simulator
  /** With the API credentials that it derived: its create is refused, the account has a key. */
  readonly client: ClobClient
  readonly market: {
    readonly conditionId: string
    readonly tokens: readonly [string, string]
    readonly negRisk: boolean
  }
  close(): Promise<void>
}

/** A simulator whose account has signatures of this type, on a neg-risk market for types 2 and 3. */
async function openPlace(type: SignatureType): Promise<Place> {
  const dir = await mkdtemp(join(tmpdir(), 'oracle-'))
  await createSimAccounts(dir)
  const file = join(dir, 'public.json')
  const known = JSON.parse(await readFile(file, 'utf8')) as { polymarket: Record<string, unknown> }
  known.polymarket['address'] = wallet.address.toLowerCase()
  known.polymarket['funder'] = (type === 0 ? wallet.address : FUNDER).toLowerCase()
  known.polymarket['signature_type'] = type
  await writeFile(file, JSON.stringify(known))
  const sim = await startSimulator({
    seed: 1,
    speed: 6,
    ports: { kalshi: 0, poly: 0, gamma: 0, espn: 0 },
    accountsDir: dir,
    onNotice: () => undefined,
  })
  const events = (await (await fetch(`${sim.urls.gamma}/events?tag_id=100639&closed=false`)).json()) as {
    markets: { conditionId: string; clobTokenIds: string; negRisk: boolean }[]
  }[]
  const listed = events.map(({ markets }) => markets[0]!).find(({ negRisk }) => negRisk === type > 1)!
  const { conditionId, clobTokenIds, negRisk } = listed
  const market = { conditionId, tokens: JSON.parse(clobTokenIds) as [string, string], negRisk }
  const key = await clientOf(sim.urls.clob, type, undefined).createOrDeriveApiKey()
  return {
    type,
    sim,
    client: clientOf(sim.urls.clob, type, key),
    market,
    close: async () => {
      await sim.close()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

describe("Polymarket's own client at the simulator, with each type of signature", () => {
  let places: readonly Place[]
  beforeAll(async () => {
    places = await Promise.all(TYPES.map(openPlace))
  })
  afterAll(async () => {
    await Promise.all(places.map((place) => place.close()))
  })
  const atEach = (play: (place: Place) => Promise<void>) => Promise.all(places.map(play))

  it('buys and sells, and finds orders, trades and balances', () =>
    atEach(async ({ client, market }) => {
      const [tokenID] = market.tokens
      expect(await client.getNegRisk(tokenID)).toBe(market.negRisk)
      const book = await client.getOrderBook(tokenID)
      const { hash } = book
      expect(await client.getOrderBookHash(book)).toBe(hash)
      const post = async (side: Side, amount: number, price: number) =>
        (await client.createAndPostMarketOrder({ tokenID, amount, side, price }, {}, OrderType.FAK)) as {
          readonly status: string | number
          readonly orderID: string
          readonly error?: string
        }
      const balance = async (asset_type: AssetType) =>
        Number((await client.getBalanceAllowance({ asset_type, token_id: tokenID })).balance) / 1e6
      const filled = (id: string) =>
        until(async () => {
          const trades = (await client.getTrades({ asset_id: tokenID })).filter(
            ({ taker_order_id: taker }) => taker === id,
          )
          const final = trades.length > 0 && trades.every(({ status }) => status === 'CONFIRMED')
          return final && trades.reduce((sum, { size }) => sum + Number(size), 0)
        }, 'confirmed trades')

      const cash = await balance(AssetType.COLLATERAL)
      const bought = await post(Side.BUY, 20, 0.99)
      expect(bought).toMatchObject({ success: true, status: 'delayed', errorMsg: '' })
      for (const order of await client.getOpenOrders({ market: market.conditionId })) {
        expect(order).toMatchObject({ id: bought.orderID, status: 'DELAYED', order_type: 'FAK' })
      }
      for (const cancel of [
        () => client.cancelOrder({ orderID: bought.orderID }),
        () => client.cancelOrders([bought.orderID]),
      ]) {
        const { canceled, not_canceled: kept } = (await cancel()) as Record<string, object>
        expect([canceled, Object.keys(kept!)]).toEqual([[], [bought.orderID]])
      }
      const shares = await filled(bought.orderID)
      expect(shares).toBeGreaterThan(20)
      expect(await balance(AssetType.COLLATERAL)).toBeLessThan(cash - 19)
      expect(await balance(AssetType.CONDITIONAL)).toBeCloseTo(shares, 5)
      const sold = await post(Side.SELL, 6, 0.01)
      expect(await filled(sold.orderID)).toBe(6)
      expect(await client.getOpenOrders()).toEqual([])
      expect(await client.cancelAll()).toEqual({ canceled: [], not_canceled: {} })
      // Nothing is offered there: taken, and killed.
      expect(await post(Side.BUY, 1, 0.01)).toMatchObject({
        status: 400,
        error: expect.stringContaining('no orders found') as string,
      })
    }))

  it('is refused as the venue refuses', () =>
    atEach(async ({ type, client, sim, market }) => {
      const [tokenID] = market.tokens
      const post = (signer: ClobClient, options = {}) =>
        signer.createAndPostMarketOrder(
          { tokenID, amount: 20, side: Side.BUY, price: 0.99 },
          options,
          OrderType.FAK,
        )
      const as = (signatureType: SignatureType, key: object = {}) =>
        clientOf(sim.urls.clob, signatureType, { ...client.creds!, ...key })
      expect(await post(client, { version: 3 })).toMatchObject({
        status: 400,
        error: 'order_version_mismatch',
      })
      expect(await post(client, { negRisk: !market.negRisk })).toMatchObject({
        error: 'order_version_mismatch',
      })
      for (const other of TYPES.filter((each) => each !== type)) {
        expect(await post(as(other))).toMatchObject({ status: 400 })
      }
      // Of a deposit wallet's signature every part counts: ours, the domain, the order, its type and its length.
      const order = await client.createMarketOrder({ tokenID, amount: 20, side: Side.BUY, price: 0.99 })
      const { length } = order.signature
      for (const at of type === 3 ? [20, 140, 220, 300, length - 1] : [20]) {
        const digit = order.signature[at] === 'a' ? 'b' : 'a'
        const signature = `${order.signature.slice(0, at)}${digit}${order.signature.slice(at + 1)}`
        expect(await client.postOrder({ ...order, signature }, OrderType.FAK)).toMatchObject({ status: 400 })
      }
      const unauthorized = { status: 401, error: 'Unauthorized/Invalid api key' }
      expect(await post(as(type, { passphrase: 'x' }))).toMatchObject(unauthorized)
      expect(await post(as(type, { secret: creds.secret }))).toMatchObject(unauthorized)
      const none = { key: undefined, secret: undefined, passphrase: undefined }
      const stranger = new ClobClient({
        host: sim.urls.clob,
        chain: Chain.POLYGON,
        signer: Wallet.createRandom(),
      })
      expect(await stranger.createOrDeriveApiKey()).toEqual(none)
      // A key that is deleted opens nothing; the next is another.
      const { apiKeys } = await client.getApiKeys()
      expect(apiKeys).toEqual([client.creds!.key])
      await client.deleteApiKey()
      expect(await post(client)).toMatchObject(unauthorized)
      expect(await client.deriveApiKey()).toEqual(none)
      const fresh = await client.createOrDeriveApiKey()
      expect(fresh.key).not.toBe(client.creds!.key)
      expect(await clientOf(sim.urls.clob, type, fresh).getApiKeys()).toEqual({ apiKeys: [fresh.key] })
      const { orders, refused } = sim.stats()
      // Of the test before: one bought, one sold, one killed.
      expect(orders).toBe(3)
      expect(refused).toMatchObject({
        'poly:order_version_mismatch': 2,
        'poly:invalid_api_key': 2,
        'poly:invalid_hmac': 1,
        'poly:l1_signature': 2,
        'poly:no_api_key': 1,
      })
    }))
})

it('asks what it needs before an order: the tick, neg-risk and the version, by token', async () => {
  const asked: { url: string; headers: IncomingHttpHeaders }[] = []
  const answers: Record<string, unknown> = {
    '/markets-by-token/': { condition_id: '0x1' },
    '/clob-markets/': { t: [], mts: 0.01, nr: false },
    '/tick-size': { minimum_tick_size: 0.01 },
    '/neg-risk': { neg_risk: true },
    '/version': { version: 2 },
  }
  const server = createServer((request, response) => {
    asked.push({ url: request.url!, headers: request.headers })
    const path = Object.keys(answers).find((each) => request.url!.startsWith(each))
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answers[path ?? ''] ?? {}))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  try {
    await clientOf(`http://127.0.0.1:${port}`, 0).createOrder({
      tokenID: TOKENS[0],
      price: 0.4,
      size: 10,
      side: Side.BUY,
    })
    expect(asked.map(({ url }) => url)).toEqual([
      `/tick-size?token_id=${TOKENS[0]}`,
      '/version',
      `/neg-risk?token_id=${TOKENS[0]}`,
    ])
  } finally {
    server.close()
  }
})
