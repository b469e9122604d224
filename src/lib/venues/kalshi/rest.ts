/**
 * Kalshi REST: signed requests over kept-alive connections, every answer as one typed result. Nothing throws and
 * nothing is retried here: the caller knows what may be asked twice.
 */

import { Pool } from 'undici'

import { systemClock, type Clock } from '../../core/clock.js'
import { ArbeesError, codeOf, EXIT, messageOf } from '../../core/errors.js'
import { sanitize } from '../../core/sanitize.js'
import { signRequest, type KalshiCredentials } from './auth.js'
import type { Method } from './rates.js'
import { parseErrorBody, type RestResult } from './rest-result.js'
import { isJsonObject, parseJson } from './wire.js'

export interface KalshiRestOptions {
  /** With the path prefix that is signed too: `https://external-api.kalshi.com/trade-api/v2`. */
  readonly baseUrl: string
  /** Market data needs none. */
  readonly credentials?: KalshiCredentials
  readonly clock?: Clock
  /** For the whole exchange, connecting included. */
  readonly timeoutMs?: number
  readonly connections?: number
}

export interface RestCall {
  readonly query?: Readonly<Record<string, string>>
  /** A JSON text, sent as it is. */
  readonly body?: string
  readonly signal?: AbortSignal
  /** Right after the request's bytes were handed to the socket (calls with a body only). */
  readonly onBytes?: () => void
  /** Asked right before the first byte, however long the call waited for a connection. */
  readonly mayGo?: () => boolean
}

const MAX_BODY_BYTES = 32 * 1024 * 1024
/** Longer than the pause between two keep-warm calls; the server's own hint, when it sends one, is obeyed. */
const KEEP_ALIVE_MS = 60_000

export class KalshiRest {
  private readonly pool: Pool
  private readonly prefix: string
  private readonly clock: Clock
  private readonly timeoutMs: number

  /** Throws `BAD_URL` (exit CONFIG). */
  constructor(private readonly options: KalshiRestOptions) {
    const url = parseBaseUrl(options.baseUrl)
    this.prefix = url.pathname.replace(/\/+$/, '')
    this.clock = options.clock ?? systemClock
    this.timeoutMs = options.timeoutMs ?? 5000
    this.pool = new Pool(url.origin, {
      connections: options.connections ?? 2,
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      connect: { timeout: this.timeoutMs },
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: MAX_BODY_BYTES,
    })
  }

  get(path: string, call: Omit<RestCall, 'body' | 'onBytes' | 'mayGo'> = {}): Promise<RestResult> {
    return this.exchange('GET', path, call)
  }

  post(path: string, body: string, call: Omit<RestCall, 'body'> = {}): Promise<RestResult> {
    return this.exchange('POST', path, { ...call, body })
  }

  put(path: string, body: string, call: Omit<RestCall, 'body'> = {}): Promise<RestResult> {
    return this.exchange('PUT', path, { ...call, body })
  }

  delete(path: string, call: Omit<RestCall, 'body' | 'onBytes' | 'mayGo'> = {}): Promise<RestResult> {
    return this.exchange('DELETE', path, call)
  }

  /** Ends every connection, with whatever is under way. */
  close(): Promise<void> {
    return this.pool.destroy()
  }

  private exchange(method: Method, path: string, call: RestCall): Promise<RestResult> {
    const { body, signal } = call
    const signedPath = `${this.prefix}${path}`
    const query = call.query === undefined ? '' : `?${new URLSearchParams({ ...call.query }).toString()}`
    return new Promise((resolve) => {
      let abort: ((error?: Error) => void) | undefined
      let settled = false
      let status = 0
      const chunks: Buffer[] = []
      const settle = (result: RestResult): void => {
        if (settled) return
        settled = true
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        resolve(result)
      }
      const fail = (reason: FailureReason, detail: string): void => {
        settle({ kind: 'failed', reason, detail: sanitize(detail, 200), handedOver: abort !== undefined })
      }
      const giveUp = (reason: FailureReason, detail: string): void => {
        fail(reason, detail)
        // Still queued: it ends when a connection picks it up, before a byte is written.
        abort?.(new Error(detail))
      }
      const onAbort = (): void => giveUp('aborted', 'the caller gave up')
      const timer = setTimeout(
        () => giveUp('timeout', `no answer within ${this.timeoutMs} ms`),
        this.timeoutMs,
      )
      if (signal?.aborted === true) {
        onAbort()
        return
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.pool.dispatch(
        {
          method,
          path: `${signedPath}${query}`,
          body: body ?? null,
          headers: this.headers(method, signedPath, body),
        },
        {
          onConnect: (abortRequest) => {
            // Thrown here, an error ends the request before a byte is written, and leaves the connection as it is.
            if (settled) throw new Error('given up')
            if (call.mayGo?.() === false) {
              fail('withheld', 'it was not let go')
              throw new Error('withheld')
            }
            abort = abortRequest
          },
          onBodySent: () => call.onBytes?.(),
          onHeaders: (statusCode) => {
            status = statusCode
            return true
          },
          onData: (chunk) => {
            chunks.push(chunk)
            return true
          },
          onComplete: () => settle(readAnswer(status, Buffer.concat(chunks).toString('utf8'))),
          onError: (error) => fail(reasonOf(error, abort !== undefined), codeOf(error) ?? messageOf(error)),
        },
      )
    })
  }

  /** Signed now: the venue refuses a timestamp that waited in a queue. */
  private headers(method: string, signedPath: string, body: string | undefined): Record<string, string> {
    const { credentials } = this.options
    const plain: Record<string, string> = { accept: 'application/json' }
    if (body !== undefined) plain['content-type'] = 'application/json'
    if (credentials === undefined) return plain
    return {
      ...plain,
      ...signRequest(credentials, { timestampMs: this.clock.nowMs(), method, path: signedPath }),
    }
  }
}

type FailureReason = Extract<RestResult, { kind: 'failed' }>['reason']

function readAnswer(status: number, text: string): RestResult {
  if (status < 200 || status > 299) return { kind: 'refused', status, error: parseErrorBody(status, text) }
  // A cancel-all and a deletion are answered with nothing.
  const body = status === 204 ? {} : parseJson(text)
  if (isJsonObject(body)) return { kind: 'ok', status, body }
  return {
    kind: 'failed',
    reason: 'unreadable',
    detail: `HTTP ${status} without a JSON object`,
    handedOver: true,
  }
}

function reasonOf(error: Error, handedOver: boolean): FailureReason {
  const code = codeOf(error)
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return 'timeout'
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE' || code?.startsWith('HPE_') === true) return 'unreadable'
  return handedOver ? 'cut' : 'unreachable'
}

function parseBaseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '' || url.username !== '') {
    throw new ArbeesError('BAD_URL', `not a Kalshi base URL: '${sanitize(text, 200)}'`, {
      exit: EXIT.CONFIG,
      hint: 'it looks like https://external-api.kalshi.com/trade-api/v2',
    })
  }
  return url
}
