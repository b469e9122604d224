/**
 * One condition's book and whether it may be believed.
 *
 * YES is the first outcome token. Its changes are folded and proved by the venue's hash; what the messages say of the
 * second token must be the mirror of it. There is no sequence number, so trust comes from a matching hash or from an
 * equal REST book alone, and goes with the first thing that does not fit.
 */

import { OrderBook } from '../../model/order-book.js'
import { stateOfBook, type QuoteState } from '../../model/quote.js'
import type { CatalogMarket } from '../../model/game.js'
import { BestClaim } from './best-claim.js'
import { sameSize, VenueBook } from './book-hash.js'
import type { BookOutcome, Trust } from './book-outcome.js'
import type {
  BestBidAskEvent,
  BookEvent,
  LastTradeEvent,
  LevelChange,
  PriceChangeEvent,
  TickSizeEvent,
  WireLevel,
} from './events.js'
import { HashInputs } from './hash-inputs.js'
import { MessageOrder } from './message-order.js'
import { ProofFloor } from './proof-floor.js'
import { SecondToken } from './second-token.js'

const UNCHANGED: BookOutcome = {}
const skipped = (name: string): BookOutcome => ({ verdict: { kind: 'skipped', name } })

export class MarketBook {
  /** The YES side in integers, as published. */
  readonly book = new OrderBook()
  readonly yesToken: string
  readonly noToken: string
  trust: Trust = 'none'

  private readonly venue = new VenueBook()
  private readonly inputs: HashInputs
  /** A hash has matched since the last dump that changed the rules: a mismatch now means a loss. */
  private hashProven = false
  private excused = false
  /** The newest message's hash did not match, and a trade still to be told may explain it. */
  private unexplained = false
  private readonly order = new MessageOrder()
  private readonly floor = new ProofFloor()
  private readonly second = new SecondToken(this.venue)
  private readonly claim = new BestClaim(this.venue)
  /** The newest change that came while there was no book to change. */
  private discarded: { readonly venueMs: number; readonly hash: string | undefined } | undefined
  /** REST books in a row that were not ours, though nothing was told in between. */
  private differing = 0

  constructor(
    private described: CatalogMarket,
    tokenIds: readonly [string, string],
  ) {
    ;[this.yesToken, this.noToken] = tokenIds
    this.inputs = new HashInputs(described, this.yesToken)
  }

  /** As the catalog told it last. */
  get market(): CatalogMarket {
    return this.described
  }

  /** Takes over the catalog's newer word. What the hash covers is believed of the book's own channel alone. */
  describe(market: CatalogMarket): void {
    this.described = market
    this.inputs.describe(market)
  }

  /** The state to publish; `fresh` says that the connection's continuity was proved lately. */
  state(fresh: boolean): QuoteState {
    if (this.trust === 'unproved') return this.book.isCrossed ? 'BROKEN' : 'STALE'
    if (this.trust !== 'proved') return 'BROKEN'
    const state = stateOfBook(this.book)
    return state === 'BROKEN' || fresh ? state : 'STALE'
  }

  /** The venue's clock at the newest message folded, Unix ms. */
  get venueMs(): number | undefined {
    return this.order.newest?.venueMs
  }

  /** The connection is gone: what is held may be wrong, and the next dump starts anew. */
  disconnected(): void {
    if (this.trust !== 'resolved') this.trust = 'none'
    this.hashProven = false
    this.order.restart()
    this.floor.reset()
    this.second.forget()
    this.claim.drop()
    this.discarded = undefined
    this.differing = 0
    this.unexplained = false
    this.inputs.forgetTrades()
  }

  /** A message that may have been for this book could not be used; `certain` when it surely was a change of it. */
  lose(certain: boolean, venueMs?: number): BookOutcome {
    if (this.trust === 'resolved') return UNCHANGED
    this.floor.lose(venueMs)
    this.second.forget()
    if (this.trust === 'none') return UNCHANGED
    if (!certain) return this.doubt('unusable frame')
    this.unexplained = false
    return this.break('unusable frame')
  }

  resolved(): BookOutcome {
    this.trust = 'resolved'
    this.clear()
    return { changed: true, verdict: { kind: 'skipped', name: 'market_resolved' } }
  }

