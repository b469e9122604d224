/** L2 headers: HMAC-SHA256 over timestamp + METHOD + path (no query) + the exact body, keyed with the API secret. */

import { createHmac, timingSafeEqual } from 'node:crypto'
import type { ApiKeys } from './api-keys.js'
import { unauthorized, type PolyRefusal } from './errors.js'

const WINDOW_S = 30

export interface L2Request {
  /** A header by its name; undefined when absent. */
  readonly header: (name: string) => string | undefined
  readonly method: string
  readonly path: string
  readonly body: string
}

/** Undefined when the request is the account's own, else the refusal. */
export function refuseL2(
  { header, method, path, body }: L2Request,
  account: { readonly keys: ApiKeys; readonly wallet: string },
  nowMs: number,
): PolyRefusal | undefined {
  const timestamp = header('POLY_TIMESTAMP')
  const signature = header('POLY_SIGNATURE')
  const address = header('POLY_ADDRESS')
  const apiKey = header('POLY_API_KEY')
  const passphrase = header('POLY_PASSPHRASE')
  if (!timestamp || !signature || !address || !apiKey || !passphrase) return unauthorized('missing_headers')
  const key = account.keys.find(apiKey)
  if (key === undefined || passphrase !== key.passphrase) return unauthorized('invalid_api_key')
  if (address.toLowerCase() !== account.wallet) return unauthorized('invalid_address')
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(nowMs / 1000 - Number(timestamp)) > WINDOW_S) {
    return unauthorized('timestamp_expired')
  }
  const expected = createHmac('sha256', Buffer.from(key.secret, 'base64'))
    .update(`${timestamp}${method}${path}${body}`)
    .digest('base64')
    .replaceAll('+', '-')
    .replaceAll('/', '_')
  const given = Buffer.from(signature)
  const wanted = Buffer.from(expected)
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return unauthorized('invalid_hmac')
  return undefined
}
