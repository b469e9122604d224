/**
 * Games and the markets that pay on them. Pure and deterministic: the same games and markets in any order give the
 * same pairs.
 *
 * An uncertain pair is not a pair: it is refused with a reason. A game is paired when both venues list it whole and
 * alike: of a two-way market Kalshi has one per team and Polymarket one condition, of a three-way one both have a
 * market for each team and one for the draw. And what the venues say that they cost must not contradict it.
 */

import { DRAW } from '../model/game.js'
import type { CatalogMarket, Game, GameMarket, MarketKind } from '../model/game.js'
import { ONE_E4 } from '../model/price.js'
import type { SettlementRules } from '../model/settlement.js'
import type { Venue } from '../model/venue.js'
import { GameFinder, pairedKey, stateOtherStarts } from './market-game.js'
import type { NoGameReason, PairedEvents } from './market-game.js'
import type { PairingLaw } from './pairing-rules.js'
import { comparePrices, nextRecord } from './price-sanity.js'
import type { PriceRecord, StatedPrices } from './price-sanity.js'
import type { TeamCodeBook } from './team-codes.js'

/** Every reason with what it means, as an operator reads it. */
export const UNPAIRED_REASONS = {
  banned: 'the pairing file bans it',
  pinned_game_unknown: 'pinned to a game that the scoreboard does not have',
  pinned_to_other_teams: 'pinned to a game of other teams',
  unknown_team: 'a team that is not known for this league and venue',
  same_team: 'both codes mean the same team',
  selection_not_a_team: 'YES pays on none of its teams',
  selection_mismatch: 'the ticker does not end in the team that YES pays on',
  not_yet: 'its day is to come: scoreboards are read for today and yesterday',
  no_game: 'the scoreboard has no game of these teams on this date',
  other_start: 'a venue says another start of that day than the scoreboard or the other venue does',
  doubleheader: 'the teams meet twice that day, and its start and number do not prove which game it is',
  several_events: 'the venue lists more than one event for the game',
  incomplete_event: 'a market of the event is missing, or there are two of one outcome',
  other_kind: 'one venue has a market for the draw, the other has none',
  price_disagrees: 'the prices of the two venues fit the teams swapped, not as they are named',
  no_counterpart: 'the other venue has no market for the game that could be paired',
} as const satisfies Readonly<Record<NoGameReason, string> & Record<string, string>>
export type UnpairedReason = keyof typeof UNPAIRED_REASONS

export interface UnpairedMarket {
  readonly market: CatalogMarket
  readonly reason: UnpairedReason
}

interface PairedGame {
  readonly game: Game
  /** Empty when the game is not paired; else Kalshi's first. Selections are ESPN codes, or `draw`. */
  readonly markets: readonly GameMarket[]
}

/** What the venues' prices have said so far of each pair of events. */
export type PriceVerdicts = ReadonlyMap<string, PriceRecord>

export interface Pairing {
  /** Every game that was given, by league and id. */
  readonly games: readonly PairedGame[]
  /** Every market that pays on none of them, by venue and id. */
  readonly unpaired: readonly UnpairedMarket[]
  /** Both to be handed in again the next time. */
  readonly verdicts: PriceVerdicts
  readonly paired: PairedEvents
}

export interface PairingContext {
  readonly codes: TeamCodeBook
  readonly law: PairingLaw
  readonly settlement: (market: CatalogMarket) => SettlementRules
  /** US Eastern, `YYYY-MM-DD`: the scoreboards have no later day. */
  readonly today: string
  /** Both of the pairing before; empty at first. */
  readonly verdicts: PriceVerdicts
  readonly paired: PairedEvents
}

/** Markets of one game, by kind. */
const MARKETS_PER_GAME: Readonly<Record<MarketKind, Readonly<Record<Venue, number>>>> = {
  moneyline: { kalshi: 2, poly: 1 },
  three_way: { kalshi: 3, poly: 3 },
}
const BOTH = ['kalshi', 'poly'] as const

interface Candidate {
  readonly market: CatalogMarket
  readonly selection: string
  readonly isPinned: boolean
}
type ByVenue = Readonly<Record<Venue, readonly Candidate[]>>

/** Pairs every market that can be paired, and says why for every other. Repeats of a market count once. */
export function pairGames(
  games: readonly Game[],
  markets: readonly CatalogMarket[],
  context: PairingContext,
): Pairing {
  const finder = new GameFinder(games, context.codes, context.law, context.paired, context.today)
  const unpaired: UnpairedMarket[] = []
  const candidates = new Map<Game, Record<Venue, Candidate[]>>()
  for (const market of uniqueMarkets(markets)) {
    const found = finder.find(market)
    if (typeof found === 'string') {
      unpaired.push({ market, reason: found })
      continue
    }
    let byVenue = candidates.get(found.game)
    if (byVenue === undefined) candidates.set(found.game, (byVenue = { kalshi: [], poly: [] }))
    byVenue[market.venue].push({ market, selection: found.selection, isPinned: found.isPinned })
  }
  const given = new Set(games.map(gameKey))
  const isGiven = (key: string): boolean => given.has(key.split(' ', 2).join(' '))
  const verdicts = new Map([...context.verdicts].filter(([key]) => isGiven(key)))
  const paired = new Set([...context.paired].filter(isGiven))
  const states = games.map((game) => {
    const byVenue = candidates.get(game)
    if (byVenue === undefined) return { game, markets: [] }
    const chosen = withoutPassedOver(byVenue, unpaired)
    const doubts = doubtsOf(game, chosen, { verdicts, paired })
    if (doubts === undefined) {
      for (const venue of BOTH) {
        for (const { market } of chosen[venue]) paired.add(pairedKey(game, market.eventId))
      }
      return {
        game,
        markets: BOTH.flatMap((venue) => chosen[venue].map((each) => gameMarketOf(each, context))),
      }
    }
    for (const venue of BOTH) {
      for (const { market } of chosen[venue]) unpaired.push({ market, reason: doubts[venue] })
    }
    return { game, markets: [] }
  })
  return {
    games: states.sort((a, b) => compare(gameKey(a.game), gameKey(b.game))),
    unpaired: unpaired.sort((a, b) => compare(marketKey(a.market), marketKey(b.market))),
    verdicts,
    paired,
  }
}

