/**
 * The account's two rate limits and what each call costs, as the venue tells at start; what the smallest account has
 * before that. Reads and writes are paid from buckets of their own, so no read can keep an order waiting.
 */

import { sleep } from '../../core/backoff.js'
import type { Clock } from '../../core/clock.js'
import type { RestResult } from './rest-result.js'
import { TokenBucket, type BucketLimit } from './token-bucket.js'
import { integerOf, isJsonObject, textOf, type JsonObject } from './wire.js'

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

const BASIC = { read: { capacity: 200, refillPerS: 200 }, write: { capacity: 100, refillPerS: 100 } } as const
const DEFAULT_COST = 10
const PREFIX = /^\/trade-api\/v2/
/** A parameter's own name in a path says nothing. */
const PARAMETER = /\/:[^/]+/g

export class KalshiRates {
  readonly read: TokenBucket
  readonly write: TokenBucket
  private defaultCost = DEFAULT_COST
  private costs: ReadonlyMap<string, number> = new Map([
    ['DELETE /portfolio/events/orders/:', 2],
    ['GET /portfolio/orders/:', 2],
  ])

  constructor(private readonly clock: Clock) {
    this.read = new TokenBucket(BASIC.read, this.nowMs())
    this.write = new TokenBucket(BASIC.write, this.nowMs())
  }

  /** Our monotonic clock, ms. */
  nowMs(): number {
    return this.clock.monoUs() / 1000
  }

  /** `GET /account/limits`; false when it is not as documented, and then nothing changes. */
  learnLimits(body: JsonObject): boolean {
    const [read, write] = [limitOf(body['read']), limitOf(body['write'])]
    if (read === undefined || write === undefined) return false
    this.read.resize(read, this.nowMs())
    this.write.resize(write, this.nowMs())
    return true
  }

  /** `GET /account/endpoint_costs`; false when it is not as documented, and then nothing changes. */
  learnCosts(body: JsonObject): boolean {
    const defaultCost = integerOf(body['default_cost'])
    const list = body['endpoint_costs']
    if (defaultCost === undefined || !Array.isArray(list)) return false
    const costs = new Map<string, number>()
    for (const item of list as readonly unknown[]) {
      if (!isJsonObject(item)) return false
      const [method, path, cost] = [textOf(item['method']), textOf(item['path']), integerOf(item['cost'])]
      if (method === undefined || path === undefined || cost === undefined) return false
      costs.set(`${method} ${path.replace(PREFIX, '').replace(PARAMETER, '/:')}`, cost)
    }
    this.costs = costs
    this.defaultCost = defaultCost
    return true
  }

  /** Tokens for a call; `route` is its path below the base with `:` for each parameter. */
  costOf(method: Method, route: string): number {
    return this.costs.get(`${method} ${route}`) ?? this.defaultCost
  }

  bucketOf(method: Method): TokenBucket {
    return method === 'GET' ? this.read : this.write
  }

  /** Takes a call's cost at once, or says no. */
  take(method: Method, route: string): boolean {
    return this.bucketOf(method).take(this.costOf(method, route), this.nowMs())
  }

  /** Takes it within `forMs`; false when it cannot be had by then, at once when that is certain. */
  async takeWithin(method: Method, route: string, forMs: number, signal?: AbortSignal): Promise<boolean> {
    const untilMs = this.nowMs() + forMs
    while (!this.take(method, route)) {
      const nowMs = this.nowMs()
      const waitMs = this.bucketOf(method).waitMs(this.costOf(method, route), nowMs)
      if (nowMs + waitMs > untilMs || (await sleep(Math.max(1, waitMs), signal)) === 'aborted') return false
    }
    return true
  }

  /** What a call's answer says about its bucket. */
  answered(method: Method, result: RestResult): void {
    const bucket = this.bucketOf(method)
    if (result.kind === 'refused' && result.status === 429) bucket.refused(this.nowMs())
    else if (result.kind !== 'failed') bucket.accepted()
  }
}

function limitOf(value: unknown): BucketLimit | undefined {
  if (!isJsonObject(value)) return undefined
  const capacity = integerOf(value['bucket_capacity'], 1)
  const refillPerS = integerOf(value['refill_rate'], 1)
  return capacity === undefined || refillPerS === undefined ? undefined : { capacity, refillPerS }
}
