/** `--fail-if 'ratio>1.2'`: what a benchmark must not exceed, or not fall below. */

import { ArbeesError, EXIT } from '../core/errors.js'

const COMPARISONS = {
  '>': (value: number, bound: number) => value > bound,
  '>=': (value: number, bound: number) => value >= bound,
  '<': (value: number, bound: number) => value < bound,
  '<=': (value: number, bound: number) => value <= bound,
} as const

export interface Threshold {
  /** As it was written. */
  readonly text: string
  readonly figure: string
  readonly comparison: keyof typeof COMPARISONS
  readonly bound: number
}

const THRESHOLD = /^\s*([a-z][a-z0-9_]*)\s*(>=|<=|>|<)\s*(\d{1,15}(?:\.\d{1,9})?)\s*$/

/** `figures` are those that it may name. Throws `BAD_THRESHOLD` (usage). */
export function parseThreshold(text: string, figures: readonly string[]): Threshold {
  const [, figure = '', comparison, bound] = THRESHOLD.exec(text) ?? []
  if (!isComparison(comparison)) {
    throw badThreshold(
      `not a threshold: '${text}'`,
      `write --fail-if 'p50_us>300': a figure, > >= < or <=, and a number`,
    )
  }
  if (!figures.includes(figure)) {
    const why = figure === 'ratio' ? 'ratio needs --baseline' : `no such figure: '${figure}'`
    throw badThreshold(`--fail-if '${text}': ${why}`, `one of ${figures.join(', ')}`)
  }
  return { text, figure, comparison, bound: Number(bound) }
}

/** Those that were missed, each as a line; a figure that is not known is missed too. */
export function missedThresholds(
  thresholds: readonly Threshold[],
  figures: Readonly<Record<string, unknown>>,
): string[] {
  return thresholds.flatMap(({ text, figure, comparison, bound }) => {
    const value = figures[figure]
    if (typeof value !== 'number') return [`threshold '${text}' cannot be judged: ${figure} is not known`]
    return COMPARISONS[comparison](value, bound) ? [`threshold missed: ${figure} is ${value} (${text})`] : []
  })
}

const isComparison = (text: string | undefined): text is Threshold['comparison'] =>
  text !== undefined && Object.hasOwn(COMPARISONS, text)

const badThreshold = (message: string, hint: string): ArbeesError =>
  new ArbeesError('BAD_THRESHOLD', message, { exit: EXIT.USAGE, hint })
