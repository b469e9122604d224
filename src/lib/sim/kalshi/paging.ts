/** Paging and limits of Kalshi's list calls. */

import { parseJson } from '../http-host.js'

/** Which validator a limit breaks. */
export const limitTag = (limit: string | undefined): string => (Number(limit) > 1000 ? 'lte' : 'gte')

/** One page; the cursor is opaque, empty on the last page, and a garbage one starts over quietly. */
export function pageOf<T>(
  items: readonly T[],
  limit: number,
  cursor: string | undefined,
): { items: T[]; cursor: string } {
  const at = cursor === undefined ? 0 : parseJson(Buffer.from(cursor, 'base64url').toString())
  const offset = Number.isSafeInteger(at) && Number(at) >= 0 ? Number(at) : 0
  const next = offset + limit
  return {
    items: items.slice(offset, next),
    cursor: next < items.length ? Buffer.from(String(next)).toString('base64url') : '',
  }
}

/** A query's exchange index: undefined when absent, null when it is none. */
export function parseIndex(text: string | undefined): number | undefined | null {
  if (text === undefined || text === '') return undefined
  return /^(-1|\d)$/.test(text) ? Number(text) : null
}
