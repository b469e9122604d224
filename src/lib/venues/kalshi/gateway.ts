/**
 * Kalshi order entry, V2: immediate-or-cancel orders on the YES book. A request is sent once and never again; what
 * cannot be explained is `unknown`, and `query` finds out by our own order id, which the venue keeps for ever.
 */

import { sleep } from '../../core/backoff.js'
import type { Clock } from '../../core/clock.js'
import { messageOf } from '../../core/errors.js'
import { evictOldest } from '../../core/evict-oldest.js'
import type { PlannedOrder, VenueDenial } from '../../model/admission.js'
import type { GameMarket } from '../../model/game.js'
import type { OrderRequest } from '../../model/order.js'
import { ABSENCE_TIMING, type AbsenceTiming } from './absent-orders.js'
import { CREATE_PATH, KalshiAccount } from './account.js'
import { AccountFollower } from './account-follower.js'
import { keyWarning, type KalshiCredentials } from './auth.js'
import type {
  FillReport,
  OrderGateway,
  OrderOutcome,
  OwnTrading,
  PreparedOrder,
  TradingAlarm,
  Withheld,
} from '../ports.js'
import { orderBody } from './order-body.js'
import { OrderGroups } from './order-groups.js'
import { outcomeOfCreate, outcomeOfEnd, outcomeOfListed } from './order-outcome.js'
import { OrderSearch } from './order-search.js'
import { sumFills } from './order-fills.js'
import { OwnOrders } from './own-orders.js'
import { readPages } from './pages.js'
import { RatedRest } from './rated-rest.js'
import { KalshiRates } from './rates.js'
import { restError } from './rest-result.js'
import { KalshiRest } from './rest.js'
import { WARM_CONNECTIONS, WarmConnections } from './warm-connections.js'
import { textOf } from './wire.js'

export interface KalshiGatewayOptions {
  readonly baseUrl: string
  /** Where the account's channels are; lists alone tell when it is not given. */
  readonly wsUrl?: string
  readonly credentials: KalshiCredentials
  readonly clock: Clock
  /** Names the account in order ids; the key id when not given (then a new key is a new account). */
  readonly account?: string
  readonly orderTimeoutMs?: number
  readonly readTimeoutMs?: number
  /** How often idle order connections are used, so that the venue does not close them; 0 for never. */
  readonly keepWarmMs?: number
  /** How often the account is compared with our own trading, beside each reconnect. */
  readonly watchMs?: number
  /** What the venue says of a market may be so old; 0 where there is no cache before it. */
  readonly cacheMs?: number
  /** 0 for the primary one. */
  readonly subaccount?: number
  /** The venue's own brake: the contracts that may match in 15 s, and whether nothing is sent without it. */
  readonly orderGroup?: { readonly contractsLimit: number; readonly isRequired: boolean }
  /** When an order that no list has is known to have never arrived. */
  readonly absence?: AbsenceTiming
  readonly onNotice?: (level: 'info' | 'warn', text: string) => void
  /** The venue's own brake has fallen. */
  readonly onBrake?: (reason: string) => void
}

/** A hedge waits so long for a rate limit to pay for it; what opens a position does not wait. */
const HEDGE_WAIT_MS = 1_000
/** At a stop the venue has so long to take the brake off. */
const REMOVE_MS = 500
/** What keeps connections warm may hang at a slow venue: four are left for orders then. */
const MAX_CONNECTIONS = 4 + WARM_CONNECTIONS
const MAX_CANCELED = 1_000

export class KalshiGateway implements OrderGateway {
  readonly venue = 'kalshi'
  readonly account: string
  /** Orders have connections of their own: no read may stand in their way. */
  private readonly orders: KalshiRest
  private readonly reads: KalshiRest
  private readonly rates: KalshiRates
  private readonly rated: RatedRest
  private readonly groups: OrderGroups | undefined
  private readonly state: KalshiAccount
  private readonly own = new OwnOrders()
  private readonly search: OrderSearch
  private readonly connections: WarmConnections
  private follower: AccountFollower | undefined
  /** Orders that the venue listed as resting and that were canceled for it. */
  private readonly canceled = new Set<string>()
  private readonly notice = (level: 'info' | 'warn', text: string): void =>
    this.options.onNotice?.(level, text)

