/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return -- foreign JSON, asserted by field */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/lib/core/clock.js'
import { readFaults } from '../../../src/lib/sim/fault-script.js'
import { Scenario } from '../../../src/lib/sim/scenario.js'
import type { SimulatorOptions } from '../../../src/lib/sim/simulator.js'
import {
  call,
  kalshiCall,
  kalshiHeaders,
  kalshiSocket,
  startBench,
  until,
  type Bench,
  type Connection,
  type Json,
} from './harness.js'

let dir: string
const benches: Bench[] = []
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sim-faults-'))
})
afterAll(async () => {
  for (const bench of benches) await bench.close()
  await rm(dir, { recursive: true, force: true })
})

async function startWith(lines: readonly Json[], options: Partial<SimulatorOptions>): Promise<Bench> {
  const faults = join(dir, `${benches.length}.jsonl`)
  await writeFile(faults, lines.map((line) => `${JSON.stringify({ venue: 'kalshi', ...line })}\n`).join('\n'))
  const bench = await startBench({ ...options, faults }, 'premier')
  benches.push(bench)
  return bench
}

const openTickers = async (bench: Bench): Promise<string[]> =>
  (await call(`${bench.sim.urls.kalshiRest}/markets?status=open`)).body.markets.map(
    ({ ticker }: Json) => ticker,
  )

