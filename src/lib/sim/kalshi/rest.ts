/** Kalshi REST under `/trade-api/v2`: public market data, signed account reads, V2 order entry, order groups. */

import { Hono } from 'hono'
import type { Exchange } from '../exchange.js'
import { reply } from '../http-host.js'
import type { StatsCounter } from '../stats.js'
import type { KalshiAccount } from './account.js'
import type { KalshiVerifier } from './auth.js'
import { KALSHI_BASE } from './costs.js'
import { notFound, type KalshiRefusal } from './errors.js'
import type { ExchangeState } from './exchange-state.js'
import type { MarketTerms } from './market-terms.js'
import type { OrderDesk } from './order-desk.js'
import type { OrderEntry } from './order-entry.js'
import { addAccountRoutes } from './rest-account.js'
import { addGroupRoutes } from './rest-groups.js'
import { addOrderRoutes } from './rest-orders.js'
import { addPublicRoutes } from './rest-public.js'
import { addSubaccountRoutes } from './rest-subaccounts.js'
import type { LastTrade } from './shapes.js'
import { signedRoutes } from './signed-routes.js'

export interface KalshiRestOptions {
  readonly exchange: Exchange
  readonly state: ExchangeState
  readonly accounts: ReadonlyMap<string, KalshiAccount>
  readonly usageTier: string
  readonly verifier: KalshiVerifier
  readonly orderEntry: OrderEntry
  readonly desk: OrderDesk
  readonly stats: StatsCounter
  /** What the venue takes for now, Unix ms. */
  readonly nowMs: () => number
  readonly terms: MarketTerms
  readonly lastTrade: (ticker: string) => LastTrade | undefined
}

export function kalshiApp(options: KalshiRestOptions): Hono {
  const { stats } = options
  const { clock } = options.exchange
  const refuse = ({ status, reason, body }: KalshiRefusal): Response => {
    stats.refuse('kalshi', reason)
    return reply(status, body)
  }
  const app = new Hono().basePath(KALSHI_BASE)
  app.notFound(() => refuse(notFound))
  app.onError((error) => {
    stats.refuse('kalshi', 'internal_error')
    return reply(500, { error: { code: 'internal_server_error', message: error.message } })
  })
  const routes = signedRoutes(app, { ...options, clock, refuse })
  addPublicRoutes(app, { ...options, refuse })
  addAccountRoutes(routes, { clock, usageTier: options.usageTier })
  addSubaccountRoutes(routes, { ...options, clock })
  addOrderRoutes(routes, options)
  addGroupRoutes(routes, options)
  return app
}
