/**
 * Kalshi's taker fee: M x 0.07 x C x P x (1 - P) dollars, M being the `fee_multiplier`, rounded up to $0.0001 per fill
 * (the unit in the venue's fills of 2026). Maker kinds differ only in what makers pay. An event may override what its
 * series says, a market's fee may be waived for a time, and changes are scheduled ahead.
 */

import { parseScaled } from '../../model/price.js'
import type { FeeSchedule } from '../../model/fees.js'

const BASE_RATE_PPM = 70_000
const ROUND_UP_TO_MICROS = 100
/** Ten times the highest multiplier seen; above it the field does not mean what we think. */
const MAX_MULTIPLIER_E6 = 10_000_000
/**
 * Before and after a change both its sides count: longer than two rounds of the catalog and the venue's cache together.
 */
const CHANGE_MARGIN_MS = 60_000

const QUADRATIC_TYPES: ReadonlySet<unknown> = new Set([
  'quadratic',
  'quadratic_with_maker_fees',
  'quadratic_with_combo_maker_fees',
])

/** `fee_type` and `fee_multiplier` as they stand in the venue's JSON; in an override, null or absent is the series' own. */
export interface FeeTerms {
  readonly feeType: unknown
  readonly feeMultiplier: unknown
}

export interface ScheduledTerms extends FeeTerms {
  /** When they take effect, the venue's clock, Unix ms. */
  readonly fromMs: number
}

export type SeriesFees =
  | { readonly kind: 'schedule'; readonly fees: FeeSchedule; readonly feeType: string }
  /** Not a formula that we can compute with: its markets must not be traded. */
  | { readonly kind: 'refused'; readonly reason: 'fee_type' | 'fee_multiplier' }

/** All that decides what a market's takers pay. */
export interface FeeSources {
  readonly series: FeeTerms
  readonly seriesChanges: readonly ScheduledTerms[]
  readonly event: FeeTerms
  readonly eventChanges: readonly ScheduledTerms[]
  /** Until then the market's takers pay nothing, the venue's clock, Unix ms. */
  readonly waivedUntilMs: number | undefined
}

/** The taker schedule of a series, from the `fee_type` and `fee_multiplier` of `GET /series/{ticker}`. */
export function feesOfSeries({ feeType, feeMultiplier }: FeeTerms): SeriesFees {
  if (typeof feeType !== 'string' || !QUADRATIC_TYPES.has(feeType))
    return { kind: 'refused', reason: 'fee_type' }
  if (typeof feeMultiplier !== 'number') return { kind: 'refused', reason: 'fee_multiplier' }
  const multiplierE6 = parseScaled(String(feeMultiplier), 6)
  if (multiplierE6 === undefined || multiplierE6 < 0 || multiplierE6 > MAX_MULTIPLIER_E6) {
    return { kind: 'refused', reason: 'fee_multiplier' }
  }
  const ratePpm = Math.ceil((BASE_RATE_PPM * multiplierE6) / 1_000_000)
  return { kind: 'schedule', fees: { ratePpm, roundUpToMicros: ROUND_UP_TO_MICROS }, feeType }
}

/**
 * The dearest schedule that may apply within a minute of `nowMs`, for what the venue told at `toldMs`: until the next
 * look at the catalog no fill costs more. Refused when any of those is no formula of ours.
 */
export function dearestFees(sources: FeeSources, toldMs: number, nowMs: number): SeriesFees {
  const untilMs = nowMs + CHANGE_MARGIN_MS
  const possible = (told: FeeTerms, changes: readonly ScheduledTerms[]): readonly FeeTerms[] => [
    told,
    ...changes.filter(({ fromMs }) => fromMs > toldMs - CHANGE_MARGIN_MS && fromMs <= untilMs),
  ]
  let dearest: SeriesFees | undefined
  for (const series of possible(sources.series, sources.seriesChanges)) {
    for (const event of possible(sources.event, sources.eventChanges)) {
      const fees = feesOfSeries({
        feeType: event.feeType ?? series.feeType,
        feeMultiplier: event.feeMultiplier ?? series.feeMultiplier,
      })
      if (fees.kind === 'refused') return fees
      if (dearest?.kind !== 'schedule' || fees.fees.ratePpm > dearest.fees.ratePpm) dearest = fees
    }
  }
  if (dearest?.kind !== 'schedule') return { kind: 'refused', reason: 'fee_type' }
  const isWaived = sources.waivedUntilMs !== undefined && sources.waivedUntilMs > untilMs
  return isWaived ? { ...dearest, fees: { ...dearest.fees, ratePpm: 0 } } : dearest
}
