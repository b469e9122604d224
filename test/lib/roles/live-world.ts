/** What a role lives in, all of it real: publishers with journals, a mirror, a Redis, and wires that can be cut. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import type { SettingKey } from '../../../src/lib/core/config.js'
import { codeOf } from '../../../src/lib/core/errors.js'
import type { OrderbookPayload, PricesPayload } from '../../../src/lib/messages/payloads.js'
import { runMirror } from '../../../src/lib/roles/mirror.js'
import { TcpProxy } from '../../faults/tcp-proxy.js'
import { until } from '../poll.js'
import { TestRedis, freePort } from '../redis/support.js'
import { testRole } from './role-harness.js'
import { COND, HOU, UTA, gameState } from './shard-stage.js'

type Name = 'kalshi' | 'poly' | 'orchestrator' | 'shard-0'
type Flags = Partial<Record<SettingKey, string>>
const HOST = '127.0.0.1'

/** A port that was let go is free a little later. */
export async function again<T>(start: () => Promise<T>): Promise<T> {
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

export class LiveWorld {
  private readonly cleanups: (() => unknown)[] = []

  private constructor(
    readonly redis: TestRedis,
    readonly dir: string,
    readonly env: 'sim' | 'demo',
    /** What every role of this world is told. */
    readonly flags: Flags,
  ) {}

  static async create(env: 'sim' | 'demo'): Promise<LiveWorld> {
    const redis = await TestRedis.start()
    const dir = mkdtempSync(join(tmpdir(), 'arbees-world-'))
    const flags: Flags = { env, redis_url: redis.url, data_dir: dir, 'mirror.signals_maxlen': '100000' }
    for (const name of ['kalshi', 'poly', 'orchestrator', 'exec', 'shards'] as const) {
      flags[`endpoints.${name}`] = `tcp://${HOST}:${await freePort()}`
      flags[`recovery.${name}`] = `tcp://${HOST}:${await freePort()}`
    }
    const world = new LiveWorld(redis, dir, env, flags)
    world.defer(() => redis.stop())
    world.defer(() => rmSync(dir, { recursive: true, force: true }))
    return world
  }

  defer(cleanup: () => unknown): void {
    this.cleanups.push(cleanup)
  }

  async end(): Promise<void> {
    for (const cleanup of this.cleanups.splice(0).reverse()) await cleanup()
  }

  async bind(name: Name, retainBytes = 64 * 1024 * 1024): Promise<Publisher> {
    const setting = name === 'shard-0' ? 'shards' : name
    const publisher = await Publisher.bind({
      name,
      url: this.flags[`endpoints.${setting}`]!,
      recoveryUrl: this.flags[`recovery.${setting}`]!,
      journal: { root: join(this.dir, `journal-of-${name}`), retainBytes },
      env: this.env,
      clock: systemClock,
      sources: sourcesOf(name),
      details: () => ({
        feeds: [{ name, state: 'LIVE', proved_ago_us: 1_000, markets: 1, reconnects: 0 }],
      }),
    })
    this.defer(() => publisher.close())
    return publisher
  }

  /** Returns what stops it. */
  async startMirror(flags: Flags = {}): Promise<() => Promise<unknown>> {
    const mirror = testRole('mirror', { ...this.flags, ...flags })
    await runMirror(mirror.context)
    const stop = () => mirror.context.lifecycle.close()
    this.defer(stop)
    return stop
  }

  /** Settings that lead to a publisher through wires that can be cut; the mirror has wires of its own. */
  async wire(setting: 'kalshi' | 'shards') {
    const proxies: TcpProxy[] = []
    const settings: Flags = {}
    for (const key of [`endpoints.${setting}`, `recovery.${setting}`] as const) {
      const at = { host: HOST, port: await freePort() }
      const target = { host: HOST, port: Number(this.flags[key]!.split(':').at(-1)) }
      const proxy = await TcpProxy.listen(at, target)
      this.defer(() => proxy.close())
      proxies.push(proxy)
      settings[key] = `tcp://${at.host}:${at.port}`
    }
    const cut = () => proxies.forEach((proxy) => proxy.blackhole())
    const heal = () => proxies.forEach((proxy) => proxy.heal())
    return { settings, cut, heal }
  }

  /**
   * Two venues and a game. One book is told once, at the beginning; another is cheap for a moment and fair again, five
   * times a second, and each time is a signal for who knows both; the rest is noise.
   */
  async market(): Promise<void> {
    const venues = { kalshi: await this.bind('kalshi'), poly: await this.bind('poly') }
    const games = (await this.bind('orchestrator')).channel('orchestrator.games')
    let bookSeq = 0
    const quote = (venue: 'kalshi' | 'poly', id: string, bid: number, ask: number) => {
      const top = { venue, market_id: id, state: 'LIVE', book_seq: ++bookSeq } as const
      const book: OrderbookPayload = { ...top, bids: [[bid, 50]], asks: [[ask, 50]] }
      const price: PricesPayload = {
        ...top,
        selection: id === UTA ? 'UTA' : 'HOU',
        ...{ yes_bid: bid, yes_ask: ask, yes_bid_size: 50, yes_ask_size: 50 },
      }
      const stamps = { recv: systemClock.monoUs() }
      venues[venue].channel(`${venue}.orderbook`).publish(`orderbook.${venue}.${id}`, book, { stamps })
      venues[venue].channel(`${venue}.prices`).publish(`prices.${venue}.${id}`, price, { stamps })
    }
    const tellGame = () => games.publish('games.nba.401', gameState())
    tellGame()
    quote('poly', COND, 0.5, 0.51)
    let turn = 0
    const load = setInterval(() => {
      for (let i = 0; i < 3; i++) quote('poly', `0xother${i}`, 0.3, 0.4)
      quote('kalshi', UTA, 0.4, 0.6)
      if (++turn % 20 === 0) quote('kalshi', HOU, 0.44, 0.45)
      if (turn % 20 === 10) quote('kalshi', HOU, 0.49, 0.51)
      if (turn % 100 === 0) tellGame()
    }, 10)
    this.defer(() => clearInterval(load))
  }
}