/** A venue's pinned event stands for the game alone; its others are passed over. */
function withoutPassedOver(byVenue: ByVenue, unpaired: UnpairedMarket[]): ByVenue {
  const ofVenue = (venue: Venue): readonly Candidate[] => {
    const all = byVenue[venue]
    const pinned = all.filter(({ isPinned }) => isPinned)
    if (pinned.length === 0) return all
    for (const { market, isPinned } of all) {
      if (!isPinned) unpaired.push({ market, reason: 'several_events' })
    }
    return pinned
  }
  return { kalshi: ofVenue('kalshi'), poly: ofVenue('poly') }
}

/** Why each venue's markets are not paired; undefined when they are. */
function doubtsOf(
  game: Game,
  byVenue: ByVenue,
  { verdicts, paired }: { readonly verdicts: Map<string, PriceRecord>; readonly paired: PairedEvents },
): Readonly<Record<Venue, UnpairedReason>> | undefined {
  const doubts = { kalshi: doubtOf('kalshi', byVenue.kalshi), poly: doubtOf('poly', byVenue.poly) }
  if (doubts.kalshi !== undefined || doubts.poly !== undefined) {
    return { kalshi: doubts.kalshi ?? 'no_counterpart', poly: doubts.poly ?? 'no_counterpart' }
  }
  const both = BOTH.flatMap((venue) => byVenue[venue].slice(0, 1))
  const [one, other] = both.map(({ market }) => market)
  if (one === undefined || other === undefined || one.kind !== other.kind) {
    return { kalshi: 'other_kind', poly: 'other_kind' }
  }
  const isProven =
    both.some(({ isPinned }) => isPinned) ||
    both.every(({ market }) => paired.has(pairedKey(game, market.eventId)))
  if (!isProven && stateOtherStarts(game, one, other)) {
    return { kalshi: 'other_start', poly: 'other_start' }
  }
  const key = [gameKey(game), ...BOTH.flatMap((venue) => byVenue[venue].map(nameOf))].join(' ')
  const [kalshi, poly] = BOTH.map((venue) => statedPrices(game, byVenue[venue]))
  const seen = kalshi === undefined || poly === undefined ? undefined : comparePrices(kalshi, poly)
  const look = seen && { sight: seen, listings: [one, other] }
  const record = nextRecord(verdicts.get(key), look, game.status)
  if (record !== undefined) verdicts.set(key, record)
  return record?.verdict === 'disagrees' ? { kalshi: 'price_disagrees', poly: 'price_disagrees' } : undefined
}

function doubtOf(venue: Venue, candidates: readonly Candidate[]): UnpairedReason | undefined {
  const [first] = candidates
  if (first === undefined) return 'no_counterpart'
  if (new Set(candidates.map(({ market }) => market.eventId)).size > 1) return 'several_events'
  const selections = new Set(candidates.map(({ selection }) => selection))
  const isWhole =
    candidates.length === MARKETS_PER_GAME[first.market.kind][venue] &&
    selections.size === candidates.length &&
    candidates.every(({ market }) => market.kind === first.market.kind)
  return isWhole ? undefined : 'incomplete_event'
}

/** What a venue says that each team's win costs; undefined when it does not say enough. */
function statedPrices(game: Game, candidates: readonly Candidate[]): StatedPrices | undefined {
  const stated = new Map(candidates.map(({ market, selection }) => [selection, market.statedE4]))
  const isTwoWay = !stated.has(DRAW)
  const priceOf = (team: string, other: string): number | undefined => {
    const against = stated.get(other)
    return stated.get(team) ?? (isTwoWay && against !== undefined ? ONE_E4 - against : undefined)
  }
  const homeE4 = priceOf(game.home.code, game.away.code)
  const awayE4 = priceOf(game.away.code, game.home.code)
  return homeE4 === undefined || awayE4 === undefined ? undefined : { homeE4, awayE4 }
}

function gameMarketOf({ market, selection }: Candidate, { settlement }: PairingContext): GameMarket {
  return {
    venue: market.venue,
    marketId: market.marketId,
    kind: market.kind,
    selection,
    venueSelection: market.selection,
    settlement: settlement(market),
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

const nameOf = ({ market, selection }: Candidate): string => `${market.marketId}=${selection}`
const gameKey = (game: Game): string => `${game.league} ${game.gameId}`
const marketKey = (market: CatalogMarket): string => `${market.venue} ${market.marketId}`
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** By venue and id, so that the order of the input does not matter; the last of a repeated id wins. */
function uniqueMarkets(markets: readonly CatalogMarket[]): CatalogMarket[] {
  const byKey = new Map(markets.map((market) => [marketKey(market), market]))
  return [...byKey].sort(([a], [b]) => compare(a, b)).map(([, market]) => market)
}
