/** A small Kalshi REST server on loopback: checks every signature with code of its own and answers as told. */

import type { KeyObject } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

import { checkSignature, type SignatureVerdict } from './keys.js'

export interface ReceivedRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly body: string
  readonly signature: SignatureVerdict
  readonly socket: Socket
}

/** `cut` ends the connection without an answer, `hang` never answers. */
export type Answer = { readonly status: number; readonly body: string | object } | 'cut' | 'hang'

const PREFIX = '/trade-api/v2'

export class HttpVenue {
  readonly requests: ReceivedRequest[] = []
  readonly sockets = new Set<Socket>()
  answer: (request: ReceivedRequest) => Answer = () => ({ status: 404, body: {} })
  private readonly server: Server

  private constructor(private readonly privateKey: KeyObject) {
    this.server = createServer((request, response) => void this.onRequest(request, response))
    this.server.on('connection', (socket) => this.sockets.add(socket))
  }

  static async start(privateKey: KeyObject): Promise<HttpVenue> {
    const venue = new HttpVenue(privateKey)
    await new Promise<void>((resolve) => venue.server.listen(0, '127.0.0.1', resolve))
    return venue
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${PREFIX}`
  }

  /** What was asked of one path, below the prefix. */
  of(path: string): ReceivedRequest[] {
    return this.requests.filter((request) => request.path === path)
  }

  async close(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }

  private async onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { method = '', url = '', socket } = request
    const parsed = new URL(url, 'http://venue')
    const signature = checkSignature(request.headers, {
      method,
      url,
      nowMs: Date.now(),
      privateKey: this.privateKey,
    })
    const received: ReceivedRequest = {
      method,
      path: parsed.pathname.startsWith(PREFIX) ? parsed.pathname.slice(PREFIX.length) : parsed.pathname,
      query: parsed.searchParams,
      body: Buffer.concat(chunks).toString(),
      signature,
      socket,
    }
    this.requests.push(received)
    const answer = this.answer(received)
    if (answer === 'cut') socket.destroy()
    if (answer === 'cut' || answer === 'hang') return
    const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body)
    response
      .writeHead(answer.status, { 'content-type': text.startsWith('<') ? 'text/html' : 'application/json' })
      .end(text)
  }
}
