/**
 * What a shard hears in its benchmark, as bytes: games with two Kalshi markets and a Polymarket condition each, their
 * books, and frames that change one of Kalshi's. Now and then one makes an edge; the next of that market takes it back.
 */

import { systemClock } from '../core/clock.js'
import { hostId } from '../core/ids.js'
import { gamesPayload } from '../messages/convert.js'
import { GAMES_SOURCE, orderbookSource, pricesSource } from '../messages/sources.js'
import { formatTopic } from '../messages/topics.js'
import { OrderBook } from '../model/order-book.js'
import type { CatalogMarket, GameMarket, GameState } from '../model/game.js'
import { VENUES } from '../model/venue.js'
import type { Venue } from '../model/venue.js'
import { BookAnnouncer } from '../roles/monitor.js'
import type { BooksBeat } from '../roles/shard-books.js'
import { Prng } from '../sim/prng.js'
import { Counters } from '../telemetry/counters.js'
import { PIPELINE_ENV } from './pipeline-messages.js'
import { PlainChannel } from './plain-channel.js'

export interface Wire {
  readonly topic: string
  readonly bytes: Buffer
}

/** One change of one market: its book, then its quote. */
export interface QuoteFrame {
  readonly book: Wire
  readonly quote: Wire
}

type Team = readonly [home: string, away: string]
const TEAMS: Team = ['UTAH', 'GS']
/** As the venues spell the two. */
const SPELLED: Readonly<Record<Venue, Team>> = { kalshi: ['UTA', 'GSW'], poly: ['UTA', 'GSW'] }
const TERMS = { tickE4: 100, sizeStepE2: 1, minSizeE2: 500, takerDelayMs: 0 }
/** Six levels a side, a cent apart. */
const LEVELS = 6
const CENT_E4 = 100
const SIZE_E2 = 20_000
/** Cheap enough to buy it and its opposite for less than a dollar, fees paid. */
const EDGE_BID_E4 = 4_200

interface BenchMarket {
  readonly listed: CatalogMarket
  readonly traded: GameMarket
}

interface BenchGame {
  readonly gameId: string
  /** Home, away; then the condition on the home team. */
  readonly kalshi: readonly [BenchMarket, BenchMarket]
  readonly poly: BenchMarket
}

export class ShardLoad {
  private readonly games: readonly BenchGame[]
  private readonly prng: Prng
  private readonly channels: ReadonlyMap<string, PlainChannel>
  private readonly announce: Readonly<Record<Venue, BookAnnouncer>>
  private readonly bookSeqs = new Map<string, number>()
  private readonly written: Wire[] = []
  /** Whose edge the next frame takes back. */
  private cheap: BenchMarket | undefined
  private made = 0
  private readonly quoted: number

  /** `quoted`: how many of the games have quotes after their first. */
  constructor({ games, quoted }: { readonly games: number; readonly quoted: number }) {
    this.prng = new Prng(games, 'bench shard')
    this.quoted = quoted
    this.games = Array.from({ length: games }, (_, index) => benchGame(index))
    const write = (topic: string, text: string) => void this.written.push({ topic, bytes: Buffer.from(text) })
    this.channels = new Map(
      this.sources.map((source) => [source, new PlainChannel(source, PIPELINE_ENV, write)]),
    )
    const announcer = (venue: Venue) =>
      new BookAnnouncer(
        { counters: new Counters() },
        this.channel(orderbookSource(venue)),
        this.channel(pricesSource(venue)),
        undefined,
      )
    this.announce = { kalshi: announcer('kalshi'), poly: announcer('poly') }
  }

  get sources(): readonly string[] {
    return [...VENUES.flatMap((venue) => [orderbookSource(venue), pricesSource(venue)]), GAMES_SOURCE]
  }

  /** Every game's state, as of now. */
  states(): readonly Wire[] {
    const nowMs = systemClock.nowMs()
    for (const game of this.games) {
      const state = stateOf(game, nowMs)
      const topic = formatTopic({ family: 'games', scope: state.league, id: state.gameId })
      this.channel(GAMES_SOURCE).publish(topic, gamesPayload(state))
    }
    return this.taken()
  }

  /** Every market's book and quote. */
  books(): readonly Wire[] {
    for (const { kalshi, poly } of this.games) {
      for (const market of [...kalshi, poly]) this.quote(market, 5_000)
    }
    return this.taken()
  }

