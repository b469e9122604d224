/** The pUSD, outcome tokens, orders and trades of one paying address. */

import type { PolyMarket } from '../market.js'
import type { TokenIndex } from './book-state.js'
import { polyFeeMicros } from './fees.js'
import { remainingE6, type PolyOrder } from './order.js'
import { flowOf, type Party, type PolyTrade } from './trade.js'

const OPENING_MICROS = 50_000_000_000

export class PolyAccount {
  /** Open ones, by their hash. */
  readonly orders = new Map<string, PolyOrder>()
  /** Newest first. */
  readonly trades: PolyTrade[] = []
  private readonly tokens = new Map<string, number>()

  private cash = OPENING_MICROS

  /** @param funder lower case. */
  constructor(readonly funder: string) {}

  get cashMicros(): number {
    return this.cash
  }

  tokenE6(tokenId: string): number {
    return this.tokens.get(tokenId) ?? 0
  }

  /** Dollars that no open order may need. */
  get freeCashMicros(): number {
    const buys = [...this.orders.values()].filter((order) => order.tokenSide === 'BUY')
    return this.cash - buys.reduce((sum, order) => sum + remainingE6(order) + feeHeld(order), 0)
  }

  /** Tokens that can be sold now: bought ones count only once their trade is confirmed. */
  sellableE6(market: PolyMarket, token: TokenIndex): number {
    const pending = this.trades
      .filter((trade) => trade.market === market && trade.status !== 'CONFIRMED' && trade.status !== 'FAILED')
      .flatMap((trade) => this.partiesIn(trade).map((party) => ({ ...party, sizeE6: trade.sizeE6 })))
      .filter((party) => party.token === token && party.tokenSide === 'BUY')
      .reduce((sum, { sizeE6 }) => sum + sizeE6, 0)
    const held = [...this.orders.values()]
      .filter((order) => order.market === market && order.token === token && order.tokenSide === 'SELL')
      .reduce((sum, order) => sum + remainingE6(order), 0)
    return this.tokenE6(market.tokenIds[token]) - pending - held
  }

  /** Books this account's part of a trade, both parts where it traded with itself. */
  book(trade: PolyTrade): void {
    this.trades.unshift(trade)
    for (const party of this.partiesIn(trade)) this.move(trade, party, 1)
  }

  /** The match was given up: everybody has back what was his. */
  takeBack(trade: PolyTrade): void {
    for (const party of this.partiesIn(trade)) this.move(trade, party, -1)
  }

  /** Redeems a resolved market: a dollar per winning token. */
  settle(market: PolyMarket): void {
    if (market.result === undefined) return
    const winner = market.tokenIds[market.result === 'yes' ? 0 : 1]
    this.cash += this.tokenE6(winner)
    for (const tokenId of market.tokenIds) this.tokens.delete(tokenId)
  }

  private partiesIn({ taker, maker }: PolyTrade): Party[] {
    return [taker, maker].filter(({ order }) => order?.owner === this.funder)
  }

  private move(trade: PolyTrade, party: Party, sign: 1 | -1): void {
    const { cashMicros, sharesE6 } = flowOf(trade, party)
    const tokenId = trade.market.tokenIds[party.token]
    this.cash += sign * cashMicros
    this.tokens.set(tokenId, this.tokenE6(tokenId) + sign * sharesE6)
  }
}

/** An order that waits will take, and pay the fee of it. */
const feeHeld = ({ status, limitE4, sharesE6 }: PolyOrder): number =>
  status === 'DELAYED' ? polyFeeMicros(limitE4, sharesE6) : 0
