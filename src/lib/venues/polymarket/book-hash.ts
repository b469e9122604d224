/**
 * One token's book in the venue's own strings, and the hash that the venue puts on every change of it.
 *
 * The hash is the SHA-1 of compact JSON with the keys market, asset_id, timestamp, hash (empty), bids (ascending),
 * asks (descending), min_order_size, tick_size, neg_risk, last_trade_price, in that order. A delta carries the hash of
 * the whole book after it, under the message's own timestamp: equal hashes are equal books, so nothing was lost.
 */

import { hash } from 'node:crypto'
import { formatScaled, ONE_E4 } from '../../model/price.js'
import type { BookSide } from '../../model/order-book.js'
import type { WireLevel } from './events.js'
import { SideJson } from './side-json.js'

/** What the hash covers besides the levels and the timestamp; all strings as the venue writes them. */
export interface HashContext {
  readonly market: string
  readonly assetId: string
  readonly minOrderSize: string
  readonly tickSize: string
  readonly negRisk: boolean
  /** One string per market: the second token's book carries the first's, not its complement. */
  readonly lastTradePrice: string
}

interface HeldLevel {
  readonly priceE4: number
  readonly size: string
  readonly json: string
}

export class VenueBook {
  /** Both ordered as the hash wants them: the best is last. */
  private readonly sides: Record<BookSide, HeldLevel[]> = { bid: [], ask: [] }
  /** From the first hash on. */
  private json: Record<BookSide, SideJson> | undefined
  /** What is hashed. */
  private text = Buffer.alloc(0)

  replace(bids: Iterable<WireLevel>, asks: Iterable<WireLevel>): void {
    this.sides.bid = held(bids).sort((a, b) => a.priceE4 - b.priceE4)
    this.sides.ask = held(asks).sort((a, b) => b.priceE4 - a.priceE4)
    this.json = undefined
  }

  clear(): void {
    this.replace([], [])
  }

  /** Sets the absolute size at a price; an empty level goes. */
  set(side: BookSide, level: WireLevel): void {
    const levels = this.sides[side]
    const index = find(levels, side, level.priceE4)
    const present = levels[index]?.priceE4 === level.priceE4
    if (!present && level.empty) return
    const former = present ? levels[index] : undefined
    const next = level.empty ? undefined : hold(level)
    this.json?.[side].mend(levels, index, former?.json ?? '', next?.json ?? '')
    levels.splice(index, present ? 1 : 0, ...(next === undefined ? [] : [next]))
  }

  /** The venue's size string at a price; undefined when nobody rests there. */
  sizeAt(side: BookSide, priceE4: number): string | undefined {
    const level = this.sides[side][find(this.sides[side], side, priceE4)]
    return level?.priceE4 === priceE4 ? level.size : undefined
  }

  /** The best price of a side; null when nobody quotes. */
  bestE4(side: BookSide): number | null {
    return this.sides[side].at(-1)?.priceE4 ?? null
  }

  /** Both sides hold the same prices with numerically equal sizes. */
  equals(other: VenueBook): boolean {
    return (['bid', 'ask'] as const).every((side) => {
      const theirs = other.sides[side]
      return (
        this.sides[side].length === theirs.length &&
        this.sides[side].every(
          (level, index) =>
            level.priceE4 === theirs[index]?.priceE4 && sameSize(level.size, theirs[index]?.size),
        )
      )
    })
  }

  /** Its levels seen from the other outcome: price 1 - p, opposite side, sizes untouched. */
  mirrored(): VenueBook {
    const mirror = new VenueBook()
    const flip = (level: HeldLevel): HeldLevel => ({ ...level, priceE4: ONE_E4 - level.priceE4 })
    mirror.sides.bid = this.sides.ask.map(flip)
    mirror.sides.ask = this.sides.bid.map(flip)
    return mirror
  }

  /** The venue's hash of this book at a message's timestamp. */
  hash(context: HashContext, timestamp: string): string {
    const { bid, ask } = (this.json ??= {
      bid: new SideJson(this.sides.bid.map(({ json }) => json)),
      ask: new SideJson(this.sides.ask.map(({ json }) => json)),
    })
    const head = `{"market":"${context.market}","asset_id":"${context.assetId}","timestamp":"${timestamp}","hash":"","bids":[`
    const tail =
      `],"min_order_size":"${context.minOrderSize}","tick_size":"${context.tickSize}",` +
      `"neg_risk":${context.negRisk},"last_trade_price":"${context.lastTradePrice}"}`
    const length = head.length + bid.length + MIDDLE.length + ask.length + tail.length
    if (length > this.text.length) this.text = Buffer.allocUnsafeSlow(2 * length)
    const { text } = this
    let end = bid.copyTo(text, text.write(head, 'latin1'))
    end = ask.copyTo(text, end + text.write(MIDDLE, end, 'latin1'))
    end += text.write(tail, end, 'latin1')
    return hash('sha1', text.subarray(0, end))
  }
}

const MIDDLE = '],"asks":['

/** Whether two size strings are the same number (`"5"`, `"5.0"`); undefined is zero. */
export function sameSize(a: string | undefined, b: string | undefined): boolean {
  return a === b || canonical(a) === canonical(b)
}

function canonical(size: string | undefined): string {
  const [whole = '', fraction = ''] = (size ?? '0').split('.')
  return `${whole.replace(/^0+/, '')}.${fraction.replace(/0+$/, '')}`
}

const hold = ({ price, size, priceE4 }: WireLevel): HeldLevel => ({
  priceE4,
  size,
  json: `{"price":"${price}","size":"${size}"}`,
})

function held(levels: Iterable<WireLevel>): HeldLevel[] {
  return [...levels].filter(({ empty }) => !empty).map(hold)
}

/** Index of the price, or where it would stand. */
function find(levels: readonly HeldLevel[], side: BookSide, priceE4: number): number {
  let low = 0
  let high = levels.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const at = (levels[middle] as HeldLevel).priceE4
    if (side === 'bid' ? at < priceE4 : at > priceE4) low = middle + 1
    else high = middle
  }
  return low
}

/** The strings that the venue may write for the last trade: as known, as reported, padded, or of the other token. */
export function* lastTradeCandidates(
  current: string | undefined,
  trades: readonly string[],
): Generator<string> {
  const tried = new Set<string>()
  for (const text of [current ?? '', ...trades.flatMap(spellings)]) {
    if (!tried.has(text)) yield text
    tried.add(text)
  }
}

export function spellings(price: string): string[] {
  const [, fraction = ''] = price.split('.')
  const complement = formatScaled(ONE_E4 - Number(fraction.slice(0, 4).padEnd(4, '0')), 4)
  const cut = (text: string, digits: number): string => text.padEnd(digits + 2, '0').slice(0, digits + 2)
  const plain = `0.${fraction.replace(/0+$/, '')}`
  const other = complement.replace(/0+$/, '')
  return [
    price,
    plain,
    cut(plain, Math.max(3, plain.length - 2)),
    other,
    cut(other, Math.max(3, other.length - 2)),
  ]
}