  onBook(event: BookEvent): BookOutcome {
    if (this.trust === 'resolved') return skipped('book_after_resolution')
    if (event.assetId === this.noToken) return this.onNoBook(event)
    const awaited = this.trust === 'none' || this.trust === 'broken'
    if (this.order.isLate(event.venueMs)) {
      // A second late dump: the venue's clock went back, or a message lied about it. Take the book, and believe no
      // hash until REST confirms, or time has caught up: it may be an older state of the book.
      if (!awaited || !this.floor.takesLateDump(this.venueMs ?? 0)) return skipped('book_late')
      this.adopt(event)
      this.order.forgetTimestamp()
      this.trust = 'unproved'
      return { changed: true, compare: 'late dump' }
    }
    const mayLack = this.trust === 'none' && this.mayLackDiscarded(event)
    const ambiguous = this.trust !== 'none' && this.order.isAmbiguous(event.venueMs, event.hash)
    this.adopt(event)
    if (ambiguous) return { changed: true, ...this.doubt('two books under one timestamp') }
    if (mayLack) {
      this.trust = 'unproved'
      return { changed: true, compare: 'dump from before a change that came first' }
    }
    if (this.hashMatches()) return this.prove()
    this.trust = 'unproved'
    this.unexplained = true
    if (this.book.isCrossed) return { changed: true, ...this.break('crossed book') }
    return { changed: true, compare: 'book without a matching hash' }
  }

  /** The changes that one message carries for this condition. */
  onChanges(event: PriceChangeEvent, changes: readonly LevelChange[]): BookOutcome {
    if (this.trust === 'resolved') return skipped('delta_after_resolution')
    const yes = changes.filter(({ assetId }) => assetId === this.yesToken)
    if (this.trust === 'none') {
      // A dump may come behind it that does not know of it.
      this.floor.lose(event.venueMs)
      if (event.venueMs >= (this.discarded?.venueMs ?? 0))
        this.discarded = { venueMs: event.venueMs, hash: yes.at(-1)?.hash }
      return skipped('delta_before_book')
    }
    const no = changes.filter(({ assetId }) => assetId === this.noToken)
    const newest = yes.at(-1)
    if (newest === undefined) {
      return this.order.isLate(event.venueMs) || this.second.mirrors(no)
        ? skipped('second_token')
        : this.doubt('no mirror')
    }
    const notNew = this.repeated(event, yes, newest)
    if (notNew !== undefined) return notNew
    for (const { side, level } of yes) this.set(side, level)
    this.take(event.venueMs, event.timestamp, newest.hash)
    const outcome = this.judge(event, newest)
    return this.trust === 'proved' && !this.second.mirrors(no)
      ? { ...outcome, ...this.doubt('no mirror') }
      : outcome
  }

  /** A trade moves the last trade price that the hash covers, before or after the book says so. */
  onTrade(event: LastTradeEvent): BookOutcome {
    this.inputs.trade(event.price)
    this.excused = false
    return this.unexplained && this.hashMatches() ? this.prove() : skipped('last_trade_price')
  }

  onBest(event: BestBidAskEvent): BookOutcome {
    if (this.order.isLate(event.venueMs)) return skipped('best_bid_ask_late')
    if (this.trust !== 'proved' && this.trust !== 'unproved') return skipped('best_bid_ask')
    return this.claim.told(event, event.assetId === this.yesToken)
      ? skipped('best_bid_ask')
      : { compare: 'best prices ahead', ...skipped('best_bid_ask_ahead') }
  }

  /** Best prices were told that the book does not have. */
  get isClaimed(): boolean {
    return this.claim.isOpen
  }

  /** Nothing has explained the best prices in the time that it may take. */
  claimStands(): BookOutcome {
    this.claim.drop()
    return this.doubt('best prices disagree')
  }

  /** A new tick is a new epoch: the book is dropped until the venue sends it again. */
  onTick(event: TickSizeEvent): BookOutcome {
    if (this.trust === 'resolved' || !this.inputs.changeTick(event.newTickSize))
      return skipped('tick_size_known')
    this.hashProven = false
    this.unexplained = false
    this.trust = 'none'
    this.clear()
    return { changed: true, resync: 'tick size changed' }
  }

  /**
   * Compares with `GET /book` of the YES token, asked for while this connection lived; `afterClaim` when it was asked
   * after the best prices that wait to be explained.
   */
  onRest(rest: BookEvent, afterClaim: boolean): BookOutcome & { readonly different?: number } {
    if (this.trust === 'none' || this.trust === 'resolved') return UNCHANGED
    if (this.order.isLate(rest.venueMs)) return UNCHANGED
    this.inputs.learn(rest)
    const theirs = new VenueBook()
    theirs.replace(rest.bids, rest.asks)
    if (this.venue.equals(theirs)) {
      if (!this.floor.allowsRest(rest.venueMs)) return { compare: 'REST is older' }
      this.floor.reset()
      if (afterClaim) this.claim.drop()
      this.differing = 0
      this.unexplained = false
      this.trust = 'proved'
      this.excused = false
      return { proved: true }
    }
    this.differing += 1
    if (this.differing < 2) return { different: 1, compare: 'REST differs' }
    return { different: this.differing, ...this.break('REST differs twice') }
  }

