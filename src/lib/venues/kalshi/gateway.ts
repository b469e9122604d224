/**
 * Kalshi order entry, V2: immediate-or-cancel orders on the YES book. A request is sent once and never again; what
 * cannot be explained is `unknown`, and `query` finds out by our own order id, which the venue keeps for ever.
 */

import type { Clock } from '../../core/clock.js'
import { messageOf } from '../../core/errors.js'
import { keyWarning, type KalshiCredentials } from './auth.js'
import type { GameMarket } from '../../model/game.js'
import type { OrderRequest } from '../../model/order.js'
import type { FillReport, OrderGateway, OrderOutcome, PreparedOrder, Withheld } from '../ports.js'
import { orderBody } from './order-body.js'
import { outcomeOfCreate, outcomeOfListed } from './order-outcome.js'
import { sumFills } from './order-fills.js'
import { readPages } from './pages.js'
import { restError } from './rest-result.js'
import { KalshiRest } from './rest.js'
import { isJsonObject } from './wire.js'

export interface KalshiGatewayOptions {
  readonly baseUrl: string
  readonly credentials: KalshiCredentials
  readonly clock: Clock
  /** Names the account in order ids; the key id when not given (then a new key is a new account). */
  readonly account?: string
  readonly orderTimeoutMs?: number
  readonly readTimeoutMs?: number
  /** How often idle order connections are used, so that the venue does not close them; 0 for never. */
  readonly keepWarmMs?: number
  readonly onNotice?: (level: 'info' | 'warn', text: string) => void
}

const CREATE_PATH = '/portfolio/events/orders'
const WARM_CONNECTIONS = 2
/** What keeps connections warm may hang at a slow venue: four are left for orders then. */
const MAX_CONNECTIONS = 4 + WARM_CONNECTIONS

export class KalshiGateway implements OrderGateway {
  readonly venue = 'kalshi'
  readonly account: string
  /** Orders have connections of their own: no read may stand in their way. */
  private readonly orders: KalshiRest
  private readonly reads: KalshiRest
  private warmer: NodeJS.Timeout | undefined
  private isClosed = false

  /** Throws `BAD_URL` (exit CONFIG). */
  constructor(private readonly options: KalshiGatewayOptions) {
    const { baseUrl, credentials, clock, orderTimeoutMs = 3000, readTimeoutMs = 5000 } = options
    this.account = options.account ?? credentials.keyId
    const shared = { baseUrl, credentials, clock }
    this.orders = new KalshiRest({ ...shared, timeoutMs: orderTimeoutMs, connections: MAX_CONNECTIONS })
    this.reads = new KalshiRest({ ...shared, timeoutMs: readTimeoutMs, connections: 2 })
  }

  /** Opens the order connections with a signed read. Throws when the venue is unreachable or refuses the credentials. */
  async warm(): Promise<void> {
    const warning = keyWarning(this.options.credentials)
    if (warning !== undefined) this.options.onNotice?.('warn', warning)
    await this.touch()
    const everyMs = this.options.keepWarmMs ?? 10_000
    if (this.isClosed || everyMs === 0 || this.warmer !== undefined) return
    let isTouching = false
    this.warmer = setInterval(() => {
      // One that hangs takes no further connection.
      if (isTouching) return
      isTouching = true
      this.touch()
        .catch((error: unknown) => this.options.onNotice?.('warn', `Kalshi keep-warm: ${messageOf(error)}`))
        .finally(() => (isTouching = false))
    }, everyMs)
    this.warmer.unref()
  }

  prepare(request: OrderRequest, market: GameMarket): PreparedOrder {
    return { request, market, body: orderBody(request, market), sizeE2: request.sizeE2 }
  }

  async send(
    prepared: PreparedOrder,
    onBytes: () => void,
    mayGo: () => boolean,
  ): Promise<OrderOutcome | Withheld> {
    const result = await this.orders.post(CREATE_PATH, prepared.body, { onBytes, mayGo })
    return outcomeOfCreate(result, prepared)
  }

  async query(prepared: PreparedOrder): Promise<OrderOutcome> {
    const { orderId, marketId } = prepared.request
    const pages = readPages(this.reads, '/portfolio/orders', { ticker: marketId, limit: '200' }, 'orders')
    for await (const page of pages) {
      if (page.kind === 'failed') return { kind: 'unknown', reason: page.reason }
      const found = page.items.find((item) => isJsonObject(item) && item['client_order_id'] === orderId)
      if (isJsonObject(found)) return outcomeOfListed(found, prepared)
    }
    return { kind: 'unknown', reason: 'the venue lists no order of this id (its list can lag by seconds)' }
  }

  async report(
    prepared: PreparedOrder,
    filled: { readonly venueOrderId: string; readonly filledE6: number },
  ): Promise<FillReport> {
    const query = { order_id: filled.venueOrderId, limit: '200' }
    const items: unknown[] = []
    for await (const page of readPages(this.reads, '/portfolio/fills', query, 'fills')) {
      if (page.kind === 'failed') throw restError('GET /portfolio/fills', page.result)
      items.push(...page.items)
    }
    return sumFills(items, prepared.request, filled)
  }

  async close(): Promise<void> {
    this.isClosed = true
    clearInterval(this.warmer)
    await Promise.all([this.orders.close(), this.reads.close()])
  }

  private async touch(): Promise<void> {
    const calls = Array.from({ length: WARM_CONNECTIONS }, () => this.orders.get('/portfolio/balance'))
    for (const result of await Promise.all(calls)) {
      const isRefusal = result.kind === 'refused' && (result.status === 401 || result.status === 403)
      // Any other answer has opened the connection, which is what this call is for.
      if (result.kind === 'failed' || isRefusal) throw restError('GET /portfolio/balance', result)
    }
  }
}
