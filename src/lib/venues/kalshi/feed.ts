/**
 * Kalshi's order books over one WebSocket, or over two that are raced against each other: the markets' identities,
 * whose book is shown, and how old its proof is. A connection is `link.ts`, which book of two may be shown
 * `book-race.ts`.
 */

import { Backoff } from '../../core/backoff.js'
import type { Clock } from '../../core/clock.js'
import type { CatalogMarket } from '../../model/game.js'
import { OrderBook } from '../../model/order-book.js'
import type { QuoteState } from '../../model/quote.js'
import type { FeedListener, FeedStatus, MarketFeed } from '../ports.js'
import { keyWarning, type KalshiCredentials } from './auth.js'
import { BookRace, type RaceResult } from './book-race.js'
import type { CatalogChange } from './catalog-change.js'
import { KalshiLink, type LinkOptions } from './link.js'
import type { BookEffect, BookState } from './session-effects.js'
import { parseWsUrl } from './socket.js'

export interface KalshiFeedOptions {
  /** `wss://external-api-ws.kalshi.com/trade-api/ws/v2`. */
  readonly wsUrl: string
  /** Even public channels need a signed handshake; a read-only key is enough. */
  readonly credentials: KalshiCredentials
  readonly clock: Clock
  readonly listener: FeedListener
  /** Hears of changes of the catalog; they are asked for only when somebody does. */
  readonly onCatalogChange?: ((change: CatalogChange) => void) | undefined
  /** Two connections, the first arrival of each change wins. */
  readonly redundant?: boolean
  readonly pingMs?: number
  /** Without an answered ping or a message for so long, books are published STALE. */
  readonly staleMs?: number
  /** Without a pong or any message for so long, the link is dead. */
  readonly deadMs?: number
  /** The venue pings every 10 s; without one for so long, the link is dead. */
  readonly serverPingMs?: number
  readonly handshakeMs?: number
  readonly snapshotTimeoutMs?: number
  readonly quietMs?: number
  readonly silenceAnswerMs?: number
  readonly commandTimeoutMs?: number
  /** Of each connection. */
  readonly backoff?: () => Backoff
}

const DEFAULTS = {
  redundant: false,
  pingMs: 250,
  staleMs: 750,
  deadMs: 2000,
  serverPingMs: 25_000,
  handshakeMs: 5000,
  snapshotTimeoutMs: 2000,
  // Asked and given up within two seconds and a tick: a silent stream must not look alive for longer.
  quietMs: 750,
  silenceAnswerMs: 1000,
  commandTimeoutMs: 5000,
  backoff: () => new Backoff({ minMs: 100, maxMs: 5000 }),
} as const

/** Unproved for so many pings, a connection's markets go to the other one. */
const DOUBTED_PINGS = 2

interface FollowedMarket {
  market: CatalogMarket
  book: OrderBook
  /** What the race says; undefined before its first book. */
  state: BookState | undefined
  /** What was published last. */
  published: QuoteState | undefined
}

interface RacedLink {
  readonly link: KalshiLink
  isStale: boolean
}

export class KalshiFeed implements MarketFeed {
  private readonly options: Required<Omit<KalshiFeedOptions, 'onCatalogChange'>> &
    Pick<KalshiFeedOptions, 'onCatalogChange'>
  private readonly followed = new Map<string, FollowedMarket>()
  /** For the process's lifetime: a market that is followed again goes on counting. */
  private readonly bookSeqs = new Map<string, number>()
  private readonly race = new BookRace<RacedLink>()
  private readonly links: readonly RacedLink[]
  private tick: NodeJS.Timeout | undefined
  private hasStarted = false
  private closing: Promise<void> | undefined
  private lastTickUs = 0

  /** Throws `BAD_URL` (exit CONFIG). */
  constructor(options: KalshiFeedOptions) {
    parseWsUrl(options.wsUrl)
    this.options = { ...DEFAULTS, ...options }
    const names = this.options.redundant ? ['Kalshi (1)', 'Kalshi (2)'] : ['Kalshi']
    this.links = names.map((name) => this.createLink(name))
  }

