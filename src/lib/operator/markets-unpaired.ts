/** What would be paired now, and of every other market why not: one look at the scoreboards and both catalogs. */

import type { Clock } from '../core/clock.js'
import type { Settings } from '../core/config.js'
import { ArbeesError, EXIT } from '../core/errors.js'
import { sanitize } from '../core/sanitize.js'
import { EspnScoreboard } from '../games/espn.js'
import { GameBoard } from '../games/game-board.js'
import { LeagueScoreboard } from '../games/league-scoreboard.js'
import { UNPAIRED_REASONS } from '../games/pairing.js'
import { ShardAssignments } from '../games/shard-assignments.js'
import { TeamCodeBook } from '../games/team-codes.js'
import type { CatalogMarket, GameMarket, GameState, League } from '../model/game.js'
import type { Venue } from '../model/venue.js'
import { leaguesOf } from '../roles/leagues.js'
import { PairingRulesFile } from '../roles/pairing-rules.js'
import { KalshiCatalog } from '../venues/kalshi/catalog.js'
import { PolymarketCatalog } from '../venues/polymarket/catalog.js'
import { venueUrls } from '../venues/urls.js'
import { withVenue } from './markets.js'

export interface PairedRow {
  readonly league: League
  readonly game_id: string
  /** Away at home, the scoreboard's codes. */
  readonly game: string
  readonly status: string
  readonly start_time: string
  /** What YES of each market pays on: ESPN's code of a team, or `draw`; by Kalshi's ticker or Polymarket's slug. */
  readonly kalshi: Readonly<Record<string, string>>
  readonly polymarket: Readonly<Record<string, string>>
}

export interface UnpairedRow {
  readonly league: League
  readonly venue: 'kalshi' | 'polymarket'
  /** Kalshi's event ticker, or Polymarket's slug. */
  readonly event: string
  /** Kalshi's ticker, or Polymarket's condition id. */
  readonly market: string
  /** The venue's own code for what YES pays on. */
  readonly selection: string
  /** `YYYY-MM-DD`, US Eastern. */
  readonly eastern: string
  readonly reason: keyof typeof UNPAIRED_REASONS
  readonly why: string
}

/** What a venue lists that is no open market of a game's winner, or cannot be traded. */
interface LeftOutRow {
  readonly league: League
  readonly venue: 'kalshi' | 'polymarket'
  readonly id: string
  readonly reason: string
}

export interface UnpairedReport {
  readonly env: string
  readonly paired: readonly PairedRow[]
  readonly unpaired: readonly UnpairedRow[]
  readonly left_out: readonly LeftOutRow[]
  readonly counts: {
    /** On the scoreboards of today and yesterday. */
    readonly games: number
    readonly paired_games: number
    readonly unpaired: Readonly<Record<string, number>>
    /** Of the pairing file, about nothing that is listed; the notices name them. */
    readonly pins_unmatched: number
    readonly bans_unmatched: number
  }
  /** What could not be read beside it. */
  readonly notices: readonly string[]
}

const SHOWN = { kalshi: 'kalshi', poly: 'polymarket' } as const satisfies Record<Venue, string>

