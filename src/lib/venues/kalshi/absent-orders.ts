/**
 * When a list without an order proves that it never arrived. Kalshi refuses a request whose signed timestamp is some 30 s
 * old (`header_timestamp_expired`), so what is not there by twice that will not come, and its lists lag by seconds; two
 * looks, well apart, must agree. Pure; times are our monotonic clock's, ms.
 */

import { evictOldest } from '../../core/evict-oldest.js'

export interface AbsenceTiming {
  /** The first look that counts begins so long after the order was signed, or after this life first knew of it. */
  readonly afterMs: number
  /** The second so long after the first. */
  readonly againAfterMs: number
}

export const ABSENCE_TIMING: AbsenceTiming = { afterMs: 60_000, againAfterMs: 20_000 }

const MAX_REMEMBERED = 20_000

export class AbsentOrders {
  private readonly knownMs = new Map<string, number>()
  private readonly missedMs = new Map<string, number>()

  constructor(private readonly timing: AbsenceTiming) {}

  /** It was signed at `nowMs` at the latest; the first call counts. */
  known(orderId: string, nowMs: number): void {
    if (!this.knownMs.has(orderId)) this.knownMs.set(orderId, nowMs)
    evictOldest(this.knownMs, MAX_REMEMBERED)
  }

  /** Whether a look that began at `askedMs` can tell anything. */
  canTell(orderId: string, askedMs: number): boolean {
    const knownMs = this.knownMs.get(orderId)
    return knownMs !== undefined && askedMs - knownMs >= this.timing.afterMs
  }

  /** A look that began at `askedMs` read all and found nothing of it. True when that is the proof. */
  missed(orderId: string, askedMs: number): boolean {
    if (!this.canTell(orderId, askedMs)) return false
    const firstMs = this.missedMs.get(orderId)
    if (firstMs !== undefined) return askedMs - firstMs >= this.timing.againAfterMs
    this.missedMs.set(orderId, askedMs)
    evictOldest(this.missedMs, MAX_REMEMBERED)
    return false
  }

  /** Something of it was there, or might have been: looks count anew. */
  seen(orderId: string): void {
    this.missedMs.delete(orderId)
  }
}
