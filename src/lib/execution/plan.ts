/** A plan under way, and what is told about it. */

import type { GameMarket } from '../model/game.js'
import type { OrderRequest, OrderState, TradeStatus } from '../model/order.js'
import type { Signal } from '../model/signal.js'
import type { Check } from '../risk/limits.js'

/** What the orders of a plan share. */
export interface PlanContext {
  readonly gameId: string
  readonly marketIds: readonly string[]
  /** What the messages about this plan carry on. */
  readonly trace: string
  readonly stamps: PlanStamps
}

export interface Plan extends PlanContext {
  readonly signal: Signal
  /** The market of each leg. */
  readonly markets: readonly GameMarket[]
  /** When the signal was taken, Unix ms, the shard's clock: part of what makes the same leg the same order. */
  readonly signalMs: number
  /** Time since the decision, ms; asked again right before the opening leg is sent. */
  readonly ageMs: () => number
  /** The limits that it was approved under. */
  readonly checks: readonly Check[]
}

/** Host-monotonic microseconds of the hops before; `order` is added when the bytes are written. */
export type PlanStamps = Readonly<Record<string, number>>

/** A change of an order's state. */
export interface OrderUpdate {
  readonly request: OrderRequest
  readonly state: OrderState
  readonly trace: string
  readonly stamps: PlanStamps
  readonly reason?: string
  readonly checks?: readonly Check[]
  readonly venueOrderId?: string
}

/** What became of an order, with the venue's own money. */
export interface TradeUpdate {
  readonly request: OrderRequest
  readonly status: TradeStatus
  readonly filledE6: number
  readonly cashMicros: number
  readonly feesMicros: number
  readonly venueTradeIds: readonly string[]
  /** From the bytes to the outcome, ms; 0 when exec was restarted in between. */
  readonly latencyMs: number
  readonly trace: string
  readonly stamps: PlanStamps
}

/** Told about everything that happens to orders; called off the path from signal to bytes. */
export interface ExecutionListener {
  onOrder(update: OrderUpdate): void
  onTrade(update: TradeUpdate): void
  /** Something to count: `orders`, `fills`, `rejected:<code>`, `unknown`, `naked`, `dust`. */
  onCount(name: string, reason?: string): void
  /** The bytes of an order were written; `stamps.order` says when. */
  onBytes(request: OrderRequest, stamps: PlanStamps): void
  /** A line for the operator. */
  onAlarm(text: string): void
}

/** Waits of execution, ms; tests scale them. */
export interface ExecutionTiming {
  /** A delayed order is asked after so often, for so long. */
  readonly delayedPollMs: number
  readonly delayedLimitMs: number
  /** An unknown order is asked after at these times since it became unknown. */
  readonly unknownAtMs: readonly number[]
  /** Then every so often, beside its plan. */
  readonly unknownEveryMs: number
  /** Pause before each further attempt at a leg: an empty book needs a moment to fill. */
  readonly retryAfterMs: readonly number[]
  /** The money of a fill is asked for at these times since the outcome. */
  readonly reportAtMs: readonly number[]
  /** Pauses before each question whether a fill is final; the last one stays. */
  readonly settlementAskMs: readonly number[]
}

export const EXECUTION_TIMING: ExecutionTiming = {
  delayedPollMs: 100,
  delayedLimitMs: 10_000,
  unknownAtMs: [250, 1_000, 3_000, 10_000, 30_000],
  unknownEveryMs: 30_000,
  retryAfterMs: [100, 300],
  reportAtMs: [50, 150, 300, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000],
  // A block of the venue's chain takes 2 s, and a few confirm it.
  settlementAskMs: [2_000, 2_000, 2_000, 4_000, 5_000, 5_000, 10_000, 30_000],
}
