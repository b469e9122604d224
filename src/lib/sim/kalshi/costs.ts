/** Kalshi's REST base path and what calls cost in rate-limit tokens (basic tier, as recorded). */

export const KALSHI_BASE = '/trade-api/v2'

/** Bucket sizes, refilled once a second. */
export const READ_TOKENS = 200
export const WRITE_TOKENS = 100
export const READ_COST = 10
export const ORDER_READ_COST = 2
export const CREATE_COST = 10
export const CANCEL_COST = 2
