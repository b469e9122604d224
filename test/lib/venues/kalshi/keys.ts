/** Keys for tests, and the venue's side of a signature, written apart from the client's. */

import { constants, createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { KalshiCredentials } from '../../../../src/lib/venues/kalshi/auth.js'

export const KEY_ID = 'a952bcbe-ec3b-4b5b-b8f9-11dae589608c'

export function rsaCredentials(modulusLength = 2048): KalshiCredentials {
  return { keyId: KEY_ID, privateKey: generateKeyPairSync('rsa', { modulusLength }).privateKey }
}

export function ed25519Credentials(): KalshiCredentials {
  return { keyId: KEY_ID, privateKey: generateKeyPairSync('ed25519').privateKey }
}

export type SignatureVerdict = 'ok' | 'missing' | 'unknown_key' | 'expired' | 'bad_signature'

/** What the venue checks: key id, time window, and the signature over timestamp + method + path without the query. */
export function checkSignature(
  headers: IncomingHttpHeaders,
  request: {
    readonly method: string
    readonly url: string
    readonly nowMs: number
    readonly privateKey: KeyObject
  },
): SignatureVerdict {
  const [key, timestamp, signature] = ['key', 'timestamp', 'signature'].map(
    (name) => headers[`kalshi-access-${name}`],
  )
  if (typeof key !== 'string' || typeof timestamp !== 'string' || typeof signature !== 'string')
    return 'missing'
  if (key !== KEY_ID) return 'unknown_key'
  if (!/^\d{13}$/.test(timestamp) || Math.abs(request.nowMs - Number(timestamp)) > 5000) return 'expired'
  const message = Buffer.from(timestamp + request.method + request.url.split('?')[0]!)
  const publicKey = createPublicKey(request.privateKey)
  const bytes = Buffer.from(signature, 'base64')
  const isValid =
    publicKey.asymmetricKeyType === 'ed25519'
      ? verify(null, message, publicKey, bytes)
      : verify(
          'sha256',
          message,
          { key: publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 },
          bytes,
        )
  return isValid ? 'ok' : 'bad_signature'
}
