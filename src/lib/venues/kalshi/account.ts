/**
 * What a taker must know of its account and of the exchange before it opens a position: rate limits, money by shard,
 * pauses, the venue's brake. Asked beside the path of orders; `admit` answers from memory.
 */

import type { Clock } from '../../core/clock.js'
import { messageOf } from '../../core/errors.js'
import type { PlannedOrder, VenueDenial } from '../../model/admission.js'
import { costMicros } from '../../model/price.js'
import type { OrderOutcome, PreparedOrder, Withheld } from '../ports.js'
import { ExchangeStatus } from './exchange-status.js'
import type { OrderGroups } from './order-groups.js'
import type { RatedRest } from './rated-rest.js'
import type { RestResult } from './rest-result.js'
import { ShardCash } from './shard-cash.js'

export interface KalshiAccountOptions {
  readonly rest: RatedRest
  readonly groups: OrderGroups | undefined
  readonly clock: Clock
  readonly subaccount: number
  readonly onNotice: (level: 'info' | 'warn', text: string) => void
}

/** Where orders go, and what pays for them. */
export const CREATE_PATH = '/portfolio/events/orders'
/** Money that was told of longer ago is not relied on. */
const CASH_GOOD_MS = 60_000
/** What the account may do in a second is asked for so often. */
const RATES_GOOD_MS = 300_000
type Learn = (body: Extract<RestResult, { kind: 'ok' }>['body']) => boolean
const UNBRAKED =
  'Kalshi names no exchange_index for some markets: orders go where it puts them, without an order group'
const PPM = 1_000_000
const SPENT: ReadonlySet<string> = new Set(['filled', 'partial'])
const SPENT_NOTHING: ReadonlySet<string> = new Set(['none', 'rejected', 'withheld'])

export class KalshiAccount {
  private readonly cash = new ShardCash()
  private readonly status = new ExchangeStatus()
  private readonly told = new Set<string>()
  private isReadingCash = false
  private readsUnderWay = 0
  private wantsCash = false
  /** When each of the account's rates is asked for again; our monotonic clock, ms. */
  private readonly ratesDueMs = new Map<string, number>()

  constructor(private readonly options: KalshiAccountOptions) {}

  /**
   * Looks at the exchange and at the account's rates, and puts on what brake is missing; the money must have been read.
   * What the venue does not tell is as it was, and is asked for again at the next call.
   */
  async refresh(): Promise<void> {
    const { rates } = this.options.rest
    await Promise.all([
      this.readRates('/account/limits', (body) => rates.learnLimits(body)),
      this.readRates('/account/endpoint_costs', (body) => rates.learnCosts(body)),
      this.readStatus(),
      this.options.groups?.arm(this.cash.known),
    ])
  }

  /** Asks for the balance by `ask` and learns from its answer, which it returns. */
  async withBalance(ask: () => Promise<RestResult>): Promise<RestResult> {
    const read = this.cash.beginRead(this.nowMs())
    this.readsUnderWay++
    const result = await ask().finally(() => this.readsUnderWay--)
    if (result.kind === 'ok' && !this.cash.learn(result.body, read)) this.tellUnreadable('/portfolio/balance')
    return result
  }

  /** Reads the money now, once more when it was asked for while a read was under way. */
  async readCash(): Promise<void> {
    this.wantsCash = true
    if (this.isReadingCash) return
    this.isReadingCash = true
    const { rest, subaccount } = this.options
    const query = subaccount === 0 ? {} : { subaccount: String(subaccount) }
    while (this.wantsCash) {
      this.wantsCash = false
      await this.withBalance(() => rest.get('/portfolio/balance', { query }))
    }
    this.isReadingCash = false
  }

  admit(orders: readonly PlannedOrder[]): VenueDenial | undefined {
    const nowMs = this.nowMs()
    for (const { market } of orders.filter(isNew)) {
      const { exchangeIndex: shard, marketId } = market
      if (shard === undefined && this.options.groups !== undefined) this.tellOnce('shard', UNBRAKED)
      if (this.status.isPaused(shard)) return denial('EXCHANGE_PAUSED', `${nameOf(shard)}_paused`, 1, 0)
      if (this.status.isClosed(marketId, nowMs)) return denial('MARKET_CLOSED', 'market_closed', 1, 0)
      if (this.options.groups?.lets(shard) === false)
        return denial('ORDER_GROUP', `${nameOf(shard)}_group`, 1, 0)
    }
    return this.wrongCash(orders, nowMs) ?? this.wrongRate(orders.length)
  }

  /** An order is about to be sent: what it may cost is not free any more. */
  sends({ request, market, sizeE2 }: PreparedOrder): void {
    const micros = costMicros(request.limitE4, sizeE2)
    const feeMicros = Math.ceil((micros * market.fees.ratePpm) / PPM)
    this.cash.hold(request.orderId, market.exchangeIndex, micros + feeMicros)
  }

