/** The CLOB's REST interface, and the one table of what its error texts mean. */

import type { Clock } from '../../core/clock.js'
import { sanitize } from '../../core/sanitize.js'
import { addressOf, l2Headers, type PolymarketCredentials } from './auth.js'
import type { FrameVerdict } from '../ports.js'
import type { BookEvent } from './events.js'
import { parseBookBody, parseBooksBody } from './frames.js'
import { parseJson, VenueHttp, type HttpRequest, type HttpResult } from './http.js'

export interface PolymarketRestOptions {
  readonly restUrl: string
  /** Its wall clock dates the L2 headers. */
  readonly clock: Clock
  readonly credentials?: PolymarketCredentials
  readonly bookTimeoutMs?: number
  readonly queryTimeoutMs?: number
  readonly orderTimeoutMs?: number
}

/** Most tokens of one `POST /books`. */
export const MAX_BOOKS = 500

export type BookAnswer =
  | { readonly kind: 'books'; readonly books: readonly BookEvent[] }
  /** The venue spoke, and gave no book. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string }

export class PolymarketRest {
  readonly http: VenueHttp
  /** Orders have connections of their own: no read may stand in their way. */
  private readonly orders: VenueHttp
  private readonly address: string | undefined

  constructor(private readonly options: PolymarketRestOptions) {
    this.http = new VenueHttp(options.restUrl)
    this.orders = new VenueHttp(options.restUrl)
    this.address = options.credentials === undefined ? undefined : addressOf(options.credentials.privateKey)
  }

  /** `GET /book` of one token. Never rejects. */
  async book(tokenId: string, signal: AbortSignal): Promise<BookAnswer> {
    const text = await this.ask({ method: 'GET', path: `/book?token_id=${tokenId}`, signal })
    if (typeof text !== 'string') return text
    const book = parseBookBody(text)
    return 'type' in book ? { kind: 'books', books: [book] } : unreadable(book)
  }

  /** `POST /books` of at most 500 tokens. Books that the venue leaves out, or that are unreadable, are missing. Never rejects. */
  async books(tokenIds: readonly string[], signal: AbortSignal): Promise<BookAnswer> {
    const body = JSON.stringify(tokenIds.map((token_id) => ({ token_id })))
    const text = await this.ask({ method: 'POST', path: '/books', body, signal })
    if (typeof text !== 'string') return text
    const answers = parseBooksBody(text)
    if ('kind' in answers) return unreadable(answers)
    return { kind: 'books', books: answers.flatMap((answer) => ('type' in answer ? [answer] : [])) }
  }

  /** `GET /version`: which order version the venue takes. Opens a connection for orders. */
  version(): Promise<HttpResult> {
    return this.orders.send({
      method: 'GET',
      path: '/version',
      timeoutMs: this.options.queryTimeoutMs ?? 3000,
    })
  }

  /** `POST /order`, once. */
  postOrder(body: string, watch: Pick<HttpRequest, 'onBytes' | 'mayGo'>): Promise<HttpResult> {
    const timeoutMs = this.options.orderTimeoutMs ?? 5000
    return this.signed(this.orders, { method: 'POST', path: '/order', timeoutMs, body, ...watch })
  }

  /** `DELETE /order` of one order. */
  cancel(orderId: string): Promise<HttpResult> {
    const timeoutMs = this.options.queryTimeoutMs ?? 3000
    const body = JSON.stringify({ orderID: orderId })
    return this.signed(this.http, { method: 'DELETE', path: '/order', timeoutMs, body })
  }

  /** `GET /data/order/{id}`: active orders alone. */
  order(orderId: string): Promise<HttpResult> {
    return this.read(`/data/order/${orderId}`)
  }

  /** `GET /data/trades` of one trade. */
  trade(id: string): Promise<HttpResult> {
    return this.read(`/data/trades?${new URLSearchParams({ id }).toString()}`)
  }

  /** One page of `GET /data/trades` of a token. */
  trades(assetId: string, cursor: string): Promise<HttpResult> {
    const query = new URLSearchParams({ asset_id: assetId, next_cursor: cursor })
    return this.read(`/data/trades?${query.toString()}`)
  }

  async close(): Promise<void> {
    await Promise.all([this.http.close(), this.orders.close()])
  }

  /** The body of a public answer. */
  private async ask(request: Omit<HttpRequest, 'timeoutMs'>): Promise<string | BookAnswer> {
    const result = await this.http.send({ ...request, timeoutMs: this.options.bookTimeoutMs ?? 2000 })
    if (result.kind === 'failed') return { kind: 'failed', reason: result.message }
    if (result.status === 200) return result.text
    return {
      kind: 'refused',
      reason: `status ${result.status}: ${sanitize(errorText(result.text), 120)}`,
    }
  }

  private read(path: string): Promise<HttpResult> {
    const timeoutMs = this.options.queryTimeoutMs ?? 3000
    return this.signed(this.http, { method: 'GET', path, timeoutMs })
  }

  private signed(http: VenueHttp, request: HttpRequest): Promise<HttpResult> {
    const { credentials, clock } = this.options
    if (credentials === undefined || this.address === undefined) {
      return Promise.resolve({
        kind: 'failed',
        sent: false,
        code: 'NO_CREDENTIALS',
        message: 'no credentials',
      })
    }
    const { method, path, body } = request
    const signed = { method, path, ...(body === undefined ? {} : { body }), nowMs: clock.nowMs() }
    return http.send({ ...request, headers: l2Headers(credentials, this.address, signed) })
  }
}

