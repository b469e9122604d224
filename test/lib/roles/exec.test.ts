import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Publisher as RawPublisher } from 'zeromq'
import { afterEach, describe, expect, it } from 'vitest'
import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import { RecoveryClient } from '../../../src/lib/bus/recovery/recovery-client.js'
import { Subscriber } from '../../../src/lib/bus/subscriber.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import type { SettingKey, Settings } from '../../../src/lib/core/config.js'
import { EXIT } from '../../../src/lib/core/errors.js'
import { haltPath, latchPath, readLatch, writeLatch } from '../../../src/lib/execution/halt-files.js'
import { Ledger } from '../../../src/lib/execution/ledger.js'
import { gamesPayload, signalsPayload } from '../../../src/lib/messages/convert.js'
import type {
  Header,
  OrdersPayload,
  OrderbookPayload,
  TradesPayload,
} from '../../../src/lib/messages/payloads.js'
import type { GameMarket, GameState, GameStatus } from '../../../src/lib/model/game.js'
import type { Signal, StrategySignal } from '../../../src/lib/model/signal.js'
import type { DrainTiming } from '../../../src/lib/roles/exec-drain.js'
import { runExec } from '../../../src/lib/roles/exec.js'
import { createSimAccounts } from '../../../src/lib/sim/accounts.js'
import { startSimulator } from '../../../src/lib/sim/simulator.js'
import { KalshiCatalog } from '../../../src/lib/venues/kalshi/catalog.js'
import { loadKalshiCredentials } from '../../../src/lib/venues/kalshi/auth.js'
import { KalshiGateway } from '../../../src/lib/venues/kalshi/gateway.js'
import { PolymarketCatalog } from '../../../src/lib/venues/polymarket/catalog.js'
import { GAME_ID, kalshiMarket, polyMarket, signal } from '../risk/samples.js'
import { freePort } from '../free-port.js'
import { until } from '../poll.js'
import { testRole } from './role-harness.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'arbees-exec-'))
  cleanups.push(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

const TEAM = { code: 'MIA', name: 'Miami', score: 0 }
const gameOf = (markets: readonly GameMarket[], status: GameStatus = 'live'): GameState => ({
  league: 'nba',
  gameId: GAME_ID,
  home: TEAM,
  away: { ...TEAM, code: 'BOS' },
  status,
  period: 1,
  startMs: 0,
  provider: 'test',
  fetchedMs: 0,
  markets,
  shard: 0,
})

interface Heard<T> {
  readonly topic: string
  readonly header: Header
  readonly payload: T
}

/** A real exec, with the four publishers that it hears played by the test. */
async function stage(
  env: Settings['env'],
  flags: Partial<Record<SettingKey, string>> = {},
  { drain, recovers = true }: { drain?: DrainTiming; recovers?: boolean } = {},
) {
  const publishers = new Map<string, Publisher>()
  for (const name of ['kalshi', 'poly', 'orchestrator', 'shard-0']) {
    const publisher = await Publisher.bind({
      name,
      url: 'tcp://127.0.0.1:*',
      env,
      clock: systemClock,
      sources: sourcesOf(name),
    })
    cleanups.push(() => publisher.close())
    publishers.set(name, publisher)
  }
  const urlOf = (name: string) => publishers.get(name)!.url
  const dataDir = flags.data_dir ?? folder()
  const role = testRole('exec', {
    env,
    data_dir: dataDir,
    'endpoints.kalshi': urlOf('kalshi'),
    'endpoints.poly': urlOf('poly'),
    'endpoints.orchestrator': urlOf('orchestrator'),
    'endpoints.shards': urlOf('shard-0'),
    'endpoints.exec': 'tcp://127.0.0.1:*',
    ...flags,
  })
  const { counters, lifecycle } = role.context
  cleanups.push(() => lifecycle.close())
  const started = runExec(role.context, drain)
  if (recovers) await started
  else await until(() => role.url() !== undefined, 'exec publishes')

  const orders: Heard<OrdersPayload>[] = []
  const trades: Heard<TradesPayload>[] = []
  let joined = false
  const subscriber = new Subscriber({
    endpoints: [{ publisher: 'exec', url: role.url()!, sources: sourcesOf('exec') }],
    prefixes: ['orders.', 'trades.'],
    env,
    clock: systemClock,
    onMessage: ({ topic, message: { header, family, payload } }) => {
      if (family === 'orders') orders.push({ topic, header, payload })
      if (family === 'trades') trades.push({ topic, header, payload })
    },
    onHeartbeat: () => (joined = true),
  })
  cleanups.push(() => subscriber.close())

  const publish = (name: string, source: string, topic: string, payload: object, options = {}) =>
    publishers.get(name)!.channel(source).publish(topic, payload, options)
  const tellGame = (game: GameState) =>
    publish('orchestrator', 'orchestrator.games', `games.${game.league}.${game.gameId}`, gamesPayload(game))
  const send = (plan: StrategySignal, { ageUs = 0, pubUs = systemClock.monoUs() } = {}) => {
    const shardOut = pubUs - ageUs
    const stamps = { recv: shardOut - 300, shard_in: shardOut - 100, shard_out: shardOut }
    const trace = 'kalshi.prices/7/42'
    publish('shard-0', 'shard-0.signals', `signals.trade.${plan.id}`, signalsPayload(plan), { stamps, trace })
  }
  let bookSeq = 0
  const book = (
    venue: 'kalshi' | 'poly',
    marketId: string,
    bids: [number, number][],
    asks: [number, number][],
  ) => {
    const payload: OrderbookPayload = {
      venue,
      market_id: marketId,
      state: 'LIVE',
      bids,
      asks,
      book_seq: ++bookSeq,
    }
    publish(venue, `${venue}.orderbook`, `orderbook.${venue}.${marketId}`, payload)
  }
  /** Markets known and signals heard: what is sent now arrives. */
  const join = async (game: GameState) => {
    await until(() => joined, 'the test hears exec')
    await until(() => (tellGame(game), counters.get('markets') > 0), 'exec knows the markets')
    let probe = 0
    const life = Date.now()
    const stale = () => send(signal({ id: `probe-${life}-${probe++}` }), { ageUs: 10_000_000 })
    await until(() => (stale(), counters.get('signals') > 0), 'exec hears signals')
    await until(() => counters.get('stale') === probe && orders.length === probe, 'every probe is told')
    orders.length = 0
  }
  return {
    ...role,
    started,
    counters,
    lifecycle,
    dataDir,
    orders,
    trades,
    publishers,
    tellGame,
    send,
    book,
    join,
  }
}

type Stage = Awaited<ReturnType<typeof stage>>

const [KALSHI, POLY] = [kalshiMarket(), polyMarket({ takerDelayMs: 300 })]
const GAME = gameOf([KALSHI, POLY])
const statesOf = ({ orders }: Stage) => orders.map(({ payload }) => `${payload.venue} ${payload.state}`)

/** On demo data, with books that fill both legs of `signal()`. */
async function paperStage(flags: Partial<Record<SettingKey, string>> = {}): Promise<Stage> {
  const exec = await stage('demo', flags)
  await exec.join(GAME)
  exec.book('poly', POLY.marketId, [[0.58, 50]], [[0.62, 50]])
  exec.book(
    'kalshi',
    KALSHI.marketId,
    [[0.44, 50]],
    [
      [0.46, 15],
      [0.47, 50],
    ],
  )
  await until(() => exec.counters.get('books') === 2, 'exec knows the books')
  return exec
}

describe('exec on paper', () => {
  it('turns a signal into two orders and tells every state and the money, with trace and stamps', async () => {
    const exec = await paperStage()
    exec.send(signal())
    await until(() => exec.trades.length === 2, 'both trades are told')
    expect(statesOf(exec)).toEqual([
      'poly intent',
      'poly sent',
      'poly delayed',
      'poly filled',
      'kalshi intent',
      'kalshi sent',
      'kalshi filled',
    ])
    const filled = exec.orders.at(-1)!
    expect(filled.topic).toBe(`orders.kalshi.${filled.payload.order_id}`)
    expect(filled.payload).toMatchObject({
      mode: 'paper',
      signal_id: 'signal-1',
      leg: 1,
      limit: 0.47,
      size: 20,
    })
    expect(filled.payload.venue_order_id).toBe(`paper-${filled.payload.order_id}`)
    const intent = exec.orders[0]!
    expect(intent.header.trace).toBe('kalshi.prices/7/42')
    expect(intent.payload.checks?.map(({ name }) => name)).toContain('total_micros')
    const { recv, shard_in, shard_out, exec_in, order } = intent.header.stamps
    const path = [recv, shard_in, shard_out, exec_in, order].map(Number)
    expect(path).toEqual([...path].sort((a, b) => a - b))
    const kalshi = exec.trades.find(({ payload }) => payload.leg === 1)!
    expect(kalshi.topic).toBe(`trades.filled.${kalshi.payload.order_id}`)
    expect(kalshi.payload).toMatchObject({
      status: 'filled',
      filled_size: 20,
      cash_micros: 15 * 460_000 + 5 * 470_000,
      venue_trade_ids: [`paper-${kalshi.payload.order_id}-1`, `paper-${kalshi.payload.order_id}-2`],
    })
    expect(kalshi.header.trace).toBe('kalshi.prices/7/42')
    const { counts, hops } = exec.context.report()
    expect(counts).toMatchObject({ plans: 1, orders: 2, fills: 2 })
    expect(counts['exposure_usd']).toBeGreaterThan(17)
    expect(hops['shard_exec']!.n).toBe(counts['signals'])
    expect(hops['tick_to_order']!.n).toBe(1)
    expect(existsSync(join(exec.dataDir, 'ledger.demo.paper.db'))).toBe(true)
  })

  it('buys both teams at one venue, and all three outcomes of a game wherever they are', async () => {
    const exec = await stage('demo')
    const kind = 'three_way'
    const teams = ['MIA', 'BOS'].map((selection) => kalshiMarket({ marketId: selection, selection }))
    const outcomes = [
      ...['MIA', 'BOS'].map((selection) => kalshiMarket({ kind, marketId: `3-${selection}`, selection })),
      polyMarket({ kind, marketId: '3-draw', selection: 'draw' }),
    ]
    await exec.join(gameOf([...teams, ...outcomes]))
    const buy = { outcome: 'yes', side: 'buy', sizeE2: 1000 } as const
    const legsOf = (markets: readonly GameMarket[], limitE4: number) =>
      markets.map(({ venue, marketId }) => ({ ...buy, venue, marketId, limitE4 }))
    for (const { venue, marketId } of [...teams, ...outcomes]) {
      const ask = marketId.startsWith('3-') ? 0.3 : 0.45
      exec.book(venue, marketId, [[ask - 0.02, 50]], [[ask, 50]])
    }
    const plan = { sizeE2: 1000, worstPayoutMicros: 10_000_000 }
    exec.send(signal({ ...plan, id: 'both', pair: 'both', kind: 'same-venue', legs: legsOf(teams, 4500) }))
    await until(() => exec.trades.length === 2, 'both trades are told')
    const legs = legsOf(outcomes.toReversed(), 3000)
    exec.send(signal({ ...plan, id: 'all', pair: 'all', kind: 'three-way', legs }))
    await until(() => exec.trades.length === 5, 'all trades are told')
    expect(exec.trades.map(({ payload }) => [payload.signal_id, payload.leg, payload.filled_size])).toEqual([
      ...[0, 1].map((leg) => ['both', leg, 10]),
      ...[0, 1, 2].map((leg) => ['all', leg, 10]),
    ])
    const { counts } = exec.context.report()
    expect(counts).toMatchObject({ plans: 2, orders: 5, fills: 5, open_plans: 0, quarantined: 0 })
  })

  it('takes a signal once', async () => {
    const exec = await paperStage()
    exec.send(signal())
    exec.send(signal())
    await until(() => exec.trades.length === 2, 'both trades are told')
    expect(exec.counters.get('duplicates')).toBe(1)
    expect(exec.counters.get('orders')).toBe(2)
    expect(exec.orders.filter(({ payload }) => payload.state === 'duplicate')).toHaveLength(1)
  })

  it('holds a game’s cash until the game is final', async () => {
    const exec = await paperStage()
    exec.send(signal())
    await until(() => exec.trades.length === 2, 'both trades are told')
    exec.tellGame(gameOf([KALSHI, POLY], 'final'))
    await until(() => exec.context.report().counts['exposure_usd'] === 0, 'the game has released its cash')
    exec.send(signal({ id: 'signal-2' }))
    await until(() => exec.counters.get('denied:GAME_FINAL') === 1, 'its signals are denied')
  })

  it('denies what breaks a limit, with the check that failed', async () => {
    const exec = await paperStage({ 'limits.order_usd': '5' })
    exec.send(signal())
    await until(() => exec.orders.length === 1, 'the denial is told')
    const { payload } = exec.orders[0]!
    expect(payload).toMatchObject({ state: 'denied', reason: 'ORDER_LIMIT' })
    expect(payload.checks?.at(-1)).toMatchObject({ name: 'order_micros_0', limit: 5_000_000 })
    expect(exec.counters.get('denied:ORDER_LIMIT')).toBe(1)
    expect(exec.counters.get('orders')).toBe(0)
  })

  it('denies what it was told no market of, and what is too old, and says so', async () => {
    const exec = await paperStage()
    const legs = signal().legs.map((leg) => ({ ...leg, marketId: `${leg.marketId}-x` }))
    exec.send(signal({ id: 'unknown-market', legs }))
    exec.send(signal({ id: 'too-old' }), { ageUs: 1_600_000 })
    exec.send(signal({ id: 'too-good', worstPayoutMicros: 20_000_001 }))
    await until(() => exec.orders.length === 3, 'all are told')
    expect(exec.orders.map(({ payload }) => [payload.state, payload.reason])).toEqual([
      ['denied', 'UNKNOWN_MARKET'],
      ['stale', 'EXPIRED'],
      ['denied', 'PAYOUT_OVERSTATED'],
    ])
  })

  it('takes no entry once a halt file was seen, over a restart too, until it is resumed', async () => {
    const exec = await paperStage()
    writeFileSync(haltPath(exec.dataDir), '')
    exec.send(signal())
    await until(() => exec.counters.get('denied:HALTED') === 1, 'it is denied')
    rmSync(haltPath(exec.dataDir))
    exec.send(signal({ id: 'signal-2' }))
    await until(() => exec.counters.get('denied:HALTED') === 2, 'it is denied again')
    expect(exec.lines.filter((line) => line.startsWith('halted'))).toHaveLength(1)
    expect(exec.counters.get('halted')).toBe(1)
    await exec.lifecycle.close()
    const next = await paperStage({ data_dir: exec.dataDir })
    expect(next.counters.get('halted')).toBe(1)
    next.send(signal({ id: 'signal-3' }))
    await until(() => next.counters.get('denied:HALTED') === 1, 'it is denied by the next life')
    const latch = latchPath(exec.dataDir, 'demo', 'paper')
    writeLatch(latch, { ...readLatch(latch)!, resume: { reason: 'checked', by: 'ops' } })
    await until(() => next.counters.get('halted') === 0, 'it is resumed')
    expect(next.lines).toContain('resumed by ops: checked')
    next.send(signal({ id: 'signal-4' }))
    await until(() => next.trades.length === 2, 'entries are taken again')
  })

  it('finishes open plans at a stop, takes no new one, and leaves the ledger to the next', async () => {
    const exec = await paperStage()
    exec.send(signal())
    await until(() => statesOf(exec).includes('poly delayed'), 'the first leg waits')
    expect(await exec.lifecycle.close()).toEqual([])
    await until(() => exec.trades.length === 2, 'both trades were told before the end')
    const next = await paperStage({ data_dir: exec.dataDir })
    expect(next.context.report().counts['exposure_usd']).toBeGreaterThan(17)
    next.send(signal())
    await until(() => next.counters.get('duplicates') === 1, 'the signal is known')
  })

  it('releases nothing for a final game that is told under another topic', async () => {
    const exec = await paperStage()
    exec.send(signal())
    await until(() => exec.trades.length === 2, 'both trades are told')
    const orchestrator = exec.publishers.get('orchestrator')!.channel('orchestrator.games')
    orchestrator.publish('games.nba.another', gamesPayload(gameOf([KALSHI, POLY], 'final')))
    await until(() => exec.counters.get('parse_errors:topic_payload_differ') === 1, 'it is refused')
    expect(exec.context.report().counts['exposure_usd']).toBeGreaterThan(17)
    exec.send(signal({ id: 'signal-2' }))
    await until(() => exec.counters.get('plans') === 2, 'the game still takes entries')
  })

  it('fills on no book of a publisher that has closed', async () => {
    const exec = await paperStage()
    exec.publishers.get('poly')!.close()
    await until(() => exec.counters.get('books') === 1, 'its books are gone')
    exec.send(signal())
    await until(() => exec.trades.length === 1, 'the first leg has ended')
    expect(exec.trades[0]!.payload.status).toBe('none')
  })

  it('names the whole path of its halt file at the start', async () => {
    const exec = await paperStage()
    expect(exec.lines).toContain(`halt file: ${haltPath(exec.dataDir)}`)
  })

  it('refuses signals of the first design, of a wrong source, and those that do not parse', async () => {
    const exec = await paperStage()
    const shard = exec.publishers.get('shard-0')!
    const { url } = shard
    shard.close()
    const socket = new RawPublisher({ sendTimeout: 0 })
    await until(
      async () =>
        socket.bind(url).then(
          () => true,
          () => false,
        ),
      'the port is free',
    )
    cleanups.push(() => socket.close())
    const say = (body: unknown, id = 'signal-9') =>
      socket.send([`signals.trade.${id}`, typeof body === 'string' ? body : JSON.stringify(body)])
    const header = {
      v: 1,
      env: 'demo',
      source: 'shard-0.signals',
      epoch: Date.now() + 1000,
      timestamp_ms: Date.now(),
      host: 'h',
      trace: 't',
      stamps: {},
    }
    const payload = signalsPayload(signal({ id: 'signal-9' }))
    let seq = 0
    const { counters } = exec
    await until(
      async () => (await say({ ticker: 'T', signal: 'BUY' }), counters.get('legacy_refused') > 0),
      'legacy',
    )
    await until(
      async () => (
        await say({ ...header, source: 'shard-7.signals', seq: ++seq, payload }),
        counters.get('wrong_source') > 0
      ),
      'squatter',
    )
    await until(async () => (await say('{"not json'), counters.get('parse_errors:not_json') > 0), 'not JSON')
    await until(
      async () => (
        await say({ ...header, seq: ++seq, payload: { ...payload, size: -1 } }),
        counters.get('parse_errors:bad_payload') > 0
      ),
      'negative size',
    )
    await say({ ...header, seq: ++seq, payload }, 'another-id')
    await until(() => counters.get('parse_errors:topic_payload_differ') === 1, 'topic and payload differ')
    await say({
      ...header,
      seq: ++seq,
      payload: { ...payload, legs: payload.legs.map((leg) => ({ ...leg, limit: 0.12345 })) },
    })
    await until(
      () => counters.get('parse_errors:bad_price_or_size') === 1,
      'a price finer than a tick can be',
    )
    expect(counters.get('plans')).toBe(0)
    expect(exec.orders).toEqual([])
  })
})

describe('exec and its mode', () => {
  it.each(['kalshi.trading_credentials_file', 'polymarket.credentials_file'] as const)(
    'refuses to start on demo data with %s: nothing but paper trades there',
    async (key) => {
      const { context } = testRole('exec', { env: 'demo', data_dir: folder(), [key]: 'key.json' })
      await expect(runExec(context)).rejects.toMatchObject({ code: 'LIVE_REFUSED', exit: EXIT.REFUSED })
    },
  )

  it('refuses to start beside another on the same ledger, with exit 7', async () => {
    const dataDir = folder()
    await stage('demo', { data_dir: dataDir })
    await expect(stage('demo', { data_dir: dataDir })).rejects.toMatchObject({
      code: 'LEDGER_LOCKED',
      exit: EXIT.REFUSED,
    })
  })

  it('needs the simulator’s keys on sim data', async () => {
    const { context } = testRole('exec', { data_dir: folder(), 'endpoints.exec': 'tcp://127.0.0.1:*' })
    cleanups.push(() => context.lifecycle.close())
    await expect(runExec(context)).rejects.toMatchObject({ code: 'NO_CREDENTIALS', exit: EXIT.CONFIG })
  })
})

describe('exec against the simulated venues', () => {
  it('signs real orders, counts what they count, and tells their money', async () => {
    const dataDir = folder()
    await createSimAccounts(join(dataDir, 'account'))
    const sim = await startSimulator({
      seed: 3,
      speed: 1,
      ports: { kalshi: 0, poly: 0, gamma: 0, espn: 0 },
      accountsDir: join(dataDir, 'account'),
      onNotice: () => undefined,
    })
    cleanups.push(() => sim.close())
    const { kalshiRest, clob, gamma } = sim.urls
    const { signal: never } = new AbortController()
    const catalogs = [new KalshiCatalog({ baseUrl: kalshiRest }), new PolymarketCatalog({ gammaUrl: gamma })]
    const listed = await Promise.all(catalogs.map((catalog) => catalog.openMarkets('nba', never)))
    const [kalshi, poly] = listed.map(({ markets }) =>
      markets.map((market): GameMarket => ({ ...market, kind: 'moneyline' })),
    )
    const exec = await stage('sim', {
      data_dir: dataDir,
      'kalshi.rest_url': kalshiRest,
      'polymarket.clob_url': clob,
      'limits.order_usd': '500000',
      'limits.game_usd': '1000000',
      'limits.total_usd': '1000000',
    })
    await exec.join(gameOf([...kalshi!, ...poly!]))
    for (const index of [0, 1, 2, 3]) {
      // At 99 cents whatever is displayed fills; at 1 cent nothing does. Kalshi nets YES with NO: a market for each.
      const limitE4 = index < 3 ? 9900 : 100
      const outcome = index % 2 === 0 ? 'yes' : 'no'
      const other = index % 2 === 0 ? 'no' : 'yes'
      const order = { side: 'buy', limitE4, sizeE2: 1000 } as const
      const legs: Signal['legs'] = [
        { ...order, venue: 'poly', marketId: poly![0]!.marketId, outcome },
        { ...order, venue: 'kalshi', marketId: kalshi![index % 2]!.marketId, outcome: other },
      ]
      exec.send(
        signal({ worstPayoutMicros: 0, id: `signal-${index}`, pair: `pair-${index}`, sizeE2: 1000, legs }),
      )
      await until(() => exec.counters.get('plans') === index + 1, 'the plan is taken')
      await until(() => exec.context.report().counts['open_plans'] === 0, 'the plan has ended')
    }
    // More than the account has on any shard, within our own limits.
    const dear = { side: 'buy', outcome: 'yes', limitE4: 9900, sizeE2: 10_000_000 } as const
    const beyond: Signal['legs'] = [
      { ...dear, venue: 'kalshi', marketId: kalshi![0]!.marketId },
      { ...dear, venue: 'poly', marketId: poly![0]!.marketId, outcome: 'no' },
    ]
    exec.send(
      signal({ worstPayoutMicros: 0, id: 'beyond', pair: 'beyond', sizeE2: 10_000_000, legs: beyond }),
    )
    await until(() => exec.counters.get('denied:SHARD_CASH') === 1, 'the plan is denied')
    await until(() => exec.orders.at(-1)?.payload.reason === 'SHARD_CASH', 'the denial is told')
    const short = exec.orders.at(-1)?.payload.checks?.at(-1)
    expect(short?.name).toBe(`shard_${kalshi![0]!.exchangeIndex}_cash_micros`)
    expect(short?.value).toBeGreaterThan(99_000_000_000)
    expect(short?.limit).toBeLessThan(50_000_000_001)
    expect(await exec.lifecycle.close()).toEqual([])
    const { orders, fills, feesMicros } = sim.stats()
    expect({ orders, fills }).toEqual({
      orders: exec.counters.get('orders'),
      fills: exec.counters.get('fills'),
    })
    expect(fills).toBeGreaterThanOrEqual(6)
    await until(() => exec.trades.length === orders, 'every order has its trade')
    const sum = (of: (trade: TradesPayload) => number) =>
      exec.trades.reduce((total, { payload }) => total + of(payload), 0)
    const { filledSizeE6, cashMicros } = sim.stats()
    expect(Math.round(sum((trade) => trade.filled_size) * 1e6)).toBe(filledSizeE6)
    // A fraction of a micro-dollar goes against us, trade by trade.
    const cash = sum((trade) => trade.cash_micros)
    expect(cash).toBeGreaterThanOrEqual(cashMicros)
    expect(cash).toBeLessThanOrEqual(cashMicros + fills)
    expect(sum((trade) => trade.fees_micros)).toBe(feesMicros)
    expect(
      exec.trades
        .filter(({ payload }) => payload.status === 'filled')
        .every(({ payload }) => payload.mode === 'live'),
    ).toBe(true)

    // The venue begins anew, and knows nothing of what was traded at it.
    await sim.close()
    const fresh = await startSimulator({
      seed: 4,
      speed: 1,
      ports: { kalshi: 0, poly: 0, gamma: 0, espn: 0 },
      accountsDir: join(dataDir, 'account'),
      onNotice: () => undefined,
    })
    cleanups.push(() => fresh.close())
    const next = await stage('sim', {
      data_dir: dataDir,
      'kalshi.rest_url': fresh.urls.kalshiRest,
      'kalshi.ws_url': fresh.urls.kalshiWs,
      'polymarket.clob_url': fresh.urls.clob,
    })
    await until(() => next.context.report().counts['halted'] === 1, 'the lost position halts exec')
    const path = latchPath(dataDir, 'sim', 'live')
    // Of teams that play here too, it shows no position.
    const lost =
      /^Kalshi (has no market|shows a position of 0\.000000 in) KXNBAGAME-\S+, (in which )?the ledger/
    expect(readLatch(path)?.reason).toMatch(lost)
    await next.join(GAME)
    next.send(signal({ id: 'afterwards' }))
    await until(() => next.orders.at(-1)?.payload.reason === 'HALTED', 'no entry goes')
    expect(fresh.stats().orders).toBe(0)
  })

  it('is braked by Kalshi itself and by trading of another hand, and goes on when the operator says so', async () => {
    const dataDir = folder()
    await createSimAccounts(join(dataDir, 'account'))
    const sim = await startSimulator({
      seed: 5,
      speed: 1,
      ports: { kalshi: 0, poly: 0, gamma: 0, espn: 0 },
      accountsDir: join(dataDir, 'account'),
      onNotice: () => undefined,
    })
    cleanups.push(() => sim.close())
    const { kalshiRest, kalshiWs, clob, gamma } = sim.urls
    const { signal: never } = new AbortController()
    const { markets } = await new KalshiCatalog({ baseUrl: kalshiRest }).openMarkets('nba', never)
    const listed = await new PolymarketCatalog({ gammaUrl: gamma }).openMarkets('nba', never)
    const [poly, another] = listed.markets.map((market): GameMarket => ({ ...market, kind: 'moneyline' }))
    const [first, second, third] = markets.map((market): GameMarket => ({ ...market, kind: 'moneyline' }))
    const drain = { drainMs: 200, cutMs: 100 }
    const flags = {
      data_dir: dataDir,
      'kalshi.rest_url': kalshiRest,
      'kalshi.ws_url': kalshiWs,
      'kalshi.group_contracts': '5',
      'polymarket.clob_url': clob,
    }
    const exec = await stage('sim', flags, { drain })
    await exec.join(gameOf([first!, second!, third!, poly!, another!]))
    const halted = (level: number) => () => exec.context.report().counts['halted'] === level
    const path = latchPath(dataDir, 'sim', 'live')
    const goOn = async () => {
      writeLatch(path, { ...readLatch(path)!, resume: { reason: 'checked', by: 'test' } })
      await until(halted(0), 'it goes on')
    }
    const terms = { side: 'buy', outcome: 'yes', limitE4: 9900, sizeE2: 1000 } as const
    const kalshiLeg = { ...terms, venue: 'kalshi', marketId: first!.marketId } as const
    const polyLeg = { ...terms, venue: 'poly', marketId: poly!.marketId, outcome: 'no' } as const
    const orders: Signal['legs'][] = [
      [kalshiLeg, { ...polyLeg, marketId: another!.marketId, limitE4: 100 }],
      // The first plan ends unhedged, and its markets are closed.
      [polyLeg, { ...kalshiLeg, marketId: third!.marketId }],
    ]
    for (const [plan, legs] of orders.entries()) {
      exec.send(
        signal({ worstPayoutMicros: 0, id: `signal-${plan}`, pair: `pair-${plan}`, sizeE2: 1000, legs }),
      )
      await until(halted(1), `the brake of the venue halts exec after plan ${plan}`, 10_000)
      expect(readLatch(path)?.reason).toContain('more than 5 contracts matched in 15 s')
      await until(() => exec.context.report().counts['open_plans'] === 0, 'the plan has ended')
      await goOn()
      const resets = () => exec.lines.filter((line) => line.endsWith('is reset')).length
      await until(() => resets() === plan + 1, 'the group is reset')
    }
    expect(exec.counters.get('foreign_fills')).toBe(0)

    const account = JSON.parse(readFileSync(join(dataDir, 'account', 'exec.json'), 'utf8')) as {
      kalshi: { key_id: string; key_file: string }
    }
    const keyFile = resolve(dataDir, 'account', account.kalshi.key_file)
    const credentials = loadKalshiCredentials({ keyId: account.kalshi.key_id, keyFile })
    const hand = new KalshiGateway({ baseUrl: kalshiRest, credentials, clock: systemClock, keepWarmMs: 0 })
    cleanups.push(() => hand.close())
    const { marketId } = second!
    const ids = { orderId: 'by-hand', signalId: 'none', leg: 0, attempt: 0, signalMs: 1 }
    const order = hand.prepare({ ...ids, venue: 'kalshi', marketId, ...terms, sizeE2: 100 }, second!)
    const outcome = await hand.send(
      order,
      () => undefined,
      () => true,
    )
    expect(outcome.kind).toBe('filled')
    await until(() => exec.counters.get('foreign_fills') === 1, 'the fill is told')

    await until(halted(1), 'the position halts exec', 15_000)
    expect(readLatch(path)?.reason).toBe(
      `Kalshi shows a position of 1.000000 in ${marketId}, the ledger explains 0.000000`,
    )
    await goOn()
    expect(await exec.lifecycle.close()).toEqual([])
    const ledger = Ledger.open({ dataDir, env: 'sim', mode: 'live', clock: systemClock })
    const trading = ledger.ownTrading('kalshi')
    expect([...trading.accepted]).toEqual([[marketId, 1_000_000]])
    expect([...trading.positions.keys()]).toEqual([first!.marketId, third!.marketId])
    expect(trading.isOurs('by-hand')).toBe(false)
    ledger.close()
  })
})

/** A Polymarket that takes orders and answers nothing about them until it is told to. */
async function hangingClob() {
  const state = { posts: 0, tells: false }
  const server = createServer((request, response): void => {
    const say = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    }
    const path = request.url ?? ''
    if (path === '/version') return say(200, { version: 2 })
    if (path === '/api/geoblock') return say(200, { blocked: false })
    if (request.method === 'POST') state.posts++
    if (request.method === 'POST' || !state.tells) return
    const asked = /^\/data\/order\/(.+)$/.exec(path)?.[1]
    if (asked !== undefined) {
      orderId = asked
      return say(404, {})
    }
    const trade = { id: 'trade-1', taker_order_id: orderId, size: '20', price: '0.43', status: 'MATCHED' }
    say(200, { data: [trade], next_cursor: 'LTE=' })
  })
  let orderId = ''
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return { state, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

describe('exec and a venue that hangs', () => {
  it('stops in time with its ledger closed; the next life denies signals while it asks what became', async () => {
    const dataDir = folder()
    await createSimAccounts(join(dataDir, 'account'))
    const sim = await startSimulator({
      seed: 3,
      speed: 1,
      ports: { kalshi: 0, poly: 0, gamma: 0, espn: 0 },
      accountsDir: join(dataDir, 'account'),
      onNotice: () => undefined,
    })
    cleanups.push(() => sim.close())
    const clob = await hangingClob()
    const flags = {
      data_dir: dataDir,
      'kalshi.rest_url': sim.urls.kalshiRest,
      'polymarket.clob_url': clob.url,
    }
    const drain = { drainMs: 200, cutMs: 100 }
    const first = await stage('sim', flags, { drain })
    await first.join(GAME)
    first.send(signal())
    await until(() => clob.state.posts === 1, 'the order is out')
    expect(await first.lifecycle.close()).toEqual([])
    // The final report of a life comes after its cleanup.
    expect(first.context.report().counts).toMatchObject({ orders: 1, fills: 0 })
    const ledger = Ledger.open({ dataDir, env: 'sim', mode: 'live', clock: systemClock })
    expect(ledger.totals()).toEqual({ onRecord: { orders: 1, fills: 0 }, told: { orders: 1, fills: 0 } })
    expect(ledger.history().inFlight).toHaveLength(1)
    ledger.close()

    const second = await stage('sim', flags, { drain, recovers: false })
    await until(() => (second.tellGame(GAME), second.counters.get('markets') > 0), 'exec knows the markets')
    let sent = 0
    const deniedAndTold = () => {
      second.send(signal({ id: `early-${sent++}` }))
      return second.orders.some(({ payload }) => payload.reason === 'RECOVERING')
    }
    await until(deniedAndTold, 'a signal is denied and told')
    expect(second.counters.get('denied:RECOVERING')).toBeGreaterThan(0)
    expect(second.isReady()).toBe(false)
    expect(second.context.report().counts).toMatchObject({ recovering: 1, ledger_failed: 0 })
    clob.state.tells = true
    await second.started
    expect(second.isReady()).toBe(true)
    expect(second.context.report().counts).toMatchObject({ recovering: 0, ledger_failed: 0 })
    expect(second.context.report().counts).toMatchObject({ orders: 0, fills: 1 })
    second.send(signal({ id: 'signal-3' }))
    await until(() => second.counters.get('denied:QUARANTINED') === 1, 'recovery is over')
    expect(clob.state.posts).toBe(1)
  })
})

describe('exec under a load of signals', () => {
  it('sends no entry after it has said that it is halted; hedges of what is open go on', async () => {
    const dataDir = folder()
    await createSimAccounts(join(dataDir, 'account'))
    const sim = await startSimulator({
      seed: 3,
      speed: 1,
      ports: { kalshi: 0, poly: 0, gamma: 0, espn: 0 },
      accountsDir: join(dataDir, 'account'),
      onNotice: () => undefined,
    })
    cleanups.push(() => sim.close())
    const { kalshiRest, clob, gamma } = sim.urls
    const { signal: never } = new AbortController()
    const catalogs = [new KalshiCatalog({ baseUrl: kalshiRest }), new PolymarketCatalog({ gammaUrl: gamma })]
    const listed = await Promise.all(catalogs.map((catalog) => catalog.openMarkets('nba', never)))
    const [kalshi, poly] = listed.map(({ markets }) =>
      markets.map((market): GameMarket => ({ ...market, kind: 'moneyline' })),
    )
    const recoveryUrl = `tcp://127.0.0.1:${await freePort()}`
    const exec = await stage('sim', {
      data_dir: dataDir,
      'kalshi.rest_url': kalshiRest,
      'polymarket.clob_url': clob,
      'recovery.exec': recoveryUrl,
    })
    await exec.join(gameOf([...kalshi!, ...poly!]))
    const order = { side: 'buy', limitE4: 9900, sizeE2: 500 } as const
    const legs: Signal['legs'] = [
      { ...order, venue: 'poly', marketId: poly![0]!.marketId, outcome: 'yes' },
      { ...order, venue: 'kalshi', marketId: kalshi![0]!.marketId, outcome: 'no' },
    ]
    let sent = 0
    const load = setInterval(() => {
      exec.send(
        signal({ worstPayoutMicros: 0, id: `load-${sent}`, pair: `pair-${sent++}`, sizeE2: 500, legs }),
      )
    }, 10)
    cleanups.push(() => clearInterval(load))
    await until(() => exec.counters.get('plans') >= 5, 'plans are open')

    const client = new RecoveryClient({
      endpoint: { publisher: 'exec', url: exec.url()!, recoveryUrl, sources: [] },
      clock: systemClock,
    })
    cleanups.push(() => client.close())
    const halted = await client.halt({ level: 'entries', reason: 'odd fills', by: 'ops@host' })
    const haltedUs = systemClock.monoUs()
    expect(halted).toEqual({ level: 'entries', env: 'sim', mode: 'live' })
    const denied = exec.counters.get('denied:HALTED')
    await until(() => exec.counters.get('denied:HALTED') >= denied + 50, 'signals go on coming')
    clearInterval(load)
    await until(() => exec.context.report().counts['open_plans'] === 0, 'open plans end')

    const told = () => exec.orders.filter(({ payload }) => payload.state === 'sent')
    await until(() => told().length >= sim.stats().orders, 'every order is told')
    const written = told()
    const bytesOf = (leg: number) =>
      written.filter(({ payload }) => payload.leg === leg).map(({ header }) => header.stamps.order!)
    expect(bytesOf(0).length).toBeGreaterThanOrEqual(4)
    expect(bytesOf(0).filter((us) => us > haltedUs)).toEqual([])
    expect(bytesOf(1).filter((us) => us > haltedUs)).not.toEqual([])
    expect(sim.stats().orders).toBe(written.length)
    expect(exec.context.report().counts).not.toHaveProperty('naked')
  })
})
