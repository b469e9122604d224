/**
 * What a taker gets from a book: the best price first, at a price who came first, never beyond its limit. Nothing here
 * changes a book: what is planned is taken by `MatchingBook.take` in the same turn.
 *
 * Books are kept from YES: buying NO at q takes YES bids at 1 - q and better.
 */

import { complementE4 } from '../model/price.js'
import type { BookSide, OrderBook } from '../model/order-book.js'
import type { Outcome, Side } from '../model/venue.js'
import type { Place, RestingOrder } from './price-level.js'

/** A book as a taker meets it. */
interface RestingBook {
  readonly display: OrderBook
  queueAt(side: BookSide, priceE4: number): readonly Readonly<Place>[]
}

/** What a taker got from one place in a level's queue. */
export interface Fill {
  /** The level's price, in YES terms. */
  readonly yesPriceE4: number
  /** The same in the taker's outcome. */
  readonly priceE4: number
  /** Contracts x 10^6. */
  readonly sizeE6: number
  /** Whose order it was; undefined for makers of the scenario. */
  readonly maker: RestingOrder | undefined
}

export interface TakerOrder {
  readonly outcome: Outcome
  readonly side: Side
  /** Worst price, in the taker's outcome. */
  readonly limitE4: number
}

/** What happens when a taker meets an order of its own account. */
export interface SelfTrade {
  readonly owner: string
  /** Who is canceled: the taker's rest, or the order that rests. */
  readonly cancels: 'taker' | 'maker'
}

export interface Plan {
  readonly fills: readonly Fill[]
  /** Own orders in the way that are to be canceled first. */
  readonly canceled: readonly RestingOrder[]
  /** True when the taker met its own account's order and is over. */
  readonly stopped: boolean
}

/** The side of the YES book that an order takes from. */
export function restingSide({ outcome, side }: Pick<TakerOrder, 'outcome' | 'side'>): BookSide {
  return (outcome === 'yes') === (side === 'buy') ? 'ask' : 'bid'
}

interface Reached extends Readonly<Place> {
  readonly yesPriceE4: number
  readonly priceE4: number
}

/** Places that an order may take from, in turn, with prices in its own outcome too. */
function* reachable(book: RestingBook, order: TakerOrder): Generator<Reached> {
  const side = restingSide(order)
  for (const [yesPriceE4] of book.display.levels(side)) {
    const priceE4 = order.outcome === 'yes' ? yesPriceE4 : complementE4(yesPriceE4)
    if (order.side === 'buy' ? priceE4 > order.limitE4 : priceE4 < order.limitE4) return
    for (const place of book.queueAt(side, yesPriceE4)) yield { ...place, yesPriceE4, priceE4 }
  }
}

/** An order for a number of contracts (x 10^6), as far as the book reaches. */
export function planContracts(
  book: RestingBook,
  order: TakerOrder,
  sizeE6: number,
  selfTrade?: SelfTrade,
): Plan {
  const fills: Fill[] = []
  const canceled: RestingOrder[] = []
  let left = sizeE6
  for (const { yesPriceE4, priceE4, sizeE2, order: maker } of reachable(book, order)) {
    if (left <= 0) break
    if (maker !== undefined && maker.owner === selfTrade?.owner) {
      if (selfTrade.cancels === 'taker') return { fills, canceled, stopped: true }
      canceled.push(maker)
      continue
    }
    const size = Math.min(left, sizeE2 * 10_000)
    fills.push({ yesPriceE4, priceE4, sizeE6: size, maker })
    left -= size
  }
  return { fills, canceled, stopped: false }
}

/** Fills of an order for a number of contracts (x 10^6) by somebody who has no order in the book. */
export function fillContracts(book: RestingBook, order: TakerOrder, sizeE6: number): readonly Fill[] {
  return planContracts(book, order, sizeE6).fills
}

/** Dollars left over that are not worth another level. */
export const DUST_MICROS = 100

/**
 * Fills of a buy that spends a number of micro-dollars: a better price buys more contracts for them. Spends never
 * more than asked.
 */
export function fillDollars(book: RestingBook, order: TakerOrder, dollarsMicros: number): readonly Fill[] {
  const fills: Fill[] = []
  let left = dollarsMicros
  for (const { yesPriceE4, priceE4, sizeE2, order: maker } of reachable(book, order)) {
    if (left < DUST_MICROS) break
    const affordableE6 = Number((BigInt(left) * 10_000n) / BigInt(priceE4))
    const size = Math.min(affordableE6, sizeE2 * 10_000)
    if (size <= 0) break
    fills.push({ yesPriceE4, priceE4, sizeE6: size, maker })
    left -= cashMicros(priceE4, size)
  }
  return fills
}

/** Micro-dollars for a size (x 10^6) at a price; a fraction of one is dropped, as in the venue's own amounts. */
export function cashMicros(priceE4: number, sizeE6: number): number {
  return Number((BigInt(priceE4) * BigInt(sizeE6)) / 10_000n)
}

export const sumE6 = (fills: readonly Fill[]): number => fills.reduce((sum, { sizeE6 }) => sum + sizeE6, 0)
