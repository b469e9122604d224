/**
 * API credentials for a wallet's key: what the venue has for it already, else new ones. Both are asked for with L1
 * headers, and a request that may have been taken is not repeated: whoever asks again gets the same.
 */

import type { Clock } from '../../core/clock.js'
import { ArbeesError, EXIT } from '../../core/errors.js'
import { sanitize } from '../../core/sanitize.js'
import { l1Headers, type ApiCredentials } from './auth.js'
import { parseJson, VenueHttp, type HttpResult } from './http.js'
import { errorText } from './rest.js'

const TIMEOUT_MS = 10_000

export interface ObtainedCredentials extends ApiCredentials {
  readonly how: 'derived' | 'created'
}

export interface ObtainOptions {
  readonly restUrl: string
  readonly privateKey: Uint8Array
  /** Its wall clock dates the proof. */
  readonly clock: Clock
}

/**
 * Throws `VENUE_UNREACHABLE`, `VENUE_BAD_ANSWER` (exit UNREACHABLE), or `API_KEY_REFUSED` (exit CONFIG); no message quotes
 * an answer that holds a secret.
 */
export async function obtainApiCredentials(options: ObtainOptions): Promise<ObtainedCredentials> {
  const http = new VenueHttp(options.restUrl, { connections: 1 })
  const ask = async (method: 'GET' | 'POST', path: string) => {
    const headers = l1Headers(options.privateKey, options.clock.nowMs())
    const result = await http.send({ method, path, headers, timeoutMs: TIMEOUT_MS })
    return readAnswer(result, `${method} ${options.restUrl}${path}`)
  }
  try {
    const derived = await ask('GET', '/auth/derive-api-key')
    if (derived.kind === 'credentials') return { ...derived.credentials, how: 'derived' }
    const created = await ask('POST', '/auth/api-key')
    if (created.kind === 'credentials') return { ...created.credentials, how: 'created' }
    throw refused(created.message)
  } finally {
    await http.close()
  }
}

type Answer =
  | { readonly kind: 'credentials'; readonly credentials: ApiCredentials }
  | { readonly kind: 'none'; readonly message: string }

/** 400 and 404 say that there are none; a proof that is not believed is no reason to ask on. */
function readAnswer(result: HttpResult, what: string): Answer {
  if (result.kind === 'failed') {
    throw new ArbeesError('VENUE_UNREACHABLE', `${what}: ${result.message}`, {
      exit: EXIT.UNREACHABLE,
      hint: 'check the CLOB address in the configuration and the network',
    })
  }
  const { status, text } = result
  if (status === 200) {
    const credentials = credentialsOf(parseJson(text))
    if (credentials !== undefined) return { kind: 'credentials', credentials }
    throw new ArbeesError('VENUE_BAD_ANSWER', `${what}: the answer is not {apiKey, secret, passphrase}`, {
      exit: EXIT.UNREACHABLE,
    })
  }
  const message = sanitize(`status ${status} ${errorText(text)}`.trim(), 200)
  if (status === 401 || status === 403) throw refused(message)
  if (status === 400 || status === 404) return { kind: 'none', message }
  throw new ArbeesError('VENUE_BAD_ANSWER', `${what}: ${message}`, {
    exit: EXIT.UNREACHABLE,
    hint: 'ask again in a minute',
  })
}

function credentialsOf(json: unknown): ApiCredentials | undefined {
  if (typeof json !== 'object' || json === null) return undefined
  const { apiKey, secret, passphrase } = json as Readonly<Record<string, unknown>>
  const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
  return isText(apiKey) && isText(secret) && isText(passphrase) ? { apiKey, secret, passphrase } : undefined
}

const refused = (message: string): ArbeesError =>
  new ArbeesError('API_KEY_REFUSED', `Polymarket gives no API credentials: ${message}`, {
    exit: EXIT.CONFIG,
    hint: 'check that the clock is right (arbees check clock) and that this key has signed in to Polymarket once',
  })
