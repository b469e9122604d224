/** One loopback HTTP server: a hono app, and WebSocket upgrades where the venue has them. */

import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'
import { ArbeesError, codeOf, EXIT } from '../core/errors.js'

/** The Kalshi, Polymarket, Gamma or ESPN part of the simulator. */
type HostName = 'kalshi' | 'poly' | 'gamma' | 'espn'

/** What the venue would do with a request. */
export type Act = () => Response | Promise<Response>

export interface HostOptions {
  readonly name: HostName
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  readonly app: Hono
  readonly onUpgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  /** Stands before the app, which is `act`, and may answer otherwise. */
  readonly intercept?: (request: Request, act: Act, socket: Duplex) => ReturnType<Act>
  /** The `Date` that answers carry, Unix ms; undefined: the machine's. */
  readonly dateMs?: () => number | undefined
}

export interface Host {
  readonly port: number
  close(): Promise<void>
}

/** Listens. Rejects with `PORT_IN_USE` (exit 1) naming the port. */
export async function listen(options: HostOptions): Promise<Host> {
  const { name, host, port, app, onUpgrade, intercept, dateMs } = options
  const answer = getRequestListener((request, { incoming }) => {
    const act = () => app.fetch(request)
    return intercept === undefined ? act() : intercept(request, act, incoming.socket)
  })
  const server = createServer((request, response) => {
    const date = dateMs?.()
    if (date !== undefined) response.setHeader('date', new Date(date).toUTCString())
    void answer(request, response)
  })
  server.on('upgrade', (request, socket, head) => {
    if (onUpgrade === undefined) refuseUpgrade(socket, 404, { error: 'not found' })
    else onUpgrade(request, socket, head)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(explain(error, name, port)))
    server.listen(port, host, resolve)
  })
  return { port: (server.address() as AddressInfo).port, close: () => closeServer(server) }
}

function explain(error: Error, name: HostName, port: number): Error {
  if (codeOf(error) !== 'EADDRINUSE') return error
  return new ArbeesError('PORT_IN_USE', `sim: port ${port} (${name}) is in use`, {
    exit: EXIT.FAILED,
    hint: 'stop the other process, or give the simulator another port',
    cause: error,
  })
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

/** Answers an upgrade request with an HTTP error and hangs up. */
export function refuseUpgrade(socket: Duplex, status: number, body: unknown): void {
  const text = JSON.stringify(body)
  const reason = status === 401 ? 'Unauthorized' : status === 404 ? 'Not Found' : 'Bad Request'
  socket.on('error', () => undefined)
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
  )
}

/** A JSON answer. */
export function reply(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', ...headers },
  })
}

/** A whole-number query parameter within bounds: the default when absent, undefined when it breaks the bounds. */
export function wholeParam(
  text: string | undefined,
  fallback: number,
  min: number,
  max: number,
): number | undefined {
  if (text === undefined || text === '') return fallback
  if (!/^-?\d{1,10}$/.test(text)) return undefined
  const value = Number(text)
  return value < min || value > max ? undefined : value
}

/** Parsed JSON as a record to read field by field; undefined for anything else. */
export function recordOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