  /** Throws `BAD_URL` (exit CONFIG). */
  constructor(private readonly options: KalshiGatewayOptions) {
    const { baseUrl, credentials, clock, orderTimeoutMs = 3000, readTimeoutMs = 5000 } = options
    this.account = options.account ?? credentials.keyId
    const shared = { baseUrl, credentials, clock }
    this.orders = new KalshiRest({ ...shared, timeoutMs: orderTimeoutMs, connections: MAX_CONNECTIONS })
    this.reads = new KalshiRest({ ...shared, timeoutMs: readTimeoutMs, connections: 2 })
    this.rates = new KalshiRates(clock)
    this.rated = new RatedRest(this.reads, this.rates, readTimeoutMs)
    const { orderGroup, subaccount = 0 } = options
    const rest = this.rated
    const onNotice = this.notice
    const onTriggered = (reason: string) => options.onBrake?.(reason)
    this.groups =
      orderGroup === undefined
        ? undefined
        : new OrderGroups({ rest, ...orderGroup, subaccount, onNotice, onTriggered })
    this.state = new KalshiAccount({ rest, groups: this.groups, clock, subaccount, onNotice })
    const { own } = this
    this.search = new OrderSearch({ rest, own, subaccount, timing: options.absence ?? ABSENCE_TIMING })
    this.connections = new WarmConnections({
      orders: this.orders,
      rates: this.rates,
      state: this.state,
      query: this.ofSubaccount,
      everyMs: options.keepWarmMs ?? 10_000,
      onNotice,
    })
  }

  /**
   * Opens the order connections with a signed read of the money, learns the account's limits and puts the brake on.
   * Throws when the venue is unreachable or refuses the credentials.
   */
  async warm(): Promise<void> {
    const warning = keyWarning(this.options.credentials)
    if (warning !== undefined) this.notice('warn', warning)
    await this.connections.touch()
    await this.state.refresh()
    this.connections.keep()
  }

  admit(orders: readonly PlannedOrder[]): VenueDenial | undefined {
    return this.state.admit(orders)
  }

  watch(before: OwnTrading, onAlarm: (alarm: TradingAlarm) => void): void {
    const { clock, credentials, wsUrl, cacheMs, subaccount = 0, watchMs: everyMs = 15_000 } = this.options
    const { own, groups, rated: rest, notice: onNotice } = this
    const account = { rest, credentials, clock, own, groups, wsUrl, subaccount, cacheMs, everyMs, onNotice }
    this.follower = new AccountFollower(account, before, onAlarm)
  }

  resume(): ReadonlyMap<string, number> {
    this.groups?.reset().catch((error: unknown) => this.notice('warn', messageOf(error)))
    return this.follower?.accept() ?? new Map()
  }

  prepare(request: OrderRequest, market: GameMarket): PreparedOrder {
    const { subaccount = 0 } = this.options
    // A fallen brake refuses a leg's first order, which is a certain no-trade; the next attempt completes the plan.
    const orderGroupId = request.attempt === 0 ? this.groups?.idOf(market.exchangeIndex) : undefined
    return {
      request,
      market,
      body: orderBody(request, market, { subaccount, orderGroupId }),
      sizeE2: request.sizeE2,
    }
  }

