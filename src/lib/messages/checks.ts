/**
 * Hand-written checks of the wire payloads, for the hot path. They accept exactly what `schemas.ts` accepts
 * (a property test holds the two together); unknown fields pass.
 *
 * Each returns the name of the first field that is wrong, or undefined when all is well.
 */

import { GAME_STATUSES, LEAGUES, MARKET_KINDS } from '../model/game.js'
import { ORDER_STATES, TRADE_STATUSES } from '../model/order.js'
import { QUOTE_STATES } from '../model/quote.js'
import { CANCELED_RULES, OVERTIME_RULES, POSTPONED_RULES, TIE_RULES } from '../model/settlement.js'
import { COMBINATION_KINDS } from '../model/signal.js'
import { ENVS, VENUES } from '../model/venue.js'
import type { Family } from './topics.js'

export type JsonObject = Readonly<Record<string, unknown>>
type Check = (value: unknown) => boolean

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isString: Check = (value) => typeof value === 'string'
const isText: Check = (value) => typeof value === 'string' && value !== ''
const isBoolean: Check = (value) => typeof value === 'boolean'
const isFinite: Check = (value) => typeof value === 'number' && Number.isFinite(value)
const isInteger: Check = (value) => Number.isSafeInteger(value)
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0
const isPrice: Check = (value) => typeof value === 'number' && value >= 0 && value <= 1
const isPositive =
  (check: Check): Check =>
  (value) =>
    check(value) && (value as number) > 0
const isSize: Check = (value) => typeof value === 'number' && value >= 0 && value <= 1e13
const oneOf = (allowed: readonly string[]): Check => {
  const set = new Set<unknown>(allowed)
  return (value) => set.has(value)
}
const nullable =
  (check: Check): Check =>
  (value) =>
    value === null || check(value)
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value)
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check)
const isLevel: Check = (value) =>
  Array.isArray(value) && value.length === 2 && isPrice(value[0]) && isSize(value[1])
const isPriceRange: Check = (value) =>
  Array.isArray(value) && value.length === 3 && value.every(isPrice) && value[2] > 0
const isTokenPair: Check = (value) => Array.isArray(value) && value.length === 2 && value.every(isText)

type Fields = readonly (readonly [name: string, check: Check])[]

/** The first field that fails, or undefined. */
function firstWrong(object: JsonObject, fields: Fields): string | undefined {
  for (const [name, check] of fields) {
    if (!check(object[name])) return name
  }
  return undefined
}
const shape =
  (fields: Fields): Check =>
  (value) =>
    isObject(value) && firstWrong(value, fields) === undefined

const isVenueField = oneOf(VENUES)
const isOutcome = oneOf(['yes', 'no'])
const isSide = oneOf(['buy', 'sell'])

const PRICES: Fields = [
  ['venue', isVenueField],
  ['market_id', isText],
  ['game_id', optional(isText)],
  ['selection', isString],
  ['state', oneOf(QUOTE_STATES)],
  ['yes_bid', optional(nullable(isPrice))],
  ['yes_ask', optional(nullable(isPrice))],
  ['yes_bid_size', optional(nullable(isSize))],
  ['yes_ask_size', optional(nullable(isSize))],
  ['book_seq', isCount],
]

const ORDERBOOK: Fields = [
  ['venue', isVenueField],
  ['market_id', isText],
  ['state', oneOf(QUOTE_STATES)],
  ['bids', listOf(isLevel)],
  ['asks', listOf(isLevel)],
  ['book_seq', isCount],
]

const isTeam = shape([
  ['code', isText],
  ['name', isString],
  ['score', isInteger],
])

const isSettlement = shape([
  ['overtime', oneOf(OVERTIME_RULES)],
  ['tie', oneOf(TIE_RULES)],
  ['postponed', oneOf(POSTPONED_RULES)],
  ['canceled', oneOf(CANCELED_RULES)],
])

const isSituation = shape([
  ['possession', optional(oneOf(['home', 'away']))],
  ['down', optional(isCount)],
  ['distance', optional(isCount)],
  ['yard_line', optional(isCount)],
  ['outs', optional(isCount)],
  ['bases', optional(isCount)],
  ['half', optional(oneOf(['top', 'bottom']))],
])

const isGameMarket = shape([
  ['venue', isVenueField],
  ['market_id', isText],
  ['kind', oneOf(MARKET_KINDS)],
  ['selection', isText],
  ['venue_selection', optional(isText)],
  ['settlement', optional(isSettlement)],
  ['tick', isPositive(isPrice)],
  ['price_ranges', optional(listOf(isPriceRange))],
  ['size_step', isPositive(isSize)],
  ['min_size', isPositive(isSize)],
  [
    'fee',
    shape([
      ['rate_ppm', isCount],
      ['round_up_micros', isCount],
    ]),
  ],
  ['taker_delay_ms', isCount],
  ['token_ids', optional(isTokenPair)],
  ['neg_risk', optional(isBoolean)],
  ['exchange_index', optional(isInteger)],
])

