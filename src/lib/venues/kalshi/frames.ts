/**
 * The Kalshi WebSocket wire (v2, prices as dollar strings and counts as `_fp` strings): a strict
 * parse of what the server sends. The integer-cent forms retired in 2026 are refused by name, because reading them
 * as "no such field" once showed empty books for minutes.
 */

import { sanitize } from '../../core/sanitize.js'
import { parseDelta, parseSnapshot, type DeltaFrame, type SnapshotFrame } from './book-frames.js'
import { CATALOG_TYPES, parseCatalogChange, type CatalogChange } from './catalog-change.js'
import { idOf, place, refused, seqOf, sidOf, type FramePlace, type PlacedVerdict } from './frame-place.js'
import {
  parseError,
  parseOk,
  parseSubscribed,
  type ErrorFrame,
  type OkFrame,
  type SubscribedFrame,
  type UnsubscribedFrame,
} from './reply-frames.js'
import { integerOf, isJsonObject, parseJson, shown, textOf, type JsonObject } from './wire.js'

/** The server's own ceiling on a frame. */
export const MAX_FRAME_BYTES = 64 * 1024 * 1024

/** A change of the catalog, from the lifecycle channel. */
export interface CatalogFrame extends FramePlace {
  readonly kind: 'catalog'
  /** The message's own word for itself. */
  readonly type: string
  readonly change: CatalogChange
}

export type KalshiFrame =
  SubscribedFrame | OkFrame | UnsubscribedFrame | ErrorFrame | SnapshotFrame | DeltaFrame | CatalogFrame

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
