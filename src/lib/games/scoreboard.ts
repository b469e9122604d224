/**
 * A scoreboard body -> games. Pure. The provider publishes no contract, so every key may be missing and every value
 * may be of another type: an event that cannot be read for sure is left out with a reason, and the others stand.
 */

import type { Game, GameStatus, League, Team } from '../model/game.js'
import { scoreboardSlug } from './scoreboard-leagues.js'
import { readHalf, readTold } from './situation.js'
import type { TeamCodeBook } from './team-codes.js'

const ESPN_PROVIDER = 'espn'

/** Why an event was left out. All but `unknown_team` mean that its JSON is not what it should be. */
const EVENT_REFUSALS = [
  'bad_event',
  'bad_id',
  'repeated_id',
  'bad_date',
  'bad_competitors',
  'bad_status',
  'bad_score',
  'unknown_team',
] as const
type EventRefusal = (typeof EVENT_REFUSALS)[number]

export interface SkippedEvent {
  readonly id: string
  readonly reason: EventRefusal
  /** Foreign text: sanitize before showing. */
  readonly detail: string
}

export type ScoreboardReading =
  | { readonly kind: 'games'; readonly games: readonly Game[]; readonly skipped: readonly SkippedEvent[] }
  /** The body as a whole is not this league's scoreboard. */
  | { readonly kind: 'refused'; readonly reason: 'not_an_object' | 'no_events' | 'wrong_league' }

export interface ScoreboardContext {
  readonly league: League
  readonly codes: TeamCodeBook
  /** When it was fetched, our wall clock. */
  readonly fetchedMs: number
}

type Json = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const ID = /^[A-Za-z0-9-]{1,40}$/
const DATE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?Z$/
const MAX_NAME = 100
const MAX_SCORE = 999

/** Reads a parsed body. Never throws. */
export function parseScoreboard(body: unknown, context: ScoreboardContext): ScoreboardReading {
  if (!isObject(body)) return { kind: 'refused', reason: 'not_an_object' }
  if (!Array.isArray(body['events'])) return { kind: 'refused', reason: 'no_events' }
  if (!isOfLeague(body, context.league)) return { kind: 'refused', reason: 'wrong_league' }
  const games = new Map<string, Game>()
  const skipped: SkippedEvent[] = []
  for (const event of body['events'] as readonly unknown[]) {
    const id = isObject(event) && typeof event['id'] === 'string' ? event['id'].slice(0, 80) : '(no id)'
    const read = readEvent(event, context)
    if (typeof read === 'string') skipped.push({ id, ...splitReason(read) })
    else if (games.has(read.gameId)) skipped.push({ id, reason: 'repeated_id', detail: '' })
    else games.set(read.gameId, read)
  }
  return { kind: 'games', games: [...games.values()], skipped }
}

/** A refusal with its detail, `reason` or `reason detail`: cheaper to return from deep inside than an object each. */
type Refused = EventRefusal | `${EventRefusal} ${string}`

function splitReason(refused: Refused): { reason: EventRefusal; detail: string } {
  const end = refused.indexOf(' ')
  const name = end === -1 ? refused : refused.slice(0, end)
  const reason = EVENT_REFUSALS.find((candidate) => candidate === name) ?? 'bad_event'
  return { reason, detail: end === -1 ? '' : refused.slice(end + 1, end + 121) }
}

/** When the body names its league, it must be the one that was asked for. */
function isOfLeague(body: Json, league: League): boolean {
  const first: unknown = Array.isArray(body['leagues']) ? body['leagues'][0] : undefined
  const slug = isObject(first) ? first['slug'] : undefined
  return typeof slug !== 'string' || slug.toLowerCase() === scoreboardSlug(league)
}

function readEvent(event: unknown, { league, codes, fetchedMs }: ScoreboardContext): Game | Refused {
  if (!isObject(event)) return 'bad_event'
  const { id } = event
  if (typeof id !== 'string' || !ID.test(id)) return 'bad_id'
  const competition: unknown = Array.isArray(event['competitions']) ? event['competitions'][0] : undefined
  if (!isObject(competition)) return 'bad_event competitions'
  const startMs = readDate(event['date'] ?? competition['date'])
  if (startMs === undefined) return 'bad_date'
  const status = isObject(competition['status']) ? competition['status'] : event['status']
  const phase = isObject(status) ? readStatus(status['type']) : undefined
  if (phase === undefined || !isObject(status)) return 'bad_status'
  const { competitors } = competition
  if (!Array.isArray(competitors) || competitors.length !== 2) return 'bad_competitors'
  const home = readTeam(competitors, 'home', league, codes, phase)
  if (typeof home === 'string') return home
  const away = readTeam(competitors, 'away', league, codes, phase)
  if (typeof away === 'string') return away
  if (home.code === away.code) return `bad_competitors ${home.code} twice`
  // Where no table knows the codes, the names must say who plays.
  const names = codes.hasTable(league)
    ? undefined
    : { home: namesOf(competitors, 'home'), away: namesOf(competitors, 'away') }
  const clockS = phase === 'live' ? readClock(status['clock'], league) : undefined
  const told = phase === 'live' ? readTold(competition['situation'], competitors) : {}
  const half = phase === 'live' && league === 'mlb' ? readHalf(status['type']) : undefined
  const situation = { ...told.situation, ...half }
  return {
    league,
    gameId: id,
    home,
    away,
    ...(names === undefined ? {} : { names }),
    status: phase,
    period: readPeriod(status['period']),
    ...(clockS === undefined ? {} : { clockS }),
    ...(Object.keys(situation).length === 0 ? {} : { situation }),
    ...(told.homeWinPpm === undefined ? {} : { homeWinPpm: told.homeWinPpm }),
    startMs,
    provider: ESPN_PROVIDER,
    fetchedMs,
  }
}

