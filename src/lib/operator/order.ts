/**
 * Gives exec a manual order and waits for what becomes of it. One id is drawn; however often it is asked for, exec sends
 * it once. What was asked and not answered may have been taken: it is told as unknown, never as nothing.
 */

import { RecoveryClient } from '../bus/recovery/recovery-client.js'
import type { BusKeys } from '../bus/curve.js'
import { sleep } from '../core/backoff.js'
import type { Clock } from '../core/clock.js'
import type { Settings } from '../core/config.js'
import { ArbeesError, EXIT } from '../core/errors.js'
import { hostId, randomId } from '../core/ids.js'
import { sealOrder } from '../messages/signal-seal.js'
import { manualSignalId } from '../model/manual-order.js'
import type { ManualAnswer, ManualOrder, ManualOutcome, ManualRefusal } from '../model/manual-order.js'
import { loadSignalKey } from '../roles/bus-keys.js'
import { endpointOf } from '../roles/wiring.js'
import { denialSentence } from './denial-words.js'
import { operatorName } from './halt.js'
import { operatorKeys } from './operator-keys.js'
import { planOrder } from './order-plan.js'
import type { OrderPlan, TypedOrder } from './order-plan.js'

/**
 * nothing: the book had none at the limit. open: it has no outcome yet. refused: exec has nothing to do with it, nothing
 * was sent. denied, expired: on record as such, nothing was sent. unknown: it may have filled.
 */
export type OrderResult =
  | 'filled'
  | 'partial'
  | 'nothing'
  | 'denied'
  | 'expired'
  | 'refused'
  | 'rejected'
  | 'voided'
  | 'open'
  | 'unknown'

export interface OrderReport {
  readonly plan: OrderPlan
  readonly result: OrderResult
  /** What `orders.` and `trades.` carry; null where exec did not say. */
  readonly order_id: string | null
  readonly signal_id: string
  readonly reason: string | null
  readonly checks: ManualOutcome['checks']
  /** Contracts, for certain. */
  readonly filled: number
  /** The venue's own money, micro-dollars: paid for a buy, received for a sale; null before it is told. */
  readonly cash_micros: number | null
  readonly fees_micros: number | null
  readonly ms: number
  /** What to do now; null where nothing is. */
  readonly hint: string | null
}

export interface OrderDesk {
  /** What would be sent. Throws what `planOrder` throws, and `NO_EXEC` (exit 3) when exec does not answer. */
  plan(typed: TypedOrder): Promise<OrderPlan>
  /** Sends it, once, and waits so long at most. `onSent` is told the id that it is on record by. */
  send(plan: OrderPlan, timeoutMs: number, onSent: (signalId: string) => void): Promise<OrderReport>
  close(): void
}

/** No longer than a signal of a shard: what waits in a queue is not traded later. */
const VALID_MS = 1_500
const POLL_MS = 50

/** Throws `NO_SIGNAL_KEY`, `NO_KEY`, `BAD_KEY`, `OPEN_SECRET` (exit 4), `UNKNOWN_KEY`. */
export function openOrderDesk(settings: Settings, clock: Clock): OrderDesk {
  let closed = ''
  const keys: BusKeys | undefined = operatorKeys(settings, ({ problem, hint }) => {
    closed = `: ${problem}; ${hint}`
  })
  const signalKey = loadSignalKey(settings)
  const endpoint = endpointOf(settings, 'exec')
  const client = new RecoveryClient({ endpoint, clock, keys })
  return {
    async plan(typed) {
      const [plan, answers] = await Promise.all([planOrder(settings, typed, clock, keys), client.ping()])
      if (answers) return plan
      throw new ArbeesError('NO_EXEC', `no exec answers at ${endpoint.recoveryUrl ?? '-'}${closed}`, {
        exit: EXIT.UNHEALTHY,
        hint: 'nothing was sent; start it (arbees up, or arbees exec), or name its --data-dir or --env',
      })
    },
    async send(plan, timeoutMs, onSent) {
      const startedUs = clock.monoUs()
      const order = drawOrder(plan, clock)
      onSent(manualSignalId(order.order_id))
      const sealed = signalKey === undefined ? order : sealOrder(signalKey, order)
      const waitedMs = () => (clock.monoUs() - startedUs) / 1000
      const end = await ask(client, sealed, () => waitedMs(), timeoutMs)
      return reportOf(plan, order, end, waitedMs())
    },
    close: () => client.close(),
  }
}

