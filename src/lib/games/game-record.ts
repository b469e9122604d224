/**
 * What is published of each game, from two sources. The scoreboard is the record of identity and score; the second
 * source can only make us more careful, and sooner:
 *
 * - a game that either of them calls over is not traded: where the scoreboard still has it before or in play, the
 *   second source's word is the status, and it is named as the provider;
 * - that it says a game is live is no reason to trust the scoreboard's last reading any longer;
 * - its score is compared, never used.
 *
 * Pure: time is an argument.
 */

import type { Game, GameStatus, League } from '../model/game.js'
import { SECOND_SOURCE } from '../model/game.js'
import { GameSteps, isOver } from './game-steps.js'
import type { Step } from './game-steps.js'
import type { SportsWord } from './sports-message.js'
import { SportsWords, matchKey, slugKey } from './sports-words.js'
import type { HeardGame } from './sports-words.js'
import type { TeamCodeBook } from './team-codes.js'

/** The scoreboard trails play by seconds, at times by minutes: longer is a contradiction. */
const DISAGREE_AFTER_MS = 180_000

/** The status to publish, and whether the second source decides it. */
export function mergeStatus(
  scoreboard: GameStatus,
  second: GameStatus | undefined,
): { readonly status: GameStatus; readonly bySecond: boolean } {
  const bySecond = second !== undefined && isOver(second) && !isOver(scoreboard)
  return bySecond ? { status: second, bySecond } : { status: scoreboard, bySecond }
}

/** Who comes first is not said alike in all leagues. */
const sameScores = (game: Game, [one, other]: readonly [number, number]): boolean =>
  (game.home.score === one && game.away.score === other) ||
  (game.home.score === other && game.away.score === one)

/** What changed since the last look. */
export interface RecordChanges {
  readonly steps: readonly Step[]
  /** Steps that no game takes, told once so far. */
  readonly doubted: readonly Step[]
}

interface HeardWord extends RecordChanges {
  readonly league: League
  /** News of a league whose scoreboard is behind: it should be asked again. */
  readonly isAhead: boolean
}

interface Disagreement {
  readonly game: Game
  readonly scoreboard: GameStatus
  readonly second: GameStatus
}

interface Disagreements {
  /** Games whose status the sources have told differently for more than three minutes. */
  readonly status: readonly Disagreement[]
  /** Of these, told for the first time. */
  readonly fresh: readonly Disagreement[]
  /** Games under way of which the sources have told different scores for so long. */
  readonly scores: number
}

interface Followed {
  readonly steps: GameSteps
  /** What the second source's words are found by; undefined for two games of the same teams on a day. */
  matchKey: string | undefined
  published: GameStatus
  statusDiffersMs: number | undefined
  scoreDiffersMs: number | undefined
  isTold: boolean
}

export class GameRecord {
  private readonly scoreboards = new Map<League, readonly Game[]>()
  private readonly followed = new Map<string, Followed>()
  private readonly words: SportsWords
  private slugKeys = new Map<string, string>()

  constructor(
    leagues: readonly League[],
    private readonly codes: TeamCodeBook,
  ) {
    this.words = new SportsWords(leagues, codes)
  }

  /** Polymarket's slugs of paired games: how games of leagues without a table of codes are found. */
  setSlugs(
    games: Iterable<{ readonly league: League; readonly gameId: string; readonly slug: string }>,
  ): void {
    this.slugKeys = new Map()
    for (const { league, gameId, slug } of games) {
      const key = this.codes.hasTable(league) ? undefined : slugKey(league, slug)
      if (key !== undefined) this.slugKeys.set(`${league} ${gameId}`, key)
    }
    this.words.setSlugs(this.slugKeys.values())
  }

  /** The second source's connection is new. */
  connected(): void {
    this.words.connected()
  }

  /** A league's games as the scoreboard has them now. */
  setScoreboard(league: League, games: readonly Game[]): RecordChanges {
    this.scoreboards.set(league, games)
    const doubted: Step[] = []
    const prefix = `${league} `
    const kept = new Set(games.map(keyOf))
    for (const key of this.followed.keys()) {
      if (key.startsWith(prefix) && !kept.has(key)) this.followed.delete(key)
    }
    const keys = new Map<string, Game>()
    const twins = new Set<string>()
    for (const game of games) {
      const key = matchKey(game)
      if (keys.has(key)) twins.add(key)
      keys.set(key, game)
    }
    for (const game of games) {
      const entry = this.followed.get(keyOf(game)) ?? newlyFollowed(game.status)
      this.followed.set(keyOf(game), entry)
      const key = matchKey(game)
      entry.matchKey = twins.has(key) ? undefined : key
      const reading = entry.steps.read(game.status, game.fetchedMs)
      if (reading.doubted !== undefined) doubted.push(reading.doubted)
    }
    return { steps: this.takeSteps(league), doubted }
  }

