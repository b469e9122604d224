/** The books of one subscription, each with whether it follows an unbroken sequence since a snapshot. */

import { OrderBook } from '../../model/order-book.js'
import { stateOfBook } from '../../model/quote.js'
import { placeAfterDelta, placeOfSnapshot, type BookPlace } from './book-place.js'
import type { DeltaFrame, SnapshotFrame } from './book-frames.js'
import { applyDelta, applySnapshot, looksMirrored } from './mapper.js'
import {
  notice,
  refused,
  skipped,
  type BookEffect,
  type BookState,
  type SessionEffect,
} from './session-effects.js'

interface SubscribedBook {
  readonly book: OrderBook
  /** The venue said that it streams this market: before that a snapshot is a picture without a sequel. */
  listed: boolean
  /** Its addition had to be repeated, or its snapshot came before the market was listed: another has to be asked for. */
  overdue: boolean
  /** It follows an unbroken sequence since a snapshot. */
  fresh: boolean
  /** It had a snapshot on this subscription before. */
  seen: boolean
  /** Fresh, and bid at or above ask. */
  crossed: boolean
  place: BookPlace
  /** When each command was given that may still be answered by a snapshot, us; the oldest first. */
  readonly asks: number[]
  /** When to ask for its first snapshot again, or for another of a book that stays crossed, us. */
  askAtUs: number
  askEveryUs: number
}

/** Of those that are not answered so many are remembered; a snapshot is never taken to be younger than its request. */
const MAX_ASKS = 16
const MAX_ASK_EVERY_US = 30_000_000
/** A match may cross a book between two of its deltas; one that stays crossed is wrong. */
const CROSSED_FOR_US = 1_000_000

export class SubscribedBooks {
  private readonly books = new Map<string, SubscribedBook>()
  /** Everything ever joined on this connection: late messages of these are expected. */
  private readonly known = new Set<string>()
  /** Their last snapshots contradict the form of price that was asked for: then no book of the subscription is believed. */
  private readonly mirrored = new Set<string>()

  constructor(
    private readonly useYesPrice: boolean,
    private readonly askEveryUs: number,
  ) {}

  get tickers(): string[] {
    return [...this.books.keys()]
  }

  /** Those that had a snapshot on this subscription. */
  get seen(): string[] {
    return this.tickers.filter((ticker) => this.books.get(ticker)?.seen === true)
  }

  has = (ticker: string): boolean => this.books.has(ticker)

  isFresh = (ticker: string): boolean => this.books.get(ticker)?.fresh === true

  join(ticker: string, nowUs: number): void {
    const { askEveryUs } = this
    const flags = { listed: false, overdue: false, fresh: false, seen: false, crossed: false }
    const place = placeOfSnapshot(nowUs)
    const timing = { place, asks: [nowUs], askAtUs: nowUs + askEveryUs, askEveryUs }
    this.books.set(ticker, { book: new OrderBook(), ...flags, ...timing })
    this.known.add(ticker)
  }

  /** The venue streams these; returned are those whose first snapshot has to be asked for. */
  list(tickers: Iterable<string>): string[] {
    const overdue: string[] = []
    for (const ticker of tickers) {
      const entry = this.books.get(ticker)
      if (entry === undefined) continue
      entry.listed = true
      if (entry.overdue && !entry.seen) overdue.push(ticker)
      entry.overdue = false
    }
    return overdue
  }

  /** A command went out that asks for their snapshots. */
  asked(tickers: readonly string[], nowUs: number): void {
    for (const ticker of tickers) {
      const asks = this.books.get(ticker)?.asks
      if (asks !== undefined && asks.length < MAX_ASKS) asks.push(nowUs)
    }
  }

  leave(ticker: string): SessionEffect[] {
    this.books.delete(ticker)
    return this.judgeForm(ticker, false)
  }

  clear(): void {
    this.books.clear()
    this.mirrored.clear()
  }

  /** Distrusts every book until its next snapshot; books without a first one are asked for again at once. */
  breakAll(nowUs: number): SessionEffect[] {
    const effects: SessionEffect[] = []
    for (const [ticker, entry] of this.books) {
      if (!entry.seen) entry.askAtUs = nowUs
      if (!entry.fresh) continue
      entry.fresh = false
      entry.crossed = false
      effects.push(bookEffect(ticker, entry, 'BROKEN', undefined))
    }
    return effects
  }

