/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return -- foreign JSON, asserted by field */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  bookHash,
  connect,
  polyGet,
  postOrder,
  refusedUpgrade,
  startBench,
  until,
  type Bench,
  type Connection,
  type Json,
} from './harness.js'
import { bookOf, buy, eventsOf, FAST_PACE, marketsOf, nextEvent, type Market } from './polymarket-client.js'

describe('the market channel', () => {
  let bench: Bench
  let markets: Market[]
  const connections: Connection[] = []

  beforeAll(async () => {
    bench = await startBench({ speed: 8, seed: 4, polyPace: FAST_PACE })
    markets = await marketsOf(bench)
  })
  afterAll(async () => {
    for (const connection of connections) connection.close()
    await bench.close()
  })

  /** A dump, unlike the book after a trade, says the tick. */
  const isDumped = (connection: Connection, token: string): boolean =>
    eventsOf(connection).some(({ asset_id, tick_size }) => asset_id === token && tick_size !== undefined)
  const open = async () => {
    const connection = await connect(bench.sim.urls.polyWs)
    connections.push(connection)
    return connection
  }

  it('dumps a subscription as one array of books whose hashes hold', async () => {
    const connection = await open()
    const [market] = markets as [Market]
    connection.send({ assets_ids: market.tokens, type: 'market', custom_feature_enabled: false })
    const dump = await connection.next((frame) => Array.isArray(frame), 'the dump')
    expect(dump.map(({ asset_id }: Json) => asset_id)).toEqual(market.tokens)
    for (const book of dump) {
      expect(book).toMatchObject({
        event_type: 'book',
        market: market.conditionId,
        timestamp: expect.stringMatching(/^\d{13}$/),
      })
      expect(book.hash).toBe(bookHash({ ...book, min_order_size: '5', neg_risk: market.negRisk }))
      const prices = (levels: Json[]) => levels.map(({ price }) => Number(price))
      expect(prices(book.bids)).toEqual(prices(book.bids).toSorted((a, b) => a - b))
      expect(prices(book.asks)).toEqual(prices(book.asks).toSorted((a, b) => b - a))
    }
    const rest = await bookOf(bench, market.tokens[0])
    expect(rest.hash).toBe(bookHash(rest))
    expect(rest).toMatchObject({ min_order_size: '5', neg_risk: market.negRisk })
    connection.close()
  })

  it('hashes every delta of every token after it, and folds to the REST book', async () => {
    const connection = await open()
    const tokens = markets.flatMap(({ tokens: ids }) => ids)
    const byCondition = new Map(markets.map((market) => [market.conditionId, market]))
    connection.send({ assets_ids: tokens, type: 'market' })
    // Prints included: the market's own small takers change last_trade_price along the way.
    await until(
      () => {
        const events = eventsOf(connection)
        const count = (type: string) => events.filter(({ event_type }) => event_type === type).length
        return count('price_change') > 250 && count('last_trade_price') > 3
      },
      'deltas and prints',
      15_000,
    )
    interface Fold {
      bids: Map<string, string>
      asks: Map<string, string>
      tick: string
      last: string
    }
    const state = new Map<string, Fold>()
    const hashOf = (token: string, market: Market, timestamp: string) => {
      const { bids, asks, tick, last } = state.get(token)!
      const levels = (side: Map<string, string>) => [...side].map(([price, size]) => ({ price, size }))
      return bookHash({
        market: market.conditionId,
        asset_id: token,
        timestamp,
        bids: levels(bids).sort((a, b) => Number(a.price) - Number(b.price)),
        asks: levels(asks).sort((a, b) => Number(b.price) - Number(a.price)),
        min_order_size: '5',
        tick_size: tick,
        neg_risk: market.negRisk,
        last_trade_price: last,
      })
    }
    let hashes = 0
    const replay = (events: Json[]) => {
      for (const event of events) {
        const market = byCondition.get(event.market)!
        if (event.event_type === 'book') {
          const side = (levels: Json[]) =>
            new Map<string, string>(levels.map(({ price, size }) => [price, size]))
          const known = state.get(event.asset_id)
          state.set(event.asset_id, {
            bids: side(event.bids),
            asks: side(event.asks),
            tick: event.tick_size ?? known!.tick,
            last: event.last_trade_price ?? known!.last,
          })
          expect(hashOf(event.asset_id, market, event.timestamp)).toBe(event.hash)
          hashes += 1
        } else if (event.event_type === 'price_change') {
          expect(event.asset_id).toBeUndefined()
          expect(event.price_changes.map(({ asset_id }: Json) => asset_id)).toEqual(market.tokens)
          const [a, b] = event.price_changes
          expect(Number(a.price) + Number(b.price)).toBeCloseTo(1, 9)
          expect(new Set([a.side, b.side])).toEqual(new Set(['BUY', 'SELL']))
          for (const { asset_id, price, size, side, hash, best_bid, best_ask } of event.price_changes) {
            const { bids, asks } = state.get(asset_id)!
            const levels = side === 'BUY' ? bids : asks
            if (size === '0') levels.delete(price)
            else levels.set(price, size)
            expect(hash).toBe(hashOf(asset_id, market, event.timestamp))
            hashes += 1
            expect(Number(best_bid)).toBe(Math.max(0, ...[...bids.keys()].map(Number)))
            expect(Number(best_ask)).toBe(Math.min(1, ...[...asks.keys()].map(Number)))
          }
        } else if (event.event_type === 'last_trade_price') {
          for (const token of market.tokens) state.get(token)!.last = event.price
        } else if (event.event_type === 'tick_size_change') {
          state.get(event.asset_id)!.tick = event.new_tick_size
        }
      }
    }
    let done = 0
    for (const token of tokens) {
      await until(async () => {
        const seen = connection.frames.length
        const rest = await bookOf(bench, token)
        if (connection.frames.length !== seen) return undefined
        const events = eventsOf(connection)
        replay(events.slice(done))
        done = events.length
        const { bids, asks, last, tick } = state.get(token)!
        const levels = (side: Map<string, string>) => [...side].sort(([a], [b]) => Number(a) - Number(b))
        const texts = (list: Json[]) => list.map(({ price, size }) => [price, size])
        expect(levels(bids)).toEqual(texts(rest.bids))
        expect(levels(asks).reverse()).toEqual(texts(rest.asks))
        expect([last, tick]).toEqual([rest.last_trade_price, rest.tick_size])
        return true
      }, 'a quiet moment')
    }
    expect(hashes).toBeGreaterThan(500)
    // It did not ask for more than books.
    const told = new Set(eventsOf(connection).map(({ event_type }) => event_type))
    expect([...told].filter((type) => /best_bid_ask|new_market|market_resolved/.test(type))).toEqual([])
    // Some events come alone, some in arrays, of one kind or of several.
    const [, ...later] = connection.frames
    const kinds = later.map((frame) =>
      Array.isArray(frame) ? new Set(frame.map((e: Json) => e.event_type)).size : 0,
    )
    expect(new Set(kinds.map((kind) => Math.min(2, kind)))).toEqual(new Set([0, 1, 2]))
    connection.close()
  })

  it("prints a trade, then both tokens' books without tick_size and last_trade_price", async () => {
    const connection = await open()
    const market = markets.find(({ negRisk }) => !negRisk)!
    const [, no] = market.tokens
    connection.send({ assets_ids: [no], type: 'market' })
    await connection.next((frame) => Array.isArray(frame), 'the dump')
    const { body } = await postOrder(
      bench,
      buy(bench, no, market.tick === 0.01 ? 0.99 : 0.999, 7, market.tick),
    )
    expect(body.status).toBe('delayed')
    const trades = await until(async () => {
      const own = (await polyGet(bench, '/data/trades')).body.data.filter(
        (trade: Json) => trade.taker_order_id === body.orderID,
      )
      return (own.length > 0 && own) as Json[]
    }, 'the trade')
    const events = await until(() => {
      const seen = eventsOf(connection)
      const index = seen.findIndex(
        ({ event_type, size, asset_id }) =>
          event_type === 'last_trade_price' && asset_id === no && size === trades.at(-1).size,
      )
      return index !== -1 && seen.length > index + trades.length && seen.slice(index)
    }, 'the print')
    expect(events[0]).toMatchObject({ market: market.conditionId, side: 'BUY' })
    const book = events.find(({ event_type }) => event_type === 'book')
    expect(book.asset_id).toBe(no)
    expect(book.tick_size).toBeUndefined()
    expect(book.last_trade_price).toBeUndefined()
    expect(eventsOf(connection).every((event) => event.event_type !== 'best_bid_ask')).toBe(true)
    connection.close()
  })

  it('dumps no book of a token above five hundred, and tells of its changes all the same', async () => {
    const connection = await open()
    const [{ tokens }] = markets as [Market]
    const unknown = (from: number) => Array.from({ length: 250 }, (_, index) => String(from + index))
    connection.send({ assets_ids: [...unknown(1), tokens[0], ...unknown(1000)], type: 'market' })
    connection.send({ assets_ids: [tokens[1]], operation: 'subscribe' })
    await until(
      () => eventsOf(connection).some(({ event_type }) => event_type === 'price_change'),
      'a change',
    )
    expect(tokens.map((token) => isDumped(connection, token))).toEqual([true, false])
    connection.close()
  })

  it('adds and drops tokens by operation, and answers PING', async () => {
    const connection = await open()
    const [first, second] = markets as [Market, Market]
    connection.send({
      assets_ids: [first.tokens[0]],
      type: 'market',
      initial_dump: false,
      custom_feature_enabled: true,
    })
    await nextEvent(connection, ({ event_type }) => event_type === 'best_bid_ask', 'best_bid_ask')
    expect(isDumped(connection, first.tokens[0])).toBe(false)
    connection.send({ assets_ids: [second.tokens[1]], operation: 'subscribe' })
    await until(() => isDumped(connection, second.tokens[1]), 'the second dump')
    expect(isDumped(connection, second.tokens[0])).toBe(false)
    connection.send({ assets_ids: [first.tokens[0]], operation: 'unsubscribe' })
    connection.send('PING')
    await connection.next((frame) => frame === 'PONG', 'PONG')
    const from = connection.frames.length
    await until(() => connection.frames.length > from + 10, 'more')
    expect(
      eventsOf(connection)
        .slice(-10)
        .every(({ market }) => market === second.conditionId),
    ).toBe(true)
    connection.close()
  })

  it('counts commands it cannot use, and has no other channel', async () => {
    const connection = await open()
    connection.send('{')
    connection.send({ assets_ids: 'x', type: 'market' })
    connection.send({ asset_ids: [markets[0]!.tokens[0]], type: 'market' })
    const refused = (why: string) => bench.sim.stats().refused[`poly:${why}`]
    await until(() => refused('ws_invalid') === 3, 'three refusals')
    expect(connection.frames).toEqual([])
    connection.send({ assets_ids: [], operation: 'explode' })
    // The first message of a connection comes once.
    connection.send({ assets_ids: [], type: 'market' })
    connection.send({ assets_ids: [], type: 'market' })
    await until(() => refused('ws_operation') === 2, 'two refusals')
    await until(() => connection.frames.length === 2, 'two answers')
    expect(connection.frames).toEqual(['INVALID OPERATION', 'INVALID OPERATION'])
    const user = await refusedUpgrade(bench.sim.urls.polyWs.replace('/market', '/user'), {})
    expect(user.status).toBe(404)
    connection.close()
  })
})

