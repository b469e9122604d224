/**
 * A venue on paper: real books, no orders. An order fills against the depth that is displayed when it would have been
 * matched, after a measured latency and the venue's own delay, and takes that depth from the orders after it. It never
 * buys more shares than asked, also where the real venue spends dollars.
 */

import { sleep } from '../core/backoff.js'
import { ArbeesError } from '../core/errors.js'
import { evictOldest } from '../core/evict-oldest.js'
import type { GameMarket } from '../model/game.js'
import type { OrderRequest } from '../model/order.js'
import { isLimitOnGrid } from '../model/price-grid.js'
import { priceToWire, sizeToWire } from '../model/price.js'
import type { Venue } from '../model/venue.js'
import type { FillReport, OrderGateway, OrderOutcome, PreparedOrder, Withheld } from '../venues/ports.js'
import { PaperDepth, moneyOf } from './paper-depth.js'
import type { DisplayedBook } from './paper-depth.js'

export interface PaperVenueOptions {
  readonly venue: Venue
  /** The book of a market as last heard; undefined when none was. */
  readonly bookOf: (marketId: string) => DisplayedBook | undefined
  /** From the bytes to the matching engine and back, ms. */
  readonly latencyMs: number
}

/** Orders and depths that are remembered: far more than can be open. */
const MAX_REMEMBERED = 5_000

interface PaperOrder {
  outcome: OrderOutcome
  money: FillReport | undefined
}

export class PaperVenue implements OrderGateway {
  readonly venue: Venue
  readonly account = 'paper'
  private readonly depths = new Map<string, PaperDepth>()
  private readonly orders = new Map<string, PaperOrder>()
  private readonly closing = new AbortController()

  constructor(private readonly options: PaperVenueOptions) {
    this.venue = options.venue
  }

  warm(): Promise<void> {
    return Promise.resolve()
  }

  /** Throws `BAD_ORDER` for what the venue would refuse: off the tick, off the step, below the minimum, another market. */
  prepare(request: OrderRequest, market: GameMarket): PreparedOrder {
    const wrong = wrongWith(request, market)
    if (wrong !== undefined) {
      throw new ArbeesError('BAD_ORDER', `paper order ${request.orderId} at ${this.venue}: ${wrong}`)
    }
    const { orderId, marketId, outcome, side, limitE4, sizeE2 } = request
    const body = JSON.stringify({ paper: true, orderId, marketId, outcome, side, limitE4, sizeE2 })
    return { request, market, body, venueOrderId: venueIdOf(request), sizeE2 }
  }

  async send(
    prepared: PreparedOrder,
    onBytes: () => void,
    mayGo: () => boolean,
  ): Promise<OrderOutcome | Withheld> {
    const { request, market } = prepared
    const venueOrderId = venueIdOf(request)
    if (this.orders.has(request.orderId)) {
      return { kind: 'rejected', code: 'order_already_exists', message: 'sent before' }
    }
    if (!mayGo()) return { kind: 'withheld' }
    const delayed = market.takerDelayMs > 0
    const order: PaperOrder = { outcome: { kind: 'delayed', venueOrderId }, money: undefined }
    this.orders.set(request.orderId, order)
    evictOldest(this.orders, MAX_REMEMBERED)
    onBytes()
    const { latencyMs } = this.options
    if (delayed) void this.matchLater(prepared, order, latencyMs / 2 + market.takerDelayMs)
    else await this.matchLater(prepared, order, latencyMs / 2)
    await sleep(delayed ? latencyMs : latencyMs / 2, this.closing.signal)
    return order.outcome
  }

  /** An order of an earlier process filled nothing: paper has no memory beyond it. */
  query({ request }: PreparedOrder): Promise<OrderOutcome> {
    const outcome: OrderOutcome = this.orders.get(request.orderId)?.outcome ?? { kind: 'none' }
    return Promise.resolve(outcome)
  }

  /** Throws `FILLS_NOT_VISIBLE` for an order of an earlier process. */
  report({ request }: PreparedOrder): Promise<FillReport> {
    const money = this.orders.get(request.orderId)?.money
    return money === undefined
      ? Promise.reject(new ArbeesError('FILLS_NOT_VISIBLE', `no paper fill of order ${request.orderId}`))
      : Promise.resolve(money)
  }

  /** The market's book is shown like this now: what our orders took of levels that went is there no more. */
  see(marketId: string, book: DisplayedBook): void {
    this.depths.get(marketId)?.see(book)
  }

  close(): Promise<void> {
    this.closing.abort()
    return Promise.resolve()
  }

  private async matchLater(prepared: PreparedOrder, order: PaperOrder, afterMs: number): Promise<void> {
    const { request, market } = prepared
    const venueOrderId = venueIdOf(request)
    if ((await sleep(afterMs, this.closing.signal)) === 'aborted') {
      order.outcome = { kind: 'none', venueOrderId }
      return
    }
    const book = this.options.bookOf(request.marketId)
    const fills =
      book === undefined ? [] : this.depthOf(request.marketId).take(book, request, market.sizeStepE2)
    const filledE2 = fills.reduce((sum, { sizeE2 }) => sum + sizeE2, 0)
    if (filledE2 === 0) {
      order.outcome = { kind: 'none', venueOrderId }
      return
    }
    const venueTradeIds = fills.map((_, index) => `${venueOrderId}-${index + 1}`)
    order.money = { ...moneyOf(fills, market), venueTradeIds }
    const kind = filledE2 === request.sizeE2 ? 'filled' : 'partial'
    order.outcome = { kind, venueOrderId, filledE6: filledE2 * 10_000 }
  }

  private depthOf(marketId: string): PaperDepth {
    let depth = this.depths.get(marketId)
    if (depth === undefined) {
      this.depths.set(marketId, (depth = new PaperDepth()))
      evictOldest(this.depths, MAX_REMEMBERED)
    }
    return depth
  }
}

const venueIdOf = ({ orderId }: OrderRequest): string => `paper-${orderId}`

function wrongWith(request: OrderRequest, market: GameMarket): string | undefined {
  const { limitE4, sizeE2, outcome, venue, marketId } = request
  if (venue !== market.venue || marketId !== market.marketId) return `not for market ${market.marketId}`
  if (!isLimitOnGrid(market, outcome, limitE4))
    return `the limit ${priceToWire(limitE4)} is no price of the market`
  if (sizeE2 <= 0 || sizeE2 % market.sizeStepE2 !== 0)
    return `the size ${sizeToWire(sizeE2)} is no multiple of ${sizeToWire(market.sizeStepE2)}`
  if (sizeE2 < market.minSizeE2)
    return `the size ${sizeToWire(sizeE2)} is below the least, ${sizeToWire(market.minSizeE2)}`
  return undefined
}
