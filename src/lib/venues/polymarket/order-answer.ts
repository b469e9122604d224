/** What the venue's answers about an order mean: the answer to `POST /order`, order records, and trades. */

import { sanitize } from '../../core/sanitize.js'
import { parseScaled } from '../../model/price.js'
import type { OrderOutcome, Withheld } from '../ports.js'
import type { OrderAmounts } from './amounts.js'
import { parseJson, type HttpResult } from './http.js'
import { classifyRefusal } from './rest.js'

type Side = 'buy' | 'sell'
type Json = { readonly [field: string]: unknown }

const unknown = (reason: string, answer?: Json): OrderOutcome => {
  const matchedTradeIds = answer === undefined ? undefined : matchedTradesOf(answer)
  const matched = matchedTradeIds === undefined ? {} : { matchedTradeIds }
  return { kind: 'unknown', reason: sanitize(reason, 200), ...matched }
}

/** The trades that the answer to an order names; undefined when nothing in it tells of a match. */
function matchedTradesOf(answer: Json): readonly string[] | undefined {
  const tradeIds = textsOf(answer.tradeIDs)
  const amounts = [answer.makingAmount, answer.takingAmount].map(amountE6)
  const tells =
    answer.status === 'matched' ||
    tradeIds.length > 0 ||
    textsOf(answer.transactionsHashes).length > 0 ||
    amounts.some((amount) => amount !== undefined && amount > 0n)
  return tells ? tradeIds : undefined
}

/** The outcome of a `POST /order`: an acceptance is believed only when it is whole, a refusal only when documented. */
export function outcomeOf(
  result: HttpResult,
  side: Side,
  amounts: OrderAmounts,
  orderId: string,
): OrderOutcome | Withheld {
  if (result.kind === 'failed') {
    if (result.code === 'WITHHELD') return { kind: 'withheld' }
    return result.sent
      ? unknown(`${result.code}: ${result.message}`)
      : { kind: 'rejected', code: 'NOT_SENT', message: sanitize(result.message, 200) }
  }
  const { status, text } = result
  const answer = asObject(parseJson(text))
  if (status === 200 && answer !== undefined && isAccepted(answer)) {
    return accepted(answer, side, amounts)
  }
  const refusal = classifyRefusal(status, text)
  if (refusal?.kind === 'none') return { kind: 'none', venueOrderId: orderId }
  if (refusal !== undefined) return { kind: 'rejected', code: refusal.code, message: refusal.message }
  if (status === 200 && answer !== undefined && isBlank(answer.orderID) && !isBlank(answer.errorMsg)) {
    return { kind: 'rejected', code: 'NOT_ACCEPTED', message: sanitize(String(answer.errorMsg), 200) }
  }
  return unknown(`status ${status}: ${text.slice(0, 120)}`, status === 200 ? answer : undefined)
}

function isAccepted(answer: Json): boolean {
  return answer.success === true && isBlank(answer.errorMsg) && !isBlank(answer.orderID)
}

function accepted(answer: Json, side: Side, amounts: OrderAmounts): OrderOutcome {
  const venueOrderId = String(answer.orderID)
  switch (answer.status) {
    case 'matched':
      return matched(answer, venueOrderId, side, amounts)
    case 'delayed':
      return { kind: 'delayed', venueOrderId }
    case 'unmatched':
      return { kind: 'none', venueOrderId }
    default:
      return unknown(`accepted with status ${String(answer.status)}`, answer)
  }
}

/** making is what we gave and taking what we got, in whole units with decimals. */
function matched(answer: Json, venueOrderId: string, side: Side, amounts: OrderAmounts): OrderOutcome {
  const making = amountE6(answer.makingAmount)
  const taking = amountE6(answer.takingAmount)
  if (making === undefined || taking === undefined || making <= 0n || taking <= 0n) {
    return unknown('matched without amounts', answer)
  }
  if (making > amounts.makerE6) return unknown('matched for more than the order', answer)
  const shares = side === 'buy' ? taking : making
  const kind =
    making >= amounts.makerE6 || (side === 'buy' && taking >= amounts.takerE6) ? 'filled' : 'partial'
  return { kind, venueOrderId, filledE6: Number(shares) }
}

export type OrderRecord =
  /** `GET /data/order` knows active orders alone. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'unreadable'; readonly reason: string }
  | {
      readonly kind: 'order'
      /** Upper case, without a prefix: LIVE, MATCHED, DELAYED, UNMATCHED, CANCELED, CANCELED_… */
      readonly status: string
      readonly tradeIds: readonly string[]
      readonly matchedNothing: boolean
      /** It says that something matched: not the opposite of `matchedNothing`, where it says neither. */
      readonly isMatched: boolean
    }

export function readOrder(result: HttpResult): OrderRecord {
  if (result.kind === 'failed') return { kind: 'unreadable', reason: result.message }
  if (result.status === 404) return { kind: 'absent' }
  const json = parseJson(result.text)
  if (result.status === 200 && (json === null || result.text.trim() === '')) return { kind: 'absent' }
  const record = asObject(json)
  if (result.status !== 200 || record === undefined || typeof record.status !== 'string') {
    return { kind: 'unreadable', reason: `order: status ${result.status}` }
  }
  const status = record.status.toUpperCase().replace(/^ORDER_STATUS_/, '')
  const tradeIds = textsOf(record.associate_trades)
  const matchedE6 = amountE6(record.size_matched)
  return {
    kind: 'order',
    status,
    tradeIds,
    matchedNothing: isBlank(record.size_matched) || matchedE6 === 0n,
    isMatched: status === 'MATCHED' || tradeIds.length > 0 || (matchedE6 ?? 0n) > 0n,
  }
}

