/**
 * One Gamma event -> the game-winner market it holds, or why it holds none that we may trade.
 *
 * Orientation is never guessed: the team codes come from the slug, and each outcome must be recognized as exactly one
 * of the two teams by what Gamma itself says of them.
 */

import { parseScaled } from '../../model/price.js'
import type { CatalogMarket, League } from '../../model/game.js'
import { parseJson } from './http.js'
import { readFees } from './fees.js'

/** What Gamma calls a team; `abbreviation` is its token in slugs. */
export interface GammaTeam {
  readonly abbreviation: string
  readonly names: readonly string[]
}

export type Reading =
  | {
      readonly kind: 'market'
      readonly market: CatalogMarket
      /** Scheduled start of the game, Unix ms. */
      readonly startMs: number
      /** The text that decides who is paid; foreign, of several lines. */
      readonly rules: string
    }
  | { readonly kind: 'skipped'; readonly id: string; readonly reason: string }

export interface ReadingContext {
  readonly league: League
  /** Our wall clock, Unix ms. */
  readonly nowMs: number
  /** The league's teams from `GET /teams`, for events that do not name theirs. */
  readonly teams: readonly GammaTeam[]
}

export type Json = { readonly [field: string]: unknown }

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const SLUG = /^([a-z0-9]+)-([a-z0-9]+)-([a-z0-9]+)-(\d{4}-\d{2}-\d{2})$/
/** A game that started longer ago is over, whatever its flags say. */
const OVER_AFTER_MS = 24 * 3_600_000
const TICKS_E4 = new Set([1, 10, 25, 50, 100, 1000])

/** Reads an event; one that is no game of the league gives a reason too. */
export function readEvent(event: unknown, context: ReadingContext): Reading {
  const id = isObject(event) && typeof event.slug === 'string' ? event.slug : '(no slug)'
  try {
    if (!isObject(event)) throw new Skip('not an object')
    return { kind: 'market', ...marketOf(event, context) }
  } catch (error) {
    if (error instanceof Skip) return { kind: 'skipped', id, reason: error.message }
    throw error
  }
}

class Skip extends Error {}

function marketOf(event: Json, context: ReadingContext): Omit<Extract<Reading, { kind: 'market' }>, 'kind'> {
  const slug = text(event, 'slug')
  const [, league, first, second, easternDate] = SLUG.exec(slug) ?? []
  if (first === undefined || second === undefined || easternDate === undefined) throw new Skip('not a game')
  if (league !== context.league || first === second) throw new Skip(`not a game of ${context.league}`)
  if (event.closed === true) throw new Skip('event closed')
  if (event.ended === true || event.finishedTimestamp != null) throw new Skip('game ended')
  const market = moneylineOf(event, slug)
  requireOpen(market)
  const startMs = requireStart(event, market, context.nowMs)
  requireVersion(market)
  const outcomes = stringPair(market, 'outcomes')
  const tokenIds = stringPair(market, 'clobTokenIds')
  if (!tokenIds.every((token) => /^\d{1,80}$/.test(token)) || tokenIds[0] === tokenIds[1]) {
    throw new Skip('token ids are malformed')
  }
  const fees = readFees(market)
  if (fees.kind === 'refused') throw new Skip(fees.reason)
  const selection = orientation(outcomes, [first, second], teamsOf(event), context.teams)
  const listed: CatalogMarket = {
    venue: 'poly',
    marketId: conditionId(market),
    league: context.league,
    kind: 'moneyline',
    eventId: slug,
    easternDate,
    teams: [first.toUpperCase(), second.toUpperCase()],
    selection: selection.toUpperCase(),
    title: typeof event.title === 'string' ? event.title : slug,
    tickE4: tickOf(market),
    sizeStepE2: 1,
    minSizeE2: scaledNumber(market, 'orderMinSize', 2),
    fees: fees.fees,
    takerDelayMs: scaledNumber(market, 'secondsDelay', 3),
    tokenIds,
    negRisk: negRiskOf(market),
  }
  return { market: listed, startMs, rules: typeof market.description === 'string' ? market.description : '' }
}

/** The event and its game-winner market share the slug; halves, spreads and totals append to it. */
function moneylineOf(event: Json, slug: string): Json {
  const markets = Array.isArray(event.markets) ? event.markets.filter(isObject) : []
  const moneylines = markets.filter((market) => market.sportsMarketType === 'moneyline')
  if (moneylines.length === 0) throw new Skip('no moneyline market')
  const own = moneylines.filter((market) => market.slug === slug)
  if (own.length !== 1 || own[0] === undefined)
    throw new Skip(`${own.length} moneyline markets under the slug`)
  return own[0]
}

function requireOpen(market: Json): void {
  if (market.closed !== false) throw new Skip('market closed')
  if (market.active !== true) throw new Skip('market not active')
  if (market.acceptingOrders !== true) throw new Skip('not accepting orders')
  if (market.enableOrderBook !== true) throw new Skip('no order book')
  const prices = parseStringArray(market.outcomePrices)
  // Ended games can stay active and accepting orders: a price of 0 or 1 is a result.
  if (prices?.some((price) => price === '0' || price === '1')) throw new Skip('price is decided')
}

