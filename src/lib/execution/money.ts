/** The money of a fill, from the venue's own records, asked for after the fact and never recomputed. */

import { messageOf } from '../core/errors.js'
import type { TradeStatus } from '../model/order.js'
import { spentMicros } from '../risk/limits.js'
import type { FillReport, PreparedOrder } from '../venues/ports.js'
import { askOnSchedule } from './execution.js'
import type { Execution } from './execution.js'
import type { FillDetail } from './ledger-history.js'
import type { PlanContext } from './plan.js'
import { tryAppend } from './record.js'

export interface Fill extends FillDetail {
  readonly status: 'filled' | 'partial'
  readonly prepared: PreparedOrder
  readonly context: PlanContext
  readonly latencyMs: number
}

/**
 * Asks until the venue shows the money, records it, corrects the exposure and tells of the trade. Undefined when the venue
 * does not show it in time: `reportLate` asks on, and so does the next start, from the ledger.
 */
export async function reportFill(execution: Execution, fill: Fill): Promise<FillReport | undefined> {
  const { listener, timing } = execution
  let why = 'no time left'
  const money = await askOnSchedule(execution, timing.reportAtMs, async () => {
    try {
      return await askMoney(execution, fill)
    } catch (error) {
      why = messageOf(error)
      return undefined
    }
  })
  if (money !== undefined) {
    book(execution, fill, money)
  } else if (!execution.cut.aborted) {
    listener.onAlarm(`no money shown for order ${fill.prepared.request.orderId}: ${why}`)
  }
  return money
}

/** As `reportFill`, once. */
export async function reportLate(execution: Execution, fill: Fill): Promise<FillReport | undefined> {
  const money = await askMoney(execution, fill).catch(() => undefined)
  if (money === undefined) return undefined
  book(execution, fill, money)
  execution.listener.onAlarm(`the money of order ${fill.prepared.request.orderId} is shown at last`)
  return money
}

async function askMoney(execution: Execution, fill: Fill): Promise<FillReport> {
  const { prepared, filledE6, venueOrderId } = fill
  return await execution.gateways[prepared.request.venue].report(prepared, { venueOrderId, filledE6 })
}

function book(execution: Execution, fill: Fill, money: FillReport): void {
  const { signalId, orderId, side } = fill.prepared.request
  tryAppend(execution, 'money', { signalId, orderId }, money)
  execution.risk.settle(orderId, spentMicros(side, money))
  tell(execution, fill, money)
}

/**
 * The venue has given up so much of a fill. The exposure stays as it was and the pair is closed to entries: what is left
 * of the plan is the operator's. Told as the size that was given up, without money.
 */
export function voidFill(execution: Execution, fill: Fill, voidedE6: number): void {
  const { request } = fill.prepared
  const { gameId, marketIds } = fill.context
  tryAppend(
    execution,
    'naked',
    { signalId: request.signalId, gameId },
    { reason: 'voided', orderId: request.orderId, voidedE6 },
  )
  execution.risk.quarantinePair(marketIds, gameId)
  execution.listener.onCount('naked')
  tell(
    execution,
    { ...fill, filledE6: voidedE6, status: 'voided' },
    { cashMicros: 0, feesMicros: 0, venueTradeIds: [] },
  )
  execution.listener.onAlarm(
    `${voidedE6 / 1e6} of the ${fill.filledE6 / 1e6} that order ${request.orderId} had filled were given up by the venue`,
  )
}

function tell(
  { listener }: Execution,
  fill: Omit<Fill, 'status'> & { readonly status: TradeStatus },
  money: FillReport,
): void {
  const { status, filledE6, latencyMs, prepared } = fill
  const { trace, stamps } = fill.context
  listener.onTrade({ request: prepared.request, status, filledE6, ...money, latencyMs, trace, stamps })
}
