/** The simulated Polymarket wallet: pUSD, outcome tokens, orders by hash, trades and how far they are settled. */

import type { PolyMarket } from '../market.js'
import type { TokenIndex } from './book-state.js'

export interface PolyTrade {
  readonly id: string
  readonly takerOrderId: string
  readonly market: PolyMarket
  readonly token: TokenIndex
  readonly side: 'BUY' | 'SELL'
  readonly priceE4: number
  readonly sizeE6: number
  readonly matchedMs: number
  readonly transactionHash: string
}

/** An order that waits out the market's delay: the only kind `GET /data/order` shows here. */
export interface DelayedOrder {
  readonly orderId: string
  readonly market: PolyMarket
  readonly token: TokenIndex
  readonly side: 'BUY' | 'SELL'
  readonly orderType: 'FAK' | 'FOK'
  readonly limitE4: number
  readonly makerE6: number
  readonly createdMs: number
}

export type TradeStatus = 'MATCHED' | 'MINED' | 'CONFIRMED'

const OPENING_MICROS = 50_000_000_000
/** Scenario ms from match to block to confirmation. */
const MINED_AFTER_MS = 1000
const CONFIRMED_AFTER_MS = 2500

export class PolyAccount {
  /** Newest first. */
  readonly trades: PolyTrade[] = []
  readonly delayed = new Map<string, DelayedOrder>()
  private readonly seen = new Set<string>()
  private cash = OPENING_MICROS
  private heldCash = 0
  private readonly tokens = new Map<string, number>()
  private readonly heldTokens = new Map<string, number>()

  constructor(private readonly speed: number) {}

  /** Claims an order hash for good; false when it was used before. */
  claim(orderId: string): boolean {
    if (this.seen.has(orderId)) return false
    this.seen.add(orderId)
    return true
  }

  isClaimed(orderId: string): boolean {
    return this.seen.has(orderId)
  }

  get cashMicros(): number {
    return this.cash
  }

  get freeCashMicros(): number {
    return this.cash - this.heldCash
  }

  tokenE6(tokenId: string): number {
    return this.tokens.get(tokenId) ?? 0
  }

  /** Tokens that can be sold now: bought ones count only when their trade is confirmed. */
  sellableE6(market: PolyMarket, token: TokenIndex, nowMs: number): number {
    const pending = this.trades
      .filter((trade) => trade.market === market && trade.token === token && trade.side === 'BUY')
      .filter((trade) => this.statusOf(trade, nowMs) !== 'CONFIRMED')
      .reduce((sum, { sizeE6 }) => sum + sizeE6, 0)
    const tokenId = market.tokenIds[token]
    return this.tokenE6(tokenId) - pending - (this.heldTokens.get(tokenId) ?? 0)
  }

  /** Sets aside what a delayed order may need; the returned function gives it back. */
  hold(tokenId: string, cashMicros: number, sharesE6: number): () => void {
    this.heldCash += cashMicros
    this.heldTokens.set(tokenId, (this.heldTokens.get(tokenId) ?? 0) + sharesE6)
    return () => {
      this.heldCash -= cashMicros
      this.heldTokens.set(tokenId, (this.heldTokens.get(tokenId) ?? 0) - sharesE6)
    }
  }

  /** Books one trade: `cashMicros` leaves (a buy) or comes in (a sell), the fee always leaves. */
  book(trade: PolyTrade, cashMicros: number, feeMicros: number): void {
    const tokenId = trade.market.tokenIds[trade.token]
    const sign = trade.side === 'BUY' ? 1 : -1
    this.cash -= sign * cashMicros + feeMicros
    this.tokens.set(tokenId, this.tokenE6(tokenId) + sign * trade.sizeE6)
    this.trades.unshift(trade)
  }

  /** Redeems a resolved market: a dollar per winning token. */
  settle(market: PolyMarket): void {
    if (market.result === undefined) return
    const winner = market.tokenIds[market.result === 'yes' ? 0 : 1]
    this.cash += this.tokenE6(winner)
    for (const tokenId of market.tokenIds) this.tokens.delete(tokenId)
  }

  statusOf({ matchedMs }: PolyTrade, nowMs: number): TradeStatus {
    const age = (nowMs - matchedMs) * this.speed
    if (age < MINED_AFTER_MS) return 'MATCHED'
    return age < CONFIRMED_AFTER_MS ? 'MINED' : 'CONFIRMED'
  }

  /** When a trade took its present status, Unix ms. */
  statusSinceMs(trade: PolyTrade, nowMs: number): number {
    switch (this.statusOf(trade, nowMs)) {
      case 'MATCHED':
        return trade.matchedMs
      case 'MINED':
        return trade.matchedMs + MINED_AFTER_MS / this.speed
      case 'CONFIRMED':
        return trade.matchedMs + CONFIRMED_AFTER_MS / this.speed
    }
  }
}
