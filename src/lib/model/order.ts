/** Orders and what became of them. */

import { hashId } from '../core/ids.js'
import type { Env, Mode, Outcome, Side, Venue } from './venue.js'

/** One attempt at one leg: what the gateway is asked to send. Always immediate-or-cancel at the limit. */
export interface OrderRequest {
  readonly orderId: string
  readonly signalId: string
  readonly leg: number
  readonly attempt: number
  readonly venue: Venue
  readonly marketId: string
  readonly outcome: Outcome
  readonly side: Side
  /** In the outcome's own price space. */
  readonly limitE4: number
  readonly sizeE2: number
  /** When the signal was taken, Unix ms: part of what makes the same leg the same order. */
  readonly signalMs: number
}

export const ORDER_STATES = [
  'seen',
  'denied',
  'stale',
  'duplicate',
  'intent',
  'sent',
  'delayed',
  'filled',
  'partial',
  'none',
  'rejected',
  'unknown',
] as const
export type OrderState = (typeof ORDER_STATES)[number]

/** Order id = hash(env, mode, account, signal, leg, attempt): the same attempt is always the same order. */
export function orderIdOf(parts: {
  readonly env: Env
  readonly mode: Mode
  readonly account: string
  readonly signalId: string
  readonly leg: number
  readonly attempt: number
}): string {
  return hashId([
    'arbees:order:v1',
    parts.env,
    parts.mode,
    parts.account,
    parts.signalId,
    parts.leg,
    parts.attempt,
  ])
}

export const TRADE_STATUSES = ['filled', 'partial', 'none', 'rejected', 'unknown', 'voided'] as const
export type TradeStatus = (typeof TRADE_STATUSES)[number]
