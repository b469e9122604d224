/**
 * Why a signal was decided, and what became of it: the quotes that it names with their ages, the game, the edge computed
 * again, each check with its numbers, each order and its money, and the time of each hop. From what was published alone.
 */

import { ArbeesError, EXIT } from '../core/errors.js'
import type { Settings } from '../core/config.js'
import { unhedged } from '../execution/sizes.js'
import type { PastMessage } from '../history/past.js'
import type { Message } from '../messages/codec.js'
import type {
  CheckPayload,
  GamesPayload,
  OrderbookPayload,
  OrdersPayload,
  PricesPayload,
  SignalInputPayload,
  SignalLegPayload,
  SignalsPayload,
  Stamps,
  TradesPayload,
} from '../messages/payloads.js'
import { gameStateOf, signalOf } from '../messages/convert.js'
import type { GameMarket } from '../model/game.js'
import { isManualId } from '../model/manual-order.js'
import type { SignalLeg } from '../model/signal.js'
import { denialSentence } from './denial-words.js'
import type { Archive } from './explain-archive.js'
import { edgeAgain } from './explain-edge.js'
import type { EdgeAgain } from './explain-edge.js'
import { decisionsOf, findSignal, mergeDecisions, messageOf } from './explain-find.js'
import type { Decisions, FoundAs, Told } from './explain-find.js'
import { hopsOf } from './explain-hops.js'
import type { HopTimes } from './explain-hops.js'

/** One quote or book that the decision was made from. */
export interface ExplainedInput extends SignalInputPayload {
  readonly is_trigger: boolean
  /** Publisher's wall clock; null, like the payload, where nobody has the message any more. */
  readonly published_ms: number | null
  readonly payload: PricesPayload | OrderbookPayload | null
}

export interface ExplainedEvent {
  readonly state: OrdersPayload['state']
  readonly at_ms: number
  readonly reason?: string
  /** The same as a sentence with what was found and what is allowed, where something was not sent. */
  readonly because?: string
  readonly checks?: readonly CheckPayload[]
  readonly venue_order_id?: string
}

/** One attempt at one leg. */
export interface ExplainedOrder {
  readonly order_id: string
  readonly leg: number
  readonly attempt: number
  readonly venue: string
  readonly market_id: string
  readonly outcome: string
  readonly side: string
  readonly limit: number
  readonly size: number
  readonly mode: string
  readonly events: readonly ExplainedEvent[]
  /** The last word on it; null where none was told. */
  readonly trade: TradesPayload | null
}

/**
 * unanswered: exec never spoke of it. open: something has no outcome yet. voided: a venue took a fill back. nothing: no
 * leg filled. filled: a manual order has, in whole or in part. hedged: legs of one size, or what no order could mend, as exec has it; unhedged: of different sizes.
 */
export type Verdict =
  | 'unanswered'
  | 'denied'
  | 'stale'
  | 'open'
  | 'unknown'
  | 'voided'
  | 'nothing'
  | 'filled'
  | 'hedged'
  | 'unhedged'

export interface Explanation {
  readonly id: string
  readonly found_as: FoundAs
  /** Somebody typed it: no signal of it was ever published. */
  readonly is_manual: boolean
  /** Where the decisions were found. */
  readonly from: Archive['name']
  readonly verdict: Verdict
  /** Why exec did not take it: a code. */
  readonly denied_for: string | null
  readonly signal:
    | (SignalsPayload & {
        readonly source: string
        readonly epoch: number
        readonly seq: number
        readonly published_ms: number
        readonly trace: string
      })
    | null
  readonly inputs: readonly ExplainedInput[]
  readonly game: (GamesPayload & { readonly published_ms: number }) | null
  readonly edge: EdgeAgain | null
  readonly orders: readonly ExplainedOrder[]
  readonly totals: {
    /** By leg, contracts. */
    readonly filled: readonly number[]
    readonly cash_micros: number
    readonly fees_micros: number
    /** What the contracts that both legs have will pay at least, less what was paid; null where not hedged. */
    readonly locked_micros: number | null
  }
  readonly hops: HopTimes
  /** What could not be found, in words. */
  readonly missing: readonly string[]
}

/** Games are told again every 5 s. */
const GAME_WINDOW_MS = 60_000
/** Clocks of two hosts. */
const SLACK_MS = 1_000

/** Looks in each archive in turn. Throws `UNKNOWN_ID` (exit 5) and `AMBIGUOUS_ID` (usage). */
export async function explain(
  archives: readonly Archive[],
  id: string,
  { env }: Settings,
): Promise<Explanation> {
  for (const archive of archives) {
    const found = await findSignal(archive, id, env)
    if (found === undefined) continue
    const others = archives.filter((other) => other !== archive)
    // Redis keeps fewer signals than orders, and its mirror may lag: what either has is told.
    const parts: Decisions[] = []
    for (const each of [archive, ...others]) parts.push(await decisionsOf(each, found.signalId, env))
    const decisions = mergeDecisions(parts)
    return await assemble({ id, as: found.as, from: archive, others, decisions, env })
  }
  throw new ArbeesError('UNKNOWN_ID', `no signal, order or trade '${id}' in ${namesOf(archives)}`, {
    exit: EXIT.TIMEOUT,
    hint: 'ids: arbees tap trades. orders. signals. --last 20; Redis keeps the last 1,000 signals, journals more',
  })
}