  follow(markets: readonly CatalogMarket[]): void {
    if (this.closing !== undefined) return
    const next = new Map(markets.map((market) => [market.marketId, market]))
    for (const [ticker, entry] of this.followed) {
      if (next.has(ticker)) continue
      this.lose(ticker, entry, this.options.clock.monoUs())
      this.followed.delete(ticker)
      this.race.forget(ticker)
    }
    for (const [ticker, market] of next) {
      const entry = this.followed.get(ticker)
      if (entry !== undefined) entry.market = market
      else
        this.followed.set(ticker, { market, book: new OrderBook(), state: undefined, published: undefined })
    }
    if (!this.hasStarted) this.start()
    for (const { link } of this.links) link.follow()
  }

  status(): FeedStatus {
    const states = this.links.map(({ link }) => link.state)
    const best = (['LIVE', 'BROKEN', 'CONNECTING'] as const).find((state) => states.includes(state))
    return {
      state: this.closing === undefined ? (best ?? 'DOWN') : 'DOWN',
      provedUs: this.provedUs(),
      markets: this.followed.size,
      reconnects: this.links.reduce((sum, { link }) => sum + link.reconnects, 0),
      connections: states.filter((state) => state === 'LIVE').length,
    }
  }

  close(): Promise<void> {
    clearInterval(this.tick)
    this.closing ??= Promise.all(this.links.map(({ link }) => link.close())).then(() => undefined)
    return this.closing
  }

  private start(): void {
    this.hasStarted = true
    const warning = keyWarning(this.options.credentials)
    if (warning !== undefined) this.options.listener.onNotice('warn', warning)
    this.lastTickUs = this.options.clock.monoUs()
    this.tick = setInterval(() => this.onTick(), this.options.pingMs)
    for (const { link } of this.links) link.dial()
  }

  private createLink(name: string): RacedLink {
    const { listener, backoff } = this.options
    const options: LinkOptions = { ...this.options, name, backoff: backoff() }
    const raced: RacedLink = {
      isStale: false,
      link: new KalshiLink(options, {
        wanted: () => this.followed.keys(),
        onBook: (effect, nowUs) => this.onBook(raced, effect, nowUs),
        onProof: () => this.judgeAge(raced, this.options.clock.monoUs()),
        onDown: (nowUs) => this.show(this.race.drop(raced, nowUs), nowUs),
        onCatalogChange: this.options.onCatalogChange,
        onVerdict: (verdict) => listener.onVerdict(verdict),
        onNotice: (level, text) => listener.onNotice(level, text),
      }),
    }
    return raced
  }

  /** Of the books that are shown the worst proved; with none, the newest proof of all. */
  private provedUs(): number | undefined {
    const leaders = new Set<RacedLink>()
    for (const [ticker, { state }] of this.followed) {
      const leader = this.race.leaderOf(ticker)
      if (leader !== undefined && state !== 'BROKEN') leaders.add(leader)
      if (leaders.size === this.links.length) break
    }
    const proofs = (list: Iterable<RacedLink>) => [...list].map(({ link }) => link.provedUs ?? -Infinity)
    const provedUs = leaders.size > 0 ? Math.min(...proofs(leaders)) : Math.max(...proofs(this.links))
    return provedUs === -Infinity ? undefined : provedUs
  }

  private onTick(): void {
    const { pingMs, clock } = this.options
    const nowUs = clock.monoUs()
    const lateUs = nowUs - this.lastTickUs - pingMs * 1000
    this.lastTickUs = nowUs
    for (const { link } of this.links) link.onTick(nowUs, lateUs)
    if (this.links.length > 1) this.level(nowUs)
    for (const raced of this.links) this.judgeAge(raced, nowUs)
  }

