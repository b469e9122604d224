/** A case's line, and whether it passed. Pure: a harness that compares nothing fails here. */

import { NOTHING, addTallies } from './tally.js'
import type { Tally } from './tally.js'

export type ControlExpectation = 'must_lose' | 'may_lose'

/** What a case must show beside losing nothing. */
export interface Expectation {
  readonly control: ControlExpectation
  /** Fewer sent means that the load did not run. */
  readonly atLeastSent: number
  /** How many must be covered by gap records: a number, or `any` where the case checks it itself. */
  readonly gapped: number | 'any'
}

/** One round. */
export interface Outcome {
  readonly ours: Tally
  readonly control: Tally
  /** From the restart (or the end of the fault) until equal to the publisher; null when it never was. */
  readonly recoveryMs: number | null
  /** What else was wrong: a fault that missed its moment, a process that died by itself. */
  readonly problems: readonly string[]
  /** More to tell, in snake case. */
  readonly details?: Readonly<Record<string, unknown>>
}

export interface CaseLine {
  readonly case: string
  readonly ok: boolean
  readonly sent: number
  readonly received: number
  readonly lost: number
  readonly gapped: number
  readonly duplicated: number
  readonly out_of_order: number
  readonly recovery_ms: number | null
  readonly rounds: number
  readonly took_ms: number
  readonly control: {
    readonly expect: ControlExpectation
    readonly received: number
    readonly lost: number
    readonly duplicated: number
    readonly out_of_order: number
  }
  /** Why it failed; empty when it passed. */
  readonly failures: readonly string[]
  readonly [detail: string]: unknown
}

export interface SkippedLine {
  readonly case: string
  readonly skipped: string
}

/** Why a round failed; empty when it passed. */
function failuresOf(outcome: Outcome, expected: Expectation): string[] {
  const { ours, control, recoveryMs, problems } = outcome
  const failures = [...problems]
  const wrong = (count: number, what: string) => {
    if (count !== 0) failures.push(`${count} ${what}`)
  }
  wrong(ours.lost, 'lost')
  wrong(ours.duplicated, 'duplicated')
  wrong(ours.outOfOrder, 'out of order')
  wrong(ours.foreign, 'arrived that nobody sent')
  wrong(ours.overclaimed, 'in gap records that were not missing')
  if (ours.sent < expected.atLeastSent) failures.push(`only ${ours.sent} sent of ${expected.atLeastSent}`)
  if (ours.received + ours.gapped < ours.sent) failures.push(`received ${ours.received} of ${ours.sent}`)
  if (ours.received === 0) failures.push('nothing received: nothing compared')
  if (expected.gapped !== 'any' && ours.gapped !== expected.gapped) {
    failures.push(`${ours.gapped} in gap records instead of ${expected.gapped}`)
  }
  if (recoveryMs === null) failures.push('never equal to the publisher again')
  if (control.received === 0) failures.push('the control received nothing: it is no control')
  if (expected.control === 'must_lose' && control.lost + control.duplicated === 0) {
    failures.push('the control lost nothing: this harness is blind to the fault')
  }
  return failures
}

/** All rounds of a case as one line: counts added, the slowest recovery. */
export function lineOf(
  name: string,
  outcomes: readonly Outcome[],
  expected: Expectation,
  tookMs: number,
): CaseLine {
  const ours = outcomes.map((outcome) => outcome.ours).reduce(addTallies, NOTHING)
  const control = outcomes.map((outcome) => outcome.control).reduce(addTallies, NOTHING)
  const failures = outcomes.flatMap((outcome, index) =>
    failuresOf(outcome, expected).map((text) => (outcomes.length > 1 ? `round ${index + 1}: ${text}` : text)),
  )
  const recoveries = outcomes.map(({ recoveryMs }) => recoveryMs)
  return {
    case: name,
    ok: failures.length === 0,
    sent: ours.sent,
    received: ours.received,
    lost: ours.lost,
    gapped: ours.gapped,
    duplicated: ours.duplicated,
    out_of_order: ours.outOfOrder,
    recovery_ms: recoveries.includes(null) ? null : Math.max(...recoveries.map((ms) => ms ?? 0)),
    rounds: outcomes.length,
    took_ms: Math.round(tookMs),
    ...Object.fromEntries(outcomes.flatMap(({ details = {} }) => Object.entries(details))),
    control: {
      expect: expected.control,
      received: control.received,
      lost: control.lost,
      duplicated: control.duplicated,
      out_of_order: control.outOfOrder,
    },
    failures,
  }
}

/** Hops of a minute, microseconds. */
export interface Hops {
  readonly p50_us: number
  readonly p99_us: number
  readonly n: number
}

/** A minute of load at least; fewer prove nothing. */
const LEAST_HOPS = 10_000
/** A shared machine moves a median by tens of percent and a p99 by more. */
const SLOWER = { p50_us: 2, p99_us: 4 } as const

/** What an outage of Redis did to the hot path, which it must not touch. */
export function hopProblems(before: Hops, during: Hops): string[] {
  const problems: string[] = []
  for (const [name, { n }] of [['before', before] as const, ['during', during] as const]) {
    if (!(n >= LEAST_HOPS)) problems.push(`${n} hops ${name} the outage, which prove nothing`)
  }
  for (const name of ['p50_us', 'p99_us'] as const) {
    if (during[name] <= before[name] * SLOWER[name]) continue
    problems.push(`hop ${name} ${during[name]} during the outage, ${before[name]} before`)
  }
  return problems
}