// The script counts connections: a second try would be another one.
describe('a connection', { retry: 0 }, () => {
  const AFTER = 30
  /** The first connection has no fault: what the others should have been sent. */
  const FAULTS = [
    { fault: 'gap' },
    { fault: 'duplicate' },
    { fault: 'silent' },
    { fault: 'frozen' },
    { fault: 'silent', for_ms: 100 },
    { fault: 'frozen', for_ms: 100 },
    { fault: 'terminal', code: 10 },
    { fault: 'terminal', code: 25 },
    { fault: 'cut' },
  ]
  let bench: Bench
  let control: Connection
  let tickers: string[]
  beforeAll(async () => {
    const lines = FAULTS.map((fault, at) => ({ ...fault, connection: at + 2, after_frames: AFTER }))
    bench = await startWith(lines, { speed: 8 })
    tickers = await openTickers(bench)
    control = await subscribe()
  })

  async function subscribe(): Promise<Connection> {
    const connection = await kalshiSocket(bench)
    const params = { channels: ['orderbook_delta'], market_tickers: tickers, use_yes_price: false }
    connection.send({ id: 1, cmd: 'subscribe', params })
    return connection
  }
  const data = ({ frames }: Connection): Json[] => frames.filter(({ type }) => type.startsWith('orderbook_'))
  const deltas = (frames: readonly Json[]): string[] =>
    frames.filter(({ type }) => type === 'orderbook_delta').map(({ msg }) => JSON.stringify(msg))
  const enough = (connection: Connection, count = AFTER + 40) =>
    until(() => data(connection).length >= count, `${count} frames`)
  /** What the control was sent from the first of these on, as many as are needed. */
  const expected = async (seen: readonly string[], lost: number): Promise<string[]> => {
    const all = () => deltas(control.frames)
    const from = await until(() => all().includes(seen[0]!) && all().indexOf(seen[0]!) + 1, 'the control')
    await until(() => all().length >= from - 1 + seen.length + lost, 'the control')
    return all().slice(from - 1, from - 1 + seen.length + lost)
  }
  const seqs = (connection: Connection) => data(connection).map(({ seq }) => seq as number)
  const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

  it('loses one frame, and only that one, in a gap', async () => {
    const connection = await subscribe()
    await enough(connection)
    const seen = seqs(connection)
    expect(seen).toEqual(upTo(seen.length + 1).filter((seq) => seq !== AFTER + 1))
    const told = deltas(data(connection))
    const all = await expected(told, 1)
    all.splice(AFTER - tickers.length, 1)
    expect(told).toEqual(all)
    connection.close()
  })

  it('is sent one frame twice in a duplicate', async () => {
    const connection = await subscribe()
    await enough(connection)
    const seen = seqs(connection)
    expect(seen).toEqual(upTo(seen.length - 1).toSpliced(AFTER, 0, AFTER + 1))
    const told = deltas(data(connection))
    const twice = told.splice(AFTER - tickers.length, 1)
    expect(twice).toEqual([told[AFTER - tickers.length]])
    expect(told).toEqual(await expected(told, 0))
    connection.close()
  })

  /** Waits until the control has heard much that this connection has not. */
  const quiet = async (connection: Connection): Promise<void> => {
    await enough(connection, AFTER)
    const { length } = control.frames
    await until(() => control.frames.length > length + 20, 'the control to go on')
  }

  /** Its socket is asked for a pong, its session for a list; then much happens. */
  const ask = async (connection: Connection): Promise<{ pongs: number }> => {
    await enough(connection, AFTER)
    const heard = { pongs: 0 }
    connection.socket.on('pong', () => (heard.pongs += 1))
    connection.socket.ping()
    connection.send({ id: 9, cmd: 'list_subscriptions' })
    return heard
  }

  it('hears nothing more while silent, but pongs', async () => {
    const connection = await subscribe()
    const heard = await ask(connection)
    await until(() => heard.pongs === 1, 'the pong')
    await quiet(connection)
    expect(data(connection)).toHaveLength(AFTER)
    expect(connection.frames.some(({ id }) => id === 9)).toBe(false)
    connection.close()
  })

  it('is not even read while frozen', async () => {
    const connection = await subscribe()
    const heard = await ask(connection)
    await quiet(connection)
    expect([heard.pongs, data(connection).length]).toEqual([0, AFTER])
    connection.close()
  })

  it.each(['silent', 'frozen'])('goes on behind a gap after it was %s', async (how) => {
    const connection = await subscribe()
    const heard = await ask(connection)
    await enough(connection)
    const seen = seqs(connection)
    const lost = seen[AFTER]! - AFTER - 1
    expect(lost).toBeGreaterThan(0)
    expect(seen).toEqual(upTo(seen.length + lost).filter((seq) => seq <= AFTER || seq > AFTER + lost))
    const told = deltas(data(connection))
    const all = await expected(told, lost)
    all.splice(AFTER - tickers.length, lost)
    expect(told).toEqual(all)
    // What was asked meanwhile is answered late by the one that did not read.
    await until(() => heard.pongs === 1, 'the pong')
    if (how === 'frozen') await connection.next(({ id }) => id === 9, 'the answer')
    connection.close()
  })

  it.each([10, 25])('has its subscriptions ended by error %i, and may subscribe again', async (code) => {
    const connection = await subscribe()
    const error = await connection.next(({ type }) => type === 'error', 'the error')
    expect(error).toEqual({ type: 'error', sid: 1, seq: AFTER + 1, msg: { code, msg: expect.any(String) } })
    connection.send({ id: 2, cmd: 'list_subscriptions' })
    expect((await connection.next(({ id }) => id === 2, 'the list')).msg).toEqual([])
    expect(data(connection)).toHaveLength(AFTER)
    const params = { channels: ['orderbook_delta'], market_tickers: tickers, use_yes_price: false }
    connection.send({ id: 3, cmd: 'subscribe', params })
    await until(() => data(connection).filter(({ sid }) => sid === 2).length > 20, 'the new subscription')
    const again = data(connection).filter(({ sid }) => sid === 2)
    expect(again.map(({ seq }) => seq)).toEqual(upTo(again.length))
    connection.close()
  })

  it('is cut without a word, and the next one is as any other', async () => {
    const connection = await subscribe()
    const code = await new Promise((resolve) => connection.socket.once('close', resolve))
    expect(code).toBe(1006)
    expect(data(connection)).toHaveLength(AFTER)
    const next = await subscribe()
    await enough(next)
    expect(seqs(next)).toEqual(upTo(seqs(next).length))
    expect(seqs(control)).toEqual(upTo(seqs(control).length))
    next.close()
    control.close()
  })
})