/** Whether a cancel took this order off. */
export function readCanceled(result: HttpResult, orderId: string): boolean {
  if (result.kind === 'failed' || result.status !== 200) return false
  const canceled = asObject(parseJson(result.text))?.canceled
  return Array.isArray(canceled) && canceled.some((id) => String(id).toLowerCase() === orderId.toLowerCase())
}

/** So many shares at one price of our token. */
export interface Match {
  readonly priceE6: bigint
  readonly sizeE6: bigint
}

export interface Trade {
  readonly id: string
  readonly sizeE6: bigint
  /** What its makers gave, each at his own price; the trade's own price where they do not add up to its size. */
  readonly matches: readonly Match[]
  /** `failed`: the venue gave the match up, it pays nothing. Whatever is neither of the two may become either. */
  readonly settled: 'confirmed' | 'failed' | 'pending'
}

/** MATCHED, MATCHED_NOT_BROADCASTED, MINED and RETRYING are under way, and so is what we have never heard of. */
function settledOf(status: string): Trade['settled'] {
  const [, word] = /^(?:TRADE_STATUS_)?(CONFIRMED|FAILED)$/i.exec(status) ?? []
  return word === undefined ? 'pending' : word.toUpperCase() === 'FAILED' ? 'failed' : 'confirmed'
}

export interface TradePage {
  /** Of the asked order alone. */
  readonly trades: readonly Trade[]
  /** Undefined on the last page. */
  readonly nextCursor: string | undefined
}

const LAST_CURSOR = 'LTE='

/**
 * A page of `GET /data/trades`, its trades of one taker order; undefined when any part of it cannot be read. Prices finer
 * than a micro-dollar are rounded against us.
 */
export function readTrades(result: HttpResult, orderId: string, side: Side): TradePage | undefined {
  if (result.kind === 'failed' || result.status !== 200) return undefined
  const json = parseJson(result.text)
  const page = asObject(json)
  const rows: unknown = Array.isArray(json) ? json : page?.data
  if (!Array.isArray(rows)) return undefined
  const trades: Trade[] = []
  for (const value of rows) {
    const row = asObject(value)
    if (row === undefined) return undefined
    if (String(row.taker_order_id).toLowerCase() !== orderId.toLowerCase()) continue
    const priceE6 = priceE6Of(row.price, side === 'buy' ? 'up' : 'down')
    const sizeE6 = floorE6(row.size)
    if (typeof row.id !== 'string' || priceE6 === undefined) return undefined
    if (sizeE6 === undefined || typeof row.status !== 'string') return undefined
    const matches = matchesOf(row, sizeE6, side) ?? [{ priceE6, sizeE6 }]
    trades.push({ id: row.id, sizeE6, matches, settled: settledOf(row.status) })
  }
  const next = page?.next_cursor
  const nextCursor = typeof next === 'string' && next !== '' && next !== LAST_CURSOR ? next : undefined
  return { trades, nextCursor }
}

/** A maker of the other token gives at the complement of his price. Undefined unless they add up to the trade's size. */
function matchesOf(
  { asset_id: assetId, maker_orders: makers }: Json,
  sizeE6: bigint,
  side: Side,
): readonly Match[] | undefined {
  if (!Array.isArray(makers) || typeof assetId !== 'string') return undefined
  const matches: Match[] = []
  for (const maker of makers.map(asObject)) {
    const isOther = maker?.asset_id !== assetId
    const priceE6 = priceE6Of(maker?.price, (side === 'buy') === isOther ? 'down' : 'up')
    const amount = floorE6(maker?.matched_amount)
    if (typeof maker?.asset_id !== 'string' || priceE6 === undefined || amount === undefined) return undefined
    matches.push({ priceE6: isOther ? ONE_E6 - priceE6 : priceE6, sizeE6: amount })
  }
  const missingE6 = matches.reduce((left, match) => left - match.sizeE6, sizeE6)
  return missingE6 > -SIZE_STEP_E6 && missingE6 < SIZE_STEP_E6 ? matches : undefined
}

/** Of a share or a pUSD. */
const ONE_E6 = 1_000_000n
/** The venue writes some sizes with two decimals. */
export const SIZE_STEP_E6 = 10_000n

function priceE6Of(value: unknown, rounded: 'up' | 'down'): bigint | undefined {
  const floor = floorE6(value)
  if (floor === undefined) return undefined
  const priceE6 = rounded === 'up' && amountE6(value) === undefined ? floor + 1n : floor
  return priceE6 > ONE_E6 ? undefined : priceE6
}

function floorE6(value: unknown): bigint | undefined {
  const scaled = typeof value === 'string' ? parseScaled(value, 6, { floor: true }) : undefined
  return scaled === undefined || scaled < 0 ? undefined : BigInt(scaled)
}

const textsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string' && each !== '') : []

function amountE6(value: unknown): bigint | undefined {
  const scaled = typeof value === 'string' ? parseScaled(value, 6) : undefined
  return scaled === undefined || scaled < 0 ? undefined : BigInt(scaled)
}

function asObject(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined
}

const isBlank = (value: unknown): boolean => value === undefined || value === null || value === ''
