/** Wire payloads <-> the program's integers, exactly. Decimals finer than our integers are refused, not rounded. */

import { priceE4FromWire, priceToWire, sizeE2FromWire, sizeToWire } from '../model/price.js'
import type { Game, GameMarket, GameState, Situation } from '../model/game.js'
import type { Level, OrderBook } from '../model/order-book.js'
import type { PriceRange } from '../model/price-grid.js'
import type { Quote } from '../model/quote.js'
import type { SignalLeg, StrategySignal } from '../model/signal.js'
import type { OrderRequest } from '../model/order.js'
import type {
  GameMarketPayload,
  GamesPayload,
  OrderbookPayload,
  PricesPayload,
  SignalsPayload,
  SituationPayload,
  WireLevel,
} from './payloads.js'

type WireRange = NonNullable<GameMarketPayload['price_ranges']>[number]

/** Levels of an `orderbook.` message. */
const ORDERBOOK_DEPTH = 10

export function pricesPayload(quote: Quote): PricesPayload {
  const side = (priceE4: number | undefined) => (priceE4 === undefined ? null : priceToWire(priceE4))
  const size = (sizeE2: number | undefined) => (sizeE2 === undefined ? null : sizeToWire(sizeE2))
  return {
    venue: quote.venue,
    market_id: quote.marketId,
    ...(quote.gameId === undefined ? {} : { game_id: quote.gameId }),
    selection: quote.selection,
    state: quote.state,
    yes_bid: side(quote.yesBidE4),
    yes_ask: side(quote.yesAskE4),
    yes_bid_size: size(quote.yesBidSizeE2),
    yes_ask_size: size(quote.yesAskSizeE2),
    book_seq: quote.bookSeq,
  }
}

/** Undefined when a price or size is finer than our integers. */
export function quoteOf(payload: PricesPayload): Quote | undefined {
  const bid = optionalPrice(payload.yes_bid)
  const ask = optionalPrice(payload.yes_ask)
  const bidSize = optionalSize(payload.yes_bid_size)
  const askSize = optionalSize(payload.yes_ask_size)
  if (bid === null || ask === null || bidSize === null || askSize === null) return undefined
  return {
    venue: payload.venue,
    marketId: payload.market_id,
    selection: payload.selection,
    state: payload.state,
    bookSeq: payload.book_seq,
    ...(payload.game_id === undefined ? {} : { gameId: payload.game_id }),
    ...(bid === undefined ? {} : { yesBidE4: bid }),
    ...(ask === undefined ? {} : { yesAskE4: ask }),
    ...(bidSize === undefined ? {} : { yesBidSizeE2: bidSize }),
    ...(askSize === undefined ? {} : { yesAskSizeE2: askSize }),
  }
}

const optionalPrice = (dollars: number | null | undefined): number | null | undefined =>
  dollars == null ? undefined : (priceE4FromWire(dollars) ?? null)
const optionalSize = (contracts: number | null | undefined): number | null | undefined =>
  contracts == null ? undefined : (sizeE2FromWire(contracts) ?? null)

export function orderbookPayload(
  market: { readonly venue: Quote['venue']; readonly marketId: string },
  book: OrderBook,
  state: Quote['state'],
  bookSeq: number,
): OrderbookPayload {
  const wire = ([priceE4, sizeE2]: Level): WireLevel => [priceToWire(priceE4), sizeToWire(sizeE2)]
  return {
    venue: market.venue,
    market_id: market.marketId,
    state,
    bids: book.levels('bid', ORDERBOOK_DEPTH).map(wire),
    asks: book.levels('ask', ORDERBOOK_DEPTH).map(wire),
    book_seq: bookSeq,
  }
}

/** Levels of one side, best first; undefined when one is finer than our integers. */
export function levelsOf(levels: readonly WireLevel[]): Level[] | undefined {
  const result: Level[] = []
  for (const [price, size] of levels) {
    const priceE4 = priceE4FromWire(price)
    const sizeE2 = sizeE2FromWire(size)
    if (priceE4 === undefined || sizeE2 === undefined) return undefined
    result.push([priceE4, sizeE2])
  }
  return result
}

