/**
 * What happens to orders once they are taken: fills as taker and as maker, resting, and every way to go. Tells the owner
 * of each step.
 */

import { randomUUID } from 'node:crypto'
import type { Exchange } from '../exchange.js'
import { sumE6, type Fill, type Plan, type TakerOrder } from '../matching.js'
import type { Trade } from '../matching-book.js'
import type { StatsCounter } from '../stats.js'
import type { KalshiAccount } from './account.js'
import { makerFeeMicros, takerFeeMicros } from './fees.js'
import { remainingE2, type KalshiFill, type KalshiOrder } from './order.js'
import { isOver, noteMatch, type OrderGroup } from './order-groups.js'

/** Wall ms after which reads show a fill. */
const FILL_READ_LAG_MS = 200

export type GroupEvent = 'created' | 'triggered' | 'reset' | 'deleted' | 'limit_updated'

export interface DeskListener {
  /** An order's new state, with what was just filled. */
  onOrder(account: KalshiAccount, order: KalshiOrder, fills: readonly KalshiFill[]): void
  onGroup(account: KalshiAccount, event: GroupEvent, group: OrderGroup): void
}

export class OrderDesk {
  constructor(
    private readonly exchange: Exchange,
    private readonly accounts: ReadonlyMap<string, KalshiAccount>,
    private readonly stats: StatsCounter,
    private readonly listener: DeskListener,
  ) {}

  /**
   * Executes what was planned on the book in this same turn, and leaves the rest in the book or cancels it. Returns the
   * fills.
   */
  execute(account: KalshiAccount, order: KalshiOrder, taker: TakerOrder, plan: Plan, rests: boolean) {
    account.addOrder(order)
    for (const own of plan.canceled) {
      const canceled = account.order(own.orderId)
      if (canceled !== undefined) this.cancel(account, canceled)
    }
    let paidMicros = 0
    const fills = plan.fills.map((fill) => {
      const booked = this.newFill(order, fill, true)
      paidMicros += account.book(booked)
      return booked
    })
    if (fills.length > 0) {
      this.stats.countFill(sumE6(plan.fills), paidMicros, order.taker.feesMicros)
      this.exchange.trade(order.market, taker, plan.fills)
    }
    if (remainingE2(order) > 0) {
      if (rests && !plan.stopped) this.exchange.rest(order.market, order, remainingE2(order))
      else account.reduce(order, remainingE2(order), this.now())
    }
    this.listener.onOrder(account, order, fills)
    this.watchGroup(account, order, fills)
    return fills
  }

  /** Books a trade's fills of orders that rested. */
  onTrade({ fills }: Trade): void {
    for (const fill of fills) {
      const account = this.accounts.get(fill.maker?.owner ?? '')
      const order = account?.order(fill.maker?.orderId ?? '')
      if (account === undefined || order === undefined) continue
      const booked = this.newFill(order, fill, false)
      account.book(booked)
      this.listener.onOrder(account, order, [booked])
      this.watchGroup(account, order, [booked])
    }
  }

  /** Cancels what rests of an order; returns how much that was. */
  cancel(account: KalshiAccount, order: KalshiOrder): number {
    const sizeE2 = this.exchange.cancel(order.market, order)
    if (sizeE2 === 0) return 0
    account.reduce(order, sizeE2, this.now())
    this.listener.onOrder(account, order, [])
    return sizeE2
  }

  /** Cancels every resting order, of every account, that the rule names. */
  cancelWhere(rule: (order: KalshiOrder, account: KalshiAccount) => boolean): void {
    for (const account of this.accounts.values()) {
      for (const order of account.resting) if (rule(order, account)) this.cancel(account, order)
    }
  }

  /** Cancels a group's orders and takes no more of them. */
  trigger(account: KalshiAccount, group: OrderGroup): void {
    group.triggered = true
    this.cancelGroup(account, group)
    this.tellGroup(account, 'triggered', group)
  }

  tellGroup(account: KalshiAccount, event: GroupEvent, group: OrderGroup): void {
    this.listener.onGroup(account, event, group)
  }

  cancelGroup(account: KalshiAccount, group: OrderGroup): void {
    this.cancelWhere((order, owner) => owner === account && order.groupId === group.id)
  }

  /** Triggers a group that is over its limit. */
  checkGroup(account: KalshiAccount, group: OrderGroup): void {
    if (isOver(group, this.now())) this.trigger(account, group)
  }

  private watchGroup(account: KalshiAccount, order: KalshiOrder, fills: readonly KalshiFill[]): void {
    const group = order.groupId === undefined ? undefined : account.groups.get(order.groupId)
    if (group === undefined || fills.length === 0) return
    const countE2 = fills.reduce((sum, fill) => sum + fill.countE2, 0)
    if (noteMatch(group, countE2, this.now())) this.trigger(account, group)
  }

  private newFill(order: KalshiOrder, { yesPriceE4, sizeE6 }: Fill, isTaker: boolean): KalshiFill {
    const countE2 = sizeE6 / 10_000
    const fee = isTaker ? takerFeeMicros : makerFeeMicros
    const createdMs = this.now()
    return {
      tradeId: randomUUID(),
      order,
      isTaker,
      yesPriceE4,
      countE2,
      feeMicros: fee(order.market, yesPriceE4, countE2),
      createdMs,
      readableAtMs: createdMs + FILL_READ_LAG_MS,
    }
  }

  private now(): number {
    return this.exchange.clock.nowMs()
  }
}
