/**
 * From the first answer to a final one. DELAYED is polled: the venue has the order and matches it later. UNKNOWN is
 * asked after on a schedule and counts as filled all the while; it is never sent again.
 */

import type { OrderOutcome, PreparedOrder } from '../venues/ports.js'
import { askOnSchedule, isFinalOutcome, queryOnce } from './execution.js'
import type { Execution, FinalOutcome } from './execution.js'
import type { ExecutionTiming } from './plan.js'

/** Told what is known before the outcome is final. */
export interface OutcomeWatcher {
  /** The order is delayed, or unknown from now on. */
  onPending(outcome: Exclude<OrderOutcome, FinalOutcome>): void
  /** The venue has said that it matched, in these trades as far as it has named them. */
  onMatched(tradeIds: readonly string[]): void
  /** So much has filled for certain; more may follow. */
  onFilled(filledE6: number): void
}

/** A delayed order is asked after so often for this long after its delay, then every so often. */
const EAGER_MS = 1_000
const PATIENT_POLLS = 5

/** Follows an order until its outcome is final; undefined when nobody could tell in time. */
export async function finalOutcome(
  execution: Execution,
  prepared: PreparedOrder,
  first: OrderOutcome,
  watcher: OutcomeWatcher,
): Promise<FinalOutcome | undefined> {
  if (isFinalOutcome(first)) return first
  watcher.onPending(first)
  if (first.filledE6 !== undefined) watcher.onFilled(first.filledE6)
  const ask = () => askFinal(execution, prepared, watcher)
  const { timing } = execution
  if (first.kind === 'delayed') {
    const polled = await askOnSchedule(execution, pollTimes(timing, prepared.market.takerDelayMs), ask)
    if (polled !== undefined) return polled
    const reason = execution.cut.aborted
      ? 'exec stops before its outcome is told'
      : `still not told ${timing.delayedLimitMs / 1000} s after its delay`
    watcher.onPending({ kind: 'unknown', reason })
  }
  return await askOnSchedule(execution, timing.unknownAtMs, ask)
}

/** Nothing can be known before the venue's own delay has passed. */
function pollTimes({ delayedPollMs, delayedLimitMs }: ExecutionTiming, delayMs: number): number[] {
  const times: number[] = []
  for (
    let at = 0;
    at <= delayedLimitMs;
    at += at < EAGER_MS ? delayedPollMs : PATIENT_POLLS * delayedPollMs
  ) {
    times.push(delayMs + at)
  }
  return times
}

async function askFinal(
  execution: Execution,
  prepared: PreparedOrder,
  watcher: OutcomeWatcher,
): Promise<FinalOutcome | undefined> {
  const outcome = await queryOnce(execution, prepared)
  if (isFinalOutcome(outcome)) return outcome
  if (outcome.kind === 'unknown' && outcome.matchedTradeIds !== undefined) {
    watcher.onMatched(outcome.matchedTradeIds)
  }
  if (outcome.filledE6 !== undefined) watcher.onFilled(outcome.filledE6)
  return undefined
}
