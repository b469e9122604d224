/**
 * A simulated Kalshi account: its orders and fills, its order groups, and the subaccounts that hold its money and
 * positions. Client order ids are the whole account's.
 */

import { uuidOf, type KalshiMarket } from '../market.js'
import type { KalshiFill, KalshiOrder } from './order.js'
import { OrderGroups } from './order-groups.js'
import { Subaccount } from './subaccount.js'

/** The venue's most, beside the primary one. */
const MAX_NUMBERED = 63

export class KalshiAccount {
  readonly userId: string
  /** Newest first. */
  readonly orders: KalshiOrder[] = []
  readonly fills: KalshiFill[] = []
  readonly groups = new OrderGroups()
  readonly primary = new Subaccount(0, true)
  /** By number. An account opens with one beside the primary one, funded as that is. */
  readonly subaccounts: Subaccount[] = [this.primary, new Subaccount(1, true)]
  private readonly clientIds = new Set<string>()
  private readonly byId = new Map<string, KalshiOrder>()

  /** @param name also the owner of its orders in the books. */
  constructor(readonly name: string) {
    this.userId = uuidOf(`sim-kalshi-user:${name}`)
  }

  /** Opens one more without money; undefined when there are as many as may be. */
  openSubaccount(): Subaccount | undefined {
    if (this.subaccounts.length > MAX_NUMBERED) return undefined
    const opened = new Subaccount(this.subaccounts.length, false)
    this.subaccounts.push(opened)
    return opened
  }

  /** Whose money an order is for. Throws when it is of no subaccount of this account. */
  of({ subaccount }: KalshiOrder): Subaccount {
    const found = this.subaccounts[subaccount]
    if (found === undefined) throw new Error(`no subaccount ${subaccount} of ${this.name}`)
    return found
  }

  /** Orders in the books: by subaccount, oldest first. */
  get resting(): readonly KalshiOrder[] {
    return this.subaccounts.flatMap(({ resting }) => resting)
  }

  /** Claims a client order id for good; false when it was used before. */
  claim(clientOrderId: string): boolean {
    if (this.clientIds.has(clientOrderId)) return false
    this.clientIds.add(clientOrderId)
    return true
  }

  isClaimed(clientOrderId: string): boolean {
    return this.clientIds.has(clientOrderId)
  }

  addOrder(order: KalshiOrder): void {
    this.orders.unshift(order)
    this.byId.set(order.orderId, order)
    this.of(order).track(order)
  }

  /** Takes a size off an order that is still open: it is canceled. */
  reduce(order: KalshiOrder, sizeE2: number, nowMs: number): void {
    order.canceledE2 += sizeE2
    order.updatedMs = nowMs
    this.of(order).track(order)
  }

  order(orderId: string): KalshiOrder | undefined {
    return this.byId.get(orderId)
  }

  /** Books a fill. Returns the cash that left the account without the fee (negative when it came in). */
  book(fill: KalshiFill): number {
    const { order, countE2, createdMs } = fill
    order.filledE2 += countE2
    order.updatedMs = createdMs
    this.fills.unshift(fill)
    const paid = this.of(order).book(fill)
    this.of(order).track(order)
    return paid
  }

  /** Pays a settled market out. */
  settle(market: KalshiMarket, nowMs: number): void {
    for (const each of this.subaccounts) each.settle(market, nowMs)
  }
}
