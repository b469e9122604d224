/**
 * A REST answer as a file, served on loopback to the real client of the call that it belongs to, by its name and, where
 * that says nothing, by its fields. What the client made of it stands beside what a slow reading of the text says.
 */

import { replayFills, replayLearned, replayMoney, replayPositions, replayStatus } from './replay-account.js'
import { replayBook, replayMarkets, replaySeries, replayTrades, replayUnused } from './replay-lists.js'
import { replayCancel, replayCreate, replayOrders, replayRefusal } from './replay-orders.js'
import { bodyOf, type Recording, type Said } from './replay-venue.js'

export interface Replayed extends Said {
  readonly reader: Reader
}

export type Reader =
  | 'refusal'
  | 'create'
  | 'cancel'
  | 'orders'
  | 'fills'
  | 'positions'
  | 'balance'
  | 'limits'
  | 'costs'
  | 'status'
  | 'markets'
  | 'series'
  | 'book'
  | 'trades'
  | 'unused'

const BY_NAME: readonly (readonly [RegExp, Reader])[] = [
  [/endpoint_costs/, 'costs'],
  [/account_limits/, 'limits'],
  [/balance/, 'balance'],
  [/exchange_status/, 'status'],
  [/batch|amend|decrease|order_group/, 'unused'],
  [/create/, 'create'],
  [/cancel/, 'cancel'],
  [/orderbook/, 'book'],
  [/trades/, 'trades'],
  [/positions/, 'positions'],
  [/fill/, 'fills'],
  [/orders_list|get_orders?_/, 'orders'],
  [/markets?_|events?_/, 'markets'],
  [/series/, 'series'],
]

/** A field that only the answer to this call has. */
const BY_FIELD: readonly (readonly [string, Reader])[] = [
  ['endpoint_costs', 'costs'],
  ['usage_tier', 'limits'],
  ['balance_dollars', 'balance'],
  ['exchange_active', 'status'],
  ['fill_count', 'create'],
  ['reduced_by', 'cancel'],
  ['orderbook_fp', 'book'],
  ['trades', 'trades'],
  ['market_positions', 'positions'],
  ['fills', 'fills'],
  ['orders', 'orders'],
  ['markets', 'markets'],
  ['market', 'markets'],
  ['events', 'markets'],
  ['series', 'series'],
]
/** Fields of documented answers to calls that we never make. */
const UNUSED =
  /^(orders?|order_id|order_groups?|order_group_id|settlements|schedule|milestones?|announcements|orderbooks|series_fee_change_arr|event_fee_changes|queue_positions?|candlesticks|transfer_id|target_allocations?|api_keys|tags_by_categories|filters_by_sports|user_data_last_updated|as_of_time)$/

const isOfUnused = (body: object): boolean => Object.keys(body).some((key) => UNUSED.test(key))

/** Throws for an answer of no documented call. */
export function readerOf({ name, status, text }: Recording): Reader {
  if (status >= 300) return 'refusal'
  if (status === 204) return 'unused'
  const body = bodyOf(text)
  const named = BY_NAME.find(([pattern]) => pattern.test(name))?.[1]
  if (named !== undefined && (named !== 'unused' || isOfUnused(body))) return named
  const shaped = BY_FIELD.find(([field]) => field in body)?.[1]
  if (shaped !== undefined) return shaped
  if (isOfUnused(body)) return 'unused'
  throw new Error(`${name}: an answer to no call that we know`)
}

export async function replay(recording: Recording): Promise<Replayed> {
  const reader = readerOf(recording)
  return { reader, ...(await READERS[reader](recording)) }
}

const READERS: Readonly<Record<Reader, (recording: Recording) => Promise<Said>>> = {
  refusal: replayRefusal,
  create: replayCreate,
  cancel: replayCancel,
  orders: replayOrders,
  fills: replayFills,
  positions: replayPositions,
  balance: replayMoney,
  limits: (recording) => replayLearned(recording, /^\/account\/limits$/),
  costs: (recording) => replayLearned(recording, /^\/account\/endpoint_costs$/),
  status: replayStatus,
  markets: replayMarkets,
  series: replaySeries,
  book: replayBook,
  trades: replayTrades,
  unused: replayUnused,
}
