/**
 * One condition as the venue holds it, written apart from the code under test: maps of strings, JSON.stringify and a
 * SHA-1 of the whole book for every message.
 */

import { createHash } from 'node:crypto'

export const MARKET = `0x${'ab'.repeat(32)}`
export const YES = '76670567130917723816490572615540605537878462672464291990940067659127658071111'
export const NO = '54179564009642723353355316176091991063553046330768303687769988635499280029688'

export interface ChangeFrame {
  readonly event_type: 'price_change'
  readonly market: string
  readonly timestamp: string
  readonly price_changes: {
    asset_id: string
    price: string
    size: string
    side: string
    hash: string
    best_bid: string
    best_ask: string
  }[]
}

export interface BookFrame {
  readonly event_type: 'book'
  readonly market: string
  readonly asset_id: string
  readonly timestamp: string
  readonly hash: string
  readonly bids: { price: string; size: string }[]
  readonly asks: { price: string; size: string }[]
  readonly tick_size?: string
  readonly last_trade_price?: string
}

export type RefSide = 'bids' | 'asks'
export type Sides = Record<RefSide, Map<number, string>>

const priceText = (e4: number): string => String(e4 / 10_000)

export class ReferenceVenue {
  /** YES levels: price x 10^4 -> size string. */
  readonly sides: Sides = { bids: new Map(), asks: new Map() }
  now = 1_790_000_000_000
  lastTrade = '0.5'
  tick = '0.01'

  constructor(
    readonly ids: { market: string; yes: string; no: string } = { market: MARKET, yes: YES, no: NO },
  ) {}

  /** Applies a level and returns the frame that tells of it. */
  change(side: RefSide, e4: number, size: string): ChangeFrame {
    this.now += 1
    this.put(side, e4, size)
    const buy = side === 'bids'
    const yes = {
      ...this.bests(false),
      asset_id: this.ids.yes,
      price: priceText(e4),
      size,
      side: buy ? 'BUY' : 'SELL',
    }
    const no = {
      ...this.bests(true),
      asset_id: this.ids.no,
      price: priceText(10_000 - e4),
      size,
      side: buy ? 'SELL' : 'BUY',
    }
    return {
      event_type: 'price_change',
      market: this.ids.market,
      price_changes: [
        { ...yes, hash: this.hash(false) },
        { ...no, hash: this.hash(true) },
      ],
      timestamp: String(this.now),
    }
  }

  put(side: RefSide, e4: number, size: string): void {
    if (Number(size) === 0) this.sides[side].delete(e4)
    else this.sides[side].set(e4, size)
  }

  /** The dump of a subscription, of one token. */
  dump(no = false): BookFrame {
    return { ...this.bare(no), tick_size: this.tick, last_trade_price: this.lastTrade }
  }

  /** A book as sent after a trade: without tick_size and last_trade_price. */
  bare(no = false): BookFrame {
    return {
      event_type: 'book',
      market: this.ids.market,
      asset_id: no ? this.ids.no : this.ids.yes,
      timestamp: String(this.now),
      hash: this.hash(no),
      ...this.levels(no),
    }
  }

  rest(no = false): Record<string, unknown> {
    const { event_type: _, ...book } = this.dump(no)
    return { ...book, min_order_size: '5', neg_risk: false }
  }

  /** Best prices of a token, as told beside the changes. */
  best(no = false): Record<string, unknown> {
    return {
      event_type: 'best_bid_ask',
      market: this.ids.market,
      asset_id: no ? this.ids.no : this.ids.yes,
      ...this.bests(no),
      timestamp: String(this.now),
    }
  }

  /** A new tick, as told for each token; the book follows in messages of its own. */
  changeTick(tick: string): Record<string, unknown>[] {
    this.now += 1
    const [old_tick_size, new_tick_size] = [this.tick, tick]
    this.tick = tick
    return [this.ids.yes, this.ids.no].map((asset_id) => ({
      event_type: 'tick_size_change',
      market: this.ids.market,
      asset_id,
      old_tick_size,
      new_tick_size,
      timestamp: String(this.now),
    }))
  }

  /** A trade against the best ask (or bid): the level shrinks or goes. The book is told by `bare` frames. */
  trade(side: RefSide, size: string): Record<string, unknown> {
    this.now += 1
    const prices = [...this.sides[side].keys()].sort((a, b) => a - b)
    const best = side === 'asks' ? prices[0]! : prices.at(-1)!
    this.put(side, best, size)
    this.lastTrade = priceText(best)
    return {
      event_type: 'last_trade_price',
      market: this.ids.market,
      asset_id: this.ids.yes,
      price: this.lastTrade,
      size: '1',
      side: side === 'asks' ? 'BUY' : 'SELL',
      fee_rate_bps: '',
      timestamp: String(this.now),
    }
  }

  hash(no: boolean): string {
    const { bids, asks } = this.levels(no)
    const summary = {
      market: this.ids.market,
      asset_id: no ? this.ids.no : this.ids.yes,
      timestamp: String(this.now),
      hash: '',
      bids,
      asks,
      min_order_size: '5',
      tick_size: this.tick,
      neg_risk: false,
      last_trade_price: this.lastTrade,
    }
    return createHash('sha1').update(JSON.stringify(summary)).digest('hex')
  }

  private levels(no: boolean): Record<RefSide, { price: string; size: string }[]> {
    const list = (side: RefSide) =>
      [...this.sides[side]].map(([e4, size]) => ({ e4: no ? 10_000 - e4 : e4, size }))
    const text = ({ e4, size }: { e4: number; size: string }) => ({ price: priceText(e4), size })
    const bids = list(no ? 'asks' : 'bids').sort((a, b) => a.e4 - b.e4)
    const asks = list(no ? 'bids' : 'asks').sort((a, b) => b.e4 - a.e4)
    return { bids: bids.map(text), asks: asks.map(text) }
  }

  private bests(no: boolean): { best_bid: string; best_ask: string } {
    const { bids, asks } = this.levels(no)
    return { best_bid: bids.at(-1)?.price ?? '0', best_ask: asks.at(-1)?.price ?? '1' }
  }
}

/** YES levels of a reference as our books show them: best first, E4 and floored E2. */
export function asLevels(sides: Sides): { bids: [number, number][]; asks: [number, number][] } {
  const list = (side: RefSide, sign: number): [number, number][] =>
    [...sides[side]]
      .map(([e4, size]): [number, number] => [e4, Math.floor(Number(size) * 100 + 1e-6)])
      .filter(([, e2]) => e2 > 0)
      .sort((a, b) => sign * (a[0] - b[0]))
  return { bids: list('bids', -1), asks: list('asks', 1) }
}

export const copySides = (sides: Sides): Sides => ({ bids: new Map(sides.bids), asks: new Map(sides.asks) })
