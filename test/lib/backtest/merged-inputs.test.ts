import { describe, expect, it } from 'vitest'
import { ASSUMED_ALIVE_MS, MergedInputs } from '../../../src/lib/backtest/merged-inputs.js'
import type { PastItem } from '../../../src/lib/history/past.js'
import { encode } from '../../../src/lib/messages/codec.js'
import { orderbookSource, pricesSource } from '../../../src/lib/messages/sources.js'
import type { Venue } from '../../../src/lib/model/venue.js'
import type { Book } from '../roles/journaled-monitors.js'
import { CHEAP_HERE, COND, FAIR_HERE, HOU, RICH_THERE, gameState } from '../roles/shard-stage.js'

const T0 = 1_769_500_000_000
const STRATEGY = {
  ...{ minEdgeMicros: 1, delayCostMicrosPerS: 0, maxSizeE2: 100_000, maxEdgeMicros: 300_000, validMs: 1_500 },
}

/** A recording, played into the merged inputs; times are ms behind its beginning. */
class Stage {
  readonly refused: string[] = []
  private readonly decided: string[] = []
  private readonly inputs: MergedInputs
  private readonly seqs = new Map<string, number>()
  private bookSeq = 0
  epoch = T0

  constructor(shard?: number) {
    this.inputs = new MergedInputs({
      ...{ env: 'sim', strategy: STRATEGY, shard },
      watch: { around: (decider) => decider, evaluated: () => undefined, forgotten: () => undefined },
      onDecided: (signal) => this.decided.push(signal.pair),
      onPublished: ({ payload }) => this.refused.push(`recorded ${payload.id}`),
      onRefused: ({ reason }) => this.refused.push(reason),
    })
  }

  game(atMs: number, shard = 0): this {
    const fetched_ms = T0 + atMs
    // It moves to that shard, a minute later.
    const moves = shard === 0 ? {} : { shard_before: shard, shard_from_ms: fetched_ms + 60_000 }
    const state = gameState({ fetched_ms, shard, ...moves })
    return this.tell('orchestrator.games', 'games.nba.401', state, atMs)
  }

  /** Book, then price. */
  quote(venue: Venue, id: string, { bid, ask }: Book, atMs: number, [bookUs, priceUs] = [1, 2]): this {
    const state = { venue, market_id: id, state: 'LIVE', book_seq: ++this.bookSeq }
    const sides = { yes_bid: bid[0], yes_ask: ask[0], yes_bid_size: bid[1], yes_ask_size: ask[1] }
    const price = { ...state, selection: 'HOU', ...sides }
    const book = { ...state, bids: [bid], asks: [ask] }
    this.tell(pricesSource(venue), `prices.${venue}.${id}`, price, atMs, priceUs)
    return this.tell(orderbookSource(venue), `orderbook.${venue}.${id}`, book, atMs, bookUs)
  }

  gap(source: string): this {
    const gap = { source, epoch: T0, from: 5, to: 9, reason: 'missed' } as const
    this.inputs.take({ kind: 'gap', gap, afterMs: 0, timestampMs: 0 })
    return this
  }

  /** How many signals by now. */
  get signals(): number {
    this.inputs.end()
    return this.decided.length
  }

  tell(source: string, topic: string, payload: object, atMs: number, pub?: number): this {
    const [seq, epoch, timestampMs] = [(this.seqs.get(source) ?? 0) + 1, this.epoch, T0 + atMs]
    this.seqs.set(source, seq)
    const stamps = pub === undefined ? {} : { recv: atMs * 1000 + pub, pub: atMs * 1000 + pub }
    const header = { env: 'sim', source, epoch, seq, timestampMs, host: 'there', stamps } as const
    const data = Buffer.from(encode(header, payload))
    const item: PastItem = { kind: 'message', source, topic, epoch, seq, timestampMs, data }
    this.inputs.take(item)
    return this
  }
}

/** Both books are known, and nothing is to be had. */
const quiet = (shard?: number): Stage =>
  new Stage(shard).game(0).quote('kalshi', HOU, FAIR_HERE, 1).quote('poly', COND, RICH_THERE, 2)

describe('what was recorded, merged by time', () => {
  it('is decided on, with heartbeats made up as long as a monitor speaks now and then', () => {
    expect(quiet().signals).toBe(0)
    expect(quiet().quote('kalshi', HOU, CHEAP_HERE, 3).signals).toBe(1)
    // Polymarket is silent meanwhile.
    expect(quiet().quote('kalshi', HOU, CHEAP_HERE, ASSUMED_ALIVE_MS).signals).toBe(1)
    expect(quiet().quote('kalshi', HOU, CHEAP_HERE, ASSUMED_ALIVE_MS + 800).signals).toBe(0)
  })

  it('is believed again where a monitor that was silent goes on without a hole', () => {
    const stage = quiet().game(9_000).quote('kalshi', HOU, CHEAP_HERE, 10_000)
    expect(stage.signals).toBe(0)
    expect(stage.quote('poly', COND, RICH_THERE, 10_001).signals).toBe(1)
  })

  it('is not believed behind what is missing, until the market speaks again', () => {
    const stage = quiet().gap('poly.prices').quote('kalshi', HOU, CHEAP_HERE, 5)
    expect(stage.signals).toBe(0)
    expect(stage.quote('poly', COND, RICH_THERE, 6).signals).toBe(1)
  })

  it('is not believed from before a new epoch of its monitor', () => {
    const stage = quiet().quote('kalshi', HOU, FAIR_HERE, 3)
    stage.epoch = T0 + 4
    expect(stage.quote('poly', '0xother', RICH_THERE, 5).quote('kalshi', HOU, CHEAP_HERE, 6).signals).toBe(0)
  })

  it('comes in the order of its host within a millisecond', () => {
    expect(quiet().quote('kalshi', HOU, CHEAP_HERE, 3, [7, 8]).signals).toBe(1)
    expect(quiet().quote('kalshi', HOU, CHEAP_HERE, 3, [8, 7]).signals).toBe(0)
  })

  it('is of all games, or of the games of one shard', () => {
    const cheap = (stage: Stage) => stage.game(3, 2).quote('kalshi', HOU, CHEAP_HERE, 4).signals
    expect([cheap(quiet()), cheap(quiet(2)), cheap(quiet(1))]).toEqual([1, 1, 0])
  })

  it('tells what is no message, and takes nothing of it', () => {
    const stage = quiet().tell('kalshi.prices', `prices.kalshi.${HOU}`, { venue: 'kalshi' }, 3)
    expect([stage.signals, stage.refused.length]).toEqual([0, 1])
  })
})
