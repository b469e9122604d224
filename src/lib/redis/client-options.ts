/** How ioredis is told where a Redis is: one server, or the master that some Sentinels name; plain or TLS. */

import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { SecureContextOptions } from 'node:tls'
import type { RedisOptions } from 'ioredis'
import { ArbeesError, EXIT, messageOf } from '../core/errors.js'
import type { RedisAddress, TlsFiles } from './url.js'

/** What ioredis's constructor takes of its own options. */
export type ClientOptions = Omit<RedisOptions, 'replyMapping'>

/** Between two rounds of Sentinels that do not answer. */
const SENTINEL_RETRY_MS = 100
const SENTINEL_TIMEOUT_MS = 1_000
const OTHERS = 0o077

/** Reads the files that the address names. Throws `BAD_REDIS_TLS`, `OPEN_SECRET` (exit 4). */
export function placeOptions(address: RedisAddress): ClientOptions {
  const { username, password, db } = address
  const tls = address.tls === undefined ? undefined : readTlsFiles(address.tls)
  return {
    db,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
    ...(address.kind === 'server'
      ? { host: address.host, port: address.port }
      : {
          sentinels: [...address.sentinels],
          name: address.name,
          ...(tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: tls }),
          ...(address.sameLogin && username !== undefined ? { sentinelUsername: username } : {}),
          ...(address.sameLogin && password !== undefined ? { sentinelPassword: password } : {}),
          /** One that hangs is passed over. */
          sentinelCommandTimeout: SENTINEL_TIMEOUT_MS,
          sentinelRetryStrategy: () => SENTINEL_RETRY_MS,
        }),
  }
}

/** Node takes a CA file that holds none without a word, and ioredis gives up for good on what Node does not take. */
function readTlsFiles({ ca, cert, key }: TlsFiles): SecureContextOptions {
  if (key !== undefined) assertPrivate(key)
  const files: SecureContextOptions = {
    ...(ca === undefined ? {} : { ca: readPem('cacert', ca, (pem) => new X509Certificate(pem)) }),
    ...(cert === undefined ? {} : { cert: readPem('cert', cert, (pem) => new X509Certificate(pem)) }),
    ...(key === undefined ? {} : { key: readPem('key', key, (pem) => createSecureContext({ key: pem })) }),
  }
  try {
    createSecureContext(files)
  } catch (error) {
    throw badFile(`cert and key of redis_url do not fit: ${messageOf(error)}`)
  }
  return files
}

function readPem(name: string, path: string, check: (pem: Buffer) => unknown): Buffer {
  try {
    const pem = readFileSync(path)
    check(pem)
    return pem
  } catch (error) {
    throw badFile(`${name} of redis_url, ${path}, cannot be used: ${messageOf(error)}`)
  }
}

function assertPrivate(path: string): void {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0
  if ((mode & OTHERS) === 0) return
  throw new ArbeesError('OPEN_SECRET', `${path} can be read by others`, {
    exit: EXIT.CONFIG,
    hint: `chmod 600 ${path}`,
  })
}

const badFile = (text: string): ArbeesError =>
  new ArbeesError('BAD_REDIS_TLS', text, {
    exit: EXIT.CONFIG,
    hint: 'PEM files, as redis-cli takes them by --cacert, --cert and --key',
  })
