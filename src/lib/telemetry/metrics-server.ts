/** `GET /metrics` over HTTP, and nothing else. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ArbeesError, codeOf, messageOf } from '../core/errors.js'

export interface MetricsServerOptions {
  readonly host: string
  /** 0 takes any free one. */
  readonly port: number
  /** Asked at each request. */
  readonly render: () => string
}

export interface MetricsServer {
  /** Of the metrics themselves. */
  readonly url: string
  close(): Promise<void>
}

/** Nobody who scrapes needs more; the role's work must not wait for those who do. */
const MAX_CONNECTIONS = 16
const REQUEST_MS = 5_000

/** Where a role answers. */
export const metricsUrl = (host: string, port: number): string =>
  `http://${host.includes(':') ? `[${host}]` : host}:${port}/metrics`

/** Listens. Rejects with `PORT_IN_USE` or `BIND_FAILED`, naming the address. */
export async function serveMetrics({ host, port, render }: MetricsServerOptions): Promise<MetricsServer> {
  const server = createServer(
    { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS },
    (request, response) => {
      const { method, url = '' } = request
      const answer = (status: number, body: string, headers: Readonly<Record<string, string>> = {}) => {
        response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers })
        response.end(method === 'HEAD' ? undefined : body)
      }
      if (url.split('?')[0] !== '/metrics') return answer(404, 'see /metrics\n')
      if (method !== 'GET' && method !== 'HEAD') return answer(405, 'GET only\n', { allow: 'GET, HEAD' })
      try {
        answer(200, render(), { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
      } catch (error) {
        answer(500, `${messageOf(error)}\n`)
      }
    },
  )
  server.maxConnections = MAX_CONNECTIONS
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(explain(error, host, port)))
    server.listen(port, host, resolve)
  })
  const bound = (server.address() as AddressInfo).port
  return {
    url: metricsUrl(host, bound),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function explain(error: Error, host: string, port: number): ArbeesError {
  const isUsed = codeOf(error) === 'EADDRINUSE'
  const what = isUsed ? 'is in use' : `cannot be bound: ${messageOf(error)}`
  return new ArbeesError(
    isUsed ? 'PORT_IN_USE' : 'BIND_FAILED',
    `port ${port} (${host}) of the metrics ${what}`,
    {
      hint: 'set metrics_port to another one, or to nothing',
      cause: error,
    },
  )
}
