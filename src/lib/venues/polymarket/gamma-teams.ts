/** Gamma's teams, and which of them a text means. */

import { isObject, type Json } from './gamma-fields.js'

/** What Gamma calls a team; `abbreviation` is its token in slugs. */
export interface GammaTeam {
  readonly abbreviation: string
  readonly names: readonly string[]
}

/** Gamma's team objects, as in `GET /teams` and in an event's `teams`; malformed ones are left out. */
export function readTeams(value: unknown): GammaTeam[] {
  if (!Array.isArray(value)) return []
  return value.filter(isObject).flatMap((team) => {
    if (typeof team.abbreviation !== 'string') return []
    const names = [team.name, team.alias].filter((name): name is string => typeof name === 'string')
    return [{ abbreviation: team.abbreviation.toLowerCase(), names }]
  })
}

/** Those of an event, and behind them the league's. */
export function teamOf(code: string, event: Json, league: readonly GammaTeam[]): GammaTeam | undefined {
  return [...readTeams(event.teams), ...league].find((team) => team.abbreviation === code)
}

/** The code itself, a name, or one of them ending in the other's whole words: "Rockets", "Houston Rockets". */
export function isNamed(said: string, team: GammaTeam | undefined, code: string): boolean {
  const spoken = words(said)
  if (spoken === code) return true
  return (
    spoken !== '' &&
    (team?.names ?? []).some((name) => {
      const known = words(name)
      return (
        known !== '' && (known === spoken || known.endsWith(` ${spoken}`) || spoken.endsWith(` ${known}`))
      )
    })
  )
}

const words = (said: string): string =>
  said
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9 ]/g, '')
    .trim()
    .replace(/ +/g, ' ')
