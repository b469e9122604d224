/**
 * What an order call to Kalshi costs over a bare POST of the same body to the same server, which checks, charges and
 * matches both: the simulated venue in a process of its own. All ways in turns, call by call, each with an account of
 * its own.
 */

import { generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto'
import { systemClock } from '../core/clock.js'
import { ArbeesError } from '../core/errors.js'
import { Lifecycle } from '../core/lifecycle.js'
import type { GameMarket } from '../model/game.js'
import type { OrderRequest } from '../model/order.js'
import { CREATE_PATH } from '../venues/kalshi/account.js'
import { signRequest, type KalshiCredentials } from '../venues/kalshi/auth.js'
import { KalshiGateway } from '../venues/kalshi/gateway.js'
import { Prng } from '../sim/prng.js'
import type { PreparedOrder } from '../venues/ports.js'
import { BarePost } from './bare-post.js'
import { BenchProcess } from './bench-process.js'
import type { HopOptions } from './hop.js'
import type { FromKalshiVenue, ToKalshiVenue } from './kalshi-messages.js'
import { KALSHI_KEYS, OrderSamples, type KalshiKey } from './kalshi-order-report.js'
import { BENCH_GAMES } from './pipeline-markets.js'

const WARM_UP_MS = 300
/** Buys YES at a cent: it meets nobody, so that every call does the same. */
const LIMIT_E4 = 100

type Options = Pick<HopOptions, 'rounds' | 'forMs' | 'signal' | 'say'>

/** One way of sending an order; adds what it measured. */
type Way = (samples: OrderSamples) => Promise<void>

/** Throws `BENCH_FAILED` when the venue does not stand, or answers anything but what such an order comes to. */
export async function benchKalshiOrders({ rounds, forMs, signal, say }: Options): Promise<OrderSamples> {
  const lifecycle = new Lifecycle()
  try {
    const pairs = KALSHI_KEYS.map(generateKey)
    const accounts = pairs.map((pair) => ({
      ...pair,
      bare: randomUUID(),
      signed: randomUUID(),
      ours: randomUUID(),
    }))
    const keys = accounts.flatMap(({ publicKey, bare, signed, ours }) =>
      [bare, signed, ours].map((keyId) => ({ keyId, publicKey })),
    )
    const process = new BenchProcess<ToKalshiVenue, FromKalshiVenue>('kalshi-venue.js', 'simulated Kalshi')
    lifecycle.defer('venue', () => process.close())
    process.tell({ type: 'start', keys })
    const venue = await process.answer('listening')
    const ways: Way[] = []
    for (const { key, privateKey, bare, signed, ours } of accounts) {
      const gateway = new KalshiGateway({
        baseUrl: venue.baseUrl,
        credentials: { keyId: ours, privateKey },
        clock: systemClock,
        keepWarmMs: 0,
      })
      lifecycle.defer('gateway', () => gateway.close())
      await gateway.warm()
      const post = new BarePost(`${venue.baseUrl}${CREATE_PATH}`)
      lifecycle.defer('bare connection', () => post.close())
      const orders = new BenchOrders(gateway, venue)
      ways.push(
        bareWay(key, orders, post, { keyId: bare, privateKey }),
        signedWay(key, orders, post, { keyId: signed, privateKey }),
        orderWay(key, orders),
      )
    }
    await inTurns(ways, new OrderSamples(), WARM_UP_MS, signal)
    const samples = new OrderSamples()
    for (let round = 0; round < rounds && !signal.aborted; round++) {
      const turns = await inTurns(ways, samples, forMs, signal)
      say(`round ${round + 1}/${rounds}: ${turns} orders each way`)
    }
    return samples
  } finally {
    await lifecycle.close()
  }
}

/** Each way once in an order drawn anew, so that none always follows the same other, until the time is over. */
async function inTurns(
  ways: readonly Way[],
  samples: OrderSamples,
  forMs: number,
  signal: AbortSignal,
): Promise<number> {
  const prng = new Prng(1, 'turns')
  const endMs = performance.now() + forMs
  let turns = 0
  for (; performance.now() < endMs && !signal.aborted; turns++) {
    for (const way of prng.shuffle(ways)) await way(samples)
  }
  return turns
}

/** The venue does all that it does for an order; nothing is signed while the clock runs. */
const bareWay =
  (key: KalshiKey, orders: BenchOrders, post: BarePost, credentials: KalshiCredentials): Way =>
  async (samples) => {
    const { body } = orders.prepare(orders.request())
    const headers = signedHeaders(credentials)
    const startMs = performance.now()
    await post.send(body, headers)
    samples.add(key, 'bare POST', performance.now() - startMs)
  }

const signedWay =
  (key: KalshiKey, orders: BenchOrders, post: BarePost, credentials: KalshiCredentials): Way =>
  async (samples) => {
    const { body } = orders.prepare(orders.request())
    const startMs = performance.now()
    const headers = signedHeaders(credentials)
    samples.add(key, 'signature alone', performance.now() - startMs)
    await post.send(body, headers)
    samples.add(key, 'bare POST, signed', performance.now() - startMs)
  }

/** The gateway's own call, from the body that the ledger has on disk to the outcome. */
const orderWay =
  (key: KalshiKey, orders: BenchOrders): Way =>
  async (samples) => {
    const request = orders.request()
    const preparingMs = performance.now()
    const prepared = orders.prepare(request)
    let bytesMs = NaN
    const startMs = performance.now()
    samples.add(key, 'order, its text', startMs - preparingMs)
    const outcome = await orders.gateway.send(
      prepared,
      () => (bytesMs = performance.now()),
      () => true,
    )
    samples.add(key, 'order', performance.now() - startMs)
    samples.add(key, 'order, to its bytes', bytesMs - startMs)
    if (outcome.kind !== 'none')
      throw new ArbeesError('BENCH_FAILED', `an order came to ${JSON.stringify(outcome)}`)
  }

/** Orders that differ in their id alone. */
class BenchOrders {
  private readonly market: GameMarket

  constructor(
    readonly gateway: KalshiGateway,
    { marketId, exchangeIndex }: FromKalshiVenue,
  ) {
    const [game] = BENCH_GAMES
    if (game === undefined) throw new ArbeesError('BENCH_FAILED', 'no game to trade on')
    this.market = { ...game.kalshi, kind: 'moneyline', marketId, exchangeIndex }
  }

  request(): OrderRequest {
    const { marketId, minSizeE2: sizeE2 } = this.market
    return {
      orderId: randomUUID(),
      signalId: 'bench',
      leg: 0,
      attempt: 0,
      venue: 'kalshi',
      marketId,
      outcome: 'yes',
      side: 'buy',
      limitE4: LIMIT_E4,
      sizeE2,
      signalMs: systemClock.nowMs(),
    }
  }

  prepare(request: OrderRequest): PreparedOrder {
    return this.gateway.prepare(request, this.market)
  }
}

const SIGNED_PATH = `/trade-api/v2${CREATE_PATH}`

const signedHeaders = (credentials: KalshiCredentials): Record<string, string> => ({
  accept: 'application/json',
  'content-type': 'application/json',
  ...signRequest(credentials, { timestampMs: systemClock.nowMs(), method: 'POST', path: SIGNED_PATH }),
})

function generateKey(key: KalshiKey): { key: KalshiKey; privateKey: KeyObject; publicKey: string } {
  const { privateKey, publicKey } =
    key === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { key, privateKey, publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString() }
}
