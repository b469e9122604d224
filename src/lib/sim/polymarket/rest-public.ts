/** The CLOB's public reads: books and market facts. */

import type { Context, Hono } from 'hono'
import { parseJson, recordOf, reply } from '../http-host.js'
import type { PolyMarket } from '../market.js'
import { MIN_ORDER_SIZE, type TokenIndex } from './book-state.js'
import { polyError, type PolyRefusal } from './errors.js'
import type { MarketFeed } from './market-feed.js'
import type { RestBooks } from './rest-books.js'
import { clobMarketShape, marketShape } from './shapes.js'
import type { VenueState } from './venue-state.js'

const MAX_BOOKS = 500

const badToken = polyError(400, 'invalid_token', 'Invalid token id')
const noBook = polyError(404, 'unknown_token', 'No orderbook exists for the requested token id')
const noMarket = polyError(404, 'unknown_market', 'market not found')

export interface PublicReads {
  readonly state: VenueState
  readonly feed: MarketFeed
  readonly books: RestBooks
  readonly findMarket: (conditionId: string) => PolyMarket | undefined
}

export function addPublicReads(
  app: Hono,
  { state, feed, books, findMarket }: PublicReads,
  refuse: (refusal: PolyRefusal) => Response,
): void {
  const byToken =
    (unknown: PolyRefusal, answer: (market: PolyMarket, token: TokenIndex) => unknown) =>
    (c: Context): Response => {
      const tokenId = c.req.query('token_id') ?? ''
      if (!/^\d{1,78}$/.test(tokenId)) return refuse(badToken)
      const listed = feed.findToken(tokenId)
      return listed === undefined ? refuse(unknown) : reply(200, answer(listed.market, listed.token))
    }
  const byCondition =
    (answer: (market: PolyMarket) => unknown) =>
    (c: Context): Response => {
      const market = findMarket(c.req.param('id') ?? '')
      return market === undefined ? refuse(noMarket) : reply(200, answer(market))
    }

  app.get('/version', () => reply(200, { version: 2 }))
  app.get('/time', () => reply(200, Math.floor(state.nowMs() / 1000)))
  app.get(
    '/book',
    byToken(noBook, (market, token) => books.of(market, token)),
  )
  app.get(
    '/tick-size',
    byToken(noMarket, (market) => ({ minimum_tick_size: market.tickE4 / 10_000 })),
  )
  app.get(
    '/neg-risk',
    byToken(noMarket, (market) => ({ neg_risk: market.negRisk })),
  )
  app.post('/books', async (c) => {
    const asked = parseJson(await c.req.text())
    if (!Array.isArray(asked)) return refuse(polyError(400, 'invalid_payload', 'Invalid payload'))
    if (asked.length > MAX_BOOKS) {
      return refuse(polyError(400, 'batch_size', 'Payload exceeds the limit'))
    }
    const found = asked.flatMap((entry: unknown) => {
      const tokenId = recordOf(entry)?.['token_id']
      const listed = typeof tokenId === 'string' ? feed.findToken(tokenId) : undefined
      return listed === undefined ? [] : [books.of(listed.market, listed.token)]
    })
    return reply(200, found)
  })
  app.get('/markets-by-token/:id', (c) => {
    const listed = feed.findToken(c.req.param('id'))
    if (listed === undefined) return refuse(noMarket)
    const { id, tokenIds } = listed.market
    return reply(200, { condition_id: id, primary_token_id: tokenIds[0], secondary_token_id: tokenIds[1] })
  })
  app.get(
    '/markets/:id',
    byCondition((market) => marketShape(market, feed.stateOf(market))),
  )
  app.get(
    '/clob-markets/:id',
    byCondition((market) => clobMarketShape(market, MIN_ORDER_SIZE)),
  )
}
