/** What a REST call came to. Kalshi's errors have four shapes on the wire, beside whatever a CDN sends in between. */

import { ArbeesError, EXIT } from '../../core/errors.js'
import { sanitize } from '../../core/sanitize.js'
import { isJsonObject, parseJson, textOf, type JsonObject } from './wire.js'

export type RestResult =
  | { readonly kind: 'ok'; readonly status: number; readonly body: JsonObject }
  /** The venue, or something before it, answered with an error status. */
  | { readonly kind: 'refused'; readonly status: number; readonly error: VenueError }
  /**
   * No answer that can be read. `handedOver` is false only when no byte of the request reached a socket; `rate` is a
   * call that our own reckoning of the account's rate limit held back.
   */
  | {
      readonly kind: 'failed'
      readonly reason: 'timeout' | 'cut' | 'unreachable' | 'unreadable' | 'aborted' | 'withheld' | 'rate'
      readonly detail: string
      readonly handedOver: boolean
    }

export interface VenueError {
  /** The venue's own code where it sent one, else `http_<status>`. */
  readonly code: string
  /** Sanitized, short. */
  readonly message: string
  /** False when the body was none of the venue's shapes: something between us and the venue may have answered. */
  readonly isVenues: boolean
}

const CODE = /^[A-Za-z0-9_.-]{1,64}$/

/**
 *     {"error":{"code","message","details"?,"service"?}}   usual
 *     {"code","message","details"}                         JSON decoding
 *     {"msg":"…"}                                          query validation
 *     {"error":"too many requests"}                        429
 */
export function parseErrorBody(status: number, text: string): VenueError {
  const body = parseJson(text)
  const fallback = `http_${status}`
  if (isJsonObject(body)) {
    const { error } = body
    if (isJsonObject(error)) return coded(error, fallback)
    if (typeof error === 'string') return { code: fallback, message: short(error), isVenues: true }
    if (typeof body['code'] === 'string') return coded(body, fallback)
    if (typeof body['msg'] === 'string')
      return { code: fallback, message: short(body['msg']), isVenues: true }
  }
  return { code: fallback, message: short(text), isVenues: false }
}

function coded(error: JsonObject, fallback: string): VenueError {
  const code = textOf(error['code'])
  const isCode = code !== undefined && CODE.test(code)
  const message = [textOf(error['message']), textOf(error['details'])]
    .filter((part) => part !== undefined)
    .join(': ')
  return {
    code: isCode ? code : fallback,
    message: short(message === '' ? (code ?? '') : message),
    isVenues: isCode,
  }
}

const short = (text: string): string => sanitize(text.trim(), 200)

/** The ArbeesError for a read that did not succeed: UNREACHABLE, or CONFIG when the credentials were refused. */
export function restError(what: string, result: Exclude<RestResult, { kind: 'ok' }>): ArbeesError {
  if (result.kind === 'failed') {
    return new ArbeesError('KALSHI_UNREACHABLE', `${what}: ${result.reason} (${result.detail})`, {
      exit: EXIT.UNREACHABLE,
      hint: 'check the Kalshi URL and the network',
    })
  }
  const { status, error } = result
  const text = `${what}: HTTP ${status} ${error.code}: ${error.message}`
  if (status === 401 || status === 403) {
    return new ArbeesError('KALSHI_CREDENTIALS', text, {
      exit: EXIT.CONFIG,
      hint: 'check key id, key file, that both belong to this host, and that the clock is right',
    })
  }
  return new ArbeesError('KALSHI_REFUSED', text, { exit: EXIT.UNREACHABLE })
}

/** A reply that is not what the venue documents. */
export function badReply(what: string): ArbeesError {
  return new ArbeesError('KALSHI_BAD_REPLY', `${what}: the reply is not in the documented form`, {
    exit: EXIT.UNREACHABLE,
  })
}
