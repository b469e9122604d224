/**
 * Pairs that a quote touched while a channel of theirs was not live. They are decided on as if it arrived when they can
 * be believed again: a market that stays quiet then has no other quote to wake them.
 */

import type { Header } from '../messages/payloads.js'
import { closedGate } from '../strategy/gates.js'
import type { GateReason } from '../strategy/gates.js'
import type { MarketPair } from '../strategy/market-pair.js'

/** Gates that open by themselves, with a heartbeat or when a channel is whole. */
const PASSING: ReadonlySet<GateReason | undefined> = new Set<GateReason>([
  'silent_monitor',
  'broken_channel',
  'old_quote',
  'leg_skew',
])

export class PostponedPairs {
  /** By pair, the quote that touched it last, in the order of these quotes. */
  private readonly triggers = new Map<MarketPair, Header>()

  get isEmpty(): boolean {
    return this.triggers.size === 0
  }

  /** A quote touched these pairs: what can be believed of them is decided on at once. */
  touched(pairs: readonly MarketPair[], header: Header): void {
    for (const pair of pairs) {
      this.triggers.delete(pair)
      if (!isLive(pair)) this.triggers.set(pair, header)
    }
  }

  /** The pair is traded no more. */
  forget(pair: MarketPair): void {
    this.triggers.delete(pair)
  }

  /** Those that can be decided on at `nowUs` (monotonic), by the quote that touched them last. */
  take(nowUs: number): ReadonlyMap<Header, readonly MarketPair[]> {
    const due = new Map<Header, MarketPair[]>()
    for (const [pair, header] of this.triggers) {
      if (PASSING.has(closedGate(pair, nowUs))) continue
      this.triggers.delete(pair)
      const pairs = due.get(header)
      if (pairs === undefined) due.set(header, [pair])
      else pairs.push(pair)
    }
    return due
  }
}

const isLive = ({ kalshi, poly }: MarketPair): boolean =>
  [kalshi, poly].every(({ book }) => book.feed.prices.isLive && book.feed.orderbook.isLive)
