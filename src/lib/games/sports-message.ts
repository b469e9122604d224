/**
 * Frames of Polymarket's sports channel -> words about games. Pure.
 *
 * A public broadcast of every sport: a text `ping` every 5 s, else one `sport_result` a frame, bare or as
 * `{type, payload}` (docs.polymarket.com, "Sports WebSocket"; older frames have no status and no league). Its operator
 * warns that it may be late, wrong or incomplete, so every field may be missing and what is not known is named.
 */

import type { GameStatus } from '../model/game.js'

/** What the source says of one game. */
export interface SportsWord {
  readonly slug: string
  /** As the venue writes it, lower case; undefined where the slug and the message name none. */
  readonly league: string | undefined
  /** As the slug spells them, upper case. Which is at home it does not say reliably. */
  readonly teams: readonly [string, string]
  /** The slug's date, US Eastern, `YYYY-MM-DD`. */
  readonly date: string
  readonly status: GameStatus
  /** Both scores; whose comes first differs between leagues, so only the pair of them says something. */
  readonly scores: readonly [number, number] | undefined
  /** When the source itself says it was true, Unix ms. */
  readonly saidMs: number | undefined
}

export type SportsReading =
  | { readonly kind: 'ping' }
  /** `unknown` names fields and statuses that nobody has told us of. */
  | { readonly kind: 'word'; readonly word: SportsWord; readonly unknown: readonly string[] }
  /** A game that cannot be one of ours, or a form that says nothing of a game. */
  | { readonly kind: 'skipped'; readonly name: string }
  | { readonly kind: 'refused'; readonly reason: 'not_json' | 'not_an_object' }

/** A message is below 2 kB. A socket that sends more than this at once is not this source. */
export const MAX_SPORTS_FRAME_BYTES = 256 * 1024

type Json = Readonly<Record<string, unknown>>

/** `<league>-<first>-<second>-<date>`; soccer frames without the league were recorded. */
const SLUG = /^(?:([a-z0-9]{2,10})-)?([a-z0-9]{2,8})-([a-z0-9]{2,8})-(\d{4}-\d{2}-\d{2})$/
const LEAGUE = /^[a-z0-9 ]{2,20}$/
const SCORE = /^(\d{1,3})-(\d{1,3})$/
/** Names that are shown and counted: foreign text is not. */
const NAME = /^[A-Za-z0-9_ /-]{1,30}$/

const FIELDS: ReadonlySet<string> = new Set([
  ...['gameId', 'sportradarGameId', 'leagueAbbreviation', 'slug', 'homeTeam', 'awayTeam', 'status', 'score'],
  ...['period', 'elapsed', 'live', 'ended', 'turn', 'turnProviderId', 'eventState', 'last_update'],
  ...['updatedAt', 'finished_timestamp', 'finishedTimestamp'],
])

const STATUSES: ReadonlyMap<string, GameStatus | 'delayed'> = new Map<string, GameStatus | 'delayed'>([
  ['scheduled', 'pre'],
  ['not_started', 'pre'],
  ['inprogress', 'live'],
  ['running', 'live'],
  ['break', 'live'],
  ['penaltyshootout', 'live'],
  ['final', 'final'],
  ['finished', 'final'],
  ['f/ot', 'final'],
  ['f/so', 'final'],
  ['postponed', 'postponed'],
  // As of the scoreboard: to be finished on another day, by rules that differ between venues.
  ['suspended', 'postponed'],
  ['interrupted', 'postponed'],
  ['abandoned', 'canceled'],
  ['canceled', 'canceled'],
  ['cancelled', 'canceled'],
  ['forfeit', 'canceled'],
  ['awarded', 'canceled'],
  ['notnecessary', 'canceled'],
  // Before it began, or in the middle: the flags say which.
  ['delayed', 'delayed'],
])

/** Reads what one frame holds. Never throws. */
export function readSportsFrame(data: Buffer): readonly SportsReading[] {
  const text = data.toString('utf8').trim()
  if (text === 'ping' || text === 'PING') return [{ kind: 'ping' }]
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return [{ kind: 'refused', reason: 'not_json' }]
  }
  return Array.isArray(parsed) ? parsed.map(readMessage) : [readMessage(parsed)]
}

function readMessage(message: unknown): SportsReading {
  if (!isObject(message)) return { kind: 'refused', reason: 'not_an_object' }
  const { type } = message
  if (type === undefined || isText(message['slug'])) return readResult(message)
  if (type !== 'sport_result') return skipped(`type ${nameOf(type)}`)
  const { payload } = message
  return isObject(payload) ? readResult(payload) : { kind: 'refused', reason: 'not_an_object' }
}

/** Undefined for another form. */
export function readSlug(
  slug: string,
): (Pick<SportsWord, 'teams' | 'date'> & { readonly league: string | undefined }) | undefined {
  const [, league, first, second, date] = SLUG.exec(slug) ?? []
  if (first === undefined || second === undefined || date === undefined) return undefined
  return { league, teams: [first.toUpperCase(), second.toUpperCase()], date }
}

function readResult(result: Json): SportsReading {
  const { slug, leagueAbbreviation, score } = result
  if (!isText(slug)) return skipped('no slug')
  const parts = readSlug(slug)
  if (parts === undefined) return skipped('slug form')
  const { league: ofSlug, teams, date } = parts
  const named = isText(leagueAbbreviation) ? leagueAbbreviation.toLowerCase() : undefined
  if (named !== undefined && !LEAGUE.test(named)) return skipped('league form')
  if (ofSlug !== undefined && named !== undefined && ofSlug !== named)
    return skipped('league differs from slug')
  const unknown = Object.keys(result)
    .filter((field) => !FIELDS.has(field))
    .map((field) => `field ${nameOf(field)}`)
  const status = readStatus(result, unknown)
  if (status === undefined) return skipped('no status')
  const scores = isText(score) ? SCORE.exec(score) : null
  const word: SportsWord = {
    slug,
    league: ofSlug ?? named,
    teams,
    date,
    status,
    scores: scores === null ? undefined : [Number(scores[1]), Number(scores[2])],
    saidMs: readTime(result['last_update'] ?? result['updatedAt']),
  }
  return { kind: 'word', word, unknown }
}

/** Where the parts contradict each other, the one that says it is over is believed. */
function readStatus(result: Json, unknown: string[]): GameStatus | undefined {
  const { status, live, ended, period } = result
  const named = isText(status) ? STATUSES.get(status.toLowerCase()) : undefined
  // F/2OT and what else a long game is called.
  const byName = named ?? (isText(status) && /^f\/\d{0,2}(ot|so)?$/i.test(status) ? 'final' : undefined)
  if (isText(status) && byName === undefined) unknown.push(`status ${nameOf(status)}`)
  if (byName === 'postponed' || byName === 'canceled' || byName === 'final') return byName
  if (ended === true) return 'final'
  if (isText(period) && /^ft\b/i.test(period)) return 'final'
  if (live === true) return 'live'
  if (byName === 'live' || byName === 'pre') return byName
  return live === false ? 'pre' : undefined
}

function readTime(value: unknown): number | undefined {
  if (!isText(value) || value.length > 40) return undefined
  const ms = Date.parse(value)
  return Number.isSafeInteger(ms) && ms >= 0 ? ms : undefined
}

const skipped = (name: string): SportsReading => ({ kind: 'skipped', name })
const nameOf = (value: unknown): string => (isText(value) && NAME.test(value) ? value : '(unprintable)')
const isText = (value: unknown): value is string => typeof value === 'string'
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
