/** What the ledger says of our trading at one venue over all lives: what its account is compared with. */

import type { Venue } from '../model/venue.js'
import type { OwnTrading } from '../venues/ports.js'

const SELECT_FILLED = `
  select json_extract(intent.detail, '$.request.marketId') as market_id,
    json_extract(intent.detail, '$.request.outcome') as outcome,
    json_extract(intent.detail, '$.request.side') as side,
    sum(json_extract(fill.detail, '$.filledE6')) as filled
  from event as fill join event as intent on intent.kind = 'intent' and intent.order_id = fill.order_id
  where fill.kind in ('filled', 'partial') and json_extract(intent.detail, '$.request.venue') = ?
  group by 1, 2, 3`

const SELECT_OPEN_MARKETS = `
  select distinct json_extract(detail, '$.request.marketId') as market_id from event
  where kind = 'intent' and json_extract(detail, '$.request.venue') = ?
    and game_id not in (select game_id from event where kind = 'game_final')`

const SELECT_ACCEPTED = `
  select json_extract(detail, '$.positions') as positions from event
  where kind = 'accepted' and json_extract(detail, '$.venue') = ? order by id desc limit 1`

const SELECT_INTENT = "select 1 from event where kind = 'intent' and order_id = ?"

/** Detail of an `accepted` event: the latest one of a venue is in force. */
export interface AcceptedDetail {
  readonly venue: Venue
  /** By market, what its account holds beyond what our fills explain, contracts x 10^6. */
  readonly positions: Readonly<Record<string, number>>
}

/** `all` runs one query with one parameter; `isOurs` runs one each time. */
export function readOwnTrading(
  venue: Venue,
  all: (sql: string, parameter: string) => readonly unknown[],
): OwnTrading {
  const rows = (sql: string) => all(sql, venue) as readonly Readonly<Record<string, unknown>>[]
  const positions = new Map<string, number>()
  for (const { market_id: id, outcome, side, filled } of rows(SELECT_FILLED)) {
    const isLong = (outcome === 'yes') === (side === 'buy')
    const marketId = String(id)
    positions.set(marketId, (positions.get(marketId) ?? 0) + (isLong ? Number(filled) : -Number(filled)))
  }
  return {
    positions,
    markets: rows(SELECT_OPEN_MARKETS).map(({ market_id: id }) => String(id)),
    accepted: readAccepted(venue, all),
    isOurs: (orderId) => all(SELECT_INTENT, orderId).length > 0,
  }
}

/** By market, what a venue's account holds beyond our fills with the operator's consent, contracts x 10^6, +YES and -NO. */
export function readAccepted(
  venue: Venue,
  all: (sql: string, parameter: string) => readonly unknown[],
): ReadonlyMap<string, number> {
  const [accepted] = all(SELECT_ACCEPTED, venue) as readonly Readonly<Record<string, unknown>>[]
  const text = accepted?.['positions']
  const told = JSON.parse(typeof text === 'string' ? text : '{}') as AcceptedDetail['positions']
  return new Map(Object.entries(told))
}
