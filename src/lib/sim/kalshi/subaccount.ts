/**
 * A part of a simulated Kalshi account with money and positions of its own: cash per exchange shard, net positions, what
 * rests. Positions net: selling YES that is not held opens NO, and the reverse. Orders that rest bind money.
 */

import { cashMicros } from '../matching.js'
import type { KalshiMarket } from '../market.js'
import { remainingE2, type KalshiFill, type KalshiOrder } from './order.js'
import { neededMicros, reservedMicros } from './reserve.js'

export interface KalshiPosition {
  readonly market: KalshiMarket
  /** Positive YES, negative NO, 0.01 contract. */
  positionE2: number
  /** What the open position cost. */
  costMicros: number
  tradedMicros: number
  realizedMicros: number
  feesMicros: number
  volumeE2: number
  updatedMs: number
}

/** Money at the start, on each shard. */
const OPENING_MICROS = 50_000_000_000
export const SHARDS = [0, 3] as const

export class Subaccount {
  readonly positions = new Map<string, KalshiPosition>()
  private readonly open = new Set<KalshiOrder>()
  private readonly shards: Map<number, number>

  /** @param number 0 is the primary one; only those that the account opens with are funded. */
  constructor(
    readonly number: number,
    isFunded: boolean,
  ) {
    this.shards = new Map(SHARDS.map((shard) => [shard, isFunded ? OPENING_MICROS : 0]))
  }

  /** What may be traded with: cash less what resting orders bind. */
  balances(): readonly { readonly exchangeIndex: number; readonly micros: number }[] {
    return SHARDS.map((exchangeIndex) => ({ exchangeIndex, micros: this.freeMicros(exchangeIndex) }))
  }

  get totalMicros(): number {
    return this.balances().reduce((sum, { micros }) => sum + micros, 0)
  }

  freeMicros(exchangeIndex: number): number {
    const resting = this.resting.filter(({ market }) => market.exchangeIndex === exchangeIndex)
    const bound = reservedMicros(resting, ({ id }) => this.positionE2(id))
    return (this.shards.get(exchangeIndex) ?? 0) - bound
  }

  /** Orders in the books, oldest first. */
  get resting(): readonly KalshiOrder[] {
    return [...this.open]
  }

  positionE2(ticker: string): number {
    return this.positions.get(ticker)?.positionE2 ?? 0
  }

  /** Cash that one more order binds at most: what it closes needs none. */
  neededMicros(
    market: KalshiMarket,
    order: { readonly side: 'bid' | 'ask'; readonly priceE4: number; readonly countE2: number },
  ): number {
    const own = this.resting.filter((resting) => resting.market === market)
    return neededMicros(market, own, this.positionE2(market.id), order)
  }

  /** Books a fill. Returns the cash that left the account without the fee (negative when it came in). */
  book(fill: KalshiFill): number {
    const { order, yesPriceE4, countE2, feeMicros, isTaker } = fill
    const { market, side } = order
    const position = this.positionOf(market)
    const opposite = side === 'bid' ? -position.positionE2 : position.positionE2
    const closes = Math.min(countE2, Math.max(0, opposite))
    const opens = countE2 - closes
    const paidPriceE4 = side === 'bid' ? yesPriceE4 : 10_000 - yesPriceE4
    const proceeds = (10_000 - paidPriceE4) * closes
    if (closes > 0) {
      const share = Math.round((position.costMicros * closes) / opposite)
      position.realizedMicros += proceeds - share
      position.costMicros -= share
    }
    position.costMicros += paidPriceE4 * opens
    position.positionE2 += side === 'bid' ? countE2 : -countE2
    position.tradedMicros += cashMicros(paidPriceE4, countE2 * 10_000)
    position.feesMicros += feeMicros
    position.volumeE2 += countE2
    position.updatedMs = fill.createdMs
    const paidAs = isTaker ? order.taker : order.maker
    paidAs.costMicros += paidPriceE4 * countE2
    paidAs.feesMicros += feeMicros
    const paid = paidPriceE4 * opens - proceeds
    this.move(market.exchangeIndex, -paid - feeMicros)
    return paid
  }

  /** Pays a settled market out: a dollar per winning contract. */
  settle(market: KalshiMarket, nowMs: number): void {
    const position = this.positions.get(market.id)
    if (position === undefined || market.result === undefined) return
    const won = market.result === 'yes' ? Math.max(0, position.positionE2) : Math.max(0, -position.positionE2)
    position.realizedMicros += won * 10_000 - position.costMicros
    position.costMicros = 0
    position.positionE2 = 0
    position.updatedMs = nowMs
    this.move(market.exchangeIndex, won * 10_000)
  }

  positionOf(market: KalshiMarket): KalshiPosition {
    let position = this.positions.get(market.id)
    if (position === undefined) {
      position = {
        market,
        positionE2: 0,
        costMicros: 0,
        tradedMicros: 0,
        realizedMicros: 0,
        feesMicros: 0,
        volumeE2: 0,
        updatedMs: 0,
      }
      this.positions.set(market.id, position)
    }
    return position
  }

  /** Moves cash in, or out where it is negative. */
  move(exchangeIndex: number, micros: number): void {
    this.shards.set(exchangeIndex, (this.shards.get(exchangeIndex) ?? 0) + micros)
  }

  /** Keeps `resting` true to an order that has changed. */
  track(order: KalshiOrder): void {
    if (remainingE2(order) > 0) this.open.add(order)
    else this.open.delete(order)
  }
}
