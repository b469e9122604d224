/**
 * What Kalshi checks of every private call: three headers, a signature over timestamp + METHOD + path (query and body
 * are not signed), and a time window.
 */

import { constants, createPublicKey, verify, type KeyObject } from 'node:crypto'
import type { KeyScope, PublicAccounts } from '../accounts.js'
import { kalshiError, type KalshiRefusal } from './errors.js'

/** Older (or newer) than this is refused; about 5 s was seen to pass and 30 s to fail. */
const WINDOW_MS = 10_000

export interface VerifiedKey {
  /** The account's name. */
  readonly account: string
  readonly scope: KeyScope
}

export interface SignedRequest {
  readonly key: string | undefined
  readonly timestamp: string | undefined
  readonly signature: string | undefined
  readonly method: string
  /** Without the query. */
  readonly path: string
}

interface KnownKey extends VerifiedKey {
  readonly publicKey: KeyObject
}

export class KalshiVerifier {
  private readonly keys = new Map<string, KnownKey>()

  constructor(accounts: PublicAccounts['kalshi']) {
    for (const { key_id: keyId, account, scope, public_key: pem } of accounts.keys) {
      this.keys.set(keyId, { account, scope, publicKey: createPublicKey(pem) })
    }
  }

  /** The key that signed, or the refusal the venue answers with. */
  verify(request: SignedRequest, nowMs: number): VerifiedKey | KalshiRefusal {
    const { key, timestamp, signature, method, path } = request
    if (!key || !timestamp || !signature) {
      return kalshiError(401, 'signature_is_missing_from_headers', 'signature is missing from headers')
    }
    if (!/^\d{1,15}$/.test(timestamp) || Math.abs(nowMs - Number(timestamp)) > WINDOW_MS) {
      return kalshiError(401, 'header_timestamp_expired', 'header timestamp expired')
    }
    const known = this.keys.get(key)
    if (known === undefined) {
      return kalshiError(401, 'authentication_error', 'authentication_error', { details: 'NOT_FOUND' })
    }
    if (!isSignedBy(known.publicKey, `${timestamp}${method}${path}`, signature)) {
      return kalshiError(401, 'authentication_error', 'authentication_error', {
        details: 'INCORRECT_API_KEY_SIGNATURE',
      })
    }
    return { account: known.account, scope: known.scope }
  }
}

function isSignedBy(publicKey: KeyObject, text: string, signature: string): boolean {
  if (signature.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(signature)) return false
  const bytes = Buffer.from(signature, 'base64')
  const data = Buffer.from(text)
  try {
    if (publicKey.asymmetricKeyType === 'ed25519') return verify(null, data, publicKey, bytes)
    const key = { key: publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
    return verify('sha256', data, key, bytes)
  } catch {
    return false
  }
}
