/**
 * `POST /order`: everything the venue checks, then a match against the displayed book, at once or after the market's
 * `secondsDelay`, against the book as it is then.
 */

import { randomBytes, randomUUID } from 'node:crypto'
import type { PublicAccounts } from '../accounts.js'
import type { Exchange } from '../exchange.js'
import type { PolyMarket } from '../market.js'
import {
  cashMicros,
  DUST_MICROS,
  fillContracts,
  fillDollars,
  sumE6,
  type Fill,
  type TakerOrder,
} from '../matching.js'
import type { StatsCounter } from '../stats.js'
import type { PolyAccount, PolyTrade } from './account.js'
import { priceOrder, type PricedOrder } from './amounts.js'
import type { TokenIndex } from './book-state.js'
import { domainOf, orderHash, OTHER_DOMAINS } from './eip712.js'
import { fokNotFilled, isPolyRefusal, noFakMatch, polyError, type PolyRefusal } from './errors.js'
import { parsePolyOrder, type PolyOrderRequest } from './order-request.js'
import { orderSigner } from './order-signature.js'
import { amountText } from './text.js'

export interface OrderReply {
  readonly status: 200
  readonly body: unknown
}

interface Admitted extends PricedOrder {
  readonly orderId: string
  readonly market: PolyMarket
  readonly token: TokenIndex
  readonly side: 'BUY' | 'SELL'
  readonly orderType: 'FAK' | 'FOK'
}

interface Matched {
  readonly trades: readonly PolyTrade[]
  readonly sharesE6: number
  readonly cashMicros: number
}

const noBalance = polyError(400, 'balance', 'not enough balance / allowance')

export class PolyOrderEntry {
  constructor(
    private readonly exchange: Exchange,
    private readonly account: PolyAccount,
    private readonly owner: PublicAccounts['polymarket'],
    private readonly stats: StatsCounter,
    private readonly findToken: (tokenId: string) => { market: PolyMarket; token: TokenIndex } | undefined,
  ) {}

  /** Handles one order whose L2 headers are good, and name this API key. */
  post(body: string, apiKey: string): OrderReply | PolyRefusal {
    const request = parsePolyOrder(body)
    if (isPolyRefusal(request)) return request
    const admitted = this.admit(request, apiKey)
    if (isPolyRefusal(admitted)) return admitted
    const { orderId, market } = admitted
    this.account.claim(orderId)
    this.stats.countOrder()
    if (market.secondsDelay > 0 && this.plan(admitted).length > 0) return this.delay(admitted)
    const matched = this.match(admitted)
    if (matched === undefined)
      return admitted.orderType === 'FOK' ? fokNotFilled(orderId) : noFakMatch(orderId)
    const { sharesE6, cashMicros: dollars, trades } = matched
    const [making, taking] = admitted.side === 'BUY' ? [dollars, sharesE6] : [sharesE6, dollars]
    return accepted(orderId, 'matched', {
      makingAmount: amountText(making),
      takingAmount: amountText(taking),
      tradeIDs: trades.map(({ id }) => id),
    })
  }

  private admit(
    { order, tokenId, signature, owner, orderType }: PolyOrderRequest,
    apiKey: string,
  ): Admitted | PolyRefusal {
    const { address, funder, signature_type: signatureType } = this.owner
    if (owner !== apiKey) {
      return polyError(400, 'owner', 'the order owner has to be the owner of the API KEY')
    }
    // A deposit wallet is itself the signer of its orders.
    if (order.signer.toLowerCase() !== (order.signatureType === 3 ? funder : address)) {
      return polyError(400, 'signer', 'the order signer address has to be the address of the API KEY')
    }
    const listed = this.findToken(tokenId)
    if (listed === undefined)
      return polyError(400, 'unknown_token', `the orderbook ${tokenId} does not exist`)
    const { market, token } = listed
    const domain = domainOf(market.negRisk)
    const orderId = orderHash(order, domain)
    if (orderSigner(order, domain, signature) !== address) {
      const elsewhere = OTHER_DOMAINS.some((other) => orderSigner(order, other, signature) === address)
      return elsewhere
        ? polyError(400, 'order_version_mismatch', 'order_version_mismatch')
        : polyError(400, 'invalid_signature', 'invalid signature')
    }
    if (order.maker.toLowerCase() !== funder || order.signatureType !== signatureType) {
      return polyError(400, 'maker', 'invalid signature')
    }
    const priced = priceOrder(order, market.tickE4, orderId)
    if (isPolyRefusal(priced)) return priced
    if (this.account.isClaimed(orderId)) {
      return polyError(400, 'duplicate', `order ${orderId} is invalid. Duplicated.`, orderId)
    }
    if (market.status !== 'active') {
      return polyError(400, 'closed', 'the market is not yet ready to process new orders')
    }
    const admitted: Admitted = {
      ...priced,
      orderId,
      market,
      token,
      side: order.side === 0 ? 'BUY' : 'SELL',
      orderType,
    }
    return this.canPay(admitted) ? admitted : noBalance
  }

