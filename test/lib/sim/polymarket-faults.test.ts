/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return -- foreign JSON, asserted by field */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/lib/core/clock.js'
import { classifyRefusal } from '../../../src/lib/venues/polymarket/rest.js'
import type { SimulatorOptions } from '../../../src/lib/sim/simulator.js'
import {
  call,
  connect,
  postOrder,
  startBench,
  until,
  type Answer,
  type Bench,
  type Connection,
  type Json,
  type PostOptions,
} from './harness.js'
import {
  bookOf,
  buy,
  eventsOf,
  FAST_PACE,
  limit,
  marketsOf,
  signed,
  type Market,
} from './polymarket-client.js'

let dir: string
const benches: Bench[] = []
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sim-poly-faults-'))
})
afterAll(async () => {
  for (const bench of benches) await bench.close()
  await rm(dir, { recursive: true, force: true })
})

async function startWith(lines: readonly Json[], options: Partial<SimulatorOptions>): Promise<Bench> {
  const faults = join(dir, `${benches.length}.jsonl`)
  await writeFile(faults, lines.map((line) => `${JSON.stringify({ venue: 'poly', ...line })}\n`).join('\n'))
  const bench = await startBench({ ...options, faults })
  benches.push(bench)
  return bench
}

// The script counts connections: a second try would be another one.
describe('a connection', { retry: 0 }, () => {
  const AFTER = 20
  /** The first connection has no fault: what the others should have been sent. */
  const FAULTS = [
    { fault: 'gap' },
    { fault: 'duplicate' },
    { fault: 'reorder' },
    { fault: 'silent' },
    { fault: 'frozen' },
    { fault: 'silent', for_ms: 100 },
    { fault: 'cut' },
  ]
  let bench: Bench
  let control: Connection
  let tokens: string[]
  beforeAll(async () => {
    const lines = FAULTS.map((fault, at) => ({ ...fault, connection: at + 2, after_frames: AFTER }))
    bench = await startWith(lines, { speed: 10 })
    tokens = (await marketsOf(bench)).flatMap((market) => market.tokens)
    control = await subscribe()
  })

  async function subscribe(): Promise<Connection> {
    const connection = await connect(bench.sim.urls.polyWs)
    connection.send({ assets_ids: tokens, type: 'market', initial_dump: false })
    return connection
  }
  const texts = (frames: readonly Json[]): string[] =>
    frames.flat().map((event: Json) => JSON.stringify(event))
  const enough = (connection: Connection, count = AFTER + 15) =>
    until(() => connection.frames.length >= count, `${count} frames`)
  /** What the control was sent from this event on, long enough to compare with. */
  const controlFrom = async (first: string, count: number): Promise<string[]> => {
    await until(() => texts(control.frames).includes(first), 'the control')
    const from = texts(control.frames).indexOf(first)
    await until(() => texts(control.frames).length >= from + count + 5, 'the control to go on')
    return texts(control.frames).slice(from)
  }
  /** The frames of a connection up to the fault, the one or two that it hit, and what came behind. */
  const parts = async (hit: number) => {
    const connection = await subscribe()
    await enough(connection)
    connection.close()
    const told = connection.frames
    const all = await controlFrom(texts(told)[0]!, texts(told).length)
    const cut = (from: number, to?: number) => texts(told.slice(from, to))
    return { before: cut(0, AFTER), hit: cut(AFTER, AFTER + hit), after: cut(AFTER + hit), all }
  }

  it('loses one frame, and only that one, in a gap', async () => {
    const { before, after, all } = await parts(0)
    expect(all.slice(0, before.length)).toEqual(before)
    const lost = all.indexOf(after[0]!) - before.length
    // A frame holds up to four events.
    expect(lost).toBeGreaterThanOrEqual(1)
    expect(lost).toBeLessThanOrEqual(4)
    expect(all.slice(before.length + lost, before.length + lost + after.length)).toEqual(after)
  })

  it('is sent one frame twice in a duplicate', async () => {
    const { before, hit, after, all } = await parts(1)
    expect(after.slice(0, hit.length)).toEqual(hit)
    expect(all.slice(0, before.length + after.length)).toEqual([...before, ...after])
  })

  it('is sent one frame after the next one in a reorder', async () => {
    const { before, hit, after, all } = await parts(1)
    const held = all.indexOf(hit[0]!) - before.length
    expect(held).toBeGreaterThanOrEqual(1)
    expect(after.slice(0, held)).toEqual(all.slice(before.length, before.length + held))
    const told = [...before, ...after.slice(0, held), ...hit, ...after.slice(held)]
    expect(all.slice(0, told.length)).toEqual(told)
  })

  /** Waits until the control has heard much that this connection has not. */
  const quiet = async (connection: Connection): Promise<void> => {
    await enough(connection, AFTER)
    const { length } = control.frames
    await until(() => control.frames.length > length + 15, 'the control to go on')
    expect(connection.frames.filter((frame) => frame !== 'PONG')).toHaveLength(AFTER)
  }

  it('that is silent is open and answers PING, and is sent nothing', async () => {
    const connection = await subscribe()
    await quiet(connection)
    connection.send('PING')
    await until(() => connection.frames.at(-1) === 'PONG', 'PONG')
    await quiet(connection)
    connection.close()
  })

  it('that is frozen does not even answer', async () => {
    const connection = await subscribe()
    await quiet(connection)
    connection.send('PING')
    await quiet(connection)
    expect(connection.frames).not.toContain('PONG')
    connection.close()
  })

  it('goes on when its silence is over, without what was missed', async () => {
    const connection = await subscribe()
    await enough(connection, AFTER + 5)
    const [first, ...told] = texts(connection.frames)
    const all = await controlFrom(first!, 200)
    expect(all.indexOf(told.at(-1)!)).toBeGreaterThan(told.length + 5)
    connection.close()
  })

  it('ends without a word when it is cut', async () => {
    const connection = await subscribe()
    let code: number | undefined
    connection.socket.once('close', (given) => (code = given))
    await until(() => code !== undefined, 'the cut')
    expect([code, connection.frames.length]).toEqual([1006, AFTER])
  })
})

