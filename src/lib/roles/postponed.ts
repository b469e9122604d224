/**
 * Combinations that a quote touched while a channel of theirs was not live, or while it was not known whose the quote
 * is. They are decided on as if it arrived when they can be believed and that is known: a market that stays quiet then has no other quote to wake them.
 */

import type { Header } from '../messages/payloads.js'
import type { Combination } from '../strategy/combination.js'
import { closedGate } from '../strategy/gates.js'
import type { GateReason } from '../strategy/gates.js'

/** Gates that open by themselves, with a heartbeat or when a channel is whole. */
const PASSING: ReadonlySet<GateReason | undefined> = new Set<GateReason>([
  'silent_orchestrator',
  'silent_monitor',
  'broken_channel',
  'old_quote',
  'leg_skew',
])

export class Postponed {
  /** By combination, the quote that touched it last, in the order of these quotes. */
  private readonly triggers = new Map<Combination, Header>()

  get isEmpty(): boolean {
    return this.triggers.size === 0
  }

  /** A quote touched these: what can be believed of them is decided on at once. */
  touched(combinations: readonly Combination[], header: Header): void {
    for (const combination of combinations) {
      this.triggers.delete(combination)
      if (!isLive(combination) || !isClear(combination, header)) this.triggers.set(combination, header)
    }
  }

  /** The combination is traded no more. */
  forget(combination: Combination): void {
    this.triggers.delete(combination)
  }

  /** Those that can be decided on at `nowUs` (monotonic), by the quote that touched them last. */
  take(nowUs: number): ReadonlyMap<Header, readonly Combination[]> {
    const due = new Map<Header, Combination[]>()
    for (const [combination, header] of this.triggers) {
      if (PASSING.has(closedGate(combination, nowUs)) || !isClear(combination, header)) continue
      this.triggers.delete(combination)
      const combinations = due.get(header)
      if (combinations === undefined) due.set(header, [combination])
      else combinations.push(combination)
    }
    return due
  }
}

/** It is known whose the quote is. */
const isClear = ({ game }: Combination, header: Header): boolean =>
  game.ownership?.of(header.timestamp_ms) !== 'unknown'

const isLive = ({ legs }: Combination): boolean =>
  legs.every(({ of: { book } }) => book.feed.prices.isLive && book.feed.orderbook.isLive)
