/**
 * Frames of a Kalshi connection, as the venue writes them: a subscription, its snapshots, then deltas market by market.
 * Most change a size; now and then one offers YES cheaply enough to trade, and the market's next frame takes it back.
 */

import { formatScaled } from '../model/price.js'
import { BENCH_GAMES } from './pipeline-markets.js'

const SID = 1
/** What a NO bid offers, as a price of YES: 42, against a bid of 50 on the other venue. */
const CHEAP = { price_dollars: '0.4200', side: 'no' } as const
/** The best YES bid, whose size changes. */
const QUIET = { price_dollars: '0.3900', side: 'yes' } as const

export interface Frame {
  readonly bytes: Buffer
  /** It offers something to trade. */
  readonly isEdge: boolean
}

export class KalshiFrames {
  private seq = 0
  private at = 0
  private readonly cheap = new Set<string>()
  private readonly larger = new Set<string>()

  /** The answer to our `subscribe`, and a snapshot for each market. */
  opening(id: number): Buffer[] {
    const snapshots = BENCH_GAMES.map(({ kalshi }) => {
      const msg = {
        market_ticker: kalshi.marketId,
        market_id: '00000000-0000-4000-8000-000000000000',
        yes_dollars_fp: levelsFrom(3_900, -100),
        no_dollars_fp: levelsFrom(5_300, 100),
      }
      return frame({ type: 'orderbook_snapshot', sid: SID, seq: ++this.seq, msg })
    })
    return [frame({ type: 'subscribed', id, msg: { channel: 'orderbook_delta', sid: SID } }), ...snapshots]
  }

  /** The next `count`; one in `edgeEvery` makes an edge, each time in another market and at another place of a burst. */
  take(count: number, edgeEvery: number, nowMs: number): Frame[] {
    const frames: Frame[] = []
    let edges = 0
    for (let n = 0; n < count; n++) {
      const ticker = BENCH_GAMES[this.at++ % BENCH_GAMES.length]?.kalshi.marketId ?? ''
      const takesBack = this.cheap.has(ticker)
      const isEdge = !takesBack && n >= edges * edgeEvery + (edges % BENCH_GAMES.length)
      if (isEdge) edges++
      frames.push({ bytes: this.delta(ticker, isEdge || takesBack, nowMs), isEdge })
    }
    return frames
  }

  private delta(ticker: string, isCheap: boolean, nowMs: number): Buffer {
    const added = isCheap ? this.cheap : this.larger
    const isMore = !added.delete(ticker)
    if (isMore) added.add(ticker)
    const { price_dollars, side } = isCheap ? CHEAP : QUIET
    const msg = {
      market_ticker: ticker,
      market_id: '00000000-0000-4000-8000-000000000000',
      price_dollars,
      delta_fp: isMore ? '10.00' : '-10.00',
      side,
      ts: new Date(nowMs).toISOString().replace('Z', '000Z'),
      ts_ms: nowMs,
    }
    return frame({ type: 'orderbook_delta', sid: SID, seq: ++this.seq, msg })
  }
}

/** Ten levels, a cent apart, as prices of YES: bid 39, and asked 53 by the NO bid at 47. */
const levelsFrom = (bestE4: number, stepE4: number) =>
  Array.from({ length: 10 }, (_, index) => [
    formatScaled(bestE4 + stepE4 * index, 4),
    `${100 + 10 * index}.00`,
  ])

const frame = (value: object): Buffer => Buffer.from(JSON.stringify(value))
