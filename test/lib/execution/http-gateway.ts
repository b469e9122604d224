/** The order port over the HTTP of `HttpVenue`: answers are read, whatever cannot be explained is unknown. */

import { Client, request as httpRequest } from 'undici'
import { ArbeesError } from '../../../src/lib/core/errors.js'
import type { GameMarket } from '../../../src/lib/model/game.js'
import type { OrderRequest } from '../../../src/lib/model/order.js'
import type { Venue } from '../../../src/lib/model/venue.js'
import type {
  FillReport,
  OrderGateway,
  OrderOutcome,
  PreparedOrder,
  Withheld,
} from '../../../src/lib/venues/ports.js'

export class HttpGateway implements OrderGateway {
  readonly account = 'test'

  private readonly client: Client

  constructor(
    readonly venue: Venue,
    private readonly url: string,
  ) {
    this.client = new Client(url)
  }

  /** Connects: the bytes of the first order then leave in the turn that sends it. */
  async warm(): Promise<void> {
    const { body } = await this.client.request({ method: 'GET', path: '/orders/none' })
    await body.dump()
  }

  prepare(request: OrderRequest, market: GameMarket): PreparedOrder {
    if (request.limitE4 % market.tickE4 !== 0) throw new ArbeesError('BAD_ORDER', 'off the tick')
    return {
      request,
      market,
      body: JSON.stringify(request),
      venueOrderId: request.orderId,
      sizeE2: request.sizeE2,
    }
  }

  async send(
    { body, request }: PreparedOrder,
    onBytes: () => void,
    mayGo: () => boolean,
  ): Promise<OrderOutcome | Withheld> {
    try {
      const answered = await this.post(body, onBytes, mayGo)
      if (answered === 'withheld') return { kind: 'withheld' }
      const { status, answer } = answered
      if (status === 400) return { kind: 'rejected', code: String(answer['code']), message: 'no' }
      return outcomeOf(answer, request)
    } catch (error) {
      return { kind: 'unknown', reason: String(error) }
    }
  }

  async query({ request }: PreparedOrder): Promise<OrderOutcome> {
    const response = await httpRequest(`${this.url}/orders/${request.orderId}`)
    const answer = (await response.body.json()) as Record<string, unknown>
    return response.statusCode === 200 ? outcomeOf(answer, request) : { kind: 'unknown', reason: 'not found' }
  }

  async report({ request }: PreparedOrder): Promise<FillReport> {
    const response = await httpRequest(`${this.url}/fills/${request.orderId}`)
    const answer = (await response.body.json()) as { cashMicros: number; feesMicros: number }
    if (response.statusCode !== 200) throw new ArbeesError('FILLS_NOT_VISIBLE', 'not yet')
    return { ...answer, venueTradeIds: [`trade-${request.orderId}`] }
  }

  async close(): Promise<void> {
    await this.client.destroy()
  }

  private post(
    body: string,
    onBytes: () => void,
    mayGo: () => boolean,
  ): Promise<'withheld' | { status: number; answer: Record<string, unknown> }> {
    return new Promise((resolve, reject) => {
      let status = 0
      let text = ''
      this.client.dispatch(
        { method: 'POST', path: '/orders', body },
        {
          onConnect: () => {
            if (mayGo()) return
            resolve('withheld')
            throw new Error('withheld')
          },
          onBodySent: onBytes,
          onHeaders: (code) => (status = code) > 0,
          onData: (chunk) => (text += chunk.toString()) !== '',
          onComplete: () => resolve({ status, answer: JSON.parse(text) as Record<string, unknown> }),
          onError: reject,
        },
      )
    })
  }
}

function outcomeOf(answer: Record<string, unknown>, { orderId, sizeE2 }: OrderRequest): OrderOutcome {
  if (answer['status'] === 'delayed') return { kind: 'delayed', venueOrderId: orderId }
  const filledE6 = Number(answer['filledE6'])
  if (answer['status'] === 'pending') return { kind: 'unknown', reason: 'more may follow', filledE6 }
  if (filledE6 === 0) return { kind: 'none', venueOrderId: orderId }
  return { kind: filledE6 < sizeE2 * 10_000 ? 'partial' : 'filled', venueOrderId: orderId, filledE6 }
}
