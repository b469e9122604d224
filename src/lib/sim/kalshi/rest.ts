/** Kalshi REST under `/trade-api/v2`: public market data, signed account reads, V2 order entry. */

import { Hono, type Context } from 'hono'
import type { Exchange } from '../exchange.js'
import { reply } from '../http-host.js'
import type { StatsCounter } from '../stats.js'
import type { KalshiAccount } from './account.js'
import type { KalshiVerifier } from './auth.js'
import { CANCEL_COST, CREATE_COST, KALSHI_BASE, READ_TOKENS, WRITE_TOKENS } from './costs.js'
import { isRefusal, kalshiError, notFound, tooManyRequests, type KalshiRefusal } from './errors.js'
import type { OrderEntry } from './order-entry.js'
import { addAccountRoutes, type Handler } from './rest-account.js'
import { addPublicRoutes } from './rest-public.js'
import type { LastTrade } from './shapes.js'
import { TokenBucket } from './token-bucket.js'

export interface KalshiRestOptions {
  readonly exchange: Exchange
  readonly account: KalshiAccount
  readonly verifier: KalshiVerifier
  readonly orderEntry: OrderEntry
  readonly stats: StatsCounter
  readonly lastTrade: (ticker: string) => LastTrade | undefined
}

export function kalshiApp(options: KalshiRestOptions): Hono {
  const { exchange, account, verifier, orderEntry, stats } = options
  const { clock } = exchange
  const read = new TokenBucket(READ_TOKENS, READ_TOKENS, clock.nowMs())
  const write = new TokenBucket(WRITE_TOKENS, WRITE_TOKENS, clock.nowMs())

  const refuse = ({ status, reason, body }: KalshiRefusal): Response => {
    stats.refuse('kalshi', reason)
    return reply(status, body)
  }
  /** Authenticates, charges the bucket, then answers. */
  const signed =
    (scope: 'read' | 'write', cost: number, answer: Handler): Handler =>
    (c: Context) => {
      const key = verifier.verify(
        {
          key: c.req.header('KALSHI-ACCESS-KEY'),
          timestamp: c.req.header('KALSHI-ACCESS-TIMESTAMP'),
          signature: c.req.header('KALSHI-ACCESS-SIGNATURE'),
          method: c.req.method,
          path: new URL(c.req.url).pathname,
        },
        clock.nowMs(),
      )
      if (isRefusal(key)) return refuse(key)
      if (scope === 'write' && key.scope !== 'write') {
        return refuse(kalshiError(403, 'insufficient_scope', 'insufficient scope'))
      }
      const bucket = scope === 'write' ? write : read
      if (!bucket.take(cost, clock.nowMs())) return refuse(tooManyRequests)
      return answer(c)
    }

  const app = new Hono().basePath(KALSHI_BASE)
  app.notFound(() => refuse(notFound))
  app.onError((error) => {
    stats.refuse('kalshi', 'internal_error')
    return reply(500, { error: { code: 'internal_server_error', message: error.message } })
  })

  addPublicRoutes(app, { exchange, account, refuse, lastTrade: options.lastTrade })
  addAccountRoutes(app, { clock, account, read, write, signed, refuse })
  app.post(
    '/portfolio/events/orders',
    signed('write', CREATE_COST, async (c) => {
      const result = orderEntry.create(await c.req.text())
      return isRefusal(result) ? refuse(result) : reply(result.status, result.body)
    }),
  )
  // Nothing ever rests here, so there is never anything to cancel.
  app.delete(
    '/portfolio/events/orders',
    signed('write', CANCEL_COST, () => new Response(null, { status: 204 })),
  )
  app.delete(
    '/portfolio/events/orders/:id',
    signed('write', CANCEL_COST, () =>
      refuse(kalshiError(404, 'not_found', 'not found', { service: 'exchange' })),
    ),
  )
  const gone = kalshiError(410, 'deprecated_v1_order_endpoint', 'Please switch to the V2 endpoints', {
    details: 'https://docs.kalshi.com/api-reference/orders/create-order-v2',
  })
  app.on(
    ['POST', 'DELETE'],
    ['/portfolio/orders', '/portfolio/orders/*'],
    signed('write', CREATE_COST, () => refuse(gone)),
  )
  return app
}
