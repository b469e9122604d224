/** The leagues that the settings name. */

import { ArbeesError, EXIT } from '../core/errors.js'
import { LEAGUES } from '../model/game.js'
import type { League } from '../model/game.js'

/** Throws `BAD_CONFIG` (exit 4) for a league that arbees does not know, or none. */
export function leaguesOf(names: readonly string[]): League[] {
  const unknown = names.filter((name) => !(LEAGUES as readonly string[]).includes(name))
  if (unknown.length > 0 || names.length === 0) {
    throw new ArbeesError('BAD_CONFIG', `leagues is '${names.join(',')}'`, {
      exit: EXIT.CONFIG,
      hint: `any of: ${LEAGUES.join(', ')}`,
    })
  }
  return LEAGUES.filter((league) => names.includes(league))
}
