/**
 * Displayed depth as a paper order may take it: what one order took of a level is taken off whatever is shown there for
 * the next ones, until the level goes. Nobody can have taken more of it than is shown.
 */

import { takerFeeMicros } from '../model/fees.js'
import type { GameMarket } from '../model/game.js'
import type { OrderRequest } from '../model/order.js'
import type { BookSide, Level } from '../model/order-book.js'
import { complementE4, costMicros } from '../model/price.js'
import type { QuoteState } from '../model/quote.js'

/** A book as the bus last told it, YES side, best first. */
export interface DisplayedBook {
  readonly state: QuoteState
  readonly bids: readonly Level[]
  readonly asks: readonly Level[]
}

/** One level's worth of a fill, in the outcome's own price space. */
export interface PaperFill {
  readonly priceE4: number
  readonly sizeE2: number
}

/** What our orders took of one level since it is there. */
interface TakenLevel {
  readonly side: BookSide
  /** Of YES. */
  readonly priceE4: number
  takenE2: number
}

/** An order as far as depth cares. */
export type DepthOrder = Pick<OrderRequest, 'outcome' | 'side' | 'limitE4' | 'sizeE2'>

export class PaperDepth {
  private readonly taken = new Map<string, TakenLevel>()

  /** Nothing is taken of what is shown. */
  get isUntouched(): boolean {
    return this.taken.size === 0
  }

  /** The book is shown like this now. A level beyond the last one shown is out of sight, and stays as it was. */
  see(book: DisplayedBook): void {
    // What a broken or stale book shows says nothing of what is there.
    if (book.state !== 'LIVE' && book.state !== 'EMPTY') return
    for (const [key, level] of this.taken) {
      const levels = level.side === 'ask' ? book.asks : book.bids
      if (isGone(levels, level)) this.taken.delete(key)
      const shown = levels.find(([priceE4]) => priceE4 === level.priceE4)
      if (shown !== undefined) level.takenE2 = Math.min(level.takenE2, shown[1])
    }
  }

  /** Fills as much of the order as the book shows within its limit, whole steps, best price first; takes it away. */
  take(book: DisplayedBook, order: DepthOrder, stepE2: number): PaperFill[] {
    this.see(book)
    const fills: PaperFill[] = []
    let leftE2 = order.sizeE2
    if (book.state !== 'LIVE') return fills
    for (const { priceE4, shownE2, level } of offers(book, order)) {
      if (!isWithin(order, priceE4) || leftE2 === 0) break
      const key = `${level.side} ${level.priceE4}`
      const taken = this.taken.get(key) ?? level
      const fillE2 = Math.floor(Math.min(leftE2, shownE2 - taken.takenE2) / stepE2) * stepE2
      if (fillE2 <= 0) continue
      taken.takenE2 += fillE2
      this.taken.set(key, taken)
      leftE2 -= fillE2
      fills.push({ priceE4, sizeE2: fillE2 })
    }
    return fills
  }
}

/** Cash, paid or received, and fees of fills: the market's schedule, each fill's fee rounded up on its own. */
export function moneyOf(fills: readonly PaperFill[], market: GameMarket) {
  let cashMicros = 0
  let feesMicros = 0
  for (const { priceE4, sizeE2 } of fills) {
    cashMicros += costMicros(priceE4, sizeE2)
    feesMicros += takerFeeMicros(market.fees, priceE4, sizeE2)
  }
  return { cashMicros, feesMicros }
}

/** What the other side of the book offers the order, best first: buying NO takes YES bids at one less their price. */
function* offers(book: DisplayedBook, { outcome, side }: DepthOrder) {
  const takes: BookSide = (outcome === 'yes') === (side === 'buy') ? 'ask' : 'bid'
  for (const [yesE4, sizeE2] of takes === 'ask' ? book.asks : book.bids) {
    const level: TakenLevel = { side: takes, priceE4: yesE4, takenE2: 0 }
    yield { priceE4: outcome === 'yes' ? yesE4 : complementE4(yesE4), shownE2: sizeE2, level }
  }
}

/** Nothing is shown at the level's price, and something behind it, or nothing at all. */
function isGone(levels: readonly Level[], { side, priceE4 }: TakenLevel): boolean {
  const found = levels.find(([price]) => (side === 'ask' ? price >= priceE4 : price <= priceE4))
  return levels.length === 0 || (found !== undefined && found[0] !== priceE4)
}

const isWithin = ({ side, limitE4 }: DepthOrder, priceE4: number): boolean =>
  side === 'buy' ? priceE4 <= limitE4 : priceE4 >= limitE4
