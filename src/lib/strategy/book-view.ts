/**
 * What the shard knows of one market: both sides of its book from `orderbook.`, its state from `prices.`, and whether
 * the two belong together. Updated in place, so that a message allocates nothing here.
 *
 * All times are this process's monotonic clock, us.
 */

import { ONE_E4 } from '../model/price.js'
import type { BookSide } from '../model/order-book.js'
import type { QuoteState } from '../model/quote.js'
import type { Outcome, Venue } from '../model/venue.js'

/** Levels kept of each side: as many as an `orderbook.` message carries. */
const LADDER_DEPTH = 10

/** One side of a book, best level first. */
export class Ladder {
  readonly pricesE4 = new Int32Array(LADDER_DEPTH)
  readonly sizesE2 = new Float64Array(LADDER_DEPTH)
  count = 0

  constructor(readonly side: BookSide) {}

  clear(): void {
    this.count = 0
  }

  /** Appends the next level. False when it cannot follow: not worse than the last, no price, no size. */
  push(priceE4: number, sizeE2: number): boolean {
    if (priceE4 <= 0 || priceE4 >= ONE_E4 || sizeE2 <= 0) return false
    const last = this.count === 0 ? undefined : this.pricesE4[Math.min(this.count, LADDER_DEPTH) - 1]
    if (last !== undefined && (this.side === 'bid' ? priceE4 >= last : priceE4 <= last)) return false
    if (this.count < LADDER_DEPTH) {
      this.pricesE4[this.count] = priceE4
      this.sizesE2[this.count] = sizeE2
      this.count++
    }
    return true
  }
}

/** One channel of a monitor. A gap, a new epoch or a clean end opens a new generation: all before it is broken. */
export class ChannelView {
  generation = 1
  epoch = 0
  /** Nothing of it is known to be missing; while something is, all of it is broken. */
  isLive = false

  breakAll(): void {
    this.generation++
  }

  /** Tells of a message's epoch; a new one breaks everything that came before it. */
  enter(epoch: number): void {
    if (epoch === this.epoch) return
    this.epoch = epoch
    this.breakAll()
  }
}

/** A monitor as the shard hears it. */
export class FeedView {
  readonly prices = new ChannelView()
  readonly orderbook = new ChannelView()
  /** When its last heartbeat came. */
  heardUs = -Infinity
  /** When continuity of the whole feed was last proved. */
  provedUs = -Infinity

  constructor(readonly venue: Venue) {}
}

/** Identity of the message that a part of the view came from. */
export interface MessageRef {
  source: string
  epoch: number
  seq: number
}

export class BookView {
  readonly bids = new Ladder('bid')
  readonly asks = new Ladder('ask')
  /** From the last `orderbook.` message; -1 before the first and after one that could not be read. */
  bookSeq = -1
  bookState: QuoteState = 'BROKEN'
  bookGeneration = 0
  readonly bookMessage: MessageRef = { source: '', epoch: 0, seq: 0 }
  /** From the last `prices.` message; -1 before the first. */
  quoteSeq = -1
  quoteState: QuoteState = 'BROKEN'
  quoteGeneration = 0
  readonly quoteMessage: MessageRef = { source: '', epoch: 0, seq: 0 }
  /** What the monitor says that YES pays on; empty when it does not know. */
  selection = ''
  /** When a message last proved this market's own continuity. */
  ownProvedUs = -Infinity

  constructor(
    readonly marketId: string,
    readonly feed: FeedView,
  ) {}

  /** When continuity was last proved, by the feed as a whole or by a message of this market. */
  get provedUs(): number {
    return Math.max(this.ownProvedUs, this.feed.provedUs)
  }

  /** Both messages came after the last break of their channels, and nothing of the channels is missing. */
  get isWhole(): boolean {
    const { orderbook, prices } = this.feed
    return (
      orderbook.isLive &&
      prices.isLive &&
      this.bookGeneration === orderbook.generation &&
      this.quoteGeneration === prices.generation
    )
  }

  get isCrossed(): boolean {
    const bid = this.bids.pricesE4[0]
    const ask = this.asks.pricesE4[0]
    if (this.bids.count === 0 || this.asks.count === 0) return false
    return bid !== undefined && ask !== undefined && bid >= ask
  }

  /** How many levels offer an outcome. Buying NO is selling YES: its asks are the complement of the YES bids. */
  askCount(outcome: Outcome): number {
    return outcome === 'yes' ? this.asks.count : this.bids.count
  }

  /** Price of an outcome's level, best first, in the outcome's own price space. */
  askPriceE4(outcome: Outcome, level: number): number {
    return outcome === 'yes'
      ? (this.asks.pricesE4[level] ?? ONE_E4)
      : ONE_E4 - (this.bids.pricesE4[level] ?? 0)
  }

  askSizeE2(outcome: Outcome, level: number): number {
    return (outcome === 'yes' ? this.asks.sizesE2[level] : this.bids.sizesE2[level]) ?? 0
  }
}
