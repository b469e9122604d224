/** The CLOB's REST: public books and market facts, L2-signed orders and account reads. */

import { Hono, type Context } from 'hono'
import type { PublicAccounts } from '../accounts.js'
import type { Clock } from '../../core/clock.js'
import { parseJson, recordOf, reply } from '../http-host.js'
import type { PolyMarket } from '../market.js'
import type { StatsCounter } from '../stats.js'
import type { PolyAccount } from './account.js'
import { ApiKeys } from './api-keys.js'
import { MIN_ORDER_SIZE, type TokenIndex } from './book-state.js'
import { polyError, type PolyRefusal } from './errors.js'
import type { MarketFeed } from './market-feed.js'
import type { PolyOrderEntry } from './order-entry.js'
import { polyAuthRoutes } from './rest-auth.js'
import { polyOrderRoutes } from './rest-orders.js'
import { clobMarketShape, marketShape } from './shapes.js'
import { signedRoutes } from './signed-routes.js'

export interface PolyRestOptions {
  readonly clock: Clock
  readonly feed: MarketFeed
  readonly account: PolyAccount
  readonly owner: PublicAccounts['polymarket']
  readonly orderEntry: PolyOrderEntry
  readonly stats: StatsCounter
  readonly findMarket: (conditionId: string) => PolyMarket | undefined
}

const NO_BOOK = polyError(404, 'unknown_token', 'No orderbook exists for the requested token id')
const MAX_BOOKS = 500

export function polyApp({
  clock,
  feed,
  account,
  owner,
  orderEntry,
  stats,
  findMarket,
}: PolyRestOptions): Hono {
  const refuse = ({ status, reason, body }: PolyRefusal): Response => {
    stats.refuse('poly', reason)
    return reply(status, body)
  }
  const keys = new ApiKeys(owner)
  const wallet = owner.address
  const signed = signedRoutes({ clock, keys, wallet, refuse })
  const byToken =
    (answer: (market: PolyMarket, token: TokenIndex) => unknown) =>
    (c: Context): Response => {
      const listed = feed.findToken(c.req.query('token_id') ?? '')
      return listed === undefined ? refuse(NO_BOOK) : reply(200, answer(listed.market, listed.token))
    }

  const app = new Hono()
  app.notFound(() => refuse(polyError(404, 'not_found', 'not found')))
  app.onError((error) => refuse(polyError(500, 'internal_error', error.message)))

  app.route('/', polyAuthRoutes({ clock, keys, wallet, refuse, signed }))
  app.route('/', polyOrderRoutes({ clock, account, owner, orderEntry, refuse, signed }))
  app.get('/version', () => reply(200, { version: 2 }))
  app.get('/time', () => reply(200, Math.floor(clock.nowMs() / 1000)))
  app.get(
    '/book',
    byToken((market, token) => feed.stateOf(market).restWire(token)),
  )
  app.get(
    '/tick-size',
    byToken((market) => ({ minimum_tick_size: market.tickE4 / 10_000 })),
  )
  app.get(
    '/neg-risk',
    byToken((market) => ({ neg_risk: market.negRisk })),
  )
  app.post('/books', async (c) => {
    const asked = parseJson(await c.req.text())
    if (!Array.isArray(asked) || asked.length > MAX_BOOKS) {
      return refuse(polyError(400, 'invalid_payload', 'Invalid payload'))
    }
    const books = asked.flatMap((entry: unknown) => {
      const tokenId = recordOf(entry)?.['token_id']
      const listed = typeof tokenId === 'string' ? feed.findToken(tokenId) : undefined
      return listed === undefined ? [] : [feed.stateOf(listed.market).restWire(listed.token)]
    })
    return reply(200, books)
  })
  app.get('/markets-by-token/:id', (c) => {
    const listed = feed.findToken(c.req.param('id'))
    if (listed === undefined) return refuse(NO_BOOK)
    const { id, tokenIds } = listed.market
    return reply(200, { condition_id: id, primary_token_id: tokenIds[0], secondary_token_id: tokenIds[1] })
  })
  const byCondition =
    (answer: (market: PolyMarket) => unknown) =>
    (c: Context): Response => {
      const market = findMarket(c.req.param('id') ?? '')
      return market === undefined
        ? refuse(polyError(404, 'unknown_market', 'market not found'))
        : reply(200, answer(market))
    }
  app.get(
    '/markets/:id',
    byCondition((market) => marketShape(market, feed.stateOf(market))),
  )
  app.get(
    '/clob-markets/:id',
    byCondition((market) => clobMarketShape(market, MIN_ORDER_SIZE)),
  )

  return app
}
