/**
 * One connection to the market channel as a pure state machine: events in, effects out, no I/O and no clock.
 *
 * `feed.ts` owns the socket, hands over every event with the monotonic time its bytes arrived, and carries the effects
 * out in order. A book is published LIVE only while it is proved and the continuity of the connection, or its own, was
 * proved lately. A matching hash proves the connection; an equal REST book proves its own market alone, and the
 * connection no later than the market of it that was proved longest ago.
 */

import { isDeepStrictEqual } from 'node:util'
import type { CatalogMarket } from '../../model/game.js'
import type { QuoteState } from '../../model/quote.js'
import type { BookEvent, PolyEvent, PriceChangeEvent } from './events.js'
import type { BookOutcome } from './book-outcome.js'
import { CompareQueue } from './compare-queue.js'
import { DumpWait } from './dump-wait.js'
import type { LostFrame, PlacedVerdict } from './lost-frame.js'
import { catalogChange, operation, skip, type MapperEffect, type MapperOptions } from './mapper-effects.js'
import { MarketBook } from './market-book.js'
import { Operations } from './operations.js'

interface Followed {
  readonly books: MarketBook
  published: QuoteState | undefined
  readonly wait: DumpWait
  /** Its dump was asked for on the open connection, not by the connection's own subscription. */
  byOperation: boolean
  /** As of when it was last proved itself, by a hash or by REST. */
  provedUs: number
  /** When its levels last moved. */
  movedUs: number
  /** When the REST book was asked for that was the first to differ. */
  differedUs: number
  /** Since when best prices are told that the book does not have. */
  claimedUs: number | undefined
  /** When a frame that may have been for it could last not be used. */
  lostUs: number
}

/** Frames of a dropped market come for a round trip; a process drops markets for months. */
const MAX_FORMER = 256

export class PolymarketMapper {
  private readonly markets = new Map<string, Followed>()
  private readonly byToken = new Map<string, Followed>()
  /** Markets no longer followed, whose last frames may still arrive. */
  private readonly former = new Set<string>()
  private connectedNow = false
  private wasFresh = false
  private lastProofUs: number | undefined
  private partProofUs: number | undefined
  private lastEventUs = 0
  private readonly compares = new CompareQueue()
  private readonly operations = new Operations()

  constructor(private readonly options: MapperOptions) {}

  /** As of when every proved book was last known to be, our monotonic clock; undefined before this connection's first. */
  get provedUs(): number | undefined {
    return this.lastProofUs
  }

  /** As of when anything at all was last proved, be it one book by REST. */
  get partlyProvedUs(): number | undefined {
    return this.partProofUs
  }

  get assets(): number {
    return this.byToken.size
  }

  /** A market is followed that has not ended: silence is to be explained. */
  get expectsProof(): boolean {
    return [...this.markets.values()].some(({ books }) => books.trust !== 'resolved')
  }

  /** How many books wait for REST to confirm them. */
  get doubts(): number {
    return this.compares.doubts
  }

  /** live: every followed market is proved. waiting: first dumps are under way. broken: continuity lost. */
  health(nowUs: number): 'live' | 'waiting' | 'broken' {
    const open = [...this.markets.values()].filter(({ books }) => books.trust !== 'resolved')
    if (open.length === 0) return this.connectedNow ? 'live' : 'waiting'
    if (!this.connectedNow)
      return open.some(({ published }) => published !== undefined) ? 'broken' : 'waiting'
    if (open.every((followed) => followed.books.trust === 'proved' && this.isFresh(followed, nowUs)))
      return 'live'
    return open.some(({ published }) => published === undefined) ? 'waiting' : 'broken'
  }

  /** Follows a market, or takes over what the catalog now says of one that is followed; its tokens stay. */
  follow(market: CatalogMarket, nowUs: number): MapperEffect[] {
    const held = this.markets.get(market.marketId)
    if (held !== undefined) return this.describe(held, market, nowUs)
    if (market.tokenIds === undefined) return []
    this.former.delete(market.marketId)
    const books = new MarketBook(market, market.tokenIds)
    const followed: Followed = {
      books,
      published: undefined,
      wait: new DumpWait(this.options),
      byOperation: false,
      provedUs: -Infinity,
      movedUs: -Infinity,
      differedUs: 0,
      claimedUs: undefined,
      lostUs: -Infinity,
    }
    this.markets.set(market.marketId, followed)
    this.byToken.set(books.yesToken, followed)
    this.byToken.set(books.noToken, followed)
    if (!this.connectedNow) return []
    if (this.operations.areIgnored) return [{ kind: 'reconnect', reason: 'a market is added' }]
    followed.wait.subscribed(nowUs)
    followed.byOperation = true
    return [operation('subscribe', [books.yesToken, books.noToken])]
  }

