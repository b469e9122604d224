/** What the ledger says of one plan of one leg: how a manual order is answered, in this life and after a restart. */

import type { ManualOutcome } from '../model/manual-order.js'
import type { SignalLeg } from '../model/signal.js'

/** An event of a plan, oldest first; its detail is parsed. */
export interface PlanEvent {
  readonly kind: string
  readonly detail: Readonly<Record<string, unknown>>
}

export const SELECT_PLAN = 'select kind, detail from event where signal_id = ? order by id'

/** What was asked for; undefined where the plan is not on record. */
export function askedOf(events: readonly PlanEvent[]): SignalLeg | undefined {
  const seen = events.find(({ kind }) => kind === 'seen')?.detail['signal'] as
    { readonly legs: readonly SignalLeg[] } | undefined
  return seen?.legs[0]
}

type Told = Omit<ManualOutcome, 'signal_id' | 'order_id'>

export function manualOutcomeOf(events: readonly PlanEvent[]): Told {
  let told: Told = { state: 'seen', checks: [], filled: 0, over: false }
  for (const event of events) told = { ...told, ...changeBy(event) }
  return told
}

function changeBy({ kind, detail }: PlanEvent): Partial<Told> {
  switch (kind) {
    case 'intent':
      return { state: kind, checks: checksOf(detail) }
    case 'sent':
    case 'delayed':
      return { state: kind }
    case 'denied':
    case 'stale':
      return {
        state: kind,
        reason: wordsOf(detail['code'], detail['why']),
        over: true,
        ...('checks' in detail ? { checks: checksOf(detail) } : {}),
      }
    case 'none':
      return { state: kind, over: true }
    case 'rejected':
      return { state: kind, reason: wordsOf(detail['code'], detail['message']), over: true }
    case 'unknown':
      // Given up until the next start.
      if (detail['left'] === true) return { state: kind, filled: contractsOf(detail), over: true }
      return { state: kind, reason: wordsOf(detail['reason']) }
    case 'filled':
    case 'partial':
      return { state: kind, filled: contractsOf(detail), over: false }
    case 'money':
      return {
        cash_micros: Number(detail['cashMicros']),
        fees_micros: Number(detail['feesMicros']),
        over: true,
      }
    case 'naked':
      return detail['reason'] === 'voided' ? { state: 'voided', over: true } : {}
    default:
      return {}
  }
}

const contractsOf = ({ filledE6 }: PlanEvent['detail']): number => Number(filledE6) / 1e6

const wordsOf = (...parts: readonly unknown[]): string =>
  parts.filter((part) => typeof part === 'string' && part !== '').join(': ')

const checksOf = ({ checks }: PlanEvent['detail']): ManualOutcome['checks'] =>
  Array.isArray(checks) ? (checks as ManualOutcome['checks']) : []
