/**
 * The schema of every message, for documentation, tools and other languages (`arbees schema`).
 * The hot path checks the same by hand in `checks.ts`. Unknown fields pass.
 */

import { toJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import { ArbeesError, EXIT } from '../core/errors.js'
import { GAME_STATUSES, LEAGUES, MARKET_KINDS } from '../model/game.js'
import { ORDER_STATES, TRADE_STATUSES } from '../model/order.js'
import { QUOTE_STATES } from '../model/quote.js'
import { CANCELED_RULES, OVERTIME_RULES, POSTPONED_RULES, TIE_RULES } from '../model/settlement.js'
import { COMBINATION_KINDS } from '../model/signal.js'
import { ENVS, MODES, VENUES } from '../model/venue.js'

const text = v.pipe(v.string(), v.nonEmpty())
const integer = v.pipe(v.number(), v.safeInteger())
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const ordinal = v.pipe(v.number(), v.safeInteger(), v.minValue(1))
const finite = v.pipe(v.number(), v.finite())
const price = v.pipe(v.number(), v.minValue(0), v.maxValue(1), v.description('dollars'))
const size = v.pipe(v.number(), v.minValue(0), v.maxValue(1e13), v.description('contracts'))
const venue = v.picklist(VENUES)
const outcome = v.picklist(['yes', 'no'])
const side = v.picklist(['buy', 'sell'])
const level = v.strictTuple([price, size])
const micros = v.pipe(v.number(), v.safeInteger(), v.description('micro-dollars'))

const prices = v.object({
  venue,
  market_id: text,
  game_id: v.optional(text),
  selection: v.string(),
  state: v.picklist(QUOTE_STATES),
  yes_bid: v.nullish(price),
  yes_ask: v.nullish(price),
  yes_bid_size: v.nullish(size),
  yes_ask_size: v.nullish(size),
  book_seq: count,
})

const orderbook = v.object({
  venue,
  market_id: text,
  state: v.picklist(QUOTE_STATES),
  bids: v.pipe(v.array(level), v.description('YES side, best first, at most 10')),
  asks: v.pipe(v.array(level), v.description('YES side, best first, at most 10')),
  book_seq: count,
})

const team = v.object({ code: text, name: v.string(), score: integer })

const settlement = v.object({
  overtime: v.picklist(OVERTIME_RULES),
  tie: v.picklist(TIE_RULES),
  postponed: v.picklist(POSTPONED_RULES),
  canceled: v.picklist(CANCELED_RULES),
})

// Every field may be missing: without the check an array would pass for one.
const situation = v.pipe(
  v.custom<object>((value) => typeof value === 'object' && value !== null && !Array.isArray(value)),
  v.object({
    possession: v.optional(v.picklist(['home', 'away'])),
    down: v.optional(count),
    distance: v.optional(count),
    yard_line: v.optional(count),
    outs: v.optional(count),
    bases: v.optional(count),
    half: v.optional(v.picklist(['top', 'bottom'])),
  }),
)

const gameMarket = v.object({
  venue,
  market_id: text,
  kind: v.picklist(MARKET_KINDS),
  selection: text,
  venue_selection: v.optional(text),
  settlement: v.optional(settlement),
  tick: v.pipe(price, v.gtValue(0), v.description('a price step that holds at every price')),
  price_ranges: v.optional(
    v.pipe(
      v.array(v.strictTuple([price, price, v.pipe(price, v.gtValue(0))])),
      v.description('[start, end, step] where the step differs between prices, lowest first'),
    ),
  ),
  size_step: v.pipe(size, v.gtValue(0)),
  min_size: v.pipe(size, v.gtValue(0)),
  fee: v.object({ rate_ppm: count, round_up_micros: count }),
  taker_delay_ms: count,
  token_ids: v.optional(v.strictTuple([text, text])),
  neg_risk: v.optional(v.boolean()),
  exchange_index: v.optional(integer),
})

const games = v.object({
  league: v.picklist(LEAGUES),
  game_id: text,
  home: team,
  away: team,
  status: v.picklist(GAME_STATUSES),
  period: count,
  clock_s: v.optional(finite),
  situation: v.optional(situation),
  home_win_ppm: v.optional(count),
  start_ms: count,
  markets: v.array(gameMarket),
  shard: count,
  shard_before: v.optional(count),
  shard_from_ms: v.optional(count),
  provider: text,
  fetched_ms: count,
})

const gameNotice = v.object({ league: v.picklist(LEAGUES), game_id: text })

const signals = v.object({
  id: text,
  kind: v.picklist(COMBINATION_KINDS),
  game_id: text,
  pair: text,
  legs: v.array(v.object({ venue, market_id: text, outcome, side, limit: price, size })),
  size,
  gross_edge_micros: micros,
  fees_micros: micros,
  net_edge_micros: micros,
  worst_payout_micros: micros,
  inputs: v.array(v.object({ source: text, epoch: count, seq: count, age_us: count })),
  valid_ms: count,
  hmac: v.optional(text),
})

const orders = v.object({
  mode: v.picklist(MODES),
  order_id: text,
  signal_id: text,
  leg: count,
  attempt: count,
  venue,
  market_id: text,
  outcome,
  side,
  limit: price,
  size,
  state: v.picklist(ORDER_STATES),
  reason: v.optional(v.string()),
  checks: v.optional(v.array(v.object({ name: text, value: finite, limit: finite }))),
  venue_order_id: v.optional(text),
})

const trades = v.object({
  mode: v.picklist(MODES),
  order_id: text,
  signal_id: text,
  leg: count,
  status: v.picklist(TRADE_STATUSES),
  filled_size: size,
  cash_micros: micros,
  fees_micros: micros,
  venue_trade_ids: v.array(text),
  latency_ms: finite,
})

const stamp = v.optional(count)
const header = {
  v: v.literal(1),
  env: v.picklist(ENVS),
  source: v.pipe(v.string(), v.regex(/^[a-z0-9.-]{1,64}$/)),
  epoch: ordinal,
  seq: ordinal,
  prev: v.optional(count),
  timestamp_ms: count,
  host: text,
  trace: text,
  stamps: v.pipe(
    // To valibot an array is an object too, and here no field is required.
    v.unknown(),
    v.check((value) => !Array.isArray(value)),
    v.object({
      venue_ms: stamp,
      recv: stamp,
      pub: stamp,
      shard_in: stamp,
      shard_out: stamp,
      exec_in: stamp,
      order: stamp,
    }),
  ),
}

/** Payload schemas by name: the six families, and the notice of `games.discovered` and `games.updated`. */
export const PAYLOAD_SCHEMAS = {
  prices,
  orderbook,
  games,
  'game-notice': gameNotice,
  signals,
  orders,
  trades,
} as const
export type SchemaName = keyof typeof PAYLOAD_SCHEMAS
export const SCHEMA_NAMES = Object.keys(PAYLOAD_SCHEMAS) as SchemaName[]

/** The whole envelope around one payload. */
export const envelopeSchema = (name: SchemaName) => v.object({ ...header, payload: PAYLOAD_SCHEMAS[name] })

/** JSON Schema (draft 07) of one message as it stands in the second frame. Throws `UNKNOWN_SCHEMA` (usage). */
export function jsonSchemaOf(name: string): Record<string, unknown> {
  const known = SCHEMA_NAMES.find((candidate) => candidate === name)
  if (known === undefined) {
    throw new ArbeesError('UNKNOWN_SCHEMA', `no schema named '${name}'`, {
      exit: EXIT.USAGE,
      hint: `one of: ${SCHEMA_NAMES.join(', ')}`,
    })
  }
  const { $schema, ...schema } = toJsonSchema(envelopeSchema(known), { errorMode: 'ignore' })
  return { $schema, title: `arbees ${known} envelope`, ...schema }
}
