/** A small Kalshi WebSocket server on loopback: checks the signed upgrade with code of its own, answers commands from a reference venue, and misbehaves when told. */

import type { KeyObject } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'

import { checkSignature, type SignatureVerdict } from './keys.js'
import { ReferenceVenue } from './reference-venue.js'

const PATH = '/trade-api/ws/v2'

export class VenueServer {
  readonly venue: ReferenceVenue
  readonly handshakes: (SignatureVerdict | 'bad_path')[] = []
  readonly commands: string[] = []
  extensions: (string | undefined)[] = []
  /** Commands whose answer is withheld, by a part of their text. */
  deaf: string | undefined
  private readonly http: Server
  private readonly webSockets = new WebSocketServer({ noServer: true, autoPong: true })
  private client: WebSocket | undefined
  private rawSocket: Socket | undefined

  private constructor(
    tickers: readonly string[],
    private readonly privateKey: KeyObject,
  ) {
    this.venue = new ReferenceVenue(tickers)
    this.http = createServer((_, response) => response.writeHead(404).end())
    this.http.on('upgrade', (request, socket, head) => this.onUpgrade(request, socket as Socket, head))
  }

  static async start(tickers: readonly string[], privateKey: KeyObject): Promise<VenueServer> {
    const server = new VenueServer(tickers, privateKey)
    await new Promise<void>((resolve) => server.http.listen(0, '127.0.0.1', resolve))
    return server
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.http.address() as AddressInfo).port}${PATH}`
  }

  /** Sends what the venue has to say; with `lose`, all but the first so many messages. */
  flush(lose = 0): void {
    for (const { text } of this.venue.takeSent().slice(lose)) this.client?.send(text)
  }

  sendText(text: string | Buffer): void {
    this.client?.send(text)
  }

  /** An unasked pong proves nothing. */
  pong(): void {
    this.client?.pong('0')
  }

  cut(): void {
    this.rawSocket?.destroy()
  }

  /** Reads no more, so it answers no ping: the socket stays open. */
  freeze(): void {
    this.rawSocket?.pause()
  }

  ping(): void {
    this.client?.ping('heartbeat')
  }

  async close(): Promise<void> {
    for (const client of this.webSockets.clients) client.terminate()
    this.webSockets.close()
    this.http.closeAllConnections()
    await new Promise((resolve) => this.http.close(resolve))
  }

  private onUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const { privateKey } = this
    socket.on('error', () => socket.destroy())
    const url = request.url ?? ''
    const check = { method: 'GET', url, nowMs: Date.now(), privateKey }
    const verdict = url === PATH ? checkSignature(request.headers, check) : 'bad_path'
    this.handshakes.push(verdict)
    this.extensions.push(request.headers['sec-websocket-extensions'])
    if (verdict !== 'ok') {
      socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
      return
    }
    this.webSockets.handleUpgrade(request, socket, head, (client) => {
      this.venue.disconnect()
      this.client = client
      this.rawSocket = socket
      client.on('message', (data: Buffer) => this.onCommand(data.toString()))
      client.on('error', () => client.terminate())
    })
  }

  private onCommand(text: string): void {
    this.commands.push(text)
    if (this.deaf !== undefined && text.includes(this.deaf)) return
    this.venue.serve(JSON.parse(text) as Parameters<ReferenceVenue['serve']>[0])
    this.flush()
  }
}
