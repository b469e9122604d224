/**
 * HTTP to one origin of the venue over kept-alive connections. A request is sent at most once, and the answer says
 * whether its bytes ever left: the difference between "refused" and "unknown" for an order.
 */

import { Pool, type Dispatcher } from 'undici'
import { ArbeesError, codeOf, EXIT, messageOf } from '../../core/errors.js'
import { sanitize } from '../../core/sanitize.js'

const MAX_BODY_BYTES = 16 * 1024 * 1024

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Path with its query, relative to the base URL. */
  readonly path: string
  readonly headers?: Record<string, string>
  readonly body?: string
  /** From the call to the last byte of the answer. */
  readonly timeoutMs: number
  /** Called right after the request has been written to the socket. */
  readonly onBytes?: () => void
  /** Asked right before the first byte, however long the request waited for a connection. */
  readonly mayGo?: () => boolean
  readonly signal?: AbortSignal
}

export type HttpResult =
  | { readonly kind: 'answer'; readonly status: number; readonly text: string }
  /**
   * No complete answer. `sent` is false only when not a byte of the request was written; the code is `WITHHELD` when
   * `mayGo` said no.
   */
  | { readonly kind: 'failed'; readonly sent: boolean; readonly code: string; readonly message: string }

export class VenueHttp {
  private readonly pool: Pool
  private readonly basePath: string

  constructor(
    readonly baseUrl: string,
    { connections = 4, connectTimeoutMs = 3000 } = {},
  ) {
    const url = new URL(baseUrl)
    this.basePath = url.pathname.replace(/\/+$/, '')
    this.pool = new Pool(url.origin, {
      connections,
      pipelining: 1,
      keepAliveTimeout: 60_000,
      keepAliveMaxTimeout: 600_000,
      connect: { timeout: connectTimeoutMs },
    })
  }

  /** Never rejects: whatever happens is in the result. */
  send(request: HttpRequest): Promise<HttpResult> {
    return new Promise((resolve) => {
      const exchange = new Exchange(request, resolve)
      try {
        this.pool.dispatch(
          {
            method: request.method,
            path: `${this.basePath}${request.path}`,
            headers: {
              accept: 'application/json',
              ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
              ...request.headers,
            },
            ...(request.body === undefined ? {} : { body: Buffer.from(request.body) }),
          },
          exchange,
        )
      } catch (error) {
        exchange.fail(error)
      }
    })
  }

  /** `send`, an answer of status 200 and JSON, or an ArbeesError `VENUE_UNREACHABLE` / `VENUE_BAD_ANSWER`. */
  async getJson(path: string, timeoutMs: number, signal?: AbortSignal): Promise<unknown> {
    const result = await this.send({
      method: 'GET',
      path,
      timeoutMs,
      ...(signal === undefined ? {} : { signal }),
    })
    const url = `${this.baseUrl.replace(/\/+$/, '')}${path}`
    if (result.kind === 'failed') {
      throw new ArbeesError('VENUE_UNREACHABLE', `GET ${url}: ${result.message}`, {
        exit: EXIT.UNREACHABLE,
        hint: 'check the address in the configuration and the network',
      })
    }
    const json = parseJson(result.text)
    if (result.status !== 200 || json === undefined) {
      throw new ArbeesError(
        'VENUE_BAD_ANSWER',
        `GET ${url}: status ${result.status}, ${sanitize(result.text, 120)}`,
        { exit: EXIT.UNREACHABLE },
      )
    }
    return json
  }

  async close(): Promise<void> {
    await this.pool.destroy()
  }
}

/** Undefined for anything that is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

class Exchange implements Dispatcher.DispatchHandler {
  private controller: Dispatcher.DispatchController | undefined
  private sent = false
  private settled = false
  private status = 0
  private bytes = 0
  private readonly chunks: Buffer[] = []
  private readonly timer: NodeJS.Timeout
  private readonly onAbort = (): void => this.stop('ABORTED', 'aborted')

  constructor(
    private readonly request: HttpRequest,
    private readonly resolve: (result: HttpResult) => void,
  ) {
    this.timer = setTimeout(
      () => this.stop('TIMEOUT', `no answer within ${request.timeoutMs} ms`),
      request.timeoutMs,
    )
    request.signal?.addEventListener('abort', this.onAbort, { once: true })
    if (request.signal?.aborted === true) this.onAbort()
  }

  /**
   * Runs just before the bytes are written, in the same turn: the microtask runs just after. Never a second time. What
   * it throws ends the request before that, and leaves the connection as it is.
   */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.settled || this.sent) {
      throw new Error(this.sent ? 'sent before' : 'given up before it was sent')
    }
    if (this.request.mayGo?.() === false) throw new ArbeesError('WITHHELD', 'it was not let go')
    this.controller = controller
    this.sent = true
    const { onBytes } = this.request
    if (onBytes !== undefined) queueMicrotask(onBytes)
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.status = status
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.bytes += chunk.length
    if (this.bytes > MAX_BODY_BYTES) this.stop('OVERSIZE', `answer above ${MAX_BODY_BYTES} bytes`)
    else this.chunks.push(chunk)
  }

  onResponseEnd(): void {
    this.settle({ kind: 'answer', status: this.status, text: Buffer.concat(this.chunks).toString('utf8') })
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.fail(error)
  }

  fail(error: unknown): void {
    this.settle({
      kind: 'failed',
      sent: this.sent,
      code: codeOf(error) ?? 'FAILED',
      message: messageOf(error),
    })
  }

  private stop(code: string, message: string): void {
    this.settle({ kind: 'failed', sent: this.sent, code, message })
    this.controller?.abort(new Error(message))
  }

  private settle(result: HttpResult): void {
    if (this.settled) return
    this.settled = true
    clearTimeout(this.timer)
    this.request.signal?.removeEventListener('abort', this.onAbort)
    this.resolve(result)
  }
}
