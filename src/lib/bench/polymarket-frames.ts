/**
 * A Polymarket connection without its socket: the monitor's own parser and mapper, over books of sixty levels a side
 * whose changes carry both tokens' entries, as the venue writes them. With the hash of each book after its change, or
 * with the empty string in its place, which leaves the mapper nothing to check.
 */

import { systemClock } from '../core/clock.js'
import { ArbeesError } from '../core/errors.js'
import type { CatalogMarket } from '../model/game.js'
import { complementE4 } from '../model/price.js'
import { VenueBook, type HashContext } from '../venues/polymarket/book-hash.js'
import { TIMINGS } from '../venues/polymarket/connection.js'
import type { WireLevel } from '../venues/polymarket/events.js'
import { isVerdict, parseFrames } from '../venues/polymarket/frames.js'
import { PolymarketMapper } from '../venues/polymarket/mapper.js'
import type { FrameSource } from './frame-runs.js'
import { BENCH_GAMES } from './pipeline-markets.js'

const LEVELS = 60
const TICK_E4 = 10
/** The best prices of YES. */
const BID_E4 = 4_900
const ASK_E4 = 5_000

/** What a mapper did that a line which loses nothing gives no reason for. */
export interface FalseAlarms {
  resyncs: number
  doubts: number
}

/** `alarms` counts those of a source with hashes; a book without one is doubted all the time. */
export function polymarketSource(withHashes: boolean, alarms: FalseAlarms): FrameSource {
  const mapper = new PolymarketMapper(TIMINGS)
  // Long ids, as the venue has them.
  const books = BENCH_GAMES.map(({ poly }, index) => new VenueFrames(lifelike(poly, index), withHashes))
  let at = 0
  return {
    opening: () => {
      const nowUs = systemClock.monoUs()
      for (const { market } of books) mapper.follow(market, nowUs)
      mapper.connected(nowUs)
      return books.map((book) => book.dump())
    },
    take: (count) =>
      Array.from({ length: count }, () =>
        (books[at++ % books.length] as VenueFrames).change(systemClock.nowMs()),
      ),
    onFrame: (bytes, recvUs, announce) => {
      for (const item of parseFrames(bytes)) {
        if (isVerdict(item)) throw new ArbeesError('BENCH_FAILED', `unexpected: ${JSON.stringify(item)}`)
        for (const effect of mapper.onEvent(item, recvUs)) {
          if (effect.kind === 'notice') alarms.resyncs += 1
          if (effect.kind !== 'book') continue
          if (effect.state !== 'LIVE') alarms.doubts += 1
          const { market, book, state, venueMs } = effect
          announce({ market, book, state, recvUs, ...(venueMs === undefined ? {} : { venueMs }) })
        }
      }
    },
  }
}

class VenueFrames {
  private readonly book = new VenueBook()
  private readonly context: HashContext
  private count = 0
  private newestMs = 0

  constructor(
    readonly market: CatalogMarket,
    private readonly withHashes: boolean,
  ) {
    const levels = (bestE4: number, stepE4: number) =>
      Array.from({ length: LEVELS }, (_, index) => levelOf(bestE4 + index * stepE4, 100 + index))
    this.book.replace(levels(BID_E4, -TICK_E4), levels(ASK_E4, TICK_E4))
    this.context = {
      ...{ market: market.marketId, assetId: market.tokenIds?.[0] ?? '' },
      ...{ minOrderSize: '5', tickSize: '0.001', negRisk: false, lastTradePrice: '0.495' },
    }
  }

  dump(): Buffer {
    const side = (bestE4: number, stepE4: number) =>
      Array.from({ length: LEVELS }, (_, index) => {
        const { price, size } = levelOf(bestE4 + (LEVELS - 1 - index) * stepE4, 100 + LEVELS - 1 - index)
        return { price, size }
      })
    return frame({
      market: this.context.market,
      asset_id: this.context.assetId,
      timestamp: '1',
      hash: this.withHashes ? this.book.hash(this.context, '1') : '',
      bids: side(BID_E4, -TICK_E4),
      asks: side(ASK_E4, TICK_E4),
      tick_size: this.context.tickSize,
      event_type: 'book',
      last_trade_price: this.context.lastTradePrice,
    })
  }

  /** The size at one of the ten best levels of a side. */
  change(nowMs: number): Buffer {
    const n = this.count++
    const isBid = n % 2 === 0
    const priceE4 = (isBid ? BID_E4 : ASK_E4) + (isBid ? -TICK_E4 : TICK_E4) * (n % 10)
    const level = levelOf(priceE4, 200 + (n % 997))
    // Two changes of one millisecond might be taken for a repeat.
    this.newestMs = Math.max(nowMs, this.newestMs + 1)
    const timestamp = String(this.newestMs)
    this.book.set(isBid ? 'bid' : 'ask', level)
    const hash = this.withHashes ? this.book.hash(this.context, timestamp) : ''
    const entry = (token: number) => ({
      asset_id: this.market.tokenIds?.[token] ?? '',
      price: decimal(token === 0 ? priceE4 : complementE4(priceE4)),
      size: level.size,
      side: isBid === (token === 0) ? 'BUY' : 'SELL',
      hash,
      best_bid: decimal(token === 0 ? BID_E4 : complementE4(ASK_E4)),
      best_ask: decimal(token === 0 ? ASK_E4 : complementE4(BID_E4)),
    })
    const { market } = this.context
    return frame({ market, price_changes: [entry(0), entry(1)], timestamp, event_type: 'price_change' })
  }
}

function lifelike(market: CatalogMarket, index: number): CatalogMarket {
  const tokenIds = [0, 1].map((token) => `${index}${token}`.padEnd(77, '7')) as [string, string]
  return { ...market, tokenIds, tickE4: TICK_E4, minSizeE2: 500 }
}

function levelOf(priceE4: number, shares: number): WireLevel {
  const size = `${shares}.5`
  return { price: decimal(priceE4), size, priceE4, sizeE2: shares * 100 + 50, empty: false }
}

const decimal = (priceE4: number): string => String(priceE4 / 10_000)
const frame = (value: object): Buffer => Buffer.from(JSON.stringify(value))
