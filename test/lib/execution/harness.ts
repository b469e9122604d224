/** Execution as exec wires it, with a real ledger, real HTTP venues and a listener that remembers. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../../src/lib/core/clock.js'
import type { Execution } from '../../../src/lib/execution/execution.js'
import { Ledger } from '../../../src/lib/execution/ledger.js'
import { OrderRunner } from '../../../src/lib/execution/order-runner.js'
import type {
  ExecutionListener,
  ExecutionTiming,
  OrderUpdate,
  Plan,
  TradeUpdate,
} from '../../../src/lib/execution/plan.js'
import { PlanRunner } from '../../../src/lib/execution/plan-runner.js'
import type { GameMarket } from '../../../src/lib/model/game.js'
import type { Signal } from '../../../src/lib/model/signal.js'
import type { DenialCode, Limits } from '../../../src/lib/risk/limits.js'
import { RiskBook } from '../../../src/lib/risk/risk-book.js'
import type { OrderGateway } from '../../../src/lib/venues/ports.js'
import { kalshiMarket, polyMarket, signal as signalOf } from '../risk/samples.js'
import { HttpGateway } from './http-gateway.js'

const LIMITS: Limits = { orderMicros: 200e6, gameMicros: 1000e6, totalMicros: 5000e6 }

/** The waits of execution, scaled. */
const FAST: ExecutionTiming = {
  delayedPollMs: 10,
  delayedLimitMs: 300,
  unknownAtMs: [10, 30, 60, 100, 150],
  unknownEveryMs: 60_000,
  retryAfterMs: [5, 10],
  reportAtMs: [1, 10, 30, 60],
  settlementAskMs: [10],
}

class RecordingListener implements ExecutionListener {
  readonly orders: OrderUpdate[] = []
  readonly trades: TradeUpdate[] = []
  readonly counts: Record<string, number> = {}
  readonly alarms: string[] = []

  onOrder(update: OrderUpdate): void {
    this.orders.push(update)
  }

  onTrade(update: TradeUpdate): void {
    this.trades.push(update)
  }

  onCount(name: string, reason?: string): void {
    const key = reason === undefined ? name : `${name}:${reason}`
    this.counts[key] = (this.counts[key] ?? 0) + 1
  }

  onBytes(): void {}

  onAlarm(text: string): void {
    this.alarms.push(text)
  }

  /** `leg.attempt state` of every update, in order. */
  get states(): string[] {
    return this.orders.map(({ request, state }) => `${request.leg}.${request.attempt} ${state}`)
  }
}

export interface HarnessOptions {
  readonly url: string
  readonly dataDir?: string
  readonly limits?: Limits
  readonly timing?: Partial<ExecutionTiming>
  readonly gateways?: Partial<Record<'kalshi' | 'poly', OrderGateway>>
}

export class Harness {
  readonly dataDir: string
  readonly listener = new RecordingListener()
  readonly cut = new AbortController()
  readonly ledger: Ledger
  readonly execution: Execution
  readonly orders: OrderRunner
  readonly plans: PlanRunner
  /** What `entryBlock` says, call by call; the last one stays. */
  blocks: (DenialCode | undefined)[] = [undefined]
  /** What `hedgeBlock` says. */
  hedgeBlock: DenialCode | undefined
  /** Runs between a signal's record and its plan. */
  afterSeen = (): void => undefined

  constructor({ url, dataDir, limits = LIMITS, timing = {}, gateways = {} }: HarnessOptions) {
    this.dataDir = dataDir ?? mkdtempSync(join(tmpdir(), 'arbees-execution-'))
    this.ledger = Ledger.open({ dataDir: this.dataDir, env: 'sim', mode: 'live', clock: systemClock })
    this.execution = {
      env: 'sim',
      mode: 'live',
      gateways: { kalshi: new HttpGateway('kalshi', url), poly: new HttpGateway('poly', url), ...gateways },
      ledger: this.ledger,
      risk: new RiskBook(limits),
      clock: systemClock,
      timing: { ...FAST, ...timing },
      listener: this.listener,
      cut: this.cut.signal,
      hedgeBlock: () => this.hedgeBlock,
      entryBlock: () => (this.blocks.length > 1 ? this.blocks.shift() : this.blocks[0]),
    }
    this.orders = new OrderRunner(this.execution)
    this.plans = new PlanRunner(this.execution, this.orders)
  }

  /** Approves a plan as exec does, and starts it. */
  start(signal: Signal = signalOf(), more: Partial<Plan> & { markets?: GameMarket[] } = {}): void {
    const markets = more.markets ?? [polyMarket(), kalshiMarket()]
    const plan: Plan = {
      signal,
      markets,
      signalMs: 1_769_500_000_000,
      ageMs: () => 1,
      checks: [],
      gameId: signal.gameId,
      marketIds: signal.legs.map(({ marketId }) => marketId),
      trace: 'kalshi.prices/1/1',
      stamps: { recv: 1 },
      ...more,
    }
    this.ledger.see(
      { signalId: signal.id, gameId: plan.gameId },
      { signal, signalMs: plan.signalMs, trace: plan.trace },
    )
    this.afterSeen()
    const decision = this.execution.risk.openPlan({ signal, markets, ageMs: 1 })
    if (decision.kind === 'denied') throw new Error(`denied: ${decision.code}`)
    this.plans.start(plan)
  }

  /** Starts a plan and waits until it and the money of its fills have ended. */
  async run(signal?: Signal, more?: Partial<Plan> & { markets?: GameMarket[] }): Promise<void> {
    this.start(signal, more)
    await this.settled()
  }

  async settled(): Promise<void> {
    await this.plans.idle()
    await this.orders.settled()
  }

  close({ keep = false } = {}): void {
    void this.orders.later.leave()
    for (const gateway of Object.values(this.execution.gateways)) void gateway.close()
    this.ledger.close()
    if (!keep) rmSync(this.dataDir, { recursive: true, force: true })
  }
}
