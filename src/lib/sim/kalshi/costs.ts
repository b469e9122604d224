/** Kalshi's REST base path, its tiers, and what calls cost in rate-limit tokens. */

import { ArbeesError, EXIT } from '../../core/errors.js'

export const KALSHI_BASE = '/trade-api/v2'

/** Tokens a second, and how many seconds a bucket holds. */
interface Tier {
  readonly read: number
  readonly write: number
  readonly writeSeconds: number
}

const TIERS: Readonly<Record<string, Tier>> = {
  basic: { read: 200, write: 100, writeSeconds: 1 },
  advanced: { read: 300, write: 300, writeSeconds: 2 },
  expert: { read: 600, write: 600, writeSeconds: 2 },
  premier: { read: 1000, write: 1000, writeSeconds: 2 },
  paragon: { read: 2000, write: 2000, writeSeconds: 2 },
  prime: { read: 4000, write: 4000, writeSeconds: 2 },
  // Sources say 6000 and 10000: the stricter one.
  prestige: { read: 6000, write: 8000, writeSeconds: 2 },
}

/** Throws `SIM_ACCOUNTS` (exit 4) for a tier that the venue does not have. */
export function tierOf(name: string): Tier {
  const tier = Object.hasOwn(TIERS, name) ? TIERS[name] : undefined
  if (tier !== undefined) return tier
  throw new ArbeesError('SIM_ACCOUNTS', `no usage tier '${name}' at the simulated Kalshi`, {
    exit: EXIT.CONFIG,
    hint: `one of ${Object.keys(TIERS).join(', ')}`,
  })
}

export const DEFAULT_COST = 10

/** Calls that cost something else, as recorded (where the simulator has the call). */
export const ENDPOINT_COSTS = [
  ['DELETE', '/portfolio/events/orders/:order_id', 2],
  ['POST', '/portfolio/orders', 20],
  ['DELETE', '/portfolio/orders/:order_id', 4],
  ['GET', '/portfolio/orders/:order_id', 2],
  ['POST', '/portfolio/orders/:order_id/amend', 20],
  ['POST', '/portfolio/orders/:order_id/decrease', 20],
  ['DELETE', '/portfolio/orders/batched', 4],
  ['POST', '/portfolio/orders/batched', 20],
].map(([method, route, cost]) => ({ cost: Number(cost), method, path: `${KALSHI_BASE}${route}` }))

/** Tokens that a call takes from its bucket; `route` is the path below the base, with its placeholders. */
export function costOf(method: string, route: string): number {
  const path = `${KALSHI_BASE}${route}`
  return ENDPOINT_COSTS.find((entry) => entry.method === method && entry.path === path)?.cost ?? DEFAULT_COST
}
