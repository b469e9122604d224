/** Topic prefixes as operators type them. */

import { ArbeesError, EXIT } from '../core/errors.js'
import { FAMILIES, HEALTH_PREFIX, isFamily, tryParseTopic } from '../messages/topics.js'

export interface TopicPrefixes {
  /** What is subscribed to, byte for byte. */
  readonly prefixes: readonly string[]
  /** What the operator should know: a wildcard that was read as a prefix, a missing dot, a family nobody has. */
  readonly notes: readonly string[]
}

const REPLAY = 'replay'

/**
 * Reads prefixes; none means every family. Other buses' wildcards are understood at the end (`prices.kalshi.*`,
 * `prices.kalshi.>`). Throws `BAD_PREFIX` (usage) for a wildcard elsewhere.
 */
export function readPrefixes(given: readonly string[]): TopicPrefixes {
  if (given.length === 0) return { prefixes: everything(), notes: [] }
  const prefixes = new Set<string>()
  const notes: string[] = []
  for (const text of given) {
    const prefix = withoutWildcard(text)
    if (prefix === '') {
      everything().forEach((each) => prefixes.add(each))
      continue
    }
    if (prefix !== text) notes.push(`'${text}' is read as the prefix '${prefix}'`)
    notes.push(...notesOn(prefix))
    prefixes.add(prefix)
  }
  return { prefixes: [...prefixes], notes }
}

const everything = (): string[] => FAMILIES.map((family) => `${family}.`)

function withoutWildcard(text: string): string {
  const prefix = text.replace(/[*>]$/, '')
  if (/[*>]/.test(prefix)) {
    throw new ArbeesError('BAD_PREFIX', `'${text}' has a wildcard before its end`, {
      exit: EXIT.USAGE,
      hint: 'ZeroMQ matches topics by prefix: prices.kalshi. takes everything below it',
    })
  }
  return prefix
}

function notesOn(prefix: string): string[] {
  const [family = '', scope] = prefix.split('.')
  if (scope !== undefined && !isFamily(family) && family !== REPLAY && `${family}.` !== HEALTH_PREFIX) {
    return [`no topic begins with '${family}.': the families are ${FAMILIES.join(', ')}, and health`]
  }
  // A whole topic is what someone pastes to follow one market.
  if (prefix.endsWith('.') || tryParseTopic(prefix) !== undefined) return []
  return [`'${prefix}' has no closing dot: it also matches ${prefix}2; '${prefix}.' takes that name alone`]
}

const REPLAYED = /^replay\.([^.]+)\./

/**
 * The replay that these prefixes are about, which has a publisher of its own; undefined for what happens now. Throws
 * `BAD_PREFIX` (usage) for several replays at once, or for one without its name.
 */
export function replayOf(prefixes: readonly string[]): string | undefined {
  const topics = prefixes.filter((prefix) => !prefix.startsWith(HEALTH_PREFIX))
  const runs = new Set(topics.map((prefix) => REPLAYED.exec(prefix)?.[1]))
  const [run] = runs
  if (runs.size <= 1 && !topics.some((prefix) => run === undefined && prefix.startsWith(REPLAY))) return run
  throw new ArbeesError('BAD_PREFIX', `not of one replay: ${topics.join(' ')}`, {
    exit: EXIT.USAGE,
    hint: 'replay.<run>. takes one replay, by the name that arbees replay --to-bus says',
  })
}
