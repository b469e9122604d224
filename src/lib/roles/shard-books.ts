/**
 * What a shard knows: the books and quotes of every market it hears of, the games that are its own, and the pairs that
 * a price touches. Messages go in; times are this process's monotonic clock, us.
 */

import type { Gap } from '../bus/gap.js'
import type { TeamCodeBook } from '../games/team-codes.js'
import type { ChannelBeat, FeedBeat, Heartbeat } from '../messages/heartbeat.js'
import type { Header, OrderbookPayload, PricesPayload, WireLevel } from '../messages/payloads.js'
import { orderbookSource, pricesSource } from '../messages/sources.js'
import type { GameMarket, GameState, League } from '../model/game.js'
import { priceE4FromWire, sizeE2FromWire } from '../model/price.js'
import { VENUES } from '../model/venue.js'
import type { Venue } from '../model/venue.js'
import { BookView, FeedView } from '../strategy/book-view.js'
import type { ChannelView, Ladder, MessageRef } from '../strategy/book-view.js'
import { marketPair } from '../strategy/market-pair.js'
import type { GameView, MarketPair, PairLeg } from '../strategy/market-pair.js'

/** A game that is over keeps its markets this long, then frees them. */
const OVER_KEPT_US = 600_000_000
/** A game that nobody speaks of any more is forgotten, and a market of no game of ours likewise. */
const SILENT_KEPT_US = 3_600_000_000
const SWEEP_US = 60_000_000
/** Markets of no game of ours are kept too, since a game may come after its prices: at most so many per venue. */
const MAX_MARKETS = 5_000
/** Clocks of two hosts may differ by this much: what is judged by wall clock counts as this much older. */
const REMOTE_MARGIN_US = 100_000

/** A market's view and what depends on it. */
export interface MarketEntry {
  readonly book: BookView
  /** The pairs that a price of this market touches. */
  pairs: readonly MarketPair[]
  /** Set while it belongs to a game of this shard. */
  leg: PairLeg | undefined
  gameKey: string | undefined
  /** When a message of it last came. */
  heardUs: number
}

interface GameEntry {
  readonly view: GameView
  readonly marketsText: string
  readonly entries: readonly MarketEntry[]
  readonly pairs: readonly MarketPair[]
  /** Over for long: its markets were let go. */
  readonly freed: boolean
  overSinceUs: number | undefined
}

export interface ShardBooksOptions {
  readonly index: number
  readonly codes: TeamCodeBook
  /** `hostId()`: stamps of another host are not comparable. */
  readonly host: string
  /** Wall clock, Unix ms: only to judge messages of another host. */
  readonly nowMs: () => number
  /** A pair is traded no more. */
  readonly onPairGone: (pair: MarketPair) => void
}

/** What counts of a heartbeat here. */
export interface BooksBeat extends Pick<
  Heartbeat,
  'publisher' | 'host' | 'timestamp_ms' | 'mono_us' | 'closing'
> {
  readonly channels: readonly Pick<ChannelBeat, 'source' | 'epoch'>[]
  readonly feeds: readonly Pick<FeedBeat, 'proved_ago_us'>[]
}

/** Why a message was not applied: a short stable word. */
export type Misfit = 'topic_payload_differ' | 'bad_level' | 'bad_tick_or_size'

export class ShardBooks {
  private readonly feeds: Readonly<Record<Venue, FeedView>> = {
    kalshi: new FeedView('kalshi'),
    poly: new FeedView('poly'),
  }
  private readonly markets: Readonly<Record<Venue, Map<string, MarketEntry>>> = {
    kalshi: new Map(),
    poly: new Map(),
  }
  private readonly games = new Map<string, GameEntry>()
  private readonly channels = new Map<string, ChannelView>()
  private sweptUs = 0

  constructor(private readonly options: ShardBooksOptions) {
    for (const venue of VENUES) {
      this.channels.set(pricesSource(venue), this.feeds[venue].prices)
      this.channels.set(orderbookSource(venue), this.feeds[venue].orderbook)
    }
  }

  get gameCount(): number {
    return this.games.size
  }

  get marketCount(): number {
    return this.markets.kalshi.size + this.markets.poly.size
  }

  /** Undefined for one that nobody spoke of. */
  market(venue: Venue, marketId: string): Readonly<MarketEntry> | undefined {
    return this.markets[venue].get(marketId)
  }

  get pairCount(): number {
    let count = 0
    for (const { pairs } of this.games.values()) count += pairs.length
    return count
  }

  applyBook(payload: OrderbookPayload, header: Header, recvUs: number): Misfit | undefined {
    const { book } = this.entry(payload.venue, payload.market_id, recvUs)
    const { orderbook } = book.feed
    orderbook.enter(header.epoch)
    book.bookGeneration = orderbook.generation
    book.bookState = payload.state
    remember(book.bookMessage, header)
    if (!fill(book.bids, payload.bids) || !fill(book.asks, payload.asks)) {
      book.bids.clear()
      book.asks.clear()
      book.bookSeq = -1
      return 'bad_level'
    }
    book.bookSeq = payload.book_seq
    if (payload.state === 'LIVE') this.prove(book, header, recvUs)
    return undefined
  }