  /** What became of it, as far as is known. */
  sent({ request, market }: PreparedOrder, outcome: OrderOutcome | Withheld): void {
    const { orderId, marketId } = request
    if ('filledE6' in outcome && outcome.filledE6 !== undefined && request.attempt === 0)
      this.options.groups?.onFilled(market.exchangeIndex, outcome.filledE6, this.nowMs())
    if (SPENT.has(outcome.kind)) {
      this.cash.settle(orderId)
      this.quietly(this.readCash())
    }
    if (!SPENT_NOTHING.has(outcome.kind)) return
    this.cash.release(orderId)
    // What the venue had set aside for it may still look taken to a read that is under way.
    if (this.readsUnderWay > 0) this.quietly(this.readCash())
    if (outcome.kind !== 'rejected') return
    const { code, message } = outcome
    const shard = market.exchangeIndex
    this.options.groups?.onRefusal(`${code} ${message}`, shard)
    if (this.status.refused(code, { shard, marketId }, this.nowMs())) this.quietly(this.readStatus())
    if (code.startsWith('insufficient_')) this.quietly(this.readCash())
  }

  private wrongCash(orders: readonly PlannedOrder[], nowMs: number): VenueDenial | undefined {
    const ageMs = this.cash.ageMs(nowMs)
    if (ageMs === undefined) return { code: 'CASH_UNKNOWN', checks: [] }
    if (ageMs > CASH_GOOD_MS) return denial('CASH_UNKNOWN', 'cash_age_ms', Math.round(ageMs), CASH_GOOD_MS)
    // Only what is to be paid now: an open plan that lacks money elsewhere is nobody else's concern.
    const needs = new Map(orders.filter(isNew).map(({ market }) => [market.exchangeIndex, 0]))
    for (const { market, worstMicros } of orders) {
      const shard = market.exchangeIndex
      const needed = needs.get(shard)
      if (needed !== undefined) needs.set(shard, needed + worstMicros)
    }
    for (const [shard, micros] of needs) {
      const freeMicros = this.cash.freeMicros(shard)
      if (micros > freeMicros) return denial('SHARD_CASH', `${nameOf(shard)}_cash_micros`, micros, freeMicros)
    }
    return undefined
  }

  private wrongRate(orders: number): VenueDenial | undefined {
    const { rates } = this.options.rest
    const needed = orders * rates.costOf('POST', CREATE_PATH)
    const available = rates.write.available(rates.nowMs())
    if (needed <= available) return undefined
    return denial('RATE_LIMITED', 'write_tokens', needed, Math.floor(available))
  }

  private async readStatus(): Promise<void> {
    const begunMs = this.nowMs()
    const wasHeld = this.status.isHeld
    await this.read('/exchange/status', (body) => this.status.learn(body, begunMs))
    if (wasHeld === this.status.isHeld) return
    const { onNotice } = this.options
    if (wasHeld) onNotice('info', 'Kalshi trades again on every shard')
    else onNotice('warn', 'Kalshi does not trade on every shard: no entry goes where it does not')
  }

  /** Again and again until they are learned, then every few minutes: the venue moves accounts between its tiers. */
  private async readRates(path: string, learn: Learn): Promise<void> {
    const nowMs = this.nowMs()
    if (nowMs < (this.ratesDueMs.get(path) ?? -Infinity)) return
    if (await this.read(path, learn)) this.ratesDueMs.set(path, nowMs + RATES_GOOD_MS)
  }

  /** True when it was learned. */
  private async read(path: string, learn: Learn): Promise<boolean> {
    const result = await this.options.rest.get(path)
    if (result.kind === 'ok') {
      const isLearned = learn(result.body)
      if (!isLearned) this.tellUnreadable(path)
      return isLearned
    }
    const why = result.kind === 'failed' ? result.reason : `HTTP ${result.status} ${result.error.code}`
    this.tellOnce(path, `GET ${path} at Kalshi: ${why}`)
    return false
  }

  private tellUnreadable(path: string): void {
    this.tellOnce(path, `GET ${path} at Kalshi: the reply is not in the documented form`)
  }

  private tellOnce(key: string, text: string): void {
    if (this.told.has(key)) return
    this.told.add(key)
    this.options.onNotice('warn', text)
  }

  /** Beside the path of orders: a failure is told, and the next look comes. */
  private quietly(work: Promise<void>): void {
    work.catch((error: unknown) => this.options.onNotice('warn', `Kalshi account: ${messageOf(error)}`))
  }

  private nowMs(): number {
    return this.options.clock.monoUs() / 1000
  }
}

const isNew = ({ isOfOpenPlan }: PlannedOrder): boolean => isOfOpenPlan !== true

const denial = (code: VenueDenial['code'], name: string, value: number, limit: number): VenueDenial => ({
  code,
  checks: [{ name, value, limit }],
})

const nameOf = (shard: number | undefined): string => (shard === undefined ? 'account' : `shard_${shard}`)
