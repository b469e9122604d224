/** A small Polymarket client of the tests' own, beside the signing of `harness.ts`. */

import {
  call,
  l2Headers,
  newOrder,
  until,
  type Answer,
  type Bench,
  type Connection,
  type Json,
  type OrderFields,
  type Wallet,
} from './harness.js'

/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return -- foreign JSON, asserted by field */

/** No test waits for the venue: a tenth of its times, and delays that leave room to look. */
export const FAST_PACE = { secondsDelay: 0.3, visibleMs: 20, minedMs: 120, confirmedMs: 250 }

export interface Market {
  readonly conditionId: string
  readonly tokens: [string, string]
  readonly tick: number
  readonly negRisk: boolean
}

export async function marketsOf(bench: Bench): Promise<Market[]> {
  const { body } = await call(`${bench.sim.urls.gamma}/events?tag_id=100639&closed=false`)
  return body.map(({ markets }: Json) => {
    const [market] = markets
    return {
      conditionId: market.conditionId,
      tokens: JSON.parse(market.clobTokenIds),
      tick: market.orderPriceMinTickSize,
      negRisk: market.negRisk,
    }
  })
}

export const bookOf = async (bench: Bench, token: string): Promise<Json> =>
  (await call(`${bench.sim.urls.clob}/book?token_id=${token}`)).body

/** A market buy of whole cents at a limit: amounts as the venue's rounding table has them. */
export function buy(
  { wallet }: { readonly wallet: Wallet },
  token: string,
  limit: number,
  dollars: number,
  tick = 0.01,
): OrderFields {
  const unit = tick === 0.01 ? 1e4 : 1e5
  const shares = Math.floor((dollars / limit) * unit + 1e-9) / unit
  return newOrder(wallet, {
    tokenId: token,
    makerAmount: String(Math.round(dollars * 1e6)),
    takerAmount: String(Math.round(shares * 1e6)),
  })
}

/** Every event sent, in order, whether it came alone or in an array. */
export const eventsOf = ({ frames }: Connection): Json[] =>
  frames.flat().filter((event: Json) => event?.event_type !== undefined)

export const nextEvent = (
  connection: Connection,
  match: (event: Json) => boolean,
  what: string,
): Promise<Json> => until<Json>(() => eventsOf(connection).find(match), what)
/** An order for shares at a price: GTC, GTD, or any sell. */
export function limit(
  { wallet }: { readonly wallet: Wallet },
  tokenId: string,
  side: 'BUY' | 'SELL',
  price: number,
  shares: number,
): OrderFields {
  const [dollars, size] = [String(Math.round(price * shares * 1e6)), String(Math.round(shares * 1e6))]
  const [makerAmount, takerAmount] = side === 'BUY' ? [dollars, size] : [size, dollars]
  return newOrder(wallet, { tokenId, side, makerAmount, takerAmount })
}

/** A signed call of any wallet; the path may have a query. */
export function signed(bench: Bench, method: string, path: string, body?: unknown): Promise<Answer> {
  const { pathname } = new URL(path, 'http://x')
  const text = body === undefined ? '' : JSON.stringify(body)
  return call(`${bench.sim.urls.clob}${path}`, {
    method,
    headers: l2Headers(bench.wallet, method, pathname, text),
    ...(text !== '' && { body: text }),
  })
}