export function gamesPayload(game: GameState): GamesPayload {
  return {
    league: game.league,
    game_id: game.gameId,
    home: game.home,
    away: game.away,
    status: game.status,
    period: game.period,
    ...(game.clockS === undefined ? {} : { clock_s: game.clockS }),
    ...(game.situation === undefined ? {} : { situation: situationPayload(game.situation) }),
    ...(game.homeWinPpm === undefined ? {} : { home_win_ppm: game.homeWinPpm }),
    start_ms: game.startMs,
    markets: game.markets.map(gameMarketPayload),
    shard: game.shard,
    ...(game.handover === undefined
      ? {}
      : { shard_before: game.handover.from, shard_from_ms: game.handover.atMs }),
    provider: game.provider,
    fetched_ms: game.fetchedMs,
  }
}

function gameMarketPayload(market: GameMarket): GameMarketPayload {
  return {
    venue: market.venue,
    market_id: market.marketId,
    kind: market.kind,
    selection: market.selection,
    ...(market.venueSelection === undefined ? {} : { venue_selection: market.venueSelection }),
    ...(market.settlement === undefined ? {} : { settlement: market.settlement }),
    tick: priceToWire(market.tickE4),
    ...(market.priceRanges === undefined ? {} : { price_ranges: market.priceRanges.map(wireRange) }),
    size_step: sizeToWire(market.sizeStepE2),
    min_size: sizeToWire(market.minSizeE2),
    fee: { rate_ppm: market.fees.ratePpm, round_up_micros: market.fees.roundUpToMicros },
    taker_delay_ms: market.takerDelayMs,
    ...(market.tokenIds === undefined ? {} : { token_ids: market.tokenIds }),
    ...(market.negRisk === undefined ? {} : { neg_risk: market.negRisk }),
    ...(market.exchangeIndex === undefined ? {} : { exchange_index: market.exchangeIndex }),
  }
}

/** Undefined when a tick or size is finer than our integers. */
export function gameStateOf(payload: GamesPayload): GameState | undefined {
  const markets: GameMarket[] = []
  for (const market of payload.markets) {
    const tickE4 = priceE4FromWire(market.tick)
    const sizeStepE2 = sizeE2FromWire(market.size_step)
    const minSizeE2 = sizeE2FromWire(market.min_size)
    const priceRanges = market.price_ranges === undefined ? undefined : priceRangesOf(market.price_ranges)
    if (tickE4 === undefined || sizeStepE2 === undefined || minSizeE2 === undefined) return undefined
    if (priceRanges === undefined && market.price_ranges !== undefined) return undefined
    markets.push({
      venue: market.venue,
      marketId: market.market_id,
      kind: market.kind,
      selection: market.selection,
      ...(market.venue_selection === undefined ? {} : { venueSelection: market.venue_selection }),
      ...(market.settlement === undefined ? {} : { settlement: market.settlement }),
      tickE4,
      ...(priceRanges === undefined ? {} : { priceRanges }),
      sizeStepE2,
      minSizeE2,
      fees: { ratePpm: market.fee.rate_ppm, roundUpToMicros: market.fee.round_up_micros },
      takerDelayMs: market.taker_delay_ms,
      ...(market.token_ids === undefined ? {} : { tokenIds: market.token_ids }),
      ...(market.neg_risk === undefined ? {} : { negRisk: market.neg_risk }),
      ...(market.exchange_index === undefined ? {} : { exchangeIndex: market.exchange_index }),
    })
  }
  const game: Game = {
    league: payload.league,
    gameId: payload.game_id,
    home: payload.home,
    away: payload.away,
    status: payload.status,
    period: payload.period,
    ...(payload.clock_s === undefined ? {} : { clockS: payload.clock_s }),
    ...(payload.situation === undefined ? {} : { situation: situationOf(payload.situation) }),
    ...(payload.home_win_ppm === undefined ? {} : { homeWinPpm: payload.home_win_ppm }),
    startMs: payload.start_ms,
    provider: payload.provider,
    fetchedMs: payload.fetched_ms,
  }
  const { shard, shard_before: from, shard_from_ms: atMs } = payload
  return {
    ...game,
    markets,
    shard,
    ...(from === undefined || atMs === undefined ? {} : { handover: { from, atMs } }),
  }
}

