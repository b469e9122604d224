/**
 * Orders that nobody could tell about while their plan waited: each is asked after slowly until it has an outcome, in
 * this life or the next, and then its plan ends once more, with what is known.
 */

import { messageOf } from '../core/errors.js'
import type { PreparedOrder } from '../venues/ports.js'
import { isFinalOutcome, queryOnce } from './execution.js'
import type { Execution, FinalOutcome } from './execution.js'
import { isInFlight } from './ledger-history.js'
import { endPlan } from './plan-end.js'

interface Unknown {
  readonly prepared: PreparedOrder
  readonly conclude: (outcome: FinalOutcome) => void
}

export class UnknownOrders {
  private readonly open = new Map<string, Unknown>()
  private timer: NodeJS.Timeout | undefined
  private asking: Promise<void> | undefined
  private hasLeft = false

  constructor(private readonly execution: Execution) {}

  /** Does nothing once exec stops: the ledger has what is open. */
  follow(unknown: Unknown): void {
    const { cut, timing } = this.execution
    if (this.hasLeft || cut.aborted) return
    this.open.set(unknown.prepared.request.orderId, unknown)
    this.timer ??= setInterval(() => this.onTimer(), timing.unknownEveryMs).unref()
  }

  /** Stops asking; returns when no question is open any more. */
  async leave(): Promise<void> {
    this.hasLeft = true
    clearInterval(this.timer)
    await this.asking
  }

  private onTimer(): void {
    this.asking ??= this.askAll().finally(() => (this.asking = undefined))
  }

  private async askAll(): Promise<void> {
    for (const [orderId, unknown] of this.open) {
      if (this.hasLeft) return
      const outcome = await queryOnce(this.execution, unknown.prepared)
      if (!isFinalOutcome(outcome)) continue
      this.open.delete(orderId)
      try {
        this.end(unknown, outcome)
      } catch (error) {
        this.execution.listener.onAlarm(`order ${orderId} is known at last: ${messageOf(error)}`)
      }
    }
  }

  private end({ prepared, conclude }: Unknown, outcome: FinalOutcome): void {
    const { ledger, listener } = this.execution
    const { orderId, signalId, venue } = prepared.request
    conclude(outcome)
    listener.onAlarm(`order ${orderId} at ${venue}, which was unknown, is known at last: ${outcome.kind}`)
    const plan = ledger.history().plans.find(({ signal }) => signal.id === signalId)
    if (plan?.done !== true || plan.orders.some(isInFlight)) return
    const { signal, orders } = plan
    const fills = signal.legs.map((_, leg) => ({
      filledE6: orders
        .filter((order) => order.prepared.request.leg === leg)
        .reduce((sum, { filledE6 }) => sum + filledE6, 0),
      unknown: false,
    }))
    endPlan(this.execution, {
      signal,
      gameId: signal.gameId,
      marketIds: signal.legs.map(({ marketId }) => marketId),
      markets: orders.map((order) => order.prepared.market),
      fills,
    })
  }
}
