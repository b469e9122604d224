/** The CLOB's JSON shapes for markets, open orders and trades. */

import { uuidOf, type PolyMarket } from '../market.js'
import { TOKENS, type PolyBookState, type TokenIndex } from './book-state.js'
import { isMarketBuy, type PolyOrder } from './order.js'
import { amountText, priceText } from './text.js'
import { priceFor, type Party, type PolyTrade, type TradeStatus } from './trade.js'

/** The outcome's name, as the catalog spells it. */
const outcomeName = ({ game }: PolyMarket, token: TokenIndex): string =>
  game[token === 0 ? 'away' : 'home'].name

/** `GET /markets/{condition}`. */
export function marketShape(market: PolyMarket, state: PolyBookState): unknown {
  const { game } = market
  const open = market.status === 'active'
  return {
    enable_order_book: true,
    active: true,
    closed: market.status === 'finalized',
    archived: false,
    accepting_orders: open,
    minimum_order_size: 5,
    minimum_tick_size: market.tickE4 / 10_000,
    condition_id: market.id,
    question: `${game.away.name} vs. ${game.home.name}`,
    market_slug: market.slug,
    game_start_time: new Date(game.startMs).toISOString(),
    seconds_delay: market.pace.secondsDelay,
    maker_base_fee: 1000,
    taker_base_fee: 1000,
    neg_risk: market.negRisk,
    is_50_50_outcome: false,
    tokens: TOKENS.map((token) => ({
      token_id: market.tokenIds[token],
      outcome: outcomeName(market, token),
      price: Number(state.best(token).bid),
      winner: market.result !== undefined && (market.result === 'yes') === (token === 0),
    })),
    tags: ['Sports', 'Games', game.league.toUpperCase()],
  }
}

/** `GET /clob-markets/{condition}`: the short form. */
export function clobMarketShape(market: PolyMarket, minOrderSize: string): unknown {
  return {
    gst: new Date(market.game.startMs).toISOString(),
    r: {},
    t: TOKENS.map((token) => ({ t: market.tokenIds[token], o: outcomeName(market, token) })),
    mos: Number(minOrderSize),
    mts: market.tickE4 / 10_000,
    mbf: 1000,
    tbf: 1000,
    sd: market.pace.secondsDelay,
    nr: market.negRisk,
    fd: { r: 0.05, e: 1, to: true },
  }
}

/** A market buy's `original_size` is in dollars. */
export function openOrderShape(order: PolyOrder, apiKey: string): unknown {
  const size = isMarketBuy(order) ? order.makerE6 : order.sharesE6
  return {
    id: order.orderId,
    status: order.status,
    owner: apiKey,
    maker_address: order.owner,
    market: order.market.id,
    asset_id: order.market.tokenIds[order.token],
    side: order.tokenSide,
    original_size: amountText(size),
    size_matched: amountText(order.matchedE6),
    price: priceText(order.limitE4),
    outcome: outcomeName(order.market, order.token),
    expiration: String(order.expirationS),
    order_type: order.type,
    associate_trades: order.tradeIds,
    created_at: Math.floor(order.createdMs / 1000),
  }
}

/** A trade as the account's owner reads it: told from the taker's side, whoever that is. */
export function tradeShape(trade: PolyTrade, apiKey: string): unknown {
  const { market, taker, maker } = trade
  const anonymous = { owner: uuidOf('sim-maker'), address: `0x${'00'.repeat(19)}01` }
  return {
    id: trade.id,
    taker_order_id: orderIdOf(trade, taker, 'taker'),
    market: market.id,
    asset_id: market.tokenIds[taker.token],
    side: taker.tokenSide,
    size: amountText(trade.sizeE6),
    // Reads 0 although a fee was charged on top.
    fee_rate_bps: '0',
    price: priceText(trade.priceE4),
    status: trade.status,
    match_time: String(Math.floor(trade.matchedMs / 1000)),
    last_update: String(Math.floor(trade.statusSinceMs / 1000)),
    outcome: outcomeName(market, taker.token),
    bucket_index: 0,
    owner: apiKey,
    maker_address: (taker.order ?? maker.order)?.owner ?? anonymous.address,
    transaction_hash: MINED.has(trade.status) ? trade.transactionHash : '',
    maker_orders: [
      {
        order_id: orderIdOf(trade, maker, 'maker'),
        owner: maker.order === undefined ? anonymous.owner : apiKey,
        maker_address: maker.order?.owner ?? anonymous.address,
        matched_amount: amountText(trade.sizeE6),
        price: priceText(priceFor(trade, maker)),
        fee_rate_bps: '0',
        asset_id: market.tokenIds[maker.token],
        outcome: outcomeName(market, maker.token),
        side: maker.tokenSide,
      },
    ],
    trader_side: taker.order !== undefined ? 'TAKER' : 'MAKER',
  }
}

const MINED: ReadonlySet<TradeStatus> = new Set(['MINED', 'CONFIRMED'])

/** Somebody of the scenario has an order too, of a name made up here. */
const orderIdOf = ({ id }: PolyTrade, { order }: Party, role: string): string =>
  order?.orderId ?? `0x${uuidOf(`${role}:${id}`).replaceAll('-', '').padEnd(64, '0')}`
