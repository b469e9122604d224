/**
 * The Kalshi WebSocket wire (v2, prices as dollar strings and counts as `_fp` strings): what we send, and a strict
 * parse of what the server sends. The integer-cent forms retired in 2026 are refused by name, because reading them
 * as "no such field" once showed empty books for minutes.
 */

import { ONE_E4, parsePriceE4, parseScaled } from '../../model/price.js'
import { sanitize } from '../../core/sanitize.js'
import type { Outcome } from '../../model/venue.js'
import type { FrameVerdict } from '../ports.js'
import { CATALOG_TYPES, parseCatalogChange, type CatalogChange } from './catalog-change.js'
import { integerOf, isJsonObject, parseJson, shown, textOf, textsOf, type JsonObject } from './wire.js'

/** The server's own ceiling on a frame. */
export const MAX_FRAME_BYTES = 64 * 1024 * 1024

/** `[priceE4, sizeE2]` in the price space of the wire: NO dollars on the NO side, unless `use_yes_price` is set. */
export type WireLevel = readonly [priceE4: number, sizeE2: number]

/** Where a frame stands: its subscription, and its place in that subscription's sequence. */
interface FramePlace {
  readonly sid: number | undefined
  readonly seq: number | undefined
}

export interface SubscribedFrame extends FramePlace {
  readonly kind: 'subscribed'
  readonly id: number | undefined
  readonly channel: string
  readonly sid: number
}

export interface OkFrame extends FramePlace {
  readonly kind: 'ok'
  readonly id: number | undefined
  /** The subscription's full list after the command; absent in a `list_subscriptions` reply. */
  readonly marketTickers: readonly string[] | undefined
}

interface UnsubscribedFrame extends FramePlace {
  readonly kind: 'unsubscribed'
  readonly id: number | undefined
}

export interface ErrorFrame extends FramePlace {
  readonly kind: 'error'
  readonly id: number | undefined
  readonly code: number
  /** Sanitized. */
  readonly message: string
  /** The subscription is dead: channel error (10), or we read too slowly (25). */
  readonly terminal: boolean
  /** One market of a list can cause it: invalid parameter (11), ticker required (14), market limit (26). */
  readonly mayBeOneMarket: boolean
}

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

/** A change of the catalog, from the lifecycle channel. */
export interface CatalogFrame extends FramePlace {
  readonly kind: 'catalog'
  /** The message's own word for itself. */
  readonly type: string
  readonly change: CatalogChange
}

export type KalshiFrame =
  SubscribedFrame | OkFrame | UnsubscribedFrame | ErrorFrame | SnapshotFrame | DeltaFrame | CatalogFrame

/** A frame that maps to nothing. `type` is its own word for itself, where it could be read. */
export type PlacedVerdict = FrameVerdict & FramePlace & { readonly type: string | undefined }

const TERMINAL_CODES: ReadonlySet<number> = new Set([10, 25])
const MARKET_CODES: ReadonlySet<number> = new Set([11, 14, 26])

/** Kinds that we do not subscribe to, each with one field of the current form and those that betray the retired one. */
const SKIPPED: ReadonlyMap<
  string,
  { readonly current?: readonly string[]; readonly retired?: readonly string[] }
> = new Map([
  ['ticker', { current: ['yes_bid_dollars', 'price_dollars'], retired: ['yes_bid', 'price', 'yes_ask'] }],
  ['trade', { current: ['yes_price_dollars'], retired: ['yes_price', 'price', 'count'] }],
  ['fill', { current: ['yes_price_dollars'], retired: ['yes_price', 'count'] }],
  ['user_order', { current: ['yes_price_dollars'], retired: ['yes_price', 'remaining_count'] }],
  ['market_position', { current: ['position_fp'], retired: ['position'] }],
  ['multivariate_market_lifecycle', {}],
  ['order_group_updates', {}],
  ['communications', {}],
  ['rfq_created', {}],
  ['rfq_deleted', {}],
  ['quote_created', {}],
  ['quote_accepted', {}],
  ['quote_executed', {}],
  ['cfbenchmarks_value', {}],
  ['cfbenchmarks_value_5hz', {}],
  ['pyth_value', {}],
])

const SNAPSHOT_RETIRED = ['yes', 'no', 'yes_dollars', 'no_dollars']

