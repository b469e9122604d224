/** Looks on while a shard decides again, and tries every threshold on the same books at the same moments. */

import type { DisplayedBook } from '../execution/paper-depth.js'
import type { Message } from '../messages/codec.js'
import type { GameMarket } from '../model/game.js'
import type { Level } from '../model/order-book.js'
import type { StrategySignal } from '../model/signal.js'
import type { ShardDecider, ShardInputs } from '../roles/shard-decider.js'
import type { RerunWatch } from '../roles/shard-rerun.js'
import type { ShardHead } from '../roles/shard-turn.js'
import type { BookView, Ladder, MessageRef } from '../strategy/book-view.js'
import { closedGate } from '../strategy/gates.js'
import type { Combination } from '../strategy/combination.js'
import type { Decision } from './account.js'
import { Trial } from './trial.js'
import type { TrialResult } from './trial.js'

const NO_BOOK: DisplayedBook = { state: 'BROKEN', bids: [], asks: [] }

export class Observer implements RerunWatch {
  private readonly combinations = new Set<Combination>()
  private decider: ShardDecider | undefined
  private trials: readonly Trial[] = []
  private nowUs = 0

  /** Adds to `results`; `maxSizeE2` is the shard's own where it is not given. */
  constructor(
    private readonly results: readonly TrialResult[],
    private readonly maxSizeE2: number | undefined,
  ) {}

  around(decider: ShardDecider, strategy: ShardHead['strategy']): ShardInputs {
    const bookOf = (market: GameMarket) => this.bookOf(market)
    const maxSizeE2 = this.maxSizeE2 ?? strategy.maxSizeE2
    this.decider = decider
    this.trials = this.results.map(
      (result) => new Trial({ ...strategy, maxSizeE2, minEdgeMicros: result.minEdgeMicros }, result, bookOf),
    )
    return {
      message: (message, recvUs) => {
        this.advance(recvUs)
        const signals = decider.message(message, recvUs)
        if (message.family === 'orderbook') this.see(message.payload)
        if (message.family === 'games') this.judgeAll()
        return signals
      },
      heartbeat: (beat, recvUs) => {
        this.advance(recvUs)
        const decisions = decider.heartbeat(beat, recvUs)
        this.judgeAll()
        return decisions
      },
      gap: (source) => {
        decider.gap(source)
        this.judgeAll()
      },
      state: (source, isLive) => {
        const decisions = decider.state(source, isLive)
        this.judgeAll()
        return decisions
      },
    }
  }

  evaluated(combinations: readonly Combination[], trigger: Readonly<MessageRef>, nowUs: number): void {
    this.nowUs = Math.max(this.nowUs, nowUs)
    for (const combination of combinations) {
      this.combinations.add(combination)
      this.judge(combination)
    }
    const decisionOf = (signal: StrategySignal) => decisionIn(combinations, signal)
    for (const trial of this.trials) trial.evaluate(combinations, trigger, nowUs, decisionOf)
  }

  observed(combinations: readonly Combination[], nowUs: number): void {
    this.nowUs = Math.max(this.nowUs, nowUs)
    for (const combination of combinations) this.combinations.delete(combination)
    for (const trial of this.trials) trial.observe(combinations, this.nowUs)
  }

  forgotten(combination: Combination): void {
    this.combinations.delete(combination)
    for (const trial of this.trials) trial.forget(combination, this.nowUs)
  }

  /** The data end. */
  end(): void {
    for (const trial of this.trials) trial.end(this.nowUs)
  }

  private advance(nowUs: number): void {
    this.nowUs = Math.max(this.nowUs, nowUs)
    for (const trial of this.trials) trial.advance(nowUs)
  }

  private judgeAll(): void {
    for (const combination of this.combinations) this.judge(combination)
  }

  private judge(combination: Combination): void {
    const closed = closedGate(combination, this.nowUs)
    for (const trial of this.trials) trial.judge(combination, closed, this.nowUs)
  }

  private see({ venue, market_id: marketId }: Extract<Message, { family: 'orderbook' }>['payload']): void {
    const market = { venue, marketId }
    let shown: DisplayedBook | undefined
    for (const trial of this.trials) trial.see(market, () => (shown ??= this.bookOf(market)))
  }

  private bookOf({ venue, marketId }: Pick<GameMarket, 'venue' | 'marketId'>): DisplayedBook {
    const view = this.decider?.books.market(venue, marketId)?.book
    return view === undefined ? NO_BOOK : displayedOf(view)
  }
}

/** The signal with the markets of its legs; the combination that it is of is among these. */
function decisionIn(combinations: readonly Combination[], signal: StrategySignal): Decision | undefined {
  const combination = combinations.find(({ key }) => key === signal.pair)
  if (combination === undefined) return undefined
  const markets = signal.legs.flatMap(({ venue, marketId }) => {
    const found = combination.legs.find(
      ({ of: { market } }) => market.venue === venue && market.marketId === marketId,
    )
    return found === undefined ? [] : [found.of.market]
  })
  return { signal, league: combination.game.league, markets }
}

/** One that is not believed counts as broken. */
function displayedOf(view: BookView): DisplayedBook {
  const state = view.isWhole && !view.isCrossed ? view.bookState : 'BROKEN'
  return { state, bids: levelsOf(view.bids), asks: levelsOf(view.asks) }
}

const levelsOf = ({ pricesE4, sizesE2, count }: Ladder): Level[] =>
  Array.from({ length: count }, (_, at): Level => [pricesE4[at] ?? 0, sizesE2[at] ?? 0])
