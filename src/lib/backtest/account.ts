/**
 * Who trades on the recorded books with one latency: what of each plan would still have been there.
 *
 *   - An order arrives `latency` after the decision, plus the venue's own delay, and takes what the book shows then
 *     within its limit, whole steps, best price first. A book that is not believed gives nothing.
 *   - What it took is gone for later orders of this account, until that level is quoted with another size.
 *   - The next leg follows what every leg before it really filled, one latency for the news and one for the order, at
 *     its own limit, once.
 *   - What the legs differ by is sold at the bid `CLOSE_AFTER_MS` later, and is worth nothing where nobody bids.
 *
 * Time is the recorded shard's monotonic clock, us. No clock is read here.
 */

import { PaperDepth, moneyOf } from '../execution/paper-depth.js'
import type { DepthOrder, DisplayedBook } from '../execution/paper-depth.js'
import { E6_PER_E2, orderableE2 } from '../execution/sizes.js'
import type { GameMarket, League } from '../model/game.js'
import type { SignalLeg, StrategySignal } from '../model/signal.js'
import type { Capture } from './capture.js'
import { EventQueue } from './event-queue.js'

/** From the last leg's fill to the sale of what stayed unhedged. */
export const CLOSE_AFTER_MS = 5_000

/** A signal with all that its orders need. */
export interface Decision {
  readonly signal: StrategySignal
  readonly league: League
  /** By leg. */
  readonly markets: readonly GameMarket[]
}

export interface AccountOptions {
  readonly latencyMs: number
  /** The book as it is shown now. */
  readonly bookOf: (market: GameMarket) => DisplayedBook
  readonly captureOf: (league: League) => Capture
}

interface LegState {
  readonly leg: SignalLeg
  readonly market: GameMarket
  filledE2: number
  /** Cash and fees of what filled. */
  paidMicros: number
  soldE2: number
}

interface OpenPlan {
  readonly decision: Decision
  readonly legs: readonly LegState[]
  /** Proceeds of sales, less their fees. */
  proceedsMicros: number
  feesMicros: number
}

/** The order of a leg is there, or the time has come to sell what stayed unhedged. */
type Arrival = { readonly plan: OpenPlan } & (
  { readonly kind: 'order'; readonly at: number } | { readonly kind: 'close' }
)

const keyOf = ({ venue, marketId }: Pick<GameMarket, 'venue' | 'marketId'>): string => `${venue} ${marketId}`

export class Account {
  private readonly arrivals = new EventQueue<Arrival>()
  private readonly open = new Map<string, OpenPlan>()
  private readonly depths = new Map<string, PaperDepth>()

  constructor(private readonly options: AccountOptions) {}

  /** A plan is decided on: its opening order leaves. */
  take(decision: Decision, nowUs: number): void {
    const { signal, league, markets } = decision
    const capture = this.options.captureOf(league)
    capture.signals++
    if (this.open.has(signal.pair)) {
      capture.denied++
      return
    }
    const legs = signal.legs.flatMap((leg, at) => {
      const market = markets[at]
      return market === undefined ? [] : [{ leg, market, filledE2: 0, paidMicros: 0, soldE2: 0 }]
    })
    const plan: OpenPlan = { decision, legs, proceedsMicros: 0, feesMicros: 0 }
    this.open.set(signal.pair, plan)
    this.send(plan, 0, nowUs + this.options.latencyMs * 1000)
  }

  /** Everything that arrives before `nowUs` does. */
  advance(nowUs: number): void {
    for (let next = this.arrivals.takeBefore(nowUs); next; next = this.arrivals.takeBefore(nowUs)) {
      const { atUs, event } = next
      if (event.kind === 'close') this.close(event.plan)
      else this.fill(event.plan, event.at, atUs)
    }
  }

  /** The market's book is shown otherwise now. */
  see(market: Pick<GameMarket, 'venue' | 'marketId'>, shown: () => DisplayedBook): void {
    const depth = this.depths.get(keyOf(market))
    if (depth?.isUntouched === false) depth.see(shown())
  }

  /** The data end: what is under way stays so. */
  end(nowUs: number): void {
    this.advance(nowUs + 1)
    for (const { decision } of this.open.values()) this.options.captureOf(decision.league).inFlight++
    this.open.clear()
  }

