/**
 * One order, once: intent on disk, sent, followed to its final outcome. Expiry and halt are looked at again right before
 * its first byte, however long it waited for a connection.
 *
 * Everything up to the bytes is synchronous: no await stands between the signal and the socket but the venue's own.
 */

import { codeOf, messageOf } from '../core/errors.js'
import { sanitize } from '../core/sanitize.js'
import type { GameMarket } from '../model/game.js'
import type { OrderRequest, OrderState } from '../model/order.js'
import { costMicros } from '../model/price.js'
import { worstOrderMicros } from '../risk/limits.js'
import type { DenialCode } from '../risk/limits.js'
import type { RiskApproved } from '../risk/risk-book.js'
import type { FillReport, OrderOutcome, PreparedOrder, Withheld } from '../venues/ports.js'
import type { Execution, FinalOutcome } from './execution.js'
import type { IntentDetail, LeftDetail, TakenCount } from './ledger-history.js'
import { LaterQuestions } from './later-questions.js'
import { reportFill, reportLate } from './money.js'
import type { Fill } from './money.js'
import { finalOutcome } from './outcome.js'
import type { OrderUpdate, Plan, PlanContext } from './plan.js'
import { tryAppend } from './record.js'
import { Settlements } from './settlements.js'
import { UnknownOrders } from './unknown-orders.js'

export type OrderResult =
  | { readonly kind: 'final'; readonly filledE6: number }
  /** Nothing was sent: refused, expired, or the ledger could not take the intent. */
  | { readonly kind: 'not_sent' }
  /** Nobody could tell in time; so much has filled for certain. */
  | { readonly kind: 'unknown'; readonly filledE6: number }

/** How an order that is out is followed to its end. */
export interface Following {
  readonly context: PlanContext
  /** From the bytes to now, ms. */
  readonly latencyMs: () => number
  /** Told what has filled for certain while the outcome is still open. */
  readonly onFilled?: (filledE6: number) => void
  /** What an earlier life has counted of it already. */
  readonly counted?: TakenCount
}

/** The venue may spend up to a cent more than limit x size: it is in the worst cost that risk approved. */
const ROUNDING_MICROS = 10_000

export class OrderRunner {
  private readonly background = new Set<Promise<void>>()
  /** Fills that their venue may still give up. */
  readonly settlements: Settlements
  /** What is asked beyond a plan: after orders that stay unknown, and for money that was not shown. */
  readonly later: LaterQuestions
  private readonly unknowns: UnknownOrders

  constructor(private readonly execution: Execution) {
    this.settlements = new Settlements(execution)
    this.later = new LaterQuestions(execution)
    this.unknowns = new UnknownOrders(execution, this.later)
  }

  /**
   * Sends an approved order. Only the opening order of a plan may expire; each may be halted between intent and send.
   * `onFilled` is told what has filled for certain while the outcome is still open.
   */
  async run(
    order: RiskApproved<OrderRequest>,
    market: GameMarket,
    plan: Plan,
    onFilled: (filledE6: number) => void = ignore,
  ): Promise<OrderResult> {
    const prepared = this.prepare(order, market, plan)
    if (prepared === undefined || !this.recordIntent(prepared, plan)) return { kind: 'not_sent' }
    const sent = this.send(prepared, plan)
    const first = await sent.outcome
    if (first.kind === 'withheld') return { kind: 'not_sent' }
    sent.flush()
    return await this.follow(prepared, first, {
      context: sent.context,
      latencyMs: sent.latencyMs,
      onFilled,
    })
  }

