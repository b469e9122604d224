/**
 * What a shard decides on what it takes in: its books and games, and the strategy. No I/O, and no clock but the one it
 * is given: the same inputs in the same order, with the same readings of the clock, are the same signals, byte for byte.
 */

import type { Clock } from '../core/clock.js'
import type { Message } from '../messages/codec.js'
import { gameStateOf } from '../messages/convert.js'
import type { Header } from '../messages/payloads.js'
import type { StrategySignal } from '../model/signal.js'
import type { MessageRef } from '../strategy/book-view.js'
import type { Combination, WorthlessCombination } from '../strategy/combination.js'
import { Lease } from '../strategy/ownership.js'
import { Strategy } from '../strategy/strategy.js'
import type { NoSignalReason, StrategySettings } from '../strategy/strategy.js'
import { FirstLooks } from './first-looks.js'
import { Postponed } from './postponed.js'
import { ShardBooks } from './shard-books.js'
import type { BooksBeat, Misfit } from './shard-books.js'

/** The signals of a quote whose combinations could not be believed when it came, and now can. */
export interface LateDecision {
  readonly trigger: Header
  readonly signals: readonly StrategySignal[]
}

/** Everything that a decision can depend on, in the order it came. `recvUs` is the shard's monotonic clock. */
export interface ShardInputs {
  /** The signals that it causes; undefined when it touches no combination. */
  message(message: Message, recvUs: number): readonly StrategySignal[] | undefined
  /** What can be decided now; undefined when it is the word of an earlier life of the monitor. */
  heartbeat(heartbeat: BooksBeat, recvUs: number): readonly LateDecision[] | undefined
  /** Something is missing of a channel for good. */
  gap(source: string): void
  /** Whether nothing is known to be missing of a channel; what can be decided now. */
  state(source: string, isLive: boolean): readonly LateDecision[]
}

/** Looks on, and changes nothing. */
export interface DeciderWatch {
  /** These, which a quote touched, are decided on now (monotonic). */
  evaluated(combinations: readonly Combination[], trigger: Readonly<MessageRef>, nowUs: number): void
  /** These are another shard's to signal now, or were when they came here. */
  observed(combinations: readonly Combination[], nowUs: number): void
  /** It is traded no more. */
  forgotten(combination: Combination): void
}

export interface DeciderOptions {
  readonly index: number
  /** How many there are; where there is another, games move between them. */
  readonly shards: number
  /** `hostId()` of the shard: stamps of another host are not comparable. */
  readonly host: string
  readonly strategy: StrategySettings
  /** Read only while an input is taken in. */
  readonly clock: Clock
  readonly onNoSignal: (reason: NoSignalReason) => void
  /** A game's markets came together so that some combination of them could pay nothing: it is not traded. */
  readonly onWorthless: (combination: WorthlessCombination) => void
  /** A message that is well-formed and still not to be believed. */
  readonly onRefused: (reason: Misfit) => void
  readonly watch?: DeciderWatch | undefined
}

const NONE: readonly LateDecision[] = []
const NO_SIGNALS: readonly StrategySignal[] = []

export class ShardDecider implements ShardInputs {
  readonly books: ShardBooks
  /** Undefined where no other shard is. */
  readonly lease: Lease | undefined
  private readonly strategy: Strategy
  private readonly postponed = new Postponed()
  private readonly firstLooks = new FirstLooks()

  constructor(private readonly options: DeciderOptions) {
    const { index, shards, host, clock, strategy, onNoSignal, onWorthless } = options
    this.lease = shards > 1 ? new Lease() : undefined
    this.strategy = new Strategy(strategy, onNoSignal)
    this.books = new ShardBooks({
      index,
      lease: this.lease,
      host,
      nowMs: () => clock.nowMs(),
      onWorthless,
      onNew: (combinations, nowUs) => {
        if (this.lease !== undefined) this.firstLooks.await(combinations, nowUs)
      },
      onGone: (combination) => {
        this.strategy.forget(combination)
        this.postponed.forget(combination)
        this.firstLooks.forget(combination)
        options.watch?.forgotten(combination)
      },
    })
  }

