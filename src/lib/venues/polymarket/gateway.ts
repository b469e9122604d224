/** Orders at Polymarket: fill-and-kill, signed once, sent once, and found again by a hash known before sending. */

import { ArbeesError, EXIT } from '../../core/errors.js'
import { evictOldest } from '../../core/evict-oldest.js'
import { sanitize } from '../../core/sanitize.js'
import type { GameMarket } from '../../model/game.js'
import type { OrderRequest } from '../../model/order.js'
import type {
  FillReport,
  FillSettlement,
  OrderGateway,
  OrderOutcome,
  PreparedOrder,
  Withheld,
} from '../ports.js'
import { orderAmounts } from './amounts.js'
import { addressOf, type PolymarketCredentials } from './auth.js'
import { parseJson } from './http.js'
import { outcomeOf, readCanceled, readOrder, readTrades, type Trade } from './order-answer.js'
import { isStanding, isWhole, reportOf, settlementOf, sumSizes } from './order-fills.js'
import { OrderSigner, saltOf, ZERO_BYTES32 } from './order-signing.js'
import { requireServedRegion } from './region.js'
import { PolymarketRest } from './rest.js'
import { SentOrders, type SentOrdersOptions } from './sent-orders.js'

/** The order version that `order-signing` speaks. */
const ORDER_VERSION = 2
const MAX_TRADE_PAGES = 20
const MAX_TAKEN_OFF = 1_000

export interface PolymarketGatewayOptions extends SentOrdersOptions {
  readonly restUrl: string
  readonly credentials: PolymarketCredentials
  readonly orderTimeoutMs?: number
  readonly queryTimeoutMs?: number
  /** `GET` answers `{blocked}`: asked by `warm`, which fails closed. */
  readonly geoblockUrl: string
  readonly onNotice?: (level: 'info' | 'warn', text: string) => void
}

export class PolymarketGateway implements OrderGateway {
  readonly venue = 'poly' as const
  /** The funder's address: the wallet that trades. */
  readonly account: string

  private readonly signerAddress: string
  private readonly signer: OrderSigner
  private readonly rest: PolymarketRest
  private readonly sent: SentOrders
  /** Orders that the venue listed as resting and that were canceled for it. */
  private readonly takenOff = new Set<string>()

  constructor(private readonly options: PolymarketGatewayOptions) {
    const { credentials } = options
    this.signerAddress = addressOf(credentials.privateKey)
    this.account = credentials.funder ?? this.signerAddress
    this.signer = new OrderSigner(credentials.privateKey)
    this.rest = new PolymarketRest(options)
    this.sent = new SentOrders(options)
  }

  /**
   * Opens a connection and makes the first, slow signature. Throws `VENUE_UNREACHABLE`, `VENUE_BAD_ANSWER`,
   * `ORDER_VERSION_UNSUPPORTED` when the venue signs orders of another version, `REGION_BLOCKED` where it does not serve us.
   */
  async warm(): Promise<void> {
    this.signer.sign({ ...this.identity(), ...WARM_ORDER }, false)
    await requireServedRegion(this.options.geoblockUrl)
    const result = await this.rest.version()
    if (result.kind === 'failed') {
      throw new ArbeesError('VENUE_UNREACHABLE', `${this.options.restUrl}/version: ${result.message}`, {
        exit: EXIT.UNREACHABLE,
        hint: 'check the CLOB address in the configuration and the network',
      })
    }
    const answer = parseJson(result.text)
    const version =
      typeof answer === 'object' && answer !== null && 'version' in answer ? answer.version : undefined
    if (result.status !== 200 || !/^\d{1,9}$/.test(String(version))) {
      throw new ArbeesError(
        'VENUE_BAD_ANSWER',
        `${this.options.restUrl}/version: status ${result.status}, no order version`,
        {
          exit: EXIT.UNREACHABLE,
          hint: 'arbees sends no order before the venue says which version it takes: try again later',
        },
      )
    }
    if (Number(version) !== ORDER_VERSION) {
      throw new ArbeesError(
        'ORDER_VERSION_UNSUPPORTED',
        `the venue takes orders of version ${Number(version)}`,
        {
          exit: EXIT.REFUSED,
          hint: `this release signs version ${ORDER_VERSION}: update arbees`,
        },
      )
    }
  }

