/**
 * The wire of the market channel: text in, checked events out.
 *
 * A frame is one JSON object, an array of them (dumps and batches, known and unknown forms mixed), or the text
 * `PONG`. Numbers are decimal strings; an absent one is `""`. Each value that the venue's book hash covers is kept
 * verbatim beside its integer, because the hash is taken over the venue's own strings.
 */

import { messageOf } from '../../core/errors.js'
import { sanitize } from '../../core/sanitize.js'
import type { FrameVerdict } from '../ports.js'
import type { BookEvent, LevelChange, PolyEvent, PriceChangeEvent } from './events.js'
import {
  asObject,
  assetId,
  decimal,
  isAbsent,
  level,
  levels,
  marketId,
  optionalDecimal,
  optionalText,
  price,
  Refusal,
  shown,
  statedBest,
  tick,
  timestamp,
  venueMs,
  type Json,
} from './fields.js'
import { ILLEGIBLE, placeLost, type PlacedVerdict } from './lost-frame.js'

/** A dump of 200 books with a thousand levels each stays below this. */
export const MAX_FRAME_BYTES = 16 * 1024 * 1024

export const isVerdict = (item: PolyEvent | PlacedVerdict): item is PlacedVerdict => 'kind' in item

/** Everything one frame says, in order. Never throws; nothing of the frame is passed over without a verdict. */
export function parseFrames(data: string | Buffer): (PolyEvent | PlacedVerdict)[] {
  const bytes = typeof data === 'string' ? Buffer.byteLength(data) : data.length
  if (bytes > MAX_FRAME_BYTES) return [{ ...refused('oversize', `${bytes} bytes`), lost: ILLEGIBLE }]
  const text = typeof data === 'string' ? data : data.toString('utf8')
  if (text.trim() === 'PONG') return [{ kind: 'skipped', name: 'PONG' }]
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return [{ ...refused('not_json', text.slice(0, 80)), lost: ILLEGIBLE }]
  }
  if (!Array.isArray(parsed)) return [parseOne(parsed)]
  return parsed.length === 0 ? [{ kind: 'skipped', name: 'empty_array' }] : parsed.map(parseOne)
}

/** The answer of `GET /book`: the same shape as a `book` frame, without its event_type. */
export function parseBookBody(text: string): BookEvent | FrameVerdict {
  const parsed = parseBody(text)
  return parsed.kind === 'json' ? bookOf(parsed.value) : parsed
}

/** The answer of `POST /books`, an array of what `GET /book` answers: each book, or what is wrong with it. */
export function parseBooksBody(text: string): readonly (BookEvent | FrameVerdict)[] | FrameVerdict {
  const parsed = parseBody(text)
  if (parsed.kind !== 'json') return parsed
  return Array.isArray(parsed.value) ? parsed.value.map(bookOf) : refused('not_array', text.slice(0, 80))
}

function parseBody(text: string): { readonly kind: 'json'; readonly value: unknown } | FrameVerdict {
  try {
    return { kind: 'json', value: JSON.parse(text) as unknown }
  } catch {
    return refused('not_json', text.slice(0, 80))
  }
}

function bookOf(value: unknown): BookEvent | FrameVerdict {
  try {
    return parseBook(asObject(value))
  } catch (error) {
    return refusedBy(error)
  }
}

function refused(reason: string, detail: string): FrameVerdict {
  return { kind: 'refused', reason, detail: sanitize(detail, 160) }
}

function parseOne(value: unknown): PolyEvent | PlacedVerdict {
  let item: PolyEvent | FrameVerdict
  try {
    item = parseEvent(asObject(value))
  } catch (error) {
    item = refusedBy(error)
  }
  if (!isVerdict(item) || !isLoss(item)) return item
  const lost = placeLost(value)
  return lost === undefined ? item : { ...item, lost }
}

/** A form that we have never seen is a loss when its name says that it is of the book's family. */
const isLoss = (verdict: FrameVerdict): boolean =>
  verdict.kind === 'refused' || (verdict.kind === 'unknown' && BOOK_FAMILY.test(verdict.name))

const BOOK_FAMILY = /^(book|price_change|tick_size)/

/** A mistake of the parser's own costs the frame, never the process. */
function refusedBy(error: unknown): FrameVerdict {
  return error instanceof Refusal
    ? refused(error.reason, error.message)
    : refused('parser_error', messageOf(error))
}

const EVENT_NAME = /^[a-z][a-z0-9_]{0,47}$/

/** The sports channel's message, bare or wrapped: the one form without an event_type that a venue socket sends. */
const isScore = ({ type, live, ended, score }: Json): boolean =>
  type === 'sport_result' ||
  (typeof live === 'boolean' && typeof ended === 'boolean' && typeof score === 'string')

