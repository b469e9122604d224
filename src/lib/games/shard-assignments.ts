/**
 * The shard of each game, and its moves. A move is announced ahead: from the moment that it names on quotes are the new
 * shard's, by the time that their publisher gave them, so that both shards draw the line between the same two messages
 * and neither reads a clock. Pure.
 *
 * A shard decides on a quote only when it has the orchestrator's word that is at most `LEASE_MS` older than the quote;
 * whatever is announced takes effect later than that. So a shard that has not heard of a move does not decide on what
 * the move gave away, however late it hears, and whatever its own clock says.
 */

import { LEASE_MS } from '../model/handover.js'
import type { GameState, League } from '../model/game.js'
import { shardOf } from './assignment.js'

/** From the announcement of a move until it is done; the rest of it is for a clock that is read here and there. */
const LEAD_MS = LEASE_MS + 500
/** So long a move that is done is still told, for shards that join. */
const TOLD_MS = 60_000

export type Assignment = Pick<GameState, 'shard' | 'handover'>

interface GameId {
  readonly league: League
  readonly gameId: string
}

const keyOf = ({ league, gameId }: GameId): string => `${league} ${gameId}`

export class ShardAssignments {
  /** Games that were given from one shard to another. */
  moves = 0
  private games = new Map<string, Assignment>()
  private able: readonly number[]
  private closed: (shard: number) => boolean = () => false
  /** The latest time that was said: a clock that steps back moves nothing into the past. */
  private latestMs = 0
  private waiting = false

  constructor(private readonly shards: number) {
    this.able = Array.from({ length: shards }, (_, index) => index)
  }

  /** Who can trade from now on; with nobody left the games stay where they are. */
  setAble(able: readonly number[], closed: (shard: number) => boolean): void {
    if (able.length > 0) this.able = able
    this.closed = closed
  }

  /** Moves what has to move, of all `games` that there are, and says whose each is; `wallMs`: our clock. */
  assign<T extends GameId>(games: readonly T[], wallMs: number): (T & Assignment)[] {
    this.latestMs = Math.max(this.latestMs, wallMs)
    const before = this.games
    this.games = new Map()
    this.waiting = false
    return games.map((game) => {
      const assignment = this.next(game, before.get(keyOf(game)))
      this.games.set(keyOf(game), assignment)
      return { ...game, ...assignment }
    })
  }

  /** A game is not where it belongs yet, because the move before is not done. */
  get isWaiting(): boolean {
    return this.waiting
  }

  private next(game: GameId, known: Assignment | undefined): Assignment {
    if (this.shards === 1) return { shard: 0 }
    const nowMs = this.latestMs
    const shard = shardOf(game, this.able)
    // Whose it was before this life of ours is not known here; the shards know.
    if (known === undefined) return { shard, handover: { from: shard, atMs: nowMs + LEAD_MS } }
    const { handover } = known
    // One move at a time: a shard that joins hears of the last one alone.
    const isSettled = handover === undefined || nowMs >= handover.atMs
    if (shard === known.shard || !isSettled) {
      this.waiting ||= shard !== known.shard
      const isOld = handover !== undefined && nowMs - handover.atMs > TOLD_MS
      return isOld ? { shard: known.shard } : known
    }
    this.moves++
    const leadMs = this.closed(known.shard) ? 0 : LEAD_MS
    return { shard, handover: { from: known.shard, atMs: nowMs + leadMs } }
  }
}
