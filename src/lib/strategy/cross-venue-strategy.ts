/**
 * From the pairs that one price touches to the signals it causes. Pure but for what it remembers of its own signals:
 * time and identity are arguments, so the same messages give the same signals, byte for byte.
 */

import { hashId } from '../core/ids.js'
import type { SignalInput, StrategySignal } from '../model/signal.js'
import type { BookView, MessageRef } from './book-view.js'
import { planOf } from './cross-venue.js'
import type { NoPlanReason, Plan, StrategyLimits } from './cross-venue.js'
import { GATES, closedGate } from './gates.js'
import type { Gate, GateReason } from './gates.js'
import type { MarketPair, Orientation } from './market-pair.js'
import { Rearm } from './rearm.js'

/** Why an evaluation made no signal. `held`: signaled already. `outbid`: the same trigger found a better use. */
export type NoSignalReason = GateReason | NoPlanReason | 'held' | 'outbid'

export interface StrategySettings extends StrategyLimits {
  /** How long a signal may open, ms. */
  readonly validMs: number
  readonly gates?: readonly Gate[]
}

/** Time for the legs themselves, beyond validity and the venues' delay, before a plan is over for sure, ms. */
const EXECUTION_MS = 1_000

interface Candidate {
  readonly pair: MarketPair
  readonly orientation: Orientation
  readonly plan: Plan
}

const NONE: readonly StrategySignal[] = []

export class CrossVenueStrategy {
  private readonly rearm = new Rearm()

  constructor(
    private readonly settings: StrategySettings,
    private readonly onNoSignal: (reason: NoSignalReason) => void,
  ) {}

  /**
   * Evaluates pairs in both orientations. `trigger` is the price message that touched them, `nowUs` the monotonic time
   * of the decision. Plans of one trigger that would take the same Polymarket offer exclude each other: the better
   * net edge wins.
   */
  evaluate(pairs: readonly MarketPair[], trigger: MessageRef, nowUs: number): readonly StrategySignal[] {
    let bestYes: Candidate | undefined
    let bestNo: Candidate | undefined
    for (const pair of pairs) {
      const closed = closedGate(pair, nowUs, this.settings.gates ?? GATES)
      if (closed !== undefined) {
        this.onNoSignal(closed)
        continue
      }
      for (const orientation of pair.orientations) {
        const plan = this.plan(pair, orientation, nowUs)
        if (plan === undefined) continue
        const candidate = { pair, orientation, plan }
        if (orientation.poly === 'yes') bestYes = this.better(bestYes, candidate)
        else bestNo = this.better(bestNo, candidate)
      }
    }
    if (bestYes === undefined && bestNo === undefined) return NONE
    return [bestYes, bestNo]
      .filter((candidate) => candidate !== undefined)
      .map((candidate) => this.signal(candidate, trigger, nowUs))
  }

  /** Forgets a pair that is no longer traded. */
  forget(pair: MarketPair): void {
    for (const { key } of pair.orientations) this.rearm.release(key)
  }

  private plan(pair: MarketPair, orientation: Orientation, nowUs: number): Plan | undefined {
    const plan = planOf(pair, orientation, this.settings)
    if (typeof plan === 'string') {
      this.rearm.release(orientation.key)
      this.onNoSignal(plan)
      return undefined
    }
    if (!this.rearm.allows(orientation.key, plan.topEdgeMicros, nowUs)) {
      this.onNoSignal('held')
      return undefined
    }
    return plan
  }

  private better(best: Candidate | undefined, candidate: Candidate): Candidate {
    if (best === undefined) return candidate
    this.onNoSignal('outbid')
    const edge = candidate.plan.netEdgeMicros - best.plan.netEdgeMicros
    return edge > 0 || (edge === 0 && candidate.orientation.key < best.orientation.key) ? candidate : best
  }

  private signal({ pair, orientation, plan }: Candidate, trigger: MessageRef, nowUs: number): StrategySignal {
    const { key } = orientation
    const { validMs } = this.settings
    const delayMs = pair.kalshi.market.takerDelayMs + pair.poly.market.takerDelayMs
    this.rearm.hold(key, plan.topEdgeMicros, nowUs + (validMs + delayMs + EXECUTION_MS) * 1000)
    return {
      id: signalId(key, trigger),
      kind: 'cross-venue',
      gameId: pair.game.gameId,
      pair: key,
      legs: plan.legs,
      sizeE2: plan.sizeE2,
      grossEdgeMicros: plan.grossEdgeMicros,
      feesMicros: plan.feesMicros,
      netEdgeMicros: plan.netEdgeMicros,
      worstPayoutMicros: plan.worstPayoutMicros,
      inputs: [...inputsOf(pair.kalshi.book, nowUs), ...inputsOf(pair.poly.book, nowUs)],
      validMs,
    }
  }
}

/** Signal id = hash(pair and orientation, trigger's source, epoch, seq): the same decision is the same signal. */
export function signalId(key: string, { source, epoch, seq }: Readonly<MessageRef>): string {
  return hashId(['arbees:signal:v1', key, source, epoch, seq])
}

/** The quote and the book that a leg was decided on. */
function inputsOf(book: BookView, nowUs: number): SignalInput[] {
  const ageUs = Math.max(0, Math.round(nowUs - book.provedUs))
  return [book.quoteMessage, book.bookMessage].map(({ source, epoch, seq }) => ({
    source,
    epoch,
    seq,
    ageUs,
  }))
}