  /** The next frames; one of `edgeEvery` makes an edge, the one behind it takes it back. */
  frames(count: number, edgeEvery: number): readonly QuoteFrame[] {
    return Array.from({ length: count }, () => {
      const before = this.cheap
      this.cheap = undefined
      const market = before ?? this.anyKalshi()
      const isEdge = before === undefined && ++this.made % edgeEvery === 0
      this.quote(market, isEdge ? EDGE_BID_E4 : 5_000 + this.prng.int(-1, 1) * CENT_E4)
      if (isEdge) this.cheap = market
      const [book, quote] = this.taken()
      if (book === undefined || quote === undefined) throw new Error('a frame is a book and a quote')
      return { book, quote }
    })
  }

  /** Both monitors are there, and their feeds proved. */
  beats(): readonly BooksBeat[] {
    const [timestamp_ms, mono_us] = [systemClock.nowMs(), systemClock.monoUs()]
    return VENUES.map((venue) => ({
      ...{ publisher: venue, host: hostId(), timestamp_ms, mono_us, closing: false },
      channels: [orderbookSource(venue), pricesSource(venue)].map((source) => ({
        source,
        epoch: this.channel(source).epoch,
      })),
      feeds: [{ proved_ago_us: 0 }],
    }))
  }

  private anyKalshi(): BenchMarket {
    const game = this.games[this.prng.int(0, this.quoted - 1)]
    if (game === undefined) throw new RangeError('no games')
    return game.kalshi[this.prng.int(0, 1)] ?? game.kalshi[0]
  }

  private quote({ listed: market }: BenchMarket, bidE4: number): void {
    const bookSeq = (this.bookSeqs.get(market.marketId) ?? 0) + 1
    this.bookSeqs.set(market.marketId, bookSeq)
    const levels = (bestE4: number, stepE4: number) =>
      Array.from({ length: LEVELS }, (_, level) => [bestE4 + level * stepE4, SIZE_E2] as const)
    const book = new OrderBook()
    book.replace(levels(bidE4, -CENT_E4), levels(bidE4 + 2 * CENT_E4, CENT_E4))
    this.announce[market.venue].publish({
      market,
      book,
      state: 'LIVE',
      bookSeq,
      recvUs: systemClock.monoUs(),
    })
  }

  private channel(source: string): PlainChannel {
    const channel = this.channels.get(source)
    if (channel === undefined) throw new RangeError(`no channel '${source}'`)
    return channel
  }

  private taken(): readonly Wire[] {
    return this.written.splice(0)
  }
}

function benchGame(index: number): BenchGame {
  const event = `KXNBAGAME-26JAN15B${index}`
  const market = (venue: Venue, side: 0 | 1): BenchMarket => {
    const spelled = SPELLED[venue][side]
    const terms = {
      ...TERMS,
      venue,
      marketId: venue === 'kalshi' ? `${event}-${spelled}` : `0x${String(index + 1).padStart(64, '0')}`,
      fees:
        venue === 'kalshi'
          ? { ratePpm: 70_000, roundUpToMicros: 100 }
          : { ratePpm: 50_000, roundUpToMicros: 10 },
      kind: 'moneyline' as const,
    }
    const listing = {
      league: 'nba' as const,
      eventId: event,
      easternDate: '2026-01-15',
      teams: SPELLED[venue],
    }
    return {
      listed: { ...terms, ...listing, selection: spelled, title: event },
      traded: { ...terms, selection: TEAMS[side], venueSelection: spelled, settlement: SETTLEMENT },
    }
  }
  return {
    gameId: String(401_600_000 + index),
    kalshi: [market('kalshi', 0), market('kalshi', 1)],
    poly: market('poly', 0),
  }
}

/** Both venues pay by the result alone. */
const SETTLEMENT = { overtime: 'included', tie: 'impossible', postponed: 'stays', canceled: 'half' } as const

const stateOf = ({ gameId, kalshi, poly }: BenchGame, nowMs: number): GameState => ({
  league: 'nba',
  gameId,
  home: { code: TEAMS[0], name: 'Utah Jazz', score: 51 },
  away: { code: TEAMS[1], name: 'Golden State Warriors', score: 50 },
  status: 'live',
  period: 2,
  clockS: 300,
  startMs: nowMs - 3_600_000,
  provider: 'bench',
  fetchedMs: nowMs,
  markets: [...kalshi, poly].map(({ traded }) => traded),
  shard: 0,
})
