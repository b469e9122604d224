/**
 * Bus topics: the first frame of every message, from general to specific.
 *
 *     prices.kalshi.KXNBAGAME-26JAN15MIABOS-MIA     games.nba.401584847     signals.trade.<id>
 *     games.discovered  games.updated               health.<publisher>      replay.<run>.<any of these>
 *
 * ZeroMQ matches subscriptions by byte prefix, so a prefix ends in a dot (`prices.k` would also match
 * `prices.kalshi2`), and the id comes last and is taken as the remainder: venue ids may contain dots
 * (`KXBTCD-26JAN0217-T95999.99`).
 */

import { ArbeesError } from '../core/errors.js'

/** First segment: the family of facts. A family may have several publishers, one per source. */
export const FAMILIES = ['prices', 'orderbook', 'games', 'signals', 'orders', 'trades'] as const
export type Family = (typeof FAMILIES)[number]

const GAME_NOTICES = ['discovered', 'updated'] as const
type GameNotice = (typeof GAME_NOTICES)[number]

export interface Topic {
  readonly family: Family
  /** Where it happened: a venue, a league, a status, or a notice's own name; lowercase. */
  readonly scope: string
  /** The owner's identifier, verbatim and case-sensitive; empty only for the two `games.` notices. */
  readonly id: string
  /** The run of a replayed message, from `replay.<run>.`. */
  readonly run?: string
}

const SCOPE = /^[a-z][a-z0-9-]*$/
const RUN = /^[a-z0-9-]{1,64}$/
/** Printable ASCII without space: an id ends up in keys, file names and terminals. */
const ID = /^[\x21-\x7e]{1,200}$/

export const HEALTH_PREFIX = 'health.'
const REPLAY_PREFIX = 'replay.'

export const isFamily = (text: string): text is Family => (FAMILIES as readonly string[]).includes(text)
const isNotice = (text: string): text is GameNotice => (GAME_NOTICES as readonly string[]).includes(text)

/** Builds the wire topic. Throws `BAD_TOPIC` when a segment breaks the grammar above. */
export function formatTopic(topic: Topic): string {
  const { family, scope, id, run } = topic
  const notice = family === 'games' && id === '' && isNotice(scope)
  const body = notice ? `${family}.${scope}` : `${family}.${scope}.${id}`
  const wire = run === undefined ? body : `${REPLAY_PREFIX}${run}.${body}`
  if (
    !isFamily(family) ||
    !SCOPE.test(scope) ||
    !(notice || ID.test(id)) ||
    (run !== undefined && !RUN.test(run))
  ) {
    throw new ArbeesError('BAD_TOPIC', `not a bus topic: '${wire}'`)
  }
  return wire
}

/** The parts of a wire topic, or undefined when it is none (a heartbeat's is none: see `healthTopic`). */
export function tryParseTopic(wire: string): Topic | undefined {
  if (wire.startsWith(REPLAY_PREFIX)) {
    const end = wire.indexOf('.', REPLAY_PREFIX.length)
    const run = wire.slice(REPLAY_PREFIX.length, end)
    const inner = end === -1 || !RUN.test(run) ? undefined : tryParseTopic(wire.slice(end + 1))
    return inner === undefined || inner.run !== undefined ? undefined : { ...inner, run }
  }
  const first = wire.indexOf('.')
  const family = wire.slice(0, first)
  if (first === -1 || !isFamily(family)) return undefined
  const second = wire.indexOf('.', first + 1)
  if (second === -1) {
    const scope = wire.slice(first + 1)
    return family === 'games' && isNotice(scope) ? { family, scope, id: '' } : undefined
  }
  const scope = wire.slice(first + 1, second)
  const id = wire.slice(second + 1)
  return SCOPE.test(scope) && ID.test(id) ? { family, scope, id } : undefined
}

/** As `tryParseTopic`; throws `BAD_TOPIC`. */
export function parseTopic(wire: string): Topic {
  const topic = tryParseTopic(wire)
  if (topic === undefined) throw new ArbeesError('BAD_TOPIC', `not a bus topic: '${wire}'`)
  return topic
}

export const healthTopic = (publisher: string): string => `${HEALTH_PREFIX}${publisher}`
