/** The money of an order, from `GET /portfolio/fills`. */

import { ArbeesError, EXIT } from '../../core/errors.js'
import { sanitize } from '../../core/sanitize.js'
import type { OrderRequest } from '../../model/order.js'
import { parseScaled } from '../../model/price.js'
import type { FillReport } from '../ports.js'
import { badReply } from './rest-result.js'
import { isJsonObject, textOf } from './wire.js'

/** E6 dollars x E6 contracts. */
const E12_PER_MICRO = 10n ** 6n

/**
 * Sums an order's fills. Cash is positive, paid for a buy or received for a sell, at the price of the request's own
 * outcome; a fraction of a micro-dollar goes against us. Throws `FILLS_NOT_VISIBLE` until the counts add up to what
 * the venue said was filled, `FILLS_DISAGREE` (integrity) when they exceed it.
 */
export function sumFills(
  items: readonly unknown[],
  request: Pick<OrderRequest, 'outcome' | 'side'>,
  filled: { readonly venueOrderId: string; readonly filledE6: number },
): FillReport {
  const ids = new Set<string>()
  let countE6 = 0
  let cashE12 = 0n
  let feesMicros = 0
  for (const item of items) {
    if (!isJsonObject(item)) throw badReply('GET /portfolio/fills')
    if (item['order_id'] !== filled.venueOrderId) continue
    const fill = readFill(item, request.outcome)
    if (ids.has(fill.id)) continue
    ids.add(fill.id)
    countE6 += fill.countE6
    cashE12 += BigInt(fill.priceE6) * BigInt(fill.countE6)
    feesMicros += fill.feeMicros
  }
  const shown = sanitize(filled.venueOrderId, 64)
  if (countE6 < filled.filledE6) {
    throw new ArbeesError(
      'FILLS_NOT_VISIBLE',
      `Kalshi shows fills of ${countE6} of ${filled.filledE6} (E6) for order ${shown}`,
      { hint: 'ask again: the list of fills lags behind the order by a second or so' },
    )
  }
  if (countE6 > filled.filledE6) {
    throw new ArbeesError(
      'FILLS_DISAGREE',
      `Kalshi shows fills of ${countE6} for order ${shown}, which it said filled ${filled.filledE6} (E6)`,
      { exit: EXIT.INTEGRITY, hint: 'query the order, then compare with the account page' },
    )
  }
  const roundUp = request.side === 'buy' ? E12_PER_MICRO - 1n : 0n
  return { cashMicros: Number((cashE12 + roundUp) / E12_PER_MICRO), feesMicros, venueTradeIds: [...ids] }
}

interface Fill {
  readonly id: string
  readonly priceE6: number
  readonly countE6: number
  readonly feeMicros: number
}

function readFill(item: Readonly<Record<string, unknown>>, outcome: OrderRequest['outcome']): Fill {
  const id = textOf(item['trade_id']) ?? textOf(item['fill_id'])
  const priceE6 = scaled(item[outcome === 'yes' ? 'yes_price_dollars' : 'no_price_dollars'])
  const countE6 = scaled(item['count_fp'])
  const feeMicros = scaled(item['fee_cost'])
  if (id === undefined || priceE6 === undefined || countE6 === undefined || feeMicros === undefined) {
    throw badReply('GET /portfolio/fills')
  }
  if (priceE6 < 0 || priceE6 > 1_000_000 || countE6 <= 0 || feeMicros < 0)
    throw badReply('GET /portfolio/fills')
  return { id, priceE6, countE6, feeMicros }
}

const scaled = (value: unknown): number | undefined =>
  typeof value === 'string' ? parseScaled(value, 6) : undefined