  /**
   * The limit is in the outcome's own price space. `sizeE2` of the result is what the order buys at its limit: a FAK buy is a
   * spend in whole cents, so at better prices it buys more shares for the same dollars.
   */
  prepare(request: OrderRequest, market: GameMarket): PreparedOrder {
    const { tokenIds, negRisk } = market
    if (request.venue !== 'poly' || request.marketId !== market.marketId) {
      throw new ArbeesError('BAD_ORDER', `order ${request.orderId} is not for ${market.marketId}`)
    }
    if (tokenIds === undefined || negRisk === undefined) {
      throw new ArbeesError('BAD_ORDER', `market ${market.marketId} lacks its token ids or negRisk`)
    }
    const amounts = orderAmounts(request, market)
    const fields = {
      salt: saltOf(request.orderId),
      ...this.identity(),
      tokenId: request.outcome === 'yes' ? tokenIds[0] : tokenIds[1],
      makerAmount: amounts.makerE6,
      takerAmount: amounts.takerE6,
      side: request.side === 'buy' ? ('BUY' as const) : ('SELL' as const),
      timestampMs: request.signalMs,
    }
    const { signature, hash } = this.signer.sign(fields, negRisk)
    const body = JSON.stringify({
      order: {
        salt: fields.salt,
        maker: fields.maker,
        signer: fields.signer,
        tokenId: fields.tokenId,
        makerAmount: String(fields.makerAmount),
        takerAmount: String(fields.takerAmount),
        side: fields.side,
        expiration: '0',
        signatureType: fields.signatureType,
        timestamp: String(fields.timestampMs),
        metadata: ZERO_BYTES32,
        builder: ZERO_BYTES32,
        signature,
      },
      owner: this.options.credentials.apiKey,
      orderType: 'FAK',
      deferExec: false,
    })
    return { request, market, body, venueOrderId: hash, sizeE2: amounts.sizeE2 }
  }

  /** One POST, never repeated: an order sent before by this gateway is `unknown` without a byte written. */
  async send(
    prepared: PreparedOrder,
    onBytes: () => void,
    mayGo: () => boolean,
  ): Promise<OrderOutcome | Withheld> {
    const { request, market } = prepared
    if (!this.sent.add(prepared)) return { kind: 'unknown', reason: 'already sent: ask query' }
    const result = await this.rest.postOrder(prepared.body, { onBytes, mayGo })
    const outcome = outcomeOf(result, request.side, orderAmounts(request, market), venueIdOf(prepared))
    if (outcome.kind === 'delayed') this.sent.acknowledge(prepared)
    if (outcome.kind === 'unknown' && outcome.matchedTradeIds !== undefined) {
      this.sent.match(prepared, outcome.matchedTradeIds)
    }
    return outcome
  }

  /**
   * By the order hash: the record of an active order, then the trades that name it as taker. The venue forgets an order that
   * matched nothing, so without a record the visible trades, or `none`, are the whole story only once no more can come:
   * `SentOrders` says when. An order that it said has matched is `unknown` until every trade that it named is shown.
   */
  async query(prepared: PreparedOrder): Promise<OrderOutcome> {
    const outcome = await this.ask(prepared)
    const matchedTradeIds = this.sent.matchedTrades(prepared)
    return outcome.kind === 'unknown' && matchedTradeIds !== undefined
      ? { ...outcome, matchedTradeIds }
      : outcome
  }

  private async ask(prepared: PreparedOrder): Promise<OrderOutcome> {
    const venueOrderId = venueIdOf(prepared)
    const record = readOrder(await this.rest.order(venueOrderId))
    if (record.kind === 'unreadable') return { kind: 'unknown', reason: record.reason }
    if (record.kind === 'order' && record.isMatched) this.sent.match(prepared, record.tradeIds)
    if (record.kind === 'order' && (record.status === 'DELAYED' || record.status === 'LIVE')) {
      this.sent.seeActive(prepared)
      if (record.status === 'LIVE') await this.takeOff(venueOrderId, prepared)
      return record.status === 'DELAYED'
        ? { kind: 'delayed', venueOrderId }
        : { kind: 'unknown', reason: 'still being matched' }
    }
    const named = this.sent.matchedTrades(prepared)
    const trades = await this.tradesWith(prepared, named ?? [])
    if (trades === undefined) return { kind: 'unknown', reason: 'trades cannot be read' }
    const standing = trades.filter(isStanding)
    const filledE6 = sumSizes(standing)
    const allSeen = (named ?? []).every((id) => trades.some((trade) => trade.id === id))
    // A record that is there says itself what matched.
    const complete = record.kind === 'absent' && this.sent.isComplete(prepared, filledE6)
    const over = complete || this.sent.isOverdue(prepared)
    // Trades named while it was still matched may have others behind them.
    const listed = record.kind === 'order' && record.tradeIds.length > 0
    const isStory = allSeen && (listed || over || isWhole(trades, prepared))
    if (filledE6 > 0n) {
      const fill = { venueOrderId, filledE6: Number(filledE6) }
      if (isWhole(standing, prepared)) return { kind: 'filled', ...fill }
      return isStory
        ? { kind: 'partial', ...fill }
        : { kind: 'unknown', reason: 'some trades may not be visible yet', filledE6: fill.filledE6 }
    }
    if (trades.length > 0 && isStory) return { kind: 'none', venueOrderId }
    if (named !== undefined) return { kind: 'unknown', reason: 'matched, its trades not visible yet' }
    if (record.kind === 'order') {
      return record.matchedNothing
        ? { kind: 'none', venueOrderId }
        : { kind: 'unknown', reason: 'matched, its trades not visible yet' }
    }
    return over ? { kind: 'none', venueOrderId } : { kind: 'unknown', reason: 'not known to the venue yet' }
  }

