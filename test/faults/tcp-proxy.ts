/**
 * A wire that misbehaves: delays, cuts in the middle of a frame, swallows everything in both directions, or lets a
 * request through and swallows its reply.
 */

import { createConnection, createServer } from 'node:net'
import type { Server, Socket } from 'node:net'

type Mode = 'pass' | 'blackhole' | 'swallow_replies' | 'refuse'

export class TcpProxy {
  private readonly pairs = new Set<Pair>()
  private mode: Mode = 'pass'
  private delayMs = 0
  /** Replies that were swallowed, in chunks as they came. */
  swallowed = 0

  private constructor(
    private readonly server: Server,
    private target: { readonly host: string; readonly port: number },
  ) {}

  static async listen(
    at: { readonly host: string; readonly port: number },
    target: { readonly host: string; readonly port: number },
  ): Promise<TcpProxy> {
    const server = createServer()
    const proxy = new TcpProxy(server, target)
    server.on('connection', (client) => proxy.serve(client))
    await new Promise<void>((done, refuse) => {
      server.once('error', refuse)
      server.listen(at.port, at.host, done)
    })
    return proxy
  }

  get port(): number {
    const address = this.server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  /** Each chunk is handed on so much later, in order. */
  delay(ms: number): void {
    this.delayMs = ms
  }

  /** Bytes of both directions vanish, connections stay open. Ended by `heal`, which cuts what lost bytes. */
  blackhole(): void {
    this.mode = 'blackhole'
  }

  /** Requests arrive, their replies vanish. Ended by `heal`. */
  swallowReplies(): void {
    this.mode = 'swallow_replies'
  }

  /** Nobody is there: who is connected is cut, who dials is cut at once. Ended by `heal`. */
  refuse(): void {
    this.mode = 'refuse'
    this.cutAll()
  }

  /** Half of the next chunk of each connection is handed on, then it is cut. */
  cutMidFrame(): void {
    for (const pair of this.pairs) pair.cutting = true
  }

  /** Every connection ends now; new ones are served. */
  cutAll(): void {
    for (const pair of this.pairs) pair.cut()
  }

  heal(): void {
    this.mode = 'pass'
    for (const pair of this.pairs) if (pair.maimed) pair.cut()
  }

  /** Leads elsewhere from now on; who is connected is cut, as by an address that moves. */
  moveTo(target: { readonly host: string; readonly port: number }): void {
    this.target = target
    this.cutAll()
  }

  async close(): Promise<void> {
    this.cutAll()
    await new Promise((done) => this.server.close(done))
  }

  private serve(client: Socket): void {
    if (this.mode === 'refuse') return void client.destroy()
    const server = createConnection(this.target.port, this.target.host)
    const pair = new Pair(client, server, () => this.pairs.delete(pair))
    this.pairs.add(pair)
    client.on('data', (data) => this.pass(pair, data, server, true))
    server.on('data', (data) => this.pass(pair, data, client, false))
  }

  private pass(pair: Pair, data: Buffer, to: Socket, isRequest: boolean): void {
    if (this.mode === 'blackhole' || (this.mode === 'swallow_replies' && !isRequest)) {
      if (!isRequest) this.swallowed++
      pair.maimed = true
      return
    }
    if (pair.cutting && !isRequest) {
      to.write(data.subarray(0, Math.ceil(data.length / 2)), () => pair.cut())
      pair.cutting = false
      pair.maimed = true
      return
    }
    if (pair.maimed) return
    const waiting = isRequest ? pair.requests : pair.replies
    if (this.delayMs === 0 && waiting.length === 0) return void to.write(data)
    waiting.push(data)
    setTimeout(() => to.write(waiting.shift() ?? ''), this.delayMs)
  }
}

class Pair {
  /** Bytes of it were lost: it cannot go on. */
  maimed = false
  cutting = false
  /** What is delayed, by direction: oldest first, whatever the delay becomes. */
  readonly requests: Buffer[] = []
  readonly replies: Buffer[] = []

  constructor(
    private readonly client: Socket,
    private readonly server: Socket,
    gone: () => void,
  ) {
    for (const socket of [client, server]) {
      socket.on('error', () => this.cut())
      socket.on('close', () => {
        this.cut()
        gone()
      })
    }
  }

  cut(): void {
    this.client.destroy()
    this.server.destroy()
  }
}
