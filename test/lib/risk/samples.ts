/** Markets, signals and orders of one game, to be varied by tests. */

import type { GameMarket } from '../../../src/lib/model/game.js'
import { orderIdOf } from '../../../src/lib/model/order.js'
import type { OrderRequest } from '../../../src/lib/model/order.js'
import type { Signal, StrategySignal } from '../../../src/lib/model/signal.js'

export const GAME_ID = '401584847'

export const kalshiMarket = (more: Partial<GameMarket> = {}): GameMarket => ({
  venue: 'kalshi',
  marketId: 'KXNBAGAME-26JAN15MIABOS-MIA',
  kind: 'moneyline',
  selection: 'MIA',
  tickE4: 100,
  sizeStepE2: 1,
  minSizeE2: 1,
  fees: { ratePpm: 70_000, roundUpToMicros: 100 },
  takerDelayMs: 0,
  ...more,
})

export const polyMarket = (more: Partial<GameMarket> = {}): GameMarket => ({
  venue: 'poly',
  marketId: '0xabc',
  kind: 'moneyline',
  selection: 'MIA',
  tickE4: 100,
  sizeStepE2: 1,
  minSizeE2: 500,
  fees: { ratePpm: 50_000, roundUpToMicros: 10 },
  takerDelayMs: 20,
  tokenIds: ['1', '2'],
  negRisk: false,
  ...more,
})

/** Buys NO at Polymarket, then YES at Kalshi: 20 contracts that pay a dollar each and cost 90 cents. */
export function signal(more: Partial<StrategySignal> = {}): StrategySignal {
  const sizeE2 = more.sizeE2 ?? 2000
  return {
    id: 'signal-1',
    kind: 'cross-venue',
    gameId: GAME_ID,
    pair: 'KXNBAGAME-26JAN15MIABOS-MIA:yes 0xabc:no',
    legs: [
      { venue: 'poly', marketId: '0xabc', outcome: 'no', side: 'buy', limitE4: 4300, sizeE2 },
      {
        venue: 'kalshi',
        marketId: 'KXNBAGAME-26JAN15MIABOS-MIA',
        outcome: 'yes',
        side: 'buy',
        limitE4: 4700,
        sizeE2,
      },
    ],
    sizeE2,
    grossEdgeMicros: 2_000_000,
    feesMicros: 600_000,
    netEdgeMicros: 1_400_000,
    worstPayoutMicros: 20_000_000,
    inputs: [],
    validMs: 1500,
    ...more,
  }
}

export function orderOf(plan: Signal, leg: number, more: Partial<OrderRequest> = {}): OrderRequest {
  const { venue, marketId, outcome, side, limitE4, sizeE2 } = plan.legs[leg]!
  const attempt = more.attempt ?? 0
  const account = 'test'
  return {
    orderId: orderIdOf({ env: 'sim', mode: 'live', account, signalId: plan.id, leg, attempt }),
    signalId: plan.id,
    leg,
    attempt,
    venue,
    marketId,
    outcome,
    side,
    limitE4,
    sizeE2,
    signalMs: 1_769_500_000_000,
    ...more,
  }
}
