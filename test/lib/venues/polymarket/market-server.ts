/** A market channel and its REST book on one loopback port, written for tests: it does what it is told, faults too. */

import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'
import type { ReferenceVenue } from './reference-venue.js'

interface Subscription {
  readonly assets_ids: readonly string[]
  readonly type?: string
  readonly operation?: string
}

export class MarketServer {
  readonly sockets = new Set<WebSocket>()
  readonly messages: Subscription[] = []
  connections = 0
  pings = 0
  restAsked = 0
  /** Sends nothing but PONG. */
  frozen = false
  restStatus = 200
  /** What `POST /books` answers when it does not give the books: a status, or a body that is none. */
  booksAnswer: { readonly status: number; readonly body: string } | undefined
  /** What REST was asked, in order: the token of a `GET /book`, or `POST`. */
  readonly asked: string[] = []
  /** Answers no subscription with a dump. */
  mute = false
  /** Hears subscriptions, and no operation. */
  isDeaf = false

  private readonly tcp = new Set<Socket>()
  private readonly subscribed = new Map<WebSocket, Set<string>>()

  private constructor(
    private readonly http: Server,
    private readonly ws: WebSocketServer,
    private readonly venues: ReferenceVenue[],
  ) {}

  static async listen(...venues: ReferenceVenue[]): Promise<MarketServer> {
    const http = createServer()
    const ws = new WebSocketServer({ server: http, path: '/ws/market' })
    const server = new MarketServer(http, ws, venues)
    http.on('request', (request, response) => {
      server.restAsked += 1
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const { status, body } =
          request.method === 'POST'
            ? server.books(Buffer.concat(chunks).toString())
            : server.book(request.url)
        response.writeHead(status, { 'content-type': 'application/json' })
        response.end(server.restStatus === 200 ? body : '<html>bad gateway</html>')
      })
    })
    http.on('connection', (socket: Socket) => {
      server.tcp.add(socket)
      socket.on('close', () => server.tcp.delete(socket))
    })
    ws.on('connection', (socket) => server.accept(socket))
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    return server
  }

  add(venue: ReferenceVenue): void {
    this.venues.push(venue)
  }

  get port(): number {
    return (this.http.address() as AddressInfo).port
  }

  get wsUrl(): string {
    return `ws://127.0.0.1:${this.port}`
  }

  get restUrl(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** To every socket that follows one of the market's tokens. */
  broadcast(frame: { readonly market: string }): void {
    if (this.frozen) return
    const venue = this.venues.find(({ ids }) => ids.market === frame.market)
    for (const [socket, tokens] of this.subscribed) {
      if (venue !== undefined && (tokens.has(venue.ids.yes) || tokens.has(venue.ids.no))) {
        socket.send(JSON.stringify(frame))
      }
    }
  }

  /** Every TCP connection ends by a reset. */
  reset(): void {
    for (const connection of this.tcp) connection.resetAndDestroy()
  }

  cut(): void {
    for (const socket of this.sockets) socket.terminate()
  }

  async close(): Promise<void> {
    this.cut()
    this.ws.close()
    this.http.closeAllConnections()
    await new Promise((resolve) => this.http.close(resolve))
  }

  private bookOf(token: string | null): unknown {
    const venue = this.venues.find(({ ids }) => ids.yes === token || ids.no === token)
    return venue?.rest(venue.ids.no === token)
  }

  private book(url = ''): { readonly status: number; readonly body: string } {
    const token = new URL(url, 'http://x').searchParams.get('token_id')
    this.asked.push(token ?? '')
    const book = this.bookOf(token)
    return book === undefined
      ? { status: 404, body: '{"error":"No orderbook exists"}' }
      : { status: this.restStatus, body: JSON.stringify(book) }
  }

  private books(asked: string): { readonly status: number; readonly body: string } {
    this.asked.push('POST')
    if (this.booksAnswer !== undefined) return this.booksAnswer
    const tokens = (JSON.parse(asked) as { token_id: string }[]).map(({ token_id }) => token_id)
    const books = tokens.map((token) => this.bookOf(token)).filter((book) => book !== undefined)
    return { status: this.restStatus, body: JSON.stringify(books) }
  }

  private accept(socket: WebSocket): void {
    this.connections += 1
    this.sockets.add(socket)
    this.subscribed.set(socket, new Set())
    socket.on('close', () => {
      this.sockets.delete(socket)
      this.subscribed.delete(socket)
    })
    socket.on('message', (data: Buffer) => {
      const text = data.toString()
      if (text === 'PING') {
        this.pings += 1
        socket.send('PONG')
        return
      }
      const message = JSON.parse(text) as Subscription
      this.messages.push(message)
      this.subscribe(socket, message)
    })
  }

  private subscribe(socket: WebSocket, message: Subscription): void {
    if (this.isDeaf && message.operation !== undefined) return
    const tokens = this.subscribed.get(socket)!
    for (const token of message.assets_ids) {
      if (message.operation === 'unsubscribe') tokens.delete(token)
      else tokens.add(token)
    }
    if (message.operation === 'unsubscribe' || this.mute || this.frozen) return
    const dumps = message.assets_ids.flatMap((token) => {
      const venue = this.venues.find(({ ids }) => ids.yes === token || ids.no === token)
      return venue === undefined ? [] : [venue.dump(venue.ids.no === token)]
    })
    socket.send(JSON.stringify(dumps))
  }
}