function parseEvent(frame: Json): PolyEvent | FrameVerdict {
  const type = frame.event_type
  if (type === undefined) {
    if (isScore(frame)) return { kind: 'skipped', name: 'sports_result' }
    throw new Refusal('no_event_type', Object.keys(frame).slice(0, 8).join(','))
  }
  if (typeof type !== 'string' || !EVENT_NAME.test(type)) throw new Refusal('bad_event_type', shown(type))
  switch (type) {
    case 'book':
      return parseBook(frame)
    case 'price_change':
      return parsePriceChange(frame)
    case 'last_trade_price':
      return {
        type,
        market: marketId(frame.market),
        assetId: assetId(frame.asset_id),
        price: decimal(frame.price, 'price'),
        priceE4: price(frame.price),
        venueMs: venueMs(frame.timestamp),
      }
    case 'tick_size_change': {
      const oldTickSize = optionalDecimal(frame.old_tick_size, 'old_tick_size')
      return {
        type,
        market: marketId(frame.market),
        assetId: assetId(frame.asset_id),
        ...(oldTickSize === undefined ? {} : { oldTickSize }),
        newTickSize: tick(frame.new_tick_size, 'new_tick_size'),
        venueMs: venueMs(frame.timestamp),
      }
    }
    case 'best_bid_ask':
      return {
        type,
        market: marketId(frame.market),
        assetId: assetId(frame.asset_id),
        bestBidE4: statedBest(frame.best_bid, 'best_bid'),
        bestAskE4: statedBest(frame.best_ask, 'best_ask'),
        venueMs: venueMs(frame.timestamp),
      }
    case 'new_market': {
      const slug = optionalText(frame.slug, 'slug')
      return { type, market: marketId(frame.market), ...(slug === undefined ? {} : { slug }) }
    }
    case 'market_resolved':
      return { type, market: marketId(frame.market) }
    case 'order':
    case 'trade':
      return { kind: 'skipped', name: type }
    default:
      return { kind: 'unknown', name: type }
  }
}

function parseBook(frame: Json): BookEvent {
  const hash = optionalText(frame.hash, 'hash')
  const tickSize = isAbsent(frame.tick_size) ? undefined : tick(frame.tick_size, 'tick_size')
  const lastTradePrice = optionalDecimal(frame.last_trade_price, 'last_trade_price')
  const minOrderSize = optionalDecimal(frame.min_order_size, 'min_order_size')
  const negRisk = frame.neg_risk
  if (negRisk !== undefined && negRisk !== null && typeof negRisk !== 'boolean') {
    throw new Refusal('bad_field', 'neg_risk is not a boolean')
  }
  return {
    type: 'book',
    market: marketId(frame.market),
    assetId: assetId(frame.asset_id),
    timestamp: timestamp(frame.timestamp),
    venueMs: venueMs(frame.timestamp),
    bids: levels(frame.bids, 'bids'),
    asks: levels(frame.asks, 'asks'),
    ...(hash === undefined ? {} : { hash }),
    ...(tickSize === undefined ? {} : { tickSize }),
    ...(lastTradePrice === undefined ? {} : { lastTradePrice }),
    ...(minOrderSize === undefined ? {} : { minOrderSize }),
    ...(typeof negRisk === 'boolean' ? { negRisk } : {}),
  }
}

function parsePriceChange(frame: Json): PriceChangeEvent {
  const stamp = { timestamp: timestamp(frame.timestamp), venueMs: venueMs(frame.timestamp) }
  const market = marketId(frame.market)
  if (Array.isArray(frame.price_changes)) {
    if (frame.price_changes.length === 0) throw new Refusal('bad_field', 'price_changes is empty')
    const changes = frame.price_changes.map((entry) => levelChange(asObject(entry)))
    return { type: 'price_change', schema: 'changes', market, ...stamp, changes }
  }
  if (frame.price_changes !== undefined) throw new Refusal('bad_field', 'price_changes is not an array')
  return { type: 'price_change', schema: 'flat', market, ...stamp, changes: changesOfOneToken(frame) }
}

/** The forms of 2025, one token a message: the change itself, or a list `changes` beside the token and its hash. */
function changesOfOneToken(frame: Json): LevelChange[] {
  const { changes, asset_id, hash } = frame
  if (changes === undefined) return [levelChange(frame)]
  if (!Array.isArray(changes) || changes.length === 0) throw new Refusal('bad_field', 'changes is no list')
  return changes.map((entry) => levelChange({ ...asObject(entry), asset_id, hash }))
}

function levelChange(entry: Json): LevelChange {
  const hash = optionalText(entry.hash, 'hash')
  if (entry.side !== 'BUY' && entry.side !== 'SELL') throw new Refusal('bad_side', shown(entry.side))
  return {
    assetId: assetId(entry.asset_id),
    side: entry.side === 'BUY' ? 'bid' : 'ask',
    level: level(entry),
    ...(hash === undefined ? {} : { hash }),
    bestBidE4: statedBest(entry.best_bid, 'best_bid'),
    bestAskE4: statedBest(entry.best_ask, 'best_ask'),
  }
}
