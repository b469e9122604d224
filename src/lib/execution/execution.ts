/** What every part of execution works with. */

import { sleep } from '../core/backoff.js'
import type { Clock } from '../core/clock.js'
import { messageOf } from '../core/errors.js'
import type { Env, Mode, Venue } from '../model/venue.js'
import type { DenialCode } from '../risk/limits.js'
import type { RiskBook } from '../risk/risk-book.js'
import type { OrderGateway, OrderOutcome, PreparedOrder } from '../venues/ports.js'
import type { Ledger } from './ledger.js'
import type { ExecutionListener, ExecutionTiming } from './plan.js'

export interface Execution {
  readonly env: Env
  readonly mode: Mode
  readonly gateways: Readonly<Record<Venue, OrderGateway>>
  readonly ledger: Ledger
  readonly risk: RiskBook
  readonly clock: Clock
  readonly timing: ExecutionTiming
  readonly listener: ExecutionListener
  /** Why no opening order may be sent at this moment; undefined when one may. */
  readonly entryBlock: () => DenialCode | undefined
  /** Why no later order of an open plan may be sent either; undefined when one may. */
  readonly hedgeBlock: () => DenialCode | undefined
  /** Aborts when the time to stop cleanly is over: waits end, what is unknown stays unknown. */
  readonly cut: AbortSignal
}

export type FinalOutcome = Exclude<OrderOutcome, { kind: 'delayed' | 'unknown' }>

export const isFinalOutcome = (outcome: OrderOutcome): outcome is FinalOutcome =>
  outcome.kind !== 'delayed' && outcome.kind !== 'unknown'

/** Asks the venue once; whatever goes wrong is `unknown`. */
export async function queryOnce(execution: Execution, prepared: PreparedOrder): Promise<OrderOutcome> {
  try {
    return await execution.gateways[prepared.request.venue].query(prepared)
  } catch (error) {
    return { kind: 'unknown', reason: messageOf(error) }
  }
}

/**
 * Calls `ask` at each of `atMs` (ms from now) until it gives something, the list ends, or `cut` aborts; undefined then.
 */
export async function askOnSchedule<T>(
  { cut }: Execution,
  atMs: readonly number[],
  ask: () => Promise<T | undefined>,
): Promise<T | undefined> {
  let before = 0
  for (const at of atMs) {
    if ((await sleep(at - before, cut)) === 'aborted') return undefined
    before = at
    const answer = await ask()
    if (answer !== undefined) return answer
  }
  return undefined
}
