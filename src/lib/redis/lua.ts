/** A Lua script that runs by its hash and is sent in full when the server does not know it (`NOSCRIPT`). */

import { createHash } from 'node:crypto'
import type { RedisClient } from './connection.js'
import { redisErrorCode } from './errors.js'

export class LuaScript {
  private readonly sha: string

  constructor(private readonly text: string) {
    this.sha = createHash('sha1').update(text).digest('hex')
  }

  /** Runs it once; every key that it touches is in `keys`. Throws what ioredis throws. */
  async run(
    redis: RedisClient,
    keys: readonly string[],
    args: readonly (string | Buffer)[],
  ): Promise<unknown> {
    try {
      return await redis.evalsha(this.sha, keys.length, ...keys, ...args)
    } catch (error) {
      // Nothing has run: the server refused before the first line.
      if (redisErrorCode(error) !== 'NOSCRIPT') throw error
      return await redis.eval(this.text, keys.length, ...keys, ...args)
    }
  }
}