function requireStart(event: Json, market: Json, nowMs: number): number {
  const start = typeof event.startTime === 'string' ? event.startTime : market.gameStartTime
  if (typeof start !== 'string') throw new Skip('no start time')
  // Gamma writes both `2026-08-14T21:00:00Z` and `2026-08-14 21:00:00+00`.
  const startMs = Date.parse(start.replace(' ', 'T').replace(/\+00$/, 'Z'))
  if (Number.isNaN(startMs)) throw new Skip('start time is malformed')
  if (nowMs - startMs > OVER_AFTER_MS) throw new Skip('started over a day ago')
  return startMs
}

/** v1 markets are CTF tokens on the V2 exchange; v2 ones trade on ExchangeV3, whose orders we do not sign. */
function requireVersion(market: Json): void {
  const { version } = market
  if (version === 'v2' || (version == null && market.positionIds != null))
    throw new Skip('protocol v2 market')
  if (version != null && version !== 'v1') throw new Skip(`unknown market version ${shown(version)}`)
}

/** The slug code that the first outcome means, once each outcome means exactly one of the two. */
function orientation(
  outcomes: readonly [string, string],
  codes: readonly [string, string],
  eventTeams: readonly GammaTeam[],
  leagueTeams: readonly GammaTeam[],
): string {
  const meanings = outcomes.map((outcome) =>
    codes.filter((code) => {
      const known = eventTeams.find((team) => team.abbreviation === code)
      return isNamed(outcome, known ?? leagueTeams.find((team) => team.abbreviation === code), code)
    }),
  )
  const [yes, no] = meanings
  if (yes?.length !== 1 || no?.length !== 1 || yes[0] === no[0] || yes[0] === undefined) {
    throw new Skip(
      `outcomes ${shown(outcomes[0])} and ${shown(outcomes[1])} do not name the teams ${codes.join(', ')}`,
    )
  }
  return yes[0]
}

/** The code itself, a name, or one of them ending in the other's whole words: "Rockets", "Houston Rockets". */
function isNamed(outcome: string, team: GammaTeam | undefined, code: string): boolean {
  const said = words(outcome)
  if (said === code) return true
  return (
    said !== '' &&
    (team?.names ?? []).some((name) => {
      const known = words(name)
      return known !== '' && (known === said || known.endsWith(` ${said}`) || said.endsWith(` ${known}`))
    })
  )
}

const words = (text: string): string =>
  text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9 ]/g, '')
    .trim()
    .replace(/ +/g, ' ')

/** Gamma's team objects, as in `GET /teams` and in an event's `teams`; malformed ones are left out. */
export function readTeams(value: unknown): GammaTeam[] {
  if (!Array.isArray(value)) return []
  return value.filter(isObject).flatMap((team) => {
    if (typeof team.abbreviation !== 'string') return []
    const names = [team.name, team.alias].filter((name): name is string => typeof name === 'string')
    return [{ abbreviation: team.abbreviation.toLowerCase(), names }]
  })
}

const teamsOf = (event: Json): GammaTeam[] => readTeams(event.teams)

/** Whether an event names both of its slug's teams itself. */
export function namesItsTeams(event: unknown): boolean {
  if (!isObject(event) || typeof event.slug !== 'string') return true
  const [, , first, second] = SLUG.exec(event.slug) ?? []
  if (first === undefined) return true
  const known = new Set(teamsOf(event).map(({ abbreviation }) => abbreviation))
  return known.has(first) && second !== undefined && known.has(second)
}

function text(object: Json, field: string): string {
  const value = object[field]
  if (typeof value !== 'string' || value === '') throw new Skip(`${field} is missing`)
  return value
}

function conditionId(market: Json): string {
  const id = text(market, 'conditionId')
  if (!/^0x[0-9a-fA-F]{64}$/.test(id)) throw new Skip('conditionId is malformed')
  return id
}

function negRiskOf(market: Json): boolean {
  if (typeof market.negRisk !== 'boolean') throw new Skip('negRisk is missing')
  return market.negRisk
}

function tickOf(market: Json): number {
  const tickE4 = scaledNumber(market, 'orderPriceMinTickSize', 4)
  if (!TICKS_E4.has(tickE4)) throw new Skip(`tick ${shown(market.orderPriceMinTickSize)} is unknown`)
  return tickE4
}

/** A non-negative JSON number as an integer scaled by 10^digits, exactly. */
function scaledNumber(market: Json, field: string, digits: number): number {
  const value = market[field]
  const scaled = typeof value === 'number' ? parseScaled(String(value), digits) : undefined
  if (scaled === undefined || scaled < 0) throw new Skip(`${field} is missing or malformed`)
  return scaled
}

function stringPair(market: Json, field: string): [string, string] {
  const [first, second, ...more] = parseStringArray(market[field]) ?? []
  if (first === undefined || second === undefined || more.length > 0) throw new Skip(`${field} is not a pair`)
  return [first, second]
}

/** Gamma sends these arrays as JSON inside a string. */
function parseStringArray(value: unknown): string[] | undefined {
  const array = typeof value === 'string' ? parseJson(value) : undefined
  return Array.isArray(array) && array.every((item): item is string => typeof item === 'string')
    ? array
    : undefined
}

const shown = (value: unknown): string => JSON.stringify(value ?? null).slice(0, 40)