describe('a request', { retry: 0 }, () => {
  const order = '/portfolio/events/orders'
  const paused = { error: { code: 'trading_is_paused' } }
  const busy = { error: 'too many requests' }
  /** What each create gets in turn, and whether there is an order then. */
  const TURNS: readonly [string, Json, Json, boolean][] = [
    ['503 before it was taken', { fault: 'answer', status: 503, body: {} }, { status: 503, body: {} }, false],
    ['503 after', { fault: 'answer', status: 503, body: {}, taken: true }, { status: 503, body: {} }, true],
    ['no answer, and is taken', { fault: 'hang_up', taken: true }, 'cut', true],
    ['no answer, and is not taken', { fault: 'hang_up' }, 'cut', false],
    ['a slow answer', { fault: 'slow', by_ms: 400 }, { status: 201 }, true],
    ['a page', { fault: 'answer', status: 502, body: '<html>bad gateway</html>' }, 'html', false],
    ['409', { fault: 'answer', status: 409, body: paused }, { status: 409, body: paused }, false],
    ['429', { fault: 'answer', status: 429, body: busy, times: 2 }, { status: 429, body: busy }, false],
    ['429 again', undefined, { status: 429, body: busy }, false],
    ['what the venue says', undefined, { status: 201 }, true],
  ]
  let bench: Bench
  let ticker: string
  beforeAll(async () => {
    const lines = TURNS.flatMap(([, fault], at) =>
      fault === undefined ? [] : [{ ...fault, after_requests: at, method: 'POST', path: order }],
    )
    bench = await startWith([...lines, { fault: 'slow', by_ms: 1, at_ms: 1e9 }], { speed: 0.001 })
    ticker = (await openTickers(bench))[0]!
  })

  it('is answered wrongly in its turn, once, taken or not as the script says', async () => {
    for (const [at, [what, , answer, taken]] of TURNS.entries()) {
      const id = `turn-${at}`
      const body = {
        ...{ ticker, side: 'bid', count: '1.00', price: '0.9900', client_order_id: id },
        ...{ time_in_force: 'immediate_or_cancel', self_trade_prevention_type: 'taker_at_cross' },
      }
      const before = bench.sim.stats().orders
      const started = performance.now()
      const sent = kalshiCall(bench, 'POST', order, body)
      if (answer === 'cut') await expect(sent, what).rejects.toThrow('fetch failed')
      else if (answer === 'html') await expect(sent, what).rejects.toThrow('JSON')
      else expect(await sent, what).toMatchObject(answer)
      if (what === 'a slow answer') expect(performance.now() - started).toBeGreaterThanOrEqual(390)
      expect(bench.sim.stats().orders - before, what).toBe(taken ? 1 : 0)
      // Other calls are as ever.
      expect((await kalshiCall(bench, 'GET', '/account/limits')).status).toBe(200)
    }
    const ids = await until(async () => {
      const { body } = await kalshiCall(bench, 'GET', '/portfolio/orders')
      const listed = body.orders.map((each: Json) => each.client_order_id) as string[]
      return listed.includes('turn-9') && listed
    }, 'the last order')
    expect(ids).toEqual(TURNS.flatMap(([, , , taken], at) => (taken ? [`turn-${at}`] : [])).reverse())
  })
})

