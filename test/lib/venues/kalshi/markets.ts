/** Markets as the catalog lists them, for tests. */

import type { CatalogMarket, GameMarket } from '../../../../src/lib/model/game.js'

const FEES = { ratePpm: 70_000, roundUpToMicros: 100 }

export function catalogMarket(marketId: string): CatalogMarket {
  return {
    venue: 'kalshi',
    marketId,
    league: 'nba',
    kind: 'moneyline',
    eventId: 'KXNBAGAME-26JUN13NYKSAS',
    easternDate: '2026-06-13',
    teams: ['NYK', 'SAS'],
    selection: 'NYK',
    title: 'Game 5: New York at San Antonio Winner?',
    tickE4: 100,
    sizeStepE2: 1,
    minSizeE2: 1,
    fees: FEES,
    takerDelayMs: 0,
  }
}

export function gameMarket(more: Partial<GameMarket> = {}): GameMarket {
  return {
    venue: 'kalshi',
    marketId: 'KXNBAGAME-26JUN13NYKSAS-NYK',
    kind: 'moneyline',
    selection: 'NY',
    tickE4: 100,
    sizeStepE2: 1,
    minSizeE2: 1,
    fees: FEES,
    takerDelayMs: 0,
    ...more,
  }
}