  async send(
    prepared: PreparedOrder,
    onBytes: () => void,
    mayGo: () => boolean,
  ): Promise<OrderOutcome | Withheld> {
    const { own, rates, state } = this
    if (!rates.take('POST', CREATE_PATH)) {
      if (prepared.request.leg === 0) {
        const message = "not sent: the account's rate limit is used up"
        return { kind: 'rejected', code: 'rate_limited', message }
      }
      // Our reckoning may be wrong, and a 429 does no harm: a hedge waits for its turn, but it goes.
      await rates.takeWithin('POST', CREATE_PATH, HEDGE_WAIT_MS)
    }
    state.sends(prepared)
    own.sent(prepared, rates.nowMs())
    this.search.sent(prepared.request.orderId)
    const result = await this.orders.post(CREATE_PATH, prepared.body, { onBytes, mayGo })
    rates.answered('POST', result)
    const outcome = outcomeOfCreate(result, prepared)
    this.ended(prepared, outcome)
    return outcome
  }

  async query(prepared: PreparedOrder): Promise<OrderOutcome> {
    const { orderId } = prepared.request
    this.own.sent(prepared, this.rates.nowMs())
    const end = this.own.endOf(orderId)
    // An end that tells of no fill could be ahead of it: the list has the last word on nothing.
    if (end !== undefined && end.filledE6 > 0) return this.ended(prepared, outcomeOfEnd(end, prepared))
    const found = await this.search.look(prepared)
    if (found.kind === 'unknown') return found
    if (found.kind === 'absent') return this.ended(prepared, { kind: 'none' })
    const { order } = found
    const outcome = outcomeOfListed(order, prepared)
    this.ended(prepared, outcome)
    const venueOrderId = textOf(order['order_id'])
    if (order['status'] === 'resting' && venueOrderId !== undefined) await this.cancel(venueOrderId, prepared)
    return outcome
  }

  async report(
    prepared: PreparedOrder,
    filled: { readonly venueOrderId: string; readonly filledE6: number },
  ): Promise<FillReport> {
    const query = { order_id: filled.venueOrderId, limit: '200', ...this.ofSubaccount }
    const items: unknown[] = []
    for await (const page of readPages(this.rated, '/portfolio/fills', query, 'fills')) {
      if (page.kind === 'failed') throw restError('GET /portfolio/fills', page.result)
      items.push(...page.items)
    }
    return sumFills(items, prepared.request, filled)
  }

  async close(): Promise<void> {
    this.connections.close()
    this.follower?.close()
    if (this.groups !== undefined) await Promise.race([this.groups.remove(), sleep(REMOVE_MS)])
    await Promise.all([this.orders.close(), this.reads.close()])
  }

  /**
   * An immediate-or-cancel order never rests; one that the venue lists so is taken off before it fills, once. What it
   * came to is what the next query says.
   */
  private async cancel(venueOrderId: string, { request, market }: PreparedOrder): Promise<void> {
    if (this.canceled.has(venueOrderId)) return
    this.canceled.add(venueOrderId)
    evictOldest(this.canceled, MAX_CANCELED)
    const { exchangeIndex: shard, marketId } = market
    const query = {
      market_ticker: marketId,
      ...(shard === undefined ? {} : { exchange_index: String(shard) }),
      ...this.ofSubaccount,
    }
    const path = `${CREATE_PATH}/${encodeURIComponent(venueOrderId)}`
    const result = await this.rated.delete(path, { query }, `${CREATE_PATH}/:`)
    const shown = result.kind === 'ok' ? 'is canceled' : 'is not canceled by the venue'
    this.notice('warn', `order ${request.orderId} rests at Kalshi, which none of ours may: it ${shown}`)
  }

  /** What became of an order, for everybody who keeps count. */
  private ended<T extends OrderOutcome | Withheld>(prepared: PreparedOrder, outcome: T): T {
    this.state.sent(prepared, outcome)
    this.own.ended(prepared, outcome, this.rates.nowMs())
    return outcome
  }

  private get ofSubaccount(): Readonly<Record<string, string>> {
    const { subaccount = 0 } = this.options
    return subaccount === 0 ? {} : { subaccount: String(subaccount) }
  }
}