  /** A word of the second source: what it changed in which league, or why it is about none of our games. */
  hear(word: SportsWord, nowMs: number): HeardWord | { readonly skipped: string } {
    const heard = this.words.hear(word, nowMs)
    if (heard.kind === 'skipped') return { skipped: heard.name }
    const doubted = heard.doubted === undefined ? [] : [heard.doubted]
    const isAhead = heard.isNews && this.isBehind(heard.league)
    return { league: heard.league, steps: this.takeSteps(heard.league), doubted, isAhead }
  }

  private isBehind(league: League): boolean {
    return this.ofLeague(league).some(({ game, entry }) => {
      const heard = this.wordOn(game, entry)
      return heard?.isCurrent === true && rankOf(heard.status) > rankOf(entry.steps.status)
    })
  }

  /** A league's games as they are published. */
  games(league: League): Game[] {
    return this.ofLeague(league).map(({ game, entry }) => {
      const { status, bySecond } = mergeStatus(entry.steps.status, this.wordOn(game, entry)?.status)
      if (status === game.status) return game
      return { ...game, status, ...(bySecond ? { provider: SECOND_SOURCE } : {}) }
    })
  }

  /** What the sources have contradicted each other on for too long. */
  disagreements(nowMs: number): Disagreements {
    this.words.prune(nowMs)
    const status: Disagreement[] = []
    const fresh: Disagreement[] = []
    let scores = 0
    for (const league of this.scoreboards.keys()) {
      for (const { game, entry } of this.ofLeague(league)) {
        const heard = this.wordOn(game, entry)
        const differs = heard !== undefined && this.differs(entry.steps.status, heard)
        entry.statusDiffersMs = differs ? (entry.statusDiffersMs ?? nowMs) : undefined
        const scoreDiffers =
          heard?.scores !== undefined &&
          heard.isCurrent &&
          game.status !== 'pre' &&
          !sameScores(game, heard.scores)
        entry.scoreDiffersMs = scoreDiffers ? (entry.scoreDiffersMs ?? nowMs) : undefined
        if (isLong(entry.scoreDiffersMs, nowMs)) scores += 1
        if (heard === undefined || !isLong(entry.statusDiffersMs, nowMs)) {
          entry.isTold = false
          continue
        }
        const found = { game, scoreboard: entry.steps.status, second: heard.status }
        status.push(found)
        if (!entry.isTold) fresh.push(found)
        entry.isTold = true
      }
    }
    return { status, fresh, scores }
  }

  /** A word of an earlier connection counts only while it still decides something. */
  private differs(scoreboard: GameStatus, heard: HeardGame): boolean {
    if (scoreboard === heard.status) return false
    return heard.isCurrent || mergeStatus(scoreboard, heard.status).bySecond
  }

  private wordOn(game: Game, entry: Followed): HeardGame | undefined {
    const key = this.codes.hasTable(game.league) ? entry.matchKey : this.slugKeys.get(keyOf(game))
    return key === undefined ? undefined : this.words.on(key)
  }

  private takeSteps(league: League): Step[] {
    const steps: Step[] = []
    for (const game of this.games(league)) {
      const entry = this.followed.get(keyOf(game))
      if (entry === undefined || entry.published === game.status) continue
      steps.push({ from: entry.published, to: game.status })
      entry.published = game.status
    }
    return steps
  }

  private ofLeague(league: League): { readonly game: Game; readonly entry: Followed }[] {
    return (this.scoreboards.get(league) ?? []).flatMap((game) => {
      const entry = this.followed.get(keyOf(game))
      return entry === undefined ? [] : [{ game, entry }]
    })
  }
}

const keyOf = ({ league, gameId }: Game): string => `${league} ${gameId}`
const rankOf = (status: GameStatus): number => (status === 'pre' ? 0 : status === 'live' ? 1 : 2)
const isLong = (sinceMs: number | undefined, nowMs: number): boolean =>
  sinceMs !== undefined && nowMs - sinceMs > DISAGREE_AFTER_MS

const newlyFollowed = (status: GameStatus): Followed => ({
  steps: new GameSteps(status),
  matchKey: undefined,
  published: status,
  statusDiffersMs: undefined,
  scoreDiffersMs: undefined,
  isTold: false,
})
