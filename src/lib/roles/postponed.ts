/**
 * Combinations that a quote touched while they could not be believed, for a reason that passes by itself, or while it
 * was not known whose the quote is. They are decided on as if it arrived when they can be believed and that is known: a
 * market that stays quiet then has no other quote to wake them.
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

  /** A quote touched these: what can be believed of them at `nowUs` (monotonic) is decided on at once. */
  touched(combinations: readonly Combination[], header: Header, nowUs: number): void {
    for (const combination of combinations) {
      this.triggers.delete(combination)
      const closed = closedGate(combination, nowUs)
      // What is broken on channels that are live is mended by its own next quote, which touches it again.
      if (closed === 'broken_channel' && isLive(combination)) continue
      if (PASSING.has(closed) || isUnclear(combination, header)) this.triggers.set(combination, header)
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
      if (mustWait(combination, header, nowUs)) continue
      this.triggers.delete(combination)
      const combinations = due.get(header)
      if (combinations === undefined) due.set(header, [combination])
      else combinations.push(combination)
    }
    return due
  }
}

/** It cannot be believed yet, or it is not known whose the quote is. */
const mustWait = (combination: Combination, header: Header, nowUs: number): boolean =>
  PASSING.has(closedGate(combination, nowUs)) || isUnclear(combination, header)

const isUnclear = ({ game }: Combination, { timestamp_ms: sentMs }: Header): boolean =>
  game.ownership?.of(sentMs) === 'unknown'

const isLive = ({ legs }: Combination): boolean =>
  legs.every(({ of: { book } }) => book.feed.prices.isLive && book.feed.orderbook.isLive)