  /** From the first answer to the end of an order, recording, telling and counting each change. */
  async follow(
    prepared: PreparedOrder,
    first: OrderOutcome,
    following: Following,
  ): Promise<Exclude<OrderResult, { kind: 'not_sent' }>> {
    const { context, onFilled } = following
    let certainE6 = 0
    let recorded = prepared.matchedTradeIds?.join()
    const outcome = await finalOutcome(this.execution, prepared, first, {
      onPending: (pending) => {
        const unknown = pending.kind === 'unknown'
        this.record(prepared, pending.kind, detailOf(pending))
        if (pending.kind === 'unknown') recorded = pending.matchedTradeIds?.join() ?? recorded
        if (unknown) this.execution.listener.onCount('unknown')
        this.tell(prepared.request, pending.kind, context, unknown ? { reason: pending.reason } : {})
      },
      onMatched: (matchedTradeIds) => {
        if (matchedTradeIds.join() === recorded) return
        recorded = matchedTradeIds.join()
        this.record(prepared, 'unknown', { reason: 'matched at the venue', matchedTradeIds })
      },
      onFilled: (filledE6) => {
        certainE6 = Math.max(certainE6, filledE6)
        onFilled?.(filledE6)
      },
    })
    if (outcome !== undefined) {
      return { kind: 'final', filledE6: this.conclude(prepared, outcome, following) }
    }
    this.leaveUnknown(prepared, certainE6, following)
    return { kind: 'unknown', filledE6: certainE6 }
  }

  /** Records a final outcome and tells of it; the money of a fill follows by itself. Returns what was filled. */
  private conclude(prepared: PreparedOrder, outcome: FinalOutcome, following: Following): number {
    const { listener, risk } = this.execution
    const { request } = prepared
    const { context, counted } = following
    const latencyMs = following.latencyMs()
    this.record(prepared, outcome.kind, detailOf(outcome))
    if (outcome.kind === 'rejected') listener.onCount('rejected', sanitize(outcome.code, 60))
    else if (counted?.order !== true) listener.onCount('orders')
    const venueOrderId = 'venueOrderId' in outcome ? outcome.venueOrderId : undefined
    this.tell(request, outcome.kind, context, {
      ...(venueOrderId === undefined ? {} : { venueOrderId }),
      ...(outcome.kind === 'rejected' ? { reason: reasonOf(outcome) } : {}),
    })
    if (outcome.kind === 'none' || outcome.kind === 'rejected') {
      risk.settle(request.orderId, 0)
      this.tellUnpaidTrade(request, outcome.kind, 0, context, latencyMs)
      return 0
    }
    const { kind: status, filledE6 } = outcome
    risk.settle(request.orderId, worstOfFill(prepared, filledE6, risk.orderMicros(request.orderId)))
    if (filledE6 > 0 && counted?.fill !== true) listener.onCount('fills')
    this.pay({ status, prepared, filledE6, venueOrderId: outcome.venueOrderId, context, latencyMs })
    return filledE6
  }

  /** Asks for the money of a fill, slowly in the end, and follows it to where it is final; both by themselves. */
  pay(fill: Fill): void {
    const settle = (money: FillReport): void => this.settlements.follow({ ...fill, ...money, voidedE6: 0 })
    const paying = reportFill(this.execution, fill).then((money) => {
      if (money !== undefined) return settle(money)
      this.later.follow(`the money of order ${fill.prepared.request.orderId}`, async () => {
        const late = await reportLate(this.execution, fill)
        if (late !== undefined) settle(late)
        return late !== undefined
      })
    })
    this.track(paying)
  }

  /** Waits until everything beside the plans has ended: the money of fills, recovery. */
  async settled(): Promise<void> {
    while (this.background.size > 0) await Promise.allSettled(this.background)
  }

