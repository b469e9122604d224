/**
 * Exposure in memory, and the yes or no to each plan and each order. No clock, no I/O: the caller says how old a
 * signal is and whether trading is halted.
 *
 * A plan reserves the worst cost of all its legs before its first order, so a hedge never finds the limit used up by
 * someone else. A sale costs its fees, whatever the limits of its game: it lowers what is at risk, though it frees
 * nothing of a limit before the game is final.
 */

import { evictOldest } from '../core/evict-oldest.js'
import type { PlannedOrder, VenueDenial } from '../model/admission.js'
import type { OrderRequest } from '../model/order.js'
import type { GameMarket } from '../model/game.js'
import type { Signal } from '../model/signal.js'
import { worstLegMicros, worstOrderMicros } from './limits.js'
import type { Check, DenialCode, Limits } from './limits.js'
import { isSound, marketsOf } from './plan-form.js'
import { isIn, legMicros, plannedOrder, planMicros, sum, takes } from './plan-hold.js'
import type { LegHold, PlanHold } from './plan-hold.js'

declare const APPROVED: unique symbol
/** Something that risk has approved: only `RiskBook` makes one, and only one of these can be sent. */
export type RiskApproved<T> = T & { readonly [APPROVED]: true }

/** A plan as exec knows it when it asks. */
export interface PlanQuestion {
  readonly signal: Signal
  /** The market of each leg; undefined where nobody told us. */
  readonly markets: readonly (GameMarket | undefined)[]
  /** Time since the decision; below zero when the clocks of two hosts disagree. */
  readonly ageMs: number
  /** Why no entry is taken at all, if so. */
  readonly blocked?: DenialCode | undefined
  /** Of a sale: what is held for certain, contracts x 10^6. Nothing when it is not said. */
  readonly heldE6?: number
  /** What the venues have against it, asked last: with its legs come those that open plans may still send. */
  readonly admit?: (orders: readonly PlannedOrder[]) => VenueDenial | undefined
}

export interface Denied {
  readonly kind: 'denied'
  readonly code: DenialCode
  readonly checks: readonly Check[]
}

export type PlanDecision = { readonly kind: 'approved'; readonly checks: readonly Check[] } | Denied
export type OrderDecision =
  | { readonly kind: 'approved'; readonly order: RiskApproved<OrderRequest> }
  /** `affordableE2` is the size that the limits still allow, whole steps, maybe 0. */
  | (Denied & { readonly affordableE2: number })

/** A plan of an earlier life of exec, from the ledger. */
export interface RestoredPlan {
  readonly signalId: string
  readonly gameId: string
  /** Exposure by order id: cash and fees of a filled one, the worst of one still unknown. */
  readonly orders: ReadonlyMap<string, number>
}

/** A host's clock may be this much ahead of ours. */
const MAX_FUTURE_MS = 250
/** Final games that are remembered: more than are told of at a time. */
const MAX_FINAL_GAMES = 5_000

export class RiskBook {
  private readonly plans = new Map<string, PlanHold>()
  private readonly planOfOrder = new Map<string, PlanHold>()
  private readonly openPairs = new Set<string>()
  private readonly gameMicros = new Map<string, number>()
  private readonly finalGames = new Set<string>()
  private readonly quarantine = new Map<string, string>()
  private total = 0

  constructor(private readonly limits: Limits) {}

  /** What is at risk in all games together, micro-dollars. */
  get totalMicros(): number {
    return this.total
  }

  gameExposureMicros(gameId: string): number {
    return this.gameMicros.get(gameId) ?? 0
  }

  /** Pairs that take no new entry because something of theirs is unhedged. */
  get quarantined(): number {
    return this.quarantine.size
  }

  get openPlans(): number {
    return this.openPairs.size
  }

  isQuarantined(marketIds: readonly string[]): boolean {
    return this.quarantine.has(pairKey(marketIds))
  }