  message(message: Message, recvUs: number): readonly StrategySignal[] | undefined {
    const { header, topic } = message
    switch (message.family) {
      case 'orderbook': {
        const { payload } = message
        if (payload.venue !== topic.scope || payload.market_id !== topic.id)
          return this.refuse('topic_payload_differ')
        return this.refuse(this.books.applyBook(payload, header, recvUs))
      }
      case 'prices': {
        const { payload } = message
        if (payload.venue !== topic.scope || payload.market_id !== topic.id)
          return this.refuse('topic_payload_differ')
        const { combinations } = this.books.applyQuote(payload, header, recvUs)
        if (combinations.length === 0) return undefined
        const nowUs = this.options.clock.monoUs()
        this.postponed.touched(combinations, header, nowUs)
        return this.decide(combinations, header, nowUs)
      }
      case 'games': {
        const { payload } = message
        // A notice says nothing that the state itself does not.
        if (!('markets' in payload) || topic.id === '') return undefined
        if (payload.game_id !== topic.id) return this.refuse('topic_payload_differ')
        const state = gameStateOf(payload)
        if (state === undefined) return this.refuse('bad_tick_or_size')
        this.books.enterGames(header.epoch)
        return this.refuse(this.books.applyGame(state, header.timestamp_ms, recvUs))
      }
      default:
        return undefined
    }
  }

  heartbeat(heartbeat: BooksBeat, recvUs: number): readonly LateDecision[] | undefined {
    return this.books.applyHeartbeat(heartbeat, recvUs) ? this.decidePostponed() : undefined
  }

  gap(source: string): void {
    this.books.applyGap({ source })
  }

  state(source: string, isLive: boolean): readonly LateDecision[] {
    this.books.applyState(source, isLive)
    return isLive ? this.decidePostponed() : NONE
  }

  private decidePostponed(): readonly LateDecision[] {
    if (this.postponed.isEmpty && this.firstLooks.isEmpty) return NONE
    const nowUs = this.options.clock.monoUs()
    this.observe(this.firstLooks.due(nowUs), nowUs)
    return Array.from(this.postponed.take(nowUs), ([trigger, combinations]) => ({
      trigger,
      signals: this.decide(combinations, trigger, nowUs),
    }))
  }

  /** These belong to one game. A quote that is another shard's is looked at as that shard does, and signals nothing. */
  private decide(
    combinations: readonly Combination[],
    trigger: Header,
    nowUs: number,
  ): readonly StrategySignal[] {
    const right = combinations[0]?.game.ownership?.of(trigger.timestamp_ms) ?? 'own'
    switch (right) {
      case 'own': {
        this.firstLooks.ownerKnown(combinations, trigger.timestamp_ms, nowUs)
        const first = combinations.filter((each) => this.firstLooks.has(each, nowUs))
        if (first.length === 0) return this.evaluate(combinations, trigger, nowUs)
        this.observe(first, nowUs)
        return this.evaluate(
          combinations.filter((each) => !first.includes(each)),
          trigger,
          nowUs,
        )
      }
      case 'other':
        // What it shows may be signaled there; where it shows nothing yet, what is seen first is taken for that.
        this.firstLooks.await(combinations, nowUs)
        this.observe(combinations, nowUs)
        return NO_SIGNALS
      case 'unknown':
        this.firstLooks.awaitOwner(combinations, trigger.timestamp_ms)
        for (const _ of combinations) this.options.onNoSignal('no_lease')
        return NO_SIGNALS
    }
  }

  private observe(combinations: readonly Combination[], nowUs: number): void {
    this.options.watch?.observed(combinations, nowUs)
    for (const seen of this.strategy.observe(combinations, nowUs)) this.firstLooks.seen(seen)
  }

  private evaluate(
    combinations: readonly Combination[],
    trigger: MessageRef,
    nowUs: number,
  ): readonly StrategySignal[] {
    this.options.watch?.evaluated(combinations, trigger, nowUs)
    return this.strategy.evaluate(combinations, trigger, nowUs)
  }

  private refuse(reason: Misfit | undefined): undefined {
    if (reason !== undefined) this.options.onRefused(reason)
  }
}