describe('the venue', { retry: 0 }, () => {
  let bench: Bench
  let tickers: string[]
  let frames: Connection
  const status = async () => (await call(`${bench.sim.urls.kalshiRest}/exchange/status`)).body
  let jumpedUs = 0
  /** A tenth of the speed, and the test turns the clock: nothing here has to be quick. */
  const clock = { ...systemClock, monoUs: () => systemClock.monoUs() + jumpedUs }
  const jump = (seconds: number) => (jumpedUs += seconds * 1e6)
  const pauses = [
    { at_ms: 1000, fault: 'pause', stops: 'trading', exchange_index: 3, for_ms: 20_000 },
    { at_ms: 6000, fault: 'pause', stops: 'exchange', for_ms: 20_000 },
    { at_ms: 11_000, fault: 'clock_skew', by_ms: -60_000, for_ms: 20_000 },
    { at_ms: 16_000, fault: 'pause', stops: 'trading', for_ms: 20_000 },
  ]
  beforeAll(async () => {
    // The script names a market of the scenario before it begins: the first games, whatever others have come to.
    const opening = new Scenario({ seed: 1, nowMs: Date.now() }).games
    tickers = opening.flatMap(({ league, kalshi }) => (league === 'nba' ? kalshi.map(({ id }) => id) : []))
    const market = tickers[0]!
    bench = await startWith([...pauses.slice(0, 3), { ...pauses[3], market }], { speed: 0.1, clock })
    frames = await kalshiSocket(bench, bench.trade)
    const some = { market_tickers: tickers, use_yes_price: false }
    frames.send({ id: 1, cmd: 'subscribe', params: { channels: ['orderbook_delta'], ...some } })
    frames.send({ id: 2, cmd: 'subscribe', params: { channels: ['market_lifecycle_v2'] } })
    for (const id of [1, 2])
      await frames.next((frame) => frame.type === 'subscribed' && frame.id === id, 'the subscription')
  })
  afterAll(() => frames.close())

  let ids = 0
  const create = async (fields: Json = {}): Promise<[number, string | undefined, string]> => {
    ids += 1
    const { status: code, body } = await kalshiCall(bench, 'POST', '/portfolio/events/orders', {
      ...{ ticker: tickers[0], side: 'bid', count: '1.00', price: '0.0100', client_order_id: `p-${ids}` },
      ...{ time_in_force: 'good_till_canceled', self_trade_prevention_type: 'taker_at_cross' },
      ...fields,
    })
    return [code, body.error?.code, body.order_id]
  }
  const cancel = async (id: string): Promise<number> =>
    (await kalshiCall(bench, 'DELETE', `/portfolio/events/orders/${id}?exchange_index=3`)).status

  it('pauses trading on a shard: no new order, no delta, and what asked for it is canceled', async () => {
    const [, , stays] = await create()
    const [, , leaves] = await create({ cancel_order_on_pause: true })
    jump(10)
    await until(async () => !(await status()).exchange_index_statuses[1].trading_active, 'the pause')
    expect(await status()).toMatchObject({
      ...{ exchange_active: true, trading_active: true },
      exchange_index_statuses: [
        { exchange_index: 0, trading_active: true },
        { exchange_index: 3, exchange_active: true, trading_active: false },
      ],
    })
    expect(await create()).toEqual([409, 'trading_is_paused', undefined])
    const deltas = () => frames.frames.filter(({ type }) => type === 'orderbook_delta')
    const { length } = deltas()
    expect(await cancel(leaves)).toBe(404)
    expect(await cancel(stays)).toBe(200)
    jump(10)
    await until(() => deltas().length > length, 'the delta of the cancel')
    expect(deltas().slice(length)).toMatchObject([{ msg: { delta_fp: '-1.00', subaccount: 0 } }])
    jump(10)
    await until(async () => (await status()).exchange_index_statuses[1].trading_active, 'the end of it')
    jump(5)
    await until(() => deltas().length > length + 5, 'the makers')
    const [again, , id] = await create()
    expect(again).toBe(201)
    expect(await cancel(id)).toBe(200)
  })

  it('stops for maintenance: nothing may change, and says until when', async () => {
    const [, , id] = await create()
    jump(40)
    await until(async () => !(await status()).exchange_active, 'the maintenance')
    const said = await status()
    expect(said).toMatchObject({ trading_active: false, intra_exchange_transfers_active: false })
    expect(Date.parse(said.exchange_estimated_resume_time)).toBeGreaterThan(Date.now() - 1000)
    expect(await create()).toEqual([409, 'exchange_is_paused', undefined])
    expect(await cancel(id)).toBe(409)
    jump(20)
    await until(async () => (await status()).exchange_active, 'the end of it')
    expect((await status()).exchange_estimated_resume_time).toBeUndefined()
    expect(await cancel(id)).toBe(200)
  })

  it('has a clock that is off: by its Date, and by what it takes for signed in time', async () => {
    const url = `${bench.sim.urls.kalshiRest}/account/limits`
    const get = (atMs: number) =>
      fetch(url, { headers: kalshiHeaders(bench.read, 'GET', new URL(url).pathname, atMs) })
    jump(35)
    const late = await until(async () => {
      const response = await get(Date.now())
      return response.status === 401 && response
    }, 'the skew')
    expect(((await late.json()) as Json).error.code).toBe('header_timestamp_expired')
    expect(Math.abs(Date.parse(late.headers.get('date')!) + 60_000 - Date.now())).toBeLessThan(3000)
    expect((await get(Date.now() - 60_000)).status).toBe(200)
    jump(20)
    const right = await until(async () => {
      const response = await get(Date.now())
      return response.status === 200 && response
    }, 'the end of it')
    expect(Math.abs(Date.parse(right.headers.get('date')!) - Date.now())).toBeLessThan(3000)
  })

  it('pauses one market: it is inactive, its sister trades', async () => {
    const [market, sister] = tickers as [string, string]
    const shown = async () => (await call(`${bench.sim.urls.kalshiRest}/markets/${market}`)).body.market
    jump(35)
    await until(async () => (await shown()).status === 'inactive', 'the pause')
    const filtered = await call(`${bench.sim.urls.kalshiRest}/markets?status=paused`)
    expect(filtered.body.markets.map(({ ticker }: Json) => ticker)).toEqual([market])
    expect(await create()).toEqual([409, 'trading_is_paused', undefined])
    expect((await create({ ticker: sister }))[0]).toBe(201)
    jump(20)
    await until(async () => (await shown()).status === 'active', 'the end of it')
    const events = frames.frames
      .filter(({ type, msg }) => type === 'market_lifecycle_v2' && msg.market_ticker === market)
      .map(({ msg }) => msg.event_type)
    expect(events).toEqual(['deactivated', 'activated'])
    expect((await create())[0]).toBe(201)
  })
})

