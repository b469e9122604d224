/** `POST /order` and `POST /orders`: everything the venue checks, and the answer. */

import type { PublicAccounts } from '../accounts.js'
import { parseJson } from '../http-host.js'
import type { PolyMarket } from '../market.js'
import type { StatsCounter } from '../stats.js'
import type { PolyAccount } from './account.js'
import { priceOrder } from './amounts.js'
import type { TokenIndex } from './book-state.js'
import { fokNotFilled, isPolyRefusal, noFakMatch, polyError, type PolyRefusal } from './errors.js'
import { polyFeeMicros } from './fees.js'
import { hasExpired, placeInBook, type PolyOrder } from './order.js'
import type { PolyDesk } from './order-desk.js'
import { invalidPayload, parsePolyOrder, versionMismatch, type PolyOrderRequest } from './order-request.js'
import { domainOf, orderHash, OTHER_DOMAINS } from './eip712.js'
import { orderSigner } from './order-signature.js'
import { amountText } from './text.js'
import type { VenueState } from './venue-state.js'

const MAX_BATCH = 15

const invalidSignature = polyError(400, 'invalid_signature', 'invalid signature')

export class PolyOrderEntry {
  /** Order hashes are used up for good. */
  private readonly seen = new Set<string>()

  constructor(
    private readonly state: VenueState,
    private readonly account: PolyAccount,
    private readonly owner: PublicAccounts['polymarket'],
    private readonly desk: PolyDesk,
    private readonly stats: StatsCounter,
    private readonly findToken: (tokenId: string) => { market: PolyMarket; token: TokenIndex } | undefined,
  ) {}

  /** One order whose L2 headers are good: what is answered with 200, or the refusal. */
  post(text: string, apiKey: string): object {
    return this.take(parseJson(text), apiKey)
  }

  /** Up to 15: each is answered for itself, its error in the list. */
  postAll(text: string, apiKey: string): object {
    const bodies = parseJson(text)
    if (!Array.isArray(bodies)) return invalidPayload
    if (bodies.length > MAX_BATCH) {
      return polyError(
        400,
        'batch_size',
        `Too many orders in payload: ${bodies.length}, max allowed: ${MAX_BATCH}`,
      )
    }
    return bodies.map((body: unknown) => {
      const answer = this.take(body, apiKey)
      if (!isPolyRefusal(answer)) return answer
      this.stats.refuse('poly', answer.reason)
      return { success: true, errorMsg: answer.body.error, orderID: '', status: '' }
    })
  }

  private take(body: unknown, apiKey: string): object {
    const request = parsePolyOrder(body)
    if (isPolyRefusal(request)) return request
    const closed = this.state.refuseOrder(request.postOnly)
    if (closed !== undefined) return closed
    const order = this.admit(request, apiKey)
    if (isPolyRefusal(order)) return order
    const { orderId, type } = order
    this.seen.add(orderId)
    this.stats.countOrder()
    this.desk.place(order)
    if (order.status === 'UNMATCHED') return type === 'FOK' ? fokNotFilled(orderId) : noFakMatch(orderId)
    return accepted(order)
  }

  private admit(request: PolyOrderRequest, apiKey: string): PolyOrder | PolyRefusal {
    const { order: struct, tokenId, signature, type, postOnly } = request
    const { address, funder, signature_type: signatureType } = this.owner
    if (request.owner !== apiKey) {
      return polyError(400, 'owner', 'the order owner has to be the owner of the API KEY')
    }
    const [maker, signer] = [struct.maker.toLowerCase(), struct.signer.toLowerCase()]
    // A deposit wallet signs for itself; its owner's key is inside the signature.
    if (signer !== (struct.signatureType === 3 ? funder : address)) {
      return polyError(400, 'signer', 'the order signer address has to be the address of the API KEY')
    }
    const listed = this.findToken(tokenId)
    if (listed === undefined)
      return polyError(400, 'unknown_token', `the orderbook ${tokenId} does not exist`)
    const { market, token } = listed
    const domain = domainOf(market.negRisk)
    const orderId = orderHash(struct, domain)
    if (orderSigner(struct, domain, signature) !== address) {
      const elsewhere = OTHER_DOMAINS.some((other) => orderSigner(struct, other, signature) === address)
      return elsewhere ? versionMismatch : invalidSignature
    }
    if (maker !== funder || struct.signatureType !== signatureType) return invalidSignature
    const priced = priceOrder(struct, type, market.tickE4, orderId)
    if (isPolyRefusal(priced)) return priced
    if (this.seen.has(orderId)) {
      return polyError(400, 'duplicate', `order ${orderId} is invalid. Duplicated.`, orderId)
    }
    const createdMs = this.state.nowMs()
    const isLate = type === 'GTD' ? hasExpired(request, createdMs) : request.expirationS !== 0
    if (isLate) return polyError(400, 'expiration', 'invalid expiration')
    if (market.status !== 'active') {
      return polyError(400, 'closed', 'the market is not yet ready to process new orders')
    }
    const leg = { token, tokenSide: struct.side === 0 ? ('BUY' as const) : ('SELL' as const) }
    const order: PolyOrder = {
      ...priced,
      ...leg,
      ...placeInBook(leg, priced.limitE4),
      ...{ orderId, owner: maker, market, type, postOnly, createdMs, expirationS: request.expirationS },
      status: 'LIVE',
      ...{ restsE2: 0, matchedE6: 0, cashE6: 0, tradeIds: [] },
    }
    if (!this.canPay(order)) return polyError(400, 'balance', 'not enough balance / allowance')
    if (postOnly && this.desk.plan(order).length > 0) {
      return polyError(400, 'post_only_crosses', 'invalid post-only order: order crosses book')
    }
    return order
  }

  private canPay(order: PolyOrder): boolean {
    const { tokenSide, market, token, limitE4, makerE6, sharesE6 } = order
    if (tokenSide === 'SELL') return this.account.sellableE6(market, token) >= makerE6
    const takes = this.desk.plan(order).length > 0
    const fee = takes ? polyFeeMicros(limitE4, sharesE6) : 0
    return this.account.freeCashMicros >= makerE6 + fee
  }
}

function accepted({ orderId, status, tokenSide, cashE6, matchedE6, tradeIds }: PolyOrder): object {
  const [making, taking] = tokenSide === 'BUY' ? [cashE6, matchedE6] : [matchedE6, cashE6]
  const text = (amountE6: number): string => (amountE6 === 0 ? '' : amountText(amountE6))
  return {
    success: true,
    errorMsg: '',
    orderID: orderId,
    status: matchedE6 > 0 ? 'matched' : status.toLowerCase(),
    makingAmount: text(making),
    takingAmount: text(taking),
    tradeIDs: tradeIds,
  }
}
