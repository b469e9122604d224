/**
 * What went wrong at Redis, as a short stable code that is counted, and a text that is safe to show. ioredis hangs the
 * arguments of the failed command, an AUTH's password too, on its errors: they are never passed on, not as a cause.
 */

import { ArbeesError, EXIT, codeOf, messageOf } from '../core/errors.js'

/** A refusal of the server starts with its code: `WRONGTYPE Operation against …`. */
const SERVER_CODE = /^([A-Z][A-Z0-9_]{1,31})\b/
/** ioredis speaks for all Sentinels at once, and ends with what the last of them came to. */
const SENTINELS = /^All sentinels are unreachable\b.*?(?:Last error: (.*))?$/s

/**
 * `TIMEOUT`, `DISCONNECTED`, the system's code (`ECONNREFUSED`, `CERT_HAS_EXPIRED`), or the server's own (`WRONGTYPE`,
 * `OOM`, `READONLY`).
 */
export function redisErrorCode(error: unknown): string {
  const message = messageOf(error)
  if (/timed? ?out/i.test(message)) return 'TIMEOUT'
  const system = codeOf(error)
  if (system !== undefined && /^[A-Z][A-Z0-9_]+$/.test(system)) return system
  if (/Connection is closed|isn't writeable|max retries per request|Command aborted/.test(message)) {
    return 'DISCONNECTED'
  }
  return SERVER_CODE.exec(message)?.[1] ?? 'UNKNOWN'
}

const isTlsCode = (code: string): boolean => /CERT|SIGNATURE|^ERR_(SSL|TLS)|^EPROTO$/.test(code)

/** The connection is what failed, not the request. */
export const isConnectionCode = (code: string): boolean =>
  code === 'TIMEOUT' || code === 'DISCONNECTED' || code === 'LOADING' || /^E[A-Z]+$/.test(code)

const AUTHENTICATION = new Set(['NOAUTH', 'WRONGPASS'])
const CLUSTER = new Set(['MOVED', 'ASK', 'CLUSTERDOWN', 'CROSSSLOT'])
const START_HINT =
  'start one with `redis-server`, install one with `apt-get install redis-server`, or set redis_url'

const TLS_PORT_HINT = 'is it up, and is this its TLS port? redis:// is for a plain one'

/** An error of ours about the Redis at `shownUrl` (already without its password). */
export function redisError(shownUrl: string, error: unknown): ArbeesError {
  if (error instanceof ArbeesError) return error
  const sentinels = SENTINELS.exec(messageOf(error))
  return sentinels === null
    ? serverError(shownUrl, redisErrorCode(error), messageOf(error))
    : sentinelError(shownUrl, sentinels[1] ?? 'none of them knows the master')
}

function serverError(shownUrl: string, code: string, message: string): ArbeesError {
  const config = { exit: EXIT.CONFIG }
  if (AUTHENTICATION.has(code)) {
    return new ArbeesError('REDIS_AUTH', `Redis at ${shownUrl} refuses us: ${code}`, {
      ...config,
      hint: 'put user and password into redis_url, best through ARBEES_REDIS_URL',
    })
  }
  if (code === 'NOPERM') {
    return new ArbeesError('REDIS_AUTH', `Redis at ${shownUrl} refuses us: ${message}`, {
      ...config,
      hint: '`arbees redis acl` prints what the user of each role must be allowed',
    })
  }
  if (CLUSTER.has(code)) return clusterError(shownUrl)
  if (isTlsCode(code)) {
    return new ArbeesError('REDIS_TLS', `no TLS with Redis at ${shownUrl}: ${code}`, {
      ...config,
      hint: 'rediss:// wants a TLS port; ?cacert=FILE names its authority, &cert=FILE&key=FILE who we are',
    })
  }
  if (isConnectionCode(code)) {
    return new ArbeesError('REDIS_UNREACHABLE', `no Redis answers at ${shownUrl}: ${code}`, {
      exit: EXIT.UNREACHABLE,
      hint: shownUrl.startsWith('rediss') ? TLS_PORT_HINT : START_HINT,
    })
  }
  return new ArbeesError(`REDIS_${code}`, `Redis at ${shownUrl}: ${message}`)
}

export const clusterError = (shownUrl: string): ArbeesError =>
  new ArbeesError('REDIS_CLUSTER', `Redis at ${shownUrl} is a Cluster node`, {
    exit: EXIT.CONFIG,
    hint: 'use a standalone Redis, or Sentinel: a checkpoint must live with its data',
  })

const SENTINEL_HINT =
  'are the Sentinels up, and is the name behind the / the one in their `sentinel monitor` line?'

/** Sentinels come and go: waiting may mend all but a wrong password. */
function sentinelError(shownUrl: string, last: string): ArbeesError {
  const code = redisErrorCode(new Error(last))
  if (AUTHENTICATION.has(code) || code === 'NOPERM') {
    return new ArbeesError('REDIS_AUTH', `the Sentinels of ${shownUrl} refuse us: ${code}`, {
      exit: EXIT.CONFIG,
      hint: 'sentinel_auth=same behind the ? of redis_url gives them its user and password',
    })
  }
  return new ArbeesError('NO_REDIS_MASTER', `no Sentinel of ${shownUrl} names a master: ${last}`, {
    exit: EXIT.UNREACHABLE,
    hint: shownUrl.startsWith('rediss') ? `${SENTINEL_HINT} Are these their TLS ports?` : SENTINEL_HINT,
  })
}
