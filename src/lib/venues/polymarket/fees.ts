/**
 * Polymarket's taker fees as data: rate x size x p x (1 - p) per fill, rounded up to $0.00001, in pUSD on top.
 *
 * Each market carries its own `feeSchedule`. The older `makerBaseFee`, `takerBaseFee` and `GET /fee-rate` contradict it
 * and are not read.
 */

import type { FeeSchedule } from '../../model/fees.js'

const FEE_STEP_MICROS = 10

export type FeeReading =
  | { readonly kind: 'fees'; readonly fees: FeeSchedule }
  | { readonly kind: 'refused'; readonly reason: string }

/** The schedule of a Gamma market from its `feesEnabled` and `feeSchedule`. */
export function readFees(market: {
  readonly feesEnabled?: unknown
  readonly feeSchedule?: unknown
}): FeeReading {
  const { feesEnabled, feeSchedule } = market
  if (feesEnabled === false) return { kind: 'fees', fees: { ratePpm: 0, roundUpToMicros: FEE_STEP_MICROS } }
  if (feesEnabled !== true) return refuse('feesEnabled is missing')
  if (typeof feeSchedule !== 'object' || feeSchedule === null) return refuse('feeSchedule is missing')
  const { rate, exponent, takerOnly } = feeSchedule as {
    rate?: unknown
    exponent?: unknown
    takerOnly?: unknown
  }
  if (exponent !== 1) return refuse(`fee exponent ${show(exponent)} is not 1`)
  if (takerOnly !== true) return refuse('fees are not for takers only')
  const ratePpm = typeof rate === 'number' ? Math.round(rate * 1e6) : -1
  if (typeof rate !== 'number' || ratePpm < 0 || ratePpm > 1e6 || Math.abs(rate * 1e6 - ratePpm) > 1e-4) {
    return refuse(`fee rate ${show(rate)} is out of range`)
  }
  return { kind: 'fees', fees: { ratePpm, roundUpToMicros: FEE_STEP_MICROS } }
}

/**
 * Fee in micro-dollars of one trade, from sizes as the venue reports them (contracts x 10^6) and a price of 10^-6
 * dollars, rounded up as `model/fees` rounds.
 */
export function tradeFeeMicros(fees: FeeSchedule, priceE6: bigint, sizeE6: bigint): bigint {
  const scaled = BigInt(fees.ratePpm) * sizeE6 * priceE6 * (1_000_000n - priceE6)
  const step = BigInt(fees.roundUpToMicros)
  const unit = 10n ** 18n * step
  return ((scaled + unit - 1n) / unit) * step
}

const refuse = (reason: string): FeeReading => ({ kind: 'refused', reason })
const show = (value: unknown): string => (typeof value === 'number' ? String(value) : typeof value)
