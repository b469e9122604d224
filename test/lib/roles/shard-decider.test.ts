import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../src/lib/core/clock.js'
import { decode, encode } from '../../../src/lib/messages/codec.js'
import { GAMES_SOURCE, orderbookSource, pricesSource } from '../../../src/lib/messages/sources.js'
import type { Venue } from '../../../src/lib/model/venue.js'
import { ShardDecider } from '../../../src/lib/roles/shard-decider.js'
import type { Book } from './journaled-monitors.js'
import { CHEAP_HERE, COND, FAIR_HERE, HOU, RICH_THERE, UTA, gameState } from './shard-stage.js'

const HOST = 'h boot'
const EPOCH = 1_769_500_000_000
const STRATEGY = {
  ...{ minEdgeMicros: 1, delayCostMicrosPerS: 0, maxSizeE2: 100_000, maxEdgeMicros: 300_000 },
  validMs: 1_500,
}
const CHANNELS = ['kalshi', 'poly'].flatMap((venue) => [`${venue}.prices`, `${venue}.orderbook`])

const sourcesOf = (venue: string) => CHANNELS.filter((source) => source.startsWith(venue))

/** A decider that knows the game and hears both monitors; everything comes the moment it is sent. */
class Stage {
  readonly clock = new ManualClock()
  readonly decider: ShardDecider
  readonly refused: string[] = []
  private seq = 0

  constructor(shards = 1) {
    this.decider = new ShardDecider({
      ...{ index: 0, shards, host: HOST, strategy: STRATEGY, clock: this.clock },
      onNoSignal: () => undefined,
      onWorthless: ({ key }) => expect.fail(key),
      onRefused: (reason) => this.refused.push(reason),
    })
    this.game()
    for (const source of [...CHANNELS, GAMES_SOURCE]) this.decider.state(source, true)
    this.lead()
    this.beat()
  }

  /** The orchestrator's word on the game. */
  game(change: Parameters<typeof gameState>[0] = {}): void {
    this.tell(GAMES_SOURCE, 'games.nba.401', gameState({ fetched_ms: this.clock.nowMs(), ...change }))
  }

  /** A heartbeat of the orchestrator, in the life that `epoch` names. */
  lead(epoch = EPOCH): string[] {
    return this.hear('orchestrator', [GAMES_SOURCE], { epoch })
  }

  /** Of both monitors; the signals of quotes that had come before. */
  beat(): string[] {
    return ['kalshi', 'poly'].flatMap((publisher) => this.hear(publisher, sourcesOf(publisher)))
  }

  /** The monitor says that it ends. */
  end(publisher: Venue): void {
    this.hear(publisher, sourcesOf(publisher), { closing: true })
  }

  /** Time passes, in which everybody's heartbeats come. */
  pass(ms: number, led = true): void {
    for (let passed = 0; passed < ms; passed += 100) {
      this.clock.advanceMs(100)
      this.beat()
      if (led) this.lead()
    }
  }

  /** The seq of the quote that the market is of by then, with the signals that it causes. */
  quote(venue: Venue, id: string, { bid, ask }: Book): { readonly seq: number; readonly signals: number } {
    const state = { venue, market_id: id, state: 'LIVE', book_seq: ++this.seq }
    this.tell(orderbookSource(venue), `orderbook.${venue}.${id}`, { ...state, bids: [bid], asks: [ask] })
    const sides = { yes_bid: bid[0], yes_ask: ask[0], yes_bid_size: bid[1], yes_ask_size: ask[1] }
    const selection = id === UTA ? 'UTA' : 'HOU'
    const signals = this.tell(pricesSource(venue), `prices.${venue}.${id}`, { ...state, selection, ...sides })
    return { seq: this.seq, signals: signals?.length ?? 0 }
  }

  state(source: string, isLive: boolean): string[] {
    return shown(this.decider.state(source, isLive))
  }

  private hear(
    publisher: string,
    sources: readonly string[],
    { epoch = EPOCH, closing = false } = {},
  ): string[] {
    const beat = {
      ...{ publisher, host: HOST, timestamp_ms: this.clock.nowMs(), mono_us: this.clock.monoUs() },
      ...{ closing, feeds: [{ proved_ago_us: 0 }] },
      channels: sources.map((source) => ({ source, epoch })),
    }
    return shown(this.decider.heartbeat(beat, this.clock.monoUs()) ?? [])
  }

