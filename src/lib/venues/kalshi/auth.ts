/**
 * Kalshi request signing: `timestamp + METHOD + path`, RSA-PSS or Ed25519 by the key's own type.
 *
 * The path includes `/trade-api/v2` and excludes host and query; the body is not signed. The venue takes clocks
 * within about 5 s, so a request is signed when it is sent, never when it is queued.
 */

import { constants, createPrivateKey, sign, type KeyObject } from 'node:crypto'
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'

import { ArbeesError, codeOf, EXIT } from '../../core/errors.js'
import { sanitize } from '../../core/sanitize.js'

export interface KalshiCredentials {
  /** The API key's id; no secret. */
  readonly keyId: string
  readonly privateKey: KeyObject
}

/** Headers of one private call. */
export interface KalshiAuthHeaders {
  readonly 'KALSHI-ACCESS-KEY': string
  readonly 'KALSHI-ACCESS-TIMESTAMP': string
  readonly 'KALSHI-ACCESS-SIGNATURE': string
}

const KEY_ID = /^[\x21-\x7e]{1,128}$/
/** An RSA-2048 signature takes about 0.3 ms, an RSA-4096 one about 5 ms. */
const FAST_RSA_BITS = 2048

/**
 * Reads a private key from a file: PEM, or the bare base64 of a PKCS#8 document as the venue hands out Ed25519 keys.
 * Throws `KEY_ID`, `KEY_FILE`, `KEY_FILE_MODE` or `KEY_TYPE` (exit CONFIG); no message contains any part of the key.
 */
export function loadKalshiCredentials(options: {
  readonly keyId: string
  readonly keyFile: string
}): KalshiCredentials {
  const keyId = options.keyId.trim()
  if (!KEY_ID.test(keyId)) {
    throw new ArbeesError('KEY_ID', `not a Kalshi key id: '${sanitize(keyId, 40)}'`, {
      exit: EXIT.CONFIG,
      hint: 'copy the id (a UUID) from the API keys page of the account',
    })
  }
  const privateKey = parsePrivateKey(readKeyFile(options.keyFile), options.keyFile)
  return { keyId, privateKey }
}

/** What an operator should know about a key before it stands on the order path; undefined when there is nothing. */
export function keyWarning({ privateKey }: KalshiCredentials): string | undefined {
  const bits = privateKey.asymmetricKeyDetails?.modulusLength
  if (bits === undefined || bits <= FAST_RSA_BITS) return undefined
  const ms = signatureMs(privateKey).toFixed(1)
  return `the Kalshi key is RSA-${bits}: each signature takes ${ms} ms on this machine; use RSA-${FAST_RSA_BITS} or Ed25519`
}

/** What a signature takes here, ms: the median of a few, after one to warm up. */
function signatureMs(key: KeyObject): number {
  const text = Buffer.from('1769500000000POST/trade-api/v2/portfolio/events/orders')
  signText(key, text)
  const taken = Array.from({ length: 5 }, () => {
    const startedMs = performance.now()
    signText(key, text)
    return performance.now() - startedMs
  })
  return taken.sort((a, b) => a - b)[2] ?? 0
}

/** Headers for `method path` at `timestampMs` (Unix ms, our wall clock); a query string is cut from the path. */
export function signRequest(
  { keyId, privateKey }: KalshiCredentials,
  request: { readonly timestampMs: number; readonly method: string; readonly path: string },
): KalshiAuthHeaders {
  const timestamp = String(request.timestampMs)
  const query = request.path.indexOf('?')
  const path = query === -1 ? request.path : request.path.slice(0, query)
  const text = Buffer.from(`${timestamp}${request.method.toUpperCase()}${path}`)
  return {
    'KALSHI-ACCESS-KEY': keyId,
    'KALSHI-ACCESS-TIMESTAMP': timestamp,
    'KALSHI-ACCESS-SIGNATURE': signText(privateKey, text).toString('base64'),
  }
}

function signText(key: KeyObject, text: Buffer): Buffer {
  if (key.asymmetricKeyType === 'ed25519') return sign(null, text, key)
  return sign('sha256', text, {
    key,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  })
}

function readKeyFile(file: string): string {
  const shown = sanitize(file)
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch (error) {
    throw new ArbeesError(
      'KEY_FILE',
      `cannot read the Kalshi key file ${shown} (${codeOf(error) ?? 'error'})`,
      {
        exit: EXIT.CONFIG,
        hint: 'name the file that holds the private key of this key id',
      },
    )
  }
  try {
    const stat = fstatSync(descriptor)
    if (!stat.isFile()) {
      throw new ArbeesError('KEY_FILE', `the Kalshi key file ${shown} is not a file`, { exit: EXIT.CONFIG })
    }
    if ((stat.mode & 0o077) !== 0) {
      const mode = (stat.mode & 0o777).toString(8).padStart(4, '0')
      throw new ArbeesError(
        'KEY_FILE_MODE',
        `the Kalshi key file ${shown} has mode ${mode}, wider than 0600`,
        {
          exit: EXIT.CONFIG,
          hint: `chmod 600 ${shown}`,
        },
      )
    }
    return readFileSync(descriptor, 'utf8')
  } finally {
    closeSync(descriptor)
  }
}

function parsePrivateKey(text: string, file: string): KeyObject {
  let key: KeyObject
  try {
    key = text.includes('-----BEGIN')
      ? createPrivateKey(text)
      : createPrivateKey({
          key: Buffer.from(text.replace(/\s+/g, ''), 'base64'),
          format: 'der',
          type: 'pkcs8',
        })
  } catch {
    throw new ArbeesError('KEY_FILE', `${sanitize(file)} holds no private key that can be read`, {
      exit: EXIT.CONFIG,
      hint: 'it must be an unencrypted PEM, or the bare base64 of a PKCS#8 key',
    })
  }
  const type = key.asymmetricKeyType
  if (type !== 'rsa' && type !== 'ed25519') {
    throw new ArbeesError('KEY_TYPE', `${sanitize(file)} holds a key of type ${type ?? 'unknown'}`, {
      exit: EXIT.CONFIG,
      hint: 'Kalshi takes RSA and Ed25519 keys',
    })
  }
  return key
}