describe('a fault script', () => {
  it.each([
    ['nonsense', 'not a JSON object'],
    [{ venue: 'polymarket' }, "no venue 'polymarket', only kalshi and poly"],
    [{ venue: 'poly', fault: 'pause', at_ms: 1, stops: 'trading' }, "'pause' does not happen at poly"],
    [{ fault: 'quake', at_ms: 1 }, "no fault 'quake'"],
    [{ fault: 'gap' }, 'one of at_ms, after_frames, after_requests says when'],
    [{ fault: 'gap', at_ms: 1, after_frames: 2 }, 'one of at_ms'],
    [{ fault: 'gap', at_ms: -1 }, 'bad at_ms: -1'],
    [{ fault: 'gap', at_ms: '1' }, 'bad at_ms: "1"'],
    [{ fault: 'gap', at_ms: 1, for_ms: 5 }, "'gap' has no field 'for_ms'"],
    [{ fault: 'terminal', at_ms: 1, code: 9 }, 'code is one of 10, 25'],
    [{ fault: 'answer', at_ms: 1 }, 'status is missing'],
    [{ fault: 'answer', at_ms: 1, status: 500, taken: 'yes' }, 'bad taken: "yes"'],
    [{ fault: 'slow', at_ms: 1, by_ms: 0.5 }, 'bad by_ms: 0.5'],
    [{ fault: 'pause', at_ms: 1, stops: 'time' }, 'stops is one of trading, exchange'],
    [{ fault: 'clock_skew', at_ms: 1 }, 'by_ms is missing'],
    [{ fault: 'fees', at_ms: 1, fee_type: 'flat' }, 'fee_type is one of quadratic'],
    [{ fault: 'fees', at_ms: 1, fee_multiplier: -1 }, 'bad fee_multiplier: -1'],
    [{ fault: 'waiver', at_ms: 1 }, 'for_ms is missing'],
    [{ fault: 'prices', at_ms: 1, structure: 'cents' }, 'structure is one of linear_cent'],
  ])('is refused whole for %j', async (line, message) => {
    const file = join(dir, 'bad.jsonl')
    const bad = typeof line === 'string' ? line : JSON.stringify({ venue: 'kalshi', ...line })
    await writeFile(file, `{"venue":"kalshi","at_ms":1,"fault":"gap"}\n\n${bad}\n`)
    const refused = { code: 'BAD_FAULTS', exit: 4, message: expect.stringContaining(`line 3: ${message}`) }
    await expect(readFaults(file)).rejects.toMatchObject(refused)
  })

  it('is named when it cannot be read', async () => {
    await expect(readFaults(join(dir, 'none.jsonl'))).rejects.toMatchObject({ code: 'BAD_FAULTS' })
  })
})
