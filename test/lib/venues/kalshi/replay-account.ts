/** Recorded answers about the account and the exchange, at the gateway, its watch and its admission. */

import type { Answer, ReceivedRequest } from './http-venue.js'
import { gameMarket } from './markets.js'
import type { Json } from './recordings.js'
import { until } from './until.js'
import {
  T,
  bodyOf,
  codeOf,
  fileAt,
  listOf,
  request,
  scaled,
  withGateway,
  type Recording,
  type Said,
} from './replay-venue.js'

const NOTHING_YET = { positions: new Map(), markets: [], accepted: new Map(), isOurs: () => false }

/** The money of each order that it names, and each fill seen by the watch as nobody's. */
export async function replayFills(recording: Recording): Promise<Said> {
  const body = bodyOf(recording.text)
  const fills = 'fills' in body ? listOf(body, 'fills') : [body]
  const list = 'fills' in body ? { ...body, cursor: '' } : { fills, cursor: '' }
  const alarms: string[] = []
  return withGateway(
    ({ path }) =>
      path === '/portfolio/fills'
        ? { status: 200, body: list }
        : path.startsWith('/portfolio/orders/')
          ? { status: 200, body: { order: { client_order_id: 'somebody' } } }
          : undefined,
    async (gateway, notices, venue) => {
      const money: unknown[] = []
      const told: unknown[] = []
      for (const orderId of new Set(fills.map((fill) => String(fill['order_id'])))) {
        const own = fills.filter((fill) => fill['order_id'] === orderId)
        const filledE6 = own.reduce((sum, fill) => sum + scaled(fill['count_fp'], 1e6), 0)
        const cash = own.reduce(
          (sum, fill) => sum + Number(fill['yes_price_dollars']) * Number(fill['count_fp']),
          0,
        )
        const fees = own.reduce((sum, fill) => sum + scaled(fill['fee_cost'], 1e6), 0)
        told.push([Math.ceil(Number((cash * 1e6).toFixed(3))), fees])
        try {
          const prepared = gateway.prepare(request({}), gameMarket({ marketId: T }))
          const report = await gateway.report(prepared, { venueOrderId: orderId, filledE6 })
          money.push([report.cashMicros, report.feesMicros])
        } catch (error) {
          return { refused: codeOf(error) }
        }
      }
      gateway.watch(NOTHING_YET, ({ text }) => alarms.push(text))
      const looks = () => venue.of('/portfolio/fills').length
      const before = looks()
      await until('the watch looked', () => notices.length > 0 || looks() >= before + 2)
      if (notices[0] !== undefined) return { refused: notices[0] }
      const seen = (alarm: string) => / fill|^fill (\S+) of (\S+) in/.exec(alarm)?.slice(1).join(' ')
      const names = fills.map((fill) => `${String(fill['trade_id'])} ${Number(fill['count_fp']).toFixed(6)}`)
      return { refused: undefined, read: [money, alarms.map(seen)], told: [told, names] }
    },
  )
}

export async function replayPositions(recording: Recording): Promise<Said> {
  const positions = listOf(bodyOf(recording.text), 'market_positions')
  const told = positions
    .filter((position) => Number(position['position_fp']) !== 0)
    .map(({ ticker, position_fp: size }) => `${Number(size).toFixed(6)} in ${String(ticker)}`)
  const serve = ({ path, query }: ReceivedRequest): Answer | undefined =>
    path !== '/portfolio/positions'
      ? undefined
      : query.has('cursor')
        ? { status: 200, body: { market_positions: [], cursor: '' } }
        : { status: recording.status, body: recording.text }
  return withGateway(serve, async (gateway, notices, venue) => {
    const alarms: string[] = []
    gateway.watch(NOTHING_YET, ({ text }) => alarms.push(text))
    const looks = () => venue.of('/portfolio/positions').filter(({ query }) => !query.has('cursor')).length
    await until('the watch looked twice', () => notices.length > 0 || looks() >= 3)
    if (notices[0] !== undefined) return { refused: notices[0] }
    const read = alarms.map((alarm) => /a position of (.*), the ledger explains 0\.000000$/.exec(alarm)?.[1])
    return { refused: undefined, read: read.sort(), told: told.sort() }
  })
}

/** What an entry beyond all money is told that it may spend, on each shard and on one that holds nothing. */
export async function replayMoney(recording: Recording): Promise<Said> {
  const body = bodyOf(recording.text)
  return withGateway(fileAt(recording, /^\/portfolio\/balance$/), async (gateway, notices) => {
    await gateway.warm()
    if (notices[0] !== undefined) return { refused: notices[0] }
    const total =
      body['balance_dollars'] === undefined
        ? scaled(body['balance'], 1e4)
        : scaled(body['balance_dollars'], 1e6)
    const shards = listOf(body, 'balance_breakdown').map((each) => [
      each['exchange_index'],
      scaled(each['balance'], 1e6),
    ])
    const free = (exchangeIndex?: number) => {
      const market = gameMarket({ marketId: T, ...(exchangeIndex === undefined ? {} : { exchangeIndex }) })
      return gateway.admit([{ market, worstMicros: Number.MAX_SAFE_INTEGER }])?.checks[0]?.limit
    }
    const read = [free(), ...shards.map(([shard]) => [shard, free(Number(shard))]), free(99)]
    return { refused: undefined, read, told: [total, ...shards, 'balance_breakdown' in body ? 0 : total] }
  })
}

/** What twelve hundred orders at once would cost, and how much there is. */
export async function replayLearned(recording: Recording, path: RegExp): Promise<Said> {
  const body = bodyOf(recording.text)
  return withGateway(fileAt(recording, path), async (gateway, notices) => {
    await gateway.warm()
    if (notices[0] !== undefined) return { refused: notices[0] }
    const orders = Array.from({ length: 1200 }, () => ({ market: gameMarket(), worstMicros: 0 }))
    const denial = gateway.admit(orders)
    const own = listOf(body, 'endpoint_costs').find(
      (each) => each['method'] === 'POST' && each['path'] === '/trade-api/v2/portfolio/events/orders',
    )
    const cost = Number(own?.['cost'] ?? body['default_cost'] ?? 7)
    const capacity = Number((body['write'] as Json | undefined)?.['bucket_capacity'] ?? 77)
    const told = {
      code: 'RATE_LIMITED',
      checks: [{ name: 'write_tokens', value: 1200 * cost, limit: capacity }],
    }
    return { refused: undefined, read: denial, told }
  })
}

export async function replayStatus(recording: Recording): Promise<Said> {
  const body = bodyOf(recording.text)
  return withGateway(fileAt(recording, /^\/exchange\/status$/), async (gateway, notices) => {
    await gateway.warm()
    if (notices[0]?.includes('documented form') === true) return { refused: notices[0] }
    const trades = (flags: Json) => flags['exchange_active'] === true && flags['trading_active'] === true
    const shards = listOf(body, 'exchange_index_statuses')
    const ask = (exchangeIndex: number) =>
      gateway.admit([{ market: gameMarket({ exchangeIndex }), worstMicros: 0 }])?.code !== 'EXCHANGE_PAUSED'
    const indexes = shards.length === 0 ? [0, 3] : shards.map((shard) => Number(shard['exchange_index']))
    const told = indexes.map((index) => {
      const own = shards.find((shard) => shard['exchange_index'] === index) ?? body
      return trades(own) && (index !== 0 || trades(body))
    })
    return { refused: undefined, read: indexes.map(ask), told }
  })
}
