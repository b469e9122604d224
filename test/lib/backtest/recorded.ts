/** A recording of one game on two venues, made by hand and played into the merged inputs. */

import { MergedInputs } from '../../../src/lib/backtest/merged-inputs.js'
import type { PastItem } from '../../../src/lib/history/past.js'
import { encode } from '../../../src/lib/messages/codec.js'
import type { GamesPayload } from '../../../src/lib/messages/payloads.js'
import { orderbookSource, pricesSource } from '../../../src/lib/messages/sources.js'
import type { Venue } from '../../../src/lib/model/venue.js'
import type { RerunWatch } from '../../../src/lib/roles/shard-rerun.js'
import type { Book } from '../roles/journaled-monitors.js'
import { gameState } from '../roles/shard-stage.js'

export const T0 = 1_769_500_000_000
const STRATEGY = {
  ...{ minEdgeMicros: 1, delayCostMicrosPerS: 0, maxSizeE2: 100_000, maxEdgeMicros: 300_000, validMs: 6_000 },
}

const NOBODY: RerunWatch = {
  around: (decider) => decider,
  evaluated: () => undefined,
  observed: () => undefined,
  forgotten: () => undefined,
}

/** Times are ms behind its beginning. */
export class Recorded {
  readonly refused: string[] = []
  private readonly decided: string[] = []
  private readonly inputs: MergedInputs
  private readonly seqs = new Map<string, number>()
  private bookSeq = 0
  epoch = T0

  constructor(shard?: number, watch = NOBODY) {
    this.inputs = new MergedInputs({
      ...{ env: 'sim', strategy: STRATEGY, shard, watch },
      onDecided: (signal) => this.decided.push(signal.pair),
      onPublished: ({ payload }) => this.refused.push(`recorded ${payload.id}`),
      onRefused: ({ reason }) => this.refused.push(reason),
    })
  }

  game(atMs: number, shard = 0, change: Partial<GamesPayload> = {}): this {
    const fetched_ms = T0 + atMs
    // It moves to that shard, a minute later.
    const moves = shard === 0 ? {} : { shard_before: shard, shard_from_ms: fetched_ms + 60_000 }
    const state = gameState({ fetched_ms, shard, ...moves, ...change })
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
