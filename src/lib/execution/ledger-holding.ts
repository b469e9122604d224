/**
 * What is held of an outcome for certain, by our own fills of all lives: what a sale may take. Whatever may still raise
 * it counts for nothing, whatever may lower it counts in full.
 */

import type { Outcome, Side, Venue } from '../model/venue.js'

export interface HeldMarket {
  readonly venue: Venue
  readonly marketId: string
  readonly gameId: string
  readonly outcome: Outcome
  /** A fill is provisional there until it is settled: it cannot be sold before. */
  readonly mustSettle: boolean
}

const SELECT_ORDERS = `
  select json_extract(intent.detail, '$.request.outcome') as outcome,
    json_extract(intent.detail, '$.request.side') as side,
    json_extract(intent.detail, '$.sizeE2') as size,
    final.kind as final, json_extract(final.detail, '$.filledE6') as filled,
    exists (select 1 from event as settled where settled.signal_id = intent.signal_id
      and settled.kind = 'settled' and settled.order_id = intent.order_id) as settled,
    (select max(coalesce(json_extract(voided.detail, '$.voidedE6'), json_extract(final.detail, '$.filledE6')))
      from event as voided where voided.signal_id = intent.signal_id and voided.kind = 'naked'
      and json_extract(voided.detail, '$.orderId') = intent.order_id) as voided
  from event as intent left join event as final
    on final.signal_id = intent.signal_id and final.order_id = intent.order_id
    and final.kind in ('filled', 'partial', 'none', 'rejected', 'stale', 'denied')
  where intent.kind = 'intent' and intent.game_id = ?
    and json_extract(intent.detail, '$.request.venue') = ?
    and json_extract(intent.detail, '$.request.marketId') = ?`

interface OrderRow {
  readonly outcome: Outcome
  readonly side: Side
  readonly size: number
  /** Null while it is in flight or unknown. */
  readonly final: string | null
  readonly filled: number | null
  readonly settled: number
  /** What the venue has given up of it; null for nothing. */
  readonly voided: number | null
}

/**
 * Contracts x 10^6, below 0 when more may be gone than came. `acceptedE6` is what the account holds beyond our fills,
 * +YES and -NO: what lowers ours counts. Kalshi holds YES less NO in one number, Polymarket each for itself.
 */
export function readHeldE6(
  { venue, marketId, gameId, outcome, mustSettle }: HeldMarket,
  acceptedE6: number,
  all: (sql: string, ...parameters: readonly string[]) => readonly unknown[],
): number {
  const isNet = venue === 'kalshi'
  const beyondE6 = outcome === 'yes' ? acceptedE6 : -acceptedE6
  let heldE6 = Math.min(0, beyondE6)
  for (const row of all(SELECT_ORDERS, gameId, venue, marketId) as readonly OrderRow[]) {
    const isSame = row.outcome === outcome
    if (!isSame && !isNet) continue
    const isCertain = !mustSettle || row.settled === 1
    if (isSame !== (row.side === 'buy'))
      heldE6 -= row.final === null ? Math.max(row.size * 10_000, row.filled ?? 0) : (row.filled ?? 0)
    else if (isCertain) heldE6 += (row.filled ?? 0) - (row.voided ?? 0)
  }
  return heldE6
}
