/**
 * A whole plan, leg by leg. The opening leg is sent once; each later leg follows what the first really filled, at its
 * own price cap, as soon as it is known to have filled.
 *
 * An unhedged remainder is quarantined for the operator: it is recorded, it counts as exposure, and its markets take
 * no new entry together until their game is final.
 */

import type { Execution } from './execution.js'
import { Hedge, sendWithinLimits } from './hedge.js'
import { orderRequestOf } from './order-request.js'
import type { OrderRunner } from './order-runner.js'
import { endPlan } from './plan-end.js'
import type { Plan } from './plan.js'

export class PlanRunner {
  private readonly open = new Set<Promise<void>>()

  constructor(
    private readonly execution: Execution,
    private readonly orders: OrderRunner,
  ) {}

  /** Starts a plan that risk has approved: the opening order's bytes are handed over before this returns. */
  start(plan: Plan): void {
    const running = this.run(plan)
      .catch((error: unknown) => {
        this.execution.listener.onAlarm(`plan ${plan.signal.id} broke off: ${String(error)}`)
        this.execution.risk.quarantinePair(plan.marketIds, plan.gameId)
      })
      .finally(() => {
        this.open.delete(running)
        this.execution.risk.finishPlan(plan.signal.id)
      })
    this.open.add(running)
  }

  get openPlans(): number {
    return this.open.size
  }

  /** Waits until every open plan has ended. */
  async idle(): Promise<void> {
    while (this.open.size > 0) await Promise.allSettled(this.open)
  }

  private async run(plan: Plan): Promise<void> {
    const [opening] = plan.signal.legs
    if (opening === undefined) return
    const hedge = new Hedge(this.execution, this.orders, plan)
    const request = orderRequestOf(this.execution, plan, { leg: 0, attempt: 0, sizeE2: opening.sizeE2 })
    const first = await sendWithinLimits(this.execution, this.orders, plan, request, (filledE6) =>
      hedge.raise(filledE6),
    )
    if (first.kind === 'not_sent') return
    if (first.kind === 'final') hedge.raise(first.filledE6)
    const later = await hedge.end()
    const filledE6 = first.kind === 'final' ? first.filledE6 : hedge.targetE6
    endPlan(this.execution, { ...plan, fills: [{ filledE6, unknown: first.kind === 'unknown' }, ...later] })
  }
}
