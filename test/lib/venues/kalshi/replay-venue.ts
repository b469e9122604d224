/** What a REST answer is replayed with: a venue on loopback that answers well but for one call, and a client at it. */

import { expect } from 'vitest'

import { systemClock } from '../../../../src/lib/core/clock.js'
import { ArbeesError } from '../../../../src/lib/core/errors.js'
import type { OrderRequest } from '../../../../src/lib/model/order.js'
import { KalshiCatalog } from '../../../../src/lib/venues/kalshi/catalog.js'
import { KalshiGateway } from '../../../../src/lib/venues/kalshi/gateway.js'
import { KalshiRest } from '../../../../src/lib/venues/kalshi/rest.js'
import { HttpVenue, type Answer, type ReceivedRequest } from './http-venue.js'
import { rsaCredentials } from './keys.js'
import type { Json } from './recordings.js'

export interface Recording {
  /** File name: the call, and the HTTP status at its end. */
  readonly name: string
  readonly status: number
  readonly text: string
  /** The body that was sent, where it was recorded. */
  readonly sent?: Json | undefined
}

/** What a client made of it. */
export interface Said {
  /** What the client said against it; undefined when it read it all. */
  readonly refused: string | undefined
  readonly read?: unknown
  /** The same by a slow reading of the text, where the client read it. */
  readonly told?: unknown
}

const credentials = rsaCredentials()
export const T = 'KXWTACHALLENGERMATCH-26JUN11JIMLEP-LEP'
const GOOD: Readonly<Record<string, object>> = {
  '/portfolio/balance': { balance: 100_000_000 },
  '/portfolio/orders': { orders: [], cursor: '' },
  '/portfolio/fills': { fills: [], cursor: '' },
  '/portfolio/positions': { market_positions: [], cursor: '' },
  '/exchange/status': { exchange_active: true, trading_active: true },
  '/account/limits': {
    read: { bucket_capacity: 200, refill_rate: 200 },
    write: { bucket_capacity: 77, refill_rate: 77 },
  },
  '/account/endpoint_costs': { default_cost: 7, endpoint_costs: [] },
  '/series/fee_changes': { series_fee_change_arr: [] },
  '/events/fee_changes': { event_fee_changes: [], cursor: '' },
  '/events': { events: [], cursor: '' },
  '/markets': { markets: [], cursor: '' },
}
const SERIES_OF_GAMES = { series: { fee_type: 'quadratic', fee_multiplier: 1 } }

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
export const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
export const listOf = (body: Json, name: string): Json[] =>
  Array.isArray(body[name]) ? (body[name] as Json[]) : []
export const scaled = (value: unknown, by: number): number => Math.round(Number(value) * by)
/** Of a documented error; any other goes on. */
export const codeOf = (error: unknown): string => {
  if (!(error instanceof ArbeesError)) throw error
  return `${error.code}: ${error.message}`
}

/** The JSON object of a text; an empty one where there is none. */
export function bodyOf(text: string): Json {
  try {
    const body = JSON.parse(text) as unknown
    return isObject(body) ? body : {}
  } catch {
    return {}
  }
}

/** The gateway at a venue that answers as `serve` says, and as a good one where it says nothing. */
export async function withGateway<T>(
  serve: (request: ReceivedRequest) => Answer | undefined,
  use: (gateway: KalshiGateway, notices: string[], venue: HttpVenue) => Promise<T>,
): Promise<T> {
  const venue = await HttpVenue.start(credentials.privateKey)
  const notices: string[] = []
  venue.answer = (request) => {
    expect(request.signature).toBe('ok')
    return serve(request) ?? goodAnswer(request)
  }
  const gateway = new KalshiGateway({
    ...{ baseUrl: venue.baseUrl, credentials, clock: systemClock, keepWarmMs: 0, watchMs: 100 },
    onNotice: (_, text) => notices.push(text),
  })
  try {
    return await use(gateway, notices, venue)
  } finally {
    await gateway.close()
    await venue.close()
  }
}

/** A plain client at a venue that answers so, and with an empty page after it. */
export async function withRest<T>(
  { status, text }: Recording,
  list: string,
  use: (rest: KalshiRest) => Promise<T>,
): Promise<T> {
  const venue = await HttpVenue.start(credentials.privateKey)
  venue.answer = ({ query }) =>
    query.has('cursor') ? { status: 200, body: { [list]: [], cursor: '' } } : { status, body: text }
  const rest = new KalshiRest({ baseUrl: venue.baseUrl, credentials })
  try {
    return await use(rest)
  } finally {
    await rest.close()
    await venue.close()
  }
}

/** What a catalog lists where one of its calls is answered so. */
export async function listing(recording: Recording, path: RegExp, body: string | object = recording.text) {
  const venue = await HttpVenue.start(credentials.privateKey)
  const { status } = recording
  venue.answer = (request) => {
    if (!path.test(request.path) || request.path.includes('fee_changes')) return goodAnswer(request)
    return request.query.has('cursor') ? goodAnswer(request) : { status, body }
  }
  const catalog = new KalshiCatalog({ baseUrl: venue.baseUrl, credentials })
  try {
    const { event, market } = bodyOf(recording.text) as { event?: Json; market?: Json }
    const ticker = event?.['event_ticker'] ?? market?.['event_ticker']
    const first = listOf(bodyOf(recording.text), 'markets')[0]?.['ticker']
    const series = textOf(ticker) ?? textOf(first) ?? 'KXNBAGAME'
    const what = { series: series.split('-')[0]!, status: 'open' } as const
    const signal = new AbortController().signal
    return await (event === undefined ? catalog.list(what, signal) : catalog.listEvent(series, signal))
  } finally {
    await catalog.close()
    await venue.close()
  }
}

function goodAnswer({ path }: ReceivedRequest): Answer {
  const body = GOOD[path]
  if (body !== undefined) return { status: 200, body }
  if (path.startsWith('/series/')) return { status: 200, body: SERIES_OF_GAMES }
  if (path.startsWith('/markets/')) return { status: 200, body: { market: { status: 'active' } } }
  return { status: 404, body: { error: { code: 'not_found', message: 'not found' } } }
}

export const fileAt =
  ({ status, text }: Recording, path: RegExp) =>
  (request: ReceivedRequest): Answer | undefined =>
    path.test(request.path) ? { status, body: text } : undefined

export function request(more: Partial<OrderRequest>): OrderRequest {
  const order = { orderId: 'none-of-it', outcome: 'yes', side: 'buy', limitE4: 9900, sizeE2: 100 } as const
  const source = { signalId: 's', leg: 0, attempt: 0, venue: 'kalshi', marketId: T, signalMs: 1 } as const
  return { ...order, ...source, ...more }
}
