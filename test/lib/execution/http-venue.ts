/**
 * A venue over real HTTP that does what a script says and counts what it is asked: it accepts the same order twice,
 * so that only its client can prevent a double.
 */

import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { costMicros } from '../../../src/lib/model/price.js'

/** What becomes of an order; the share that fills is per mille. */
export type Behavior =
  | { readonly kind: 'fill'; readonly perMille: number; readonly afterMs?: number }
  | { readonly kind: 'reject'; readonly code: string }
  /** Accepted, filled after so long. */
  | { readonly kind: 'delay'; readonly perMille: number; readonly afterMs: number }
  /** Accepted; a part is seen at once, all of it after so long. */
  | {
      readonly kind: 'trickle'
      readonly firstPerMille: number
      readonly perMille: number
      readonly afterMs: number
    }
  /** Filled, and the connection cut instead of an answer; told after so many queries. */
  | { readonly kind: 'cut'; readonly perMille: number; readonly toldAfterQueries?: number }
  /** Filled, and never told. */
  | { readonly kind: 'silent'; readonly perMille: number }

export interface VenueOrder {
  readonly orderId: string
  readonly signalId: string
  readonly leg: number
  readonly attempt: number
  readonly limitE4: number
  readonly sizeE2: number
}

interface Accepted {
  readonly order: VenueOrder
  readonly filledE6: number
  readonly visibleAtMs: number
  /** What is seen before. */
  readonly firstE6: number
  hiddenQueries: number
}

export class HttpVenue {
  /** Every order request in the order of arrival, doubles too. */
  readonly received: VenueOrder[] = []
  private readonly accepted = new Map<string, Accepted>()
  private server: Server | undefined

  constructor(private readonly behave: (order: VenueOrder) => Behavior) {}

  get url(): string {
    const { port } = this.server!.address() as AddressInfo
    return `http://127.0.0.1:${port}`
  }

  async listen(): Promise<void> {
    this.server = createServer(
      (request, response) => void this.handle(request, response).catch(() => response.destroy()),
    )
    await new Promise<void>((resolve) => this.server!.listen(0, '127.0.0.1', resolve))
  }

  async close(): Promise<void> {
    this.server?.closeAllConnections()
    await new Promise((resolve) => this.server?.close(resolve))
  }

  /** Keys of (signal, leg, attempt) that arrived more than once. */
  get doubled(): string[] {
    const counts = new Map<string, number>()
    for (const { signalId, leg, attempt } of this.received) {
      const key = `${signalId}/${leg}/${attempt}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    return [...counts].filter(([, count]) => count > 1).map(([key]) => key)
  }

  filledE6(orderId: string): number {
    return this.accepted.get(orderId)?.filledE6 ?? 0
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, what, id = ''] = (request.url ?? '').split('/')
    if (request.method === 'POST') return await this.take(request, response)
    const accepted = this.accepted.get(id)
    if (accepted === undefined || accepted.hiddenQueries-- > 0) return answer(response, 404, {})
    const { order, filledE6, firstE6, visibleAtMs } = accepted
    if (Date.now() < visibleAtMs) {
      return answer(
        response,
        200,
        firstE6 > 0 ? { status: 'pending', filledE6: firstE6 } : { status: 'delayed' },
      )
    }
    if (what === 'orders') return answer(response, 200, { status: 'done', filledE6 })
    answer(response, 200, { cashMicros: costMicros(order.limitE4, filledE6 / 10_000), feesMicros: 1_000 })
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const order = JSON.parse(Buffer.concat(chunks).toString()) as VenueOrder
    this.received.push(order)
    const behavior = this.behave(order)
    if (behavior.kind === 'reject') return answer(response, 400, { code: behavior.code })
    const shareE6 = (perMille: number) => Math.floor((order.sizeE2 * perMille) / 1000) * 10_000
    const filledE6 = shareE6(behavior.perMille)
    const record = (more: Partial<Accepted> = {}) =>
      this.accepted.set(order.orderId, {
        order,
        filledE6,
        visibleAtMs: 0,
        firstE6: 0,
        hiddenQueries: 0,
        ...more,
      })
    switch (behavior.kind) {
      case 'fill':
        record()
        await new Promise((resolve) => setTimeout(resolve, behavior.afterMs ?? 0))
        return answer(response, 200, { status: 'done', filledE6 })
      case 'delay':
        record({ visibleAtMs: Date.now() + behavior.afterMs })
        return answer(response, 200, { status: 'delayed' })
      case 'trickle':
        record({ visibleAtMs: Date.now() + behavior.afterMs, firstE6: shareE6(behavior.firstPerMille) })
        return answer(response, 200, { status: 'delayed' })
      case 'cut':
        record({ hiddenQueries: behavior.toldAfterQueries ?? 0 })
        response.destroy()
        return
      case 'silent':
        record({ hiddenQueries: Infinity })
        response.destroy()
        return
    }
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
