/** Two monitors and an orchestrator at random, with every fault that a shard must see through. */

import { ManualClock } from '../../../src/lib/core/clock.js'
import type { Message } from '../../../src/lib/messages/codec.js'
import type {
  GameMarketPayload,
  GamesPayload,
  Header,
  OrderbookPayload,
  PricesPayload,
  WireLevel,
} from '../../../src/lib/messages/payloads.js'
import type { StrategySignal } from '../../../src/lib/model/signal.js'
import type { Venue } from '../../../src/lib/model/venue.js'
import { ShardDecider } from '../../../src/lib/roles/shard-decider.js'
import { Prng } from '../../../src/lib/sim/prng.js'
import type { Gate } from '../../../src/lib/strategy/gates.js'
import { GatesOracle } from './gates-oracle.js'

const HOST = 'here/1'
const THERE = 'there/1'
const FIRST_EPOCH = 1_769_500_000_000
const VENUES = ['kalshi', 'poly'] as const
const FAMILIES = ['prices', 'orderbook'] as const
const SOURCES = VENUES.flatMap((venue) => FAMILIES.map((family) => `${venue}.${family}`))

interface Market {
  readonly venue: Venue
  readonly id: string
  readonly selection: string
  readonly gameId: string
  readonly kind: GameMarketPayload['kind']
  bookSeq: number
}

const market = (venue: Venue, gameId: string, selection: string, kind: Market['kind']): Market => ({
  ...{ venue, id: `${venue}-${gameId}-${selection}`, selection, gameId, kind, bookSeq: 0 },
})

const marketsOf = (): Market[] => [
  ...['HOU', 'UTAH'].map((team) => market('kalshi', 'two', team, 'moneyline')),
  market('poly', 'two', 'HOU', 'moneyline'),
  ...['HOU', 'UTAH', 'draw'].flatMap((one) =>
    VENUES.map((venue) => market(venue, 'three', one, 'three_way')),
  ),
]

const listed = ({ venue, id, selection, kind }: Market): GameMarketPayload => ({
  ...{ venue, market_id: id, kind, selection, venue_selection: selection, tick: 0.01 },
  size_step: venue === 'kalshi' ? 1 : 0.01,
  min_size: venue === 'kalshi' ? 1 : 5,
  fee:
    venue === 'kalshi'
      ? { rate_ppm: 70_000, round_up_micros: 100 }
      : { rate_ppm: 50_000, round_up_micros: 10 },
  taker_delay_ms: venue === 'kalshi' ? 0 : 1000,
})

export class GatesWorld {
  readonly complaints: string[] = []
  readonly kinds = new Map<string, number>()
  signals = 0
  private readonly clock = new ManualClock()
  private readonly random: Prng
  private readonly decider: ShardDecider
  private readonly oracle: GatesOracle
  private readonly markets = marketsOf()
  private readonly epochs = { kalshi: FIRST_EPOCH, poly: FIRST_EPOCH }
  private readonly hosts: Record<Venue, string> = { kalshi: HOST, poly: HOST }
  private readonly games = new Map<string, Partial<GamesPayload>>()
  private seq = 0
  /** Since when nothing is proved any more, though quotes come. */
  private frozenUs: number | undefined

  constructor(seed: number, gates?: readonly Gate[]) {
    this.random = new Prng(seed, 'gates')
    this.oracle = new GatesOracle(HOST, 1 + (seed % 2), () => this.clock.nowMs())
    // Every other world has a second shard, which takes games without a word of warning.
    const shards = 1 + (seed % 2)
    const limits = { minEdgeMicros: 1, delayCostMicrosPerS: 0, maxSizeE2: 10_000, maxEdgeMicros: 1_000_000 }
    this.decider = new ShardDecider({
      ...{ index: 0, shards, host: HOST, clock: this.clock },
      strategy: { ...limits, validMs: 100, ...(gates === undefined ? {} : { gates }) },
      ...{ onNoSignal: () => undefined, onWorthless: () => undefined, onRefused: () => undefined },
    })
    for (const source of SOURCES) this.live(source, true)
    this.live('orchestrator.games', true)
    this.orchestratorBeat()
    for (const id of ['two', 'three']) this.tellGame(id)
    for (const venue of VENUES) this.beat(venue)
  }

