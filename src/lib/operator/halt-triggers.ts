/** What halts exec from outside, for whoever takes it away: looked at first, and removed only while it is the same. */

import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Settings } from '../core/config.js'
import { haltPath, readIfThere, removeFile } from '../execution/halt-files.js'
import { parseHaltOrder } from '../model/halt.js'
import { connectRedis } from '../redis/connection.js'
import type { RedisClient } from '../redis/connection.js'
import { redisKeys } from '../redis/keys.js'
import { Skipped } from './halt.js'

const REDIS_TIMEOUT_MS = 1_500

/** Something that halts whoever sees it. */
export interface HaltTrigger {
  readonly step: 'file' | 'redis'
  readonly where: string
  /** Why it stands; throws Skipped where it does not. */
  readonly look: () => string
  /** Takes away what stood when it was looked at, and says what that was. */
  readonly remove: () => Promise<string> | string
}

/** The file in a data dir. */
export function fileTrigger(dataDir: string): HaltTrigger {
  const path = haltPath(dataDir)
  /** Changes when somebody writes it anew. */
  const identity = () => {
    const found = statSync(path, { throwIfNoEntry: false })
    return found === undefined ? undefined : `${found.ino} ${found.mtimeMs}`
  }
  const before = identity()
  const why = () => wordsOfOrder(readIfThere(path) ?? '', 'a file without a word')
  return {
    ...{ step: 'file', where: resolve(path) },
    look: () => {
      if (before === undefined) throw new Skipped('not there')
      return `stays: ${why()}`
    },
    remove: () => {
      if (before === undefined) throw new Skipped('not there')
      if (identity() !== before) throw new Error('somebody halts again: it stays')
      const words = why()
      removeFile(path)
      return `removed: ${words}`
    },
  }
}

/** The key in Redis, as it stands now. A Redis that cannot be asked is what `look` and `remove` throw. */
export async function keyTrigger(settings: Settings): Promise<HaltTrigger> {
  const key = redisKeys(settings.env).halt()
  const shared = { step: 'redis', where: key } as const
  const withRedis = async <T>(use: (redis: RedisClient) => Promise<T>): Promise<T> => {
    const link = await connectRedis(settings.redis_url, 'arbees-resume', REDIS_TIMEOUT_MS)
    try {
      return await use(link.redis)
    } finally {
      link.close()
    }
  }
  let before: string | null
  try {
    before = await withRedis((redis) => redis.get(key))
  } catch (error) {
    const fail = () => {
      throw error
    }
    return { ...shared, look: fail, remove: fail }
  }
  const words = before === null ? '' : wordsOfOrder(before, 'a key without a word')
  return {
    ...shared,
    look: () => {
      if (before === null) throw new Skipped('not set')
      return `stays: ${words}`
    },
    remove: async () => {
      if (before === null) throw new Skipped('not set')
      return await withRedis(async (redis) => {
        // What is set after this look fails the transaction.
        await redis.watch(key)
        const isSame = (await redis.get(key)) === before
        if (!isSame || (await redis.multi().del(key).exec()) === null) {
          throw new Error('somebody halts again: it stays')
        }
        return `removed: ${words}`
      })
    },
  }
}

function wordsOfOrder(text: string, fallback: string): string {
  const { level, reason, by } = parseHaltOrder(text, fallback)
  return `halt (${level}) by ${by}: ${reason}`
}
