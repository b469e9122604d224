/**
 * A whole plan, leg by leg. The opening leg is sent once; each later leg follows what the first really filled, at its
 * own price cap, in at most three attempts, each begun only when the one before is final in the ledger.
 *
 * An unhedged remainder is quarantined for the operator: it is recorded, it counts as exposure, and its markets take
 * no new entry together until their game is final.
 */

import { sleep } from '../core/backoff.js'
import { MAX_ATTEMPTS } from '../risk/limits.js'
import type { Execution } from './execution.js'
import { orderRequestOf } from './order-request.js'
import type { OrderRunner, OrderResult } from './order-runner.js'
import { endPlan } from './plan-end.js'
import type { Plan } from './plan.js'
import { tryAppend } from './record.js'
import { orderableE2 } from './sizes.js'
import type { LegFill } from './sizes.js'

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
    const first = await this.attempt(plan, 0, 0, opening.sizeE2)
    if (first.kind === 'not_sent') return
    const fills: LegFill[] = [legFill(first)]
    for (let leg = 1; leg < plan.signal.legs.length; leg++) {
      fills.push(await this.follow(plan, leg, fills[0] ?? { filledE6: 0, unknown: false }))
    }
    endPlan(this.execution, { ...plan, fills })
  }

  /** A later leg: as much as the first one filled, within the cap. Nothing while the first is unknown. */
  private async follow(plan: Plan, leg: number, target: LegFill): Promise<LegFill> {
    const market = plan.markets[leg]
    let filledE6 = 0
    if (market === undefined || target.unknown) return { filledE6, unknown: false }
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const sizeE2 = orderableE2(target.filledE6 - filledE6, market)
      if (sizeE2 === 0) break
      const pauseMs = this.execution.timing.retryAfterMs[attempt - 1] ?? 0
      if (attempt > 0 && (await sleep(pauseMs, this.execution.cut)) === 'aborted') break
      const result = await this.attempt(plan, leg, attempt, sizeE2)
      if (result.kind === 'unknown') return { filledE6, unknown: true }
      if (result.kind === 'not_sent') break
      filledE6 += result.filledE6
    }
    return { filledE6, unknown: false }
  }

  private async attempt(plan: Plan, leg: number, attempt: number, sizeE2: number): Promise<OrderResult> {
    const { risk, listener } = this.execution
    const market = plan.markets[leg]
    const request = orderRequestOf(this.execution, plan, { leg, attempt, sizeE2 })
    if (market === undefined || request === undefined) return { kind: 'not_sent' }
    let decision = risk.approveOrder(request, market)
    if (decision.kind === 'denied' && decision.affordableE2 >= Math.max(1, market.minSizeE2)) {
      listener.onAlarm(
        `leg ${leg} of plan ${plan.signal.id} is cut to what the limits allow: ${decision.code}`,
      )
      decision = risk.approveOrder({ ...request, sizeE2: decision.affordableE2 }, market)
    }
    if (decision.kind === 'denied') {
      const { code, checks } = decision
      tryAppend(
        this.execution,
        'denied',
        { signalId: request.signalId, orderId: request.orderId },
        { code, checks },
      )
      listener.onCount('denied', code)
      listener.onOrder({
        request,
        state: 'denied',
        reason: code,
        checks,
        trace: plan.trace,
        stamps: plan.stamps,
      })
      return { kind: 'not_sent' }
    }
    return await this.orders.run(decision.order, market, plan, leg === 0)
  }
}

const legFill = (result: OrderResult): LegFill =>
  result.kind === 'final'
    ? { filledE6: result.filledE6, unknown: false }
    : { filledE6: 0, unknown: result.kind === 'unknown' }
