/**
 * The orchestrator asks the scoreboards and both venues' catalogs, pairs games with markets, gives each game to a
 * shard, and publishes every game's whole state: on change and every 5 s. One league or venue that fails does not stop
 * the others, and Redis is not needed for any of it.
 */

import type { Channel } from '../bus/channel.js'
import { Backoff, sleep } from '../core/backoff.js'
import { codeOf, messageOf } from '../core/errors.js'
import { sanitize } from '../core/sanitize.js'
import { easternDate } from '../games/eastern-date.js'
import { EspnScoreboard } from '../games/espn.js'
import { GameBoard } from '../games/game-board.js'
import type { BoardChanges } from '../games/game-board.js'
import { LeagueScoreboard } from '../games/league-scoreboard.js'
import type { Poll } from '../games/league-scoreboard.js'
import { UNPAIRED_REASONS } from '../games/pairing.js'
import type { UnpairedReason } from '../games/pairing.js'
import { ShardAssignments } from '../games/shard-assignments.js'
import { TeamCodeBook } from '../games/team-codes.js'
import { gamesPayload } from '../messages/convert.js'
import { GAMES_SOURCE } from '../messages/sources.js'
import { formatTopic } from '../messages/topics.js'
import type { Game, GameState, League } from '../model/game.js'
import { VENUES } from '../model/venue.js'
import type { Venue } from '../model/venue.js'
import { KalshiCatalog } from '../venues/kalshi/catalog.js'
import { PolymarketCatalog } from '../venues/polymarket/catalog.js'
import type { Catalog } from '../venues/ports.js'
import { venueUrls } from '../venues/urls.js'
import { Alarm } from './alarm.js'
import { GameStates, type StateChange } from './game-states.js'
import { Guard } from './guard.js'
import { leaguesOf } from './leagues.js'
import { MarketGameWriter } from './market-game-writer.js'
import { PairingRulesFile } from './pairing-rules.js'
import { bindPublisher } from './bind-publisher.js'
import { openRedisPublish } from './redis-publish.js'
import type { RedisPublish } from './redis-publish.js'
import { followShards } from './shard-fleet.js'
import type { ShardFleet } from './shard-fleet.js'
import type { RoleContext } from './role.js'

const REPUBLISH_MS = 5_000
/** Two looks at the pairing file must agree. */
const RULES_LOOK_MS = 2_000
const CATALOG_MS = 30_000
const CATALOG_RETRY_MS = 5_000
/** A venue lists a game somewhat before or after the scoreboard does: ask again soon when they disagree. */
const CATALOG_SOON_MS = 2_000
/** The second source is ahead of a scoreboard: not so soon that a wrong word makes us ask all the time. */
const SCOREBOARD_SOON_MS = 2_000
/** After a round that threw before it could say when to come again. */
const FAILED_RETRY_MS = 5_000
/** The first cycle counts as tried when its slowest part takes longer. */
const FIRST_CYCLE_MS = 10_000
/** Unpaired markets named in the log at once. */
const SHOWN = 10

export async function runOrchestrator(context: RoleContext): Promise<void> {
  const { settings, clock, lifecycle } = context
  const leagues = leaguesOf(settings.leagues)
  const urls = venueUrls(settings)
  const codes = new TeamCodeBook()
  // A wrong file is told before anything is bound.
  const rules = new PairingRulesFile(settings['pairing.file'])
  const publisher = await bindPublisher(context, 'orchestrator')
  const catalogs = {
    kalshi: new KalshiCatalog({ baseUrl: urls.kalshiRest }),
    poly: new PolymarketCatalog({ gammaUrl: urls.gamma }),
  }
  for (const venue of VENUES) lifecycle.defer(`${venue} catalog`, () => catalogs[venue].close())
  const espn = new EspnScoreboard({
    baseUrl: urls.espn,
    userAgent: settings['espn.user_agent'],
    clock,
    codes,
  })
  lifecycle.defer('scoreboard', () => espn.close())
  const writer = new MarketGameWriter(context)
  lifecycle.defer('redis', () => writer.close())
  await sleep(publisher.joinGraceLeftMs(), lifecycle.signal)
  if (lifecycle.signal.aborted) return

  const assignments = new ShardAssignments(settings.shards)
  const board = new GameBoard(codes, assignments, settings.env === 'sim')
  board.setRules(rules.first)
  const games = publisher.channel(GAMES_SOURCE)
  const fleet = followShards(context, assignments)
  const orchestrator = new Orchestrator(context, board, games, writer, openRedisPublish(context), fleet)
  fleet.onChange(() => orchestrator.assign())
  const states = new GameStates(context, leagues, codes, orchestrator)
  const timer = setInterval(() => {
    orchestrator.guarded('check', () => {
      states.setSlugs(board.slugs())
      states.check()
    })
    orchestrator.republish()
  }, REPUBLISH_MS)
  lifecycle.defer('republish', () => clearInterval(timer))
  const rulesTimer = setInterval(() => {
    orchestrator.guarded('pairing_file', () => orchestrator.lookAt(rules))
  }, RULES_LOOK_MS)
  lifecycle.defer('pairing file', () => clearInterval(rulesTimer))
  if (urls.sports !== undefined) states.follow(urls.sports)
  const firstTries = leagues.flatMap((league) => [
    orchestrator.followScoreboard(new LeagueScoreboard(league, espn), states),
    ...VENUES.map((venue) => orchestrator.followCatalog(venue, catalogs[venue], league)),
  ])
  await Promise.race([Promise.all(firstTries), sleep(FIRST_CYCLE_MS, lifecycle.signal)])
  context.ready()
}

