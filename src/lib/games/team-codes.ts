/**
 * Team codes as data. ESPN's abbreviation is the code that arbees uses; the venues spell some teams otherwise, and
 * the same letters mean different teams in different leagues, so every lookup is by (league, code).
 *
 * A code that is not listed is unknown: it is refused, never passed through. Conventions change between seasons, so
 * a season's new spelling shows up as unpaired markets, not as a wrong pair.
 *
 * College and soccer have no table: some hundreds of schools, and clubs that change every year. There ESPN's
 * abbreviation is a label only, and teams are told by their names.
 */

import type { League } from '../model/game.js'
import type { Venue } from '../model/venue.js'

export interface TeamCodes {
  /** The team's code in arbees: ESPN's own. */
  readonly code: string
  /** Other spellings that ESPN has used. */
  readonly espn?: readonly string[]
  /** Spellings on Kalshi (market ticker) and Polymarket (slug, upper-cased); the code itself where not said. */
  readonly kalshi?: readonly string[]
  readonly poly?: readonly string[]
}

const same = (codes: string): TeamCodes[] => codes.split(' ').map((code) => ({ code }))

/** Every team of the leagues that have a table. Where sources disagree on a spelling and it is unambiguous, both are listed. */
export const TEAM_CODES: Readonly<Partial<Record<League, readonly TeamCodes[]>>> = {
  nba: [
    ...same(
      'ATL BKN BOS CHA CHI CLE DAL DEN DET HOU IND LAC LAL MEM MIA MIL MIN OKC ORL PHI PHX POR SAC TOR',
    ),
    { code: 'GS', kalshi: ['GSW'], poly: ['GSW'] },
    { code: 'NO', kalshi: ['NOP'], poly: ['NOP', 'NO'] },
    { code: 'NY', kalshi: ['NYK'], poly: ['NYK'] },
    { code: 'SA', kalshi: ['SAS'], poly: ['SAS'] },
    { code: 'UTAH', espn: ['UTA'], kalshi: ['UTA'], poly: ['UTA'] },
    { code: 'WSH', kalshi: ['WAS'], poly: ['WAS'] },
  ],
  nfl: [
    ...same('ARI ATL BAL BUF CAR CHI CIN CLE DAL DEN DET GB HOU IND KC LAC LV MIA MIN NE NO NYG NYJ PHI PIT'),
    ...same('SEA SF TB TEN'),
    { code: 'JAX', kalshi: ['JAC'] },
    { code: 'LAR', kalshi: ['LAR', 'LA'], poly: ['LAR', 'LA'] },
    { code: 'WSH', kalshi: ['WAS'], poly: ['WAS'] },
  ],
  nhl: [
    ...same('ANA BOS BUF CAR CBJ CHI COL DAL DET EDM FLA MIN NSH NYI NYR OTT PHI PIT SEA STL TOR VAN WPG'),
    { code: 'CGY', poly: ['CAL'] },
    { code: 'LA', kalshi: ['LA', 'LAK'], poly: ['LAK'] },
    { code: 'MTL', poly: ['MON'] },
    { code: 'NJ', kalshi: ['NJ', 'NJD'] },
    { code: 'SJ', kalshi: ['SJ', 'SJS'] },
    { code: 'TB', kalshi: ['TB', 'TBL'] },
    { code: 'UTAH', espn: ['UTA'], kalshi: ['UTA'] },
    { code: 'VGK', poly: ['LAS'] },
    { code: 'WSH', kalshi: ['WSH', 'WAS'] },
  ],
  mlb: [
    ...same(
      'ATL BAL BOS CHC CIN CLE COL DET HOU KC LAA LAD MIA MIL MIN NYM NYY PHI PIT SD SEA SF STL TB TEX TOR',
    ),
    ...same('WSH'),
    { code: 'ARI', kalshi: ['AZ'] },
    { code: 'ATH', espn: ['OAK'], poly: ['OAK'] },
    { code: 'CHW', kalshi: ['CWS'], poly: ['CWS'] },
  ],
  wnba: [
    ...same('ATL CHI DAL IND LA LV MIN NY PHX SEA TOR WSH'),
    { code: 'CON', kalshi: ['CONN'], poly: ['CONN'] },
    { code: 'GS', poly: ['GSV'] },
    { code: 'POR', kalshi: ['PDX'] },
  ],
}

/** Who spells it. */
export type Speller = Venue | 'espn'

type Table = ReadonlyMap<string, string>

/** What ESPN's abbreviations are made of, as seen: `OSU`, `M-OH`, `TA&M`. */
const LABEL = /^[A-Z0-9][A-Z0-9&'-]{0,7}$/

/** Looks codes up; built once from `TEAM_CODES`. */
export class TeamCodeBook {
  private readonly tables = new Map<string, Table>()

  constructor() {
    for (const [league, list] of Object.entries(TEAM_CODES)) {
      for (const speller of ['espn', 'kalshi', 'poly'] as const) {
        this.tables.set(`${league} ${speller}`, tableOf(list, speller))
      }
    }
  }

  /** Whether the league's teams are known by their codes. */
  hasTable(league: League): boolean {
    return this.tables.has(`${league} espn`)
  }

  /**
   * arbees' code of the team that the speller means, or undefined when it is unknown. Case does not matter. Without a
   * table ESPN's own spelling is the code, and a venue's means nothing by itself.
   */
  codeOf(league: League, speller: Speller, spelled: string): string | undefined {
    if (!this.hasTable(league)) {
      const label = spelled.toUpperCase()
      return speller === 'espn' && LABEL.test(label) ? label : undefined
    }
    return this.tables.get(`${league} ${speller}`)?.get(spelled.toUpperCase())
  }
}

/** How one party spells a team. ESPN's own code is always one of ESPN's. */
export function spellingsOf(team: TeamCodes, speller: Speller): readonly string[] {
  return speller === 'espn' ? [team.code, ...(team.espn ?? [])] : (team[speller] ?? [team.code])
}

function tableOf(teams: readonly TeamCodes[], speller: Speller): Table {
  const table = new Map<string, string>()
  for (const team of teams) {
    for (const spelled of spellingsOf(team, speller)) table.set(spelled, team.code)
  }
  return table
}