function readDate(value: unknown): number | undefined {
  if (typeof value !== 'string' || !DATE.test(value)) return undefined
  const startMs = Date.parse(value)
  return Number.isSafeInteger(startMs) && startMs >= 0 ? startMs : undefined
}

const BY_NAME: ReadonlyMap<unknown, GameStatus> = new Map<unknown, GameStatus>([
  ['STATUS_SCHEDULED', 'pre'],
  ['STATUS_POSTPONED', 'postponed'],
  // To be finished on another day, by rules that differ between venues: not to be traded.
  ['STATUS_SUSPENDED', 'postponed'],
  ['STATUS_CANCELED', 'canceled'],
  ['STATUS_CANCELLED', 'canceled'],
  ['STATUS_ABANDONED', 'canceled'],
  ['STATUS_FORFEIT', 'canceled'],
  // What ends a game, whatever its state still says.
  ['STATUS_FINAL', 'final'],
  ['STATUS_FULL_TIME', 'final'],
  ['STATUS_FINAL_AET', 'final'],
  ['STATUS_FINAL_PEN', 'final'],
])

/** Names decide where they are known; else the state does. Over but not completed is not a result. */
function readStatus(type: unknown): GameStatus | undefined {
  if (!isObject(type)) return undefined
  const named = BY_NAME.get(type['name'])
  if (named !== undefined) return named
  switch (type['state']) {
    case 'pre':
      return 'pre'
    case 'in':
      return 'live'
    case 'post':
      return type['completed'] === true ? 'final' : 'postponed'
    default:
      return undefined
  }
}

const sideOf = (competitors: readonly unknown[], side: 'home' | 'away'): Json | undefined =>
  competitors.filter(isObject).find((competitor) => competitor['homeAway'] === side)

/** What the team is called in full, in short and by its place; never by a nickname, which others may share. */
function namesOf(competitors: readonly unknown[], side: 'home' | 'away'): string[] {
  const team = sideOf(competitors, side)?.['team']
  if (!isObject(team)) return []
  const names = [team['displayName'], team['shortDisplayName'], team['location']]
  return [...new Set(names.flatMap((name) => (typeof name === 'string' ? [name.slice(0, MAX_NAME)] : [])))]
}

function readTeam(
  competitors: readonly unknown[],
  side: 'home' | 'away',
  league: League,
  codes: TeamCodeBook,
  phase: GameStatus,
): Team | Refused {
  const competitor = sideOf(competitors, side)
  if (competitor === undefined || !isObject(competitor['team'])) return `bad_competitors ${side}`
  const { abbreviation, displayName } = competitor['team']
  if (typeof abbreviation !== 'string') return `bad_competitors ${side} abbreviation`
  const code = codes.codeOf(league, 'espn', abbreviation)
  if (code === undefined) return `unknown_team ${abbreviation}`
  const score = readScore(competitor['score'], phase)
  if (score === undefined) return `bad_score ${side}`
  const name = typeof displayName === 'string' && displayName !== '' ? displayName : abbreviation
  return { code, name: name.slice(0, MAX_NAME), score }
}

/** A string (`3`, `3.0`), sometimes a number, `{value}` or `{displayValue}`. May be missing only where nothing was played. */
function readScore(value: unknown, phase: GameStatus): number | undefined {
  const bare = isObject(value) ? (value['value'] ?? value['displayValue']) : value
  if (bare === undefined || bare === null || bare === '')
    return phase === 'live' || phase === 'final' ? undefined : 0
  const score = typeof bare === 'string' && /^\d{1,3}(?:\.0{1,3})?$/.test(bare) ? Number(bare) : bare
  return typeof score === 'number' && Number.isInteger(score) && score >= 0 && score <= MAX_SCORE
    ? score
    : undefined
}

const readPeriod = (value: unknown): number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 99 ? value : 0

/** Seconds left in the period, in soccer seconds played; baseball has no clock. */
const readClock = (value: unknown, league: League): number | undefined =>
  league !== 'mlb' && typeof value === 'number' && value >= 0 && value <= 7200 ? value : undefined