class Orchestrator implements StateChange {
  private readonly scoreboardAlarms = new Map<League, Alarm>()
  private readonly catalogAlarms = new Map<League, Alarm[]>()
  private readonly guard: Guard

  constructor(
    private readonly context: RoleContext,
    private readonly board: GameBoard,
    private readonly games: Channel,
    private readonly writer: MarketGameWriter,
    private readonly redis: RedisPublish | undefined,
    private readonly fleet: ShardFleet,
  ) {
    this.guard = new Guard(context)
  }

  /** Polls a league's scoreboard until the role ends; resolves after the first try. */
  followScoreboard(scoreboard: LeagueScoreboard, states: GameStates): Promise<void> {
    const { clock, lifecycle } = this.context
    const alarm = new Alarm()
    this.scoreboardAlarms.set(scoreboard.league, alarm)
    return this.repeat(`scoreboard_${scoreboard.league}`, alarm, async () => {
      const poll = await scoreboard.poll(clock.nowMs(), lifecycle.signal)
      this.board.setGames(scoreboard.league, states.setScoreboard(scoreboard.league, scoreboard.games()))
      this.countPoll(scoreboard.league, poll)
      return poll.nextDelayMs
    })
  }

  /** Obeys the operator's file as it stands now. */
  lookAt(rules: PairingRulesFile): void {
    const { counters, log } = this.context
    const change = rules.look()
    if (change.kind === 'changed') {
      this.board.setRules(change.rules)
      log.info(`pairing file read: ${change.rules.pins.length} pins, ${change.rules.bans.length} bans`)
      this.guard.run('update', () => this.update())
    }
    if (change.kind === 'wrong') log.error(`pairing file: ${change.error}; what it said before stands`)
    counters.set('pairing_file_wrong', rules.isWrong ? 1 : 0)
  }

  guarded(name: string, work: () => void): void {
    this.guard.run(name, work)
  }

  /** The second source changed what is known of a league's games. */
  onChange(league: League, games: readonly Game[]): void {
    this.board.setGames(league, games)
    this.guard.run('update', () => this.update())
  }

  onBehind(league: League): void {
    this.scoreboardAlarms.get(league)?.ringWithin(SCOREBOARD_SOON_MS)
  }

  /** Asks a venue for a league's open markets until the role ends; resolves after the first try. */
  followCatalog(venue: Venue, catalog: Catalog, league: League): Promise<void> {
    const { counters, lifecycle, log } = this.context
    const alarm = new Alarm()
    this.catalogAlarms.set(league, [...(this.catalogAlarms.get(league) ?? []), alarm])
    const backoff = new Backoff({ minMs: CATALOG_RETRY_MS, maxMs: CATALOG_MS })
    let succeeded = false
    const told = new Set<string>()
    return this.repeat(`catalog_${venue}_${league}`, alarm, async () => {
      try {
        const { markets, skipped, stale, problem } = await catalog.openMarkets(league, lifecycle.signal)
        this.board.addMarkets(markets)
        counters.set(`listed:${venue}_${league}`, markets.length)
        counters.set(`skipped:${venue}_${league}`, skipped.length)
        if (!succeeded) log.info(`${venue} lists ${markets.length} ${league} markets`)
        succeeded = true
        for (const { id, reason } of skipped) {
          if (told.has(reason) || told.size >= SHOWN) continue
          told.add(reason)
          log.warn(`${venue} catalog of ${league}: ${sanitize(id, 100)} left out: ${sanitize(reason, 80)}`)
        }
        counters.set(`catalog_incomplete:${venue}_${league}`, problem === undefined ? 0 : 1)
        if (problem !== undefined && !told.has(problem)) {
          told.add(problem)
          log.warn(`${venue} catalog of ${league}: ${problem}`)
        }
        if (stale !== undefined) {
          counters.add('catalog_errors', `${venue}_stale`)
          const age = `the list of ${Math.round(stale.ageMs / 1000)} s ago stands`
          log.warn(`${venue} catalog of ${league}: ${age}: ${stale.reason}`)
          return backoff.nextMs()
        }
        backoff.reset()
        return CATALOG_MS
      } catch (error) {
        if (lifecycle.signal.aborted) return CATALOG_MS
        counters.add('catalog_errors', `${venue}_${codeOf(error) ?? 'failed'}`)
        log.warn(`${venue} catalog of ${league}: ${messageOf(error)}`)
        return succeeded ? backoff.nextMs() : CATALOG_RETRY_MS
      }
    })
  }