const unreadable = (verdict: FrameVerdict): BookAnswer => ({
  kind: 'refused',
  reason: verdict.kind === 'refused' ? `${verdict.reason}: ${verdict.detail}` : verdict.name,
})

/** What an answer that is no acceptance means. `none`: the order was taken and matched nothing. */
export interface Refusal {
  readonly kind: 'rejected' | 'none'
  readonly code: string
  readonly message: string
}

interface RefusalRow {
  readonly code: string
  readonly kind?: 'none'
  readonly status?: number
  readonly text?: RegExp
}

/** The first row that fits decides. A row with a status and no text holds for any body of that status. */
const REFUSALS: readonly RefusalRow[] = [
  { code: 'NO_MATCH', kind: 'none', text: /no orders found to match with FAK order/i },
  { code: 'NOT_FILLED_WHOLE', kind: 'none', text: /order couldn't be fully filled/i },
  { code: 'INSUFFICIENT_BALANCE', text: /not enough balance|insufficient balance/i },
  { code: 'POST_ONLY_CROSSES', text: /invalid post-only order/i },
  { code: 'POST_ONLY_MODE', text: /post-only mode|post_only_mode/i },
  { code: 'MARKET_NOT_READY', text: /market is not yet ready to process new orders/i },
  { code: 'INVALID_EXPIRATION', text: /invalid expiration/i },
  { code: 'TICK_SIZE', text: /breaks minimum tick size/i },
  { code: 'SIZE_BELOW_MINIMUM', text: /size .* lower than the minimum/i },
  { code: 'INVALID_AMOUNTS', text: /invalid amounts/i },
  { code: 'INVALID_ORDER', text: /^invalid order payload|^invalid signature/i },
  { code: 'NOT_OF_THIS_API_KEY', text: /order (owner|signer address) has to be/i },
  { code: 'MAKER_NOT_ALLOWED', text: /maker address not allowed/i },
  { code: 'ACCOUNT_RESTRICTED', text: /address .*(banned|closed only mode)/i },
  { code: 'NO_ORDERBOOK', text: /orderbook .* does not exist|no orderbook exists/i },
  { code: 'ORDER_VERSION_MISMATCH', text: /order_version_mismatch/i },
  { code: 'REGION_RESTRICTED', text: /trading restricted in your region/i },
  { code: 'TRADING_DISABLED', text: /trading is currently disabled/i },
  { code: 'CANCEL_ONLY', text: /cancel-only/i },
  { code: 'UNAUTHORIZED', text: /unauthorized|invalid api key|invalid l1 request headers/i },
  { code: 'RATE_LIMITED', text: /too many requests/i },
  { code: 'UNAUTHORIZED', status: 401 },
  { code: 'ENGINE_RESTARTING', status: 425 },
  { code: 'RATE_LIMITED', status: 429 },
]

/** The documented meaning of an error answer; undefined for one that explains nothing. */
export function classifyRefusal(status: number, body: string): Refusal | undefined {
  const message = errorText(body)
  const row = REFUSALS.find(({ status: rowStatus, text }) =>
    text === undefined ? rowStatus === status : text.test(message),
  )
  if (row === undefined) return undefined
  return {
    kind: row.kind ?? 'rejected',
    code: row.code,
    message: sanitize(message, 200) || `status ${status}`,
  }
}

/** The error of a JSON answer, or a short plain text; empty for a page of HTML, which is not the venue speaking. */
export function errorText(body: string): string {
  const json = parseJson(body)
  if (typeof json === 'string') return json
  if (typeof json !== 'object' || json === null) return body.length <= 300 && !/^\s*</.test(body) ? body : ''
  const fields = json as { readonly error?: unknown; readonly errorMsg?: unknown; readonly code?: unknown }
  return [fields.error, fields.errorMsg, fields.code].filter((text) => typeof text === 'string').join(' ')
}
