/** The CLOB's REST: public books and market facts, L2-signed orders and account reads. */

import { Hono, type Context } from 'hono'
import type { PublicAccounts } from '../accounts.js'
import type { Clock } from '../../core/clock.js'
import { parseJson, recordOf, reply } from '../http-host.js'
import type { PolyMarket } from '../market.js'
import type { StatsCounter } from '../stats.js'
import type { PolyAccount } from './account.js'
import { MIN_ORDER_SIZE, type TokenIndex } from './book-state.js'
import { isPolyRefusal, polyError, type PolyRefusal } from './errors.js'
import { refuseL2 } from './l2-auth.js'
import type { MarketFeed } from './market-feed.js'
import type { PolyOrderEntry } from './order-entry.js'
import { clobMarketShape, marketShape, openOrderShape, tradeShape } from './shapes.js'

export interface PolyRestOptions {
  readonly clock: Clock
  readonly feed: MarketFeed
  readonly account: PolyAccount
  readonly owner: PublicAccounts['polymarket']
  readonly orderEntry: PolyOrderEntry
  readonly stats: StatsCounter
  readonly findMarket: (conditionId: string) => PolyMarket | undefined
}

type Handler = (c: Context, body: string) => Response

const NO_BOOK = polyError(404, 'unknown_token', 'No orderbook exists for the requested token id')
const PAGE = 100
const LAST_CURSOR = 'LTE='
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
  const signed =
    (answer: Handler) =>
    async (c: Context): Promise<Response> => {
      const body = await c.req.text()
      const header = (name: string) => c.req.header(name)
      const path = new URL(c.req.url).pathname
      const refusal = refuseL2({ header, method: c.req.method, path, body }, owner, clock.nowMs())
      return refusal === undefined ? answer(c, body) : refuse(refusal)
    }
  const byToken =
    (answer: (market: PolyMarket, token: TokenIndex) => unknown) =>
    (c: Context): Response => {
      const listed = feed.findToken(c.req.query('token_id') ?? '')
      return listed === undefined ? refuse(NO_BOOK) : reply(200, answer(listed.market, listed.token))
    }

  const app = new Hono()
  app.notFound(() => refuse(polyError(404, 'not_found', 'not found')))
  app.onError((error) => refuse(polyError(500, 'internal_error', error.message)))

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

  app.post(
    '/order',
    signed((_c, body) => {
      const result = orderEntry.post(body)
      return isPolyRefusal(result) ? refuse(result) : reply(result.status, result.body)
    }),
  )
  // Delayed orders cannot be canceled and nothing else ever waits.
  app.delete(
    '/order',
    signed((_c, body) => {
      const orderId = recordOf(parseJson(body))?.['orderID']
      if (typeof orderId !== 'string') return refuse(polyError(400, 'invalid_payload', 'Invalid orderID'))
      const reason = account.delayed.has(orderId) ? 'order is delayed' : 'order not found or already matched'
      return reply(200, { canceled: [], not_canceled: { [orderId]: reason } })
    }),
  )
  app.delete(
    '/cancel-all',
    signed(() => reply(200, { canceled: [], not_canceled: {} })),
  )
  app.get(
    '/data/order/:id',
    signed((c) => {
      const order = account.delayed.get(c.req.param('id') ?? '')
      // Only active orders are shown; anything else is an empty answer, not an error.
      return reply(200, order === undefined ? null : openOrderShape(order, owner))
    }),
  )
  app.get(
    '/data/trades',
    signed((c) => {
      const { id, market, asset_id: assetId, before, after, next_cursor: cursor } = c.req.query()
      const trades = account.trades
        .filter((trade) => id === undefined || trade.id === id)
        .filter((trade) => market === undefined || trade.market.id === market)
        .filter((trade) => assetId === undefined || trade.market.tokenIds[trade.token] === assetId)
        .filter((trade) => before === undefined || trade.matchedMs < Number(before) * 1000)
        .filter((trade) => after === undefined || trade.matchedMs > Number(after) * 1000)
      const offset = offsetOf(cursor)
      const page = trades.slice(offset, offset + PAGE)
      const next = offset + PAGE
      return reply(200, {
        limit: PAGE,
        count: page.length,
        next_cursor: next < trades.length ? Buffer.from(String(next)).toString('base64') : LAST_CURSOR,
        data: page.map((trade) => tradeShape(trade, account, owner, clock.nowMs())),
      })
    }),
  )
  app.get(
    '/balance-allowance',
    signed((c) => {
      const { asset_type: type, token_id: tokenId } = c.req.query()
      if (type !== 'COLLATERAL' && type !== 'CONDITIONAL') {
        return refuse(polyError(400, 'invalid_payload', 'invalid asset type'))
      }
      const balance = type === 'COLLATERAL' ? account.cashMicros : account.tokenE6(tokenId ?? '')
      return reply(200, { balance: String(balance), allowance: '999999999000000' })
    }),
  )
  return app
}

function offsetOf(cursor: string | undefined): number {
  if (cursor === undefined || cursor === '' || cursor === LAST_CURSOR) return 0
  const offset = Number(Buffer.from(cursor, 'base64').toString())
  return Number.isSafeInteger(offset) && offset >= 0 ? offset : 0
}
