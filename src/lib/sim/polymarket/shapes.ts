/** The CLOB's JSON shapes for markets, open orders and trades. */

import type { PublicAccounts } from '../accounts.js'
import { uuidOf, type PolyMarket } from '../market.js'
import type { DelayedOrder, PolyAccount, PolyTrade } from './account.js'
import { TOKENS, type PolyBookState, type TokenIndex } from './book-state.js'
import { amountText, priceText } from './text.js'

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
    seconds_delay: market.secondsDelay,
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
    sd: market.secondsDelay,
    nr: market.negRisk,
    fd: { r: 0.05, e: 1, to: true },
  }
}

/** A market buy's `original_size` is in dollars. */
export function openOrderShape(order: DelayedOrder, owner: PublicAccounts['polymarket']): unknown {
  return {
    id: order.orderId,
    status: 'DELAYED',
    owner: owner.api_key,
    maker_address: owner.funder,
    market: order.market.id,
    asset_id: order.market.tokenIds[order.token],
    side: order.side,
    original_size: amountText(order.makerE6),
    size_matched: '0',
    price: priceText(order.limitE4),
    outcome: outcomeName(order.market, order.token),
    expiration: '0',
    order_type: order.orderType,
    associate_trades: [],
    created_at: Math.floor(order.createdMs / 1000),
  }
}

export function tradeShape(
  trade: PolyTrade,
  account: PolyAccount,
  owner: PublicAccounts['polymarket'],
  nowMs: number,
): unknown {
  const { market, token } = trade
  const assetId = market.tokenIds[token]
  const status = account.statusOf(trade, nowMs)
  return {
    id: trade.id,
    taker_order_id: trade.takerOrderId,
    market: market.id,
    asset_id: assetId,
    side: trade.side,
    size: amountText(trade.sizeE6),
    // Reads 0 although a fee was charged on top.
    fee_rate_bps: '0',
    price: priceText(trade.priceE4),
    status,
    match_time: String(Math.floor(trade.matchedMs / 1000)),
    last_update: String(Math.floor(account.statusSinceMs(trade, nowMs) / 1000)),
    outcome: outcomeName(market, token),
    bucket_index: 0,
    owner: owner.api_key,
    maker_address: owner.funder,
    transaction_hash: status === 'MATCHED' ? '' : trade.transactionHash,
    maker_orders: [
      {
        order_id: `0x${uuidOf(`maker:${trade.id}`).replaceAll('-', '').padEnd(64, '0')}`,
        owner: uuidOf('sim-maker'),
        maker_address: `0x${'00'.repeat(19)}01`,
        matched_amount: amountText(trade.sizeE6),
        price: priceText(trade.priceE4),
        fee_rate_bps: '0',
        asset_id: assetId,
        outcome: outcomeName(market, token),
        side: trade.side === 'BUY' ? 'SELL' : 'BUY',
      },
    ],
    trader_side: 'TAKER',
  }
}
