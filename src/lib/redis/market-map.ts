/** Which game a market pays on: written by the orchestrator, again whenever Redis comes back empty. */

import type { Env } from '../model/venue.js'
import type { RedisClient } from './connection.js'
import { redisKeys } from './keys.js'

const KEPT_S = 7 * 24 * 3600
const CHUNK = 500

export interface MarketGame {
  readonly marketId: string
  readonly gameId: string
}

/** Writes every entry, kept for 7 days. Throws the first error that Redis gives. */
export async function setMarketGames(
  redis: RedisClient,
  env: Env,
  entries: readonly MarketGame[],
): Promise<void> {
  const keys = redisKeys(env)
  for (let start = 0; start < entries.length; start += CHUNK) {
    const pipeline = redis.pipeline()
    for (const { marketId, gameId } of entries.slice(start, start + CHUNK)) {
      pipeline.set(keys.marketGame(marketId), gameId, 'EX', KEPT_S)
    }
    const replies = (await pipeline.exec()) ?? []
    for (const [error] of replies) {
      if (error !== null) throw error
    }
  }
}

/** The game of a market, or undefined. */
export async function readMarketGame(
  redis: RedisClient,
  env: Env,
  marketId: string,
): Promise<string | undefined> {
  return (await redis.get(redisKeys(env).marketGame(marketId))) ?? undefined
}
