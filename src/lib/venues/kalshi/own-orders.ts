/**
 * Our orders as exec knows them, beside what the venue tells of the account: which fills are ours, what became of an
 * order, and what all our fills come to in each market. Pure.
 */

import { evictOldest } from '../../core/evict-oldest.js'
import type { OwnTrading, OrderOutcome, PreparedOrder } from '../ports.js'
import type { AccountFill } from './account-frames.js'

/** More than can matter at a time. */
const MAX_REMEMBERED = 20_000

/**
 * `later`: the venue does not say whose it is, and its order is not known yet; `beyond`: ours, but with its order's
 * other fills more than that asked for.
 */
export type FillVerdict = 'own' | 'beyond' | 'foreign' | 'duplicate' | 'later'

export class OwnOrders {
  private readonly ours = new Set<string>()
  /** What our orders have left to fill by the fills seen, contracts x 10^6. */
  private readonly leftE6 = new Map<string, number>()
  /** Our order by the venue's id. */
  private readonly byVenueId = new Map<string, string>()
  private readonly trades = new Set<string>()
  /** What the venue's last word on an order said, by our id. */
  private readonly ends = new Map<string, { readonly venueOrderId: string; readonly filledE6: number }>()
  /** Orders that are out without an outcome, with their market. */
  private readonly open = new Map<string, string>()
  private readonly settled = new Set<string>()
  private readonly positions = new Map<string, number>()
  /** When something last changed in a market. */
  private readonly changedMs = new Map<string, number>()
  private before: OwnTrading | undefined

  /** What earlier lives left. */
  takeOver(before: OwnTrading): void {
    this.before = before
    for (const [marketId, sizeE6] of before.positions) this.add(marketId, sizeE6)
  }

  /** It is out, or was before this life. */
  sent({ request, sizeE2 }: PreparedOrder, nowMs: number): void {
    const { orderId, marketId } = request
    remember(this.ours, orderId)
    if (!this.leftE6.has(orderId)) this.leftE6.set(orderId, sizeE2 * 1e4)
    evictOldest(this.leftE6, MAX_REMEMBERED)
    if (this.settled.has(orderId)) return
    this.open.set(orderId, marketId)
    this.changedMs.set(marketId, nowMs)
  }

  /** What is known of it now; whatever is final counts once. */
  ended(
    { request }: PreparedOrder,
    outcome: OrderOutcome | { readonly kind: 'withheld' },
    nowMs: number,
  ): void {
    const { orderId, marketId, outcome: side, side: direction } = request
    if (outcome.kind === 'unknown' || outcome.kind === 'delayed') return
    if ('venueOrderId' in outcome && outcome.venueOrderId !== undefined)
      this.learn(outcome.venueOrderId, orderId)
    if (!this.open.delete(orderId) || this.settled.has(orderId)) return
    remember(this.settled, orderId)
    this.changedMs.set(marketId, nowMs)
    if (outcome.kind !== 'filled' && outcome.kind !== 'partial') return
    const isLong = (side === 'yes') === (direction === 'buy')
    this.add(marketId, isLong ? outcome.filledE6 : -outcome.filledE6)
  }

  learn(venueOrderId: string, orderId: string): void {
    this.byVenueId.set(venueOrderId, orderId)
    evictOldest(this.byVenueId, MAX_REMEMBERED)
  }

  /** A last word of the venue on an order. */
  onEnd(venueOrderId: string, orderId: string | undefined, filledE6: number): void {
    if (orderId === undefined) return
    this.learn(venueOrderId, orderId)
    this.ends.set(orderId, { venueOrderId, filledE6 })
    evictOldest(this.ends, MAX_REMEMBERED)
  }

  /** What the channel has told of an order's end. */
  endOf(orderId: string): { readonly venueOrderId: string; readonly filledE6: number } | undefined {
    return this.ends.get(orderId)
  }

  /** The venue has named it, in a list, by a fill, or by its end: it has arrived. */
  isHeardOf(orderId: string): boolean {
    for (const known of this.byVenueId.values()) if (known === orderId) return true
    return false
  }

  /** Whose a fill is; each trade is judged once. */
  judge({ tradeId, venueOrderId, orderId, countE6 }: AccountFill): FillVerdict {
    if (this.trades.has(tradeId)) return 'duplicate'
    const owner = orderId ?? this.byVenueId.get(venueOrderId)
    if (owner === undefined) return 'later'
    if (orderId !== undefined) this.learn(venueOrderId, orderId)
    remember(this.trades, tradeId)
    if (!this.isOurs(owner)) return 'foreign'
    const leftE6 = this.leftE6.get(owner)
    // Of an earlier life's order, and of what we have forgotten, nobody here knows the size.
    if (leftE6 === undefined) return 'own'
    this.leftE6.set(owner, leftE6 - countE6)
    return countE6 > leftE6 ? 'beyond' : 'own'
  }

  /** Nobody can say whose it is, so it is not ours. */
  disown({ tradeId }: AccountFill): void {
    remember(this.trades, tradeId)
  }

  /** What our fills come to; undefined while that may change under our hands. */
  expectedE6(marketId: string, quietSinceMs: number): number | undefined {
    const isMoving = (this.changedMs.get(marketId) ?? -Infinity) > quietSinceMs
    for (const market of this.open.values()) if (market === marketId) return undefined
    return isMoving ? undefined : (this.positions.get(marketId) ?? 0)
  }

  /** Markets that we have traded and that may still be open. */
  get markets(): readonly string[] {
    return [...new Set([...(this.before?.markets ?? []), ...this.changedMs.keys()])]
  }

  private isOurs(orderId: string): boolean {
    return this.ours.has(orderId) || this.before?.isOurs(orderId) === true
  }

  private add(marketId: string, sizeE6: number): void {
    this.positions.set(marketId, (this.positions.get(marketId) ?? 0) + sizeE6)
  }
}

function remember(memory: Set<string>, key: string): void {
  memory.add(key)
  evictOldest(memory, MAX_REMEMBERED)
}