function drawOrder(plan: OrderPlan, clock: Clock): ManualOrder {
  const { env, mode, venue, market_id, outcome, side, limit, size } = plan
  return {
    ...{ order_id: randomId(16), env, mode, by: operatorName() },
    ...{ venue, market_id, outcome, side, limit, size, valid_ms: VALID_MS },
    ...{ asked_ms: clock.nowMs(), asked_us: clock.monoUs(), host: hostId() },
  }
}

/** The last that exec said; `isSilent`: it left a request unanswered, and so may have more than it says. */
interface End {
  readonly answer: ManualAnswer | undefined
  readonly isSilent: boolean
}

/** Asks again and again, with the same id, until it is over or time is up. */
async function ask(
  client: Pick<RecoveryClient, 'order'>,
  order: ManualOrder,
  waitedMs: () => number,
  timeoutMs: number,
): Promise<End> {
  let told: ManualAnswer | undefined
  let isSilent = false
  for (;;) {
    const answer = await client.order(order)
    if (answer === undefined) isSilent = true
    else if ('over' in answer) told = answer
    else if (told === undefined) {
      const mayBegin = answer.refused === 'NOT_READY' && waitedMs() < order.valid_ms
      // A life that ended may have taken it: the next one knows once it is ready.
      if (!mayBegin && !(isSilent && answer.refused === 'NOT_READY')) return { answer, isSilent }
    }
    const isOver = told !== undefined && 'over' in told && told.over
    if (isOver || waitedMs() >= timeoutMs) return { answer: told, isSilent }
    await sleep(POLL_MS)
  }
}

function reportOf(plan: OrderPlan, order: ManualOrder, { answer, isSilent }: End, ms: number): OrderReport {
  const signalId = manualSignalId(order.order_id)
  const shared = { plan, signal_id: signalId, ms: Math.round(ms) }
  if (answer !== undefined && 'over' in answer) {
    const result = resultOf(answer)
    const { order_id, checks, filled, cash_micros = null, fees_micros = null, reason = null } = answer
    const hint = hintOf(result, answer)
    return { ...shared, result, order_id, reason, checks, filled, cash_micros, fees_micros, hint }
  }
  const nothing = { order_id: null, checks: [], filled: 0, cash_micros: null, fees_micros: null }
  if (answer === undefined || isSilent) {
    const reason = answer?.refused ?? 'exec did not answer'
    const hint = `it may have been taken; exec sends nothing of it later than ${VALID_MS / 1000} s after you asked. Look before you order again: arbees explain ${signalId}`
    return { ...shared, ...nothing, result: 'unknown', reason, hint }
  }
  const { refused, env, mode } = answer
  const hint = `exec did not take it: ${REFUSED[refused](`${env} ${mode}`)}`
  return { ...shared, ...nothing, result: 'refused', reason: refused, hint }
}

const RESULTS: Readonly<Record<string, OrderResult>> = {
  filled: 'filled',
  partial: 'partial',
  none: 'nothing',
  denied: 'denied',
  stale: 'expired',
  rejected: 'rejected',
  unknown: 'unknown',
  voided: 'voided',
}
const resultOf = ({ state }: ManualOutcome): OrderResult => RESULTS[state] ?? 'open'

function hintOf(
  result: OrderResult,
  { order_id: id, reason, checks, cash_micros: cash }: ManualOutcome,
): string | null {
  const look = `arbees explain ${id}`
  switch (result) {
    case 'unknown':
      return `it may have filled, counts as filled, and is never sent again; look at the venue's own page, then: ${look}`
    case 'open':
      return `exec goes on with it: ${look}`
    case 'voided':
      return `the venue took the fill back: look at its own page, then: ${look}`
    case 'filled':
    case 'partial':
      return cash === undefined ? `the venue has not told its money yet: ${look}` : null
    case 'denied':
    case 'expired':
      // What follows a colon says it already.
      return reason?.includes(': ') === false ? (denialSentence(reason, checks) ?? null) : null
    default:
      return null
  }
}

const REFUSED: Readonly<Record<ManualRefusal, (exec: string) => string>> = {
  OTHER_EXEC: (exec) => `exec there is that of ${exec} trading; name its --env`,
  BAD_SEAL: () => 'the key of signals here is not the one that exec has: copy signals.hmac from its keys_dir',
  BAD_ORDER: () => 'its limit or size is finer than any venue takes',
  ID_REUSED: () => 'its id is on record for another order: ask again',
  LEDGER_FAILED: () => 'exec cannot use its ledger: arbees check ledger',
  NOT_READY: () => 'exec is starting or stopping: ask again',
}
