/** A venue's WebSocket connections: numbered as they come, each with its line and its session. */

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type RawData, type WebSocket } from 'ws'
import type { FaultPlan } from './fault-plan.js'
import { Line } from './line.js'

/** What the venue does with one connection. */
export interface VenueSession {
  onText(text: string): void
  close(): void
}

export interface Connection<Session> {
  /** The how many-th since the start, from 1. */
  readonly number: number
  readonly session: Session
  readonly line: Line
}

const MAX_COMMAND_BYTES = 4 * 1024 * 1024

export class VenueSockets<Session extends VenueSession> {
  private readonly server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_COMMAND_BYTES,
  })
  private readonly connections = new Map<WebSocket, Connection<Session>>()
  private accepted = 0

  /** The plan hears how many frames went over each connection. */
  constructor(private readonly plan: FaultPlan) {}

  all(): Iterable<Connection<Session>> {
    return this.connections.values()
  }

  sessions(): Session[] {
    return [...this.connections.values()].map(({ session }) => session)
  }

  /** Finishes the handshake of an upgrade that the venue lets in. */
  accept(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    open: (line: Line, number: number) => Session,
  ): void {
    this.server.handleUpgrade(request, socket, head, (webSocket) => this.serve(webSocket, open))
  }

  close(): void {
    for (const [socket, { session }] of this.connections) {
      session.close()
      socket.terminate()
    }
    this.server.close()
  }

  private serve(socket: WebSocket, open: (line: Line, number: number) => Session): void {
    this.accepted += 1
    const number = this.accepted
    const line = new Line(socket, (frames) => this.plan.onFrames(number, frames))
    const session = open(line, number)
    this.connections.set(socket, { number, session, line })
    socket.on('message', (data: RawData) => session.onText(textOf(data)))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      session.close()
      this.connections.delete(socket)
    })
  }
}

/** A text frame's content, however `ws` hands it over. */
function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString()
  return data instanceof ArrayBuffer ? Buffer.from(data).toString() : data.toString()
}