  private send(plan: OpenPlan, at: number, sentUs: number): void {
    const delayMs = plan.legs[at]?.market.takerDelayMs ?? 0
    this.arrivals.add(sentUs + delayMs * 1000, { kind: 'order', plan, at })
  }

  private fill(plan: OpenPlan, at: number, atUs: number): void {
    const state = plan.legs[at]
    if (state === undefined) return
    const { leg, market } = state
    const { outcome, side, limitE4 } = leg
    const before = plan.legs.slice(0, at).map((each) => each.filledE2)
    const sizeE2 = at === 0 ? leg.sizeE2 : orderableE2(Math.min(...before) * E6_PER_E2, market)
    const { filledE2, cashMicros, feesMicros } = this.trade(market, { outcome, side, limitE4, sizeE2 })
    state.filledE2 = filledE2
    state.paidMicros = cashMicros + feesMicros
    plan.feesMicros += feesMicros
    if (at === 0 && filledE2 === 0) return this.finish(plan)
    if (at + 1 < plan.legs.length) return this.send(plan, at + 1, atUs + 2 * this.options.latencyMs * 1000)
    const hedgedE2 = hedgedE2Of(plan)
    if (plan.legs.every((each) => each.filledE2 === hedgedE2)) return this.finish(plan)
    this.arrivals.add(atUs + CLOSE_AFTER_MS * 1000, { kind: 'close', plan })
  }

  private close(plan: OpenPlan): void {
    const hedgedE2 = hedgedE2Of(plan)
    for (const state of plan.legs) {
      const { market, leg } = state
      const sizeE2 = orderableE2((state.filledE2 - hedgedE2) * E6_PER_E2, market)
      const sale: DepthOrder = { outcome: leg.outcome, side: 'sell', limitE4: 0, sizeE2 }
      const { filledE2, cashMicros, feesMicros } = this.trade(market, sale)
      state.soldE2 = filledE2
      plan.proceedsMicros += cashMicros - feesMicros
      plan.feesMicros += feesMicros
    }
    this.finish(plan)
  }

  private trade(market: GameMarket, order: DepthOrder) {
    const key = keyOf(market)
    const depth = this.depths.get(key) ?? new PaperDepth()
    this.depths.set(key, depth)
    const fills = depth.take(this.options.bookOf(market), order, market.sizeStepE2)
    const filledE2 = fills.reduce((sum, { sizeE2 }) => sum + sizeE2, 0)
    return { filledE2, ...moneyOf(fills, market) }
  }

  private finish(plan: OpenPlan): void {
    const { signal, league } = plan.decision
    const capture = this.options.captureOf(league)
    const hedgedE2 = hedgedE2Of(plan)
    this.open.delete(signal.pair)
    capture.plannedE2 += signal.sizeE2
    capture.plannedMicros += signal.netEdgeMicros
    if (plan.legs[0]?.filledE2 === 0) {
      capture.missed++
      return
    }
    if (plan.legs.every(({ filledE2 }) => filledE2 === signal.sizeE2)) capture.whole++
    else capture.part++
    capture.hedgedE2 += hedgedE2
    capture.feesMicros += plan.feesMicros
    let pnlMicros = payoutMicros(signal, hedgedE2) + plan.proceedsMicros
    let unhedgedMicros = plan.proceedsMicros
    for (const { filledE2, paidMicros, soldE2 } of plan.legs) {
      const unhedgedE2 = filledE2 - hedgedE2
      capture.closedE2 += soldE2
      capture.writtenOffE2 += unhedgedE2 - soldE2
      pnlMicros -= paidMicros
      if (unhedgedE2 > 0) unhedgedMicros -= Math.round((paidMicros * unhedgedE2) / filledE2)
    }
    capture.pnlMicros += pnlMicros
    capture.unhedgedMicros += unhedgedMicros
  }
}

const hedgedE2Of = ({ legs }: OpenPlan): number => Math.min(...legs.map(({ filledE2 }) => filledE2))

/** What so many shares of every leg pay in the worst settlement that the plan was computed for. */
const payoutMicros = ({ worstPayoutMicros, sizeE2 }: StrategySignal, hedgedE2: number): number =>
  Number((BigInt(worstPayoutMicros) * BigInt(hedgedE2)) / BigInt(sizeE2))