  /** Every game's whole state again, for readers that joined late. */
  republish(): void {
    this.guard.run('update', () => this.update())
    for (const state of this.board.states()) this.guard.run('publish', () => this.publish(state))
  }

  /** Other shards than before can trade, or a move is over. */
  assign(): void {
    this.guard.run('update', () => this.update())
  }

  /** Goes on whatever a round throws; resolves after the first. */
  private repeat(name: string, alarm: Alarm, step: () => Promise<number>): Promise<void> {
    const { signal } = this.context.lifecycle
    return new Promise((tried) => {
      const loop = async (): Promise<void> => {
        while (!signal.aborted) {
          const delayMs = await this.guard.result(name, step)
          this.guard.run('update', () => this.update())
          tried()
          await alarm.sleep(delayMs ?? FAILED_RETRY_MS, signal)
        }
        tried()
      }
      void loop()
    })
  }

  /** Pairs anew, publishes what changed, and asks the side that lags behind. */
  private update(): void {
    if (this.context.lifecycle.signal.aborted || !this.fleet.isSettled) return
    const changes = this.board.update(this.context.clock.nowMs())
    for (const notice of ['discovered', 'updated'] as const) {
      for (const state of changes[notice]) this.guard.run('publish', () => this.announce(state, notice))
    }
    this.countBoard()
    this.tell(changes)
    this.hurry(changes)
    this.writer.write(this.board.marketGames())
  }

  private announce(state: GameState, notice: 'discovered' | 'updated'): void {
    this.publish(state)
    const { league, gameId } = state
    const topic = formatTopic({ family: 'games', scope: notice, id: '' })
    this.games.publish(topic, { league, game_id: gameId })
    this.context.counters.add(notice)
  }

  private publish(state: GameState): void {
    const payload = gamesPayload(state)
    this.games.publish(formatTopic({ family: 'games', scope: state.league, id: state.gameId }), payload)
    this.redis?.game(payload)
  }

  /** A game without markets wakes its catalogs; a market of today without a game wakes its scoreboard. */
  private hurry({ discovered, newlyUnpaired }: BoardChanges): void {
    for (const league of new Set(
      discovered.filter(({ markets }) => markets.length === 0).map((g) => g.league),
    )) {
      for (const alarm of this.catalogAlarms.get(league) ?? []) alarm.ringWithin(CATALOG_SOON_MS)
    }
    const today = easternDate(this.context.clock.nowMs())
    for (const { market, reason } of newlyUnpaired) {
      if (reason === 'no_game' && market.easternDate === today) {
        this.scoreboardAlarms.get(market.league)?.ringWithin(CATALOG_SOON_MS)
      }
    }
  }

  private tell({ newlyUnpaired }: BoardChanges): void {
    const { log } = this.context
    const shown = newlyUnpaired.filter(({ reason }) => reason !== 'no_game' && reason !== 'no_counterpart')
    for (const { market, reason } of shown.slice(0, SHOWN)) {
      log.warn(`not paired (${reason}): ${market.venue} ${sanitize(market.eventId, 120)}`)
    }
    if (shown.length > SHOWN) log.warn(`not paired: ${shown.length - SHOWN} more`)
  }

  private countPoll(league: League, { failures, newlySkipped }: Poll): void {
    const { counters, log } = this.context
    for (const { kind, reason, detail } of failures) {
      counters.add(kind === 'unreadable' ? 'parse_errors' : 'fetch_errors', reason)
      log.warn(`scoreboard of ${league}: ${reason}: ${sanitize(detail, 200)}`)
    }
    for (const { id, reason, detail } of newlySkipped) {
      // Exhibition teams are none of ours and no fault of the scoreboard.
      if (reason === 'unknown_team') counters.add('unknown_teams')
      else counters.add('parse_errors', reason)
      log.warn(
        `scoreboard of ${league}: event ${sanitize(id, 40)} left out: ${reason} ${sanitize(detail, 80)}`,
      )
    }
  }

  private countBoard(): void {
    const { counters } = this.context
    const states = this.board.states()
    counters.set('games', states.length)
    this.fleet.count(states)
    counters.set('live', states.filter(({ status }) => status === 'live').length)
    counters.set('paired', states.filter(({ markets }) => markets.length > 0).length)
    const { pins, bans } = this.board.unmatched()
    counters.set('pins_unmatched', pins.length)
    counters.set('bans_unmatched', bans.length)
    const unpaired = this.board.unpaired()
    for (const reason of Object.keys(UNPAIRED_REASONS) as UnpairedReason[]) {
      counters.set(`unpaired:${reason}`, unpaired.filter((entry) => entry.reason === reason).length)
    }
  }
}
