/**
 * A market's order book seen from its YES outcome: integer prices and sizes, best level first.
 * The book only stores what it is told; whether it may be trusted is the feed's to say (`QuoteState`).
 */

/** `[priceE4, sizeE2]`, size above zero. */
export type Level = readonly [priceE4: number, sizeE2: number]

export type BookSide = 'bid' | 'ask'

export class OrderBook {
  private bids: Level[] = []
  private asks: Level[] = []

  /** Replaces both sides. Levels come in any order; empty ones are dropped, the last of a repeated price wins. */
  replace(bids: Iterable<Level>, asks: Iterable<Level>): void {
    this.bids = sortLevels(bids, 'bid')
    this.asks = sortLevels(asks, 'ask')
  }

  clear(): void {
    this.bids = []
    this.asks = []
  }

  /** Sets the resting size at a price; 0 removes the level. */
  setLevel(side: BookSide, priceE4: number, sizeE2: number): void {
    const levels = side === 'bid' ? this.bids : this.asks
    const index = findLevel(levels, side, priceE4)
    const present = levels[index]?.[0] === priceE4
    if (sizeE2 === 0) {
      if (present) levels.splice(index, 1)
    } else {
      levels.splice(index, present ? 1 : 0, [priceE4, sizeE2])
    }
  }

  /** The resting size at a price; 0 when there is none. */
  sizeAt(side: BookSide, priceE4: number): number {
    const levels = side === 'bid' ? this.bids : this.asks
    const level = levels[findLevel(levels, side, priceE4)]
    return level?.[0] === priceE4 ? level[1] : 0
  }

  best(side: BookSide): Level | undefined {
    return (side === 'bid' ? this.bids : this.asks)[0]
  }

  /** The first `depth` levels, best first (all when not said). */
  levels(side: BookSide, depth = Infinity): readonly Level[] {
    const levels = side === 'bid' ? this.bids : this.asks
    return depth >= levels.length ? levels.slice() : levels.slice(0, depth)
  }

  get isEmpty(): boolean {
    return this.bids.length === 0 && this.asks.length === 0
  }

  /** Best bid at or above best ask: no venue rests such a book, so something was lost. */
  get isCrossed(): boolean {
    const bid = this.bids[0]
    const ask = this.asks[0]
    return bid !== undefined && ask !== undefined && bid[0] >= ask[0]
  }
}

function sortLevels(levels: Iterable<Level>, side: BookSide): Level[] {
  const byPrice = new Map<number, number>()
  for (const [priceE4, sizeE2] of levels) byPrice.set(priceE4, sizeE2)
  const kept: Level[] = [...byPrice].filter(([, sizeE2]) => sizeE2 > 0)
  return kept.sort(side === 'bid' ? (a, b) => b[0] - a[0] : (a, b) => a[0] - b[0])
}

/** Index of the price, or where it would be inserted (binary search, best first). */
function findLevel(levels: readonly Level[], side: BookSide, priceE4: number): number {
  let low = 0
  let high = levels.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const at = (levels[middle] as Level)[0]
    if (side === 'bid' ? at > priceE4 : at < priceE4) low = middle + 1
    else high = middle
  }
  return low
}
