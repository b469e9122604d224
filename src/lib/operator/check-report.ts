/** What a check came to: one verdict, why, and the numbers behind it. Every check renders the same ways. */

import { EXIT } from '../core/errors.js'
import type { ExitCode } from '../core/errors.js'

/** As Nagios has them, from good to bad; `unknown`: the check itself could not be made. */
export type CheckState = 'ok' | 'warning' | 'critical' | 'unknown'

/** Something that somebody has to look at. */
export interface CheckProblem {
  readonly state: 'warning' | 'critical'
  /** What it is about: a channel, `mirror`, `redis`. */
  readonly subject: string
  readonly problem: string
}

/** A number behind the verdict; thresholds in its unit. */
export interface CheckFigure {
  /** `lag_seconds`: also the metric's name, behind `arbees_check_`. */
  readonly name: string
  readonly help: string
  /** What it is of, by label. */
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  /** s: seconds, otherwise a count. */
  readonly unit: 's' | ''
  readonly warn?: number
  readonly critical?: number
}

export interface CheckReport {
  /** `mirror`. */
  readonly check: string
  readonly state: CheckState
  /** On one line. */
  readonly summary: string
  readonly problems: readonly CheckProblem[]
  /** Worth knowing, and no problem. */
  readonly notes: readonly string[]
  readonly figures: readonly CheckFigure[]
  /** What had to be asked does not answer. */
  readonly unreachable: boolean
}

export const worstOf = (problems: readonly CheckProblem[]): CheckState =>
  problems.some(({ state }) => state === 'critical') ? 'critical' : problems.length > 0 ? 'warning' : 'ok'

/** Of the formats text, json and prometheus. */
export function exitOf({ state, unreachable }: CheckReport): ExitCode {
  if (state === 'ok') return EXIT.OK
  return unreachable ? EXIT.UNREACHABLE : EXIT.UNHEALTHY
}

/** Of the format nagios: that tool's own. */
export const NAGIOS_EXIT: Readonly<Record<CheckState, number>> = {
  ok: 0,
  warning: 1,
  critical: 2,
  unknown: 3,
}
