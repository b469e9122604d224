/** What earlier lives of exec left in the ledger: plans with their orders, as far as they still matter. */

import { ArbeesError, EXIT } from '../core/errors.js'
import { haltOrderOf } from '../model/halt.js'
import type { HaltOrder } from '../model/halt.js'
import type { GameMarket } from '../model/game.js'
import type { OrderRequest } from '../model/order.js'
import type { Signal } from '../model/signal.js'
import type { FillReport, PreparedOrder } from '../venues/ports.js'
import { LEDGER_KINDS, SELECT_HALT, SELECT_INTERRUPTED, SELECT_OPEN_EXPOSURE } from './ledger-schema.js'
import type { LedgerKind } from './ledger-schema.js'

/** A place in a source of signals. */
export interface SeenPlace {
  readonly epoch: number
  readonly seq: number
}

/** What is known of a signal that came: the plan, when it was taken (Unix ms, the shard's clock) and its trace. */
export interface SeenDetail {
  readonly signal: Signal
  readonly signalMs: number
  readonly trace: string
  /** Who typed it, of a manual order. */
  readonly by?: string
  /** Where it came from; absent for a manual order, and in a ledger of an arbees that kept no positions. */
  readonly at?: SeenPlace & { readonly source: string }
}

/** Detail of an `intent` event: with its body, all that `PreparedOrder` holds. */
export interface IntentDetail {
  readonly request: OrderRequest
  readonly market: GameMarket
  readonly sizeE2: number
  readonly venueOrderId?: string
}

/** Detail of `filled` and `partial`. */
export interface FillDetail {
  readonly venueOrderId: string
  readonly filledE6: number
}

/** Detail of the `unknown` event of an order that is given up until the next start: it counts from then on. */
export interface LeftDetail {
  readonly left: true
  /** What has filled for certain, 0 for nothing. */
  readonly filledE6: number
}

/** What was counted of an order when it was left unknown. */
export interface TakenCount {
  readonly order: boolean
  readonly fill: boolean
}

export interface LedgerOrder {
  readonly prepared: PreparedOrder
  /** The last word on it; an intent, sent, delayed or unknown one is in flight. */
  readonly state: LedgerKind
  readonly filledE6: number
  readonly venueOrderId: string | undefined
  readonly money: FillReport | undefined
  /** What the venue has given up of its fill, contracts x 10^6. */
  readonly voidedE6: number
  /** Its fill is final at a venue where one is provisional at first. */
  readonly settled: boolean
  readonly counted: TakenCount
}

export interface LedgerPlan extends SeenDetail {
  readonly orders: readonly LedgerOrder[]
  readonly done: boolean
  /** Its last end left something unhedged or unknown, or a fill of it was voided. */
  readonly naked: boolean
}

const IN_FLIGHT: ReadonlySet<LedgerKind> = new Set(['intent', 'sent', 'delayed', 'unknown'])
export const isInFlight = ({ state }: LedgerOrder): boolean => IN_FLIGHT.has(state)

interface Row {
  /** 0 where it was not asked for. */
  readonly atMs: number
  readonly kind: LedgerKind
  readonly signalId: string
  readonly orderId: string
  readonly detail: Readonly<Record<string, unknown>>
  readonly body: string
}

type MutableOrder = { -readonly [K in keyof LedgerOrder]: LedgerOrder[K] }
interface MutablePlan {
  readonly seen: SeenDetail
  readonly orders: Map<string, MutableOrder>
  done: boolean
  voided: boolean
  /** What the end being recorded says, and what the last whole one said. */
  ending: 'even' | 'naked'
  ended: 'even' | 'naked'
}

export class LedgerHistory {
  /** Plans that sent something in games that are not final. */
  readonly plans: readonly LedgerPlan[]
  /** Signals that were seen and then nothing: exec died before it decided. */
  readonly interrupted: readonly SeenDetail[]
  /** What trading was halted by when the last life ended. */
  readonly haltedBy: HaltOrder | undefined

  /** `select` runs one query. Throws `LEDGER_CORRUPT` (exit INTEGRITY) for rows that this program never wrote. */
  constructor(select: (sql: string) => readonly unknown[], path: string) {
    const read = (sql: string) => select(sql).map((row) => readRow(row, path))
    this.plans = foldPlans(read(SELECT_OPEN_EXPOSURE), path)
    const [last] = read(SELECT_HALT)
    this.haltedBy = last?.kind === 'halted' ? haltOrderOf(last.detail) : undefined
    this.interrupted = read(SELECT_INTERRUPTED).map(({ detail }) => seenDetail(detail, path))
  }

  /** Orders whose fate is not known. */
  get inFlight(): readonly LedgerOrder[] {
    return this.plans.flatMap(({ orders }) => orders.filter(isInFlight))
  }
}

function foldPlans(rows: readonly Row[], path: string): LedgerPlan[] {
  const plans = new Map<string, MutablePlan>()
  for (const row of rows) {
    if (row.kind === 'seen') {
      const seen = seenDetail(row.detail, path)
      plans.set(row.signalId, {
        seen,
        orders: new Map(),
        done: false,
        voided: false,
        ending: 'even',
        ended: 'even',
      })
      continue
    }
    const plan = plans.get(row.signalId)
    if (plan === undefined) throw damaged(path, `${row.kind} of ${row.signalId} without its signal`)
    applyRow(plan, row, path)
  }
  return [...plans.values()].map(({ seen, orders, done, voided, ending, ended }) => ({
    ...seen,
    orders: [...orders.values()],
    done,
    naked: voided || ending === 'naked' || ended === 'naked',
  }))
}