  private tell(source: string, topic: string, payload: object) {
    const [recv, timestampMs] = [this.clock.monoUs(), this.clock.nowMs()]
    const header = { env: 'sim', source, epoch: EPOCH, seq: ++this.seq, timestampMs, host: HOST } as const
    const text = encode({ ...header, stamps: { recv, pub: recv } }, payload)
    const decoded = decode(topic, Buffer.from(text), 'sim')
    if (decoded.kind !== 'message') throw new Error(JSON.stringify(decoded))
    return this.decider.message(decoded.message, recv)
  }
}

/** `kalshi.prices/7 → 1`: the quote, and how many signals it caused. */
const shown = (decisions: ReturnType<ShardDecider['state']>): string[] =>
  decisions.map(({ trigger, signals }) => `${trigger.source}/${trigger.seq} → ${signals.length}`)

describe('a quote that came while a channel was not live', () => {
  it('is decided on when the channel is live again, once', () => {
    const stage = new Stage()
    stage.quote('poly', COND, RICH_THERE)
    expect(stage.state('poly.orderbook', false)).toEqual([])
    const { seq, signals } = stage.quote('kalshi', HOU, CHEAP_HERE)
    expect(signals).toBe(0)
    expect(stage.state('poly.orderbook', true)).toEqual([`kalshi.prices/${seq} → 1`])
    expect([stage.state('poly.orderbook', true), stage.beat()]).toEqual([[], []])
  })

  it('waits for the last of its channels', () => {
    const stage = new Stage()
    stage.quote('poly', COND, RICH_THERE)
    for (const source of CHANNELS) stage.state(source, false)
    const { seq } = stage.quote('kalshi', HOU, CHEAP_HERE)
    const told = CHANNELS.map((source) => stage.state(source, true))
    expect(told).toEqual([[], [], [], [`kalshi.prices/${seq} → 1`]])
  })

  it('waits for the heartbeat that proves what is old by then', () => {
    const stage = new Stage()
    stage.quote('poly', COND, RICH_THERE)
    stage.state('poly.prices', false)
    const { seq } = stage.quote('kalshi', HOU, CHEAP_HERE)
    stage.clock.advanceMs(5_000)
    expect(stage.state('poly.prices', true)).toEqual([])
    expect(stage.beat()).toEqual([`kalshi.prices/${seq} → 1`])
  })

  it('gives way to the next quote of its pair', () => {
    const stage = new Stage()
    stage.quote('poly', COND, RICH_THERE)
    stage.state('poly.prices', false)
    stage.quote('kalshi', HOU, CHEAP_HERE)
    const { seq } = stage.quote('kalshi', HOU, FAIR_HERE)
    expect(stage.state('poly.prices', true)).toEqual([`kalshi.prices/${seq} → 0`])
  })

  it('is not decided on again where the next one was decided on already', () => {
    const stage = new Stage()
    stage.quote('poly', COND, RICH_THERE)
    stage.state('poly.prices', false)
    stage.quote('kalshi', HOU, CHEAP_HERE)
    stage.decider.books.applyState('poly.prices', true)
    expect(stage.quote('kalshi', HOU, CHEAP_HERE).signals).toBe(1)
    expect(stage.beat()).toEqual([])
  })
})

describe('a quote that meets a gate which heartbeats open', () => {
  it.each([
    ['proofs too far apart', 'leg_skew', 400],
    ['a proof that is too old', 'old_quote', 800],
    ['silence', 'silent_monitor', 5_000],
  ])('is decided on with the heartbeat that ends %s (%s), once', (_, _reason, ms) => {
    const stage = new Stage()
    stage.quote('poly', COND, RICH_THERE)
    stage.clock.advanceMs(ms)
    const { seq, signals } = stage.quote('kalshi', HOU, CHEAP_HERE)
    expect(signals).toBe(0)
    expect(stage.beat()).toEqual([`kalshi.prices/${seq} → 1`])
    expect(stage.beat()).toEqual([])
  })

  it('is not decided on when the opportunity is gone by then', () => {
    const stage = new Stage()
    stage.quote('poly', COND, RICH_THERE)
    stage.clock.advanceMs(800)
    stage.quote('kalshi', HOU, CHEAP_HERE)
    const { seq } = stage.quote('kalshi', HOU, FAIR_HERE)
    expect(stage.beat()).toEqual([`kalshi.prices/${seq} → 0`])
  })

  it('is not kept where a gate is closed that no heartbeat opens', () => {
    const stage = new Stage()
    stage.quote('poly', COND, RICH_THERE)
    stage.clock.advanceMs(120_000)
    stage.quote('kalshi', HOU, CHEAP_HERE)
    expect(stage.decider['postponed'].isEmpty).toBe(true)
  })

  it('is not kept for a market that was never quoted', () => {
    const stage = new Stage()
    stage.quote('poly', COND, RICH_THERE)
    expect(stage.decider['postponed'].isEmpty).toBe(true)
  })
})