  /** Something happens. */
  step(): void {
    const { random } = this
    this.clock.advanceMs(random.chance(0.02) ? random.int(200, 900) : random.int(1, 40))
    if (random.chance(this.frozenUs === undefined ? 0.005 : 0.03)) {
      this.frozenUs = this.frozenUs === undefined ? this.clock.monoUs() : undefined
    }
    const what = random.next()
    if (what < 0.62) this.quote(this.pick(this.markets))
    else if (what < 0.86) this.beat(this.pick(VENUES))
    else if (what < 0.9) this.orchestratorBeat()
    else if (what < 0.93) this.tellGame(this.pick(['two', 'three']))
    else if (what < 0.945) this.gap(this.pick(SOURCES))
    else if (what < 0.96) this.live(this.pick(SOURCES), false)
    else if (what < 0.995) for (const source of SOURCES) this.live(source, true)
    else if (what < 0.997) this.restart(this.pick(VENUES))
    else if (what < 0.998) this.clock.jumpTo(this.clock.nowMs() + random.int(-2_000, 2_000))
    else this.pause(random.chance(0.2) ? 401_000 : 61_000)
  }

  /** The orchestrator is silent for long, the monitors are not. */
  private pause(ms: number): void {
    this.clock.advanceMs(ms)
    for (const venue of VENUES) this.beat(venue, 0)
  }

  /** A monitor begins a new life, maybe on another host; what it said at last was that it closes, maybe. */
  private restart(venue: Venue): void {
    const { random } = this
    if (random.chance(0.5)) this.beat(venue, 0, { closing: true })
    this.epochs[venue] += random.int(1, 5)
    this.hosts[venue] = random.chance(0.3) ? THERE : HOST
  }

  private quote(of: Market): void {
    const { random } = this
    of.bookSeq++
    const fair = { HOU: 0.33, UTAH: 0.34, draw: 0.33 }[of.selection] ?? 0.5
    const middle = of.kind === 'moneyline' ? 0.5 : fair
    const ask = Math.round((middle + random.range(-0.06, 0.05)) * 100) / 100
    const bid = random.chance(0.03) ? ask : Math.round((ask - random.int(1, 4) / 100) * 100) / 100
    const size = random.int(5, 50)
    const side = (price: number): WireLevel[] => [[price, size]]
    const state = random.chance(0.08) ? this.pick(['STALE', 'BROKEN', 'EMPTY'] as const) : 'LIVE'
    const asks = random.chance(0.02) ? [...side(ask), ...side(ask)] : side(ask)
    const same = { venue: of.venue, market_id: of.id, book_seq: of.bookSeq }
    const book: OrderbookPayload = {
      ...{ ...same, bids: side(bid), asks },
      state: random.chance(0.03) ? 'STALE' : state,
    }
    const price: PricesPayload = {
      ...{ ...same, state, selection: random.chance(0.04) ? 'LAL' : of.selection },
      ...{ yes_bid: bid, yes_ask: ask, yes_bid_size: size, yes_ask_size: size },
    }
    const stamps = this.stamps()
    if (!random.chance(0.06)) this.tell('orderbook', of, book, stamps)
    if (!random.chance(0.06)) this.tell('prices', of, price, stamps)
  }

  /** When the frame came and was published: now, later than it should, or not said. */
  private stamps(): Header['stamps'] {
    const { random } = this
    if (this.frozenUs !== undefined || random.chance(0.2)) return {}
    const lateUs = random.chance(0.25) ? random.int(0, 1_200_000) : random.int(0, 2_000)
    const recv = this.clock.monoUs() - lateUs
    return { recv, pub: random.chance(0.5) ? recv + 200 : this.clock.monoUs() }
  }

  private tell(
    family: 'prices' | 'orderbook',
    { venue, id }: Market,
    payload: PricesPayload | OrderbookPayload,
    stamps: Header['stamps'],
  ): void {
    const header = this.header(`${venue}.${family}`, this.epochs[venue], this.hosts[venue], stamps)
    this.message({ family, topic: { family, scope: venue, id }, header, payload } as Message)
  }