  /** The market that the quote is of, with the pairs to evaluate. */
  applyQuote(payload: PricesPayload, header: Header, recvUs: number): MarketEntry {
    const entry = this.entry(payload.venue, payload.market_id, recvUs)
    const { book } = entry
    const { prices } = book.feed
    prices.enter(header.epoch)
    book.quoteGeneration = prices.generation
    book.quoteState = payload.state
    book.quoteSeq = payload.book_seq
    remember(book.quoteMessage, header)
    if (payload.selection !== book.selection) {
      book.selection = payload.selection
      this.judgeSelection(entry)
    }
    if (payload.state === 'LIVE') this.prove(book, header, recvUs)
    return entry
  }

  /**
   * A game's whole state, sent at `sentMs` by the orchestrator's clock, which `fetchedMs` is of too. One that another
   * shard trades is dropped.
   */
  applyGame(state: GameState, sentMs: number, nowUs: number): void {
    this.sweep(nowUs)
    const key = gameKeyOf(state)
    const known = this.games.get(key)
    if (state.shard !== this.options.index) {
      if (known !== undefined) this.dropGame(key, known)
      return
    }
    const marketsText = JSON.stringify(state.markets)
    const isOver = state.status !== 'pre' && state.status !== 'live'
    const isSame = known?.marketsText === marketsText && (isOver || !known.freed)
    const game = isSame ? known : this.attach(key, state, marketsText, nowUs)
    game.view.status = state.status
    game.view.heardUs = nowUs
    game.view.fetchedUs = fetchedUsOf(state.fetchedMs, sentMs, nowUs)
    game.overSinceUs = isOver ? (game.overSinceUs ?? nowUs) : undefined
    if (game.overSinceUs !== undefined && nowUs - game.overSinceUs > OVER_KEPT_US && !game.freed) {
      this.release(game)
      this.games.set(key, { ...game, entries: [], pairs: [], freed: true })
    }
  }

  /** Something was lost on a channel: none of its markets is believed until its own next message. */
  applyGap({ source }: Pick<Gap, 'source'>): void {
    this.channels.get(source)?.breakAll()
  }

  /** Of a channel that is not live nothing is believed; what it has is, when it is live again. */
  applyState(source: string, isLive: boolean): void {
    const channel = this.channels.get(source)
    if (channel !== undefined) channel.isLive = isLive
  }

  /** False when it is the word of an earlier life of the monitor. */
  applyHeartbeat(heartbeat: BooksBeat, recvUs: number): boolean {
    const feed = VENUES.map((venue) => this.feeds[venue]).find(({ venue }) => venue === heartbeat.publisher)
    if (feed === undefined) return true
    for (const { source, epoch } of heartbeat.channels) {
      const channel = this.channels.get(source)
      if (channel === undefined) continue
      if (epoch < channel.epoch) return false
      channel.enter(epoch)
      if (heartbeat.closing) channel.breakAll()
    }
    const sentUs = this.sentUs(heartbeat.host, heartbeat.mono_us, heartbeat.timestamp_ms, recvUs)
    feed.heardUs = sentUs
    // The least proved of its connections speaks for the monitor: which market is on which is not known here.
    let provedUs = heartbeat.feeds.length === 0 ? -Infinity : Infinity
    for (const { proved_ago_us: agoUs } of heartbeat.feeds) {
      provedUs = Math.min(provedUs, agoUs === null ? -Infinity : sentUs - agoUs)
    }
    feed.provedUs = provedUs
    return true
  }

  private prove(book: BookView, { host, stamps, timestamp_ms: timestampMs }: Header, recvUs: number): void {
    const { recv, pub } = stamps
    if (recv === undefined) return
    if (host === this.options.host) {
      book.ownProvedUs = Math.min(recv, recvUs)
    } else if (pub !== undefined) {
      book.ownProvedUs = this.sentUs(host, pub, timestampMs, recvUs) - Math.max(0, pub - recv)
    }
  }

  /** When something was sent, by our clock; never later than it was. */
  private sentUs(host: string, monoUs: number, timestampMs: number, recvUs: number): number {
    if (host === this.options.host) return Math.min(monoUs, recvUs)
    const transitUs = Math.max(0, this.options.nowMs() - timestampMs) * 1000
    return recvUs - transitUs - REMOTE_MARGIN_US
  }

  private entry(venue: Venue, marketId: string, nowUs: number): MarketEntry {
    const markets = this.markets[venue]
    let entry = markets.get(marketId)
    if (entry === undefined) {
      if (markets.size >= MAX_MARKETS) evictOne(markets)
      const book = new BookView(marketId, this.feeds[venue])
      entry = { book, pairs: [], leg: undefined, gameKey: undefined, heardUs: nowUs }
      markets.set(marketId, entry)
    }
    entry.heardUs = nowUs
    return entry
  }

