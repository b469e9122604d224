/** The first design's bare price body: `{ticker, yes_ask, yes_bid, timestamp_ms}`. */

import type { JsonObject } from './checks.js'
import type { Refusal } from './codec.js'

export interface LegacyPrice {
  readonly ticker: string
  readonly yesBid: number
  readonly yesAsk: number
  /** Sender's wall clock. */
  readonly timestampMs: number
}

/** Reads a first-design price, or says what is wrong with it. */
export function readLegacyPrice(body: JsonObject): LegacyPrice | Refusal {
  const { ticker, yes_bid: yesBid, yes_ask: yesAsk, timestamp_ms: timestampMs } = body
  if (typeof ticker !== 'string' || ticker === '') return { reason: 'bad_legacy', detail: 'ticker' }
  if (!isPrice(yesBid)) return { reason: 'bad_legacy', detail: 'yes_bid' }
  if (!isPrice(yesAsk)) return { reason: 'bad_legacy', detail: 'yes_ask' }
  if (typeof timestampMs !== 'number' || !Number.isSafeInteger(timestampMs) || timestampMs < 0) {
    return { reason: 'bad_legacy', detail: 'timestamp_ms' }
  }
  return { ticker, yesBid, yesAsk, timestampMs }
}

const isPrice = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value <= 1
