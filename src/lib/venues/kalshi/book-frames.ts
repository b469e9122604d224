/** Snapshots and deltas of order books. */

import { ONE_E4, parsePriceE4, parseScaled } from '../../model/price.js'
import type { Outcome } from '../../model/venue.js'
import { place, refused, seqOf, sidOf, type PlacedVerdict } from './frame-place.js'
import { integerOf, isJsonObject, shown, textOf, type JsonObject } from './wire.js'

/** `[priceE4, sizeE2]` in the price space of the wire: NO dollars on the NO side, unless `use_yes_price` is set. */
export type WireLevel = readonly [priceE4: number, sizeE2: number]

export interface SnapshotFrame {
  readonly kind: 'snapshot'
  readonly sid: number
  readonly seq: number
  readonly ticker: string
  readonly yes: readonly WireLevel[]
  readonly no: readonly WireLevel[]
}

export interface DeltaFrame {
  readonly kind: 'delta'
  readonly sid: number
  readonly seq: number
  readonly ticker: string
  readonly side: Outcome
  readonly priceE4: number
  /** Signed change of the resting size at that price. */
  readonly deltaE2: number
  /** The venue's clock, Unix ms. */
  readonly venueMs: number | undefined
}

const SNAPSHOT_RETIRED = ['yes', 'no', 'yes_dollars', 'no_dollars']

export function parseSnapshot(frame: JsonObject, msg: unknown, type: string): SnapshotFrame | PlacedVerdict {
  const at = place(frame, type)
  const head = headOf(frame, msg, type, at)
  if ('kind' in head) return head
  const { sid, seq, ticker, body } = head
  const yesField = body['yes_dollars_fp']
  const noField = body['no_dollars_fp']
  // A side with no orders has no key at all: only then could another form hide behind the absence.
  if (yesField === undefined || noField === undefined) {
    const hidden = hiddenBookForm(body)
    if (hidden !== undefined) return refused(hidden, ticker, at)
  }
  const yes = parseLevels(yesField)
  if (typeof yes === 'string') return refused(yes, `${ticker} yes`, at)
  const no = parseLevels(noField)
  if (typeof no === 'string') return refused(no, `${ticker} no`, at)
  return { kind: 'snapshot', sid, seq, ticker, yes, no }
}

function hiddenBookForm(msg: JsonObject): 'retired_form' | 'unknown_form' | undefined {
  if (SNAPSHOT_RETIRED.some((name) => msg[name] !== undefined)) return 'retired_form'
  const current = ['yes_dollars_fp', 'no_dollars_fp']
  return Object.keys(msg).some((name) => Array.isArray(msg[name]) && !current.includes(name))
    ? 'unknown_form'
    : undefined
}

function parseLevels(field: unknown): readonly WireLevel[] | string {
  if (field === undefined || field === null) return []
  if (!Array.isArray(field)) return 'bad_levels'
  const levels: WireLevel[] = []
  const prices = new Set<number>()
  for (const item of field as readonly unknown[]) {
    if (!Array.isArray(item) || item.length !== 2) return 'bad_levels'
    const [price, size] = item as readonly unknown[]
    const priceE4 = restingPriceE4(price)
    if (priceE4 === undefined) return 'bad_price'
    const sizeE2 = typeof size === 'string' ? parseScaled(size, 2) : undefined
    if (sizeE2 === undefined || sizeE2 < 0) return 'bad_size'
    if (prices.has(priceE4)) return 'repeated_price'
    prices.add(priceE4)
    levels.push([priceE4, sizeE2])
  }
  return levels
}

export function parseDelta(frame: JsonObject, msg: unknown, type: string): DeltaFrame | PlacedVerdict {
  const at = place(frame, type)
  const head = headOf(frame, msg, type, at)
  if ('kind' in head) return head
  const { sid, seq, ticker, body } = head
  const price = body['price_dollars']
  const delta = body['delta_fp']
  if (
    (price === undefined && body['price'] !== undefined) ||
    (delta === undefined && body['delta'] !== undefined)
  ) {
    return refused('retired_form', ticker, at)
  }
  const priceE4 = restingPriceE4(price)
  if (priceE4 === undefined) return refused('bad_price', `${ticker} ${shown(price)}`, at)
  const deltaE2 = typeof delta === 'string' ? parseScaled(delta, 2) : undefined
  if (deltaE2 === undefined) return refused('bad_size', `${ticker} ${shown(delta)}`, at)
  const side = body['side']
  if (side !== 'yes' && side !== 'no') return refused('bad_side', `${ticker} ${shown(side)}`, at)
  const venueMs = venueMsOf(body)
  if (venueMs === 'bad') return refused('bad_ts', ticker, at)
  return { kind: 'delta', sid, seq, ticker, side, priceE4, deltaE2, venueMs }
}

/** A price that an order can rest at: strictly between nothing and a whole dollar. */
function restingPriceE4(value: unknown): number | undefined {
  const priceE4 = typeof value === 'string' ? parsePriceE4(value) : undefined
  return priceE4 === undefined || priceE4 === 0 || priceE4 === ONE_E4 ? undefined : priceE4
}

/** `ts_ms`, or the deprecated RFC 3339 `ts`. */
function venueMsOf(msg: JsonObject): number | undefined | 'bad' {
  if (msg['ts_ms'] !== undefined) return integerOf(msg['ts_ms'], 0) ?? 'bad'
  if (typeof msg['ts'] !== 'string') return undefined
  const parsed = Date.parse(msg['ts'])
  return Number.isNaN(parsed) ? 'bad' : parsed
}

interface Head {
  readonly sid: number
  readonly seq: number
  readonly ticker: string
  readonly body: JsonObject
}

/** What every message of a book carries. */
function headOf(
  frame: JsonObject,
  msg: unknown,
  type: string,
  at: ReturnType<typeof place>,
): Head | PlacedVerdict {
  if (!isJsonObject(msg)) return refused('no_msg', type, at)
  const sid = sidOf(frame)
  const seq = seqOf(frame)
  if (sid === undefined) return refused('bad_sid', 'missing', at)
  if (seq === undefined) return refused('bad_seq', 'missing', at)
  const ticker = textOf(msg['market_ticker'])
  return ticker === undefined ? refused('bad_ticker', type, at) : { sid, seq, ticker, body: msg }
}
