/**
 * The displayed book of a simulated market and what taking from it does. Makers are anonymous levels: a taker
 * consumes what is displayed, never beyond its limit, and makers come back to a level only after a while.
 *
 * Books are kept from YES: buying NO at q takes YES bids at 1 - q and better.
 */

import { OrderBook, type BookSide, type Level } from '../model/order-book.js'
import { complementE4 } from '../model/price.js'
import type { Outcome, Side } from '../model/venue.js'
import type { Ladder } from './quoter.js'

/** A displayed level's new size; 0 when it went. */
export interface LevelChange {
  readonly side: BookSide
  readonly priceE4: number
  readonly sizeE2: number
  /** New size minus old. */
  readonly deltaE2: number
}

/** What a taker got from one level. */
export interface Fill {
  /** The level's price, in YES terms. */
  readonly yesPriceE4: number
  /** The same in the taker's outcome. */
  readonly priceE4: number
  /** Contracts x 10^6. */
  readonly sizeE6: number
}

export interface TakerOrder {
  readonly outcome: Outcome
  readonly side: Side
  /** Worst price, in the taker's outcome. */
  readonly limitE4: number
}

interface Taken {
  sizeE2: number
  atMs: number
}

/** Scenario ms until makers refill half of what was taken from a level. */
const REFILL_MS = 1500

export class DisplayedBook {
  /** What everybody sees. Read it, never write it. */
  readonly display = new OrderBook()
  private readonly target = { bid: new Map<number, number>(), ask: new Map<number, number>() }
  private readonly taken = { bid: new Map<number, Taken>(), ask: new Map<number, Taken>() }

  /**
   * The makers' new wish. Quotes that are now too good go first, the new ones come, the rest goes last: on the way the
   * book is never crossed, shows no price that nobody stands behind, and is not empty unless it ends so.
   */
  setLadder(ladder: Ladder): LevelChange[] {
    const changes: LevelChange[] = []
    const stale = { bid: [] as number[], ask: [] as number[] }
    for (const side of ['bid', 'ask'] as const) {
      const levels = side === 'bid' ? ladder.bids : ladder.asks
      const wanted = new Map<number, number>(levels)
      this.target[side] = wanted
      for (const price of [...this.taken[side].keys()]) if (!wanted.has(price)) this.taken[side].delete(price)
      const best = levels[0]?.[0]
      for (const [price] of this.display.levels(side)) {
        if (wanted.has(price)) continue
        const tooGood = best === undefined || (side === 'bid' ? price > best : price < best)
        if (tooGood) this.show(side, price, changes)
        else stale[side].push(price)
      }
    }
    for (const side of ['bid', 'ask'] as const) {
      for (const price of this.target[side].keys()) this.show(side, price, changes)
    }
    for (const side of ['bid', 'ask'] as const) {
      for (const price of stale[side]) this.show(side, price, changes)
    }
    return changes
  }

  /** Makers come back to levels that were taken a while ago. */
  refill(atMs: number): LevelChange[] {
    const changes: LevelChange[] = []
    for (const side of ['bid', 'ask'] as const) {
      for (const [price, taken] of this.taken[side]) {
        if (atMs - taken.atMs < REFILL_MS) continue
        taken.sizeE2 = Math.floor(taken.sizeE2 / 2)
        taken.atMs = atMs
        if (taken.sizeE2 < 100) this.taken[side].delete(price)
        this.show(side, price, changes)
      }
    }
    return changes
  }

  /** Removes what fills took from the displayed levels (a part of 0.01 contract takes the whole of it). */
  consume(order: TakerOrder, fills: readonly Fill[], atMs: number): LevelChange[] {
    const side = restingSide(order)
    const changes: LevelChange[] = []
    for (const { yesPriceE4, sizeE6 } of fills) {
      const taken = this.taken[side].get(yesPriceE4) ?? { sizeE2: 0, atMs }
      taken.sizeE2 += Math.ceil(sizeE6 / 10_000)
      taken.atMs = atMs
      this.taken[side].set(yesPriceE4, taken)
      this.show(side, yesPriceE4, changes)
    }
    return changes
  }

  private show(side: BookSide, priceE4: number, changes: LevelChange[]): void {
    const wanted = this.target[side].get(priceE4) ?? 0
    const sizeE2 = Math.max(0, wanted - (this.taken[side].get(priceE4)?.sizeE2 ?? 0))
    const shown = this.display.sizeAt(side, priceE4)
    if (sizeE2 === shown) return
    this.display.setLevel(side, priceE4, sizeE2)
    changes.push({ side, priceE4, sizeE2, deltaE2: sizeE2 - shown })
  }
}

/** The side of the YES book that an order takes from. */
export function restingSide({ outcome, side }: Pick<TakerOrder, 'outcome' | 'side'>): BookSide {
  return (outcome === 'yes') === (side === 'buy') ? 'ask' : 'bid'
}

/** Levels an order may take, best first, in its own outcome's price. */
function reachable(
  book: OrderBook,
  order: TakerOrder,
): { yesPriceE4: number; priceE4: number; sizeE2: number }[] {
  const levels: readonly Level[] = book.levels(restingSide(order))
  return levels
    .map(([yesPriceE4, sizeE2]) => ({
      yesPriceE4,
      priceE4: order.outcome === 'yes' ? yesPriceE4 : complementE4(yesPriceE4),
      sizeE2,
    }))
    .filter(({ priceE4 }) => (order.side === 'buy' ? priceE4 <= order.limitE4 : priceE4 >= order.limitE4))
}

/** Fills of an order for a number of contracts (x 10^6), as far as the displayed book reaches. */
export function fillContracts(book: OrderBook, order: TakerOrder, sizeE6: number): Fill[] {
  const fills: Fill[] = []
  let left = sizeE6
  for (const { yesPriceE4, priceE4, sizeE2 } of reachable(book, order)) {
    if (left <= 0) break
    const size = Math.min(left, sizeE2 * 10_000)
    fills.push({ yesPriceE4, priceE4, sizeE6: size })
    left -= size
  }
  return fills
}

/** Dollars left over that are not worth another level. */
export const DUST_MICROS = 100

/**
 * Fills of a buy that spends a number of micro-dollars: a better price buys more contracts for them. Spends never
 * more than asked.
 */
export function fillDollars(book: OrderBook, order: TakerOrder, dollarsMicros: number): Fill[] {
  const fills: Fill[] = []
  let left = dollarsMicros
  for (const { yesPriceE4, priceE4, sizeE2 } of reachable(book, order)) {
    if (left < DUST_MICROS) break
    const affordableE6 = Number((BigInt(left) * 10_000n) / BigInt(priceE4))
    const size = Math.min(affordableE6, sizeE2 * 10_000)
    if (size <= 0) break
    fills.push({ yesPriceE4, priceE4, sizeE6: size })
    left -= cashMicros(priceE4, size)
  }
  return fills
}

/** Micro-dollars for a size (x 10^6) at a price; a fraction of one is dropped, as in the venue's own amounts. */
export function cashMicros(priceE4: number, sizeE6: number): number {
  return Number((BigInt(priceE4) * BigInt(sizeE6)) / 10_000n)
}

export const sumE6 = (fills: readonly Fill[]): number => fills.reduce((sum, { sizeE6 }) => sum + sizeE6, 0)