  /** Runs beside the plans and is waited for at the end; a failure is an alarm. */
  track(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => this.execution.listener.onAlarm(`in the background: ${messageOf(error)}`))
      .finally(() => this.background.delete(tracked))
    this.background.add(tracked)
  }

  /**
   * Nobody could tell: it counts as filled in full until someone can. What has filled for certain is one of the venue's
   * fills, so it counts as one of ours and its trade, still `unknown` and without money, tells its size. The whole trade
   * is told when the outcome is learned, here or by a later life; it counts neither the order nor the fill again.
   */
  private leaveUnknown(prepared: PreparedOrder, certainE6: number, following: Following): void {
    const { listener } = this.execution
    const { request } = prepared
    const { context, counted } = following
    const fills = certainE6 > 0 && counted?.fill !== true
    if (counted?.order !== true || fills) {
      const detail: LeftDetail = { left: true, filledE6: certainE6 }
      this.record(prepared, 'unknown', detail)
    }
    if (counted?.order !== true) listener.onCount('orders')
    if (fills) listener.onCount('fills')
    listener.onAlarm(`order ${request.orderId} at ${request.venue} stays unknown and counts as filled`)
    this.tellUnpaidTrade(request, 'unknown', certainE6, context, following.latencyMs())
    const known = { ...following, counted: { order: true, fill: fills || counted?.fill === true } }
    this.unknowns.follow({ prepared, conclude: (outcome) => void this.conclude(prepared, outcome, known) })
  }

  private prepare(
    order: RiskApproved<OrderRequest>,
    market: GameMarket,
    plan: Plan,
  ): PreparedOrder | undefined {
    const { gateways, risk } = this.execution
    try {
      const prepared = gateways[order.venue].prepare(order, market)
      if (order.side === 'sell') {
        if (prepared.sizeE2 <= order.sizeE2) return prepared
        this.refuse(order, plan, 'OVERSIZE', `it would sell ${prepared.sizeE2 / 100} contracts`)
        return undefined
      }
      const spendMicros = costMicros(order.limitE4, prepared.sizeE2)
      if (spendMicros <= risk.orderMicros(order.orderId) + ROUNDING_MICROS) return prepared
      this.refuse(order, plan, 'OVERSIZE', `it would spend ${spendMicros} micro-dollars`)
    } catch (error) {
      this.refuse(order, plan, codeOf(error) ?? 'PREPARE_FAILED', messageOf(error))
    }
    return undefined
  }

  /** An order that cannot be expressed at the venue: nothing was sent, nothing is at risk. */
  private refuse(order: OrderRequest, plan: Plan, code: string, why: string): void {
    const { listener, risk } = this.execution
    risk.settle(order.orderId, 0)
    tryAppend(this.execution, 'denied', subjectOf(order), { code, why: sanitize(why, 300) })
    listener.onCount('denied', code)
    this.tell(order, 'denied', plan, { reason: `${code}: ${sanitize(why, 300)}` })
  }

  /** The fsync. False when it is not on disk: then nothing may be sent. */
  private recordIntent(prepared: PreparedOrder, plan: Plan): boolean {
    const { ledger, listener, risk } = this.execution
    const { request, market, sizeE2, venueOrderId, body } = prepared
    const detail: IntentDetail = {
      request,
      market,
      sizeE2,
      ...(venueOrderId === undefined ? {} : { venueOrderId }),
    }
    try {
      ledger.intent({ ...subjectOf(request), gameId: plan.gameId }, { ...detail, checks: plan.checks }, body)
      return true
    } catch (error) {
      const code = codeOf(error) ?? 'LEDGER_FAILED'
      // An order that has an intent already may be out: what it counts stays.
      if (code !== 'LEDGER_DUPLICATE') risk.settle(request.orderId, 0)
      listener.onCount('denied', code)
      listener.onAlarm(`order ${request.orderId} is not sent: ${messageOf(error)}`)
      this.tell(request, 'denied', plan, { reason: code })
      return false
    }
  }

  /** Why an order must not leave at this moment; undefined when it may. */
  private reasonToStay(leg: number, plan: Plan): DenialCode | undefined {
    const { entryBlock, hedgeBlock } = this.execution
    if (leg > 0) return hedgeBlock()
    return plan.ageMs() > plan.signal.validMs ? 'EXPIRED' : entryBlock()
  }

  /** It was recorded and did not leave: nothing is at risk. */
  private withhold(order: OrderRequest, plan: Plan, reason: DenialCode): void {
    const state = reason === 'EXPIRED' ? 'stale' : 'denied'
    this.execution.risk.settle(order.orderId, 0)
    tryAppend(this.execution, state, subjectOf(order), { code: reason })
    this.execution.listener.onCount(state, state === 'denied' ? reason : undefined)
    this.tell(order, state, plan, { reason })
  }

  /** Hands the order to the gateway. What is told about it waits until its bytes are written. */
  private send(prepared: PreparedOrder, plan: Plan) {
    const { clock, gateways, listener } = this.execution
    const { request } = prepared
    const startedUs = clock.monoUs()
    let bytesUs: number | undefined
    let told = false
    const context = () =>
      bytesUs === undefined ? plan : { ...plan, stamps: { ...plan.stamps, order: bytesUs } }
    const flush = () => {
      if (told) return
      told = true
      this.tell(request, 'intent', context(), { checks: plan.checks })
      if (bytesUs !== undefined) this.tell(request, 'sent', context())
    }
    const onBytes = () => {
      if (bytesUs !== undefined) return
      bytesUs = clock.monoUs()
      this.record(prepared, 'sent', {})
      listener.onBytes(request, context().stamps)
      flush()
    }
    const mayGo = () => {
      const reason = this.reasonToStay(request.leg, plan)
      if (reason !== undefined) this.withhold(request, plan, reason)
      return reason === undefined
    }
    return {
      outcome: sendOnce(() => gateways[request.venue].send(prepared, onBytes, mayGo)),
      flush,
      get context(): PlanContext {
        return context()
      },
      latencyMs: () => (clock.monoUs() - (bytesUs ?? startedUs)) / 1000,
    }
  }

  private record(prepared: PreparedOrder, state: OrderState, detail: object): void {
    if (state === 'seen' || state === 'intent') return
    tryAppend(this.execution, state, subjectOf(prepared.request), detail)
  }

  private tell(
    request: OrderRequest,
    state: OrderState,
    { trace, stamps }: PlanContext,
    more: Pick<OrderUpdate, 'reason' | 'checks' | 'venueOrderId'> = {},
  ): void {
    this.execution.listener.onOrder({ request, state, trace, stamps, ...more })
  }

  private tellUnpaidTrade(
    request: OrderRequest,
    status: 'none' | 'rejected' | 'unknown',
    filledE6: number,
    { trace, stamps }: PlanContext,
    latencyMs: number,
  ): void {
    const unpaid = { cashMicros: 0, feesMicros: 0, venueTradeIds: [] }
    this.execution.listener.onTrade({ request, status, filledE6, ...unpaid, latencyMs, trace, stamps })
  }
}

