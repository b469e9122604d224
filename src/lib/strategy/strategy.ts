/**
 * From the combinations that one price touches to the signals it causes. Pure but for what it remembers of its own
 * signals: time and identity are arguments, so the same messages give the same signals, byte for byte.
 */

import { hashId } from '../core/ids.js'
import type { SignalInput, StrategySignal } from '../model/signal.js'
import type { BookView, MessageRef } from './book-view.js'
import type { Combination } from './combination.js'
import { GATES, closedGate } from './gates.js'
import type { Gate, GateReason } from './gates.js'
import { delayMs, planOf } from './plan.js'
import type { NoPlanReason, Plan, StrategyLimits } from './plan.js'
import { Rearm } from './rearm.js'

/**
 * Why an evaluation made no signal. `held`: signaled already. `outbid`: the same trigger found a better use.
 * `other_shard`: another shard signals it, or may have. `no_lease`: whose it is is not known yet.
 */
export type NoSignalReason = GateReason | NoPlanReason | 'held' | 'outbid' | 'other_shard' | 'no_lease'

export interface StrategySettings extends StrategyLimits {
  /** How long a signal may open, ms. */
  readonly validMs: number
  readonly gates?: readonly Gate[]
}

/** Time for the legs themselves, beyond validity and the venues' delay, before a plan is over for sure, ms. */
const EXECUTION_MS = 1_000

interface Candidate {
  readonly combination: Combination
  readonly plan: Plan
}

const NONE: readonly StrategySignal[] = []

export class Strategy {
  private readonly rearm = new Rearm()

  constructor(
    private readonly settings: StrategySettings,
    private readonly onNoSignal: (reason: NoSignalReason) => void,
  ) {}

  /**
   * `trigger` is the price message that touched these combinations, `nowUs` the monotonic time of the decision. Of plans
   * that would take the same offer the one with the best net edge is signaled.
   */
  evaluate(
    combinations: readonly Combination[],
    trigger: MessageRef,
    nowUs: number,
  ): readonly StrategySignal[] {
    const candidates: Candidate[] = []
    for (const combination of combinations) {
      const closed = closedGate(combination, nowUs, this.settings.gates ?? GATES)
      if (closed !== undefined) {
        this.onNoSignal(closed)
        continue
      }
      const plan = this.plan(combination)
      if (plan !== undefined) candidates.push({ combination, plan })
    }
    if (candidates.length === 0) return NONE
    // Only now, when what is gone has let go of its offers.
    const free = candidates.filter((candidate) => this.isFree(candidate, nowUs))
    return this.bestApart(free).map((candidate) => this.signal(candidate, trigger, nowUs))
  }

  /**
   * Takes what it finds as signaled by somebody else: it is held as if this shard had sent it, for as long as it is
   * seen and the time of a plan behind that. Returns those that could be believed.
   */
  observe(combinations: readonly Combination[], nowUs: number): readonly Combination[] {
    const believed: Combination[] = []
    const candidates: Candidate[] = []
    for (const combination of combinations) {
      if (closedGate(combination, nowUs, this.settings.gates ?? GATES) !== undefined) continue
      believed.push(combination)
      const plan = planOf(combination, this.settings)
      if (typeof plan === 'string') this.rearm.release(combination)
      else if (this.rearm.allows(combination, plan.topEdgeMicros, nowUs))
        candidates.push({ combination, plan })
      else this.rearm.extend(combination, this.overUs(combination, nowUs))
    }
    for (const { combination, plan } of this.bestApart(candidates)) {
      this.rearm.hold(combination, plan.topEdgeMicros, this.overUs(combination, nowUs))
      this.onNoSignal('other_shard')
    }
    return believed
  }

  /** Forgets a combination that is no longer traded. */
  forget(combination: Combination): void {
    this.rearm.forget(combination)
  }

  private plan(combination: Combination): Plan | undefined {
    const plan = planOf(combination, this.settings)
    if (typeof plan !== 'string') return plan
    this.rearm.release(combination)
    this.onNoSignal(plan)
    return undefined
  }

  private isFree({ combination, plan }: Candidate, nowUs: number): boolean {
    if (this.rearm.allows(combination, plan.topEdgeMicros, nowUs)) return true
    this.onNoSignal('held')
    return false
  }

  /** The best net edge first, each that takes no offer of one before it. */
  private bestApart(candidates: Candidate[]): Candidate[] {
    const taken = new Set<string>()
    return candidates.sort(better).filter(({ combination: { legs } }) => {
      if (legs.some(({ offer }) => taken.has(offer))) {
        this.onNoSignal('outbid')
        return false
      }
      for (const { offer } of legs) taken.add(offer)
      return true
    })
  }

  private signal({ combination, plan }: Candidate, trigger: MessageRef, nowUs: number): StrategySignal {
    const { key, kind, game, legs } = combination
    const { validMs } = this.settings
    this.rearm.hold(combination, plan.topEdgeMicros, this.overUs(combination, nowUs))
    return {
      id: signalId(key, trigger),
      kind,
      gameId: game.gameId,
      pair: key,
      legs: plan.legs,
      sizeE2: plan.sizeE2,
      grossEdgeMicros: plan.grossEdgeMicros,
      feesMicros: plan.feesMicros,
      netEdgeMicros: plan.netEdgeMicros,
      worstPayoutMicros: plan.worstPayoutMicros,
      inputs: legs.flatMap(({ of }) => inputsOf(of.book, nowUs)),
      validMs,
    }
  }

  /** When a plan that is signaled now is over for sure. */
  private overUs(combination: Combination, nowUs: number): number {
    return nowUs + (this.settings.validMs + delayMs(combination) + EXECUTION_MS) * 1000
  }
}

/** Signal id = hash(pair and orientation, trigger's source, epoch, seq): the same decision is the same signal. */
export function signalId(key: string, { source, epoch, seq }: Readonly<MessageRef>): string {
  return hashId(['arbees:signal:v1', key, source, epoch, seq])
}

function better(one: Candidate, two: Candidate): number {
  const edge = two.plan.netEdgeMicros - one.plan.netEdgeMicros
  return edge === 0 ? (one.combination.key < two.combination.key ? -1 : 1) : edge
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