  private canPay({ side, market, token, limitE4, makerE6, sharesE6 }: Admitted): boolean {
    if (side === 'BUY') return this.account.freeCashMicros >= makerE6 + polyFeeMicros(limitE4, sharesE6)
    return this.account.sellableE6(market, token, this.exchange.clock.nowMs()) >= makerE6
  }

  private delay(admitted: Admitted): OrderReply {
    const { orderId, market, token, side, orderType, limitE4, makerE6, sharesE6 } = admitted
    const cash = side === 'BUY' ? makerE6 + polyFeeMicros(limitE4, sharesE6) : 0
    const release = this.account.hold(market.tokenIds[token], cash, side === 'SELL' ? makerE6 : 0)
    const createdMs = this.exchange.clock.nowMs()
    this.account.delayed.set(orderId, {
      orderId,
      market,
      token,
      side,
      orderType,
      limitE4,
      makerE6,
      createdMs,
    })
    this.exchange.after(market.secondsDelay * 1000, () => {
      release()
      this.account.delayed.delete(orderId)
      if (market.status === 'active') this.match(admitted)
    })
    return accepted(orderId, 'delayed', { makingAmount: '', takingAmount: '', tradeIDs: [] })
  }

  private taker({ token, side, limitE4 }: Admitted): TakerOrder {
    return { outcome: token === 0 ? 'yes' : 'no', side: side === 'BUY' ? 'buy' : 'sell', limitE4 }
  }

  /** What the displayed book would give now. */
  private plan(admitted: Admitted): readonly Fill[] {
    const book = this.exchange.bookOf(admitted.market)
    const taker = this.taker(admitted)
    return admitted.side === 'BUY'
      ? fillDollars(book, taker, admitted.makerE6)
      : fillContracts(book, taker, admitted.makerE6)
  }

  /** Fills, books and prints; undefined when nothing (or, for FOK, not everything) could be filled. */
  private match(admitted: Admitted): Matched | undefined {
    const { orderId, market, token, side, orderType, makerE6 } = admitted
    const fills = this.plan(admitted)
    const sharesE6 = sumE6(fills)
    if (sharesE6 === 0) return undefined
    const dollars = fills.reduce((sum, fill) => sum + cashMicros(fill.priceE4, fill.sizeE6), 0)
    const left = side === 'BUY' ? makerE6 - dollars : makerE6 - sharesE6
    if (orderType === 'FOK' && left >= (side === 'BUY' ? DUST_MICROS : 1)) return undefined
    let fees = 0
    const matchedMs = this.exchange.clock.nowMs()
    const trades = fills.map((fill): PolyTrade => {
      const { priceE4, sizeE6 } = fill
      const trade: PolyTrade = {
        id: randomUUID(),
        takerOrderId: orderId,
        market,
        token,
        side,
        priceE4,
        sizeE6,
        matchedMs,
        transactionHash: `0x${randomBytes(32).toString('hex')}`,
      }
      const fee = polyFeeMicros(priceE4, sizeE6)
      fees += fee
      this.account.book(trade, cashMicros(priceE4, sizeE6), fee)
      return trade
    })
    this.stats.countFill(sharesE6, side === 'BUY' ? dollars : -dollars, fees)
    this.exchange.trade(market, this.taker(admitted), fills)
    return { trades, sharesE6, cashMicros: dollars }
  }
}

/** Taker fee of a sports fill: C x 0.05 x p(1 - p), rounded to $0.00001, at least that much. */
function polyFeeMicros(priceE4: number, sizeE6: number): number {
  const scaled = 5n * BigInt(sizeE6) * BigInt(priceE4) * BigInt(10_000 - priceE4)
  // micro-dollars x 10^10; to tens of micro-dollars, half up.
  const unit = 100n * 10n ** 8n * 10n
  return Math.max(10, Number((scaled + unit / 2n) / unit) * 10)
}

function accepted(
  orderID: string,
  status: 'matched' | 'delayed',
  amounts: { makingAmount: string; takingAmount: string; tradeIDs: readonly string[] },
): OrderReply {
  return { status: 200, body: { success: true, errorMsg: '', orderID, status, ...amounts } }
}