const namesOf = (archives: readonly Archive[]): string => archives.map(({ name }) => name).join(' or ')

interface Findings {
  readonly id: string
  readonly as: FoundAs
  readonly from: Archive
  readonly others: readonly Archive[]
  readonly decisions: Decisions
  readonly env: Settings['env']
}

async function assemble({ id, as, from, others, decisions, env }: Findings): Promise<Explanation> {
  const { signal, orders, trades } = decisions
  const isManual = orders.some(({ message }) => isManualId(message.payload.signal_id))
  const missing: string[] = []
  const lookUp = async (input: SignalInputPayload): Promise<Message | undefined> => {
    for (const archive of [from, ...others]) {
      const found = await archive.at(input.source, input)
      const message = found === undefined ? undefined : messageOf(found, env)
      if (message !== undefined) return message
    }
    missing.push(`${input.source}/${input.epoch}/${input.seq} is nowhere any more`)
    return undefined
  }
  const payload = signal?.message.payload
  if (signal === undefined && !isManual) missing.push('the signal itself is nowhere any more')
  const messages = await Promise.all((payload?.inputs ?? []).map(lookUp))
  const trace = signal?.message.header.trace ?? orders[0]?.message.header.trace
  const inputs = (payload?.inputs ?? []).map((input, i): ExplainedInput => {
    const message = messages[i]
    const isBook = message?.family === 'prices' || message?.family === 'orderbook'
    return {
      ...input,
      is_trigger: `${input.source}/${input.epoch}/${input.seq}` === trace,
      published_ms: message?.header.timestamp_ms ?? null,
      payload: isBook ? message.payload : null,
    }
  })
  const game = signal === undefined ? undefined : await gameOf([from, ...others], signal, env)
  if (signal !== undefined && game === undefined) missing.push('the state of the game at that time')
  const bookOf = ({ venue, market_id: marketId }: SignalLegPayload): OrderbookPayload | undefined => {
    const book = messages.find((each) => each?.family === 'orderbook' && isOf(each.payload, venue, marketId))
    return book?.family === 'orderbook' ? book.payload : undefined
  }
  const marketOf = ({ venue, market_id: marketId }: SignalLegPayload) =>
    game?.markets.find((market) => market.venue === venue && market.market_id === marketId)
  const explained = ordersOf(orders, trades)
  const verdict = verdictOf(explained, isManual, payload, game)
  return {
    id,
    found_as: as,
    is_manual: isManual,
    from: from.name,
    verdict,
    denied_for: verdict === 'denied' || verdict === 'stale' ? reasonOf(explained) : null,
    signal:
      signal === undefined
        ? null
        : {
            ...signal.message.payload,
            source: signal.message.header.source,
            epoch: signal.message.header.epoch,
            seq: signal.message.header.seq,
            published_ms: signal.timestampMs,
            trace: signal.message.header.trace,
          },
    inputs,
    game: game ?? null,
    edge: payload === undefined ? null : (edgeAgain(payload, bookOf, marketOf) ?? null),
    orders: explained,
    totals: totalsOf(explained, verdict),
    hops: hopsOf(
      signal?.message.header,
      messages[inputs.findIndex((input) => input.is_trigger)]?.header,
      firstSent(orders),
    ),
    missing,
  }
}

const isOf = (
  book: { readonly venue: string; readonly market_id: string },
  venue: string,
  id: string,
): boolean => book.venue === venue && book.market_id === id

/** The newest state that was told before the signal. */
async function gameOf(
  archives: readonly Archive[],
  { message, timestampMs }: Told<'signals'>,
  env: Settings['env'],
): Promise<(GamesPayload & { readonly published_ms: number }) | undefined> {
  const times = { sinceMs: timestampMs - GAME_WINDOW_MS, untilMs: timestampMs + SLACK_MS }
  const { game_id: gameId } = message.payload
  for (const archive of archives) {
    let newest: PastMessage | undefined
    for await (const page of archive.games(times)) {
      for (const item of page) {
        const isThis = item.kind === 'message' && item.topic.endsWith(`.${gameId}`)
        if (isThis && (newest === undefined || item.timestampMs <= timestampMs)) newest = item
      }
    }
    const found = newest === undefined ? undefined : messageOf(newest, env)
    if (found?.family === 'games' && 'markets' in found.payload) {
      return { ...found.payload, published_ms: found.header.timestamp_ms }
    }
  }
  return undefined
}

