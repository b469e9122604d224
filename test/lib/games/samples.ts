/** Games and listings for tests. */

import type { PairingContext } from '../../../src/lib/games/pairing.js'
import { NO_RULES, PairingLaw } from '../../../src/lib/games/pairing-rules.js'
import { TeamCodeBook } from '../../../src/lib/games/team-codes.js'
import type { CatalogMarket, Game, League } from '../../../src/lib/model/game.js'
import type { SettlementRules } from '../../../src/lib/model/settlement.js'

export const UNKNOWN_SETTLEMENT: SettlementRules = {
  overtime: 'unknown',
  tie: 'unknown',
  postponed: 'unknown',
  canceled: 'unknown',
}

const codes = new TeamCodeBook()

/** A first pairing without rules of the operator. */
export const pairingContext = (change: Partial<PairingContext> = {}): PairingContext => ({
  codes,
  law: new PairingLaw(NO_RULES),
  settlement: () => UNKNOWN_SETTLEMENT,
  verdicts: new Map(),
  paired: new Set(),
  today: '9999-12-31',
  ...change,
})

export function game(change: Partial<Game> & { homeCode?: string; awayCode?: string } = {}): Game {
  const { homeCode = 'UTAH', awayCode = 'HOU', ...rest } = change
  return {
    league: 'nba',
    gameId: '401',
    home: { code: homeCode, name: homeCode, score: 0 },
    away: { code: awayCode, name: awayCode, score: 0 },
    status: 'pre',
    period: 0,
    // 7 pm in New York on 2025-12-01.
    startMs: Date.UTC(2025, 11, 2, 0, 0),
    provider: 'espn',
    fetchedMs: 1,
    ...rest,
  }
}

function kalshiMarket(event: string, team: string, teams: [string, string], date: string): CatalogMarket {
  return {
    venue: 'kalshi',
    marketId: `${event}-${team}`,
    league: leagueOf(event),
    kind: 'moneyline',
    eventId: event,
    easternDate: date,
    teams,
    selection: team,
    title: `${team} wins`,
    tickE4: 100,
    sizeStepE2: 100,
    minSizeE2: 100,
    fees: { ratePpm: 70_000, roundUpToMicros: 100 },
    takerDelayMs: 0,
  }
}

const leagueOf = (event: string): League =>
  (/^KX(NBA|NFL|NHL|MLB|WNBA)/.exec(event)?.[1]?.toLowerCase() ?? 'nba') as League

export const kalshiEvent = (event: string, teams: [string, string], date: string): CatalogMarket[] =>
  teams.map((team) => kalshiMarket(event, team, teams, date))

/** From a slug: `nba-hou-uta-2025-12-01`, YES pays on the first team. */
export function polyMarket(slug: string, change: Partial<CatalogMarket> = {}): CatalogMarket {
  const [, league = 'nba', first = '', second = '', date = ''] =
    /^([a-z]+)-([a-z0-9]+)-([a-z0-9]+)-(\d{4}-\d{2}-\d{2})$/.exec(slug) ?? []
  return {
    venue: 'poly',
    marketId: `0x${Buffer.from(slug).toString('hex')}`,
    league: league as League,
    kind: 'moneyline',
    eventId: slug,
    easternDate: date,
    teams: [first.toUpperCase(), second.toUpperCase()],
    selection: first.toUpperCase(),
    title: slug,
    tickE4: 100,
    sizeStepE2: 1,
    minSizeE2: 500,
    fees: { ratePpm: 50_000, roundUpToMicros: 10 },
    takerDelayMs: 1000,
    tokenIds: ['1', '2'],
    negRisk: false,
    ...change,
  }
}

/** A game of a league without a table: teams go by their names. */
export function namedGame(
  league: League,
  [home, away]: readonly [readonly [string, ...string[]], readonly [string, ...string[]]],
  change: Partial<Game> = {},
): Game {
  return {
    ...game({ league, homeCode: home[0], awayCode: away[0], ...change }),
    names: { home: home.slice(1), away: away.slice(1) },
  }
}

/** Three markets of a soccer game at one venue, home first: codes as the venue spells them, and its names. */
export function threeWay(
  venue: 'kalshi' | 'poly',
  event: string,
  [home, away]: readonly [readonly [string, string], readonly [string, string]],
  date: string,
): CatalogMarket[] {
  const tie = venue === 'kalshi' ? 'TIE' : 'DRAW'
  return [home[0], tie, away[0]].map((selection) => ({
    ...(venue === 'kalshi' ? kalshiMarket(event, selection, [home[0], away[0]], date) : polyMarket(event)),
    marketId: `${event}-${venue === 'kalshi' ? selection : selection.toLowerCase()}`,
    league: 'epl',
    kind: 'three_way',
    eventId: event,
    easternDate: date,
    teams: [home[0], away[0]],
    teamNames: [[home[1]], [away[1]]],
    selection,
  }))
}
