/** The CLOB's REST: limits first, then public reads, API keys, orders, and account reads. */

import { Hono } from 'hono'
import type { PublicAccounts } from '../accounts.js'
import { reply } from '../http-host.js'
import type { StatsCounter } from '../stats.js'
import type { PolyAccount } from './account.js'
import { ApiKeys } from './api-keys.js'
import { polyError, type PolyRefusal } from './errors.js'
import type { PolyDesk } from './order-desk.js'
import type { PolyOrderEntry } from './order-entry.js'
import { RateLimits, tooManyRequests } from './rate-limits.js'
import { addAccountReads } from './rest-account.js'
import { polyAuthRoutes } from './rest-auth.js'
import { addOrderRoutes } from './rest-orders.js'
import { addPublicReads, type PublicReads } from './rest-public.js'
import { signedRoutes } from './signed-routes.js'

export interface PolyRestOptions extends PublicReads {
  readonly account: PolyAccount
  readonly owner: PublicAccounts['polymarket']
  readonly orderEntry: PolyOrderEntry
  readonly desk: PolyDesk
  readonly stats: StatsCounter
  /** Our wall clock, Unix ms: what limits go by. */
  readonly wallMs: () => number
}

export function polyApp(options: PolyRestOptions): Hono {
  const { state, account, owner, orderEntry, desk, stats, wallMs } = options
  const refuse = ({ status, reason, body }: PolyRefusal): Response => {
    stats.refuse('poly', reason)
    return reply(status, body)
  }
  const keys = new ApiKeys(owner)
  const wallet = owner.address
  const signed = signedRoutes({ clock: state, keys, wallet, refuse })
  const limits = new RateLimits()
  const app = new Hono()
  app.notFound(() => refuse(polyError(404, 'not_found', 'not found')))
  app.onError((error) => refuse(polyError(500, 'internal_error', error.message)))
  app.use(async (c, next) => {
    const within = limits.take(c.req.method, new URL(c.req.url).pathname, wallMs())
    return within ? next() : refuse(tooManyRequests)
  })
  addPublicReads(app, options, refuse)
  app.route('/', polyAuthRoutes({ state, keys, wallet, refuse, signed }))
  addOrderRoutes(app, { state, account, orderEntry, desk, refuse, signed })
  addAccountReads(app, { state, account, signed, refuse })
  return app
}
