/** How far Redis is on some channels. */

import type { Position } from '../bus/position.js'
import type { RedisClient } from '../redis/connection.js'
import type { RedisKeys } from '../redis/keys.js'

/** By source, those that have a checkpoint; undefined when Redis does not answer. Never throws. */
export async function readCheckpoints(
  redis: RedisClient,
  keys: RedisKeys,
  sources: readonly string[],
): Promise<ReadonlyMap<string, Position> | undefined> {
  const pipeline = redis.pipeline()
  for (const source of sources) pipeline.hmget(keys.checkpoint(source), 'epoch', 'seq')
  const replies = await pipeline.exec().catch(() => null)
  if (replies === null || replies.some(([error]) => error !== null)) return undefined
  const checkpoints = new Map<string, Position>()
  sources.forEach((source, i) => {
    const position = positionFrom(replies[i]?.[1])
    if (position !== undefined) checkpoints.set(source, position)
  })
  return checkpoints
}

function positionFrom(fields: unknown): Position | undefined {
  if (!Array.isArray(fields)) return undefined
  const [epoch, seq] = fields.map((text) => (typeof text === 'string' ? Number(text) : NaN))
  if (!Number.isSafeInteger(epoch) || !Number.isSafeInteger(seq)) return undefined
  return { epoch: Number(epoch), seq: Number(seq) }
}
