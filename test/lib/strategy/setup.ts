/** Markets, books and combinations for tests of the strategy. */

import type { FeeSchedule } from '../../../src/lib/model/fees.js'
import type { GameMarket } from '../../../src/lib/model/game.js'
import type { SettlementRules } from '../../../src/lib/model/settlement.js'
import type { Level } from '../../../src/lib/model/order-book.js'
import { BookView, FeedView } from '../../../src/lib/strategy/book-view.js'
import { combinationsOf } from '../../../src/lib/strategy/combination.js'
import type { Combination, GameView, MarketView } from '../../../src/lib/strategy/combination.js'
import type { StrategyLimits } from '../../../src/lib/strategy/plan.js'

export const KALSHI_FEES: FeeSchedule = { ratePpm: 70_000, roundUpToMicros: 100 }
export const POLY_FEES: FeeSchedule = { ratePpm: 50_000, roundUpToMicros: 10 }
/** Rules that both venues have: no ties, everything else as the game that is played at last. */
export const ALIKE: SettlementRules = {
  overtime: 'included',
  tie: 'impossible',
  postponed: 'stays',
  canceled: 'half',
}
const TEAMS = ['UTAH', 'HOU'] as const
export const LIMITS: StrategyLimits = {
  minEdgeMicros: 2000,
  delayCostMicrosPerS: 0,
  maxSizeE2: 10_000,
  maxEdgeMicros: 300_000,
}
export const NOW_US = 5_000_000_000

export interface Side {
  readonly bids: readonly Level[]
  readonly asks: readonly Level[]
}

export function market(venue: 'kalshi' | 'poly', change: Partial<GameMarket> = {}): GameMarket {
  const own =
    venue === 'kalshi'
      ? {
          marketId: 'KXNBAGAME-25DEC01HOUUTA-HOU',
          sizeStepE2: 100,
          minSizeE2: 100,
          fees: KALSHI_FEES,
          takerDelayMs: 0,
        }
      : { marketId: '0xabc', sizeStepE2: 1, minSizeE2: 500, fees: POLY_FEES, takerDelayMs: 1000 }
  return {
    ...{ venue, kind: 'moneyline', selection: 'HOU', venueSelection: 'HOU', settlement: ALIKE, tickE4: 100 },
    ...own,
    ...change,
  }
}

/** A market whose book is live, whole, heard and proved at `NOW_US`. */
export function view(of: GameMarket, levels: Side): MarketView {
  const feed = new FeedView(of.venue)
  feed.heardUs = NOW_US
  feed.provedUs = NOW_US
  feed.prices.isLive = feed.orderbook.isLive = true
  const book = new BookView(of.marketId, feed)
  fill(book, levels)
  book.bookState = book.quoteState = 'LIVE'
  book.bookSeq = book.quoteSeq = 7
  book.bookGeneration = feed.orderbook.generation
  book.quoteGeneration = feed.prices.generation
  Object.assign(book.quoteMessage, { source: `${of.venue}.prices`, epoch: 1, seq: 11 })
  Object.assign(book.bookMessage, { source: `${of.venue}.orderbook`, epoch: 1, seq: 12 })
  return { market: of, book, selectionAgrees: true }
}

export function fill(book: BookView, { bids, asks }: Side): void {
  book.bids.clear()
  book.asks.clear()
  for (const [priceE4, sizeE2] of bids) if (!book.bids.push(priceE4, sizeE2)) throw new Error('bad bid')
  for (const [priceE4, sizeE2] of asks) if (!book.asks.push(priceE4, sizeE2)) throw new Error('bad ask')
}

export const liveGame = (): GameView => ({
  league: 'nba',
  gameId: '401',
  teams: TEAMS,
  status: 'live',
  heardUs: NOW_US,
  fetchedUs: NOW_US,
})

/** All combinations of these markets; throws where one is worthless. */
export function combinations(game: GameView, ...markets: readonly MarketView[]): readonly Combination[] {
  const { kept, worthless } = combinationsOf(game, markets)
  if (worthless.length > 0) throw new Error(`worthless: ${JSON.stringify(worthless)}`)
  return kept
}

/** A Kalshi market and a Polymarket condition of one game, bought YES here first, then NO here. */
export function pairOf(
  kalshi: Side,
  poly: Side,
  {
    kalshiMarket = {},
    polyMarket = {},
  }: { kalshiMarket?: Partial<GameMarket>; polyMarket?: Partial<GameMarket> } = {},
): readonly [Combination, Combination] {
  const here = view(market('kalshi', kalshiMarket), kalshi)
  const there = view(market('poly', polyMarket), poly)
  const [yes, no] = combinations(liveGame(), here, there)
  return [yes!, no!]
}

/** YES of HOU at 0.45 on Kalshi, and bid at 0.50 on Polymarket: NO there costs 0.50, five cents gross. */
export const arbitrage = (): Combination =>
  pairOf({ bids: [[4400, 5000]], asks: [[4500, 5000]] }, { bids: [[5000, 4000]], asks: [[5100, 4000]] })[0]

/** The Kalshi and the Polymarket side of a cross-venue combination. */
export function sides({ legs }: Combination): { readonly kalshi: MarketView; readonly poly: MarketView } {
  return { kalshi: legs[0]!.of, poly: legs[1]!.of }
}

/** YES, then NO, of all three outcomes of a game: both teams at Kalshi, the draw at Polymarket, 20 of each. */
export function baskets(): readonly Combination[] {
  const rules = { ...ALIKE, overtime: 'excluded', tie: 'no', canceled: 'unknown' } as const
  const three = (venue: 'kalshi' | 'poly', selection: string, bidE4: number, askE4: number) =>
    view(market(venue, { kind: 'three_way', marketId: selection, selection, settlement: rules }), {
      bids: [[bidE4, 2000]],
      asks: [[askE4, 2000]],
    })
  return combinations(
    liveGame(),
    three('kalshi', 'UTAH', 3600, 3000),
    three('kalshi', 'HOU', 3600, 3000),
    three('poly', 'draw', 3800, 2800),
  )
}