describe('the venue', { retry: 0 }, () => {
  const FOR = { for_ms: 5000 }
  let jumpedUs = 0
  let bench: Bench
  let market: Market
  let coarse: Market
  let atMs = 0
  beforeAll(async () => {
    bench = await startWith(
      [
        { at_ms: 10_000, fault: 'mode', is: 'restart', ...FOR },
        { at_ms: 20_000, fault: 'mode', is: 'post_only', ...FOR },
        { at_ms: 30_000, fault: 'mode', is: 'cancel_only', ...FOR },
        { at_ms: 40_000, fault: 'mode', is: 'disabled', ...FOR },
        { at_ms: 50_000, fault: 'geoblock', ...FOR },
        { at_ms: 60_000, fault: 'stale_books', ...FOR },
        { at_ms: 70_000, fault: 'clock_skew', by_ms: -60_000, ...FOR },
        { at_ms: 80_000, fault: 'trades', end: 'failed', times: 50 },
        { at_ms: 90_000, fault: 'tick' },
        {
          after_requests: 0,
          method: 'GET',
          path: '/time',
          fault: 'answer',
          status: 502,
          body: '<h1>Bad</h1>',
        },
        { after_requests: 1, method: 'GET', path: '/version', fault: 'hang_up' },
      ],
      {
        seed: 3,
        polyPace: { ...FAST_PACE, secondsDelay: 0 },
        clock: { ...systemClock, monoUs: () => systemClock.monoUs() + jumpedUs },
      },
    )
    const markets = await marketsOf(bench)
    market = markets.find(({ tick, negRisk }) => tick === 0.001 && !negRisk)!
    // The one that goes on for longest: a game that ends takes the fine tick by itself.
    coarse = markets.findLast(({ tick, negRisk }) => tick === 0.01 && !negRisk)!
  })
  /** Scenario time goes on to this, ms. */
  const goTo = (toMs: number): void => {
    jumpedUs += (toMs - atMs) * 1000
    atMs = toMs
  }
  const post = (limitPrice = 0.999, options: PostOptions = {}): Promise<Answer> =>
    postOrder(bench, buy(bench, market.tokens[0], limitPrice, 10, 0.001), options)
  const rest = (): Promise<Answer> =>
    postOrder(bench, limit(bench, market.tokens[0], 'BUY', 0.002, 10), {
      orderType: 'GTC',
      extra: { postOnly: true },
    })
  const cancelAll = () => signed(bench, 'DELETE', '/cancel-all')
  const geoblock = async () => (await call(`${bench.sim.urls.clob}/api/geoblock`)).body.blocked
  const cash = async (): Promise<number> =>
    Number((await signed(bench, 'GET', '/balance-allowance?asset_type=COLLATERAL')).body.balance)
  const codeOf = ({ status, body }: Answer) => classifyRefusal(status, JSON.stringify(body))?.code

  it.each([
    [10_000, 425, 'the matching engine is restarting', 'ENGINE_RESTARTING', false, false],
    [
      20_000,
      503,
      'post-only mode: only post-only orders and cancels are allowed',
      'POST_ONLY_MODE',
      true,
      true,
    ],
    [
      30_000,
      503,
      'Trading is currently cancel-only. New orders are not accepted, but cancels are allowed.',
      'CANCEL_ONLY',
      true,
      false,
    ],
    [
      40_000,
      503,
      'Trading is currently disabled. Check polymarket.com for updates',
      'TRADING_DISABLED',
      false,
      false,
    ],
  ])('in its mode at %i ms answers orders %i: %s', async (from, status, error, code, cancels, rests) => {
    goTo(from + 100)
    const answer = await until(async () => {
      const tried = await post()
      return tried.status !== 200 && tried
    }, 'the mode')
    expect(answer).toMatchObject({ status, body: { error } })
    expect(codeOf(answer)).toBe(code)
    if (code === 'POST_ONLY_MODE') {
      expect(answer.body).toMatchObject({ code: 'post_only_mode', retry_after_seconds: 5 })
    }
    expect((await rest()).status === 200).toBe(rests)
    const orders = (await signed(bench, 'GET', '/data/orders')).status
    expect(orders).toBe(code === 'ENGINE_RESTARTING' ? 425 : 200)
    // No order trades, and no maker moves, where nothing is taken at all.
    const { hash } = await bookOf(bench, coarse.tokens[0])
    goTo(atMs + 2000)
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect((await bookOf(bench, coarse.tokens[0])).hash === hash).toBe(!cancels)
    expect((await cancelAll()).status === 200).toBe(cancels)
    goTo(from + 6000)
    await until(async () => (await post()).status === 200, 'the end of it')
  })

  it('blocks a region before it asks who it is', async () => {
    expect(await geoblock()).toBe(false)
    goTo(50_100)
    await until(geoblock, 'the block')
    const answer = await post(0.999, { headers: { POLY_API_KEY: 'nobody' } })
    expect(answer.status).toBe(403)
    expect(answer.body.error).toMatch(/^Trading restricted in your region/)
    expect(codeOf(answer)).toBe('REGION_RESTRICTED')
    goTo(56_000)
    await until(async () => !(await geoblock()), 'the end of it')
    expect((await post()).status).toBe(200)
  })

  it('answers the book of some time ago while the market goes on', async () => {
    const [token] = market.tokens
    goTo(60_100)
    const read = () => bookOf(bench, token)
    await until(async () => {
      const before = await read()
      return (await post()).status === 200 && (await read()).hash === before.hash
    }, 'stale reads')
    const old = await read()
    goTo(66_000)
    await until(async () => (await read()).hash !== old.hash, 'the present')
    expect(Number((await read()).timestamp)).toBeGreaterThan(Number(old.timestamp))
  })

  it('has a clock that is off: for signatures, for its own stamps and in its headers', async () => {
    goTo(70_100)
    const date = async () => Date.parse((await fetch(`${bench.sim.urls.clob}/version`)).headers.get('date')!)
    const isSlow = async () => Date.now() - (await date()) > 50_000
    // The second request for the version is hung up on, once.
    await expect(until(isSlow, 'the skew').then(isSlow)).rejects.toThrow('fetch failed')
    await until(isSlow, 'the skew')
    const late = await post()
    expect([late.status, codeOf(late)]).toEqual([401, 'UNAUTHORIZED'])
    goTo(76_000)
    await until(async () => (await post()).status === 200, 'the right time')
  })

  it('answers with a page of HTML, once', async () => {
    const first = await fetch(`${bench.sim.urls.clob}/time`)
    expect([first.status, await first.text()]).toEqual([502, '<h1>Bad</h1>'])
    expect((await fetch(`${bench.sim.urls.clob}/time`)).status).toBe(200)
  })

  it('fails trades: what was paid comes back, and no share was ever sellable', async () => {
    const [token] = coarse.tokens
    const shares = async () => {
      const path = `/balance-allowance?asset_type=CONDITIONAL&token_id=${token}`
      return Number((await signed(bench, 'GET', path)).body.balance)
    }
    // Whatever traded before is settled.
    const trades = async (): Promise<Json[]> => (await signed(bench, 'GET', '/data/trades')).body.data
    await until(async () => (await trades()).every(({ status }) => status === 'CONFIRMED'), 'rest')
    const before = [await cash(), await shares()]
    goTo(80_100)
    const known = new Set((await trades()).map(({ id }) => id))
    await new Promise((resolve) => setTimeout(resolve, 30))
    const { body } = await postOrder(bench, buy(bench, token, 0.99, 8))
    expect(body).toMatchObject({ success: true, status: 'matched' })
    const seen = new Set<string>()
    const own = async () => (await trades()).filter(({ id }) => !known.has(id))
    await until(async () => {
      const found = await own()
      for (const { status } of found) seen.add(status)
      return found.length > 0 && found.every(({ status }) => status === 'FAILED')
    }, 'the failure')
    expect([...seen].filter((status) => status !== 'MATCHED' && status !== 'RETRYING')).toEqual(['FAILED'])
    expect((await own()).map(({ transaction_hash: hash }) => hash)).toEqual((await own()).map(() => ''))
    expect([await cash(), await shares()]).toEqual(before)
    const sell = await postOrder(bench, limit(bench, token, 'SELL', 0.01, 5), { orderType: 'FAK' })
    expect(codeOf(sell)).toBe('INSUFFICIENT_BALANCE')
  })

  it('makes a tick finer: told on the feed, and a price that was refused is taken', async () => {
    const feed = await connect(bench.sim.urls.polyWs)
    feed.send({ assets_ids: [coarse.tokens[0]], type: 'market' })
    await until(() => eventsOf(feed).length > 0, 'the dump')
    const fine = () =>
      postOrder(bench, limit(bench, coarse.tokens[0], 'BUY', 0.011, 10), { orderType: 'GTC' })
    const early = await fine()
    expect(early.body.error).toMatch(
      /^order 0x[0-9a-f]{64} is invalid\. Price breaks minimum tick size rules$/,
    )
    expect(codeOf(early)).toBe('TICK_SIZE')
    goTo(90_100)
    const isTick = ({ event_type: type }: Json) => type === 'tick_size_change'
    const told = await until<Json>(() => eventsOf(feed).find(isTick), 'the change')
    expect(told).toMatchObject({ old_tick_size: '0.01', new_tick_size: '0.001' })
    expect((await fine()).body.status).toBe('live')
    feed.close()
  })

  it('limits how often it may be asked: the 101st question for a key in ten seconds is one too many', async () => {
    const statuses = new Map<number, number>()
    let last: Answer | undefined
    for (let asked = 0; asked < 110; asked += 1) {
      last = await call(`${bench.sim.urls.clob}/auth/derive-api-key`)
      statuses.set(last.status, (statuses.get(last.status) ?? 0) + 1)
    }
    expect(last).toEqual({ status: 429, body: { error: 'Too Many Requests' } })
    expect(codeOf(last!)).toBe('RATE_LIMITED')
    expect(statuses.get(401)).toBeLessThanOrEqual(100)
    expect((await call(`${bench.sim.urls.clob}/version`)).status).toBe(200)
  })
})
