/**
 * One Gamma event -> the game-winner market it holds, three in soccer, or why it holds none that we may trade.
 *
 * Orientation is never guessed: the team codes come from the slug, and each outcome must be recognized as exactly one
 * of the two teams by what Gamma itself says of them.
 */

import { parseScaled, statedMiddleE4 } from '../../model/price.js'
import { isThreeWay } from '../../model/game.js'
import type { CatalogMarket, League } from '../../model/game.js'
import { readFees } from './fees.js'
import { Skip, isObject, parseStringArray, scaledNumber, shown, stringPair, text } from './gamma-fields.js'
import type { Json } from './gamma-fields.js'
import { isNamed, readTeams, teamOf, type GammaTeam } from './gamma-teams.js'
import { threeWayMarkets } from './gamma-three-way.js'

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

const SLUG = /^([a-z0-9]+)-([a-z0-9]+)-([a-z0-9]+)-(\d{4}-\d{2}-\d{2})$/
/** A game that started longer ago is over, whatever its flags say. */
const OVER_AFTER_MS = 24 * 3_600_000
const TICKS_E4 = new Set([1, 10, 25, 50, 100, 1000])

/** Reads an event: its market, in a three-way league its three; one that is no game of the league gives a reason. */
export function readEvent(event: unknown, context: ReadingContext): readonly Reading[] {
  const id = isObject(event) && typeof event.slug === 'string' ? event.slug : '(no slug)'
  try {
    if (!isObject(event)) throw new Skip('not an object')
    return marketsOf(event, context).map((market) => ({ kind: 'market', ...market }))
  } catch (error) {
    if (error instanceof Skip) return [{ kind: 'skipped', id, reason: error.message }]
    throw error
  }
}

type ReadMarket = Omit<Extract<Reading, { kind: 'market' }>, 'kind'>

function marketsOf(event: Json, context: ReadingContext): ReadMarket[] {
  const slug = text(event, 'slug')
  const [, league, first, second, easternDate] = SLUG.exec(slug) ?? []
  if (first === undefined || second === undefined || easternDate === undefined) throw new Skip('not a game')
  if (league !== context.league || first === second) throw new Skip(`not a game of ${context.league}`)
  if (event.closed === true) throw new Skip('event closed')
  if (event.ended === true || event.finishedTimestamp != null) throw new Skip('game ended')
  const codes = [first, second] as const
  const teams = [teamOf(first, event, context.teams), teamOf(second, event, context.teams)] as const
  const game: EventGame = { event, slug, codes, teams, easternDate }
  if (!isThreeWay(context.league)) {
    const market = moneylineOf(event, slug)
    requireOpen(market)
    const outcomes = stringPair(market, 'outcomes')
    return [readMarket(market, game, context, () => orientation(outcomes, codes, teams), outcomes)]
  }
  // A game trades whole or not at all: its three markets are hedges of one another.
  return threeWayMarkets(event, slug, codes, teams).map(({ market, selection }) => {
    requireOpen(market)
    return readMarket(market, game, context, () => selection, [])
  })
}

interface EventGame {
  readonly event: Json
  readonly slug: string
  readonly codes: readonly [string, string]
  readonly teams: readonly [GammaTeam | undefined, GammaTeam | undefined]
  readonly easternDate: string
}

/** `selects` tells the code that YES, the first token, pays on; `outcomes` names the teams where they are the outcomes. */
function readMarket(
  market: Json,
  { event, slug, codes, teams, easternDate }: EventGame,
  context: ReadingContext,
  selects: () => string,
  outcomes: readonly string[],
): ReadMarket {
  const startMs = requireStart(event, market, context.nowMs)
  requireVersion(market)
  const tokenIds = stringPair(market, 'clobTokenIds')
  if (!tokenIds.every((token) => /^\d{1,80}$/.test(token)) || tokenIds[0] === tokenIds[1]) {
    throw new Skip('token ids are malformed')
  }
  const fees = readFees(market)
  if (fees.kind === 'refused') throw new Skip(fees.reason)
  const selection = selects()
  const namesOf = (index: 0 | 1): string[] => {
    // The first outcome is of the team that was selected, the second of the other.
    const outcome = outcomes[codes[index] === selection ? 0 : 1]
    return [...(teams[index]?.names ?? []), ...(outcome === undefined ? [] : [outcome])]
  }
  const statedE4 = statedE4Of(market)
  const listed: CatalogMarket = {
    venue: 'poly',
    marketId: conditionId(market),
    league: context.league,
    kind: isThreeWay(context.league) ? 'three_way' : 'moneyline',
    eventId: slug,
    easternDate,
    teams: [codes[0].toUpperCase(), codes[1].toUpperCase()],
    teamNames: [namesOf(0), namesOf(1)],
    startMs,
    ...(statedE4 === undefined ? {} : { statedE4 }),
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

/** The middle of the venue's own quote; an empty side is 0 or 1, and finer digits than ours are cut. */
function statedE4Of({ bestBid, bestAsk }: Json): number | undefined {
  const [bidE4, askE4] = [bestBid, bestAsk].map((price) =>
    typeof price === 'number' ? parseScaled(String(price), 4, { floor: true }) : undefined,
  )
  return statedMiddleE4(bidE4, askE4)
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
  teams: readonly (GammaTeam | undefined)[],
): string {
  const meanings = outcomes.map((outcome) =>
    codes.filter((code, index) => isNamed(outcome, teams[index], code)),
  )
  const [yes, no] = meanings
  if (yes?.length !== 1 || no?.length !== 1 || yes[0] === no[0] || yes[0] === undefined) {
    throw new Skip(
      `outcomes ${shown(outcomes[0])} and ${shown(outcomes[1])} do not name the teams ${codes.join(', ')}`,
    )
  }
  return yes[0]
}

/** Whether an event names both of its slug's teams itself. */
export function namesItsTeams(event: unknown): boolean {
  if (!isObject(event) || typeof event.slug !== 'string') return true
  const [, , first, second] = SLUG.exec(event.slug) ?? []
  if (first === undefined) return true
  const known = new Set(readTeams(event.teams).map(({ abbreviation }) => abbreviation))
  return known.has(first) && second !== undefined && known.has(second)
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
