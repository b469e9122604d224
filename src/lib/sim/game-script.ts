/**
 * What happens in one game: plays that move the score and the home team's win probability, and how late each
 * venue's makers notice them. The slow venue alternates from play to play.
 */

import type { Venue } from '../model/venue.js'
import type { Play, SimGame } from './market.js'
import type { Prng } from './prng.js'
import type { SimLeague } from './teams.js'

/** Win probability stays within these while the game is open, $0.0001. */
const FLOOR_E4 = 1000
const CEILING_E4 = 9000
/** The last plays bring the price to the winner before the market closes. */
const CLOSING_MS = 9000
const CLOSING_FAIR_E4 = [9300, 9700, 9850] as const
const NOISE_EVERY_MS = 250

/** The largest lead a game's script allows: what three closing plays can still turn. */
const MAX_LEAD: Readonly<Record<SimLeague, number>> = { nba: 8, nhl: 2, nfl: 14 }

export class GameScript {
  /** Home win probability as an informed observer sees it, $0.0001 (a float: it is a model, not money). */
  private fair: number
  private lead: number
  private nextPlayMs: number
  private nextNoiseMs: number
  private closing: { readonly winner: 'home' | 'away'; done: number } | undefined

  constructor(
    readonly game: SimGame,
    private readonly prng: Prng,
  ) {
    this.fair = game.openingFairE4
    this.lead = game.opening.home - game.opening.away
    // Each game starts in a phase of its own, so that plays spread over time.
    this.nextPlayMs = Math.max(0, game.liveAtMs) + prng.range(1500, 7000)
    this.nextNoiseMs = game.announcedAtMs
  }

  /** The winner, once the closing plays have begun. */
  get winner(): 'home' | 'away' | undefined {
    return this.closing?.winner
  }

  /** Moves to a scenario time (called in order, step by step); returns the play that happened, if one did. */
  step(atMs: number): Play | undefined {
    if (atMs >= this.nextNoiseMs) {
      this.nextNoiseMs += NOISE_EVERY_MS
      if (this.closing === undefined)
        this.fair = clamp(this.fair + this.prng.noise() * 12, FLOOR_E4, CEILING_E4)
    }
    const { liveAtMs, endsAtMs } = this.game
    if (atMs < liveAtMs || atMs >= endsAtMs) return undefined
    if (this.closing === undefined && atMs >= endsAtMs - CLOSING_MS) this.beginClosing(atMs)
    if (atMs < this.nextPlayMs) return undefined
    const play = this.closing === undefined ? this.openPlay(atMs) : this.closingPlay(atMs)
    if (play !== undefined) this.game.plays.push(play)
    return play
  }

  /** What a venue's makers believe: plays they have not noticed yet are missing. */
  fairE4(venue: Venue, atMs: number): number {
    let unseen = 0
    for (let i = this.game.plays.length - 1; i >= 0; i -= 1) {
      const play = this.game.plays[i] as Play
      if (atMs - play.atMs > 10_000) break
      if (play.seenAtMs[venue] > atMs) unseen += play.moveE4
    }
    return clamp(this.fair - unseen, 150, 9850)
  }

  private openPlay(atMs: number): Play {
    const { prng } = this
    this.nextPlayMs = atMs + prng.range(8000, 14_000)
    const size = prng.range(400, 1200)
    const maxLead = MAX_LEAD[this.game.league]
    // Toward the middle more often than away from it, so that the game stays open.
    let up = prng.chance(clamp(0.5 + (5000 - this.fair) / 9000, 0.1, 0.9))
    if (this.fair + size > CEILING_E4 || this.lead >= maxLead) up = false
    if (this.fair - size < FLOOR_E4 || this.lead <= -maxLead) up = true
    return this.play(atMs, up ? 'home' : 'away', this.pointsOf(), up ? size : -size)
  }

  /** Points of an ordinary play; 0 is one that moves the odds alone (a penalty, a turnover). */
  private pointsOf(): number {
    switch (this.game.league) {
      case 'nba':
        return this.prng.chance(0.4) ? 3 : 2
      case 'nhl':
        return this.prng.chance(0.15) ? 1 : 0
      case 'nfl':
        return this.prng.chance(0.3) ? (this.prng.chance(0.5) ? 7 : 3) : 0
    }
  }

  private beginClosing(atMs: number): void {
    this.closing = { winner: this.prng.chance(this.fair / 10_000) ? 'home' : 'away', done: 0 }
    this.nextPlayMs = atMs
  }

  private closingPlay(atMs: number): Play | undefined {
    const closing = this.closing
    const target = closing === undefined ? undefined : CLOSING_FAIR_E4[closing.done]
    if (closing === undefined || target === undefined) return undefined
    closing.done += 1
    this.nextPlayMs = atMs + 2500
    const behind = closing.winner === 'home' ? -this.lead : this.lead
    const left = CLOSING_FAIR_E4.length - closing.done + 1
    const points = behind >= 0 ? Math.ceil((behind + 1) / left) : 0
    const wanted = closing.winner === 'home' ? target : 10_000 - target
    return this.play(atMs, closing.winner, points, wanted - this.fair)
  }

  private play(atMs: number, side: 'home' | 'away', points: number, moveE4: number): Play {
    this.fair += moveE4
    this.lead += side === 'home' ? points : -points
    const slow: Venue = (this.game.plays.length + this.game.index) % 2 === 0 ? 'poly' : 'kalshi'
    const quickAt = atMs + this.prng.range(300, 600)
    const slowAt = atMs + this.prng.range(3000, 5500)
    return {
      atMs,
      side,
      points,
      moveE4,
      text: describe(this.game, side, points),
      seenAtMs: slow === 'poly' ? { kalshi: quickAt, poly: slowAt } : { kalshi: slowAt, poly: quickAt },
    }
  }
}

function describe(game: SimGame, side: 'home' | 'away', points: number): string {
  const { name } = game[side]
  if (points === 0) return game.league === 'nhl' ? `Power play for the ${name}` : `${name} take over on downs`
  const word =
    game.league === 'nhl' ? 'Goal' : game.league === 'nba' ? `${points}-point shot` : `${points} points`
  return `${word} by the ${name}`
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value))
