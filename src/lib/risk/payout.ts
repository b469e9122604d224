/** Whether a plan is sure to pay what its signal says, by what exec itself knows of the markets. */

import type { GameMarket } from '../model/game.js'
import { worstPayout } from '../model/payout.js'
import type { Signal } from '../model/signal.js'
import type { DenialCode } from './limits.js'

export interface PayoutQuestion {
  readonly signal: Signal
  /** The market of each leg; undefined where nobody told us. */
  readonly markets: readonly (GameMarket | undefined)[]
  /** The codes of the game's teams. */
  readonly teams: readonly [string, string] | undefined
  /** Real money: what no venue says is not bet on. */
  readonly isRealMoney: boolean
}

/** Undefined when nothing stands against it. What somebody typed promises nothing. */
export function payoutDenial({
  signal,
  markets,
  teams,
  isRealMoney,
}: PayoutQuestion): DenialCode | undefined {
  if (signal.kind === 'manual') return undefined
  const legs = signal.legs.flatMap(({ outcome }, index) => {
    const market = markets[index]
    return market === undefined ? [] : [{ ...market, outcome }]
  })
  if (teams === undefined || legs.length < signal.legs.length) return 'UNKNOWN_MARKET'
  const { micros, unknown } = worstPayout(legs, teams)
  if (signal.worstPayoutMicros > (micros * signal.sizeE2) / 100) return 'PAYOUT_OVERSTATED'
  return isRealMoney && unknown.length > 0 ? 'SETTLEMENT_UNKNOWN' : undefined
}
