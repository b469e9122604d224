/**
 * Order entry on loopback that refuses what the venue refuses before it looks at a script: L2 HMAC, its age, the EIP-712
 * signer, the amounts. With code of its own throughout.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hmacOf, NEG_RISK, orderDigest, recoverAddress, STANDARD, type WireOrder } from './typed-data.js'

export interface OrderBody {
  readonly order: WireOrder
  readonly owner: string
  readonly orderType: string
  readonly deferExec: boolean
}

/** What to do with an order that passed every check. */
export type Script = (id: string, body: OrderBody) => Reply
export type Reply =
  | { readonly status: number; readonly body: unknown; readonly type?: string }
  /** Take the order, then cut the connection. */
  | 'cut'
  /** Take the order and never answer. */
  | 'hang'

export interface Account {
  readonly address: string
  readonly funder: string
  readonly apiKey: string
  readonly secret: string
  readonly passphrase: string
}

export class OrderServer {
  readonly orders: { readonly id: string; readonly body: OrderBody; readonly raw: string }[] = []
  readonly refused: string[] = []
  readonly requests: string[] = []
  script: Script = () => ({ status: 400, body: { error: 'nothing scripted' } })
  /** Answer to `GET /data/order/{id}`; 404 when undefined. */
  record: unknown
  /** Pages of `GET /data/trades`. */
  pages: unknown[][] = [[]]
  /** Orders that a cancel named, and whether it takes them off. */
  readonly canceled: string[] = []
  cancels = true
  /** What `GET /api/geoblock` answers. */
  geoblock: unknown = { blocked: false, ip: '127.0.0.1', country: 'CA', region: 'ON' }
  version: unknown = 2
  /** In place of the version. */
  versionAnswer: { readonly status: number; readonly body: unknown } | undefined
  /** Trades that are shown to who asks by id alone. */
  unlisted: unknown[] = []
  negRisk = false
  queryStatus = 200
  /** Reads with a key are never answered. */
  silentReads = false

  private constructor(
    private readonly http: Server,
    private readonly account: Account,
  ) {}

  static async listen(account: Account): Promise<OrderServer> {
    const http = createServer()
    const server = new OrderServer(http, account)
    http.on('request', (request, response) => server.read(request, response))
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`
  }

  /** Every connection, at once. */
  cut(): void {
    this.http.closeAllConnections()
  }

  async close(): Promise<void> {
    this.http.closeAllConnections()
    await new Promise((resolve) => this.http.close(resolve))
  }

  private read(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => this.answer(request, response, Buffer.concat(chunks).toString()))
  }

  private answer(request: IncomingMessage, response: ServerResponse, raw: string): void {
    const url = new URL(request.url ?? '', this.url)
    this.requests.push(`${request.method} ${url.pathname}`)
    const send = (status: number, body: unknown, type = 'application/json'): void => {
      response.writeHead(status, { 'content-type': type })
      response.end(typeof body === 'string' ? body : JSON.stringify(body))
    }
    if (url.pathname === '/api/geoblock') return send(200, this.geoblock)
    if (url.pathname === '/version') {
      const { status, body } = this.versionAnswer ?? { status: 200, body: { version: this.version } }
      return send(status, body)
    }
    const problem = this.checkAuth(request, url.pathname, raw)
    if (problem !== undefined) {
      this.refused.push(problem)
      return send(401, { error: 'Unauthorized/Invalid api key' })
    }
    if (request.method === 'GET' && this.silentReads) return
    if (request.method === 'GET') return this.query(url, send)
    if (url.pathname === '/order' && request.method === 'DELETE') {
      const { orderID } = JSON.parse(raw) as { readonly orderID: string }
      this.canceled.push(orderID)
      const kept = this.cancels ? {} : { [orderID]: 'already matched' }
      return send(200, { canceled: this.cancels ? [orderID] : [], not_canceled: kept })
    }
    if (url.pathname !== '/order') return send(404, { error: 'no such path' })
    const body = JSON.parse(raw) as OrderBody
    const invalid = this.checkOrder(body)
    if (invalid !== undefined) {
      this.refused.push(invalid)
      return send(400, { error: invalid })
    }
    const id = orderDigest(body.order, this.negRisk ? NEG_RISK : STANDARD)
    this.orders.push({ id, body, raw })
    const reply = this.script(id, body)
    if (reply === 'cut') request.socket.destroy()
    else if (reply !== 'hang') send(reply.status, reply.body, reply.type)
  }

  private query(url: URL, send: (status: number, body: unknown) => void): void {
    if (this.queryStatus !== 200) return send(this.queryStatus, { error: 'Internal server error' })
    if (url.pathname.startsWith('/data/order/')) {
      return this.record === undefined ? send(404, { error: 'order not found' }) : send(200, this.record)
    }
    if (url.pathname !== '/data/trades') return send(404, { error: 'no such path' })
    const id = url.searchParams.get('id')
    if (id !== null) {
      const rows = [...this.pages.flat(), ...this.unlisted] as readonly { readonly id?: string }[]
      return send(200, { data: rows.filter((row) => row.id === id), next_cursor: 'LTE=' })
    }
    const cursor = url.searchParams.get('next_cursor') ?? 'MA=='
    const page = cursor === 'MA==' ? 0 : Number(Buffer.from(cursor, 'base64').toString())
    const last = page + 1 >= this.pages.length
    send(200, {
      data: this.pages[page] ?? [],
      next_cursor: last ? 'LTE=' : Buffer.from(String(page + 1)).toString('base64'),
    })
  }

  private checkAuth(request: IncomingMessage, path: string, raw: string): string | undefined {
    const header = (name: string): string => String(request.headers[name] ?? '')
    const { address, apiKey, passphrase, secret } = this.account
    const timestamp = header('poly_timestamp')
    if (!/^\d{10}$/.test(timestamp) || Math.abs(Number(timestamp) - Date.now() / 1000) > 60)
      return 'timestamp'
    if (header('poly_address').toLowerCase() !== address.toLowerCase()) return 'address'
    if (header('poly_api_key') !== apiKey) return 'api key'
    if (header('poly_passphrase') !== passphrase) return 'passphrase'
    const expected = hmacOf(secret, `${timestamp}${request.method}${path}${raw}`)
    return header('poly_signature') === expected ? undefined : 'signature'
  }

  private checkOrder({ order, owner, orderType, deferExec }: OrderBody): string | undefined {
    if (owner !== this.account.apiKey) return 'owner'
    if (orderType !== 'FAK' || deferExec !== false || order.expiration !== '0') return 'form'
    if (typeof order.salt !== 'number' || !Number.isSafeInteger(order.salt)) return 'salt'
    if (order.maker.toLowerCase() !== this.account.funder.toLowerCase()) return 'maker'
    if (order.side === 'BUY' && BigInt(order.makerAmount) % 10_000n !== 0n) {
      return 'invalid amounts, the market buy orders maker amount supports a max accuracy of 2 decimals'
    }
    const digest = orderDigest(order, this.negRisk ? NEG_RISK : STANDARD)
    const signer = recoverAddress(digest, order.signature)
    return signer === order.signer.toLowerCase() && signer === this.account.address.toLowerCase()
      ? undefined
      : 'order_version_mismatch'
  }
}
