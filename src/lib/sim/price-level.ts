/**
 * What rests at one price, in the order in which it came: makers of the scenario, who are anonymous, and orders of
 * accounts. A taker is filled from the front; makers who want less leave from the back.
 */

import type { BookSide } from '../model/order-book.js'

/** An account's order that rests, or tries to. */
export interface RestingOrder {
  readonly orderId: string
  /** The account: none trades with itself. */
  readonly owner: string
  readonly side: BookSide
  /** In YES terms. */
  readonly priceE4: number
}

/** A place in the queue; no order: makers of the scenario. */
export interface Place {
  readonly order: RestingOrder | undefined
  sizeE2: number
}

export class PriceLevel {
  private places: Place[] = []

  get queue(): readonly Readonly<Place>[] {
    return this.places
  }

  get sizeE2(): number {
    return this.places.reduce((sum, { sizeE2 }) => sum + sizeE2, 0)
  }

  get makersE2(): number {
    return this.sizeOf(undefined)
  }

  sizeOf(order: RestingOrder | undefined): number {
    return this.places.reduce((sum, place) => (place.order === order ? sum + place.sizeE2 : sum), 0)
  }

  /** Puts a size at the end of the queue. */
  append(order: RestingOrder | undefined, sizeE2: number): void {
    const last = this.places.at(-1)
    if (last !== undefined && last.order === order) last.sizeE2 += sizeE2
    else this.places.push({ order, sizeE2 })
  }

  /** Takes a size away from whom it belongs to, the newest first; less when there is less. */
  withdraw(order: RestingOrder | undefined, sizeE2: number): void {
    this.take(this.places.toReversed(), order, sizeE2)
  }

  /** Takes a size away from whom it belongs to, the oldest first: it was filled. */
  fill(order: RestingOrder | undefined, sizeE2: number): void {
    this.take(this.places, order, sizeE2)
  }

  private take(inTurn: readonly Place[], order: RestingOrder | undefined, sizeE2: number): void {
    let left = sizeE2
    for (const place of inTurn) {
      if (place.order !== order) continue
      const part = Math.min(left, place.sizeE2)
      place.sizeE2 -= part
      left -= part
    }
    const kept = this.places.filter((place) => place.sizeE2 > 0)
    this.places = []
    for (const place of kept) this.append(place.order, place.sizeE2)
  }
}