function situationPayload({ yardLine, ...same }: Situation): SituationPayload {
  return { ...same, ...(yardLine === undefined ? {} : { yard_line: yardLine }) }
}

function situationOf({ yard_line: yardLine, ...same }: SituationPayload): Situation {
  return { ...same, ...(yardLine === undefined ? {} : { yardLine }) }
}

const wireRange = ({ startE4, endE4, stepE4 }: PriceRange): WireRange => [
  priceToWire(startE4),
  priceToWire(endE4),
  priceToWire(stepE4),
]

/** Undefined when a price is finer than our integers. */
function priceRangesOf(ranges: readonly WireRange[]): PriceRange[] | undefined {
  const result: PriceRange[] = []
  for (const range of ranges) {
    const [startE4, endE4, stepE4] = range.map(priceE4FromWire)
    if (startE4 === undefined || endE4 === undefined || stepE4 === undefined) return undefined
    result.push({ startE4, endE4, stepE4 })
  }
  return result
}

export function signalsPayload(signal: StrategySignal): SignalsPayload {
  return {
    id: signal.id,
    kind: signal.kind,
    game_id: signal.gameId,
    pair: signal.pair,
    legs: signal.legs.map((leg) => ({
      venue: leg.venue,
      market_id: leg.marketId,
      outcome: leg.outcome,
      side: leg.side,
      limit: priceToWire(leg.limitE4),
      size: sizeToWire(leg.sizeE2),
    })),
    size: sizeToWire(signal.sizeE2),
    gross_edge_micros: signal.grossEdgeMicros,
    fees_micros: signal.feesMicros,
    net_edge_micros: signal.netEdgeMicros,
    worst_payout_micros: signal.worstPayoutMicros,
    inputs: signal.inputs.map(({ source, epoch, seq, ageUs }) => ({ source, epoch, seq, age_us: ageUs })),
    valid_ms: signal.validMs,
  }
}

/** Undefined when a limit or size is finer than our integers. */
export function signalOf(payload: SignalsPayload): StrategySignal | undefined {
  const sizeE2 = sizeE2FromWire(payload.size)
  const legs: SignalLeg[] = []
  for (const leg of payload.legs) {
    const limitE4 = priceE4FromWire(leg.limit)
    const legSizeE2 = sizeE2FromWire(leg.size)
    if (limitE4 === undefined || legSizeE2 === undefined) return undefined
    const { venue, market_id: marketId, outcome, side } = leg
    legs.push({ venue, marketId, outcome, side, limitE4, sizeE2: legSizeE2 })
  }
  if (sizeE2 === undefined) return undefined
  return {
    id: payload.id,
    kind: payload.kind,
    gameId: payload.game_id,
    pair: payload.pair,
    legs,
    sizeE2,
    grossEdgeMicros: payload.gross_edge_micros,
    feesMicros: payload.fees_micros,
    netEdgeMicros: payload.net_edge_micros,
    worstPayoutMicros: payload.worst_payout_micros,
    inputs: payload.inputs.map(({ source, epoch, seq, age_us: ageUs }) => ({ source, epoch, seq, ageUs })),
    validMs: payload.valid_ms,
  }
}

/** The fields that `orders.` and `trades.` messages share with the request they are about. */
export function orderFields(order: OrderRequest) {
  return {
    order_id: order.orderId,
    signal_id: order.signalId,
    leg: order.leg,
    attempt: order.attempt,
    venue: order.venue,
    market_id: order.marketId,
    outcome: order.outcome,
    side: order.side,
    limit: priceToWire(order.limitE4),
    size: sizeToWire(order.sizeE2),
  }
}
