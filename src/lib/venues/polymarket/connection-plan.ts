/**
 * Over how many connections the followed markets are spread, and which of them takes a market. A market has two tokens.
 * Pure: what a connection is, its user says.
 */

/** Connections may differ by this share of the limit before a market is moved for the balance alone. */
const SLACK = 0.25
/** A connection is given up only when the rest then fill at most this share of what they may hold. */
const FULL = 0.75

export interface Load {
  /** Tokens on it. */
  readonly assets: number
}

/** How many connections so many tokens are worth; `open` of them stand. One in four is left free before one closes. */
export function connectionsFor(assets: number, open: number, limit: number): number {
  const needed = Math.ceil(assets / limit)
  return Math.max(needed, Math.min(open, Math.ceil(assets / (limit * FULL))))
}

/** The emptiest connection. */
export function emptiest<T extends Load>(loads: readonly T[]): T | undefined {
  return loads.reduce<T | undefined>(
    (least, each) => (least === undefined || each.assets < least.assets ? each : least),
    undefined,
  )
}

/** From where to where one market should move for the sake of balance; undefined when it is good enough. */
export function imbalance<T extends Load>(
  loads: readonly T[],
  limit: number,
): { readonly from: T; readonly to: T } | undefined {
  const to = emptiest(loads)
  const from = loads.reduce<T | undefined>(
    (most, each) => (most === undefined || each.assets > most.assets ? each : most),
    undefined,
  )
  if (from === undefined || to === undefined) return undefined
  return from.assets - to.assets > Math.max(2, limit * SLACK) ? { from, to } : undefined
}
