/**
 * From Kalshi's wire to a YES-side order book. The venue keeps bids alone: a NO bid at p is a YES ask at 1 - p.
 * Pure; the caller says whether the frame may be applied.
 */

import { complementE4 } from '../../model/price.js'
import type { BookSide, Level, OrderBook } from '../../model/order-book.js'
import type { Outcome } from '../../model/venue.js'
import type { DeltaFrame, SnapshotFrame, WireLevel } from './book-frames.js'

/**
 * The one converter of wire prices. A subscription made with `use_yes_price` gets NO levels already as YES prices,
 * one made without gets NO dollars.
 */
export function yesPriceE4(side: Outcome, wirePriceE4: number, useYesPrice: boolean): number {
  return side === 'no' && !useYesPrice ? complementE4(wirePriceE4) : wirePriceE4
}

const bookSideOf = (side: Outcome): BookSide => (side === 'yes' ? 'bid' : 'ask')

/**
 * The levels make a crossed book, and an uncrossed one when they are read in the other form: prices of NO where those
 * of YES were asked for, or the other way round. A book that a match has just crossed may look like that for a moment.
 */
export function looksMirrored(frame: SnapshotFrame, useYesPrice: boolean): boolean {
  const isCrossed = (form: boolean) => {
    const bid = Math.max(...frame.yes.filter(isResting).map(([priceE4]) => priceE4))
    const asks = frame.no.filter(isResting).map(([priceE4]) => yesPriceE4('no', priceE4, form))
    return bid >= Math.min(...asks)
  }
  return isCrossed(useYesPrice) && !isCrossed(!useYesPrice)
}

const isResting = ([, sizeE2]: WireLevel): boolean => sizeE2 > 0

/** Replaces the whole book; an absent side is empty. */
export function applySnapshot(book: OrderBook, frame: SnapshotFrame, useYesPrice: boolean): void {
  book.replace(toYesLevels('yes', frame.yes, useYesPrice), toYesLevels('no', frame.no, useYesPrice))
}

/**
 * Adds a signed change to one level. False, and no change, when the level would fall below zero: a message was
 * lost, whatever the sequence says.
 */
export function applyDelta(book: OrderBook, frame: DeltaFrame, useYesPrice: boolean): boolean {
  const side = bookSideOf(frame.side)
  const priceE4 = yesPriceE4(frame.side, frame.priceE4, useYesPrice)
  const sizeE2 = book.sizeAt(side, priceE4) + frame.deltaE2
  if (sizeE2 < 0 || !Number.isSafeInteger(sizeE2)) return false
  book.setLevel(side, priceE4, sizeE2)
  return true
}

function toYesLevels(side: Outcome, levels: readonly WireLevel[], useYesPrice: boolean): Level[] {
  return levels.map(([priceE4, sizeE2]) => [yesPriceE4(side, priceE4, useYesPrice), sizeE2])
}