/** One server frame. Never throws; what it cannot use comes back as a verdict with as much of its place as was legible. */
export function parseFrame(data: string | Buffer): KalshiFrame | PlacedVerdict {
  const bytes = typeof data === 'string' ? Buffer.byteLength(data) : data.length
  if (bytes > MAX_FRAME_BYTES) return refused('oversize', `${bytes} bytes`)
  const text = typeof data === 'string' ? data : data.toString('utf8')
  const frame = parseJson(text)
  if (frame === undefined) return refused('not_json', text.slice(0, 80))
  if (!isJsonObject(frame)) return refused('not_an_object', text.slice(0, 80))
  const type = textOf(frame['type'])
  if (Object.hasOwn(frame, '__proto__')) return refused('proto_key', 'frame')
  if (type === undefined) return refused('no_type', text.slice(0, 80))

  const msg = frame['msg']
  if (isJsonObject(msg) && Object.hasOwn(msg, '__proto__'))
    return refused('proto_key', 'msg', place(frame, type))
  // The `subscribed` reply is the one that names its sid inside msg.
  const sidField = type === 'subscribed' && isJsonObject(msg) ? msg['sid'] : frame['sid']
  if (sidField !== undefined && integerOf(sidField, 1) === undefined) {
    return refused('bad_sid', shown(sidField), { ...place(frame, type), sid: undefined })
  }
  if (frame['seq'] !== undefined && integerOf(frame['seq'], 0) === undefined) {
    return refused('bad_seq', shown(frame['seq']), place(frame, type))
  }
  if (frame['id'] !== undefined && integerOf(frame['id'], 0) === undefined) {
    return refused('bad_id', shown(frame['id']), place(frame, type))
  }
  switch (type) {
    case 'orderbook_delta':
      return parseDelta(frame, msg, type)
    case 'orderbook_snapshot':
      return parseSnapshot(frame, msg, type)
    case 'subscribed':
      return parseSubscribed(frame, msg, type)
    case 'ok':
      return parseOk(frame, msg, type)
    case 'unsubscribed':
      return { kind: 'unsubscribed', id: idOf(frame), sid: sidOf(frame), seq: seqOf(frame) }
    case 'error':
      return parseError(frame, msg, type)
    default:
      return parseOther(frame, msg, type)
  }
}

function parseSubscribed(frame: JsonObject, msg: unknown, type: string): SubscribedFrame | PlacedVerdict {
  if (!isJsonObject(msg)) return refused('no_msg', type, place(frame, type))
  const channel = textOf(msg['channel'])
  const sid = integerOf(msg['sid'], 1)
  if (channel === undefined || sid === undefined) return refused('bad_reply', type, place(frame, type))
  return { kind: 'subscribed', id: idOf(frame), channel, sid, seq: seqOf(frame) }
}

/** Three forms: the list inside msg, the list at top level (older), and the array of `list_subscriptions`. */
function parseOk(frame: JsonObject, msg: unknown, type: string): OkFrame | PlacedVerdict {
  const listed = isJsonObject(msg) ? msg['market_tickers'] : frame['market_tickers']
  const marketTickers = listed === undefined || listed === null ? undefined : textsOf(listed)
  if (listed !== undefined && listed !== null && marketTickers === undefined) {
    return refused('bad_reply', type, place(frame, type))
  }
  return { kind: 'ok', id: idOf(frame), sid: sidOf(frame), seq: seqOf(frame), marketTickers }
}

function parseError(frame: JsonObject, msg: unknown, type: string): ErrorFrame | PlacedVerdict {
  if (!isJsonObject(msg)) return refused('no_msg', type, place(frame, type))
  const code = integerOf(msg['code'], 0)
  if (code === undefined) return refused('bad_reply', type, place(frame, type))
  const message = sanitize(textOf(msg['msg']) ?? '', 200)
  return {
    kind: 'error',
    id: idOf(frame),
    sid: sidOf(frame),
    seq: seqOf(frame),
    code,
    message,
    terminal: TERMINAL_CODES.has(code),
    mayBeOneMarket: MARKET_CODES.has(code),
  }
}

