/** Which shard trades a game: rendezvous hashing, so that a changed number of shards moves as few games as it can. */

import { hashId } from '../core/ids.js'
import type { League } from '../model/game.js'

/** The shard, 0 to `shards` - 1, whose hash with the game is the highest. */
export function shardOf(game: { readonly league: League; readonly gameId: string }, shards: number): number {
  let best = 0
  let bestHash = ''
  for (let shard = 0; shard < shards; shard++) {
    const hash = hashId(['arbees:shard:v1', game.league, game.gameId, shard])
    if (hash > bestHash) {
      best = shard
      bestHash = hash
    }
  }
  return best
}