  /** Forgets a market; its last word is BROKEN. */
  unfollow(marketId: string): MapperEffect[] {
    const followed = this.markets.get(marketId)
    if (followed === undefined) return []
    const { books } = followed
    this.markets.delete(marketId)
    this.byToken.delete(books.yesToken)
    this.byToken.delete(books.noToken)
    this.former.add(marketId)
    this.operations.forget(marketId)
    if (this.former.size > MAX_FORMER) this.former.delete(this.former.values().next().value ?? '')
    books.disconnected()
    const gone = followed.published === undefined ? [] : this.publish(followed, false, true)
    return this.connectedNow ? [...gone, operation('unsubscribe', [books.yesToken, books.noToken])] : gone
  }

  /** The socket is open: what to subscribe. */
  connected(nowUs: number): MapperEffect[] {
    this.connectedNow = true
    this.former.clear()
    this.lastProofUs = undefined
    this.partProofUs = undefined
    this.lastEventUs = nowUs
    for (const followed of this.markets.values()) {
      followed.wait.subscribed(nowUs)
      followed.byOperation = false
    }
    if (this.byToken.size === 0) return []
    const subscription = {
      assets_ids: [...this.byToken.keys()],
      type: 'market',
      custom_feature_enabled: true,
    }
    return [{ kind: 'send', text: JSON.stringify(subscription) }]
  }

  /** The socket is gone: every book is BROKEN from this moment. */
  disconnected(): MapperEffect[] {
    this.connectedNow = false
    this.wasFresh = false
    this.lastProofUs = undefined
    this.partProofUs = undefined
    this.compares.clear()
    return [...this.markets.values()].flatMap((followed) => {
      followed.books.disconnected()
      followed.wait.stop()
      followed.claimedUs = undefined
      followed.provedUs = -Infinity
      return followed.published === undefined ? [] : this.publish(followed, false, false)
    })
  }

  onEvent(event: PolyEvent, nowUs: number): MapperEffect[] {
    // What a connection still held when it was given up proves nothing of the next one.
    if (!this.connectedNow) return []
    this.lastEventUs = nowUs
    switch (event.type) {
      case 'price_change':
        return this.onChanges(event, nowUs)
      case 'new_market':
        return [
          skip('new_market'),
          ...(event.slug === undefined ? [] : [catalogChange({ kind: 'listed', slug: event.slug })]),
        ]
      case 'market_resolved': {
        const followed = this.markets.get(event.market)
        return followed === undefined
          ? [skip('market_resolved')]
          : [
              ...this.apply(followed, followed.books.resolved(), nowUs),
              catalogChange({ kind: 'resolved', market: followed.books.market }),
            ]
      }
      default: {
        const followed = this.markets.get(event.market)
        if (this.byToken.get(event.assetId) !== followed)
          return this.mismatched(event, [event.assetId], nowUs)
        if (followed === undefined) return [this.unknownAsset(event.market, event.assetId)]
        return this.apply(followed, this.outcomeOf(followed, event), nowUs)
      }
    }
  }

  /** A frame, or a part of one, that made no event. What books may miss by it is believed no longer. */
  onVerdict({ lost, ...verdict }: PlacedVerdict, nowUs: number): MapperEffect[] {
    return [{ kind: 'verdict', verdict }, ...(lost === undefined ? [] : this.onUnusable(lost, nowUs))]
  }

  /** The books it names are broken, or doubted where it names no level; with no legible name, all are doubted. */
  private onUnusable(lost: LostFrame, nowUs: number): MapperEffect[] {
    this.lastEventUs = nowUs
    const ids = lost.assetIds.map((assetId) => this.byToken.get(assetId))
    const named = new Set([lost.market === undefined ? undefined : this.markets.get(lost.market), ...ids])
    named.delete(undefined)
    if (named.size === 0 && lost.market !== undefined) return []
    const certain = lost.changesBook && named.size > 0
    return [...(named.size === 0 ? this.markets.values() : named)].flatMap((followed) => {
      if (followed === undefined) return []
      followed.lostUs = nowUs
      return this.apply(followed, followed.books.lose(certain, lost.venueMs), nowUs)
    })
  }