  /** Approves a plan and reserves its worst cost, or says the first thing that stands against it. */
  openPlan(question: PlanQuestion): PlanDecision {
    const { signal, blocked, ageMs } = question
    const checks: Check[] = []
    const deny = (code: DenialCode): PlanDecision => ({ kind: 'denied', code, checks })
    if (!isSound(signal)) return deny('BAD_PLAN')
    checks.push({ name: 'age_ms', value: ageMs, limit: signal.validMs })
    if (ageMs > signal.validMs) return deny('EXPIRED')
    if (ageMs < -MAX_FUTURE_MS) return deny('FROM_FUTURE')
    if (blocked !== undefined) return deny(blocked)
    const markets = marketsOf(question)
    if (markets === undefined) return deny('UNKNOWN_MARKET')
    if (this.finalGames.has(signal.gameId)) return deny('GAME_FINAL')
    if (this.isQuarantined(markets.map(({ marketId }) => marketId))) return deny('QUARANTINED')
    const isSale = isSaleOf(signal)
    if (this.openPairs.has(signal.pair) || this.isTaken(signal, markets)) return deny('PLAN_OPEN')
    if (this.plans.has(signal.id)) return deny('NOT_PLANNED')

    let plannedMicros = 0
    const legs: LegHold[] = []
    for (const [index, leg] of signal.legs.entries()) {
      const market = markets[index]
      if (market === undefined) return deny('UNKNOWN_MARKET')
      if (leg.side === 'sell') {
        const heldE2 = Math.max(0, Math.floor((question.heldE6 ?? 0) / 10_000))
        checks.push({ name: `sold_contracts_${index}`, value: leg.sizeE2 / 100, limit: heldE2 / 100 })
        if (leg.sizeE2 > heldE2) return deny('NOT_HELD')
      }
      const orderMicros = worstOrderMicros(market, leg)
      checks.push({ name: `order_micros_${index}`, value: orderMicros, limit: this.limits.orderMicros })
      if (orderMicros > this.limits.orderMicros) return deny('ORDER_LIMIT')
      const reservedMicros = worstLegMicros(market, leg)
      plannedMicros += reservedMicros
      legs.push({ market, side: leg.side, outcome: leg.outcome, reservedMicros, orders: new Map() })
    }
    if (!isSale) {
      const gameAfter = this.gameExposureMicros(signal.gameId) + plannedMicros
      checks.push({ name: 'game_micros', value: gameAfter, limit: this.limits.gameMicros })
      if (gameAfter > this.limits.gameMicros) return deny('GAME_LIMIT')
      const totalAfter = this.total + plannedMicros
      checks.push({ name: 'total_micros', value: totalAfter, limit: this.limits.totalMicros })
      if (totalAfter > this.limits.totalMicros) return deny('TOTAL_LIMIT')
    }
    const denial = question.admit?.([...this.unsentLegs(), ...legs.flatMap(plannedOrder)])
    if (denial !== undefined) {
      checks.push(...denial.checks)
      return deny(denial.code)
    }

    const { id: signalId, pair, gameId } = signal
    this.add({ signalId, pair, gameId, isSale, legs, open: true })
    this.openPairs.add(signal.pair)
    return { kind: 'approved', checks }
  }

  /** Approves one order of an open plan and counts it as filled in full until `settle` says otherwise. */
  approveOrder(request: OrderRequest, market: GameMarket): OrderDecision {
    const plan = this.plans.get(request.signalId)
    const leg = plan?.legs[request.leg]
    const unplanned = plan?.open !== true || leg === undefined || request.side !== leg.side
    if (unplanned || this.planOfOrder.has(request.orderId)) {
      return { kind: 'denied', code: 'NOT_PLANNED', checks: [], affordableE2: 0 }
    }
    const { limits } = this
    const cost = (sizeE2: number) => worstOrderMicros(market, { ...request, sizeE2 })
    const check = (sizeE2: number): Check & { readonly code: DenialCode } => {
      const micros = cost(sizeE2)
      const more = Math.max(leg.reservedMicros, sum(leg.orders) + micros) - legMicros(leg)
      const order = { name: 'order_micros', value: micros, limit: limits.orderMicros }
      if (order.value > order.limit) return { ...order, code: 'ORDER_LIMIT' }
      const game = {
        name: 'game_micros',
        value: this.gameExposureMicros(plan.gameId) + more,
        limit: limits.gameMicros,
      }
      if (game.value > game.limit) return { ...game, code: 'GAME_LIMIT' }
      return {
        name: 'total_micros',
        value: this.total + more,
        limit: limits.totalMicros,
        code: 'TOTAL_LIMIT',
      }
    }
    const fits = (sizeE2: number) => {
      if (request.side === 'sell') return true
      const { value, limit } = check(sizeE2)
      return value <= limit
    }
    if (!fits(request.sizeE2)) {
      const { code, ...failed } = check(request.sizeE2)
      const affordableE2 = largest(request.sizeE2, market.sizeStepE2, fits)
      return { kind: 'denied', code, checks: [failed], affordableE2 }
    }
    this.planOfOrder.set(request.orderId, plan)
    this.change(plan, () => leg.orders.set(request.orderId, cost(request.sizeE2)))
    return { kind: 'approved', order: request as RiskApproved<OrderRequest> }
  }

  /** What an order turned out to cost, micro-dollars; 0 for one that filled nothing. An unknown one is not settled. */
  settle(orderId: string, micros: number): void {
    const plan = this.planOfOrder.get(orderId)
    const leg = plan?.legs.find(({ orders }) => orders.has(orderId))
    if (plan === undefined || leg === undefined) return
    this.change(plan, () => leg.orders.set(orderId, micros))
    this.dropWhenDone(plan)
  }

