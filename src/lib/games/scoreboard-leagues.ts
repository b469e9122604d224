/**
 * Where the scoreboard keeps a league: the path behind `/sports/`, whose last part is also the slug in the body
 * (`usa.1` in a recorded slate of MLS), and what must be asked for besides. Without `groups` college slates hold the
 * ranked teams alone: 80 is the FBS, 50 all of Division I.
 */

import type { League } from '../model/game.js'

interface ScoreboardLeague {
  readonly path: string
  readonly groups?: number
}

const SCOREBOARD_LEAGUES: Readonly<Record<League, ScoreboardLeague>> = {
  nba: { path: 'basketball/nba' },
  wnba: { path: 'basketball/wnba' },
  nfl: { path: 'football/nfl' },
  nhl: { path: 'hockey/nhl' },
  mlb: { path: 'baseball/mlb' },
  cfb: { path: 'football/college-football', groups: 80 },
  cbb: { path: 'basketball/mens-college-basketball', groups: 50 },
  epl: { path: 'soccer/eng.1' },
  mls: { path: 'soccer/usa.1' },
}

/** Path and query of a league's slate of a US Eastern day, `YYYY-MM-DD`. */
export function scoreboardPath(league: League, date: string): string {
  const { path, groups } = SCOREBOARD_LEAGUES[league]
  const more = groups === undefined ? '' : `&groups=${groups}`
  return `/apis/site/v2/sports/${path}/scoreboard?dates=${date.replaceAll('-', '')}${more}`
}

/** What the body calls the league. */
export const scoreboardSlug = (league: League): string =>
  SCOREBOARD_LEAGUES[league].path.split('/').at(-1) ?? league
