/** How a plan ends: hedged, or closed to entries with what it could not hedge. */

import type { GameMarket } from '../model/game.js'
import type { Signal } from '../model/signal.js'
import type { Execution } from './execution.js'
import { tryAppend } from './record.js'
import { unhedged } from './sizes.js'
import type { LegFill } from './sizes.js'

export interface EndedPlan {
  readonly signal: Signal
  readonly gameId: string
  readonly marketIds: readonly string[]
  /** The markets that are known: their steps say what could have been hedged. */
  readonly markets: readonly GameMarket[]
  /** By leg. */
  readonly fills: readonly LegFill[]
}

/** Records the end and, when the legs differ or one is unknown, closes the pair to entries. */
export function endPlan(execution: Execution, plan: EndedPlan): void {
  const { listener, risk } = execution
  const { signal, gameId, marketIds, markets, fills } = plan
  const subject = { signalId: signal.id, gameId }
  const { kind, unhedgedE6 } = unhedged(signal.legs, markets, fills)
  const filledE6 = fills.map((fill) => fill.filledE6)
  if (kind === 'naked' || kind === 'unknown') {
    tryAppend(execution, 'naked', subject, { reason: kind, filledE6, unhedgedE6 })
    risk.quarantinePair(marketIds, gameId)
    if (kind === 'naked') listener.onCount('naked')
    const what = kind === 'naked' ? `${unhedgedE6 / 1e6} contracts unhedged` : 'an order that stays unknown'
    listener.onAlarm(`plan ${signal.id} ends with ${what}: ${marketIds.join(' and ')} take no new entry`)
  } else if (kind === 'dust') {
    listener.onCount('dust')
  }
  tryAppend(execution, 'done', subject, { filledE6 })
  risk.finishPlan(signal.id)
}