function parseSnapshot(frame: JsonObject, msg: unknown, type: string): SnapshotFrame | PlacedVerdict {
  const at = place(frame, type)
  if (!isJsonObject(msg)) return refused('no_msg', type, at)
  const sid = sidOf(frame)
  const seq = seqOf(frame)
  if (sid === undefined) return refused('bad_sid', 'missing', at)
  if (seq === undefined) return refused('bad_seq', 'missing', at)
  const ticker = textOf(msg['market_ticker'])
  if (ticker === undefined) return refused('bad_ticker', type, at)
  const yesField = msg['yes_dollars_fp']
  const noField = msg['no_dollars_fp']
  // A side with no orders has no key at all: only then could another form hide behind the absence.
  if (yesField === undefined || noField === undefined) {
    const hidden = hiddenBookForm(msg)
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

function parseDelta(frame: JsonObject, msg: unknown, type: string): DeltaFrame | PlacedVerdict {
  const at = place(frame, type)
  if (!isJsonObject(msg)) return refused('no_msg', type, at)
  const sid = sidOf(frame)
  const seq = seqOf(frame)
  if (sid === undefined) return refused('bad_sid', 'missing', at)
  if (seq === undefined) return refused('bad_seq', 'missing', at)
  const ticker = textOf(msg['market_ticker'])
  if (ticker === undefined) return refused('bad_ticker', type, at)
  const price = msg['price_dollars']
  const delta = msg['delta_fp']
  if (
    (price === undefined && msg['price'] !== undefined) ||
    (delta === undefined && msg['delta'] !== undefined)
  ) {
    return refused('retired_form', ticker, at)
  }
  const priceE4 = restingPriceE4(price)
  if (priceE4 === undefined) return refused('bad_price', `${ticker} ${shown(price)}`, at)
  const deltaE2 = typeof delta === 'string' ? parseScaled(delta, 2) : undefined
  if (deltaE2 === undefined) return refused('bad_size', `${ticker} ${shown(delta)}`, at)
  const side = msg['side']
  if (side !== 'yes' && side !== 'no') return refused('bad_side', `${ticker} ${shown(side)}`, at)
  const venueMs = venueMsOf(msg)
  if (venueMs === 'bad') return refused('bad_ts', ticker, at)
  return { kind: 'delta', sid, seq, ticker, side, priceE4, deltaE2, venueMs }
}

function parseOther(frame: JsonObject, msg: unknown, type: string): CatalogFrame | PlacedVerdict {
  const at = place(frame, type)
  const catalogType = CATALOG_TYPES.find((known) => known === type)
  if (catalogType !== undefined) {
    if (!isJsonObject(msg)) return refused('no_msg', type, at)
    const change = parseCatalogChange(catalogType, msg)
    const isVerdict = change.kind === 'refused' || change.kind === 'unknown' || change.kind === 'skipped'
    return isVerdict ? { ...change, ...at } : { kind: 'catalog', ...at, change }
  }
  const known = SKIPPED.get(type)
  if (known === undefined) return { kind: 'unknown', name: sanitize(type, 64), ...at }
  if (!isJsonObject(msg)) return refused('no_msg', type, at)
  const { current, retired } = known
  if (current !== undefined && !current.some((name) => typeof msg[name] === 'string')) {
    return refused(
      retired?.some((name) => msg[name] !== undefined) ? 'retired_form' : 'missing_field',
      type,
      at,
    )
  }
  return { kind: 'skipped', name: type, ...at }
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

const idOf = (frame: JsonObject): number | undefined => integerOf(frame['id'], 0)
const sidOf = (frame: JsonObject): number | undefined => integerOf(frame['sid'], 1)
const seqOf = (frame: JsonObject): number | undefined => integerOf(frame['seq'], 0)

function place(frame: JsonObject, type: string): FramePlace & { readonly type: string } {
  return { sid: sidOf(frame), seq: seqOf(frame), type: sanitize(type, 64) }
}

const NOWHERE = { sid: undefined, seq: undefined, type: undefined } as const

function refused(
  reason: string,
  detail: string,
  at: FramePlace & { readonly type: string | undefined } = NOWHERE,
): PlacedVerdict {
  return { kind: 'refused', reason, detail: sanitize(detail, 120), sid: at.sid, seq: at.seq, type: at.type }
}
