/**
 * Games and the markets that pay on them. Pure and deterministic: the same games and markets in any order give the
 * same pairs.
 *
 * A market belongs to a game when league, unordered team pair and US Eastern date agree, and nothing else could be
 * meant. An uncertain pair is not a pair: it is refused with a reason. A game is paired when both venues list it:
 * on Kalshi one event with a market per team, on Polymarket one condition.
 */

import type { CatalogMarket, Game, GameMarket, League } from '../model/game.js'
import type { Venue } from '../model/venue.js'
import { easternDate } from './eastern-date.js'
import type { TeamCodeBook } from './team-codes.js'

export const UNPAIRED_REASONS = [
  /** A team code that the tables do not know for this league and venue. */
  'unknown_team',
  /** Both codes mean the same team. */
  'same_team',
  /** A tie is an outcome of its own: YES on one team and NO on the other are not opposites. */
  'three_way',
  /** YES pays on none of the two teams. */
  'selection_not_a_team',
  /** Kalshi's ticker ends in the team that YES pays on, and this one's does not. */
  'selection_mismatch',
  /** The scoreboard has no game of these teams on this date. */
  'no_game',
  /** It has more than one. */
  'doubleheader',
  /** The venue lists more than one event for the game. */
  'several_events',
  /** Two markets of the event pay on the same team, or one of the two is missing. */
  'incomplete_event',
  /** The other venue has no market for the game that could be paired. */
  'no_counterpart',
] as const
type UnpairedReason = (typeof UNPAIRED_REASONS)[number]

export interface UnpairedMarket {
  readonly market: CatalogMarket
  readonly reason: UnpairedReason
}

interface PairedGame {
  readonly game: Game
  /** Empty when the game is not paired; else Kalshi's first. Selections are ESPN codes. */
  readonly markets: readonly GameMarket[]
}

export interface Pairing {
  /** Every game that was given, by league and id. */
  readonly games: readonly PairedGame[]
  /** Every market that pays on none of them, by venue and id. */
  readonly unpaired: readonly UnpairedMarket[]
}

/** Markets of one game: Kalshi has one per team, Polymarket one condition. */
const MARKETS_PER_GAME: Readonly<Record<Venue, number>> = { kalshi: 2, poly: 1 }

interface Candidate {
  readonly market: CatalogMarket
  readonly selection: string
}

/** Pairs every market that can be paired, and says why for every other. Repeats of a market count once. */
export function pairGames(
  games: readonly Game[],
  markets: readonly CatalogMarket[],
  codes: TeamCodeBook,
): Pairing {
  const gamesByKey = groupBy(games, (game) =>
    keyOf(game.league, game.home.code, game.away.code, easternDate(game.startMs)),
  )
  const unpaired: UnpairedMarket[] = []
  const candidates = new Map<Game, Record<Venue, Candidate[]>>()
  for (const market of uniqueMarkets(markets)) {
    const found = gameOf(market, gamesByKey, codes)
    if (typeof found === 'string') {
      unpaired.push({ market, reason: found })
      continue
    }
    let byVenue = candidates.get(found.game)
    if (byVenue === undefined) candidates.set(found.game, (byVenue = { kalshi: [], poly: [] }))
    byVenue[market.venue].push({ market, selection: found.selection })
  }
  const paired = games.map((game) => ({ game, markets: settle(candidates.get(game), unpaired) }))
  return {
    games: paired.sort((a, b) => compare(gameKey(a.game), gameKey(b.game))),
    unpaired: unpaired.sort((a, b) => compare(marketKey(a.market), marketKey(b.market))),
  }
}

/** The game that a market pays on, and on which of its teams. */
function gameOf(
  market: CatalogMarket,
  gamesByKey: ReadonlyMap<string, readonly Game[]>,
  codes: TeamCodeBook,
): { readonly game: Game; readonly selection: string } | UnpairedReason {
  const { league, venue, teams } = market
  if (market.kind === 'three_way') return 'three_way'
  const first = codes.codeOf(league, venue, teams[0])
  const second = codes.codeOf(league, venue, teams[1])
  if (first === undefined || second === undefined) return 'unknown_team'
  if (first === second) return 'same_team'
  const selection = codes.codeOf(league, venue, market.selection)
  if (selection !== first && selection !== second) return 'selection_not_a_team'
  if (selection === undefined) return 'selection_not_a_team'
  if (venue === 'kalshi' && !market.marketId.endsWith(`-${market.selection}`)) return 'selection_mismatch'
  const [game, ...others] = gamesByKey.get(keyOf(league, first, second, market.easternDate)) ?? []
  if (game === undefined) return 'no_game'
  return others.length > 0 ? 'doubleheader' : { game, selection }
}

/** The markets of a game when both venues' are certain; else all of them are unpaired. */
function settle(
  byVenue: Readonly<Record<Venue, readonly Candidate[]>> | undefined,
  unpaired: UnpairedMarket[],
): GameMarket[] {
  if (byVenue === undefined) return []
  const doubts = { kalshi: doubtOf('kalshi', byVenue.kalshi), poly: doubtOf('poly', byVenue.poly) }
  if (doubts.kalshi === undefined && doubts.poly === undefined) {
    return [...byVenue.kalshi, ...byVenue.poly].map(gameMarketOf)
  }
  for (const venue of ['kalshi', 'poly'] as const) {
    for (const { market } of byVenue[venue]) {
      unpaired.push({ market, reason: doubts[venue] ?? 'no_counterpart' })
    }
  }
  return []
}

function doubtOf(venue: Venue, candidates: readonly Candidate[]): UnpairedReason | undefined {
  if (candidates.length === 0) return 'no_counterpart'
  if (new Set(candidates.map(({ market }) => market.eventId)).size > 1) return 'several_events'
  const selections = new Set(candidates.map(({ selection }) => selection))
  const complete = candidates.length === MARKETS_PER_GAME[venue] && selections.size === candidates.length
  return complete ? undefined : 'incomplete_event'
}

function gameMarketOf({ market, selection }: Candidate): GameMarket {
  return {
    venue: market.venue,
    marketId: market.marketId,
    kind: 'moneyline',
    selection,
    tickE4: market.tickE4,
    ...(market.priceRanges === undefined ? {} : { priceRanges: market.priceRanges }),
    sizeStepE2: market.sizeStepE2,
    minSizeE2: market.minSizeE2,
    fees: market.fees,
    takerDelayMs: market.takerDelayMs,
    ...(market.tokenIds === undefined ? {} : { tokenIds: market.tokenIds }),
    ...(market.negRisk === undefined ? {} : { negRisk: market.negRisk }),
    ...(market.exchangeIndex === undefined ? {} : { exchangeIndex: market.exchangeIndex }),
  }
}

function keyOf(league: League, one: string, other: string, date: string): string {
  return one < other ? `${league} ${one} ${other} ${date}` : `${league} ${other} ${one} ${date}`
}

const gameKey = (game: Game): string => `${game.league} ${game.gameId}`
const marketKey = (market: CatalogMarket): string => `${market.venue} ${market.marketId}`
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** By venue and id, so that the order of the input does not matter; the last of a repeated id wins. */
function uniqueMarkets(markets: readonly CatalogMarket[]): CatalogMarket[] {
  const byKey = new Map(markets.map((market) => [marketKey(market), market]))
  return [...byKey].sort(([a], [b]) => compare(a, b)).map(([, market]) => market)
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group === undefined) groups.set(key(item), [item])
    else group.push(item)
  }
  return groups
}