  /** Distrusts the books that the venue does not stream; they are asked for again at once. */
  breakOthers(streamed: ReadonlySet<string>, nowUs: number): SessionEffect[] {
    const effects: SessionEffect[] = []
    for (const [ticker, entry] of this.books) {
      if (streamed.has(ticker)) continue
      if (entry.fresh) effects.push(bookEffect(ticker, entry, 'BROKEN', undefined))
      entry.listed = false
      entry.fresh = false
      entry.seen = false
      entry.crossed = false
      entry.askAtUs = nowUs
      effects.push(...this.judgeForm(ticker, false))
    }
    return effects
  }

  snapshot(frame: SnapshotFrame, nowUs: number): SessionEffect[] {
    const entry = this.books.get(frame.ticker)
    if (entry === undefined) return [this.ofUnfollowed(frame.ticker)]
    if (!entry.listed) {
      entry.overdue = true
      return [skipped('unlisted_market')]
    }
    applySnapshot(entry.book, frame, this.useYesPrice)
    entry.fresh = true
    entry.seen = true
    entry.place = placeOfSnapshot(entry.asks.shift() ?? entry.place.askedUs)
    const others = this.judgeForm(frame.ticker, looksMirrored(frame, this.useYesPrice))
    return [this.changed(frame.ticker, entry, undefined, nowUs), ...others]
  }

  /** Undefined when a level would fall below zero: a message was lost. */
  delta(frame: DeltaFrame, nowUs: number): SessionEffect | undefined {
    const entry = this.books.get(frame.ticker)
    if (entry === undefined) return this.ofUnfollowed(frame.ticker)
    if (!entry.fresh) return skipped('awaiting_snapshot')
    if (!applyDelta(entry.book, frame, this.useYesPrice)) return undefined
    entry.place = placeAfterDelta(entry.place, frame.venueMs)
    return this.changed(frame.ticker, entry, frame.venueMs, nowUs)
  }

  /** The markets were refused: ask for them later, ever more slowly. */
  postpone(tickers: readonly string[], nowUs: number): void {
    for (const ticker of tickers) {
      const entry = this.books.get(ticker)
      if (entry !== undefined) entry.askAtUs = nowUs + entry.askEveryUs
    }
  }

  /** Books to ask for now: never seen, or crossed for too long. Each is named again later, ever more slowly. */
  due(nowUs: number): { readonly unseen: readonly string[]; readonly crossed: readonly string[] } {
    const unseen: string[] = []
    const crossed: string[] = []
    for (const [ticker, entry] of this.books) {
      if (nowUs < entry.askAtUs || (entry.seen && !entry.crossed)) continue
      entry.askAtUs = nowUs + entry.askEveryUs
      entry.askEveryUs = Math.min(entry.askEveryUs * 2, MAX_ASK_EVERY_US)
      if (!entry.seen) entry.overdue = true
      ;(entry.seen ? crossed : unseen).push(ticker)
    }
    return { unseen, crossed }
  }

  private changed(
    ticker: string,
    entry: SubscribedBook,
    venueMs: number | undefined,
    nowUs: number,
  ): SessionEffect {
    const crossed = entry.book.isCrossed || this.mirrored.has(ticker)
    if (crossed && !entry.crossed) entry.askAtUs = nowUs + CROSSED_FOR_US
    if (!crossed) entry.askEveryUs = this.askEveryUs
    entry.crossed = crossed
    return bookEffect(ticker, entry, this.stateOf(entry), venueMs)
  }

  private stateOf({ book }: SubscribedBook): BookState {
    return this.mirrored.size > 0 ? 'BROKEN' : stateOfBook(book)
  }

  /** What a market's snapshot says of the form of price; when that changes what may be believed, the other books. */
  private judgeForm(ticker: string, isMirrored: boolean): SessionEffect[] {
    const wasDoubted = this.mirrored.size > 0
    if (isMirrored) this.mirrored.add(ticker)
    else this.mirrored.delete(ticker)
    const isDoubted = this.mirrored.size > 0
    if (isDoubted === wasDoubted) return []
    const effects: SessionEffect[] = [...this.books]
      .filter(([other, { fresh }]) => fresh && other !== ticker)
      .map(([other, entry]) => bookEffect(other, entry, this.stateOf(entry), undefined))
    const text = `the snapshot of ${ticker} is crossed as use_yes_price ${this.useYesPrice} reads it, and not the other way: no book is believed`
    effects.push(
      isDoubted ? notice('error', text) : notice('info', 'NO levels come as they were asked for again'),
    )
    return effects
  }

  private ofUnfollowed(ticker: string): SessionEffect {
    return this.known.has(ticker) ? skipped('unfollowed_market') : refused('unknown_market', ticker)
  }
}

function bookEffect(
  ticker: string,
  { book, place }: SubscribedBook,
  state: BookState,
  venueMs: number | undefined,
): BookEffect {
  return { kind: 'book', ticker, book, state, place, venueMs }
}
