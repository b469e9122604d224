/**
 * What went wrong at Redis, as a short stable code that is counted, and a text that is safe to show. ioredis hangs the
 * arguments of the failed command, an AUTH's password too, on its errors: they are never passed on, not as a cause.
 */

import { ArbeesError, EXIT, codeOf, messageOf } from '../core/errors.js'
import type { ArbeesErrorOptions } from '../core/errors.js'

/** A refusal of the server starts with its code: `WRONGTYPE Operation against …`. */
const SERVER_CODE = /^([A-Z][A-Z0-9_]{1,31})\b/

/**
 * `TIMEOUT`, `DISCONNECTED`, the system's code (`ECONNREFUSED`), or the server's own (`WRONGTYPE`, `OOM`, `READONLY`).
 */
export function redisErrorCode(error: unknown): string {
  const message = messageOf(error)
  if (/timed? ?out/i.test(message)) return 'TIMEOUT'
  const system = codeOf(error)
  if (system !== undefined && /^E[A-Z]+$/.test(system)) return system
  if (/Connection is closed|isn't writeable|max retries per request|Command aborted/.test(message)) {
    return 'DISCONNECTED'
  }
  return SERVER_CODE.exec(message)?.[1] ?? 'UNKNOWN'
}

/** The connection is what failed, not the request. */
export const isConnectionCode = (code: string): boolean =>
  code === 'TIMEOUT' || code === 'DISCONNECTED' || code === 'LOADING' || /^E[A-Z]+$/.test(code)

const AUTHENTICATION = new Set(['NOAUTH', 'WRONGPASS', 'NOPERM'])
const START_HINT =
  'start one with `redis-server`, install one with `apt-get install redis-server`, or set redis_url'

/** An error of ours about the Redis at `shownUrl` (already without its password). */
export function redisError(shownUrl: string, error: unknown): ArbeesError {
  if (error instanceof ArbeesError) return error
  const code = redisErrorCode(error)
  if (AUTHENTICATION.has(code)) {
    return new ArbeesError('REDIS_AUTH', `Redis at ${shownUrl} refuses us: ${code}`, {
      exit: EXIT.CONFIG,
      hint: 'put user and password into redis_url, best through ARBEES_REDIS_URL',
    })
  }
  if (isConnectionCode(code)) {
    const options: ArbeesErrorOptions = { exit: EXIT.UNREACHABLE, hint: START_HINT }
    return new ArbeesError('REDIS_UNREACHABLE', `no Redis answers at ${shownUrl}: ${code}`, options)
  }
  return new ArbeesError(`REDIS_${code}`, `Redis at ${shownUrl}: ${messageOf(error)}`)
}
