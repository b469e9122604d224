/** The simulated Gamma: Polymarket's public catalog. */

import { Hono, type Context } from 'hono'
import type { Exchange } from './exchange.js'
import { gameEvent, seasonEvent, sportsShape, teamsShape, type GammaEvent } from './gamma-shapes.js'
import { listen, reply, wholeParam, type Host } from './http-host.js'
import type { StatsCounter } from './stats.js'
import { SIM_LEAGUES } from './teams.js'

export interface GammaOptions {
  readonly exchange: Exchange
  readonly stats: StatsCounter
  readonly host: string
  readonly port: number
}

const DEFAULT_LIMIT = 20
const MAX_LIMIT = 500

export function startGamma({ exchange, stats, host, port }: GammaOptions): Promise<Host> {
  const app = new Hono()
  const refuse = (status: number, reason: string, error: string): Response => {
    stats.refuse('gamma', reason)
    return reply(status, { type: reason, error })
  }
  app.notFound(() => refuse(404, 'not_found', 'not found'))
  app.onError((error) => refuse(500, 'internal_error', error.message))

  const all = (): GammaEvent[] => [
    ...SIM_LEAGUES.map((league) => seasonEvent(league, exchange.clock.nowMs())),
    ...exchange.games.map((game) =>
      gameEvent(game, exchange.bookOf(game.poly).display, exchange.nowScenarioMs()),
    ),
  ]

  app.get('/sports', () => reply(200, sportsShape()))
  app.get('/teams', (c) => {
    const asked = c.req.queries('league')
    const leagues = SIM_LEAGUES.filter((league) => asked === undefined || asked.includes(league))
    return reply(200, leagues.flatMap(teamsShape))
  })
  app.get('/events', (c) => {
    const limit = wholeParam(c.req.query('limit'), DEFAULT_LIMIT, 0, MAX_LIMIT)
    const offset = wholeParam(c.req.query('offset'), 0, 0, 1_000_000)
    if (limit === undefined || offset === undefined)
      return refuse(422, 'validation_error', 'invalid limit or offset')
    return reply(
      200,
      select(all(), c)
        .slice(offset, offset + limit)
        .map(({ body }) => body),
    )
  })
  app.get('/events/keyset', (c) => {
    const limit = wholeParam(c.req.query('limit'), DEFAULT_LIMIT, 1, MAX_LIMIT)
    if (limit === undefined || c.req.query('offset') !== undefined) {
      return refuse(422, 'validation_error', 'invalid limit, or an offset')
    }
    const events = select(all(), c)
    const cursor = c.req.query('after_cursor')
    const after = cursor === undefined ? -1 : events.findIndex(({ id }) => cursorOf(id) === cursor)
    if (cursor !== undefined && after === -1) return refuse(422, 'validation_error', 'invalid after_cursor')
    const page = events.slice(after + 1, after + 1 + limit)
    const last = page.at(-1)
    const more = last !== undefined && after + 1 + limit < events.length
    return reply(200, {
      events: page.map(({ body }) => body),
      ...(more && { next_cursor: cursorOf(last.id) }),
    })
  })
  app.get('/events/slug/:slug', (c) => {
    const event = all().find(({ slug }) => slug === c.req.param('slug'))
    return event === undefined ? refuse(404, 'not_found', 'event not found') : reply(200, event.body)
  })
  app.get('/events/:id', (c) => {
    const event = all().find(({ id }) => id === c.req.param('id'))
    return event === undefined ? refuse(404, 'not_found', 'event not found') : reply(200, event.body)
  })
  return listen({ name: 'gamma', host, port, app })
}

const cursorOf = (id: string): string => Buffer.from(`event:${id}`).toString('base64url')

/** The filters and the order that the list calls know; every event here is active. */
function select(events: readonly GammaEvent[], c: Context): GammaEvent[] {
  const { series_id: series, tag_id: tag, slug, closed, active, order, ascending } = c.req.query()
  const chosen = events.filter(
    (event) =>
      (series === undefined || event.series === series) &&
      (tag === undefined || event.tags.includes(tag)) &&
      (slug === undefined || event.slug === slug) &&
      (closed === undefined || String(event.closed) === closed) &&
      active !== 'false',
  )
  if (order === 'startTime' || order === 'startDate') {
    const sign = ascending === 'false' ? -1 : 1
    chosen.sort((a, b) => sign * (a.startMs - b.startMs))
  }
  return chosen
}
