/** A Kalshi WebSocket server with any number of connections, each with a reference venue that is told the same. */

import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'

import { ReferenceVenue, type Side } from './reference-venue.js'

interface Client {
  readonly socket: Socket
  readonly webSocket: WebSocket
  readonly venue: ReferenceVenue
}

export class ManyServer {
  readonly clients: Client[] = []
  /** Answers pings, and nothing else. */
  isSilent = false
  private readonly rested: Parameters<ReferenceVenue['rest']>[] = []
  private readonly webSockets = new WebSocketServer({ noServer: true })

  private constructor(
    tickers: readonly string[],
    private readonly http: Server,
  ) {
    http.on('upgrade', (request, socket, head) => {
      socket.on('error', () => undefined)
      this.webSockets.handleUpgrade(request, socket, head, (webSocket) => {
        const client = { socket: socket as Socket, webSocket, venue: new ReferenceVenue(tickers) }
        for (const change of this.rested) client.venue.rest(...change)
        this.clients.push(client)
        webSocket.on('message', (data: Buffer) => {
          client.venue.serve(JSON.parse(data.toString()) as Parameters<ReferenceVenue['serve']>[0])
          this.flush(client)
        })
        webSocket.on('error', () => undefined)
        webSocket.on('close', () => {
          const index = this.clients.indexOf(client)
          if (index >= 0) this.clients.splice(index, 1)
        })
      })
    })
  }

  static async start(tickers: readonly string[]): Promise<ManyServer> {
    const http = createServer()
    const server = new ManyServer(tickers, http)
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    return server
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.http.address() as AddressInfo).port}/trade-api/ws/v2`
  }

  /** Every connection is told at once. */
  rest(ticker: string, side: Side, priceE4: number, sizeE2: number, venueMs: number): void {
    this.rested.push([ticker, side, priceE4, sizeE2, venueMs])
    for (const client of this.clients) {
      client.venue.rest(ticker, side, priceE4, sizeE2, venueMs)
      this.flush(client)
    }
  }

  async close(): Promise<void> {
    for (const webSocket of this.webSockets.clients) webSocket.terminate()
    this.webSockets.close()
    this.http.closeAllConnections()
    await new Promise((resolve) => this.http.close(resolve))
  }

  private flush({ venue, webSocket }: Client): void {
    for (const { text } of venue.takeSent()) if (!this.isSilent) webSocket.send(text)
  }
}
