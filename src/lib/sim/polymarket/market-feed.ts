/**
 * The market channel: every change of a displayed book, told for both tokens of its condition.
 *
 * What is put into a book or taken out of it is a `price_change`, one per level, each with the hash of the whole book
 * after it. A trade is a `last_trade_price` per fill and then the post-trade `book` of both tokens, without `tick_size`
 * and `last_trade_price`.
 */

import type { BookChange, Exchange, ExchangeListener } from '../exchange.js'
import type { LevelChange, Trade } from '../matching-book.js'
import type { PolyMarket } from '../market.js'
import type { ScenarioEvent } from '../scenario.js'
import { PolyBookState, TOKENS, type TokenIndex } from './book-state.js'
import { marketResolved, newMarket } from './market-notices.js'
import type { MarketSession } from './session.js'
import { amountText, priceText, sizeText, trimmed } from './text.js'

export class MarketFeed implements ExchangeListener {
  private readonly states = new Map<string, PolyBookState>()
  private readonly tokens = new Map<string, { readonly market: PolyMarket; readonly token: TokenIndex }>()

  constructor(
    private readonly exchange: Exchange,
    private readonly sessions: () => Iterable<MarketSession>,
    /** The venue's clock, Unix ms. */
    private readonly nowMs: () => number,
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
      state = new PolyBookState(market, this.exchange.bookOf(market).display, this.nowMs())
      this.states.set(market.id, state)
    }
    return state
  }

  onBook({ market, changes, trade }: BookChange): void {
    if (market.venue !== 'poly') return
    const state = this.states.get(market.id)
    // Nobody has seen this book yet: the first look takes it as it is displayed then.
    if (state === undefined) return
    if (trade !== undefined) this.traded(state, changes, trade)
    else for (const change of changes) this.priceChanged(state, change)
  }

  onEvent(event: ScenarioEvent): void {
    if (event.kind === 'announced') {
      const message = newMarket(event.game.poly, String(this.nowMs()))
      for (const session of this.sessions()) if (session.wantsCustom) session.emit(message)
    }
    if ((event.kind !== 'tick' && event.kind !== 'status') || event.market.venue !== 'poly') return
    const { market } = event
    if (event.kind === 'tick') this.tickChanged(market, event.oldTickE4)
    else if (market.status === 'determined') {
      this.broadcastCustom(market, marketResolved(market, String(this.nowMs())))
    }
  }

  private traded(state: PolyBookState, changes: readonly LevelChange[], { order, fills }: Trade): void {
    const { market } = state
    const timestampMs = this.nowMs()
    const token: TokenIndex = order.outcome === 'yes' ? 0 : 1
    this.noteBests(state, timestampMs, () => {
      for (const change of changes) state.apply(change)
      for (const { priceE4, sizeE6 } of fills) {
        state.lastTradePrice = priceText(priceE4)
        this.broadcast(market, {
          event_type: 'last_trade_price',
          market: market.id,
          asset_id: market.tokenIds[token],
          price: state.lastTradePrice,
          size: amountText(sizeE6),
          side: order.side === 'buy' ? 'BUY' : 'SELL',
          fee_rate_bps: '0',
          timestamp: String(timestampMs),
        })
      }
      state.stamp(timestampMs)
      this.books(state)
    })
  }

  private priceChanged(state: PolyBookState, change: LevelChange): void {
    const { market } = state
    const timestampMs = this.nowMs()
    this.noteBests(state, timestampMs, () => {
      state.apply(change)
      state.stamp(timestampMs)
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
        timestamp: String(timestampMs),
        event_type: 'price_change',
      })
    })
  }

  /** Tells of best prices that a change moved. */
  private noteBests(state: PolyBookState, timestampMs: number, change: () => void): void {
    const before = TOKENS.map((token) => state.best(token))
    change()
    for (const token of TOKENS) {
      const { bid, ask } = state.best(token)
      if (before[token]?.bid === bid && before[token].ask === ask) continue
      this.broadcastCustom(state.market, {
        event_type: 'best_bid_ask',
        market: state.market.id,
        asset_id: state.market.tokenIds[token],
        best_bid: bid,
        best_ask: ask,
        spread: trimmed(Math.round((Number(ask) - Number(bid)) * 10_000), 4),
        timestamp: String(timestampMs),
      })
    }
  }

  private tickChanged(market: PolyMarket, oldTickE4: number): void {
    const state = this.states.get(market.id)
    if (state === undefined) return
    const timestampMs = this.nowMs()
    state.setTick(market.tickE4)
    state.stamp(timestampMs)
    for (const token of TOKENS) {
      this.broadcast(market, {
        event_type: 'tick_size_change',
        market: market.id,
        asset_id: market.tokenIds[token],
        old_tick_size: priceText(oldTickE4),
        new_tick_size: state.tickSize,
        timestamp: String(timestampMs),
      })
    }
    this.books(state)
  }

  /** Each token's, to those who follow it. */
  private books(state: PolyBookState): void {
    for (const token of TOKENS) {
      const message = { ...state.wire(token), event_type: 'book' }
      for (const session of this.sessions()) {
        if (session.follows([state.market.tokenIds[token]])) session.emit(message)
      }
    }
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
