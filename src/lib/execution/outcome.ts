/**
 * From the first answer to a final one. DELAYED is polled: the venue has the order and matches it later. UNKNOWN is
 * asked after on a schedule and counts as filled all the while; it is never sent again.
 */

import type { OrderOutcome, PreparedOrder } from '../venues/ports.js'
import { askOnSchedule, isFinalOutcome, queryOnce } from './execution.js'
import type { Execution, FinalOutcome } from './execution.js'

/** Told when an answer is not final yet. */
export type OnPending = (outcome: Exclude<OrderOutcome, FinalOutcome>) => void

/** Follows an order until its outcome is final; undefined when nobody could tell in time. */
export async function finalOutcome(
  execution: Execution,
  prepared: PreparedOrder,
  first: OrderOutcome,
  onPending: OnPending,
): Promise<FinalOutcome | undefined> {
  if (isFinalOutcome(first)) return first
  onPending(first)
  if (first.kind === 'unknown') return await askUnknown(execution, prepared)
  const polled = await pollDelayed(execution, prepared)
  if (polled !== undefined) return polled
  const seconds = execution.timing.delayedLimitMs / 1000
  onPending({ kind: 'unknown', reason: `still delayed after ${seconds} s` })
  return await askUnknown(execution, prepared)
}

/** Asks after an order whose fate is unknown, at 0.25, 1, 3, 10 and 30 s. */
export function askUnknown(execution: Execution, prepared: PreparedOrder): Promise<FinalOutcome | undefined> {
  return askOnSchedule(execution, execution.timing.unknownAtMs, () => askFinal(execution, prepared))
}

function pollDelayed(execution: Execution, prepared: PreparedOrder): Promise<FinalOutcome | undefined> {
  const { delayedPollMs, delayedLimitMs } = execution.timing
  const polls = Math.ceil(delayedLimitMs / delayedPollMs)
  const atMs = Array.from({ length: polls }, (_, index) => (index + 1) * delayedPollMs)
  return askOnSchedule(execution, atMs, () => askFinal(execution, prepared))
}

async function askFinal(execution: Execution, prepared: PreparedOrder): Promise<FinalOutcome | undefined> {
  const outcome = await queryOnce(execution, prepared)
  return isFinalOutcome(outcome) ? outcome : undefined
}