function ordersOf(orders: readonly Told<'orders'>[], trades: readonly Told<'trades'>[]): ExplainedOrder[] {
  const byId = new Map<string, { first: OrdersPayload; events: ExplainedEvent[] }>()
  for (const { message, timestampMs } of orders) {
    const { payload } = message
    const { state, reason, checks, venue_order_id: venueOrderId } = payload
    const order = byId.get(payload.order_id) ?? { first: payload, events: [] }
    byId.set(payload.order_id, order)
    const isRefusal = reason !== undefined && (state === 'denied' || state === 'stale')
    const because = isRefusal ? denialSentence(reason, checks) : undefined
    order.events.push({
      state,
      at_ms: timestampMs,
      ...(reason === undefined ? {} : { reason }),
      ...(because === undefined ? {} : { because }),
      ...(checks === undefined ? {} : { checks }),
      ...(venueOrderId === undefined ? {} : { venue_order_id: venueOrderId }),
    })
  }
  return [...byId.values()].map(({ first, events }) => {
    const { order_id, leg, attempt, venue, market_id, outcome, side, limit, size, mode } = first
    const trade = trades.findLast(({ message }) => message.payload.order_id === order_id)
    return {
      ...{ order_id, leg, attempt, venue, market_id, outcome, side, limit, size, mode, events },
      trade: trade?.message.payload ?? null,
    }
  })
}

/** What was sent: it has an intent, and nothing between that and its bytes stopped it. */
const isSent = ({ events }: ExplainedOrder): boolean =>
  events.some(({ state }) => !['intent', 'denied', 'stale', 'duplicate'].includes(state))

function verdictOf(
  orders: readonly ExplainedOrder[],
  isManual: boolean,
  payload: SignalsPayload | undefined,
  game: GamesPayload | undefined,
): Verdict {
  if (orders.length === 0) return 'unanswered'
  const sent = orders.filter(isSent)
  if (sent.length === 0) {
    const states = orders.flatMap(({ events }) => events.map(({ state }) => state))
    return states.includes('stale') ? 'stale' : states.includes('denied') ? 'denied' : 'open'
  }
  if (sent.some(({ trade }) => trade === null)) return 'open'
  if (sent.some(({ trade }) => trade?.status === 'unknown')) return 'unknown'
  if (sent.some(({ trade }) => trade?.status === 'voided')) return 'voided'
  const filled = filledByLeg(orders)
  if (filled.every((size) => size === 0)) return 'nothing'
  if (isManual) return 'filled'
  return isHedged(filled, payload, game) ? 'hedged' : 'unhedged'
}

/** By exec's own rule, as far as the signal and its game are still there; else legs must be equal. */
function isHedged(
  filled: readonly number[],
  payload: SignalsPayload | undefined,
  game: GamesPayload | undefined,
): boolean {
  const signal = payload === undefined ? undefined : signalOf(payload)
  if (signal === undefined) return filled.length > 1 && filled.every((size) => size === filled[0])
  const listed = (game === undefined ? undefined : gameStateOf(game))?.markets ?? []
  const markets = listed.filter((market) => signal.legs.some((leg) => isLegOf(leg, market)))
  const fills = filled.map((size) => ({ filledE6: Math.round(size * 1e6), unknown: false }))
  const { kind } = unhedged(signal.legs, markets, fills)
  return kind === 'hedged' || kind === 'dust'
}

const isLegOf = (leg: SignalLeg, market: GameMarket): boolean =>
  leg.venue === market.venue && leg.marketId === market.marketId

const reasonOf = (orders: readonly ExplainedOrder[]): string | null =>
  orders.flatMap(({ events }) => events).find(({ state }) => state === 'denied' || state === 'stale')
    ?.reason ?? null

function filledByLeg(orders: readonly ExplainedOrder[]): number[] {
  const filledE6: number[] = []
  for (const { leg, trade } of orders) {
    filledE6[leg] = (filledE6[leg] ?? 0) + Math.round((trade?.filled_size ?? 0) * 1e6)
  }
  return Array.from(filledE6, (size) => (size ?? 0) / 1e6)
}

function totalsOf(orders: readonly ExplainedOrder[], verdict: Verdict): Explanation['totals'] {
  const trades = orders.flatMap(({ trade }) => (trade === null ? [] : [trade]))
  const cash = trades.reduce((sum, { cash_micros: micros }) => sum + micros, 0)
  const fees = trades.reduce((sum, { fees_micros: micros }) => sum + micros, 0)
  const filled = filledByLeg(orders)
  const payout = Math.round(Math.min(...filled) * 1e6)
  return {
    filled,
    cash_micros: cash,
    fees_micros: fees,
    locked_micros: verdict === 'hedged' ? payout - cash - fees : null,
  }
}

/** Stamps of the first order whose bytes were written. */
function firstSent(
  orders: readonly Told<'orders'>[],
): { readonly host: string; readonly stamps: Stamps } | undefined {
  const sent = orders.find(({ message }) => message.header.stamps.order !== undefined) ?? orders[0]
  return sent?.message.header
}
