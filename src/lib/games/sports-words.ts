/**
 * The last word of the second source on each game, found by league, unordered team pair and Eastern date. Nobody's
 * order of teams or idea of who is at home is relied on. Where a league has a table, its codes say which teams are
 * meant; where it has none (college, soccer), the slug of the market that the game was paired with does. Pure.
 */

import { evictOldest } from '../core/evict-oldest.js'
import type { Game, GameStatus, League } from '../model/game.js'
import { dayAfter, dayBefore, easternDate } from './eastern-date.js'
import { GameSteps, isOver } from './game-steps.js'
import type { Step } from './game-steps.js'
import { readSlug } from './sports-message.js'
import type { SportsWord } from './sports-message.js'
import type { TeamCodeBook } from './team-codes.js'

/** Two days of every league are some hundred games. */
const MAX_WORDS = 2000
/** How far the source's clock may be ahead of ours: a time beyond it is a mistake, and no word is later than it. */
const MAX_AHEAD_MS = 5000

/** What is known of one game. */
export interface HeardGame {
  readonly status: GameStatus
  readonly scores: readonly [number, number] | undefined
  /** It was said on the connection that is open now. */
  readonly isCurrent: boolean
}

interface Entry {
  readonly date: string
  readonly steps: GameSteps
  scores: readonly [number, number] | undefined
  saidMs: number
  connection: number
}

export type Heard =
  | {
      readonly kind: 'heard'
      readonly league: League
      /** The game's status is new, or not yet believed. */
      readonly isNews: boolean
      readonly doubted?: Step
    }
  /** Why a word is about none of our games. */
  | { readonly kind: 'skipped'; readonly name: string }

export class SportsWords {
  private readonly entries = new Map<string, Entry>()
  private connection = 0
  private slugKeys: ReadonlySet<string> = new Set()

  constructor(
    private readonly leagues: readonly League[],
    private readonly codes: TeamCodeBook,
  ) {}

  /** What was said before may have changed unheard. */
  connected(): void {
    this.connection += 1
  }

  /** Which slugs are paired games', of leagues without a table: a word that names no league may be about these. */
  setSlugs(keys: Iterable<string>): void {
    this.slugKeys = new Set(keys)
  }

  /** @param nowMs our wall clock, when it arrived. */
  hear(word: SportsWord, nowMs: number): Heard {
    const found = this.leagueOf(word)
    if (typeof found === 'string') return { kind: 'skipped', name: found }
    const { league, key } = found
    const today = easternDate(nowMs)
    if (word.date < dayBefore(today)) return { kind: 'skipped', name: 'old date' }
    if (word.date > dayAfter(today)) return { kind: 'skipped', name: 'far date' }
    const saidMs = (word.saidMs ?? 0) > nowMs + MAX_AHEAD_MS ? undefined : word.saidMs
    const known = this.entries.get(key)
    if (known === undefined) {
      this.entries.set(key, {
        date: word.date,
        steps: new GameSteps(word.status),
        scores: word.scores,
        saidMs: saidMs ?? 0,
        connection: this.connection,
      })
      this.evict()
      return { kind: 'heard', league, isNews: true }
    }
    // Overtaken on its way by a later word. That a game is over is heard whenever it was said.
    const isOvertaken = saidMs !== undefined && saidMs < known.saidMs
    if (isOvertaken && !isOver(word.status)) return { kind: 'skipped', name: 'out of order' }
    const isNews = word.status !== known.steps.status
    const { doubted } = known.steps.read(word.status, nowMs)
    if (!isOvertaken) {
      known.scores = word.scores ?? known.scores
      known.saidMs = saidMs ?? known.saidMs
    }
    known.connection = this.connection
    return { kind: 'heard', league, isNews, ...(doubted === undefined ? {} : { doubted }) }
  }

  /** @param key of `matchKey` or `slugKey`. */
  on(key: string): HeardGame | undefined {
    const entry = this.entries.get(key)
    return (
      entry && {
        status: entry.steps.status,
        scores: entry.scores,
        isCurrent: entry.connection === this.connection,
      }
    )
  }

  /** Forgets the games of the day before yesterday. */
  prune(nowMs: number): void {
    const oldest = dayBefore(easternDate(nowMs))
    for (const [key, { date }] of this.entries) if (date < oldest) this.entries.delete(key)
  }

  /** A game that goes on is forgotten before one that is over: of that, only a word tells. */
  private evict(): void {
    if (this.entries.size <= MAX_WORDS) return
    for (const [key, { steps }] of this.entries) {
      if (isOver(steps.status)) continue
      this.entries.delete(key)
      return
    }
    evictOldest(this.entries, MAX_WORDS)
  }

  /** The league that is named or, where none is, the only one that has both teams. */
  private leagueOf(word: SportsWord): { readonly league: League; readonly key: string } | string {
    const named = this.leagues.filter((league) => word.league === undefined || league === word.league)
    if (named.length === 0) return 'other league'
    const found = named.flatMap((league) => {
      if (!this.codes.hasTable(league)) {
        const key = keyOf(league, ...word.teams, word.date)
        return word.league === undefined && !this.slugKeys.has(key) ? [] : [{ league, key }]
      }
      const one = this.codes.codeOf(league, 'poly', word.teams[0])
      const other = this.codes.codeOf(league, 'poly', word.teams[1])
      if (one === undefined || other === undefined || one === other) return []
      return [{ league, key: keyOf(league, one, other, word.date) }]
    })
    const [only, ...others] = found
    if (only === undefined)
      return word.league === undefined ? 'other league' : `unknown team of ${word.league}`
    return others.length > 0 ? 'team codes of several leagues' : only
  }
}

/** What a game is found by whose market has that slug; undefined for a slug of another form. */
export function slugKey(league: League, slug: string): string | undefined {
  const parts = readSlug(slug)
  return parts && keyOf(league, ...parts.teams, parts.date)
}

/** What a game is found by. */
export const matchKey = ({ league, home, away, startMs }: Game): string =>
  keyOf(league, home.code, away.code, easternDate(startMs))

function keyOf(league: League, one: string, other: string, date: string): string {
  return one < other ? `${league} ${one} ${other} ${date}` : `${league} ${other} ${one} ${date}`
}
