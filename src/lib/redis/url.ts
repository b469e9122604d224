/** `redis://[user[:password]@]host[:port][/db]`, or `rediss://` for TLS. */

import { ArbeesError, EXIT } from '../core/errors.js'

export interface RedisAddress {
  readonly host: string
  readonly port: number
  readonly username?: string
  readonly password?: string
  readonly db: number
  readonly tls: boolean
  /** The same place without its password: what may be shown. */
  readonly shown: string
}

/** Throws `BAD_REDIS_URL` (exit 4), whose text repeats nothing of the URL. */
export function parseRedisUrl(url: string): RedisAddress {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const db = parsed === undefined ? undefined : /^\/?(\d{0,4})$/.exec(parsed.pathname)?.[1]
  const scheme = parsed?.protocol
  if (
    parsed === undefined ||
    db === undefined ||
    parsed.hostname === '' ||
    !(scheme === 'redis:' || scheme === 'rediss:')
  ) {
    throw new ArbeesError('BAD_REDIS_URL', 'redis_url is not redis://[user:password@]host[:port][/db]', {
      exit: EXIT.CONFIG,
      hint: 'rediss:// for TLS; reserved characters of a password are written as %XX',
    })
  }
  return {
    host: parsed.hostname.replace(/^\[|\]$/g, ''),
    port: parsed.port === '' ? 6379 : Number(parsed.port),
    ...(parsed.username === '' ? {} : { username: decode(parsed.username) }),
    ...(parsed.password === '' ? {} : { password: decode(parsed.password) }),
    db: Number(db),
    tls: scheme === 'rediss:',
    shown: `${scheme}//${parsed.hostname}:${parsed.port || '6379'}${db === '' ? '' : `/${db}`}`,
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