const GAMES: Fields = [
  ['league', oneOf(LEAGUES)],
  ['game_id', isText],
  ['home', isTeam],
  ['away', isTeam],
  ['status', oneOf(GAME_STATUSES)],
  ['period', isCount],
  ['clock_s', optional(isFinite)],
  ['situation', optional(isSituation)],
  ['home_win_ppm', optional(isCount)],
  ['start_ms', isCount],
  ['markets', listOf(isGameMarket)],
  ['shard', isCount],
  ['shard_before', optional(isCount)],
  ['shard_from_ms', optional(isCount)],
  ['provider', isText],
  ['fetched_ms', isCount],
]

const GAME_NOTICE: Fields = [
  ['league', oneOf(LEAGUES)],
  ['game_id', isText],
]

const SIGNALS: Fields = [
  ['id', isText],
  ['kind', oneOf(COMBINATION_KINDS)],
  ['game_id', isText],
  ['pair', isText],
  [
    'legs',
    listOf(
      shape([
        ['venue', isVenueField],
        ['market_id', isText],
        ['outcome', isOutcome],
        ['side', isSide],
        ['limit', isPrice],
        ['size', isSize],
      ]),
    ),
  ],
  ['size', isSize],
  ['gross_edge_micros', isInteger],
  ['fees_micros', isInteger],
  ['net_edge_micros', isInteger],
  ['worst_payout_micros', isInteger],
  [
    'inputs',
    listOf(
      shape([
        ['source', isText],
        ['epoch', isCount],
        ['seq', isCount],
        ['age_us', isCount],
      ]),
    ),
  ],
  ['valid_ms', isCount],
  ['hmac', optional(isText)],
]

const ORDERS: Fields = [
  ['mode', oneOf(['paper', 'live'])],
  ['order_id', isText],
  ['signal_id', isText],
  ['leg', isCount],
  ['attempt', isCount],
  ['venue', isVenueField],
  ['market_id', isText],
  ['outcome', isOutcome],
  ['side', isSide],
  ['limit', isPrice],
  ['size', isSize],
  ['state', oneOf(ORDER_STATES)],
  ['reason', optional(isString)],
  [
    'checks',
    optional(
      listOf(
        shape([
          ['name', isText],
          ['value', isFinite],
          ['limit', isFinite],
        ]),
      ),
    ),
  ],
  ['venue_order_id', optional(isText)],
]

const TRADES: Fields = [
  ['mode', oneOf(['paper', 'live'])],
  ['order_id', isText],
  ['signal_id', isText],
  ['leg', isCount],
  ['status', oneOf(TRADE_STATUSES)],
  ['filled_size', isSize],
  ['cash_micros', isInteger],
  ['fees_micros', isInteger],
  ['venue_trade_ids', listOf(isText)],
  ['latency_ms', isFinite],
]

const STAMPS: Fields = [
  ['venue_ms', optional(isCount)],
  ['recv', optional(isCount)],
  ['pub', optional(isCount)],
  ['shard_in', optional(isCount)],
  ['shard_out', optional(isCount)],
  ['exec_in', optional(isCount)],
  ['order', optional(isCount)],
]

const HEADER: Fields = [
  ['v', (value) => value === 1],
  ['env', oneOf(ENVS)],
  ['source', (value) => typeof value === 'string' && /^[a-z0-9.-]{1,64}$/.test(value)],
  ['epoch', (value) => isCount(value) && (value as number) > 0],
  ['seq', (value) => isCount(value) && (value as number) > 0],
  ['prev', optional(isCount)],
  ['timestamp_ms', isCount],
  ['host', isText],
  ['trace', isText],
  ['stamps', shape(STAMPS)],
]

const PAYLOADS: Readonly<Record<Family, Fields>> = {
  prices: PRICES,
  orderbook: ORDERBOOK,
  games: GAMES,
  signals: SIGNALS,
  orders: ORDERS,
  trades: TRADES,
}

/** The first wrong field of an envelope's header, or undefined. */
export const wrongHeaderField = (envelope: JsonObject): string | undefined => firstWrong(envelope, HEADER)

/** The first wrong field of a payload, or undefined. `notice` says that the topic is a `games.` notice. */
export const wrongPayloadField = (family: Family, payload: JsonObject, notice: boolean): string | undefined =>
  firstWrong(payload, notice ? GAME_NOTICE : PAYLOADS[family])
