/**
 * What this process knows of the orders it sent, to tell "not visible yet" from "nothing more will come".
 *
 * The venue forgets an order that is no longer active, and shows a trade a moment after its match. An order whose POST
 * had no answer may still be on its way: only a long grace says that it never arrived. One that was acknowledged as
 * `delayed` has arrived; it is matched once, when its delay ends, and a FAK rests nowhere. So from the end of its delay,
 * or from when it was last seen active, it is over after a short window for trades to become visible, when the visible
 * sum has not changed over several answers. One that the venue said has matched is never over without its trades.
 */

import type { Clock } from '../../core/clock.js'
import { evictOldest } from '../../core/evict-oldest.js'
import type { PreparedOrder } from '../ports.js'

export interface SentOrdersOptions {
  readonly clock: Clock
  /** An order that the venue still does not know this long after it was sent, its delay added, never arrived. */
  readonly arrivalGraceMs?: number
  /** A trade of an order that has arrived is visible within so long after the match. */
  readonly tradeWindowMs?: number
}

interface SentOrder {
  /** This process wrote its bytes. */
  readonly isOurs: boolean
  /** How long ago it was sent, at `knownUs` of our monotonic clock. */
  readonly ageMs: number
  readonly knownUs: number
  /** Our monotonic clock when its delay ends, or when it was last seen active; undefined until acknowledged. */
  matchUs?: number
  /** What the last answers since then agreed on, and how many they are. */
  visibleE6: bigint
  agreed: number
  /** Trades that the venue named; undefined until it said that the order matched. */
  matched?: Set<string>
}

const ARRIVAL_GRACE_MS = 10_000
/** With the delay of 1 s: longer than the 3 s that the venue held orders for until mid-2026. */
const TRADE_WINDOW_MS = 3_500
/** One answer may come from a replica that lags. */
const AGREEING_ANSWERS = 3
/** Orders that are remembered: far more than can be open. */
const MAX_ORDERS = 5_000

export class SentOrders {
  private readonly orders = new Map<string, SentOrder>()

  constructor(private readonly options: SentOrdersOptions) {}

  /** False when it was sent before. */
  add({ request }: PreparedOrder): boolean {
    if (this.orders.get(request.orderId)?.isOurs === true) return false
    this.remember(request.orderId, { isOurs: true, ageMs: 0 })
    return true
  }

  /** The venue has said that it has the order and holds it back. */
  acknowledge(prepared: PreparedOrder): void {
    const order = this.orderOf(prepared)
    order.matchUs ??= this.options.clock.monoUs() + prepared.market.takerDelayMs * 1000
  }

  /** The venue has said that it matched, in these trades as far as it names them. */
  match(prepared: PreparedOrder, tradeIds: readonly string[]): void {
    const order = this.orderOf(prepared)
    order.matched = new Set([...(order.matched ?? []), ...tradeIds])
  }

  /** The trades that the venue named, here or to an earlier process; undefined when it has not said that it matched. */
  matchedTrades(prepared: PreparedOrder): readonly string[] | undefined {
    if (prepared.matchedTradeIds !== undefined) this.match(prepared, prepared.matchedTradeIds)
    const matched = this.orders.get(prepared.request.orderId)?.matched
    return matched === undefined ? undefined : [...matched]
  }

  /** The venue still works on it. */
  seeActive({ request }: PreparedOrder): void {
    const order = this.orders.get(request.orderId)
    if (order?.matchUs === undefined) return
    order.matchUs = Math.max(order.matchUs, this.options.clock.monoUs())
    order.agreed = 0
  }

  /** Our wall clock dates an order of an earlier process, once; from then on only the monotonic one counts. */
  isOverdue(prepared: PreparedOrder): boolean {
    const { ageMs, knownUs } = this.orderOf(prepared)
    const graceMs = (this.options.arrivalGraceMs ?? ARRIVAL_GRACE_MS) + prepared.market.takerDelayMs
    return ageMs + (this.options.clock.monoUs() - knownUs) / 1000 > graceMs
  }

  /** Takes what one answer shows of an order without an active record; true when no more will come. */
  isComplete(prepared: PreparedOrder, visibleE6: bigint): boolean {
    // Acknowledged in an earlier process: its delay is counted anew, from the first answer in this one.
    if (prepared.acknowledged === true) this.acknowledge(prepared)
    const order = this.orders.get(prepared.request.orderId)
    const sinceUs = this.options.clock.monoUs() - (order?.matchUs ?? Infinity)
    if (order === undefined || sinceUs < 0) return false
    order.agreed = order.visibleE6 === visibleE6 ? order.agreed + 1 : 1
    order.visibleE6 = visibleE6
    const windowUs = (this.options.tradeWindowMs ?? TRADE_WINDOW_MS) * 1000
    return order.agreed >= AGREEING_ANSWERS && sinceUs >= windowUs
  }

  /** One that this process did not send is known from now on. */
  private orderOf(prepared: PreparedOrder): SentOrder {
    const { orderId } = prepared.request
    const ageMs = Math.max(0, this.options.clock.nowMs() - sentBefore(prepared))
    return this.orders.get(orderId) ?? this.remember(orderId, { isOurs: false, ageMs })
  }

  private remember(orderId: string, known: Pick<SentOrder, 'isOurs' | 'ageMs'>): SentOrder {
    const order: SentOrder = { ...known, knownUs: this.options.clock.monoUs(), visibleE6: 0n, agreed: 0 }
    this.orders.set(orderId, order)
    evictOldest(this.orders, MAX_ORDERS)
    return order
  }
}

/** When an earlier process sent it: its signal may be much older, as that of a late leg. */
const sentBefore = ({ sentMs, request }: PreparedOrder): number => sentMs ?? request.signalMs
