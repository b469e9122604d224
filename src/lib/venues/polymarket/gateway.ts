/** Orders at Polymarket: fill-and-kill, signed once, sent once, and found again by a hash known before sending. */

import { ArbeesError, EXIT } from '../../core/errors.js'
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
import { tradeFeeMicros } from './fees.js'
import { parseJson } from './http.js'
import { outcomeOf, readOrder, readTrades, type Trade } from './order-answer.js'
import { OrderSigner, saltOf, ZERO_BYTES32 } from './order-signing.js'
import { requireServedRegion } from './region.js'
import { PolymarketRest } from './rest.js'
import { SentOrders, type SentOrdersOptions } from './sent-orders.js'

/** The order version that `order-signing` speaks. */
const ORDER_VERSION = 2
const MAX_TRADE_PAGES = 20

export interface PolymarketGatewayOptions extends SentOrdersOptions {
  readonly restUrl: string
  readonly credentials: PolymarketCredentials
  readonly orderTimeoutMs?: number
  readonly queryTimeoutMs?: number
  /** `GET` answers `{blocked}`: asked by `warm`, which fails closed. */
  readonly geoblockUrl: string
}

export class PolymarketGateway implements OrderGateway {
  readonly venue = 'poly' as const
  /** The funder's address: the wallet that trades. */
  readonly account: string

  private readonly signerAddress: string
  private readonly signer: OrderSigner
  private readonly rest: PolymarketRest
  private readonly sent: SentOrders

  constructor(private readonly options: PolymarketGatewayOptions) {
    const { credentials } = options
    this.signerAddress = addressOf(credentials.privateKey)
    this.account = credentials.funder ?? this.signerAddress
    this.signer = new OrderSigner(credentials.privateKey)
    this.rest = new PolymarketRest(options)
    this.sent = new SentOrders(options)
  }

  /**
   * Opens a connection and makes the first, slow signature. Throws `VENUE_UNREACHABLE`, `ORDER_VERSION_UNSUPPORTED` when the
   * venue signs orders of another version, `REGION_BLOCKED` where it does not serve us.
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
    if (result.status === 200 && version !== undefined && Number(version) !== ORDER_VERSION) {
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
    return outcome
  }

  /**
   * By the order hash: the record of an active order, then the trades that name it as taker. The venue forgets an order that
   * matched nothing, so without a record the visible trades, or `none`, are the whole story only once no more can come:
   * `SentOrders` says when.
   */
  async query(prepared: PreparedOrder): Promise<OrderOutcome> {
    const venueOrderId = venueIdOf(prepared)
    const record = readOrder(await this.rest.order(venueOrderId))
    if (record.kind === 'unreadable') return { kind: 'unknown', reason: record.reason }
    if (record.kind === 'order' && (record.status === 'DELAYED' || record.status === 'LIVE')) {
      this.sent.seeActive(prepared)
      return record.status === 'DELAYED'
        ? { kind: 'delayed', venueOrderId }
        : { kind: 'unknown', reason: 'still being matched' }
    }
    const trades = await this.tradesOf(prepared)
    if (trades === undefined) return { kind: 'unknown', reason: 'trades cannot be read' }
    const standing = trades.filter(isStanding)
    const filledE6 = sumSizes(standing)
    // A record that is there says itself what matched.
    const complete = record.kind === 'absent' && this.sent.isComplete(prepared, filledE6)
    const over = complete || this.sent.isOverdue(prepared)
    if (filledE6 > 0n) {
      const fill = { venueOrderId, filledE6: Number(filledE6) }
      if (isWhole(standing, prepared)) return { kind: 'filled', ...fill }
      const listed = record.kind === 'order' && record.tradeIds.length > 0
      const allSeen = listed && record.tradeIds.every((id) => trades.some((trade) => trade.id === id))
      return allSeen || over
        ? { kind: 'partial', ...fill }
        : { kind: 'unknown', reason: 'some trades may not be visible yet', filledE6: fill.filledE6 }
    }
    if (trades.length > 0) return { kind: 'none', venueOrderId }
    if (record.kind === 'order') {
      return record.status !== 'MATCHED' && record.matchedNothing
        ? { kind: 'none', venueOrderId }
        : { kind: 'unknown', reason: 'matched, its trades not visible yet' }
    }
    return over ? { kind: 'none', venueOrderId } : { kind: 'unknown', reason: 'not known to the venue yet' }
  }