  private judge(event: PriceChangeEvent, newest: LevelChange): BookOutcome {
    const bestsAgree = this.claim.fits({ bidE4: newest.bestBidE4, askE4: newest.bestAskE4 })
    if (this.hashMatches()) {
      return bestsAgree ? this.prove() : { ...this.prove(), ...this.doubt('best prices disagree') }
    }
    this.unexplained = true
    if (!bestsAgree) return { changed: true, ...this.break('best prices disagree') }
    if (this.book.isCrossed) return { changed: true, ...this.break('crossed book') }
    const provable =
      this.hashProven &&
      event.schema === 'changes' &&
      newest.hash !== undefined &&
      this.floor.allowsHash(event.venueMs)
    const excusable = this.inputs.hasTrade && !this.excused
    if (provable && !excusable) return { changed: true, ...this.break('hash mismatch') }
    if (provable) this.excused = true
    if (this.trust === 'broken') return { changed: true }
    this.trust = 'unproved'
    return { changed: true, compare: 'no matching hash' }
  }

  /**
   * Repeats leave the book alone. A new message with an earlier timestamp is folded in the order of the socket, but
   * believed only when a later hash matches: the venue's clock stepped back, or the message is out of place.
   */
  private repeated(
    event: PriceChangeEvent,
    yes: readonly LevelChange[],
    newest: LevelChange,
  ): BookOutcome | undefined {
    const asHeld = yes.every(({ side, level }) =>
      sameSize(this.venue.sizeAt(side, level.priceE4), level.size),
    )
    if (this.order.isLate(event.venueMs)) {
      if (asHeld || this.order.isKnown(newest.hash)) return skipped('delta_late')
      for (const { side, level } of yes) this.set(side, level)
      return { changed: true, ...this.doubt('late delta') }
    }
    if (this.order.isAmbiguous(event.venueMs, newest.hash))
      return this.doubt('repeated delta', 'delta_repeated')
    return asHeld && this.order.isNewest(event.venueMs, newest.hash) ? skipped('delta_repeated') : undefined
  }

  /** The second token's dump counts only under the same timestamp; an earlier one waits for ours to catch up. */
  private onNoBook(event: BookEvent): BookOutcome {
    if (this.order.isLate(event.venueMs)) return skipped('second_token_late')
    this.second.hold(event)
    const outcome = this.checkSecond()
    return outcome === UNCHANGED ? skipped('second_token') : outcome
  }

  /** Of the very millisecond of a change that was discarded, and not the book after it. */
  private mayLackDiscarded({ venueMs, hash }: BookEvent): boolean {
    return venueMs === this.discarded?.venueMs && hash !== this.discarded.hash
  }

  private checkSecond(): BookOutcome {
    if (this.trust !== 'proved' || this.second.agreesAt(this.venueMs ?? 0)) return UNCHANGED
    return this.doubt('second book is no mirror')
  }

  private prove(): BookOutcome {
    this.trust = 'proved'
    this.hashProven = true
    this.unexplained = false
    this.excused = false
    this.differing = 0
    this.floor.provedByHash()
    return { changed: true, proved: true, ...this.checkSecond() }
  }

  private doubt(reason: string, name?: string): BookOutcome {
    if (this.trust === 'proved') this.trust = 'unproved'
    this.unexplained = false
    return { compare: reason, ...(name === undefined ? {} : skipped(name)) }
  }

  private break(reason: string): BookOutcome {
    this.trust = 'broken'
    this.excused = false
    this.differing = 0
    return { resync: reason }
  }

  private adopt(event: BookEvent): void {
    this.venue.replace(event.bids, event.asks)
    this.book.replace(event.bids.map(pair), event.asks.map(pair))
    this.take(event.venueMs, event.timestamp, event.hash)
    this.inputs.learn(event)
  }

  private set(side: 'bid' | 'ask', level: WireLevel): void {
    this.venue.set(side, level)
    this.book.setLevel(side, level.priceE4, level.sizeE2)
  }

  private clear(): void {
    this.venue.clear()
    this.book.clear()
  }

  /** The levels are as this message left them. */
  private take(venueMs: number, timestamp: string, hash: string | undefined): void {
    this.order.take(venueMs, timestamp, hash)
    this.differing = 0
    this.claim.changed(venueMs)
  }

  /** Whether the book held is the one that the newest message's hash was taken of. */
  private hashMatches(): boolean {
    const { newest } = this.order
    if (newest === undefined || !this.floor.allowsHash(newest.venueMs)) return false
    return this.inputs.match(this.venue, newest.timestamp, newest.hash)
  }
}

const pair = ({ priceE4, sizeE2 }: WireLevel): readonly [number, number] => [priceE4, sizeE2]
