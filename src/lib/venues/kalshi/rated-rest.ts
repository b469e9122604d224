/** Everything but orders: reads, and writes that nobody waits for, each paid for before it is sent. */

import type { PageSource } from './pages.js'
import type { KalshiRates } from './rates.js'
import type { KalshiRest, RestCall } from './rest.js'
import type { RestResult } from './rest-result.js'

type Query = Pick<RestCall, 'query' | 'signal'>

export class RatedRest implements PageSource {
  constructor(
    private readonly rest: KalshiRest,
    readonly rates: KalshiRates,
    /** A call waits so long for its tokens. */
    private readonly waitMs: number,
  ) {}

  /** `route` is the path with `:` for each parameter, where it has any. */
  get(path: string, call: Query = {}, route = path): Promise<RestResult> {
    return this.paid('GET', route, () => this.rest.get(path, call), call.signal)
  }

  post(path: string, body: object): Promise<RestResult> {
    return this.paid('POST', path, () => this.rest.post(path, JSON.stringify(body)))
  }

  put(path: string, call: Query, route: string): Promise<RestResult> {
    return this.paid('PUT', route, () => this.rest.put(path, '{}', call))
  }

  delete(path: string, call: Query, route: string): Promise<RestResult> {
    return this.paid('DELETE', route, () => this.rest.delete(path, call))
  }

  private async paid(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    route: string,
    send: () => Promise<RestResult>,
    signal?: AbortSignal,
  ): Promise<RestResult> {
    if (!(await this.rates.takeWithin(method, route, this.waitMs, signal))) {
      const detail = `no tokens for it within ${this.waitMs} ms`
      return { kind: 'failed', reason: 'rate', detail, handedOver: false }
    }
    const result = await send()
    this.rates.answered(method, result)
    return result
  }
}
