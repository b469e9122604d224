/** The simulated ESPN scoreboard, and the simulator's own status beside it. */

import { createHash } from 'node:crypto'
import { Hono } from 'hono'
import { easternDate } from './eastern.js'
import { eventShape, scoreboardShape } from './espn-shapes.js'
import type { Exchange } from './exchange.js'
import { listen, reply, type Host } from './http-host.js'
import type { SimStats, StatsCounter } from './stats.js'
import { LEAGUE_FACTS, SIM_LEAGUES } from './teams.js'

export interface EspnOptions {
  readonly exchange: Exchange
  readonly stats: StatsCounter
  readonly host: string
  readonly port: number
  readonly readStats: () => SimStats
}

/** The scoreboard trails play by this much scenario time. */
const VIEW_LAG_MS = 5000
const DAY_MS = 86_400_000

/** Leagues that ESPN has and the scenario has no game of: an empty slate, as out of season. */
const QUIET_LEAGUES: ReadonlySet<string> = new Set([
  'basketball/wnba',
  'baseball/mlb',
  'football/nfl',
  'hockey/nhl',
  'football/college-football',
  'basketball/mens-college-basketball',
  'soccer/eng.1',
  'soccer/usa.1',
])

/** Accepted: plain library defaults, or `App/1.0 (+https://link)`. A browser's name or a bare token is refused. */
const LIBRARIES = /^(curl|python-requests|python-urllib)\//i
const NAMED = /^(?!mozilla)[A-Za-z0-9._-]+\/[A-Za-z0-9._-]+ \(\+https?:\/\/[^\s()]+\)$/i

export function startEspn({ exchange, stats, host, port, readStats }: EspnOptions): Promise<Host> {
  const app = new Hono()
  app.notFound(() => {
    stats.refuse('espn', 'not_found')
    return reply(404, { code: 404, message: 'Not Found' })
  })
  app.get('/sim/status', () => reply(200, readStats()))

  app.get('/apis/site/v2/sports/:sport/:league/scoreboard', (c) => {
    const refuse = (status: number, reason: string, message: string): Response => {
      stats.refuse('espn', reason)
      return reply(status, { code: status, message })
    }
    const agent = c.req.header('user-agent') ?? ''
    if (!LIBRARIES.test(agent) && !NAMED.test(agent)) return refuse(403, 'user_agent', 'Forbidden')
    const league = SIM_LEAGUES.find(
      (known) => known === c.req.param('league') && LEAGUE_FACTS[known].sport === c.req.param('sport'),
    )
    if (league === undefined) {
      const quiet = QUIET_LEAGUES.has(`${c.req.param('sport')}/${c.req.param('league')}`)
      return quiet ? reply(200, { leagues: [], events: [] }) : refuse(404, 'unknown_league', 'Not Found')
    }
    const dates = c.req.query('dates')
    // A range, or anything that is not a day, month or year.
    if (dates !== undefined && !/^\d{4}(\d{2}(\d{2})?)?$/.test(dates)) {
      return refuse(400, 'dates', 'Failed to get events endpoint.')
    }
    const nowMs = exchange.clock.nowMs()
    // Without a date the slate may be another day's: here it is tomorrow's.
    const wanted = dates ?? easternDate(nowMs + DAY_MS).replaceAll('-', '')
    const atMs = Math.max(0, exchange.nowScenarioMs() - VIEW_LAG_MS)
    const events = exchange.games
      .filter((game) => game.league === league && game.easternDate.replaceAll('-', '').startsWith(wanted))
      .map((game) => eventShape(game, atMs))
    const body = JSON.stringify(scoreboardShape(league, wanted, events))
    const etag = `"${createHash('sha1').update(body).digest('hex')}"`
    const headers = { etag, 'cache-control': 'max-age=1' }
    if (c.req.header('if-none-match') === etag) return new Response(null, { status: 304, headers })
    return new Response(body, { headers: { ...headers, 'content-type': 'application/json' } })
  })
  return listen({ name: 'espn', host, port, app })
}
