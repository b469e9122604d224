/** Kalshi's public REST reads: exchange, series, events, markets, books. */

import type { Hono } from 'hono'
import type { Exchange } from '../exchange.js'
import { reply, wholeParam } from '../http-host.js'
import type { KalshiMarket, MarketStatus, SimGame } from '../market.js'
import { LEAGUE_FACTS, SIM_LEAGUES } from '../teams.js'
import { EdgeCache } from './edge-cache.js'
import type { ExchangeState } from './exchange-state.js'
import { notFound, queryError, type KalshiRefusal } from './errors.js'
import type { MarketTerms } from './market-terms.js'
import { limitTag, pageOf } from './paging.js'
import { eventShape, marketShape, seriesShape, sideLevels, type LastTrade } from './shapes.js'

type Status = MarketStatus | 'inactive'

/** Query words and the body statuses they stand for. */
const STATUS_FILTER: Readonly<Record<string, readonly Status[]>> = {
  unopened: [],
  open: ['active'],
  paused: ['inactive'],
  closed: ['closed', 'determined'],
  settled: ['finalized'],
}

export interface PublicRoutes {
  readonly exchange: Exchange
  readonly state: ExchangeState
  readonly terms: MarketTerms
  readonly lastTrade: (ticker: string) => LastTrade | undefined
  readonly refuse: (refusal: KalshiRefusal) => Response
}

export function addPublicRoutes(
  app: Hono,
  { exchange, state, terms, lastTrade, refuse }: PublicRoutes,
): void {
  const shape = (market: KalshiMarket) =>
    marketShape(market, state.statusOf(market), exchange.bookOf(market).display, lastTrade(market.id))

  app.get('/exchange/status', () => reply(200, state.shape()))
  app.get('/series', () =>
    reply(200, { series: SIM_LEAGUES.map((league) => seriesShape(LEAGUE_FACTS[league])) }),
  )
  // No simulated series ever changes its fees; events do.
  app.get('/series/fee_changes', () => reply(200, { series_fee_change_arr: [] }))
  app.get('/events/fee_changes', (c) => {
    const limit = wholeParam(c.req.query('limit'), 100, 1, 1000)
    if (limit === undefined)
      return refuse(queryError('GetEventFeeChanges', 'Limit', limitTag(c.req.query('limit'))))
    const page = pageOf(terms.feeChanges(), limit, c.req.query('cursor'))
    return reply(200, { cursor: page.cursor, event_fee_changes: page.items })
  })
  app.get('/series/:ticker', (c) => {
    const league = SIM_LEAGUES.find((known) => LEAGUE_FACTS[known].kalshiSeries === c.req.param('ticker'))
    return league === undefined ? refuse(notFound) : reply(200, { series: seriesShape(LEAGUE_FACTS[league]) })
  })
  app.get('/events', (c) => {
    const limit = wholeParam(c.req.query('limit'), 100, 1, 200)
    if (limit === undefined) return refuse(queryError('GetEvents', 'Limit', 'lte'))
    const statuses = statusFilter(c.req.query('status'))
    if (statuses === undefined) return refuse(queryError('GetEvents', 'Status', 'oneof'))
    const games = exchange.games.filter(
      (game) =>
        matchesSeries(game, c.req.query('series_ticker')) &&
        statuses.includes(state.statusOf(game.kalshi[0])),
    )
    const nested = c.req.query('with_nested_markets') === 'true'
    const page = pageOf(games, limit, c.req.query('cursor'))
    const events = page.items.map((game) => ({
      ...eventShape(game),
      ...(nested && { markets: game.kalshi.map(shape) }),
    }))
    return reply(200, { cursor: page.cursor, events })
  })
  app.get('/events/:ticker', (c) => {
    const game = exchange.games.find(({ kalshi }) => kalshi[0].eventTicker === c.req.param('ticker'))
    return game === undefined
      ? refuse(notFound)
      : reply(200, { event: eventShape(game), markets: game.kalshi.map(shape) })
  })
  app.get('/markets', (c) => {
    const limit = wholeParam(c.req.query('limit'), 100, 1, 1000)
    if (limit === undefined) return refuse(queryError('GetMarkets', 'Limit', limitTag(c.req.query('limit'))))
    const statuses = statusFilter(c.req.query('status'))
    if (statuses === undefined) return refuse(queryError('GetMarkets', 'Status', 'oneof'))
    const tickers = c.req.query('tickers')?.split(',')
    const event = c.req.query('event_ticker')
    const markets = exchange.games
      .filter((game) => matchesSeries(game, c.req.query('series_ticker')))
      .flatMap((game): readonly KalshiMarket[] => game.kalshi)
      .filter((market) => statuses.includes(state.statusOf(market)))
      .filter((market) => event === undefined || market.eventTicker === event)
      .filter((market) => tickers === undefined || tickers.includes(market.id))
    const page = pageOf(markets, limit, c.req.query('cursor'))
    return reply(200, { cursor: page.cursor, markets: page.items.map(shape) })
  })
  app.get('/markets/:ticker', (c) => {
    const market = exchange.kalshiMarket(c.req.param('ticker'))
    return market === undefined ? refuse(notFound) : reply(200, { market: shape(market) })
  })
  const books = new EdgeCache(() => exchange.clock.nowMs())
  app.get('/markets/:ticker/orderbook', (c) => {
    const market = exchange.kalshiMarket(c.req.param('ticker'))
    if (market === undefined) return refuse(notFound)
    const depth = wholeParam(c.req.query('depth'), 0, 0, 100)
    if (depth === undefined) return refuse(queryError('GetMarketOrderbook', 'Depth', 'lte'))
    const book = exchange.bookOf(market).display
    const some = { depth: depth === 0 ? Infinity : depth }
    return books.reply(c.req.url, () => ({
      orderbook_fp: {
        no_dollars: sideLevels(book, 'no', some) ?? [],
        yes_dollars: sideLevels(book, 'yes', some) ?? [],
      },
    }))
  })
}

const matchesSeries = (game: SimGame, series: string | undefined): boolean =>
  series === undefined || LEAGUE_FACTS[game.league].kalshiSeries === series

function statusFilter(words: string | undefined): readonly Status[] | undefined {
  if (words === undefined || words === '') {
    return ['inactive', 'active', 'closed', 'determined', 'finalized']
  }
  const statuses: Status[] = []
  for (const word of words.split(',')) {
    const known = Object.hasOwn(STATUS_FILTER, word) ? STATUS_FILTER[word] : undefined
    if (known === undefined) return undefined
    statuses.push(...known)
  }
  return statuses
}
