/**
 * Opportunities: the longest stretches of time in which a combination has a plan while all gates hold.
 * When one begins and ends is seen when a price touches it, or a heartbeat, a game or a state of a channel comes:
 * a heartbeat does every 200 ms.
 *
 * A change of a book comes in two messages, and between them nobody knows: an opportunity that is there before and
 * behind both is one, and one that is not ends with the first.
 */

import type { League } from '../model/game.js'
import { planOf } from '../strategy/plan.js'
import type { Plan, StrategyLimits } from '../strategy/plan.js'
import type { GateReason } from '../strategy/gates.js'
import type { Combination } from '../strategy/combination.js'
import type { Lifetime } from './lifetimes.js'

export interface Opportunity extends Lifetime {
  readonly league: League
  /** The greatest net edge of a first share that it had, micro-dollars per contract. */
  readonly edgeMicros: number
  /** The greatest size that a plan had. */
  readonly sizeE2: number
}

/** A change of which the second half has not come by then is no change that is under way. */
const HALF_TOLD_US = 50_000

/** Of the change of a book only the first message has come. */
const HALF_TOLD: GateReason = 'book_seq_differs'

interface Open {
  readonly league: League
  readonly beganUs: number
  edgeMicros: number
  sizeE2: number
  /** Since then nobody knows. */
  doubtedUs: number | undefined
}

export class Opportunities {
  readonly ended: Opportunity[] = []
  private readonly open = new Map<string, Open>()

  constructor(private readonly limits: StrategyLimits) {}

  /** What the combination offers now (monotonic, us); `closed` is the gate that does not hold. */
  judge(combination: Combination, closed: GateReason | undefined, nowUs: number): void {
    const { key, game } = combination
    if (closed === HALF_TOLD) this.doubt(key, nowUs)
    else this.judgeOne(key, game.league, closed ?? planOf(combination, this.limits), nowUs)
  }

  /** It is traded no more. */
  forget({ key }: Combination, nowUs: number): void {
    this.close(key, nowUs, false)
  }

  /** The data end. */
  end(nowUs: number): void {
    for (const key of [...this.open.keys()]) this.close(key, nowUs, true)
  }

  private doubt(key: string, nowUs: number): void {
    const open = this.open.get(key)
    if (open !== undefined) open.doubtedUs ??= nowUs
  }

  private judgeOne(key: string, league: League, plan: Plan | string, nowUs: number): void {
    const open = this.open.get(key)
    const doubtedUs = open?.doubtedUs
    if (typeof plan === 'string') return this.close(key, doubtedUs ?? nowUs, false)
    const { topEdgeMicros: edgeMicros, sizeE2 } = plan
    if (doubtedUs !== undefined && nowUs - doubtedUs > HALF_TOLD_US) this.close(key, doubtedUs, false)
    else if (open !== undefined) {
      open.doubtedUs = undefined
      open.edgeMicros = Math.max(open.edgeMicros, edgeMicros)
      open.sizeE2 = Math.max(open.sizeE2, sizeE2)
      return
    }
    this.open.set(key, { league, beganUs: nowUs, edgeMicros, sizeE2, doubtedUs: undefined })
  }

  private close(key: string, nowUs: number, isCut: boolean): void {
    const open = this.open.get(key)
    if (open === undefined) return
    this.open.delete(key)
    const { league, beganUs, edgeMicros, sizeE2 } = open
    this.ended.push({ league, us: Math.max(0, nowUs - beganUs), isCut, edgeMicros, sizeE2 })
  }
}
