/**
 * Keeps its own books of what a shard was told, and says of a signal why it must not be. Written from the rules alone
 * (a quote is LIVE, whole, at most 750 ms proved, legs at most 250 ms apart, the game on), not from the code that keeps
 * them.
 */

import type { Message } from '../../../src/lib/messages/codec.js'
import type {
  GamesPayload,
  Header,
  OrderbookPayload,
  PricesPayload,
} from '../../../src/lib/messages/payloads.js'
import type { StrategySignal } from '../../../src/lib/model/signal.js'
import type { BooksBeat } from '../../../src/lib/roles/shard-books.js'

/** Two hosts' clocks are never trusted nearer than this, us. */
const HOSTS_APART_US = 100_000

interface Heard<T> {
  readonly payload: T
  readonly header: Header
  /** How often its channel had been broken when it came. */
  readonly breaks: number
}

interface Channel {
  epoch: number
  breaks: number
  isLive: boolean
}

interface Known {
  book?: Heard<OrderbookPayload>
  quote?: Heard<PricesPayload>
  provedUs: number
}

export class GatesOracle {
  private readonly channels = new Map<string, Channel>()
  private readonly markets = new Map<string, Known>()
  private readonly beats = new Map<string, { heardUs: number; provedUs: number }>()
  private readonly games = new Map<string, { state: GamesPayload; heardUs: number; sentMs: number }>()

  constructor(
    private readonly host: string,
    private readonly shards: number,
    private readonly nowMs: () => number,
  ) {}

  message(message: Message, recvUs: number): void {
    const { header, family } = message
    if (family === 'games' && 'markets' in message.payload) {
      const { payload } = message
      this.games.set(payload.game_id, { state: payload, heardUs: recvUs, sentMs: header.timestamp_ms })
    }
    if (family !== 'prices' && family !== 'orderbook') return
    const channel = this.channel(header.source)
    this.enter(channel, header.epoch)
    const market = this.market(message.payload.venue, message.payload.market_id)
    const { breaks } = channel
    if (family === 'prices') market.quote = { payload: message.payload, header, breaks }
    else market.book = { payload: message.payload, header, breaks }
    const isReadable = family === 'prices' || isOrdered(message.payload)
    if (message.payload.state === 'LIVE' && isReadable) this.prove(market, header, recvUs)
  }

  heartbeat(beat: BooksBeat, recvUs: number): void {
    const channels = beat.channels.map(({ source, epoch }) => ({ channel: this.channel(source), epoch }))
    if (channels.some(({ channel, epoch }) => epoch < channel.epoch)) return
    for (const { channel, epoch } of channels) {
      this.enter(channel, epoch)
      if (beat.closing) channel.breaks++
    }
    const heardUs = this.sentUs(beat.host, beat.mono_us, beat.timestamp_ms, recvUs)
    const ages = beat.feeds.map(({ proved_ago_us: ago }) => ago ?? Infinity)
    this.beats.set(beat.publisher, { heardUs, provedUs: heardUs - Math.max(...ages) })
  }

  gap(source: string): void {
    this.channel(source).breaks++
  }

  state(source: string, isLive: boolean): void {
    this.channel(source).isLive = isLive
  }

  /** Why there must be no such signal now; undefined when nothing is wrong with it. */
  complaintOf(signal: StrategySignal, nowUs: number): string | undefined {
    const game = this.games.get(signal.gameId)
    if (game === undefined || game.state.shard !== 0) return 'another shard trades the game'
    const { status, fetched_ms: fetchedMs } = game.state
    if (status !== 'pre' && status !== 'live') return 'the game is over'
    if (nowUs - game.heardUs > 60_000_000) return 'nobody spoke of the game'
    const readUs = game.heardUs - (game.sentMs - fetchedMs) * 1000
    const isStale = fetchedMs > game.sentMs || nowUs - readUs > (status === 'pre' ? 400_000_000 : 60_000_000)
    if (isStale) return 'the scoreboard was read long ago'
    const words = this.beats.get('orchestrator')?.heardUs ?? -Infinity
    if (this.shards > 1 && nowUs - words > 2_500_000) return 'the orchestrator is silent'
    const proved: number[] = []
    const inputs: string[] = []
    for (const { venue, marketId } of signal.legs) {
      const listed = game.state.markets.find((each) => each.venue === venue && each.market_id === marketId)
      if (listed === undefined) return 'a market of another game'
      const { book, quote, provedUs: own } = this.market(venue, marketId)
      const beat = this.beats.get(venue)
      if (book === undefined || quote === undefined) return 'a market without a book'
      if (quote.payload.selection !== listed.venue_selection) return 'the monitor means another team'
      if (beat === undefined || nowUs - beat.heardUs > 600_000) return 'a silent monitor'
      for (const { header, breaks } of [book, quote]) {
        const channel = this.channel(header.source)
        if (!channel.isLive || channel.breaks !== breaks) return 'something is missing'
      }
      if (book.payload.state !== 'LIVE' || quote.payload.state !== 'LIVE') return 'not LIVE'
      if (book.payload.book_seq !== quote.payload.book_seq) return 'book and quote of two changes'
      if (!isOrdered(book.payload)) return 'a book that cannot be read'
      if (isCrossed(book.payload)) return 'a crossed book'
      const provedUs = Math.max(own, beat.provedUs)
      if (nowUs - provedUs > 750_000) return `an old quote`
      proved.push(provedUs)
      for (const { header } of [book, quote]) inputs.push(`${header.source}/${header.epoch}/${header.seq}`)
    }
    if (Math.max(...proved) - Math.min(...proved) > 250_000) return 'legs too far apart'
    const named = signal.inputs.map(({ source, epoch, seq }) => `${source}/${epoch}/${seq}`)
    return named.sort().join() === inputs.sort().join() ? undefined : 'it names other messages'
  }

  private channel(source: string): Channel {
    let channel = this.channels.get(source)
    if (channel === undefined) this.channels.set(source, (channel = { epoch: 0, breaks: 0, isLive: false }))
    return channel
  }

  private market(venue: string, id: string): Known {
    const key = `${venue} ${id}`
    let market = this.markets.get(key)
    if (market === undefined) this.markets.set(key, (market = { provedUs: -Infinity }))
    return market
  }

  private enter(channel: Channel, epoch: number): void {
    if (channel.epoch !== epoch) channel.breaks++
    channel.epoch = epoch
  }

  private prove(market: Known, { host, stamps, timestamp_ms: sentMs }: Header, recvUs: number): void {
    const { recv, pub } = stamps
    if (recv === undefined) return
    if (host === this.host) market.provedUs = Math.min(recv, recvUs)
    else if (pub !== undefined)
      market.provedUs = this.sentUs(host, pub, sentMs, recvUs) - Math.max(0, pub - recv)
  }

  private sentUs(host: string, monoUs: number, sentMs: number, recvUs: number): number {
    if (host === this.host) return Math.min(monoUs, recvUs)
    return recvUs - Math.max(0, this.nowMs() - sentMs) * 1000 - HOSTS_APART_US
  }
}

const isCrossed = ({ bids: [bid], asks: [ask] }: OrderbookPayload): boolean =>
  bid !== undefined && ask !== undefined && bid[0] >= ask[0]

const isOrdered = ({ bids, asks }: OrderbookPayload): boolean =>
  bids.every(([price], i) => i === 0 || price < bids[i - 1]![0]) &&
  asks.every(([price], i) => i === 0 || price > asks[i - 1]![0])