  /** Throws `FILLS_NOT_VISIBLE` until the trades add up to the fill. */
  async report(
    prepared: PreparedOrder,
    filled: { readonly venueOrderId: string; readonly filledE6: number },
  ): Promise<FillReport> {
    return reportOf(await this.tradesOf(prepared, filled.venueOrderId), prepared, filled)
  }

  /** Throws `TRADES_UNREADABLE` when one cannot be read. */
  async settlement(prepared: PreparedOrder, venueTradeIds: readonly string[]): Promise<FillSettlement> {
    const venueOrderId = venueIdOf(prepared)
    const trades: Trade[] = []
    for (const id of venueTradeIds) {
      const page = readTrades(await this.rest.trade(id), venueOrderId, prepared.request.side)
      const trade = page?.trades.find((each) => each.id === id)
      if (trade === undefined) {
        throw new ArbeesError(
          'TRADES_UNREADABLE',
          `trade ${sanitize(id, 64)} of order ${venueOrderId} is not shown`,
        )
      }
      trades.push(trade)
    }
    return settlementOf(trades)
  }

  async close(): Promise<void> {
    await this.rest.close()
  }

  /** A deposit wallet is itself the signer of its orders. */
  private identity() {
    const { signatureType } = this.options.credentials
    const signer = signatureType === 3 ? this.account : this.signerAddress
    return { maker: this.account, signer, signatureType }
  }

  /** A fill-and-kill order never rests; one that the venue lists so is taken off before it fills, once. */
  private async takeOff(venueOrderId: string, { request }: PreparedOrder): Promise<void> {
    if (this.takenOff.has(venueOrderId)) return
    this.takenOff.add(venueOrderId)
    evictOldest(this.takenOff, MAX_TAKEN_OFF)
    const isCanceled = readCanceled(await this.rest.cancel(venueOrderId), venueOrderId)
    const shown = isCanceled ? 'is canceled' : 'is not canceled by the venue'
    this.options.onNotice?.(
      'warn',
      `order ${request.orderId} rests at Polymarket, which none of ours may: it ${shown}`,
    )
  }

  /** As `tradesOf`, those with these ids asked for one by one where the list lacks them. */
  private async tradesWith(
    prepared: PreparedOrder,
    ids: readonly string[],
  ): Promise<readonly Trade[] | undefined> {
    const listed = await this.tradesOf(prepared)
    if (listed === undefined) return undefined
    const trades = [...listed]
    for (const id of ids.filter((each) => !listed.some((trade) => trade.id === each))) {
      const page = readTrades(await this.rest.trade(id), venueIdOf(prepared), prepared.request.side)
      if (page === undefined) return undefined
      trades.push(...page.trades.filter((trade) => trade.id === id))
    }
    return trades
  }

  /** Every trade of the order; undefined when a page cannot be read, or there is no end to them. */
  private async tradesOf(
    prepared: PreparedOrder,
    venueOrderId = venueIdOf(prepared),
  ): Promise<readonly Trade[] | undefined> {
    const { request, market } = prepared
    const tokenId = market.tokenIds?.[request.outcome === 'yes' ? 0 : 1] ?? ''
    const byId = new Map<string, Trade>()
    let cursor = 'MA=='
    for (let page = 0; page < MAX_TRADE_PAGES; page += 1) {
      const read = readTrades(await this.rest.trades(tokenId, cursor), venueOrderId, request.side)
      if (read === undefined) return undefined
      for (const trade of read.trades) byId.set(trade.id, trade)
      if (read.nextCursor === undefined || read.nextCursor === cursor) return [...byId.values()]
      cursor = read.nextCursor
    }
    return undefined
  }
}

const WARM_ORDER = {
  salt: 1,
  tokenId: '1',
  makerAmount: 1n,
  takerAmount: 1n,
  side: 'BUY',
  timestampMs: 0,
} as const

function venueIdOf({ venueOrderId, request }: PreparedOrder): string {
  if (venueOrderId === undefined)
    throw new ArbeesError('BAD_ORDER', `order ${request.orderId} has no venue order id`)
  return venueOrderId
}
