/** How callers name orders: by hash, by condition, by token. */

import type { PolyOrder } from './order.js'

export const isOrderId = (value: unknown): value is string =>
  typeof value === 'string' && /^0x[0-9a-fA-F]{64}$/.test(value)

/** Whether an order is among those that a filter names. */
export function isOf(
  { orderId, market, token }: PolyOrder,
  { id, market: asked, asset_id: assetId }: Readonly<Record<string, unknown>>,
): boolean {
  const given = [
    [id, orderId],
    [asked, market.id],
    [assetId, market.tokenIds[token]],
  ]
  return given.every(([wanted, own]) => wanted === undefined || wanted === own)
}
