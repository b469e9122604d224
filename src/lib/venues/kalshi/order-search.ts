/** Looks for an order of ours in the venue's lists, by the id that we gave it, until it is there or can be no more. */

import type { PreparedOrder } from '../ports.js'
import { AbsentOrders, type AbsenceTiming } from './absent-orders.js'
import { readFill } from './account-frames.js'
import type { OwnOrders } from './own-orders.js'
import { readPages } from './pages.js'
import type { RatedRest } from './rated-rest.js'
import { isJsonObject, textOf, type JsonObject } from './wire.js'

export interface OrderSearchOptions {
  readonly rest: RatedRest
  readonly own: OwnOrders
  readonly subaccount: number
  readonly timing: AbsenceTiming
}

export type Found =
  | { readonly kind: 'listed'; readonly order: JsonObject }
  /** It never arrived, and never will. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'unknown'; readonly reason: string }

const LAGS = 'the venue lists no order of this id (its list can lag by seconds)'
/** Fills are read from so long before the signal: clocks differ. */
const BEFORE_SIGNAL_S = 600

export class OrderSearch {
  private readonly absent: AbsentOrders

  constructor(private readonly options: OrderSearchOptions) {
    this.absent = new AbsentOrders(options.timing)
  }

  /** It is about to be signed. */
  sent(orderId: string): void {
    this.absent.known(orderId, this.nowMs())
  }

  async look({ request }: PreparedOrder): Promise<Found> {
    const { orderId, marketId, signalMs } = request
    const { rest, own, subaccount } = this.options
    const askedMs = this.nowMs()
    this.absent.known(orderId, askedMs)
    const query = {
      ticker: marketId,
      limit: '200',
      ...(subaccount === 0 ? {} : { subaccount: String(subaccount) }),
    }
    /** The venue's ids of all that is listed, which is not ours. */
    const others = new Set<string>()
    for await (const page of readPages(rest, '/portfolio/orders', query, 'orders')) {
      if (page.kind === 'failed') return this.unsure(orderId, page.reason)
      for (const item of page.items) {
        const venueOrderId = isJsonObject(item) ? textOf(item['order_id']) : undefined
        if (isJsonObject(item) && item['client_order_id'] === orderId) {
          if (venueOrderId !== undefined) own.learn(venueOrderId, orderId)
          return { kind: 'listed', order: item }
        }
        if (venueOrderId === undefined) return this.unsure(orderId, 'the list has an order without an id')
        others.add(venueOrderId)
      }
    }
    if (own.isHeardOf(orderId)) return this.unsure(orderId, LAGS)
    if (!this.absent.canTell(orderId, askedMs)) return { kind: 'unknown', reason: LAGS }
    const sinceS = Math.max(0, Math.floor(signalMs / 1000) - BEFORE_SIGNAL_S)
    const doubt = await this.doubtOfFills(marketId, sinceS, others)
    // The channel may have told of it meanwhile.
    if (doubt !== undefined || own.isHeardOf(orderId)) return this.unsure(orderId, doubt ?? LAGS)
    return this.absent.missed(orderId, askedMs) ? { kind: 'absent' } : { kind: 'unknown', reason: LAGS }
  }

  /** Why a fill of this market could be of the order; undefined when each is of another, which is listed. */
  private async doubtOfFills(
    ticker: string,
    sinceS: number,
    others: ReadonlySet<string>,
  ): Promise<string | undefined> {
    // Named for the primary one too: the venue lists the fills of all where none is named.
    const subaccount = String(this.options.subaccount)
    const query = { ticker, min_ts: String(sinceS), limit: '200', subaccount }
    for await (const page of readPages(this.options.rest, '/portfolio/fills', query, 'fills')) {
      if (page.kind === 'failed') return page.reason
      for (const item of page.items) {
        const fill = isJsonObject(item) ? readFill(item, 'ticker') : undefined
        if (fill === undefined) return 'a fill of this market is not in the documented form'
        if (!others.has(fill.venueOrderId)) return 'a fill of this market is of no listed order'
      }
    }
    return undefined
  }

  private unsure(orderId: string, reason: string): Found {
    this.absent.seen(orderId)
    return { kind: 'unknown', reason }
  }

  private nowMs(): number {
    return this.options.rest.rates.nowMs()
  }
}