  /** REST's books of a compare that was asked at `askedUs`. */
  onRest(books: readonly BookEvent[], askedUs: number, nowUs: number): MapperEffect[] {
    const effects: MapperEffect[] = []
    for (const rest of books) {
      const caused = this.onRestBook(rest, askedUs, nowUs)
      effects.push(...caused)
      // What is published behind it would never be told.
      if (caused.some(({ kind }) => kind === 'reconnect')) return effects
    }
    const proved = [...this.markets.values()].filter(({ books: { trust } }) => trust === 'proved')
    // The one whose stream may have died without a word is as old as its own last proof.
    const oldestUs = Math.min(...proved.map(({ provedUs }) => provedUs))
    if (proved.length > 0 && oldestUs > (this.lastProofUs ?? -Infinity)) this.lastProofUs = oldestUs
    return [...effects, ...this.refresh(nowUs)]
  }

  private onRestBook(rest: BookEvent, askedUs: number, nowUs: number): MapperEffect[] {
    const followed = this.byToken.get(rest.assetId)
    if (followed === undefined || rest.assetId !== followed.books.yesToken || !this.connectedNow) return []
    // What was lost since the question may be what the answer does not know of.
    if (askedUs <= followed.lostUs) return []
    const { different, ...outcome } = followed.books.onRest(rest, askedUs > (followed.claimedUs ?? -Infinity))
    if (different === 1) followed.differedUs = askedUs
    if ((different ?? 0) >= 2 && this.lastEventUs < followed.differedUs) {
      // Nothing at all has come since before the first of them was asked for: the socket is frozen.
      return [
        ...this.publish(followed, false, false),
        { kind: 'reconnect', reason: 'silent while REST moved on' },
      ]
    }
    return this.apply(followed, outcome, nowUs, askedUs)
  }

  /** Time passes: stale books, dumps that never came, best prices that nothing explained. Call a few times a second. */
  tick(nowUs: number): MapperEffect[] {
    const effects: MapperEffect[] = [...this.refresh(nowUs)]
    for (const followed of this.connectedNow ? this.markets.values() : []) {
      const { wait, books, claimedUs } = followed
      if (books.trust === 'resolved') continue
      if (claimedUs !== undefined && nowUs - claimedUs >= this.options.claimGraceUs)
        effects.push(...this.apply(followed, books.claimStands(), nowUs))
      if (wait.isDue(nowUs)) effects.push(...this.resync(followed, 'no usable dump', nowUs))
    }
    return effects
  }

  /**
   * The YES tokens to compare now, `all` or the doubted ones: those first, then the one that moved last first, for what
   * moves most is wrong first. The doubts are taken for told to REST.
   */
  toCompare(all: boolean): string[] {
    const ready = [...this.markets.values()]
      .filter(({ books: { trust } }) => trust !== 'none' && trust !== 'resolved')
      .sort((a, b) => b.movedUs - a.movedUs)
    return this.compares.take(
      ready.map(({ books }) => books.yesToken),
      all,
    )
  }

  private describe(followed: Followed, market: CatalogMarket, nowUs: number): MapperEffect[] {
    const { books } = followed
    if (isDeepStrictEqual(books.market, market)) return []
    books.describe(market)
    return followed.published === undefined ? [] : this.publish(followed, this.isFresh(followed, nowUs), true)
  }

  private outcomeOf(
    followed: Followed,
    event: Exclude<PolyEvent, { type: 'price_change' | 'new_market' | 'market_resolved' }>,
  ): BookOutcome {
    switch (event.type) {
      case 'book':
        // A book after a trade comes unasked, and without a tick.
        if (event.tickSize !== undefined && event.assetId === followed.books.yesToken)
          this.operations.dumped(event.market, followed.byOperation)
        return followed.books.onBook(event)
      case 'last_trade_price':
        return followed.books.onTrade(event)
      case 'tick_size_change':
        return followed.books.onTick(event)
      case 'best_bid_ask':
        return followed.books.onBest(event)
    }
  }

  /** Every change must be of the condition that the message names, or none of them is taken. */
  private onChanges(event: PriceChangeEvent, nowUs: number): MapperEffect[] {
    const followed = this.markets.get(event.market)
    const assetIds = event.changes.map(({ assetId }) => assetId)
    if (assetIds.some((assetId) => this.byToken.get(assetId) !== followed)) {
      return this.mismatched(event, assetIds, nowUs)
    }
    if (followed === undefined) return assetIds.map((assetId) => this.unknownAsset(event.market, assetId))
    return this.apply(followed, followed.books.onChanges(event, event.changes), nowUs)
  }

