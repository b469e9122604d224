/** Displayed depth as a paper order may take it: what one order took is gone for the next, until the book changes. */

import { takerFeeMicros } from '../model/fees.js'
import type { GameMarket } from '../model/game.js'
import type { OrderRequest } from '../model/order.js'
import type { Level } from '../model/order-book.js'
import { complementE4, costMicros } from '../model/price.js'
import type { QuoteState } from '../model/quote.js'

/** A book as the bus last told it, YES side, best first. */
export interface DisplayedBook {
  readonly state: QuoteState
  readonly bookSeq: number
  readonly bids: readonly Level[]
  readonly asks: readonly Level[]
}

/** One level's worth of a fill, in the outcome's own price space. */
export interface PaperFill {
  readonly priceE4: number
  readonly sizeE2: number
}

export class PaperDepth {
  private bookSeq = -1
  private readonly taken = new Map<string, number>()

  /** Fills as much of the order as the book shows within its limit, whole steps, best price first; takes it away. */
  take(book: DisplayedBook, order: OrderRequest, stepE2: number): PaperFill[] {
    if (book.bookSeq !== this.bookSeq) {
      this.bookSeq = book.bookSeq
      this.taken.clear()
    }
    const fills: PaperFill[] = []
    let leftE2 = order.sizeE2
    if (book.state !== 'LIVE') return fills
    for (const { priceE4, sizeE2, key } of offers(book, order)) {
      if (!isWithin(order, priceE4) || leftE2 === 0) break
      const takenE2 = this.taken.get(key) ?? 0
      const fillE2 = Math.floor(Math.min(leftE2, sizeE2 - takenE2) / stepE2) * stepE2
      if (fillE2 <= 0) continue
      this.taken.set(key, takenE2 + fillE2)
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
function* offers(book: DisplayedBook, { outcome, side }: OrderRequest) {
  const takesAsks = (outcome === 'yes') === (side === 'buy')
  for (const [yesE4, sizeE2] of takesAsks ? book.asks : book.bids) {
    const priceE4 = outcome === 'yes' ? yesE4 : complementE4(yesE4)
    yield { priceE4, sizeE2, key: `${takesAsks ? 'ask' : 'bid'} ${yesE4}` }
  }
}

const isWithin = ({ side, limitE4 }: OrderRequest, priceE4: number): boolean =>
  side === 'buy' ? priceE4 <= limitE4 : priceE4 >= limitE4
