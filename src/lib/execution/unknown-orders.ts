/**
 * Orders that nobody could tell about while their plan waited: each is asked after slowly until it has an outcome, in
 * this life or the next, and then its plan ends once more, with what is known.
 */

import type { PreparedOrder } from '../venues/ports.js'
import { isFinalOutcome, queryOnce } from './execution.js'
import type { Execution, FinalOutcome } from './execution.js'
import { isInFlight } from './ledger-history.js'
import type { LaterQuestions } from './later-questions.js'
import { endPlan } from './plan-end.js'

interface Unknown {
  readonly prepared: PreparedOrder
  readonly conclude: (outcome: FinalOutcome) => void
}

export class UnknownOrders {
  constructor(
    private readonly execution: Execution,
    private readonly later: LaterQuestions,
  ) {}

  follow(unknown: Unknown): void {
    this.later.follow(`order ${unknown.prepared.request.orderId}`, async () => {
      const outcome = await queryOnce(this.execution, unknown.prepared)
      if (!isFinalOutcome(outcome)) return false
      this.end(unknown, outcome)
      return true
    })
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
