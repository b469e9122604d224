/**
 * A condition's book as Polymarket tells it: two tokens that mirror each other, each with a hash.
 *
 * The hash is SHA-1 over compact JSON of the whole book with the keys in a fixed order and `hash` empty; sides run to
 * their best level last. `last_trade_price` is one text for both tokens.
 */

import { createHash } from 'node:crypto'
import { OrderBook, type Level } from '../../model/order-book.js'
import { complementE4, formatScaled } from '../../model/price.js'
import type { LevelChange } from '../matching-book.js'
import type { PolyMarket } from '../market.js'
import { priceText, sizeText } from './text.js'

/** 0 is YES (the first outcome), 1 is NO. */
export type TokenIndex = 0 | 1
export const TOKENS: readonly TokenIndex[] = [0, 1]

export const MIN_ORDER_SIZE = '5'

interface WireLevel {
  readonly price: string
  readonly size: string
}

export interface BookWire {
  readonly market: string
  readonly asset_id: string
  readonly timestamp: string
  readonly hash: string
  readonly bids: readonly WireLevel[]
  readonly asks: readonly WireLevel[]
}

export class PolyBookState {
  /** This state's own copy, so that several changes of one moment are told (and hashed) one by one. */
  private readonly book = new OrderBook()
  private timestamp: string
  private hashes: readonly [string, string]
  lastTradePrice: string
  private tickE4: number

  constructor(
    readonly market: PolyMarket,
    display: OrderBook,
    nowMs: number,
  ) {
    this.book.replace(display.levels('bid'), display.levels('ask'))
    this.tickE4 = market.tickE4
    // Three decimals even on a 0.01 tick: seen at the venue, and part of the hash.
    this.lastTradePrice = formatScaled(Math.round((10_000 - market.game.openingFairE4) / 10), 3)
    this.timestamp = String(nowMs)
    this.hashes = this.rehash()
  }

  get tickSize(): string {
    return priceText(this.tickE4)
  }

  apply({ side, priceE4, sizeE2 }: LevelChange): void {
    this.book.setLevel(side, priceE4, sizeE2)
  }

  setTick(tickE4: number): void {
    this.tickE4 = tickE4
  }

  /** Stamps the book as it stands now and computes both hashes. */
  stamp(nowMs: number): void {
    this.timestamp = String(nowMs)
    this.hashes = this.rehash()
  }

  hash(token: TokenIndex): string {
    return this.hashes[token]
  }

  best(token: TokenIndex): { bid: string; ask: string } {
    const { bids, asks } = this.sides(token)
    return { bid: bids.at(-1)?.price ?? '0', ask: asks.at(-1)?.price ?? '1' }
  }

  /** A `book` without the fields that only some carriers have. */
  wire(token: TokenIndex): BookWire {
    return {
      market: this.market.id,
      asset_id: this.market.tokenIds[token],
      timestamp: this.timestamp,
      hash: this.hashes[token],
      ...this.sides(token),
    }
  }

  /** What `GET /book` answers. */
  restWire(token: TokenIndex): unknown {
    return {
      ...this.wire(token),
      min_order_size: MIN_ORDER_SIZE,
      tick_size: this.tickSize,
      neg_risk: this.market.negRisk,
      last_trade_price: this.lastTradePrice,
    }
  }

  /** The `book` event of a subscription's initial dump. */
  dumpWire(token: TokenIndex): unknown {
    return {
      ...this.wire(token),
      tick_size: this.tickSize,
      event_type: 'book',
      last_trade_price: this.lastTradePrice,
    }
  }

  private sides(token: TokenIndex): { bids: WireLevel[]; asks: WireLevel[] } {
    const mirror = token === 1
    const texts = (levels: readonly Level[]) =>
      levels
        .map(([priceE4, sizeE2]) => ({
          price: priceText(mirror ? complementE4(priceE4) : priceE4),
          size: sizeText(sizeE2),
        }))
        .reverse()
    return {
      bids: texts(this.book.levels(mirror ? 'ask' : 'bid')),
      asks: texts(this.book.levels(mirror ? 'bid' : 'ask')),
    }
  }

  private rehash(): [string, string] {
    return [this.digest(0), this.digest(1)]
  }

  private digest(token: TokenIndex): string {
    const { bids, asks } = this.sides(token)
    const canonical = JSON.stringify({
      market: this.market.id,
      asset_id: this.market.tokenIds[token],
      timestamp: this.timestamp,
      hash: '',
      bids,
      asks,
      min_order_size: MIN_ORDER_SIZE,
      tick_size: this.tickSize,
      neg_risk: this.market.negRisk,
      last_trade_price: this.lastTradePrice,
    })
    return createHash('sha1').update(canonical).digest('hex')
  }
}