const ignore = (): void => undefined

/** A gateway never throws by contract; one that does leaves the order unknown. */
async function sendOnce(send: () => Promise<OrderOutcome | Withheld>): Promise<OrderOutcome | Withheld> {
  try {
    return await send()
  } catch (error) {
    return { kind: 'unknown', reason: messageOf(error) }
  }
}

const subjectOf = ({ signalId, orderId }: OrderRequest) => ({ signalId, orderId })

const reasonOf = ({ code, message }: { readonly code: string; readonly message: string }): string =>
  sanitize(`${code}: ${message}`, 300)

/** What a fill can have cost before the venue tells: never more than the order was approved for. */
function worstOfFill({ market, request }: PreparedOrder, filledE6: number, approvedMicros: number): number {
  const sizeE2 = Math.ceil(filledE6 / 10_000)
  return Math.min(approvedMicros, worstOrderMicros(market, { ...request, sizeE2 }))
}

const matchOf = (matchedTradeIds: readonly string[] | undefined): object =>
  matchedTradeIds === undefined ? {} : { matchedTradeIds }

function detailOf(outcome: OrderOutcome): object {
  switch (outcome.kind) {
    case 'filled':
    case 'partial':
      return { venueOrderId: outcome.venueOrderId, filledE6: outcome.filledE6 }
    case 'none':
      return outcome.venueOrderId === undefined ? {} : { venueOrderId: outcome.venueOrderId }
    case 'delayed':
      return { venueOrderId: outcome.venueOrderId }
    case 'rejected':
      return { code: sanitize(outcome.code, 60), message: sanitize(outcome.message, 300) }
    case 'unknown':
      return { reason: sanitize(outcome.reason, 300), ...matchOf(outcome.matchedTradeIds) }
  }
}
