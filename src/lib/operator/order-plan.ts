/** A manual order as it is shown before it is sent: what the bus knows of its market, what it may cost, who trades it. */

import type { BusKeys } from '../bus/curve.js'
import type { Clock } from '../core/clock.js'
import type { Settings } from '../core/config.js'
import { ArbeesError, EXIT } from '../core/errors.js'
import { sanitize } from '../core/sanitize.js'
import type { GameMarketPayload, GamesPayload, PricesPayload } from '../messages/payloads.js'
import { takerFeeMicros } from '../model/fees.js'
import type { ManualOrder } from '../model/manual-order.js'
import { ONE_E4, costMicros, priceE4FromWire, sizeE2FromWire } from '../model/price.js'
import type { Env, Mode, Side } from '../model/venue.js'
import { modeOfEnv } from '../roles/exec-gateways.js'
import { newestMessages } from './newest-messages.js'

/** What somebody types: dollars and contracts. */
export type TypedOrder = Pick<ManualOrder, 'venue' | 'market_id' | 'outcome' | 'side' | 'limit' | 'size'>

export interface OrderPlan extends TypedOrder {
  /** Whose exec is to take it. */
  readonly env: Env
  readonly mode: Mode
  /** What the market pays on; null where no game has told of it. */
  readonly title: string | null
  /** Of the outcome, as last told; null where nobody has. */
  readonly quote: { readonly bid: number | null; readonly ask: number | null; readonly state: string } | null
  /** At the limit: what a buy pays at most, what a sale gets at least, micro-dollars. */
  readonly cash_micros: number
  /** Of all of it at the dearest price within the limit, in one fill; null where the market's fees are not known. */
  readonly fee_micros: number | null
}

/** The order in integers; throws `BAD_LIMIT`, `BAD_SIZE`, `BAD_MARKET` (usage), each naming the value. */
export function checkTyped({ limit, size, market_id: id }: TypedOrder): { limitE4: number; sizeE2: number } {
  const limitE4 = priceE4FromWire(limit)
  const sizeE2 = sizeE2FromWire(size)
  const usage = { exit: EXIT.USAGE }
  if (limitE4 === undefined || limitE4 <= 0 || limitE4 >= ONE_E4) {
    const hint = 'dollars between 0 and 1, at most four decimals: --limit 0.57'
    throw new ArbeesError('BAD_LIMIT', `--limit ${limit} is no price`, { ...usage, hint })
  }
  if (sizeE2 === undefined || sizeE2 === 0) {
    const hint = 'contracts, at most two decimals: --size 10'
    throw new ArbeesError('BAD_SIZE', `--size ${size} is no number of contracts`, { ...usage, hint })
  }
  if (!/^[\x21-\x7e]{1,200}$/.test(id)) {
    const hint = 'a Kalshi market ticker (arbees markets kalshi), or a Polymarket condition id'
    throw new ArbeesError('BAD_MARKET', `'${sanitize(id, 60)}' is no market`, { ...usage, hint })
  }
  return { limitE4, sizeE2 }
}

/** Throws what `checkTyped` throws. What the bus does not tell is null: exec judges by itself. */
export async function planOrder(
  settings: Settings,
  typed: TypedOrder,
  clock: Clock,
  keys: BusKeys | undefined,
): Promise<OrderPlan> {
  const { env } = settings
  const { limitE4, sizeE2 } = checkTyped(typed)
  const [listed, quote] = await Promise.all([
    newest(settings, clock, keys, 'orchestrator.games', (payload) => listedIn(payload, typed)),
    newest(settings, clock, keys, `${typed.venue}.prices`, (payload) => quoteIn(payload, typed)),
  ])
  const { venue, market_id, outcome, side, limit, size } = typed
  return {
    ...{ venue, market_id, outcome, side, limit, size, env, mode: modeOfEnv(env) },
    title: listed === undefined ? null : titleOf(listed),
    quote: quote ?? null,
    cash_micros: costMicros(limitE4, sizeE2),
    fee_micros: listed === undefined ? null : feeOf(listed.market, side, limitE4, sizeE2),
  }
}

interface Listed {
  readonly game: GamesPayload
  readonly market: GameMarketPayload
}

/** The first that fits of what a publisher keeps; undefined where it does not answer. */
async function newest<T>(
  settings: Settings,
  clock: Clock,
  keys: BusKeys | undefined,
  source: string,
  read: (payload: object) => T | undefined,
): Promise<T | undefined> {
  for (const { payload } of (await newestMessages(settings, clock, keys, source)) ?? []) {
    const found = read(payload)
    if (found !== undefined) return found
  }
  return undefined
}

function listedIn(payload: object, { venue, market_id: id }: TypedOrder): Listed | undefined {
  if (!('markets' in payload)) return undefined
  const game = payload as GamesPayload
  const market = game.markets.find((each) => each.venue === venue && each.market_id === id)
  return market === undefined ? undefined : { game, market }
}

function quoteIn(payload: object, { market_id: id, outcome }: TypedOrder): OrderPlan['quote'] | undefined {
  const { market_id: told, state, yes_bid: bid, yes_ask: ask } = payload as PricesPayload
  if (told !== id) return undefined
  if (outcome === 'yes') return { bid: bid ?? null, ask: ask ?? null, state }
  return { bid: complement(ask), ask: complement(bid), state }
}

const complement = (price: number | null | undefined): number | null =>
  price == null ? null : Math.round((1 - price) * 10_000) / 10_000

const titleOf = ({ game, market }: Listed): string =>
  sanitize(
    `${game.league} ${game.away.name} at ${game.home.name} (${game.status}): YES pays on ${market.selection}`,
    160,
  )

/** Fees are highest at half a dollar. */
function feeOf({ fee }: GameMarketPayload, side: Side, limitE4: number, sizeE2: number): number {
  const dearestE4 = side === 'buy' ? Math.min(limitE4, ONE_E4 / 2) : Math.max(limitE4, ONE_E4 / 2)
  return takerFeeMicros({ ratePpm: fee.rate_ppm, roundUpToMicros: fee.round_up_micros }, dearestE4, sizeE2)
}
