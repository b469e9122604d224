/**
 * The market channel: every change of a displayed book, told for both tokens of its condition.
 *
 * Makers' changes are `price_change` events, one per level, each with the hash of the whole book after it. A trade is a
 * `last_trade_price` per fill and then the post-trade `book` of both tokens, without `tick_size` and
 * `last_trade_price`.
 */

import type { BookChange, Exchange, ExchangeListener } from '../exchange.js'
import type { LevelChange } from '../matching-book.js'
import type { PolyMarket } from '../market.js'
import type { ScenarioEvent } from '../scenario.js'
import { PolyBookState, TOKENS, type TokenIndex } from './book-state.js'
import type { MarketSession } from './session.js'
import { amountText, priceText, sizeText, trimmed } from './text.js'

export class MarketFeed implements ExchangeListener {
  private readonly states = new Map<string, PolyBookState>()
  private readonly tokens = new Map<string, { readonly market: PolyMarket; readonly token: TokenIndex }>()

  constructor(
    private readonly exchange: Exchange,
    private readonly sessions: () => Iterable<MarketSession>,
  ) {}

  findToken(tokenId: string): { market: PolyMarket; token: TokenIndex } | undefined {
    const known = this.tokens.get(tokenId)
    if (known !== undefined) return known
    for (const market of this.exchange.polyMarkets()) {
      for (const token of TOKENS) this.tokens.set(market.tokenIds[token], { market, token })
    }
    return this.tokens.get(tokenId)
  }

  stateOf(market: PolyMarket): PolyBookState {
    let state = this.states.get(market.id)
    if (state === undefined) {
      state = new PolyBookState(market, this.exchange.bookOf(market).display, this.exchange.clock.nowMs())
      this.states.set(market.id, state)
    }
    return state
  }

  onBook({ market, changes, trade, wallMs }: BookChange): void {
    if (market.venue !== 'poly') return
    const state = this.states.get(market.id)
    // Nobody has seen this book yet: the first look takes it as it is displayed then.
    if (state === undefined) return
    if (trade === undefined) {
      for (const change of changes) this.priceChange(state, change, wallMs)
      return
    }
    const token: TokenIndex = trade.order.outcome === 'yes' ? 0 : 1
    for (const change of changes) state.apply(change)
    for (const { priceE4, sizeE6 } of trade.fills) {
      state.lastTradePrice = priceText(priceE4)
      this.broadcast(market, {
        event_type: 'last_trade_price',
        market: market.id,
        asset_id: market.tokenIds[token],
        price: state.lastTradePrice,
        size: amountText(sizeE6),
        side: trade.order.side === 'buy' ? 'BUY' : 'SELL',
        fee_rate_bps: '0',
        timestamp: String(wallMs),
      })
    }
    state.stamp(wallMs)
    this.books(state)
  }

  onEvent(event: ScenarioEvent, wallMs: number): void {
    if (event.kind === 'announced') this.announce(event.game.poly, wallMs)
    if (event.kind === 'tick' && event.market.venue === 'poly')
      this.tickChange(event.market, event.oldTickE4, wallMs)
    if (event.kind === 'status' && event.market.venue === 'poly' && event.market.status === 'determined') {
      this.resolve(event.market, wallMs)
    }
  }

  private priceChange(state: PolyBookState, change: LevelChange, wallMs: number): void {
    const { market } = state
    const before = TOKENS.map((token) => state.best(token))
    state.apply(change)
    state.stamp(wallMs)
    const entries = TOKENS.map((token) => {
      const best = state.best(token)
      const isBid = (change.side === 'bid') === (token === 0)
      return {
        asset_id: market.tokenIds[token],
        price: priceText(token === 0 ? change.priceE4 : 10_000 - change.priceE4),
        size: sizeText(change.sizeE2),
        side: isBid ? 'BUY' : 'SELL',
        hash: state.hash(token),
        best_bid: best.bid,
        best_ask: best.ask,
      }
    })
    this.broadcast(market, {
      market: market.id,
      price_changes: entries,
      timestamp: String(wallMs),
      event_type: 'price_change',
    })
    for (const token of TOKENS) {
      const best = state.best(token)
      if (before[token]?.bid !== best.bid || before[token]?.ask !== best.ask)
        this.bestChanged(state, token, wallMs)
    }
  }

  private bestChanged(state: PolyBookState, token: TokenIndex, wallMs: number): void {
    const { bid, ask } = state.best(token)
    this.broadcastCustom(state.market, {
      event_type: 'best_bid_ask',
      market: state.market.id,
      asset_id: state.market.tokenIds[token],
      best_bid: bid,
      best_ask: ask,
      spread: trimmed(Math.round((Number(ask) - Number(bid)) * 10_000), 4),
      timestamp: String(wallMs),
    })
  }

  private tickChange(market: PolyMarket, oldTickE4: number, wallMs: number): void {
    const state = this.states.get(market.id)
    if (state === undefined) return
    state.setTick(market.tickE4)
    state.stamp(wallMs)
    for (const token of TOKENS) {
      this.broadcast(market, {
        event_type: 'tick_size_change',
        market: market.id,
        asset_id: market.tokenIds[token],
        old_tick_size: priceText(oldTickE4),
        new_tick_size: state.tickSize,
        timestamp: String(wallMs),
      })
    }
    this.books(state)
  }

  private books(state: PolyBookState): void {
    for (const token of TOKENS) {
      const message = { ...state.wire(token), event_type: 'book' }
      for (const session of this.sessions()) {
        if (session.follows([state.market.tokenIds[token]])) session.emit(message)
      }
    }
  }

  private announce(market: PolyMarket, wallMs: number): void {
    const { game, slug } = market
    const title = `${game.away.name} vs. ${game.home.name}`
    const message = {
      event_type: 'new_market',
      id: String(900_000 + game.index),
      question: title,
      market: market.id,
      slug,
      description: '',
      assets_ids: market.tokenIds,
      outcomes: [game.away.name, game.home.name],
      event_message: { id: String(500_000 + game.index), ticker: slug, slug, title, description: '' },
      timestamp: String(wallMs),
      tags: [game.league],
      condition_id: market.id,
      active: true,
      clob_token_ids: market.tokenIds,
      sports_market_type: 'moneyline',
      line: '',
      game_start_time: new Date(game.startMs).toISOString(),
      order_price_min_tick_size: priceText(market.tickE4),
      group_item_title: '',
    }
    for (const session of this.sessions()) if (session.wantsCustom) session.emit(message)
  }

  private resolve(market: PolyMarket, wallMs: number): void {
    const winner = market.result === 'yes' ? 0 : 1
    const { game } = market
    this.broadcastCustom(market, {
      event_type: 'market_resolved',
      id: String(900_000 + game.index),
      market: market.id,
      assets_ids: market.tokenIds,
      winning_asset_id: market.tokenIds[winner],
      winning_outcome: winner === 0 ? game.away.name : game.home.name,
      timestamp: String(wallMs),
      tags: [game.league],
    })
  }

  /** To whoever follows either token: the other one comes along unasked. */
  private broadcast(market: PolyMarket, message: unknown): void {
    for (const session of this.sessions()) if (session.follows(market.tokenIds)) session.emit(message)
  }

  private broadcastCustom(market: PolyMarket, message: unknown): void {
    for (const session of this.sessions()) {
      if (session.wantsCustom && session.follows(market.tokenIds)) session.emit(message)
    }
  }
}
