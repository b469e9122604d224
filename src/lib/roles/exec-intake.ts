/**
 * From a signal to its opening order, without an await: seen on record, judged by risk, started. Every signal ends on
 * record as denied, stale, duplicate or a plan.
 */

import type { Gap } from '../bus/gap.js'
import type { Received } from '../bus/subscriber.js'
import { messageOf } from '../core/errors.js'
import { hostId } from '../core/ids.js'
import type { Execution } from '../execution/execution.js'
import { orderRequestOf } from '../execution/order-request.js'
import type { SeenDetail } from '../execution/ledger-history.js'
import type { PlanStamps } from '../execution/plan.js'
import type { PlanRunner } from '../execution/plan-runner.js'
import { tryAppend, tryAppendOnce } from '../execution/record.js'
import { signalOf } from '../messages/convert.js'
import { wrongSeal } from '../messages/signal-seal.js'
import type { Header } from '../messages/payloads.js'
import type { PlannedOrder, VenueDenial } from '../model/admission.js'
import type { GameMarket } from '../model/game.js'
import type { OrderState } from '../model/order.js'
import type { Signal } from '../model/signal.js'
import type { Check, DenialCode } from '../risk/limits.js'
import { payoutDenial } from '../risk/payout.js'
import type { Histogram } from '../telemetry/histogram.js'
import type { ExecMarkets } from './exec-markets.js'
import type { RoleContext } from './role.js'

/** A signal with what its envelope says, or a manual order. */
export interface Arrival extends SeenDetail {
  readonly ageMs: () => number
  readonly stamps: PlanStamps
}

export class ExecIntake {
  private readonly host = hostId()

  constructor(
    private readonly context: RoleContext,
    private readonly execution: Execution,
    private readonly plans: PlanRunner,
    private readonly markets: ExecMarkets,
    /** From the shard's publish to here, signals of this host. */
    private readonly shardExec: Histogram,
    /** What every signal must be sealed with; undefined where signals are not sealed. */
    private readonly signalKey?: Buffer,
  ) {}

  onMessage({ message, recvUs, isLate }: Received): void {
    if (message.family !== 'signals') return
    const { header, payload, topic } = message
    const { counters } = this.context
    const broken = this.signalKey === undefined ? undefined : wrongSeal(this.signalKey, header, payload)
    if (broken !== undefined) {
      counters.add('bad_hmac', broken)
      if (counters.total('bad_hmac') === 1)
        this.context.log.error(`a signal of ${header.source} is not taken: its seal is ${broken}`)
      return
    }
    counters.add('signals')
    const signal = topic.id === payload.id ? signalOf(payload) : undefined
    if (signal === undefined) {
      counters.add('parse_errors', topic.id === payload.id ? 'bad_price_or_size' : 'topic_payload_differ')
      return
    }
    this.take(this.arrivalOf(signal, header, recvUs, isLate === true))
  }

  /** Signals that never came: on record, so that nobody looks for them again. */
  onGap({ source, epoch, from, to, reason }: Gap): void {
    const { execution } = this
    if (execution.ledger.broken !== undefined) return
    const at = { source, epoch, seq: to ?? from - 1 }
    tryAppendOnce(execution, 'gap', {}, { at, from, to, reason })
  }

  /** From here on a manual order is a plan like any other. Throws `LEDGER_FAILED` when it cannot tell what a sale may take. */
  take(arrival: Arrival): void {
    const { execution, markets } = this
    const { signal } = arrival
    const seen = this.see(arrival)
    if (seen !== 'new') {
      if (seen === 'duplicate') this.turnAway(arrival, 'duplicate', 'seen before', [])
      else this.turnAway(arrival, 'denied', seen, [])
      return
    }
    const legMarkets = signal.legs.map((leg) => markets.marketOf(leg, signal.gameId))
    const blocked = execution.entryBlock() ?? this.payoutDenial(signal, legMarkets)
    const decision = execution.risk.openPlan({
      signal,
      markets: legMarkets,
      ageMs: arrival.ageMs(),
      blocked,
      ...this.heldFor(signal),
      admit: (orders) => admission(execution, orders),
    })
    if (decision.kind === 'denied') {
      this.turnAway(arrival, decision.code === 'EXPIRED' ? 'stale' : 'denied', decision.code, decision.checks)
      return
    }
    this.context.counters.add('plans')
    this.plans.start({
      signal,
      markets: legMarkets.filter((market) => market !== undefined),
      signalMs: arrival.signalMs,
      ageMs: arrival.ageMs,
      checks: decision.checks,
      gameId: signal.gameId,
      marketIds: signal.legs.map(({ marketId }) => marketId),
      trace: arrival.trace,
      stamps: arrival.stamps,
    })
  }

