/**
 * One league's games of today and, while late ones run, of yesterday; and when to ask again. At most two requests a
 * poll: one a day, never one a game.
 */

import { Backoff } from '../core/backoff.js'
import type { Game, League } from '../model/game.js'
import { dayBefore, easternDate } from './eastern-date.js'
import type { ScoreboardFailure, ScoreboardPage, ScoreboardSource } from './espn.js'
import type { SkippedEvent } from './scoreboard.js'

const LIVE_DELAY_MS = 5_000
const SOON_DELAY_MS = 60_000
const IDLE_DELAY_MS = 300_000
/** A game this close to its start, or late by less than `LATE_MS`, is polled like a live one. */
const DUE_MS = 60_000
const LATE_MS = 6 * 3_600_000
const SOON_MS = 30 * 60_000
/** The service's caching advice is followed up to here while a game is live. */
const MAX_LIVE_AGE_MS = 15_000

const isOver = (game: Game): boolean => game.status !== 'pre' && game.status !== 'live'

/** How long to wait before the next poll, before jitter. */
export function pollDelayMs(games: readonly Game[], nowMs: number): number {
  let delayMs = IDLE_DELAY_MS
  for (const game of games) {
    if (isOver(game)) continue
    const untilMs = game.startMs - nowMs
    if (game.status === 'live' || (untilMs <= DUE_MS && untilMs > -LATE_MS)) return LIVE_DELAY_MS
    if (untilMs > 0 && untilMs <= SOON_MS) delayMs = SOON_DELAY_MS
  }
  return delayMs
}

export interface Poll {
  readonly failures: readonly ScoreboardFailure[]
  /** Events left out that the poll before did not leave out for the same reason. */
  readonly newlySkipped: readonly SkippedEvent[]
  /** When to poll again, jitter included. */
  readonly nextDelayMs: number
}

export class LeagueScoreboard {
  /** By date: today's and yesterday's. */
  private readonly pages = new Map<string, ScoreboardPage>()
  private readonly backoff: Backoff

  constructor(
    readonly league: League,
    private readonly source: ScoreboardSource,
    private readonly random: () => number = Math.random,
  ) {
    this.backoff = new Backoff({ minMs: LIVE_DELAY_MS, maxMs: IDLE_DELAY_MS, random })
  }

  /** Today's and yesterday's games as last fetched, each once. */
  games(): Game[] {
    const byId = new Map<string, Game>()
    for (const page of this.pages.values()) {
      for (const game of page.games) {
        const known = byId.get(game.gameId)
        if (known === undefined || known.fetchedMs <= game.fetchedMs) byId.set(game.gameId, game)
      }
    }
    return [...byId.values()]
  }

  /** Fetches what is due. A day that fails keeps its last page. */
  async poll(nowMs: number, signal: AbortSignal): Promise<Poll> {
    const today = easternDate(nowMs)
    const yesterday = dayBefore(today)
    for (const date of this.pages.keys()) {
      if (date !== today && date !== yesterday) this.pages.delete(date)
    }
    const failures: ScoreboardFailure[] = []
    const newlySkipped: SkippedEvent[] = []
    for (const date of this.needs(yesterday) ? [today, yesterday] : [today]) {
      const before = this.pages.get(date)
      const answer = await this.source.page(this.league, date, before, signal)
      if (answer.kind === 'failed') {
        failures.push(answer.failure)
        continue
      }
      this.pages.set(date, answer.page)
      const seen = new Set(before?.skipped.map(identify))
      newlySkipped.push(...answer.page.skipped.filter((event) => !seen.has(identify(event))))
    }
    return { failures, newlySkipped, nextDelayMs: this.nextDelayMs(failures, today, nowMs) }
  }

  private needs(yesterday: string): boolean {
    const page = this.pages.get(yesterday)
    return page === undefined || !page.games.every(isOver)
  }

  private nextDelayMs(failures: readonly ScoreboardFailure[], today: string, nowMs: number): number {
    if (failures.length > 0) {
      const advice = Math.max(...failures.map(({ retryAfterMs }) => retryAfterMs))
      return Math.max(this.backoff.nextMs(), advice)
    }
    this.backoff.reset()
    const delayMs = pollDelayMs(this.games(), nowMs)
    const adviceMs = Math.min(this.pages.get(today)?.maxAgeMs ?? 0, MAX_LIVE_AGE_MS)
    return Math.round(Math.max(delayMs, adviceMs) * (0.9 + 0.2 * this.random()))
  }
}

const identify = ({ id, reason }: SkippedEvent): string => `${id} ${reason}`