  /**
   * Cash as the trades state it, price x size summed exactly, to the micro-dollar against us; positive for buys and sells
   * alike. Fees are computed from the market's schedule: the venue charges them in pUSD on top of a trade but reports
   * `fee_rate_bps` 0. A trade that was given up since the fill was told is of it all the same: `settlement` says so. Throws
   * `FILLS_NOT_VISIBLE` until the trades add up to the fill.
   */
  async report(
    prepared: PreparedOrder,
    filled: { readonly venueOrderId: string; readonly filledE6: number },
  ): Promise<FillReport> {
    const all = await this.tradesOf(prepared, filled.venueOrderId)
    const isWhole = (of: readonly Trade[]): boolean => sumSizes(of) >= BigInt(filled.filledE6)
    const standing = all?.filter(isStanding)
    const trades = standing !== undefined && isWhole(standing) ? standing : all
    if (trades === undefined || !isWhole(trades)) {
      throw new ArbeesError('FILLS_NOT_VISIBLE', `trades of order ${filled.venueOrderId} do not add up yet`, {
        hint: 'ask again in a second',
      })
    }
    const cashE12 = sumCash(trades)
    const roundUp = prepared.request.side === 'buy' ? 999_999n : 0n
    const { fees } = prepared.market
    const feesMicros = trades.reduce(
      (sum, trade) => sum + tradeFeeMicros(fees, trade.priceE6, trade.sizeE6),
      0n,
    )
    return {
      cashMicros: Number((cashE12 + roundUp) / 1_000_000n),
      feesMicros: Number(feesMicros),
      venueTradeIds: trades.map(({ id }) => id),
    }
  }

  /** Throws `TRADES_UNREADABLE` when one cannot be read. */
  async settlement(prepared: PreparedOrder, venueTradeIds: readonly string[]): Promise<FillSettlement> {
    const venueOrderId = venueIdOf(prepared)
    const trades: Trade[] = []
    for (const id of venueTradeIds) {
      const page = readTrades(await this.rest.trade(id), venueOrderId)
      const trade = page?.trades.find((each) => each.id === id)
      if (trade === undefined) {
        throw new ArbeesError(
          'TRADES_UNREADABLE',
          `trade ${sanitize(id, 64)} of order ${venueOrderId} is not shown`,
        )
      }
      trades.push(trade)
    }
    const sizeE6 = (settled: Trade['settled']) =>
      Number(sumSizes(trades.filter((trade) => trade.settled === settled)))
    return {
      confirmedE6: sizeE6('confirmed'),
      voidedE6: sizeE6('failed'),
      isFinal: trades.every(({ settled }) => settled !== 'pending'),
    }
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
      const read = readTrades(await this.rest.trades(tokenId, cursor), venueOrderId)
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

const isStanding = ({ settled }: Trade): boolean => settled !== 'failed'

const sumSizes = (trades: readonly Trade[]): bigint => trades.reduce((sum, { sizeE6 }) => sum + sizeE6, 0n)

const sumCash = (trades: readonly Trade[]): bigint =>
  trades.reduce((sum, { priceE6, sizeE6 }) => sum + priceE6 * sizeE6, 0n)

/** The order is done: all its shares, or all its dollars less the dust that buys none. */
function isWhole(trades: readonly Trade[], { request, market }: PreparedOrder): boolean {
  const { makerE6, takerE6 } = orderAmounts(request, market)
  const sharesE6 = sumSizes(trades)
  return request.side === 'buy'
    ? sharesE6 >= takerE6 || sumCash(trades) / 1_000_000n >= makerE6
    : sharesE6 >= makerE6
}