describe('the end of a game', () => {
  it('makes the tick finer near the edge, empties the book and resolves', async () => {
    const bench = await startBench({ speed: 60, seed: 2, polyPace: FAST_PACE })
    try {
      const markets = await marketsOf(bench)
      const coarse = markets.find(({ tick }) => tick === 0.01)!
      const connection = await connect(bench.sim.urls.polyWs)
      connection.send({ assets_ids: coarse.tokens, type: 'market', custom_feature_enabled: true })
      const isChange = ({ event_type }: Json) => event_type === 'tick_size_change'
      const change = await nextEvent(connection, isChange, 'the tick')
      expect(change).toMatchObject({
        market: coarse.conditionId,
        old_tick_size: '0.01',
        new_tick_size: '0.001',
      })
      const events = eventsOf(connection)
      const index = events.indexOf(change)
      expect(events.slice(index, index + 4).map(({ event_type }) => event_type)).toEqual([
        'tick_size_change',
        'tick_size_change',
        'book',
        'book',
      ])
      const isResolved = ({ event_type }: Json) => event_type === 'market_resolved'
      const resolved = await nextEvent(connection, isResolved, 'the resolution')
      expect(coarse.tokens).toContain(resolved.winning_asset_id)
      const rest = await bookOf(bench, coarse.tokens[0])
      expect([rest.bids, rest.asks]).toEqual([[], []])
      expect(rest.hash).toBe(bookHash(rest))
      const isNew = ({ event_type }: Json) => event_type === 'new_market'
      const fresh = await nextEvent(connection, isNew, 'a new game')
      expect(fresh.clob_token_ids).toHaveLength(2)
      const closed = await postOrder(bench, buy(bench, coarse.tokens[0], 0.5, 10, 0.001))
      expect(closed.body.error).toMatch(/not yet ready/)
      connection.close()
    } finally {
      await bench.close()
    }
  })
})
