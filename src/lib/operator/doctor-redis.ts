/** The Redis of the cold path: there, of a kind that arbees works with, and set so that it keeps what it is given. */

import type { Settings } from '../core/config.js'
import { ArbeesError, messageOf } from '../core/errors.js'
import { connectRedis } from '../redis/connection.js'
import type { RedisLink } from '../redis/connection.js'
import { redisErrorCode } from '../redis/errors.js'
import { redisKeys } from '../redis/keys.js'
import { failed, ok, skipped, warning } from './doctor-report.js'
import type { DoctorCheck } from './doctor-report.js'

const TIMEOUT_MS = 1_500

export async function checkRedisServer(settings: Settings): Promise<DoctorCheck[]> {
  let link: RedisLink
  try {
    link = await connectRedis(settings.redis_url, 'arbees-doctor', TIMEOUT_MS)
  } catch (error) {
    const mend = error instanceof ArbeesError ? error.hint : undefined
    return [failed('redis', messageOf(error), mend ?? 'set redis_url')]
  }
  try {
    const { version, refusesWrites, evicts, isReadOnly } = await link.ready()
    const at = `${version} at ${link.shownUrl}`
    const server =
      refusesWrites === undefined
        ? ok('redis', at)
        : failed(
            'redis',
            `${at} takes no write: ${refusesWrites}`,
            isReadOnly ? 'name its master in redis_url' : 'mend it: the mirror catches up by itself',
          )
    return [server, evictionCheck(evicts), await persistenceCheck(link), await rightsCheck(link, settings)]
  } finally {
    link.close()
  }
}

const evictionCheck = (evicts: string | undefined): DoctorCheck =>
  evicts === undefined
    ? ok('redis eviction', 'it throws nothing of ours away')
    : failed(
        'redis eviction',
        `maxmemory-policy ${evicts} may throw away a stream whose checkpoint stays`,
        'CONFIG SET maxmemory-policy noeviction',
      )

async function persistenceCheck({ redis }: RedisLink): Promise<DoctorCheck> {
  const name = 'redis persistence'
  const fields = new Map(
    (await redis.info('persistence')).split('\r\n').map((line) => {
      const [key = '', value = ''] = line.split(':')
      return [key, value]
    }),
  )
  return fields.get('aof_enabled') === '1'
    ? ok(name, 'append-only file')
    : warning(
        name,
        'no append-only file: a restart loses what was written since the last save, as far as journals reach back it is pulled again',
        'CONFIG SET appendonly yes',
      )
}

/** What an operator's commands ask first. */
async function rightsCheck({ redis }: RedisLink, { env }: Settings): Promise<DoctorCheck> {
  const keys = redisKeys(env)
  try {
    await redis.xlen(keys.gaps())
    await redis.get(keys.halt())
    return ok('redis rights', 'this user may read what commands ask')
  } catch (error) {
    const code = redisErrorCode(error)
    if (code === 'NOPERM')
      return failed(
        'redis rights',
        'this user may not read our keys',
        'arbees redis acl prints the rights of each',
      )
    return skipped('redis rights', messageOf(error))
  }
}