it('a quote that was decided on when it came is decided on no more, whatever its channels do', () => {
  const stage = new Stage()
  stage.quote('poly', COND, RICH_THERE)
  expect(stage.quote('kalshi', HOU, CHEAP_HERE).signals).toBe(1)
  stage.state('poly.prices', false)
  expect([stage.state('poly.prices', true), stage.beat()]).toEqual([[], []])
})

describe('one of two shards, whose game it is', () => {
  /** Both markets are quoted, and were looked at. */
  const begun = () => {
    const stage = new Stage(2)
    stage.quote('kalshi', HOU, FAIR_HERE)
    stage.quote('poly', COND, RICH_THERE)
    stage.pass(200)
    return stage
  }

  it('trades while it hears the orchestrator', () => {
    const stage = begun()
    stage.pass(3_000)
    expect(stage.quote('kalshi', HOU, CHEAP_HERE).signals).toBe(1)
  })

  it.each([
    [
      'something that the orchestrator said is lost',
      EPOCH,
      (stage: Stage) => stage.decider.gap(GAMES_SOURCE),
    ],
    ['the orchestrator lives anew', EPOCH + 1, (stage: Stage) => stage.lead(EPOCH + 1)],
  ])(
    'does not know whose it is from the end of the lease on when %s, until the next word',
    (_, epoch, happens) => {
      const stage = begun()
      happens(stage)
      for (let passed = 0; passed < 3_000; passed += 100) {
        stage.pass(100, false)
        stage.lead(epoch)
      }
      const { seq, signals } = stage.quote('kalshi', HOU, CHEAP_HERE)
      expect(signals).toBe(0)
      stage.game()
      expect(stage.beat()).toEqual([`kalshi.prices/${seq} → 1`])
    },
  )

  it('takes no heartbeat of the orchestrator for a lease while something before it is missing', () => {
    const stage = begun()
    stage.state(GAMES_SOURCE, false)
    stage.pass(3_000)
    const { seq, signals } = stage.quote('kalshi', HOU, CHEAP_HERE)
    expect(signals).toBe(0)
    expect(stage.state(GAMES_SOURCE, true)).toEqual([])
    expect(stage.lead()).toEqual([`kalshi.prices/${seq} → 1`])
  })

  it('keeps a quote of which it does not know whose it is until it does, whatever else comes', () => {
    const stage = begun()
    stage.pass(2_400, false)
    stage.clock.advanceMs(100)
    const { seq, signals } = stage.quote('kalshi', HOU, CHEAP_HERE)
    expect(signals).toBe(0)
    expect(stage.beat()).toEqual([])
    expect(stage.lead()).toEqual([`kalshi.prices/${seq} → 1`])
  })
})

it('what a monitor said before it ended is not believed', () => {
  const stage = new Stage()
  stage.quote('kalshi', HOU, CHEAP_HERE)
  stage.end('kalshi')
  expect(stage.quote('poly', COND, RICH_THERE).signals).toBe(0)
  expect(stage.quote('kalshi', HOU, CHEAP_HERE).signals).toBe(1)
})

it.each([
  ['is given to another', { shard: 1 }],
  ['moves', { shard: 0, shard_from_ms: EPOCH, shard_before: 1 }],
])(
  'a shard that is told of no other does not trade a game that %s, until it is its own alone',
  (_, change) => {
    const stage = new Stage()
    stage.quote('poly', COND, RICH_THERE)
    stage.game(change)
    expect(stage.refused).toEqual(['other_shard'])
    expect(stage.quote('kalshi', HOU, CHEAP_HERE).signals).toBe(0)
    stage.game()
    expect(stage.quote('kalshi', HOU, CHEAP_HERE).signals).toBe(1)
    expect(stage.refused).toEqual(['other_shard'])
  },
)