/** Throws ArbeesError: exit 6 when a scoreboard or a venue does not answer, 4 for a wrong pairing file. */
export async function lookForUnpaired({
  settings,
  clock,
}: {
  readonly settings: Settings
  readonly clock: Clock
}): Promise<UnpairedReport> {
  const codes = new TeamCodeBook()
  const board = new GameBoard(codes, new ShardAssignments(settings.shards), settings.env === 'sim')
  board.setRules(new PairingRulesFile(settings['pairing.file']).first)
  const urls = venueUrls(settings)
  const espn = new EspnScoreboard({
    ...{ baseUrl: urls.espn, userAgent: settings['espn.user_agent'], clock, codes },
  })
  const catalogs = {
    kalshi: new KalshiCatalog({ baseUrl: urls.kalshiRest, clock }),
    poly: new PolymarketCatalog({ gammaUrl: urls.gamma, clock }),
  }
  const leftOut: LeftOutRow[] = []
  const notices = new Set<string>()
  const { signal } = new AbortController()
  const readScoreboard = async (league: League): Promise<void> => {
    const scoreboard = new LeagueScoreboard(league, espn)
    const { failures, newlySkipped } = await scoreboard.poll(clock.nowMs(), signal)
    const [failure] = failures
    if (failure !== undefined) {
      const place = `scoreboard of ${league} (${settings.env}) at ${urls.espn}`
      throw withVenue(unreachable(failure.reason, failure.detail), place, settings.env)
    }
    for (const { id, reason, detail } of newlySkipped) {
      notices.add(sanitize(`scoreboard of ${league}: event ${id} left out: ${reason} ${detail}`, 200))
    }
    board.setGames(league, scoreboard.games())
  }
  const readCatalog = async (venue: Venue, league: League): Promise<CatalogMarket[]> => {
    try {
      const { markets, skipped, problem } = await catalogs[venue].openMarkets(league, signal)
      leftOut.push(...skipped.map((each) => ({ league, venue: SHOWN[venue], ...each })))
      if (problem !== undefined) notices.add(problem)
      return [...markets]
    } catch (error) {
      const place = `${SHOWN[venue]} (${settings.env}) at ${venue === 'poly' ? urls.gamma : urls.kalshiRest}`
      throw withVenue(error, place, settings.env)
    }
  }
  try {
    const leagues = leaguesOf(settings.leagues)
    const [markets] = await Promise.all([
      Promise.all(leagues.flatMap((league) => [readCatalog('kalshi', league), readCatalog('poly', league)])),
      Promise.all(leagues.map(readScoreboard)),
    ])
    board.addMarkets(markets.flat())
    board.update(clock.nowMs())
    return reportOf(settings.env, board, markets.flat(), leftOut, [...notices])
  } finally {
    await Promise.all([espn.close(), catalogs.kalshi.close(), catalogs.poly.close()])
  }
}

function reportOf(
  env: string,
  board: GameBoard,
  markets: readonly CatalogMarket[],
  leftOut: readonly LeftOutRow[],
  notices: readonly string[],
): UnpairedReport {
  const states = board.states()
  const paired = states.filter((state) => state.markets.length > 0)
  const slugs = new Map(markets.map(({ marketId, eventId }) => [marketId, eventId]))
  const unpaired = board.unpaired()
  const counts: Record<string, number> = {}
  const { pins, bans } = board.unmatched()
  const idle = [...pins.map((event) => `pin of ${event}`), ...bans.map((ban) => `ban of ${ban}`)]
  for (const { reason } of unpaired) counts[reason] = (counts[reason] ?? 0) + 1
  return {
    env,
    paired: paired.map((state) => pairedRow(state, slugs)),
    unpaired: unpaired.map(({ market, reason }) => ({
      league: market.league,
      venue: SHOWN[market.venue],
      event: market.eventId,
      market: market.marketId,
      selection: market.selection,
      eastern: market.easternDate,
      reason,
      why: UNPAIRED_REASONS[reason],
    })),
    left_out: leftOut,
    counts: {
      ...{ games: states.length, paired_games: paired.length, unpaired: counts },
      ...{ pins_unmatched: pins.length, bans_unmatched: bans.length },
    },
    notices: [...notices, ...idle.map((rule) => `pairing file: the ${rule} fits nothing that is listed now`)],
  }
}

function pairedRow(
  { league, gameId, home, away, status, startMs, markets }: GameState,
  slugs: ReadonlyMap<string, string>,
): PairedRow {
  const of = (venue: Venue, nameOf: (market: GameMarket) => string): Record<string, string> =>
    Object.fromEntries(
      markets.filter((market) => market.venue === venue).map((market) => [nameOf(market), market.selection]),
    )
  // Three conditions of one slug are told apart by the venue's own word.
  const nameOf = ({ marketId, kind, venueSelection = '' }: GameMarket): string =>
    `${slugs.get(marketId) ?? marketId}${kind === 'three_way' ? `-${venueSelection.toLowerCase()}` : ''}`
  return {
    league,
    game_id: gameId,
    game: `${away.code} at ${home.code}`,
    status,
    start_time: new Date(startMs).toISOString(),
    kalshi: of('kalshi', ({ marketId }) => marketId),
    polymarket: of('poly', nameOf),
  }
}

const unreachable = (reason: string, detail: string): ArbeesError =>
  new ArbeesError('SCOREBOARD_UNREACHABLE', `${reason}: ${sanitize(detail, 200)}`, { exit: EXIT.UNREACHABLE })