  /** The ledger's index is the only dedupe. Without a ledger nothing is taken. */
  private see({ signal, signalMs, trace, by, at }: Arrival): 'new' | 'duplicate' | DenialCode {
    const detail: SeenDetail = {
      ...{ signal, signalMs, trace },
      ...(by === undefined ? {} : { by }),
      ...(at === undefined ? {} : { at }),
    }
    try {
      return this.execution.ledger.see({ signalId: signal.id, gameId: signal.gameId }, detail)
    } catch (error) {
      this.execution.listener.onAlarm(`signal ${signal.id} is not taken: ${messageOf(error)}`)
      return 'LEDGER_FAILED'
    }
  }

  private payoutDenial(signal: Signal, markets: readonly (GameMarket | undefined)[]): DenialCode | undefined {
    const { env, mode } = this.execution
    const [leg] = signal.legs
    const teams = leg === undefined ? undefined : this.markets.teamsOf(leg)
    return payoutDenial({ signal, markets, teams, isRealMoney: mode === 'live' && env !== 'sim' })
  }

  /** What the leg of a sale may take at most. */
  private heldFor({ kind, legs, gameId }: Signal): { readonly heldE6?: number } {
    const [leg] = legs
    if (kind !== 'manual' || leg?.side !== 'sell') return {}
    const { gateways, ledger } = this.execution
    const mustSettle = gateways[leg.venue].settlement !== undefined
    return { heldE6: ledger.heldE6({ ...leg, gameId, mustSettle }) }
  }

  private turnAway(
    arrival: Arrival,
    state: Extract<OrderState, 'denied' | 'stale' | 'duplicate'>,
    reason: string,
    checks: readonly Check[],
  ): void {
    const { execution } = this
    const { signal, trace, stamps } = arrival
    const { counters } = this.context
    if (state === 'denied') counters.add('denied', reason)
    else counters.add(state === 'stale' ? 'stale' : 'duplicates')
    if (execution.ledger.broken === undefined) {
      tryAppend(execution, state, { signalId: signal.id, gameId: signal.gameId }, { code: reason, checks })
    }
    const sizeE2 = signal.legs[0]?.sizeE2 ?? 0
    const request = orderRequestOf(execution, arrival, { leg: 0, attempt: 0, sizeE2 })
    if (request === undefined) return
    execution.listener.onOrder({ request, state, reason, checks, trace, stamps })
  }

  private arrivalOf(signal: Signal, header: Header, recvUs: number, isLate: boolean): Arrival {
    const { clock } = this.context
    const { venue_ms, recv, pub, shard_in, shard_out } = header.stamps
    const sameHost = header.host === this.host
    if (sameHost && pub !== undefined && !isLate) this.shardExec.record(recvUs - pub)
    const monotonic = sameHost ? { recv, shard_in, shard_out } : {}
    const stamps: Record<string, number> = { exec_in: recvUs }
    for (const [name, value] of Object.entries({ venue_ms, ...monotonic })) {
      if (value !== undefined) stamps[name] = value
    }
    const decidedUs = sameHost ? shard_out : undefined
    const ageMs =
      decidedUs === undefined
        ? () => clock.nowMs() - header.timestamp_ms
        : () => (clock.monoUs() - decidedUs) / 1000
    const { source, epoch, seq, timestamp_ms: signalMs, trace } = header
    return { signal, signalMs, trace, at: { source, epoch, seq }, ageMs, stamps }
  }
}

/** What the venues of these orders have against them. */
function admission({ gateways }: Execution, orders: readonly PlannedOrder[]): VenueDenial | undefined {
  for (const gateway of Object.values(gateways)) {
    const own = orders.filter(({ market }) => market.venue === gateway.venue)
    const denial = own.length === 0 ? undefined : gateway.admit?.(own)
    if (denial !== undefined) return denial
  }
  return undefined
}
