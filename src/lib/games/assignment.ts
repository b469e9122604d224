/**
 * Which shard trades a game: rendezvous hashing among the shards that can, so that one that goes or comes moves as few
 * games as it can.
 */

import { hashId } from '../core/ids.js'
import type { League } from '../model/game.js'

/** The shard, of `shards` (at least one), whose hash with the game is the highest. */
export function shardOf(
  game: { readonly league: League; readonly gameId: string },
  shards: Iterable<number>,
): number {
  let best = 0
  let bestHash = ''
  for (const shard of shards) {
    const hash = hashId(['arbees:shard:v1', game.league, game.gameId, shard])
    if (hash > bestHash) {
      best = shard
      bestHash = hash
    }
  }
  return best
}
