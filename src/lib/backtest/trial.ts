/** One threshold, tried on what was recorded: its opportunities, its signals, and an account for each latency. */

import type { Combination } from '../strategy/combination.js'
import { Strategy } from '../strategy/strategy.js'
import type { StrategySettings } from '../strategy/strategy.js'
import type { MessageRef } from '../strategy/book-view.js'
import type { StrategySignal } from '../model/signal.js'
import type { League } from '../model/game.js'
import { Account } from './account.js'
import type { AccountOptions, Decision } from './account.js'
import { noCapture } from './capture.js'
import type { Capture } from './capture.js'
import { Opportunities } from './opportunities.js'
import type { Opportunity } from './opportunities.js'

/** What came of a threshold, over all shards. */
export interface TrialResult {
  readonly minEdgeMicros: number
  readonly opportunities: Opportunity[]
  /** By latency, ms. */
  readonly captures: ReadonlyMap<number, Map<League, Capture>>
}

export const emptyResult = (minEdgeMicros: number, latenciesMs: readonly number[]): TrialResult => ({
  minEdgeMicros,
  opportunities: [],
  captures: new Map(latenciesMs.map((latencyMs) => [latencyMs, new Map()])),
})

export class Trial {
  private readonly strategy: Strategy
  private readonly opportunities: Opportunities
  private readonly accounts: readonly Account[]

  /** Adds what comes of it to `result`. */
  constructor(
    settings: StrategySettings,
    private readonly result: TrialResult,
    bookOf: AccountOptions['bookOf'],
  ) {
    this.strategy = new Strategy(settings, () => undefined)
    this.opportunities = new Opportunities(settings)
    this.accounts = [...result.captures].map(([latencyMs, captures]) => {
      const captureOf = (league: League): Capture => {
        const capture = captures.get(league) ?? noCapture()
        captures.set(league, capture)
        return capture
      }
      return new Account({ latencyMs, bookOf, captureOf })
    })
  }

  judge(...found: Parameters<Opportunities['judge']>): void {
    this.opportunities.judge(...found)
  }

  /** The combinations are decided on; `decisionOf` makes of a signal what its orders need. */
  evaluate(
    combinations: readonly Combination[],
    trigger: Readonly<MessageRef>,
    nowUs: number,
    decisionOf: (signal: StrategySignal) => Decision | undefined,
  ): void {
    for (const signal of this.strategy.evaluate(combinations, trigger, nowUs)) {
      const decision = decisionOf(signal)
      if (decision === undefined) continue
      for (const account of this.accounts) account.take(decision, nowUs)
    }
  }

  /** They are another shard's: what it signals is not signaled here. */
  observe(combinations: readonly Combination[], nowUs: number): void {
    this.strategy.observe(combinations, nowUs)
    for (const combination of combinations) this.opportunities.forget(combination, nowUs)
  }

  forget(combination: Combination, nowUs: number): void {
    this.strategy.forget(combination)
    this.opportunities.forget(combination, nowUs)
  }

  advance(nowUs: number): void {
    for (const account of this.accounts) account.advance(nowUs)
  }

  see(...shown: Parameters<Account['see']>): void {
    for (const account of this.accounts) account.see(...shown)
  }

  end(nowUs: number): void {
    this.opportunities.end(nowUs)
    for (const opportunity of this.opportunities.ended) this.result.opportunities.push(opportunity)
    for (const account of this.accounts) account.end(nowUs)
  }
}