  /** Keeps each connection able to take the other's place, and gives it the place of one in doubt. */
  private level(nowUs: number): void {
    const doubtedUs = nowUs - DOUBTED_PINGS * this.options.pingMs * 1000
    for (const raced of this.links) {
      const { link } = raced
      if ((link.provedUs ?? -Infinity) < doubtedUs) this.show(this.race.handOver(raced, nowUs), nowUs)
      else link.ask(this.race.notLevel(raced, doubtedUs), nowUs)
    }
  }

  private judgeAge(raced: RacedLink, nowUs: number): void {
    const { provedUs } = raced.link
    const isStale = provedUs === undefined || nowUs - provedUs > this.options.staleMs * 1000
    if (isStale === raced.isStale) return
    raced.isStale = isStale
    for (const [ticker, entry] of this.followed) {
      if (this.race.leaderOf(ticker) === raced && (entry.state === 'LIVE' || entry.state === 'EMPTY'))
        this.publish(ticker, entry, entry.state, nowUs, undefined)
    }
  }

  private onBook(raced: RacedLink, effect: BookEffect, nowUs: number): void {
    const { ticker, venueMs } = effect
    const entry = this.followed.get(ticker)
    if (entry === undefined) return
    const result = this.race.update(ticker, raced, effect, nowUs)
    if (result.kind === 'lost') entry.book = effect.book
    this.showOne(
      ticker,
      entry,
      result,
      nowUs,
      result.kind === 'shown' && result.link === raced ? venueMs : undefined,
    )
  }

  private show(results: ReadonlyMap<string, RaceResult<RacedLink>>, nowUs: number): void {
    for (const [ticker, result] of results) {
      const entry = this.followed.get(ticker)
      if (entry !== undefined) this.showOne(ticker, entry, result, nowUs, undefined, true)
    }
  }

  /** `isQuiet`: no frame caused it, so a book that looks the same is not said again. */
  private showOne(
    ticker: string,
    entry: FollowedMarket,
    result: RaceResult<RacedLink>,
    nowUs: number,
    venueMs: number | undefined,
    isQuiet = false,
  ): void {
    if (result.kind === 'lost') this.lose(ticker, entry, nowUs)
    if (result.kind !== 'shown') return
    const standing = this.race.standingOf(ticker, result.link)
    if (standing === undefined) return
    const isSame =
      isQuiet &&
      entry.published === this.stateOf(standing.state, result.link) &&
      isSameBook(entry.book, standing.book)
    entry.book = standing.book
    if (isSame) entry.state = standing.state
    else this.publish(ticker, entry, standing.state, nowUs, venueMs)
  }

  /** Nothing is said twice, nor of a market that has no book yet. */
  private lose(ticker: string, entry: FollowedMarket, nowUs: number): void {
    if (entry.state !== undefined && entry.state !== 'BROKEN')
      this.publish(ticker, entry, 'BROKEN', nowUs, undefined)
  }

  private stateOf(state: BookState, leader: RacedLink | undefined): QuoteState {
    return leader?.isStale === true && state !== 'BROKEN' ? 'STALE' : state
  }

  private publish(
    ticker: string,
    entry: FollowedMarket,
    state: BookState,
    recvUs: number,
    venueMs: number | undefined,
  ): void {
    entry.state = state
    entry.published = this.stateOf(state, this.race.leaderOf(ticker))
    const bookSeq = (this.bookSeqs.get(ticker) ?? 0) + 1
    this.bookSeqs.set(ticker, bookSeq)
    this.options.listener.onBook({
      market: entry.market,
      book: entry.book,
      state: entry.published,
      bookSeq,
      recvUs,
      ...(venueMs === undefined ? {} : { venueMs }),
    })
  }
}

function isSameBook(one: OrderBook, other: OrderBook): boolean {
  return (['bid', 'ask'] as const).every((side) => {
    const [mine, theirs] = [one.levels(side), other.levels(side)]
    return (
      mine.length === theirs.length &&
      mine.every(([price, size], index) => theirs[index]?.[0] === price && theirs[index]?.[1] === size)
    )
  })
}
