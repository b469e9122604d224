/** The signed upgrade: three headers over `timestamp + GET + path`, without compression. */

import { WebSocket } from 'ws'

import type { Clock } from '../../core/clock.js'
import { ArbeesError, EXIT } from '../../core/errors.js'
import { sanitize } from '../../core/sanitize.js'
import { signRequest, type KalshiCredentials } from './auth.js'

/** Dials now. A refused upgrade arrives as an `error` that names the HTTP status, then `close`. Throws `BAD_URL`. */
export function openSocket(options: {
  readonly wsUrl: string
  readonly credentials: KalshiCredentials
  readonly clock: Clock
  readonly handshakeMs: number
  readonly maxPayload: number
}): WebSocket {
  const url = parseWsUrl(options.wsUrl)
  const headers = signRequest(options.credentials, {
    timestampMs: options.clock.nowMs(),
    method: 'GET',
    path: url.pathname,
  })
  return new WebSocket(url, {
    headers: { ...headers },
    perMessageDeflate: false,
    maxPayload: options.maxPayload,
    handshakeTimeout: options.handshakeMs,
  })
}

/** Throws `BAD_URL` (exit CONFIG). */
export function parseWsUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^wss?:$/.test(url.protocol) || url.hash !== '') {
    throw new ArbeesError('BAD_URL', `not a Kalshi WebSocket URL: '${sanitize(text, 200)}'`, {
      exit: EXIT.CONFIG,
      hint: 'it looks like wss://external-api-ws.kalshi.com/trade-api/ws/v2',
    })
  }
  return url
}
