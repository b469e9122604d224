/**
 * The book of a simulated market: what the scenario's makers display and the orders that accounts left to rest, by
 * price and time. Makers come back to a level that was taken only after a while. What they put where an account's order
 * rests on the other side trades with it, so that the book is never crossed.
 */

import { OrderBook, type BookSide } from '../model/order-book.js'
import { planContracts, restingSide, type Fill, type TakerOrder } from './matching.js'
import { PriceLevel, type Place, type RestingOrder } from './price-level.js'
import type { Ladder } from './quoter.js'

/** A displayed level's new size; 0 when it went. */
export interface LevelChange {
  readonly side: BookSide
  readonly priceE4: number
  readonly sizeE2: number
  /** New size minus old. */
  readonly deltaE2: number
  /** The account's order that made the difference; undefined for makers of the scenario. */
  readonly order: RestingOrder | undefined
}

export interface Trade {
  readonly order: TakerOrder
  readonly fills: readonly Fill[]
}

/** One step of a book; with a trade the changes are what it took. */
export interface BookStep {
  readonly changes: readonly LevelChange[]
  readonly trade: Trade | undefined
}

interface Taken {
  sizeE2: number
  atMs: number
}

const SIDES = ['bid', 'ask'] as const
const opposite = (side: BookSide): BookSide => (side === 'bid' ? 'ask' : 'bid')
/** Scenario ms until makers refill half of what was taken from a level. */
const REFILL_MS = 1500

export class MatchingBook {
  /** What everybody sees. Read it, never write it. */
  readonly display = new OrderBook()
  private readonly levels = { bid: new Map<number, PriceLevel>(), ask: new Map<number, PriceLevel>() }
  private readonly target = { bid: new Map<number, number>(), ask: new Map<number, number>() }
  private readonly taken = { bid: new Map<number, Taken>(), ask: new Map<number, Taken>() }

  /** Who rests at a price, in turn. */
  queueAt(side: BookSide, priceE4: number): readonly Readonly<Place>[] {
    return this.levels[side].get(priceE4)?.queue ?? []
  }

  /**
   * The makers' new wish. Quotes that are now too good go first, the new ones come, the rest goes last: on the way the
   * book is never crossed, shows no price that nobody stands behind, and is not empty unless it ends so.
   */
  setLadder(ladder: Ladder, atMs: number): BookStep[] {
    const steps: BookStep[] = []
    const stale = { bid: [] as number[], ask: [] as number[] }
    for (const side of SIDES) {
      const levels = side === 'bid' ? ladder.bids : ladder.asks
      const wanted = new Map<number, number>(levels)
      this.target[side] = wanted
      for (const price of [...this.taken[side].keys()]) if (!wanted.has(price)) this.taken[side].delete(price)
      const best = levels[0]?.[0]
      for (const [price] of this.display.levels(side)) {
        if (wanted.has(price)) continue
        const tooGood = best === undefined || (side === 'bid' ? price > best : price < best)
        if (tooGood) this.show(side, price, atMs, steps)
        else stale[side].push(price)
      }
    }
    for (const side of SIDES) {
      for (const price of this.target[side].keys()) this.show(side, price, atMs, steps)
    }
    for (const side of SIDES) {
      for (const price of stale[side]) this.show(side, price, atMs, steps)
    }
    return steps
  }

  /** Makers come back to levels that were taken a while ago. */
  refill(atMs: number): BookStep[] {
    const steps: BookStep[] = []
    for (const side of SIDES) {
      for (const [price, taken] of this.taken[side]) {
        if (atMs - taken.atMs < REFILL_MS) continue
        taken.sizeE2 = Math.floor(taken.sizeE2 / 2)
        taken.atMs = atMs
        if (taken.sizeE2 < 100) this.taken[side].delete(price)
        this.show(side, price, atMs, steps)
      }
    }
    return steps
  }