  private tellGame(gameId: string): void {
    const { random } = this
    const now = this.clock.nowMs()
    const change: Partial<GamesPayload> = {
      status: random.chance(0.85)
        ? this.pick(['pre', 'live'])
        : this.pick(['final', 'postponed', 'canceled']),
      shard: random.chance(0.9) ? 0 : 1,
      fetched_ms: now - (random.chance(0.9) ? random.int(0, 5_000) : random.int(-5, 500_000)),
    }
    const isSame = random.chance(0.5)
    const state: GamesPayload = {
      ...{
        league: 'mls',
        game_id: gameId,
        period: 1,
        start_ms: 1,
        provider: 'espn',
        status: 'live',
        shard: 0,
      },
      home: { code: 'HOU', name: 'Houston', score: 0 },
      away: { code: 'UTAH', name: 'Utah', score: 0 },
      markets: this.markets.filter((each) => each.gameId === gameId).map(listed),
      fetched_ms: now,
      ...(isSame ? this.games.get(gameId) : change),
    }
    if (!isSame) this.games.set(gameId, change)
    const header = this.header('orchestrator.games', FIRST_EPOCH, HOST, {})
    this.message({
      family: 'games',
      topic: { family: 'games', scope: 'mls', id: gameId },
      header,
      payload: state,
    })
  }

  private header(source: string, epoch: number, host: string, stamps: Header['stamps']): Header {
    const sentMs = this.clock.nowMs() - (this.random.chance(0.9) ? 0 : this.random.int(-300, 900))
    return {
      ...{ v: 1, env: 'sim', source, epoch, seq: ++this.seq, timestamp_ms: sentMs, host, trace: 't' },
      stamps,
    }
  }

  private message(message: Message): void {
    const recvUs = this.clock.monoUs()
    this.oracle.message(message, recvUs)
    this.judge(this.decider.message(message, recvUs) ?? [])
  }

  private beat(venue: Venue, agoUs = this.ago(), change: { readonly closing?: boolean } = {}): void {
    const { random } = this
    const lateUs = random.chance(0.15) ? random.int(0, 900_000) : random.int(0, 3_000)
    const epoch = this.epochs[venue] - (random.chance(0.02) ? 1 : 0)
    const beat = {
      ...{ publisher: venue, host: this.hosts[venue], closing: false },
      timestamp_ms: this.clock.nowMs() - Math.round(lateUs / 1000),
      mono_us: this.clock.monoUs() - lateUs,
      channels: FAMILIES.map((family) => ({ source: `${venue}.${family}`, epoch })),
      feeds: [{ proved_ago_us: random.chance(0.03) ? null : agoUs }, { proved_ago_us: 0 }],
      ...change,
    }
    const recvUs = this.clock.monoUs()
    this.oracle.heartbeat(beat, recvUs)
    this.judge((this.decider.heartbeat(beat, recvUs) ?? []).flatMap(({ signals }) => signals))
  }

  private orchestratorBeat(): void {
    const recvUs = this.clock.monoUs()
    const beat = {
      ...{ publisher: 'orchestrator', host: HOST, closing: false, feeds: [] },
      ...{ timestamp_ms: this.clock.nowMs(), mono_us: recvUs - this.random.int(0, 50_000) },
      channels: [{ source: 'orchestrator.games', epoch: FIRST_EPOCH }],
    }
    this.oracle.heartbeat(beat, recvUs)
    this.judge((this.decider.heartbeat(beat, recvUs) ?? []).flatMap(({ signals }) => signals))
  }

  private ago(): number {
    if (this.frozenUs !== undefined) return this.clock.monoUs() - this.frozenUs
    return this.random.chance(0.3) ? this.random.int(0, 1_100_000) : this.random.int(0, 100_000)
  }

  private gap(source: string): void {
    this.oracle.gap(source)
    this.decider.gap(source)
  }

  private live(source: string, isLive: boolean): void {
    this.oracle.state(source, isLive)
    this.judge(this.decider.state(source, isLive).flatMap(({ signals }) => signals))
  }

  private pick<T>(items: readonly T[]): T {
    return items[this.random.int(0, items.length - 1)]!
  }

  private judge(signals: readonly StrategySignal[]): void {
    for (const signal of signals) {
      this.signals++
      this.kinds.set(signal.kind, (this.kinds.get(signal.kind) ?? 0) + 1)
      const complaint = this.oracle.complaintOf(signal, this.clock.monoUs())
      if (complaint !== undefined) this.complaints.push(complaint)
    }
  }
}