  /** What an approved order counts now, micro-dollars. */
  orderMicros(orderId: string): number {
    const leg = this.planOfOrder.get(orderId)?.legs.find(({ orders }) => orders.has(orderId))
    return leg?.orders.get(orderId) ?? 0
  }

  /** The plan sends nothing more: its reservations end, what it bought counts on. */
  finishPlan(signalId: string): void {
    const plan = this.plans.get(signalId)
    if (plan === undefined || !plan.open) return
    this.change(plan, () => {
      plan.open = false
      for (const leg of plan.legs) leg.reservedMicros = 0
    })
    this.openPairs.delete(plan.pair)
    this.dropWhenDone(plan)
  }

  /** No new entry on these markets, in either orientation, until their game is final. */
  quarantinePair(marketIds: readonly string[], gameId: string): void {
    if (!this.finalGames.has(gameId)) this.quarantine.set(pairKey(marketIds), gameId)
  }

  /** Takes up a finished plan of an earlier life. */
  restore({ signalId, gameId, orders }: RestoredPlan): void {
    const plan = {
      signalId,
      pair: '',
      gameId,
      isSale: false,
      legs: [
        {
          ...{ market: undefined, side: undefined, outcome: undefined },
          ...{ reservedMicros: 0, orders: new Map(orders) },
        },
      ],
      open: false,
    }
    this.add(plan)
    for (const orderId of orders.keys()) this.planOfOrder.set(orderId, plan)
  }

  /** A final game pays out: its finished plans are at risk no more, its quarantines end, and it is not entered again. */
  releaseGame(gameId: string): void {
    if (this.finalGames.has(gameId)) return
    this.finalGames.add(gameId)
    evictOldest(this.finalGames, MAX_FINAL_GAMES)
    for (const [key, game] of this.quarantine) {
      if (game === gameId) this.quarantine.delete(key)
    }
    for (const plan of [...this.plans.values()]) {
      if (plan.gameId === gameId) this.dropWhenDone(plan)
    }
  }

  /**
   * No two open plans are promised the same offer: the one that comes second would find it gone when it has bought the
   * rest. A sale has its market for itself: what is held there does not move while it is open.
   */
  private isTaken(signal: Signal, markets: readonly GameMarket[]): boolean {
    const isSale = isSaleOf(signal)
    // What somebody types is his to want beside a plan.
    const legs = signal.kind === 'manual' ? [] : signal.legs
    for (const plan of this.plans.values()) {
      if (!plan.open) continue
      if (legs.some((leg) => takes(plan, leg))) return true
      if ((isSale || plan.isSale) && markets.some((market) => isIn(plan, market))) return true
    }
    return false
  }

  /** What open plans may still send. */
  private unsentLegs(): PlannedOrder[] {
    const legs = [...this.plans.values()].flatMap((plan) => (plan.open ? plan.legs : []))
    return legs.flatMap(plannedOrder).map((order) => ({ ...order, isOfOpenPlan: true }))
  }

  private add(plan: PlanHold): void {
    this.plans.set(plan.signalId, plan)
    this.count(plan.gameId, planMicros(plan))
  }

  private change(plan: PlanHold, apply: () => void): void {
    const before = planMicros(plan)
    apply()
    this.count(plan.gameId, planMicros(plan) - before)
  }

  private count(gameId: string, micros: number): void {
    const after = this.gameExposureMicros(gameId) + micros
    if (after === 0) this.gameMicros.delete(gameId)
    else this.gameMicros.set(gameId, after)
    this.total += micros
  }

  /** Forgets a finished plan that holds nothing, or whose game has paid out. */
  private dropWhenDone(plan: PlanHold): void {
    const micros = planMicros(plan)
    if (plan.open || (micros > 0 && !this.finalGames.has(plan.gameId))) return
    this.count(plan.gameId, -micros)
    this.plans.delete(plan.signalId)
    for (const { orders } of plan.legs) {
      for (const orderId of orders.keys()) this.planOfOrder.delete(orderId)
    }
  }
}

const pairKey = (marketIds: readonly string[]): string => [...marketIds].sort().join(' ')

/** The largest whole number of steps below `sizeE2` that fits; 0 when none does, or there is no step. */
function largest(sizeE2: number, stepE2: number, fits: (sizeE2: number) => boolean): number {
  if (!(stepE2 >= 1)) return 0
  let low = 0
  let high = Math.floor(sizeE2 / stepE2)
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (fits(middle * stepE2)) low = middle
    else high = middle - 1
  }
  return low * stepE2
}

const isSaleOf = ({ legs }: Signal): boolean => legs.every(({ side }) => side === 'sell')
