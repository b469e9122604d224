/**
 * What a shard knows: the books and quotes of every market it hears of, the games that are its own, and the
 * combinations that a price touches. Messages go in; times are this process's monotonic clock, us.
 */

import type { Gap } from '../bus/gap.js'
import type { ChannelBeat, FeedBeat, Heartbeat } from '../messages/heartbeat.js'
import type { Header, OrderbookPayload, PricesPayload, WireLevel } from '../messages/payloads.js'
import { GAMES_SOURCE, orderbookSource, pricesSource } from '../messages/sources.js'
import type { GameState } from '../model/game.js'
import { priceE4FromWire, sizeE2FromWire } from '../model/price.js'
import { VENUES } from '../model/venue.js'
import type { Venue } from '../model/venue.js'
import { FeedView } from '../strategy/book-view.js'
import type { BookView, ChannelView, Ladder, MessageRef } from '../strategy/book-view.js'
import { ShardGames } from './shard-games.js'
import type { ShardGamesOptions } from './shard-games.js'
import { ShardMarkets, judgeSelection } from './shard-markets.js'
import type { MarketEntry } from './shard-markets.js'

/** Clocks of two hosts may differ by this much: what is judged by wall clock counts as this much older. */
const REMOTE_MARGIN_US = 100_000

export interface ShardBooksOptions extends ShardGamesOptions {
  /** `hostId()`: stamps of another host are not comparable. */
  readonly host: string
  /** Wall clock, Unix ms: only to judge messages of another host. */
  readonly nowMs: () => number
}

/** What counts of a heartbeat here. */
export interface BooksBeat extends Pick<
  Heartbeat,
  'publisher' | 'host' | 'timestamp_ms' | 'mono_us' | 'closing'
> {
  readonly channels: readonly Pick<ChannelBeat, 'source' | 'epoch'>[]
  readonly feeds: readonly Pick<FeedBeat, 'proved_ago_us'>[]
}

/** Why a message was not applied: a short stable word. `other_shard`: a fleet speaks where the settings say one shard. */
export type Misfit = 'topic_payload_differ' | 'bad_level' | 'bad_tick_or_size' | 'other_shard'

export class ShardBooks {
  private readonly feeds: Readonly<Record<Venue, FeedView>> = {
    kalshi: new FeedView('kalshi'),
    poly: new FeedView('poly'),
  }
  private readonly markets: ShardMarkets
  private readonly games: ShardGames
  private readonly channels = new Map<string, ChannelView>()
  /** The orchestrator's channel of games: its life, and whether nothing of it is known to be missing. */
  private readonly words = { epoch: 0, isLive: false }

  constructor(private readonly options: ShardBooksOptions) {
    this.markets = new ShardMarkets(this.feeds)
    this.games = new ShardGames(options, this.markets)
    for (const venue of VENUES) {
      this.channels.set(pricesSource(venue), this.feeds[venue].prices)
      this.channels.set(orderbookSource(venue), this.feeds[venue].orderbook)
    }
  }

  get gameCount(): number {
    return this.games.count
  }

  get marketCount(): number {
    return this.markets.count
  }

  get combinationCount(): number {
    return this.games.combinationCount
  }

  /** Undefined for one that nobody spoke of. */
  market(venue: Venue, marketId: string): Readonly<MarketEntry> | undefined {
    return this.markets.find(venue, marketId)
  }

  applyBook(payload: OrderbookPayload, header: Header, recvUs: number): Misfit | undefined {
    const { book } = this.markets.heard(payload.venue, payload.market_id, recvUs)
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

  /** The market that the quote is of, with the combinations to evaluate. */
  applyQuote(payload: PricesPayload, header: Header, recvUs: number): MarketEntry {
    const entry = this.markets.heard(payload.venue, payload.market_id, recvUs)
    const { book } = entry
    const { prices } = book.feed
    prices.enter(header.epoch)
    book.quoteGeneration = prices.generation
    book.quoteState = payload.state
    book.quoteSeq = payload.book_seq
    remember(book.quoteMessage, header)
    if (payload.selection !== book.selection) {
      book.selection = payload.selection
      judgeSelection(entry)
    }
    if (payload.state === 'LIVE') this.prove(book, header, recvUs)
    return entry
  }

  /** A game's whole state, sent at `sentMs` by the orchestrator's clock. */
  applyGame(state: GameState, sentMs: number, nowUs: number): Misfit | undefined {
    return this.games.apply(state, sentMs, nowUs) ? undefined : 'other_shard'
  }

  /** The life of the orchestrator that speaks; the end of what it said in the life before may be lost. */
  enterGames(epoch: number): void {
    if (epoch === this.words.epoch) return
    this.words.epoch = epoch
    this.games.doubt()
  }

  /** Something was lost on a channel: none of its markets is believed until its own next message. */
  applyGap({ source }: Pick<Gap, 'source'>): void {
    this.channels.get(source)?.breakAll()
    if (source === GAMES_SOURCE) this.games.doubt()
  }

  /** Of a channel that is not live nothing is believed; what it has is, when it is live again. */
  applyState(source: string, isLive: boolean): void {
    const channel = this.channels.get(source)
    if (channel !== undefined) channel.isLive = isLive
    if (source === GAMES_SOURCE) this.words.isLive = isLive
  }

  /** False when it is the word of an earlier life of its publisher. */
  applyHeartbeat(heartbeat: BooksBeat, recvUs: number): boolean {
    const words = heartbeat.channels.find(({ source }) => source === GAMES_SOURCE)
    if (words !== undefined) return this.extendLease(heartbeat, words.epoch, recvUs)
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

  /** What was said before a heartbeat of the orchestrator came before it, unless something is missing. */
  private extendLease(heartbeat: BooksBeat, epoch: number, recvUs: number): boolean {
    const { lease } = this.options
    if (epoch < this.words.epoch) return false
    this.enterGames(epoch)
    if (lease === undefined || !this.words.isLive) return true
    lease.toldMs = heartbeat.timestamp_ms
    lease.sentUs = this.sentUs(heartbeat.host, heartbeat.mono_us, heartbeat.timestamp_ms, recvUs)
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
