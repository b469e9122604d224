/**
 * Who trades on the recorded books with one latency: what of each plan would still have been there.
 *
 *   - An order arrives `latency` after the decision, plus the venue's own delay, and takes what the book shows then
 *     within its limit, whole steps, best price first. A book that is not believed gives nothing.
 *   - An opening order that would come after its signal expired is not sent.
 *   - What it took is taken off what that level shows to later orders of this account, until the level goes.
 *   - The next leg follows what every leg before it really filled, one latency for the news and one for the order, at
 *     its own limit, once.
 *   - What the legs differ by is sold `CLOSE_AFTER_MS` later, at the bid that this order finds, and is worth nothing
 *     where nobody bids.
 *   - What is under way when the data end counts as if all of it that is unhedged were sold then.
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

/** From the last leg's fill to the order that sells what stayed unhedged. */
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
  /** Once it was tried. */
  soldE2: number | undefined
}

interface OpenPlan {
  readonly decision: Decision
  readonly legs: readonly LegState[]
  /** Proceeds of sales, less their fees. */
  proceedsMicros: number
  feesMicros: number
}

/** The order of a leg is there, to open it or to sell what stayed unhedged of it. */
interface Arrival {
  readonly kind: 'order' | 'sale'
  readonly plan: OpenPlan
  readonly at: number
}

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
    if (this.options.latencyMs > signal.validMs) {
      capture.expired++
      return
    }
    if (this.open.has(signal.pair)) {
      capture.denied++
      return
    }
    const legs = signal.legs.flatMap((leg, at) => {
      const market = markets[at]
      return market === undefined ? [] : [{ leg, market, filledE2: 0, paidMicros: 0, soldE2: undefined }]
    })
    const plan: OpenPlan = { decision, legs, proceedsMicros: 0, feesMicros: 0 }
    this.open.set(signal.pair, plan)
    this.send('order', plan, 0, nowUs)
  }

  /** Everything that arrives before `nowUs` does. */
  advance(nowUs: number): void {
    for (let next = this.arrivals.takeBefore(nowUs); next; next = this.arrivals.takeBefore(nowUs)) {
      const { atUs, event } = next
      const { kind, plan, at } = event
      if (kind === 'order') this.fill(plan, at, atUs)
      else {
        this.sell(plan, at)
        if (!plan.legs.some((leg) => isToSell(leg, plan))) this.finish(plan)
      }
    }
  }

  /** The market's book is shown otherwise now. */
  see(market: Pick<GameMarket, 'venue' | 'marketId'>, shown: () => DisplayedBook): void {
    const depth = this.depths.get(keyOf(market))
    if (depth?.isUntouched === false) depth.see(shown())
  }

  /** The data end: of what is under way, what is unhedged is sold. */
  end(nowUs: number): void {
    this.advance(nowUs + 1)
    for (const plan of this.open.values()) {
      for (const [at, leg] of plan.legs.entries()) if (isToSell(leg, plan)) this.sell(plan, at)
      this.finish(plan, true)
    }
  }

  private send(kind: Arrival['kind'], plan: OpenPlan, at: number, sentUs: number): void {
    const delayMs = plan.legs[at]?.market.takerDelayMs ?? 0
    this.arrivals.add(sentUs + (this.options.latencyMs + delayMs) * 1000, { kind, plan, at })
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
    const newsUs = atUs + this.options.latencyMs * 1000
    if (at + 1 < plan.legs.length) return this.send('order', plan, at + 1, newsUs)
    const unhedged = [...plan.legs.keys()].filter((each) => unhedgedE2Of(plan.legs[each], plan) > 0)
    if (unhedged.length === 0) return this.finish(plan)
    for (const each of unhedged) this.send('sale', plan, each, atUs + CLOSE_AFTER_MS * 1000)
  }

  private sell(plan: OpenPlan, at: number): void {
    const state = plan.legs[at]
    if (state === undefined) return
    const { market, leg } = state
    const sizeE2 = orderableE2(unhedgedE2Of(state, plan) * E6_PER_E2, market)
    const sale: DepthOrder = { outcome: leg.outcome, side: 'sell', limitE4: 0, sizeE2 }
    const { filledE2, cashMicros, feesMicros } = this.trade(market, sale)
    state.soldE2 = filledE2
    plan.proceedsMicros += cashMicros - feesMicros
    plan.feesMicros += feesMicros
  }

  private trade(market: GameMarket, order: DepthOrder) {
    const key = keyOf(market)
    const depth = this.depths.get(key) ?? new PaperDepth()
    this.depths.set(key, depth)
    const fills = depth.take(this.options.bookOf(market), order, market.sizeStepE2)
    const filledE2 = fills.reduce((sum, { sizeE2 }) => sum + sizeE2, 0)
    return { filledE2, ...moneyOf(fills, market) }
  }

  private finish(plan: OpenPlan, isInFlight = false): void {
    const { signal, league } = plan.decision
    const capture = this.options.captureOf(league)
    const hedgedE2 = hedgedE2Of(plan)
    const hasFilled = (plan.legs[0]?.filledE2 ?? 0) > 0
    this.open.delete(signal.pair)
    if (isInFlight) capture.inFlight++
    if (isInFlight && !hasFilled) return
    capture.plannedE2 += signal.sizeE2
    capture.plannedMicros += signal.netEdgeMicros
    if (!hasFilled) {
      capture.missed++
      return
    }
    if (!isInFlight) {
      const isWhole = plan.legs.every(({ filledE2 }) => filledE2 === signal.sizeE2)
      capture[isWhole ? 'whole' : 'part']++
    }
    capture.hedgedE2 += hedgedE2
    capture.feesMicros += plan.feesMicros
    let pnlMicros = payoutMicros(signal, hedgedE2) + plan.proceedsMicros
    let unhedgedMicros = plan.proceedsMicros
    for (const { filledE2, paidMicros, soldE2 = 0 } of plan.legs) {
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

const unhedgedE2Of = (state: LegState | undefined, plan: OpenPlan): number =>
  (state?.filledE2 ?? 0) - hedgedE2Of(plan)
const isToSell = (state: LegState, plan: OpenPlan): boolean =>
  state.soldE2 === undefined && unhedgedE2Of(state, plan) > 0

/** What so many shares of every leg pay in the worst settlement that the plan was computed for. */
const payoutMicros = ({ worstPayoutMicros, sizeE2 }: StrategySignal, hedgedE2: number): number =>
  Number((BigInt(worstPayoutMicros) * BigInt(hedgedE2)) / BigInt(sizeE2))
