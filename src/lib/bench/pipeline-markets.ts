/** The games of the pipeline benchmark: each a Kalshi market and a Polymarket condition on the same team. */

import { OrderBook } from '../model/order-book.js'
import type { CatalogMarket, GameMarket, GameState } from '../model/game.js'

const TEAMS = ['ATL', 'BKN', 'BOS', 'CHA', 'CHI', 'CLE', 'DAL', 'DEN'] as const
const TICK_E4 = 100
/** 10 contracts. */
const STEP_E2 = 100

export interface BenchGame {
  readonly kalshi: CatalogMarket
  readonly poly: CatalogMarket
  /** What the orchestrator says of it, as of `nowMs`. */
  stateAt(nowMs: number): GameState
}

/** The Polymarket book, which stands still: 50 bid, 52 asked. */
export function polyBook(): OrderBook {
  const book = new OrderBook()
  book.replace([[5_000, 10 * STEP_E2]], [[5_200, 10 * STEP_E2]])
  return book
}

export const BENCH_GAMES: readonly BenchGame[] = TEAMS.map((team, index) => {
  const opponent = TEAMS[(index + 1) % TEAMS.length] ?? team
  const terms = { tickE4: TICK_E4, sizeStepE2: STEP_E2, minSizeE2: STEP_E2, takerDelayMs: 0 }
  const kalshiTerms = {
    venue: 'kalshi' as const,
    marketId: `KXNBAGAME-26JAN15${team}${opponent}-${team}`,
    ...terms,
    fees: { ratePpm: 70_000, roundUpToMicros: 100 },
  }
  const polyTerms = {
    venue: 'poly' as const,
    marketId: `0x${String(index + 1).padStart(64, '0')}`,
    ...terms,
    fees: { ratePpm: 50_000, roundUpToMicros: 10 },
    tokenIds: [`${index}1`, `${index}2`] as const,
    negRisk: false,
  }
  const listing = {
    league: 'nba' as const,
    kind: 'moneyline' as const,
    eventId: `bench-${index}`,
    easternDate: '2026-01-15',
    teams: [team, opponent] as const,
    selection: team,
    title: `${team} at ${opponent}`,
  }
  const market = { kind: 'moneyline' as const, selection: team }
  const markets: readonly GameMarket[] = [
    { ...kalshiTerms, ...market },
    { ...polyTerms, ...market },
  ]
  return {
    kalshi: { ...kalshiTerms, ...listing },
    poly: { ...polyTerms, ...listing },
    stateAt: (nowMs) => ({
      league: 'nba',
      gameId: `4015848${index}0`,
      home: { code: opponent, name: opponent, score: 51 },
      away: { code: team, name: team, score: 50 },
      status: 'live',
      period: 2,
      clockS: 300,
      startMs: nowMs - 3_600_000,
      provider: 'bench',
      fetchedMs: nowMs,
      markets,
      shard: 0,
    }),
  }
})
