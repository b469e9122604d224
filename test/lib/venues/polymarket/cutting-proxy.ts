/**
 * Stands between a client and a CLOB, passes everything on, and keeps the first answer to each order to itself: the venue
 * has taken the order, and its sender does not know. What was posted and what the venue took is on record here.
 */

import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { orderDigest, STANDARD, type WireOrder } from './typed-data.js'

/** How the answer goes astray: `late` reaches the venue when its sender has given up. The dear ones are the rarest. */
const WAYS = ['cut', 'page', 'cut', 'silence', 'late', 'page'] as const
const LATE_MS = 500

export class CuttingProxy {
  /** Orders that the venue took, by the timestamp that they were signed with: what one leg of one signal has in common. */
  readonly taken = new Map<string, string[]>()
  /** Posts of each order, by the hash of its signed fields. */
  private readonly posts = new Map<string, number>()
  /** Posts of each leg, whatever the venue made of them. */
  private readonly legPosts = new Map<string, number>()
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

  /** Posts of the same order beyond the first: the venue refuses them, so `doubled` never tells. */
  get reposted(): number {
    return beyondFirst(this.posts)
  }

  /** Posts of one leg beyond the first, of the same order or of another. */
  get legsReposted(): number {
    return beyondFirst(this.legPosts)
  }

  async close(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }

  private async pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readAll(request)
    const isOrder = request.method === 'POST' && request.url === '/order'
    const leg = isOrder ? timestampOf(body) : ''
    if (isOrder) {
      const hash = hashOf(body)
      this.posts.set(hash, (this.posts.get(hash) ?? 0) + 1)
      this.legPosts.set(leg, (this.legPosts.get(leg) ?? 0) + 1)
    }
    const isFirst = isOrder && !this.seen.has(leg)
    const way = isFirst ? WAYS[this.seen.add(leg).size % WAYS.length] : undefined
    if (way === 'late') await sleep(LATE_MS)
    const { status, text } = await this.ask(request, body)
    const isTaken = isOrder && status === 200
    if (isTaken) {
      const { orderID } = JSON.parse(text) as { readonly orderID: string }
      this.taken.set(leg, [...(this.taken.get(leg) ?? []), orderID])
    }
    if (!isTaken || way === undefined) {
      response.writeHead(status, { 'content-type': 'application/json' }).end(text)
      return
    }
    this.kept++
    if (way === 'page') response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>no</h1>')
    else if (way === 'cut') request.socket.destroy()
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

const beyondFirst = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((sum, count) => sum + count - 1, 0)

const hashOf = (body: string): string => {
  const { order } = JSON.parse(body) as { readonly order: WireOrder }
  return orderDigest(order, STANDARD)
}

const timestampOf = (body: string): string =>
  (JSON.parse(body) as { readonly order: { readonly timestamp: string } }).order.timestamp

async function readAll(stream: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
