/**
 * What the orchestrator publishes of each game, from the scoreboard and Polymarket's sports channel: counts every step
 * of a game, every word that is not understood, and every contradiction that lasts.
 */

import { sanitize } from '../core/sanitize.js'
import { GameRecord } from '../games/game-record.js'
import type { RecordChanges } from '../games/game-record.js'
import { SportsFeed } from '../games/sports-feed.js'
import type { SportsReading } from '../games/sports-message.js'
import type { TeamCodeBook } from '../games/team-codes.js'
import type { Game, League } from '../model/game.js'
import type { RoleContext } from './role.js'

/** A second source that is away for less is not worth an alarm. */
const DOWN_ALARM_MS = 60_000

export interface StateChange {
  /** Of the league, as they are published from now on. */
  onChange(league: League, games: readonly Game[]): void
  /** The second source is further than the league's scoreboard. */
  onBehind(league: League): void
}

export class GameStates {
  private readonly record: GameRecord
  private feed: SportsFeed | undefined

  constructor(
    private readonly context: RoleContext,
    leagues: readonly League[],
    codes: TeamCodeBook,
    private readonly change: StateChange,
  ) {
    this.record = new GameRecord(leagues, codes)
  }

  /** A league's scoreboard was read: its games as they are published. */
  setScoreboard(league: League, games: readonly Game[]): Game[] {
    this.countSteps(league, this.record.setScoreboard(league, games))
    return this.record.games(league)
  }

  /** Which Polymarket event each game was paired with. */
  setSlugs(slugs: Parameters<GameRecord['setSlugs']>[0]): void {
    this.record.setSlugs(slugs)
  }

  /** Listens to the second source until the role ends. */
  follow(url: string): void {
    const { clock, counters, lifecycle, log, settings } = this.context
    const feed = new SportsFeed({
      url,
      userAgent: settings['espn.user_agent'],
      clock,
      onConnected: () => {
        counters.add('sports_connected')
        this.record.connected()
        log.info('the second source of game states is connected')
      },
      onReading: (reading) => this.read(reading),
      onProblem: (reason, text) => {
        if (reason === 'oversize') counters.add('parse_errors', 'sports_oversize')
        else counters.add('sports_lost', reason)
        log.warn(`second source of game states: ${text}`)
      },
    })
    this.feed = feed
    lifecycle.defer('sports channel', () => feed.close())
    feed.start()
  }

  /** Counts what has been contradicted for too long; to be called every few seconds. */
  check(): void {
    const { clock, counters, log } = this.context
    const { status, fresh, scores } = this.record.disagreements(clock.nowMs())
    counters.set('sources_disagree', status.length)
    counters.set('scores_differ', scores)
    for (const { game, scoreboard, second } of fresh) {
      const teams = `${game.away.code} at ${game.home.code}`
      counters.add('sources_disagreed', `${scoreboard}_${second}`)
      log.warn(
        `${game.league} ${sanitize(teams, 40)}: ${scoreboard} on the scoreboard, ${second} at the second source`,
      )
    }
    counters.set('second_source_down', (this.feed?.downMs ?? 0) > DOWN_ALARM_MS ? 1 : 0)
  }

  private read(reading: Exclude<SportsReading, { readonly kind: 'ping' }>): void {
    const { clock, counters } = this.context
    switch (reading.kind) {
      case 'refused':
        counters.add('parse_errors', `sports_${reading.reason}`)
        return
      case 'skipped':
        counters.add('sports_skipped', reading.name)
        return
      case 'word': {
        for (const name of reading.unknown) counters.add('sports_unknown', name)
        const heard = this.record.hear(reading.word, clock.nowMs())
        if ('skipped' in heard) {
          counters.add('sports_skipped', heard.skipped)
          return
        }
        counters.add('sports_heard', heard.league)
        this.countSteps(heard.league, heard)
        if (heard.steps.length > 0) this.change.onChange(heard.league, this.record.games(heard.league))
        if (heard.isAhead) this.change.onBehind(heard.league)
      }
    }
  }

  private countSteps(league: League, { steps, doubted }: RecordChanges): void {
    const { counters, log } = this.context
    for (const { from, to } of steps) counters.add('steps', `${from}_${to}`)
    for (const { from, to } of doubted) {
      counters.add('steps_doubted', `${from}_${to}`)
      log.warn(`${league}: a game that was ${from} is told as ${to}: not believed until it is told again`)
    }
  }
}
