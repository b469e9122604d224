/** Kalshi's signed calls: authenticated, charged to the account's token bucket, then answered. */

import type { Context, Hono } from 'hono'
import type { Clock } from '../../core/clock.js'
import type { KalshiAccount } from './account.js'
import type { KalshiVerifier } from './auth.js'
import { costOf, tierOf } from './costs.js'
import { isRefusal, kalshiError, notFound, tooManyRequests, type KalshiRefusal } from './errors.js'
import type { Subaccount } from './subaccount.js'
import { TokenBucket } from './token-bucket.js'

/** Whose call it is. */
export interface Caller {
  readonly account: KalshiAccount
  /** The one that the query names, if it names one. */
  readonly subaccount: Subaccount | undefined
  readonly read: TokenBucket
  readonly write: TokenBucket
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'
type Handler = (c: Context, caller: Caller) => Response | Promise<Response>

export interface SignedRoutes {
  /** Adds a call; what is no GET needs a key that may write. */
  readonly add: (method: Method, route: string, answer: Handler) => void
  readonly refuse: (refusal: KalshiRefusal) => Response
}

export interface SignedRoutesOptions {
  readonly accounts: ReadonlyMap<string, KalshiAccount>
  readonly usageTier: string
  readonly verifier: KalshiVerifier
  readonly clock: Clock
  /** What the venue takes for now, Unix ms. */
  readonly nowMs: () => number
  readonly refuse: (refusal: KalshiRefusal) => Response
}

export function signedRoutes(app: Hono, options: SignedRoutesOptions): SignedRoutes {
  const { accounts, usageTier, verifier, clock, nowMs, refuse } = options
  const { read, write, writeSeconds } = tierOf(usageTier)
  const callers = new Map<string, Omit<Caller, 'subaccount'>>()
  for (const [name, account] of accounts) {
    callers.set(name, {
      account,
      read: new TokenBucket(read, read, clock.nowMs()),
      write: new TokenBucket(write * writeSeconds, write, clock.nowMs()),
    })
  }
  const add = (method: Method, route: string, answer: Handler): void => {
    const cost = costOf(method, route)
    app.on(method, route, (c) => {
      const key = verifier.verify(
        {
          key: c.req.header('KALSHI-ACCESS-KEY'),
          timestamp: c.req.header('KALSHI-ACCESS-TIMESTAMP'),
          signature: c.req.header('KALSHI-ACCESS-SIGNATURE'),
          method: c.req.method,
          path: new URL(c.req.url).pathname,
        },
        nowMs(),
      )
      if (isRefusal(key)) return refuse(key)
      const caller = callers.get(key.account)
      if (caller === undefined) return refuse(notFound)
      if (method !== 'GET' && key.scope !== 'write') {
        return refuse(kalshiError(403, 'insufficient_scope', 'insufficient scope'))
      }
      const bucket = method === 'GET' ? caller.read : caller.write
      if (!bucket.take(cost, clock.nowMs())) return refuse(tooManyRequests)
      const named = c.req.query('subaccount') ?? ''
      const subaccount = /^\d{1,2}$/.test(named) ? caller.account.subaccounts[Number(named)] : undefined
      if (named !== '' && subaccount === undefined) return refuse(notFound)
      return answer(c, { ...caller, subaccount })
    })
  }
  return { add, refuse }
}
