/**
 * Which game a market is of, and on which of its outcomes YES pays; or why that cannot be said. Pure.
 *
 * League, both teams and the US Eastern date must agree. Where a league has a table of codes, the codes say who the
 * teams are; where it has none (college, soccer), both must be called as the scoreboard calls them. When teams meet
 * twice on a date, the venue's stated start, or the number of the game, must single one out.
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

/** Two starts of one game, as two parties state them, differ by less; those of a doubleheader by more. */
const SAME_START_MS = 60 * 60_000
/** A delay moves a start by less, another game of the same teams by more. */
const MAX_DELAY_MS = 3 * 60 * 60_000

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
    if (only === undefined) return this.areKnown(market) ? 'no_game' : 'unknown_team'
    if (others.length > 0 || market.gameNumber !== undefined) {
      const started = meetings.filter(({ game }) => startsAsStated(market, game, SAME_START_MS) === true)
      const [proven, ...more] = started.length > 0 ? started : numbered(market, meetings)
      return proven !== undefined && more.length === 0 ? proven : 'doubleheader'
    }
    // A game under way is the one that the venue still lists, however late it began.
    const isToCome = only.game.status === 'pre'
    return isToCome && startsAsStated(market, only.game, MAX_DELAY_MS) === false ? 'other_start' : only
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

/** Undefined when the venue states no start. */
function startsAsStated(market: CatalogMarket, game: Game, withinMs: number): boolean | undefined {
  if (market.startMs !== undefined) return Math.abs(market.startMs - game.startMs) <= withinMs
  if (market.easternTime === undefined) return undefined
  const [hours = 0, minutes = 0] = market.easternTime.split(':').map(Number)
  return Math.abs(hours * 60 + minutes - easternMinutes(game.startMs)) * 60_000 <= withinMs
}

/** By the number alone, where no start is stated: the games are two, and it is plain which is the first. */
function numbered<Meeting extends { readonly game: Game }>(
  market: CatalogMarket,
  meetings: readonly Meeting[],
): readonly Meeting[] {
  const hasStart = market.startMs !== undefined || market.easternTime !== undefined
  if (market.gameNumber === undefined || hasStart || meetings.length !== 2) return []
  const [first, second] = [...meetings].sort((a, b) => a.game.startMs - b.game.startMs)
  if (first === undefined || second === undefined) return []
  if (second.game.startMs - first.game.startMs <= SAME_START_MS) return []
  return [market.gameNumber === 1 ? first : second]
}
