/**
 * The later legs of a plan, one after the other, each at its own price cap: as much as every leg before it is known to
 * have filled, so that of three legs the last never adds to what the second could not hedge. A leg is sent again when it
 * fell short, at most three times for what is known, and an attempt begins only when the one before is final in the
 * ledger. When the opening leg turns out to have filled more, the legs follow again.
 */

import { sleep } from '../core/backoff.js'
import type { GameMarket } from '../model/game.js'
import type { OrderRequest } from '../model/order.js'
import { MAX_ATTEMPTS } from '../risk/limits.js'
import type { Execution } from './execution.js'
import { orderRequestOf } from './order-request.js'
import type { OrderResult, OrderRunner } from './order-runner.js'
import type { Plan } from './plan.js'
import { tryAppend } from './record.js'
import { orderableE2 } from './sizes.js'
import type { LegFill } from './sizes.js'

interface LaterLeg {
  readonly leg: number
  readonly market: GameMarket
  filledE6: number
  /** Numbers the attempts at this leg over the whole plan. */
  attempts: number
  /** An order of it stays unknown, or could not be sent: it is left alone. */
  ended: 'no' | 'unknown' | 'not_sent'
}

export class Hedge {
  private readonly legs: LaterLeg[]
  private work: Promise<void> = Promise.resolve()
  private target = 0

  constructor(
    private readonly execution: Execution,
    private readonly orders: OrderRunner,
    private readonly plan: Plan,
  ) {
    this.legs = plan.markets
      .slice(1)
      .map((market, index) => ({ leg: index + 1, market, filledE6: 0, attempts: 0, ended: 'no' }))
  }

  /** What the opening leg has filled, contracts x 10^6. */
  get targetE6(): number {
    return this.target
  }

  /** The opening leg has filled so much; less than before is ignored. The first order leaves within this call. */
  raise(filledE6: number): void {
    if (filledE6 <= this.target) return
    const idle = this.target === 0
    this.target = filledE6
    this.work = idle ? this.follow() : this.work.then(() => this.follow())
    // Whoever awaits `end` hears of a failure; until then it waits.
    this.work.catch(() => undefined)
  }

  /** Waits until every leg has followed; what each came to. */
  async end(): Promise<LegFill[]> {
    await this.work
    return this.legs.map(({ filledE6, ended }) => ({ filledE6, unknown: ended === 'unknown' }))
  }

  private async follow(): Promise<void> {
    for (const leg of this.legs) await this.followLeg(leg)
  }

  /** What every leg before this one has filled. */
  private filledBefore({ leg }: LaterLeg): number {
    return Math.min(this.target, ...this.legs.slice(0, leg - 1).map(({ filledE6 }) => filledE6))
  }

  private async followLeg(leg: LaterLeg): Promise<void> {
    const { execution, plan } = this
    for (let tries = 0; tries < MAX_ATTEMPTS && leg.ended === 'no'; tries++) {
      const sizeE2 = orderableE2(this.filledBefore(leg) - leg.filledE6, leg.market)
      if (sizeE2 === 0) return
      const pauseMs = execution.timing.retryAfterMs[tries - 1] ?? 0
      if (tries > 0 && (await sleep(pauseMs, execution.cut)) === 'aborted') return
      const request = orderRequestOf(execution, plan, { leg: leg.leg, attempt: leg.attempts++, sizeE2 })
      const result = await sendWithinLimits(execution, this.orders, plan, request)
      if (result.kind === 'final') leg.filledE6 += result.filledE6
      else leg.ended = result.kind
    }
  }
}

/** Asks risk for the order, cut to what the limits still allow if it must be, and sends it. */
export async function sendWithinLimits(
  { risk, listener, ledger }: Execution,
  orders: OrderRunner,
  plan: Plan,
  request: OrderRequest | undefined,
  onFilled?: (filledE6: number) => void,
): Promise<OrderResult> {
  const market = request === undefined ? undefined : plan.markets[request.leg]
  if (request === undefined || market === undefined) return { kind: 'not_sent' }
  const { orderId, signalId, leg } = request
  let decision = risk.approveOrder(request, market)
  if (decision.kind === 'denied' && decision.affordableE2 >= Math.max(1, market.minSizeE2)) {
    listener.onAlarm(`leg ${leg} of plan ${signalId} is cut to what the limits allow: ${decision.code}`)
    decision = risk.approveOrder({ ...request, sizeE2: decision.affordableE2 }, market)
  }
  if (decision.kind === 'approved') return await orders.run(decision.order, market, plan, onFilled)
  const { code, checks } = decision
  const { trace, stamps } = plan
  tryAppend({ ledger, listener }, 'denied', { signalId, orderId }, { code, checks })
  listener.onCount('denied', code)
  listener.onOrder({ request, state: 'denied', reason: code, checks, trace, stamps })
  return { kind: 'not_sent' }
}
