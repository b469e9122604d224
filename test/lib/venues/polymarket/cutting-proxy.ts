/**
 * Stands between a client and a CLOB, passes everything on, and keeps the first answer to each order to itself: the venue
 * has taken the order, and its sender does not know. What the venue took is on record here.
 */

import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** How the answer goes astray; a sender waits long for silence, so it is the rarest. */
const WAYS = ['cut', 'page', 'cut', 'silence', 'page'] as const

export class CuttingProxy {
  /** Orders that the venue took, by the timestamp that they were signed with: what one leg of one signal has in common. */
  readonly taken = new Map<string, string[]>()
  /** Orders whose answer was kept. */
  kept = 0
  private readonly seen = new Set<string>()
  private readonly server = createServer((request, response) => {
    void this.pass(request, response).catch(() => request.socket.destroy())
  })

  private constructor(private readonly target: URL) {
    this.server.on('connection', (socket) => socket.on('error', () => undefined))
  }

  static async listen(target: string): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(new URL(target))
    await new Promise<void>((resolve) => proxy.server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  /** Orders of one leg beyond the first that the venue took. */
  get doubled(): number {
    return [...this.taken.values()].reduce((sum, ids) => sum + ids.length - 1, 0)
  }

  async close(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }

  private async pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readAll(request)
    const { status, text } = await this.ask(request, body)
    const isOrder = request.method === 'POST' && request.url === '/order'
    if (isOrder && status === 200 && this.isKept(body, text)) {
      const way = WAYS[this.kept++ % WAYS.length]
      if (way === 'silence') return
      if (way === 'page')
        return void response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>no</h1>')
      request.socket.destroy()
      return
    }
    response.writeHead(status, { 'content-type': 'application/json' }).end(text)
  }

  private isKept(body: string, answer: string): boolean {
    const { order } = JSON.parse(body) as { readonly order: { readonly timestamp: string } }
    const { orderID } = JSON.parse(answer) as { readonly orderID: string }
    this.taken.set(order.timestamp, [...(this.taken.get(order.timestamp) ?? []), orderID])
    const isFirst = !this.seen.has(order.timestamp)
    this.seen.add(order.timestamp)
    return isFirst
  }

  private ask(
    { method, url, headers }: IncomingMessage,
    body: string,
  ): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = this.target
      const asked = httpRequest({ hostname, port, method, path: url, headers }, (answer) => {
        readAll(answer).then((text) => resolve({ status: answer.statusCode ?? 0, text }), reject)
      })
      asked.on('error', reject)
      asked.end(body)
    })
  }
}

async function readAll(stream: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