  /** Takes what was planned from the front of each queue (a part of 0.01 contract takes the whole of it). */
  take(order: TakerOrder, fills: readonly Fill[], atMs: number): LevelChange[] {
    const side = restingSide(order)
    return fills.map(({ yesPriceE4, sizeE6, maker }) => {
      const sizeE2 = Math.ceil(sizeE6 / 10_000)
      if (maker === undefined) this.note(side, yesPriceE4, sizeE2, atMs)
      return this.change(side, yesPriceE4, maker, (level) => level.fill(maker, sizeE2))
    })
  }

  /** Leaves an order to rest. It must not cross: what could trade has traded before. */
  rest(order: RestingOrder, sizeE2: number): LevelChange {
    return this.change(order.side, order.priceE4, order, (level) => level.append(order, sizeE2))
  }

  /** Takes an order out of the book; undefined when it does not rest there. */
  cancel(order: RestingOrder): LevelChange | undefined {
    const sizeE2 = this.levels[order.side].get(order.priceE4)?.sizeOf(order) ?? 0
    if (sizeE2 === 0) return undefined
    return this.change(order.side, order.priceE4, order, (level) => level.withdraw(order, sizeE2))
  }

  /** Brings the makers' size at a price to what they want there, less what was just taken from them. */
  private show(side: BookSide, priceE4: number, atMs: number, steps: BookStep[]): void {
    const wanted = this.target[side].get(priceE4) ?? 0
    const sizeE2 = Math.max(0, wanted - (this.taken[side].get(priceE4)?.sizeE2 ?? 0))
    const shown = this.levels[side].get(priceE4)?.makersE2 ?? 0
    const rest = sizeE2 > shown ? sizeE2 - this.cross(side, priceE4, sizeE2 - shown, atMs, steps) : sizeE2
    if (rest === shown) return
    const changed = this.change(side, priceE4, undefined, (level) => {
      if (rest > shown) level.append(undefined, rest - shown)
      else level.withdraw(undefined, shown - rest)
    })
    const last = steps.at(-1)
    if (last !== undefined && last.trade === undefined) steps.splice(-1, 1, addTo(last, changed))
    else steps.push({ changes: [changed], trade: undefined })
  }

  /** Trades a maker's new quote with orders of accounts that it reaches; returns how much of it went. */
  private cross(side: BookSide, priceE4: number, sizeE2: number, atMs: number, steps: BookStep[]): number {
    const best = this.display.best(opposite(side))
    if (best === undefined || (side === 'bid' ? best[0] > priceE4 : best[0] < priceE4)) return 0
    const order: TakerOrder = {
      outcome: 'yes',
      side: side === 'bid' ? 'buy' : 'sell',
      limitE4: priceE4,
    }
    const { fills } = planContracts(this, order, sizeE2 * 10_000)
    const changes = this.take(order, fills, atMs)
    steps.push({ changes, trade: { order, fills } })
    const tradedE2 = fills.reduce((sum, { sizeE6 }) => sum + sizeE6 / 10_000, 0)
    this.note(side, priceE4, tradedE2, atMs)
    return tradedE2
  }

  private note(side: BookSide, priceE4: number, sizeE2: number, atMs: number): void {
    const taken = this.taken[side].get(priceE4) ?? { sizeE2: 0, atMs }
    taken.sizeE2 += sizeE2
    taken.atMs = atMs
    this.taken[side].set(priceE4, taken)
  }

  private change(
    side: BookSide,
    priceE4: number,
    order: RestingOrder | undefined,
    edit: (level: PriceLevel) => void,
  ): LevelChange {
    const levels = this.levels[side]
    const level = levels.get(priceE4) ?? new PriceLevel()
    edit(level)
    const { sizeE2 } = level
    if (sizeE2 === 0) levels.delete(priceE4)
    else levels.set(priceE4, level)
    const deltaE2 = sizeE2 - this.display.sizeAt(side, priceE4)
    this.display.setLevel(side, priceE4, sizeE2)
    return { side, priceE4, sizeE2, deltaE2, order }
  }
}

const addTo = (step: BookStep, change: LevelChange): BookStep => ({
  ...step,
  changes: [...step.changes, change],
})