function applyRow(plan: MutablePlan, row: Row, path: string): void {
  if (row.kind === 'done') {
    plan.done = true
    plan.ended = plan.ending
    plan.ending = 'even'
  } else if (row.kind === 'naked') {
    if (row.detail['reason'] === 'voided') applyVoid(plan, row.detail)
    else plan.ending = 'naked'
  } else if (row.kind === 'intent') plan.orders.set(row.orderId, newOrder(row, path))
  else if (row.orderId !== '') applyOutcome(plan, row, path)
}

function applyVoid(plan: MutablePlan, { orderId, voidedE6 }: Row['detail']): void {
  plan.voided = true
  const order = plan.orders.get(String(orderId))
  // An arbees before this one voided fills as a whole.
  if (order !== undefined) order.voidedE6 = typeof voidedE6 === 'number' ? voidedE6 : order.filledE6
}

function applyOutcome(plan: MutablePlan, { atMs, kind, orderId, detail }: Row, path: string): void {
  const order = plan.orders.get(orderId)
  if (order === undefined) throw damaged(path, `${kind} of ${orderId} without its intent`)
  if (kind === 'money') {
    order.money = {
      cashMicros: integer(detail['cashMicros'], path),
      feesMicros: integer(detail['feesMicros'], path),
      venueTradeIds: Array.isArray(detail['venueTradeIds']) ? detail['venueTradeIds'].map(String) : [],
    }
    return
  }
  if (kind === 'settled') {
    order.settled = true
    return
  }
  order.state = kind
  if (kind === 'sent') order.prepared = { ...order.prepared, sentMs: atMs }
  if (kind === 'delayed') order.prepared = { ...order.prepared, acknowledged: true }
  if (kind === 'unknown' && detail['left'] === true) {
    const fill = order.counted.fill || integer(detail['filledE6'], path) > 0
    order.counted = { order: true, fill }
  }
  const { matchedTradeIds } = detail
  if (Array.isArray(matchedTradeIds)) {
    const ids = [...(order.prepared.matchedTradeIds ?? []), ...matchedTradeIds.map(String)]
    order.prepared = { ...order.prepared, matchedTradeIds: [...new Set(ids)] }
  }
  if (typeof detail['venueOrderId'] === 'string') order.venueOrderId = detail['venueOrderId']
  if (kind === 'filled' || kind === 'partial') order.filledE6 = integer(detail['filledE6'], path)
}

function newOrder({ atMs, detail, body, kind }: Row, path: string): MutableOrder {
  const { request, market, sizeE2, venueOrderId } = detail
  if (!isObject(request) || !isObject(market)) throw damaged(path, 'an intent without its order')
  return {
    prepared: {
      // Written by `Ledger.intent` from these very types.
      request: request as unknown as OrderRequest,
      market: market as unknown as GameMarket,
      body,
      sizeE2: integer(sizeE2, path),
      sentMs: atMs,
      ...(typeof venueOrderId === 'string' ? { venueOrderId } : {}),
    },
    state: kind,
    filledE6: 0,
    venueOrderId: typeof venueOrderId === 'string' ? venueOrderId : undefined,
    money: undefined,
    voidedE6: 0,
    settled: false,
    counted: { order: false, fill: false },
  }
}

function seenDetail(detail: Readonly<Record<string, unknown>>, path: string): SeenDetail {
  const { signal, signalMs, trace } = detail
  if (!isObject(signal) || typeof trace !== 'string') throw damaged(path, 'a seen event without its signal')
  return { signal: signal as unknown as Signal, signalMs: integer(signalMs, path), trace }
}

function readRow(row: unknown, path: string): Row {
  if (!isObject(row)) throw damaged(path, 'a row of another shape')
  const kind = LEDGER_KINDS.find((known) => known === row['kind'])
  if (kind === undefined) throw damaged(path, `an event of kind '${String(row['kind'])}'`)
  const text = (value: unknown) => (typeof value === 'string' ? value : '')
  return {
    atMs: typeof row['at_ms'] === 'number' ? row['at_ms'] : 0,
    kind,
    signalId: text(row['signal_id']),
    orderId: text(row['order_id']),
    detail: parseDetail(text(row['detail']), path),
    body: text(row['body']),
  }
}

function parseDetail(text: string, path: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw damaged(path, 'a detail that is not JSON')
  }
  if (!isObject(value)) throw damaged(path, 'a detail that is no object')
  return value
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function integer(value: unknown, path: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    throw damaged(path, 'a number that is no integer')
  }
  return value
}

const damaged = (path: string, found: string): ArbeesError =>
  new ArbeesError('LEDGER_CORRUPT', `the ledger ${path} holds ${found}`, {
    exit: EXIT.INTEGRITY,
    hint: 'keep the file, compare positions with the venues, then start with a new data_dir',
  })
