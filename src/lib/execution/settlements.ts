/**
 * Fills that a venue settles after the match: provisional until it confirms them, and until then it may give them up.
 * Each is followed to its end, by the next life of exec where this one stops before.
 */

import { setMaxListeners } from 'node:events'
import { sleep } from '../core/backoff.js'
import { messageOf } from '../core/errors.js'
import type { FillSettlement } from '../venues/ports.js'
import type { Execution } from './execution.js'
import { voidFill } from './money.js'
import type { Fill } from './money.js'
import { tryAppend } from './record.js'

export interface ProvisionalFill extends Fill {
  readonly venueTradeIds: readonly string[]
  /** What is known to be given up of it, contracts x 10^6. */
  readonly voidedE6: number
}

/** A fill that is not final by then is told to the operator, once. */
const PATIENCE_MS = 10 * 60_000

export class Settlements {
  private readonly following = new Set<Promise<void>>()
  private readonly leaving = new AbortController()

  constructor(private readonly execution: Execution) {
    // Every fill that is followed listens to it.
    setMaxListeners(0, this.leaving.signal)
  }

  /** Does nothing where the venue's fills are final at once, and after `leave`: the ledger has what is open. */
  follow(fill: ProvisionalFill): void {
    const { gateways, listener } = this.execution
    const { request } = fill.prepared
    if (gateways[request.venue].settlement === undefined || this.leaving.signal.aborted) return
    const followed = this.untilFinal(fill)
      .catch((error: unknown) => listener.onAlarm(`settlement of ${request.orderId}: ${messageOf(error)}`))
      .finally(() => this.following.delete(followed))
    this.following.add(followed)
  }

  /** Stops following; returns when no question is open any more. */
  async leave(): Promise<void> {
    this.leaving.abort()
    while (this.following.size > 0) await Promise.allSettled(this.following)
  }

  private async untilFinal(fill: ProvisionalFill): Promise<void> {
    const { clock, listener, timing } = this.execution
    const { signalId, orderId } = fill.prepared.request
    const startedUs = clock.monoUs()
    let { voidedE6 } = fill
    let told = false
    for (let asked = 0; ; asked++) {
      const pauseMs = timing.settlementAskMs[Math.min(asked, timing.settlementAskMs.length - 1)] ?? 0
      if ((await sleep(pauseMs, this.leaving.signal)) === 'aborted') return
      const now = await this.ask(fill)
      if (now !== undefined && now.voidedE6 > voidedE6) {
        voidFill(this.execution, fill, now.voidedE6)
        voidedE6 = now.voidedE6
      }
      if (now?.isFinal === true) {
        const { confirmedE6 } = now
        tryAppend(this.execution, 'settled', { signalId, orderId }, { confirmedE6, voidedE6 })
        return
      }
      if (told || clock.monoUs() - startedUs < PATIENCE_MS * 1000) continue
      told = true
      listener.onAlarm(
        `a fill of order ${orderId} is not confirmed after ${PATIENCE_MS / 60_000} minutes: it may yet be given up`,
      )
    }
  }

  /** Undefined where the venue cannot tell just now. */
  private async ask({ prepared, venueTradeIds }: ProvisionalFill): Promise<FillSettlement | undefined> {
    try {
      return await this.execution.gateways[prepared.request.venue].settlement?.(prepared, venueTradeIds)
    } catch {
      return undefined
    }
  }
}
