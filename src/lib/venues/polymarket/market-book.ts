/**
 * One condition's book and whether it may be believed.
 *
 * YES is the first outcome token. Its changes are folded and proved by the venue's hash; what the messages say of the
 * second token must be the mirror of it. There is no sequence number, so trust comes from a matching hash or from an
 * equal REST book alone, and goes with the first thing that does not fit.
 */

import { OrderBook } from '../../model/order-book.js'
import { complementE4 } from '../../model/price.js'
import { stateOfBook, type QuoteState } from '../../model/quote.js'
import type { CatalogMarket } from '../../model/game.js'
import { sameSize, VenueBook } from './book-hash.js'
import type { BookOutcome, Trust } from './book-outcome.js'
import type {
  BookEvent,
  LastTradeEvent,
  LevelChange,
  PriceChangeEvent,
  TickSizeEvent,
  WireLevel,
} from './events.js'
import { HashInputs } from './hash-inputs.js'

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
  /** The newest YES message, and the hashes seen under its timestamp. */
  private last: { venueMs: number; timestamp: string; hash: string | undefined } | undefined
  private hashesAtLast: string[] = []
  /** Hashes of the newest messages, whatever their timestamp: a repeat carries one of them. */
  private recentHashes: string[] = []
  private lateDumps = 0
  private noHashBeforeMs = 0
  /** The venue's time of the newest message that could not be used: what is older does not tell of it. */
  private lostMs = 0
  private olderThanLost = 0
  private pendingNo: BookEvent | undefined
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
    return this.last?.venueMs
  }

  /** The connection is gone: what is held may be wrong, and the next dump starts anew. */
  disconnected(): void {
    if (this.trust !== 'resolved') this.trust = 'none'
    this.hashProven = false
    this.last = undefined
    this.hashesAtLast = []
    this.recentHashes = []
    this.lateDumps = 0
    this.noHashBeforeMs = 0
    this.lostMs = 0
    this.olderThanLost = 0
    this.pendingNo = undefined
    this.differing = 0
    this.unexplained = false
    this.inputs.forgetTrades()
  }

  /** A message that may have been for this book could not be used; `certain` when it surely was a change of it. */
  lose(certain: boolean, venueMs?: number): BookOutcome {
    if (this.trust === 'resolved') return UNCHANGED
    this.lostMs = Math.max(this.lostMs, venueMs ?? 0)
    this.olderThanLost = 0
    this.pendingNo = undefined
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
    if (this.isLate(event.venueMs)) {
      // A second late dump: the venue's clock went back, or a message lied about it. Take the book, and believe no
      // hash until REST confirms, or time has caught up: it may be an older state of the book.
      if (!awaited || ++this.lateDumps < 2) return skipped('book_late')
      this.noHashBeforeMs = Math.max(this.noHashBeforeMs, this.last?.venueMs ?? 0)
      this.adopt(event)
      this.hashesAtLast = []
      this.trust = 'unproved'
      return { changed: true, compare: 'late dump' }
    }
    const ambiguous = this.isAmbiguous(event.venueMs, event.hash)
    this.adopt(event)
    if (ambiguous) return { changed: true, ...this.doubt('two books under one timestamp') }
    if (this.hashMatches()) return this.prove()
    this.trust = 'unproved'
    this.unexplained = true
    if (this.book.isCrossed) return { changed: true, ...this.break('crossed book') }
    return { changed: true, compare: 'book without a matching hash' }
  }

  /** The changes that one message carries for this condition. */
  onChanges(event: PriceChangeEvent, changes: readonly LevelChange[]): BookOutcome {
    if (this.trust === 'resolved') return skipped('delta_after_resolution')
    if (this.trust === 'none') return skipped('delta_before_book')
    const yes = changes.filter(({ assetId }) => assetId === this.yesToken)
    const no = changes.filter(({ assetId }) => assetId === this.noToken)
    const newest = yes.at(-1)
    if (newest === undefined) {
      return this.isLate(event.venueMs) || this.mirrors(no)
        ? skipped('second_token')
        : this.doubt('no mirror')
    }
    const notNew = this.repeated(event, yes, newest)
    if (notNew !== undefined) return notNew
    for (const { side, level } of yes) this.set(side, level)
    this.note(event.venueMs, event.timestamp, newest.hash)
    const outcome = this.judge(event, newest)
    return this.trust === 'proved' && !this.mirrors(no) ? { ...outcome, ...this.doubt('no mirror') } : outcome
  }

  /** A trade moves the last trade price that the hash covers, before or after the book says so. */
  onTrade(event: LastTradeEvent): BookOutcome {
    this.inputs.trade(event.price)
    this.excused = false
    return this.unexplained && this.hashMatches() ? this.prove() : skipped('last_trade_price')
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

  /** Compares with `GET /book` of the YES token, asked for while this connection lived. */
  onRest(rest: BookEvent): BookOutcome & { readonly different?: number } {
    if (this.trust === 'none' || this.trust === 'resolved') return UNCHANGED
    if (this.isLate(rest.venueMs)) return UNCHANGED
    this.inputs.learn(rest)
    const theirs = new VenueBook()
    theirs.replace(rest.bids, rest.asks)
    if (this.venue.equals(theirs)) {
      // The lost message's own time may be a lie: an older answer that says the same twice settles it.
      if (rest.venueMs < this.lostMs && ++this.olderThanLost < 2) return { compare: 'REST is older' }
      this.differing = 0
      this.noHashBeforeMs = 0
      this.lostMs = 0
      this.olderThanLost = 0
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
    const bestsAgree = this.agrees('bid', newest.bestBidE4) && this.agrees('ask', newest.bestAskE4)
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
      event.venueMs >= this.hashCountsFromMs
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
    if (this.isLate(event.venueMs)) {
      if (asHeld || (newest.hash !== undefined && this.recentHashes.includes(newest.hash)))
        return skipped('delta_late')
      for (const { side, level } of yes) this.set(side, level)
      return { changed: true, ...this.doubt('late delta') }
    }
    if (this.isAmbiguous(event.venueMs, newest.hash)) return this.doubt('repeated delta', 'delta_repeated')
    const same = this.last?.venueMs === event.venueMs && this.hashesAtLast.at(-1) === newest.hash
    return same && newest.hash !== undefined && asHeld ? skipped('delta_repeated') : undefined
  }

  /** The second token's dump counts only under the same timestamp; an earlier one waits for ours to catch up. */
  private onNoBook(event: BookEvent): BookOutcome {
    if (event.venueMs < (this.last?.venueMs ?? 0)) return skipped('second_token_late')
    this.pendingNo = event
    const outcome = this.checkPendingNo()
    return outcome === UNCHANGED ? skipped('second_token') : outcome
  }

  private checkPendingNo(): BookOutcome {
    const event = this.pendingNo
    if (event === undefined || this.trust !== 'proved' || event.venueMs > (this.last?.venueMs ?? 0))
      return UNCHANGED
    this.pendingNo = undefined
    if (event.venueMs !== this.last?.venueMs) return UNCHANGED
    const theirs = new VenueBook()
    theirs.replace(event.bids, event.asks)
    return this.venue.equals(theirs.mirrored()) ? UNCHANGED : this.doubt('second book is no mirror')
  }

  private mirrors(no: readonly LevelChange[]): boolean {
    return no.every(({ side, level }) =>
      sameSize(this.venue.sizeAt(side === 'bid' ? 'ask' : 'bid', complementE4(level.priceE4)), level.size),
    )
  }

  private agrees(side: 'bid' | 'ask', stated: number | null | undefined): boolean {
    return stated === undefined || stated === this.venue.bestE4(side)
  }

  private prove(): BookOutcome {
    this.trust = 'proved'
    this.hashProven = true
    this.unexplained = false
    this.excused = false
    this.differing = 0
    this.lateDumps = 0
    return { changed: true, proved: true, ...this.checkPendingNo() }
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
    this.note(event.venueMs, event.timestamp, event.hash)
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

  private note(venueMs: number, timestamp: string, hash: string | undefined): void {
    if (this.last?.venueMs !== venueMs) this.hashesAtLast = []
    this.last = { venueMs, timestamp, hash }
    this.differing = 0
    if (hash !== undefined && this.hashesAtLast.at(-1) !== hash) {
      this.hashesAtLast = [...this.hashesAtLast.slice(-31), hash]
      this.recentHashes = [...this.recentHashes.slice(-31), hash]
    }
  }

  private isLate(venueMs: number): boolean {
    return this.last !== undefined && venueMs < this.last.venueMs
  }

  /** The same timestamp and an earlier hash of it: a repeat, or the book went back within a millisecond. */
  private isAmbiguous(venueMs: number, hash: string | undefined): boolean {
    if (this.last?.venueMs !== venueMs || hash === undefined || this.trust === 'none') return false
    const index = this.hashesAtLast.lastIndexOf(hash)
    return index >= 0 && index < this.hashesAtLast.length - 1
  }

  private get hashCountsFromMs(): number {
    return Math.max(this.noHashBeforeMs, this.lostMs)
  }

  /** Whether the book held is the one that the newest message's hash was taken of. */
  private hashMatches(): boolean {
    const { last } = this
    if (last === undefined || last.venueMs < this.hashCountsFromMs) return false
    return this.inputs.match(this.venue, last.timestamp, last.hash)
  }
}

const pair = ({ priceE4, sizeE2 }: WireLevel): readonly [number, number] => [priceE4, sizeE2]
