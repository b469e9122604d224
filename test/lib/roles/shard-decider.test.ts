import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../src/lib/core/clock.js'
import { decode, encode } from '../../../src/lib/messages/codec.js'
import { orderbookSource, pricesSource } from '../../../src/lib/messages/sources.js'
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

/** A decider that knows the game and hears both monitors; everything comes the moment it is sent. */
class Stage {
  readonly clock = new ManualClock()
  readonly decider: ShardDecider
  private seq = 0

  constructor() {
    this.decider = new ShardDecider({
      ...{ index: 0, shards: 1, host: HOST, strategy: STRATEGY, clock: this.clock },
      onNoSignal: () => undefined,
      onWorthless: ({ key }) => expect.fail(key),
      onRefused: (reason) => expect.fail(reason),
    })
    const game = gameState({ fetched_ms: this.clock.nowMs() })
    this.tell('orchestrator.games', 'games.nba.401', game)
    for (const source of CHANNELS) this.decider.state(source, true)
    this.beat()
  }

  /** Of both monitors; the signals of quotes that had come before. */
  beat(): string[] {
    return ['kalshi', 'poly'].flatMap((publisher) => {
      const channels = CHANNELS.filter((source) => source.startsWith(publisher))
      const beat = {
        ...{ publisher, host: HOST, timestamp_ms: this.clock.nowMs(), mono_us: this.clock.monoUs() },
        ...{ closing: false, feeds: [{ proved_ago_us: 0 }] },
        channels: channels.map((source) => ({ source, epoch: EPOCH })),
      }
      return shown(this.decider.heartbeat(beat, this.clock.monoUs()) ?? [])
    })
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

it('a quote that was decided on when it came is decided on no more, whatever its channels do', () => {
  const stage = new Stage()
  stage.quote('poly', COND, RICH_THERE)
  expect(stage.quote('kalshi', HOU, CHEAP_HERE).signals).toBe(1)
  stage.state('poly.prices', false)
  expect([stage.state('poly.prices', true), stage.beat()]).toEqual([[], []])
})
