/**
 * Teams by name, for leagues that have no table of codes (college, soccer): the same school or club, as the scoreboard
 * and a venue write it. Names are compared whole, never by a part: "Miami" is not "Miami (OH)", and a nickname that two
 * schools share names neither.
 *
 * What may differ is spelling alone: case, accents, apostrophes and dots; "&" for "and"; a trailing "St." for "State"
 * (Kalshi writes "Michigan St.", ESPN "Michigan State"), a leading "Saint" for "St."; and a club's "FC", "AFC", "CF" or
 * "SC" (Polymarket writes "Everton FC", ESPN and Kalshi "Everton").
 */

const CLUB_WORDS: ReadonlySet<string> = new Set(['fc', 'afc', 'cf', 'sc'])

/** The spelling by which names are compared; empty when the text has no letter or digit. */
export function nameKey(text: string): string {
  const all = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\u0300-\u036f'’‘`.]/g, '')
    .replace(/&/g, ' and ')
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
  const plain = all.filter((word) => !CLUB_WORDS.has(word))
  const words = plain.length === 0 ? all : plain
  const last = words.length - 1
  return words
    .map((word, index) => {
      if (index === 0 && word === 'saint') return 'st'
      return index === last && index > 0 && word === 'st' ? 'state' : word
    })
    .join(' ')
}

/** Whether one of the names that a venue uses is one of a team's own. */
export function isCalled(said: readonly string[], names: readonly string[]): boolean {
  const keys = new Set(names.map(nameKey))
  keys.delete('')
  return said.some((name) => keys.has(nameKey(name)))
}
