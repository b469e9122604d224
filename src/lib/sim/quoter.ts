/**
 * A venue's makers in one market: a ladder of bids and asks around the price they believe. Sizes stay until a
 * level is refreshed or left, so a book changes in single levels, as a real one does.
 */

import { ONE_E4 } from '../model/price.js'
import type { Level } from '../model/order-book.js'
import type { Side } from '../model/venue.js'
import type { PolyMarket, SimMarket } from './market.js'
import { stepAt } from './price-structure.js'
import type { Prng } from './prng.js'

/** What the makers want displayed. Best first; a side may be empty. */
export interface Ladder {
  readonly bids: readonly Level[]
  readonly asks: readonly Level[]
}

const DEPTH = 6
const CENT_E4 = 100
/** Polymarket's tick becomes finer when a bid reaches 0.96 or an ask 0.04. */
const EDGE_E4 = 9600
export const FINE_TICK_E4 = 10

type Sizes = Map<number, number>

export class Quoter {
  private spreadE4 = 100
  private bidE4 = 0
  private readonly sizes: { bid: Sizes; ask: Sizes } = { bid: new Map(), ask: new Map() }
  private nextRefreshMs: number
  private nextPrintMs: number
  private withdrawn = false

  constructor(
    readonly market: SimMarket,
    private readonly prng: Prng,
    startMs: number,
  ) {
    this.nextRefreshMs = startMs + prng.range(0, 800)
    this.nextPrintMs = startMs + prng.range(2000, 12_000)
  }

  /** The new ladder, or undefined when nothing changed. `fairE4` is the price of YES; time in scenario ms. */
  step(atMs: number, fairE4: number): Ladder | undefined {
    if (this.withdrawn) return undefined
    const moved = this.requote(fairE4)
    const refresh = atMs >= this.nextRefreshMs
    if (!moved && !refresh) return undefined
    if (refresh) this.nextRefreshMs = atMs + this.prng.range(300, 1000)
    if (refresh && !moved) this.refreshOne(this.prng.chance(0.5) ? 'bid' : 'ask')
    return { bids: this.side('bid'), asks: this.side('ask') }
  }

  /** Somebody's small market order, now and then. */
  printAt(atMs: number): { readonly side: Side; readonly sizeE2: number } | undefined {
    if (atMs < this.nextPrintMs) return undefined
    this.nextPrintMs = atMs + this.prng.range(6000, 14_000)
    return { side: this.prng.chance(0.5) ? 'buy' : 'sell', sizeE2: this.prng.int(1, 30) * 100 }
  }

  /** The makers pull everything, for good. */
  withdraw(): Ladder {
    this.withdrawn = true
    return { bids: [], asks: [] }
  }

  /** The market when Polymarket would now move it to the fine tick; the quoter follows. */
  refineTick(): PolyMarket | undefined {
    const { market } = this
    if (market.venue !== 'poly' || market.tickE4 === FINE_TICK_E4 || this.bidE4 === 0) return undefined
    if (this.bidE4 < EDGE_E4 && this.askE4 > ONE_E4 - EDGE_E4) return undefined
    market.tickE4 = FINE_TICK_E4
    return market
  }

  private get askE4(): number {
    const askE4 = this.bidE4 + this.spreadE4
    const stepE4 = this.stepAt(askE4)
    return Math.ceil(askE4 / stepE4) * stepE4
  }

  /** The market's step at a price. */
  private stepAt(priceE4: number): number {
    return this.market.venue === 'poly' ? this.market.tickE4 : stepAt(this.market.structure, priceE4)
  }

  private requote(fairE4: number): boolean {
    const tickE4 = this.stepAt(fairE4)
    const middle = this.bidE4 + this.spreadE4 / 2
    const isOnGrid = this.bidE4 % this.stepAt(this.bidE4) === 0
    if (this.bidE4 !== 0 && isOnGrid && Math.abs(fairE4 - middle) <= Math.max(0.65 * tickE4, 35)) return false
    const wasE4 = this.bidE4
    // One to two cents wide, redrawn now and then.
    if (wasE4 === 0 || !isOnGrid || this.prng.chance(0.15)) {
      this.spreadE4 =
        tickE4 === CENT_E4 ? this.prng.int(1, 2) * CENT_E4 : this.prng.int(10, 20) * FINE_TICK_E4
    }
    const wantedE4 = fairE4 - this.spreadE4 / 2
    const stepE4 = this.stepAt(wantedE4)
    this.bidE4 = Math.round(wantedE4 / stepE4) * stepE4
    return this.bidE4 !== wasE4
  }

  /** The side's prices from its best outward: the best on the market's tick, the rest on whole cents. */
  private side(side: 'bid' | 'ask'): Level[] {
    const best = side === 'bid' ? this.bidE4 : this.askE4
    const prices: number[] = []
    let price = best
    while (prices.length < DEPTH && price > 0 && price < ONE_E4) {
      prices.push(price)
      price =
        side === 'bid' ? Math.ceil(price / CENT_E4 - 1) * CENT_E4 : Math.floor(price / CENT_E4 + 1) * CENT_E4
    }
    const kept = new Set(prices)
    const sizes = this.sizes[side]
    for (const known of [...sizes.keys()]) if (!kept.has(known)) sizes.delete(known)
    return prices.map((level) => [level, this.size(side, level, level === best)])
  }

  private size(side: 'bid' | 'ask', priceE4: number, isBest: boolean): number {
    const sizes = this.sizes[side]
    const known = sizes.get(priceE4)
    if (known !== undefined) return known
    const drawn = this.draw(isBest)
    sizes.set(priceE4, drawn)
    return drawn
  }

  private draw(isBest: boolean): number {
    // Kalshi mostly whole contracts, Polymarket any hundredth of a share; deeper levels are thicker.
    const contracts = isBest ? this.prng.range(40, 260) : this.prng.range(120, 900)
    const sizeE2 = Math.round(contracts * 100)
    return this.market.venue === 'kalshi' && this.prng.chance(0.8) ? Math.round(sizeE2 / 100) * 100 : sizeE2
  }

  private refreshOne(side: 'bid' | 'ask'): void {
    const sizes = this.sizes[side]
    const prices = [...sizes.keys()]
    const price = prices[this.prng.int(0, Math.max(0, prices.length - 1))]
    if (price === undefined) return
    const best = side === 'bid' ? this.bidE4 : this.askE4
    sizes.set(price, this.draw(price === best))
  }
}
