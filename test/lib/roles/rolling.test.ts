import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import { codeOf } from '../../../src/lib/core/errors.js'
import type { SettingKey } from '../../../src/lib/core/config.js'
import { ledgerPath } from '../../../src/lib/execution/ledger.js'
import { signalsPayload } from '../../../src/lib/messages/convert.js'
import type { OrderbookPayload, PricesPayload } from '../../../src/lib/messages/payloads.js'
import { runExec } from '../../../src/lib/roles/exec.js'
import { runMirror } from '../../../src/lib/roles/mirror.js'
import type { RoleContext } from '../../../src/lib/roles/role.js'
import { runShard } from '../../../src/lib/roles/shard.js'
import { TcpProxy } from '../../faults/tcp-proxy.js'
import { until } from '../poll.js'
import { TestRedis, freePort, readGaps, readStream } from '../redis/support.js'
import { signal } from '../risk/samples.js'
import { testRole } from './role-harness.js'
import { COND, HOU, UTA, gameState } from './shard-stage.js'

/** The setting, life after life. */
const LIVES = ['zmq', 'redis', 'zmq', 'redis', 'zmq'] as const

const cleanups: (() => unknown)[] = []
let redis: TestRedis
let dir: string
let flags: Partial<Record<SettingKey, string>>
beforeEach(async () => {
  redis = await TestRedis.start()
  cleanups.push(() => redis.stop())
  dir = mkdtempSync(join(tmpdir(), 'arbees-rolling-'))
  cleanups.push(() => rmSync(dir, { recursive: true, force: true }))
  flags = { redis_url: redis.url, data_dir: dir }
  for (const name of ['kalshi', 'poly', 'orchestrator', 'exec', 'shards'] as const) {
    flags[`endpoints.${name}`] = `tcp://127.0.0.1:${await freePort()}`
    flags[`recovery.${name}`] = `tcp://127.0.0.1:${await freePort()}`
  }
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A port that was let go is free a little later. */
async function again<T>(start: () => Promise<T>): Promise<T> {
  let started: T | undefined
  await until(async () => {
    try {
      started = await start()
      return true
    } catch (error) {
      if (codeOf(error) !== 'PORT_IN_USE') throw error
      return false
    }
  }, 'the port is free')
  return started!
}

async function bind(name: 'kalshi' | 'poly' | 'orchestrator' | 'shard-0', env: 'sim' | 'demo') {
  const setting = name === 'shard-0' ? 'shards' : name
  const publisher = await again(() =>
    Publisher.bind({
      name,
      url: flags[`endpoints.${setting}`]!,
      recoveryUrl: flags[`recovery.${setting}`]!,
      journal: { root: join(dir, `journal-of-${name}`), retainBytes: 64 * 1024 * 1024 },
      env,
      clock: systemClock,
      sources: sourcesOf(name),
      details: () => ({
        feeds: [{ name, state: 'LIVE', proved_ago_us: 1_000, markets: 1, reconnects: 0 }],
      }),
    }),
  )
  cleanups.push(() => publisher.close())
  return publisher
}

async function startMirror(env: 'sim' | 'demo'): Promise<void> {
  const mirror = testRole('mirror', { ...flags, env, 'mirror.signals_maxlen': '100000' })
  await runMirror(mirror.context)
  cleanups.push(() => mirror.context.lifecycle.close())
}

/** One life of a role after another, each with its own transport, while the world goes on. */
async function rollThrough(
  name: string,
  env: 'sim' | 'demo',
  run: (context: RoleContext) => Promise<void>,
  live: (context: RoleContext) => Promise<void>,
) {
  const counts: Readonly<Record<string, number>>[] = []
  for (const transport of LIVES) {
    const context = await again(async () => {
      const role = testRole(name, { ...flags, env, transport })
      try {
        await run(role.context)
      } catch (error) {
        await role.context.lifecycle.close()
        throw error
      }
      return role.context
    })
    cleanups.push(() => context.lifecycle.close())
    await live(context)
    expect(await context.lifecycle.close()).toEqual([])
    counts.push(context.counters.snapshot())
  }
  return counts
}

const sum = (counts: readonly Readonly<Record<string, number>>[], name: string) =>
  counts.reduce((total, each) => total + (each[name] ?? 0), 0)

describe('a role that is rolled to Redis and back under load', () => {
  it('exec: every signal is seen once, in order', { timeout: 60_000 }, async () => {
    const shard = await bind('shard-0', 'demo')
    await startMirror('demo')
    const channel = shard.channel('shard-0.signals')
    const published: string[] = []
    const load = setInterval(() => {
      const plan = signal({ id: `id-${published.length}` })
      channel.publish(`signals.trade.${plan.id}`, signalsPayload(plan))
      published.push(plan.id)
    }, 5)
    cleanups.push(() => clearInterval(load))

    const counts = await rollThrough(
      'exec',
      'demo',
      (context) => runExec(context),
      ({ counters }) => until(() => counters.get('signals') > 150, 'signals are seen'),
    )
    const ledger = new Database(ledgerPath({ dataDir: dir, env: 'demo', mode: 'paper' }))
    cleanups.push(() => ledger.close())
    const rows = ledger.prepare("select signal_id from event where kind = 'seen' order by id").all()
    const ids = (rows as { signal_id: string }[]).map((row) => row.signal_id)
    const first = published.indexOf(ids[0]!)
    expect(ids).toEqual(published.slice(first, first + ids.length))
    expect(ids.length).toBeGreaterThan(150 * LIVES.length)
    expect([sum(counts, 'gaps'), sum(counts, 'duplicates'), sum(counts, 'parse_errors')]).toEqual([0, 0, 0])
  })

  it(
    'shard: each life knows the books that it never heard change, and its signals are whole',
    { timeout: 60_000 },
    async () => {
      const [kalshi, poly, orchestrator] = [
        await bind('kalshi', 'sim'),
        await bind('poly', 'sim'),
        await bind('orchestrator', 'sim'),
      ]
      await startMirror('sim')
      let bookSeq = 0
      const quote = (
        publisher: Publisher,
        venue: 'kalshi' | 'poly',
        id: string,
        bid: number,
        ask: number,
      ) => {
        bookSeq++
        const top = { venue, market_id: id, state: 'LIVE', book_seq: bookSeq } as const
        const book: OrderbookPayload = { ...top, bids: [[bid, 50]], asks: [[ask, 50]] }
        const price: PricesPayload = {
          ...top,
          selection: id === UTA ? 'UTA' : 'HOU',
          ...{ yes_bid: bid, yes_ask: ask, yes_bid_size: 50, yes_ask_size: 50 },
        }
        const stamps = { recv: systemClock.monoUs() }
        publisher.channel(`${venue}.orderbook`).publish(`orderbook.${venue}.${id}`, book, { stamps })
        publisher.channel(`${venue}.prices`).publish(`prices.${venue}.${id}`, price, { stamps })
      }
      orchestrator.channel('orchestrator.games').publish('games.nba.401', gameState())
      // Told once, before any shard lives: who knows it had it from a snapshot, or from Redis.
      quote(poly, 'poly', COND, 0.5, 0.51)
      const game = setInterval(
        () => orchestrator.channel('orchestrator.games').publish('games.nba.401', gameState()),
        1_000,
      )
      let turn = 0
      const load = setInterval(() => {
        for (let i = 0; i < 3; i++) quote(poly, 'poly', `0xother${i}`, 0.3, 0.4)
        quote(kalshi, 'kalshi', UTA, 0.4, 0.6)
        // Cheap for a moment, then fair again: one signal each time.
        if (++turn % 20 === 0) quote(kalshi, 'kalshi', HOU, 0.44, 0.45)
        if (turn % 20 === 10) quote(kalshi, 'kalshi', HOU, 0.49, 0.51)
      }, 10)
      cleanups.push(
        () => clearInterval(game),
        () => clearInterval(load),
      )
      const counts = await rollThrough(
        'shard-0',
        'sim',
        (context) => runShard(context, 0),
        ({ counters }) =>
          until(() => counters.get('signals') >= 2, 'it trades on what it did not hear', 12_000),
      )
      expect([sum(counts, 'gaps'), sum(counts, 'duplicates'), sum(counts, 'parse_errors')]).toEqual([0, 0, 0])
      const stored = async () => await readStream(redis.look, 'sim:signals:trades')
      await until(async () => (await stored()).length === sum(counts, 'signals'), 'every signal is in Redis')
      for (const [i, { epoch, seq }] of (await stored()).entries()) {
        const before = (await stored())[i - 1]
        expect(seq).toBe(before?.epoch === epoch ? before.seq + 1 : 1)
      }
      expect(await readGaps(redis.look)).toEqual([])
    },
  )
})

/** Endpoints of a publisher behind wires that can be cut. */
async function wired(setting: 'kalshi' | 'shards') {
  const proxies: TcpProxy[] = []
  const settings: Partial<Record<SettingKey, string>> = {}
  for (const key of [`endpoints.${setting}`, `recovery.${setting}`] as const) {
    const at = { host: '127.0.0.1', port: await freePort() }
    const target = { host: '127.0.0.1', port: Number(flags[key]!.split(':').at(-1)) }
    const proxy = await TcpProxy.listen(at, target)
    cleanups.push(() => proxy.close())
    proxies.push(proxy)
    settings[key] = `tcp://${at.host}:${at.port}`
  }
  const cut = () => proxies.forEach((proxy) => proxy.blackhole())
  const heal = () => proxies.forEach((proxy) => proxy.heal())
  return { settings, cut, heal }
}

describe('a role whose own link to a publisher is cut', () => {
  it(
    'exec: takes fresh signals from Redis, each once, and those of the bus again after',
    { timeout: 60_000 },
    async () => {
      const shard = await bind('shard-0', 'demo')
      await startMirror('demo')
      const { settings, cut, heal } = await wired('shards')
      const { context } = testRole('exec', { ...flags, ...settings, env: 'demo' })
      cleanups.push(() => context.lifecycle.close())
      await runExec(context)
      const { counters } = context
      let sent = 0
      const send = () => {
        const plan = signal({ id: `id-${sent++}` })
        const stamps = { shard_out: systemClock.monoUs() }
        shard.channel('shard-0.signals').publish(`signals.trade.${plan.id}`, signalsPayload(plan), { stamps })
      }
      await until(() => (send(), counters.get('signals') > 0), 'exec hears signals')
      let missed = -1
      await until(async () => {
        const before = missed
        missed = sent - counters.get('signals')
        await new Promise((done) => setTimeout(done, 100))
        return missed === before
      }, 'nothing is on its way')
      cut()
      await until(() => counters.get('silent:shard-0') === 1, 'the shard is silent')
      for (let i = 0; i < 5; i++) send()
      await until(() => counters.get('signals') >= sent - missed, 'they came another way')
      expect(counters.get('fallbacks')).toBe(1)
      heal()
      await until(() => counters.get('silent:shard-0') === 0, 'the shard is heard again')
      for (let i = 0; i < 5; i++) send()
      await until(() => counters.get('signals') >= sent - missed, 'they came')
      // None was stale: each was judged by what the markets are, which this exec does not know.
      expect(counters.get('signals')).toBe(sent - missed)
      expect([counters.get('stale'), counters.get('duplicates'), counters.get('gaps')]).toEqual([0, 0, 0])
    },
  )
})
