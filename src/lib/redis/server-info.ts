/** What a server says of itself (`INFO`), judged by what arbees needs. */

import { ArbeesError, EXIT } from '../core/errors.js'
import { clusterError } from './errors.js'

export interface RedisServer {
  /** `7.0.15`; of a Valkey its own version. */
  readonly version: string
  /** New at every start of the server. */
  readonly runId: string
  readonly pid: number
  /** It refuses writes: a replica. */
  readonly isReadOnly: boolean
  /** Its policy, where it may throw away a stream to make room; the checkpoint beside it would still claim its entries. */
  readonly evicts: string | undefined
  /** Why it takes no write at this moment, in words that begin with its code; undefined where nothing says so. */
  readonly refusesWrites: string | undefined
}

const OLDEST_MAJOR = 6

/** Throws `REDIS_CLUSTER`, `REDIS_TOO_OLD` and `REDIS_IS_SENTINEL` (exit 4). */
export function readServerInfo(info: string, shownUrl: string): RedisServer {
  const fields = new Map(
    info.split('\r\n').map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1)]
    }),
  )
  const field = (name: string) => fields.get(name) ?? ''
  const version = field('redis_version')
  if (field('redis_mode') === 'cluster' || field('cluster_enabled') === '1') throw clusterError(shownUrl)
  if (field('redis_mode') === 'sentinel') {
    throw new ArbeesError('REDIS_IS_SENTINEL', `who answers at ${shownUrl} is a Sentinel, not a Redis`, {
      exit: EXIT.CONFIG,
      hint: 'redis+sentinel://host[:port],host[:port]/name-of-the-master',
    })
  }
  if (Number(version.split('.')[0]) < OLDEST_MAJOR || version === '') {
    throw new ArbeesError(
      'REDIS_TOO_OLD',
      `Redis at ${shownUrl} is ${version === '' ? 'of unknown version' : version}`,
      { exit: EXIT.CONFIG, hint: `use Redis ${OLDEST_MAJOR} or newer` },
    )
  }
  const policy = field('maxmemory_policy')
  const isReadOnly = field('role') === 'slave' && field('slave_read_only') !== '0'
  return {
    version: fields.get('valkey_version') ?? version,
    runId: field('run_id'),
    pid: Number(field('process_id')),
    isReadOnly,
    evicts: field('maxmemory') !== '0' && policy.startsWith('allkeys-') ? policy : undefined,
    refusesWrites: isReadOnly ? 'READONLY: it is a replica' : writeRefusal(field),
  }
}

function writeRefusal(field: (name: string) => string): string | undefined {
  const [used, most] = [Number(field('used_memory')), Number(field('maxmemory'))]
  if (most > 0 && used > most && field('maxmemory_policy') === 'noeviction') {
    return `OOM: it uses ${used} of ${most} bytes (maxmemory)`
  }
  if (field('aof_last_write_status') === 'err') return 'MISCONF: it cannot write its append-only file'
  if (field('rdb_last_bgsave_status') === 'err') {
    return 'MISCONF: its last save failed, and stop-writes-on-bgsave-error may be on'
  }
  return undefined
}