  private attach(key: string, state: GameState, marketsText: string, nowUs: number): GameEntry {
    const known = this.games.get(key)
    if (known !== undefined) this.release(known)
    const { league, gameId, status } = state
    const view: GameView = known?.view ?? { league, gameId, status, heardUs: nowUs, fetchedUs: -Infinity }
    const entries = state.markets.map((market) => this.attachMarket(key, league, market, nowUs))
    // With the draw as a third outcome, YES on one team and NO on the other are no opposites.
    const legs = entries.flatMap(({ leg }) => (leg?.market.kind === 'moneyline' ? [leg] : []))
    const pairs = legs
      .filter(({ market }) => market.venue === 'kalshi')
      .flatMap((kalshi) =>
        legs.filter(({ market }) => market.venue === 'poly').map((poly) => marketPair(view, kalshi, poly)),
      )
    for (const entry of entries) {
      entry.pairs = pairs.filter(({ kalshi, poly }) => kalshi === entry.leg || poly === entry.leg)
    }
    const game: GameEntry = {
      view,
      marketsText,
      entries,
      pairs,
      freed: false,
      overSinceUs: known?.overSinceUs,
    }
    this.games.set(key, game)
    return game
  }

  private attachMarket(key: string, league: League, market: GameMarket, nowUs: number): MarketEntry {
    const entry = this.entry(market.venue, market.marketId, nowUs)
    // Two games that claim one market: the later word counts, the earlier game loses all its pairs.
    const before = entry.gameKey === undefined ? undefined : this.games.get(entry.gameKey)
    if (entry.gameKey !== undefined && entry.gameKey !== key && before !== undefined) {
      this.dropGame(entry.gameKey, before)
    }
    entry.leg = { market, book: entry.book, selectionAgrees: false }
    entry.gameKey = key
    this.judgeSelection(entry, league)
    return entry
  }

  /** The monitor and the orchestrator read the venue's listing each on its own: what YES pays on must be the same. */
  private judgeSelection(entry: MarketEntry, league?: League): void {
    const { leg, book, gameKey } = entry
    if (leg === undefined || gameKey === undefined) return
    const of = league ?? this.games.get(gameKey)?.view.league
    const meant =
      of === undefined ? undefined : this.options.codes.codeOf(of, leg.market.venue, book.selection)
    leg.selectionAgrees = book.selection === '' || meant === leg.market.selection
  }

  private dropGame(key: string, game: GameEntry): void {
    this.release(game)
    this.games.delete(key)
  }

  /** Frees a game's markets and tells that its pairs are gone. */
  private release({ entries, pairs }: GameEntry): void {
    for (const pair of pairs) this.options.onPairGone(pair)
    for (const entry of entries) {
      entry.pairs = []
      entry.leg = undefined
      entry.gameKey = undefined
    }
  }

  private sweep(nowUs: number): void {
    if (nowUs - this.sweptUs < SWEEP_US) return
    this.sweptUs = nowUs
    for (const [key, game] of this.games) {
      if (nowUs - game.view.heardUs > SILENT_KEPT_US) this.dropGame(key, game)
    }
    for (const venue of VENUES) {
      for (const [id, { leg, heardUs }] of this.markets[venue]) {
        if (leg === undefined && nowUs - heardUs > SILENT_KEPT_US) this.markets[venue].delete(id)
      }
    }
  }
}

const gameKeyOf = ({ league, gameId }: { readonly league: League; readonly gameId: string }): string =>
  `${league} ${gameId}`

/** Read after it was sent: the orchestrator's clock stepped back, and nothing is known of the age. */
const fetchedUsOf = (fetchedMs: number, sentMs: number, nowUs: number): number =>
  fetchedMs > sentMs ? -Infinity : nowUs - (sentMs - fetchedMs) * 1000

/** Drops the oldest market that no game needs. */
function evictOne(markets: Map<string, MarketEntry>): void {
  for (const [id, entry] of markets) {
    if (entry.leg === undefined) {
      markets.delete(id)
      return
    }
  }
}

function remember(ref: MessageRef, { source, epoch, seq }: Header): void {
  ref.source = source
  ref.epoch = epoch
  ref.seq = seq
}

/** False when a level is finer than our integers, out of order, or outside of the price range. */
function fill(ladder: Ladder, levels: readonly WireLevel[]): boolean {
  ladder.clear()
  for (const level of levels) {
    const priceE4 = priceE4FromWire(level[0])
    const sizeE2 = sizeE2FromWire(level[1])
    if (priceE4 === undefined || sizeE2 === undefined || !ladder.push(priceE4, sizeE2)) return false
  }
  return true
}
