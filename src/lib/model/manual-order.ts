/**
 * An order that somebody types: a plan of one leg, given to exec on its recovery socket, and what exec answers.
 *
 *     {"order_id":"9f…","env":"sim","mode":"live","by":"ops@host","venue":"kalshi","market_id":"KXNBAGAME-…-BOS",
 *      "outcome":"yes","side":"buy","limit":0.57,"size":10,"valid_ms":1500,"asked_ms":…,"asked_us":…,"host":"…"}
 *
 * Asked again with the same id it is the same order: exec answers what has become of it and sends nothing more.
 */

import { wordsOf } from './halt.js'
import { priceE4FromWire, sizeE2FromWire } from './price.js'
import type { Signal } from './signal.js'
import { ENVS, MODES, VENUES } from './venue.js'
import type { Env, Mode, Outcome, Side, Venue } from './venue.js'

/** As it crosses the socket: dollars and contracts. */
export interface ManualOrder {
  /** Drawn once by whoever asks, 32 hex digits. */
  readonly order_id: string
  /** Whose exec is meant: any other refuses. */
  readonly env: Env
  readonly mode: Mode
  /** User and host, for the record. */
  readonly by: string
  readonly venue: Venue
  readonly market_id: string
  readonly outcome: Outcome
  readonly side: Side
  /** The worst price, of the outcome. */
  readonly limit: number
  readonly size: number
  /** It may be sent only this long after it was asked for. */
  readonly valid_ms: number
  /** The asker's wall clock, and its monotonic clock, which counts where exec runs on the same host. */
  readonly asked_ms: number
  readonly asked_us: number
  readonly host: string
  /** What proves that it comes from a holder of the signals' key. */
  readonly hmac?: string
}

/** Why exec has nothing to do with an order: nothing of it is on record. */
export type ManualRefusal =
  /** It is exec of another env or mode. */
  | 'OTHER_EXEC'
  /** Its seal is missing or wrong. */
  | 'BAD_SEAL'
  /** Its limit or size is finer than any venue's. */
  | 'BAD_ORDER'
  /** This id is on record for another order. */
  | 'ID_REUSED'
  /** It cannot write, or read, its ledger. */
  | 'LEDGER_FAILED'
  /** It is starting, or stopping: ask again. */
  | 'NOT_READY'

/** What is on record of an order. */
export interface ManualOutcome {
  /** The plan's id on record, and the order's own, which `orders.` and `trades.` carry. */
  readonly signal_id: string
  readonly order_id: string
  /** `voided` beside the states of an order: the venue took the fill back. */
  readonly state: string
  readonly reason?: string
  readonly checks: readonly { readonly name: string; readonly value: number; readonly limit: number }[]
  /** Contracts, for certain. */
  readonly filled: number
  /** The venue's own money, micro-dollars, once it has told it: paid for a buy, received for a sale. */
  readonly cash_micros?: number
  readonly fees_micros?: number
  /** This exec changes nothing about it any more. */
  readonly over: boolean
}

export type ManualAnswer = { readonly env: Env; readonly mode: Mode } & (
  { readonly refused: ManualRefusal } | ManualOutcome
)

const ID = /^[0-9a-f]{32}$/
const REFUSALS: readonly ManualRefusal[] = [
  'OTHER_EXEC',
  'BAD_SEAL',
  'BAD_ORDER',
  'ID_REUSED',
  'LEDGER_FAILED',
  'NOT_READY',
]
const SIGNAL_PREFIX = 'manual-'
const MAX_TEXT = 200

/** The id of its plan: what the ledger, `orders.` and `trades.` call it. */
export const manualSignalId = (orderId: string): string => `${SIGNAL_PREFIX}${orderId}`
/** Whether a signal id is a manual order's: no signal of it was ever published. */
export const isManualId = (signalId: string): boolean => signalId.startsWith(SIGNAL_PREFIX)

/** One open at a time in a market. */
const manualPair = ({ venue, market_id: id }: Pick<ManualOrder, 'venue' | 'market_id'>): string =>
  `${SIGNAL_PREFIX}${venue} ${id}`

/** The plan that it is; undefined when its limit or size is finer than our integers. */
export function manualSignal(order: ManualOrder, gameId: string): Signal | undefined {
  const limitE4 = priceE4FromWire(order.limit)
  const sizeE2 = sizeE2FromWire(order.size)
  if (limitE4 === undefined || sizeE2 === undefined) return undefined
  const { venue, market_id: marketId, outcome, side } = order
  return {
    id: manualSignalId(order.order_id),
    kind: 'manual',
    gameId,
    pair: manualPair(order),
    legs: [{ venue, marketId, outcome, side, limitE4, sizeE2 }],
    sizeE2,
    grossEdgeMicros: 0,
    feesMicros: 0,
    netEdgeMicros: 0,
    worstPayoutMicros: 0,
    inputs: [],
    validMs: order.valid_ms,
  }
}

type JsonObject = Readonly<Record<string, unknown>>

/** Reads one from a socket; undefined for anything that is none. Never throws. */
export function manualOrderOf(value: unknown): ManualOrder | undefined {
  if (!isObject(value)) return undefined
  const { order_id, env, mode, venue, market_id, outcome, side, limit, size, host, hmac } = value
  const { valid_ms, asked_ms, asked_us } = value
  const isSound =
    typeof order_id === 'string' &&
    ID.test(order_id) &&
    isText(market_id) &&
    isText(host) &&
    (outcome === 'yes' || outcome === 'no') &&
    (side === 'buy' || side === 'sell') &&
    isFinite(limit) &&
    isFinite(size) &&
    isCount(valid_ms) &&
    isCount(asked_ms) &&
    isCount(asked_us) &&
    (hmac === undefined || isText(hmac))
  if (!isSound || !isOneOf(ENVS, env) || !isOneOf(MODES, mode) || !isOneOf(VENUES, venue)) return undefined
  return {
    ...{ order_id, env, mode, by: wordsOf(value['by']) ?? 'unknown', venue, market_id, outcome, side },
    ...{ limit, size, valid_ms, asked_ms, asked_us, host, ...(hmac === undefined ? {} : { hmac }) },
  }
}

/** Reads an answer; undefined for anything that is none. Never throws. */
export function manualAnswerOf(value: unknown): ManualAnswer | undefined {
  if (!isObject(value)) return undefined
  const { env, mode, refused, signal_id, order_id, state, reason, checks, filled, over } = value
  const { cash_micros, fees_micros } = value
  if (!isOneOf(ENVS, env) || !isOneOf(MODES, mode)) return undefined
  if (refused !== undefined) return isOneOf(REFUSALS, refused) ? { env, mode, refused } : undefined
  const isSound =
    isText(signal_id) &&
    isText(order_id) &&
    isText(state) &&
    (reason === undefined || typeof reason === 'string') &&
    Array.isArray(checks) &&
    isFinite(filled) &&
    typeof over === 'boolean'
  if (!isSound) return undefined
  return {
    ...{ env, mode, signal_id, order_id, state, filled, over },
    ...(reason === undefined ? {} : { reason }),
    checks: checks.filter(isCheck),
    ...(isFinite(cash_micros) && isFinite(fees_micros) ? { cash_micros, fees_micros } : {}),
  }
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= MAX_TEXT
const isFinite = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0
const isOneOf = <T>(allowed: readonly T[], value: unknown): value is T =>
  (allowed as readonly unknown[]).includes(value)
const isCheck = (value: unknown): value is ManualOutcome['checks'][number] =>
  isObject(value) && isText(value['name']) && isFinite(value['value']) && isFinite(value['limit'])