  /** A token beside a condition that is not its own: one of the two is a lie, so both books miss something. */
  private mismatched(
    { type, market, venueMs }: Exclude<PolyEvent, { type: 'new_market' | 'market_resolved' }>,
    assetIds: readonly string[],
    nowUs: number,
  ): MapperEffect[] {
    const changesBook = type !== 'last_trade_price' && type !== 'best_bid_ask'
    const lost = { changesBook, market, assetIds, venueMs }
    return this.onVerdict({ kind: 'refused', reason: 'market_mismatch', detail: market, lost }, nowUs)
  }

  private apply(followed: Followed, outcome: BookOutcome, nowUs: number, restUs?: number): MapperEffect[] {
    const { books } = followed
    const effects: MapperEffect[] = []
    if (outcome.verdict !== undefined) effects.push({ kind: 'verdict', verdict: outcome.verdict })
    if (books.trust !== 'none' && books.trust !== 'broken') followed.wait.came()
    followed.claimedUs = books.isClaimed ? (followed.claimedUs ?? nowUs) : undefined
    if (outcome.changed === true) followed.movedUs = nowUs
    if (outcome.proved === true) {
      const provedUs = restUs ?? nowUs
      followed.provedUs = Math.max(followed.provedUs, provedUs)
      this.partProofUs = Math.max(this.partProofUs ?? -Infinity, provedUs)
      if (restUs === undefined) this.lastProofUs = nowUs
      followed.wait.proved()
      effects.push({ kind: 'proved' })
    }
    effects.push(...this.publish(followed, this.isFresh(followed, nowUs), outcome.changed === true))
    if (outcome.proved === true && restUs === undefined) effects.push(...this.refresh(nowUs))
    if (outcome.compare !== undefined) this.compares.doubt(books.yesToken)
    if (outcome.resync !== undefined && !followed.wait.isWaiting) {
      followed.wait.want()
      if (followed.wait.isDue(nowUs)) effects.push(...this.resync(followed, outcome.resync, nowUs))
    }
    return effects
  }

  /** Leaving and joining again makes the venue dump the book. */
  private resync(followed: Followed, reason: string, nowUs: number): MapperEffect[] {
    const { books, wait } = followed
    const { marketId } = books.market
    if (this.operations.shouldReconnect(marketId, wait.tries)) {
      return [{ kind: 'reconnect', reason: `for the book of ${marketId}: ${reason}` }]
    }
    wait.askedAgain(nowUs)
    followed.byOperation = true
    const tokens = [books.yesToken, books.noToken]
    return [
      { kind: 'notice', level: 'warn', text: `resync of ${marketId}: ${reason}` },
      operation('unsubscribe', tokens),
      operation('subscribe', tokens),
    ]
  }

  /** Publishes what a proof, or the lack of one, changes on the connection's other books. */
  private refresh(nowUs: number): MapperEffect[] {
    const wasFresh = this.wasFresh
    this.wasFresh = this.isRecent(this.lastProofUs, nowUs)
    if (wasFresh && this.wasFresh) return []
    return [...this.markets.values()]
      .filter(({ published }) => published !== undefined)
      .flatMap((followed) => this.publish(followed, this.isFresh(followed, nowUs), false))
  }

  private publish(followed: Followed, fresh: boolean, changed: boolean): MapperEffect[] {
    const { books } = followed
    const state = books.state(fresh)
    if (!changed && state === followed.published) return []
    // Before its first book a market has no word to take back.
    if (!changed && followed.published === undefined && books.trust === 'none') return []
    followed.published = state
    const venueMs = changed ? books.venueMs : undefined
    return [
      {
        kind: 'book',
        market: books.market,
        book: books.book,
        state,
        ...(venueMs === undefined ? {} : { venueMs }),
      },
    ]
  }

  private isFresh({ provedUs }: Followed, nowUs: number): boolean {
    return this.isRecent(this.lastProofUs, nowUs) || this.isRecent(provedUs, nowUs)
  }

  private isRecent(provedUs: number | undefined, nowUs: number): boolean {
    return provedUs !== undefined && nowUs - provedUs <= this.options.staleAfterUs
  }

  private unknownAsset(market: string, assetId: string): MapperEffect {
    return this.former.has(market)
      ? skip('asset_not_followed')
      : {
          kind: 'verdict',
          verdict: { kind: 'refused', reason: 'unknown_market', detail: `${market} ${assetId}` },
        }
  }
}
