/**
 * Which game a market is of, and on which of its outcomes YES pays; or why that cannot be said. Pure.
 *
 * League, both teams and the US Eastern date must agree. Where a league has a table of codes, the codes say who the
 * teams are; where it has none (college, soccer), both must be called as the scoreboard calls them. When teams meet
 * twice on a date, the venue's stated start, or the number of the game, must single one out, and not contradict one
 * another.
 */

import { DRAW } from '../model/game.js'
import type { CatalogMarket, Game, League } from '../model/game.js'
import type { Venue } from '../model/venue.js'
import { easternDate, easternMinutes } from './eastern-date.js'
import { groupBy } from './group-by.js'
import type { PairingLaw } from './pairing-rules.js'
import type { TeamCodeBook } from './team-codes.js'
import { isCalled } from './team-names.js'

/** Why a market is of no game that could be told. */
export type NoGameReason =
  | 'banned'
  | 'pinned_game_unknown'
  | 'pinned_to_other_teams'
  | 'unknown_team'
  | 'same_team'
  | 'selection_not_a_team'
  | 'selection_mismatch'
  | 'no_game'
  | 'not_yet'
  | 'other_start'
  | 'doubleheader'

export interface FoundGame {
  readonly game: Game
  /** ESPN's code of the team that YES pays on, or `draw`. */
  readonly selection: string
  readonly isPinned: boolean
}

/** What a venue's ticker or slug calls the third outcome. */
const TIE_CODES: Readonly<Record<Venue, string>> = { kalshi: 'TIE', poly: 'DRAW' }

/** Two starts of one game, as two parties state them, differ by less; those of a doubleheader by this or more. */
const SAME_START_MS = 60 * 60_000
/** A delay moves a start by less, another game of the same teams by this or more. */
const MAX_DELAY_MS = 3 * 60 * 60_000

/** Events that have been paired with a game, by `pairedKey`: what they say of its start has been proven once. */
export type PairedEvents = ReadonlySet<string>
export const pairedKey = ({ league, gameId }: Game, eventId: string): string =>
  `${league} ${gameId} ${eventId}`

/** The code of each of a market's teams in a game, in the market's order. */
type Sides = readonly [first: string, second: string]

export class GameFinder {
  private readonly byId: ReadonlyMap<string, Game>
  private readonly byDay: ReadonlyMap<string, readonly Game[]>
  private readonly byLeague: ReadonlyMap<League, readonly Game[]>

  constructor(
    games: readonly Game[],
    private readonly codes: TeamCodeBook,
    private readonly law: PairingLaw,
    private readonly paired: PairedEvents,
    /** The last date that the scoreboards were read for, US Eastern. */
    private readonly lastDate: string,
  ) {
    this.byId = new Map(games.map((game) => [`${game.league} ${game.gameId}`, game]))
    this.byDay = groupBy(games, (game) => `${game.league} ${easternDate(game.startMs)}`)
    this.byLeague = groupBy(games, (game) => game.league)
  }

  find(market: CatalogMarket): FoundGame | NoGameReason {
    if (this.law.isBanned(market)) return 'banned'
    const flaw = this.flawOf(market)
    if (flaw !== undefined) return flaw
    const pin = this.law.pinOf(market)
    const found = pin === undefined ? this.gameOn(market) : this.pinned(market, pin)
    if (typeof found === 'string') return found
    if (this.law.isBannedGame(found.game)) return 'banned'
    const { game, sides } = found
    const isPinned = pin !== undefined
    if (market.selection === TIE_CODES[market.venue] && market.kind === 'three_way') {
      return { game, selection: DRAW, isPinned }
    }
    const index = market.teams.indexOf(market.selection)
    return { game, selection: index === 0 ? sides[0] : sides[1], isPinned }
  }

  /** What is wrong with a market whatever games there are. */
  private flawOf(market: CatalogMarket): NoGameReason | undefined {
    const { league, venue, teams, selection } = market
    if (this.codes.hasTable(league)) {
      const [first, second] = teams.map((team) => this.codes.codeOf(league, venue, team))
      if (first === undefined || second === undefined) return 'unknown_team'
      if (first === second) return 'same_team'
    } else if (teams[0] === teams[1]) return 'same_team'
    const isTie = market.kind === 'three_way' && selection === TIE_CODES[venue]
    if (!isTie && !teams.includes(selection)) return 'selection_not_a_team'
    return venue === 'kalshi' && !market.marketId.endsWith(`-${selection}`) ? 'selection_mismatch' : undefined
  }

  private pinned(market: CatalogMarket, { gameId, league }: { gameId: string; league: League }) {
    const game = this.byId.get(`${league} ${gameId}`)
    if (game === undefined) return 'pinned_game_unknown' as const
    const sides = league === market.league ? this.sidesOf(market, game) : undefined
    return sides === undefined ? ('pinned_to_other_teams' as const) : { game, sides }
  }

  private gameOn(market: CatalogMarket): { readonly game: Game; readonly sides: Sides } | NoGameReason {
    const meetings = (this.byDay.get(`${market.league} ${market.easternDate}`) ?? []).flatMap((game) => {
      const sides = this.sidesOf(market, game)
      return sides === undefined ? [] : [{ game, sides }]
    })
    const [only, ...others] = meetings
    if (only === undefined && market.easternDate > this.lastDate) return 'not_yet'
    if (only === undefined) return this.areKnown(market) ? 'no_game' : 'unknown_team'
    if (others.length > 0 || market.gameNumber !== undefined) {
      return theOneOf(market, meetings) ?? 'doubleheader'
    }
    // A venue does not move the start in a ticker: what was paired before a game began late is still of that game.
    const mayBeLate = only.game.status !== 'pre' && this.paired.has(pairedKey(only.game, market.eventId))
    return startsWithin(MAX_DELAY_MS, market, only.game) === false && !mayBeLate ? 'other_start' : only
  }

  /** The game's codes of the market's teams; undefined when they are not the two of this game. */
  private sidesOf({ league, venue, teams, teamNames }: CatalogMarket, game: Game): Sides | undefined {
    const { home, away } = game
    if (this.codes.hasTable(league)) {
      const [first, second] = teams.map((team) => this.codes.codeOf(league, venue, team))
      if (first === home.code && second === away.code) return [first, second]
      return first === away.code && second === home.code ? [first, second] : undefined
    }
    if (game.names === undefined || teamNames === undefined) return undefined
    const { names } = game
    const [first, second] = teamNames.map((said) =>
      (['home', 'away'] as const).filter((side) => isCalled(said, names[side])),
    )
    const [one, two] = [first?.[0], second?.[0]]
    // Each name fits exactly one of the two, and not the same one.
    if (one === undefined || two === undefined || one === two) return undefined
    return first?.length === 1 && second?.length === 1 ? [game[one].code, game[two].code] : undefined
  }

  /** Whether the scoreboard has ever called a team of today's slates as the market calls each of its own. */
  private areKnown({ league, teamNames }: CatalogMarket): boolean {
    if (this.codes.hasTable(league)) return true
    const slate = this.byLeague.get(league) ?? []
    const isKnown = (said: readonly string[]): boolean =>
      slate.some(({ names }) => names !== undefined && isCalled(said, [...names.home, ...names.away]))
    return teamNames?.every(isKnown) ?? false
  }
}

/** The start that a venue states for a market of this game, Unix ms; undefined when it states none. */
function statedStartMs(market: CatalogMarket, game: Game): number | undefined {
  if (market.startMs !== undefined) return market.startMs
  if (market.easternTime === undefined) return undefined
  const [hours = 0, minutes = 0] = market.easternTime.split(':').map(Number)
  return game.startMs + (hours * 60 + minutes - easternMinutes(game.startMs)) * 60_000
}

/** Undefined when the venue states no start. */
function startsWithin(limitMs: number, market: CatalogMarket, game: Game): boolean | undefined {
  const statedMs = statedStartMs(market, game)
  return statedMs === undefined ? undefined : Math.abs(statedMs - game.startMs) < limitMs
}

/** Whether two venues' markets of this game state two starts that no one game has. */
export function stateOtherStarts(game: Game, one: CatalogMarket, other: CatalogMarket): boolean {
  const [oneMs, otherMs] = [statedStartMs(one, game), statedStartMs(other, game)]
  return oneMs !== undefined && otherMs !== undefined && Math.abs(oneMs - otherMs) >= SAME_START_MS
}

/** Of the meetings of one date the one that is meant beyond doubt. */
function theOneOf<Meeting extends { readonly game: Game }>(
  market: CatalogMarket,
  unordered: readonly Meeting[],
): Meeting | undefined {
  const meetings = [...unordered].sort((a, b) => a.game.startMs - b.game.startMs)
  const { gameNumber } = market
  const numbered = gameNumber === undefined ? undefined : meetings[gameNumber - 1]
  if (market.startMs === undefined && market.easternTime === undefined) {
    // By the number alone: the games are two, and it is plain which is the first.
    const [first, second, third] = meetings
    if (first === undefined || second === undefined || third !== undefined) return undefined
    return second.game.startMs - first.game.startMs >= SAME_START_MS ? numbered : undefined
  }
  // A game that is delayed towards the other's start could be either.
  const [near, ...more] = meetings.filter(({ game }) => startsWithin(MAX_DELAY_MS, market, game) === true)
  if (near === undefined || more.length > 0) return undefined
  if (startsWithin(SAME_START_MS, market, near.game) !== true) return undefined
  return gameNumber === undefined || near === numbered ? near : undefined
}
