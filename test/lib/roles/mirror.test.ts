import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Publisher as RawPublisher, Subscriber as RawSubscriber } from 'zeromq'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import type { PublisherOptions } from '../../../src/lib/bus/publisher.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import { environmentName, loadSettings } from '../../../src/lib/core/config.js'
import type { SettingKey } from '../../../src/lib/core/config.js'
import { Lifecycle } from '../../../src/lib/core/lifecycle.js'
import { encode } from '../../../src/lib/messages/codec.js'
import type { Heartbeat } from '../../../src/lib/messages/heartbeat.js'
import type { RoleContext } from '../../../src/lib/roles/role.js'
import { runMirror } from '../../../src/lib/roles/mirror.js'
import { Counters } from '../../../src/lib/telemetry/counters.js'
import * as samples from '../messages/samples.js'
import { until } from '../poll.js'
import { TestRedis, freePort, readGaps, readStream } from '../redis/support.js'
import { again } from './live-world.js'

const NAMES = ['kalshi', 'poly', 'orchestrator', 'shard-0', 'exec'] as const
type Name = (typeof NAMES)[number]

const cleanups: (() => void | Promise<void>)[] = []
let ports: Record<Name | 'legacy' | `${Name}.recovery`, number>
let redis: TestRedis
let dataDir: string
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'arbees-mirror-'))
  cleanups.push(() => rmSync(dataDir, { recursive: true, force: true }))
  const names = [...NAMES, ...NAMES.map((name) => `${name}.recovery` as const), 'legacy'] as const
  ports = Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await freePort()])),
  ) as typeof ports
  redis = await TestRedis.start()
  cleanups.push(() => redis.stop())
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const urlOf = (name: keyof typeof ports) => `tcp://127.0.0.1:${ports[name]}`
const CHECKPOINT = 'sim:arbees:checkpoint:kalshi.prices'
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

const flagsOf = (redisUrl: string): Partial<Record<SettingKey, string>> => ({
  env: 'sim',
  redis_url: redisUrl,
  legacy_endpoints: urlOf('legacy'),
  'endpoints.kalshi': urlOf('kalshi'),
  'endpoints.poly': urlOf('poly'),
  'endpoints.orchestrator': urlOf('orchestrator'),
  'endpoints.shards': urlOf('shard-0'),
  'endpoints.exec': urlOf('exec'),
  'recovery.kalshi': urlOf('kalshi.recovery'),
  'recovery.poly': urlOf('poly.recovery'),
  'recovery.orchestrator': urlOf('orchestrator.recovery'),
  'recovery.shards': urlOf('shard-0.recovery'),
  'recovery.exec': urlOf('exec.recovery'),
  'mirror.prices_maxlen': '1000000',
})

/** The role as the command line runs it, with its log and counters in hand. */
function startMirror(redisUrl = redis.url) {
  const lines: string[] = []
  const counters = new Counters()
  const lifecycle = new Lifecycle()
  let isReady = false
  const { settings } = loadSettings({ flags: flagsOf(redisUrl) })
  const say = (level: string) => (text: string) => void lines.push(`${level} ${text}`)
  const context: RoleContext = {
    name: 'mirror',
    settings,
    clock: systemClock,
    log: { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') },
    counters,
    lifecycle,
    keys: undefined,
    reloadKeys: () => undefined,
    ready: () => (isReady = true),
    report: () => ({ counts: counters.snapshot(), hops: {} }),
  }
  const started = runMirror(context)
  started.catch(() => undefined)
  cleanups.push(async () => void (await lifecycle.close()))
  const count = (name: string) => context.report().counts[name] ?? 0
  return { context, counters, lines, started, count, stop: () => lifecycle.close(), isReady: () => isReady }
}

/** The role in a process of its own. */
function mirrorProcess(): ChildProcess {
  const program = `
    import { loadSettings } from './src/lib/core/config.js'
    import { runMirror } from './src/lib/roles/mirror.js'
    import { createRoleContext } from './src/lib/roles/role.js'
    await runMirror(await createRoleContext('mirror', loadSettings({ environment: process.env })))`
  const environment = Object.fromEntries(
    Object.entries(flagsOf(redis.url)).map(([key, value]) => [environmentName(key as SettingKey), value]),
  )
  const child = spawn(
    process.execPath,
    ['--import', './test/lib/run-typescript.mjs', '--input-type=module', '-e', program],
    {
      env: { PATH: process.env['PATH'], ARBEES_LOG_LEVEL: 'error', ...environment },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  )
  cleanups.push(() => void child.kill('SIGKILL'))
  return child
}

async function readyMirror(): Promise<ReturnType<typeof startMirror>> {
  const mirror = startMirror()
  await mirror.started
  return mirror
}

/** With a journal that answers. */
async function bind(name: Name): Promise<Publisher> {
  const options: PublisherOptions = {
    name,
    url: urlOf(name),
    recoveryUrl: urlOf(`${name}.recovery`),
    journal: { root: join(dataDir, 'journal'), retainBytes: 1e9 },
    env: 'sim',
    clock: systemClock,
    sources: sourcesOf(name),
  }
  const publisher = await again(() => Publisher.bind(options))
  cleanups.push(() => publisher.close())
  return publisher
}

/** A publisher whose seqs and ends we choose: what a crash and a lossy line look like. */
async function bindRaw(name: Name | 'legacy') {
  const socket = new RawPublisher({ sendHighWaterMark: 100_000, sendTimeout: 0, linger: 0 })
  // A socket that was closed lets go of its port a little later.
  const bound = () =>
    socket.bind(urlOf(name)).then(
      () => true,
      () => false,
    )
  await until(bound, 'the port is free')
  cleanups.push(() => socket.close())
  const beat = (epoch: number, lastSeq: number, closing = false, source = 'kalshi.prices'): Heartbeat => ({
    v: 1,
    publisher: name,
    env: 'sim',
    host: 'h',
    pid: 1,
    timestamp_ms: epoch,
    mono_us: 1,
    channels: [{ source, epoch, last_seq: lastSeq, oldest: null, journal: 'none' }],
    feeds: [],
    counts: {},
    hops: {},
    closing,
  })
  return {
    close: () => socket.close(),
    send: (topic: string, body: string) => socket.send([topic, body]),
    /** One of a price's messages. */
    price: (epoch: number, seq: number, source = 'kalshi.prices') =>
      socket.send([
        'prices.kalshi.T',
        encode(
          { env: 'sim', source, epoch, seq, prev: seq - 1, timestampMs: epoch, host: 'h', stamps: {} },
          { ...samples.prices, book_seq: seq },
        ),
      ]),
    beat: (epoch: number, lastSeq: number, closing = false) =>
      socket.send([`health.${name}`, JSON.stringify(beat(epoch, lastSeq, closing))]),
  }
}

/** Beats until the mirror hears it, so that what follows is heard from its first message. */
async function joined(
  raw: Awaited<ReturnType<typeof bindRaw>>,
  mirror: ReturnType<typeof startMirror>,
  epoch: number,
  lastSeq = 0,
): Promise<void> {
  const key = 'sim:arbees:checkpoint:kalshi.prices'
  await until(async () => {
    await raw.beat(epoch, lastSeq)
    return (await redis.look.hget(key, 'epoch')) === String(epoch)
  }, `the mirror hears epoch ${epoch}`)
  expect(mirror.count('lag:kalshi.prices')).toBe(0)
}

/** What went over the bus, heard by a socket of our own. */
async function eavesdrop(...names: Name[]) {
  const heard = new Map<string, { topic: string; data: Buffer }>()
  let beats = 0
  for (const name of names) {
    const socket = new RawSubscriber({ receiveHighWaterMark: 0, linger: 0 })
    socket.subscribe('')
    socket.connect(urlOf(name))
    cleanups.push(() => socket.close())
    const beatenBefore = beats
    void (async () => {
      for await (const [topic, data] of socket) {
        const name = topic!.toString()
        if (name.startsWith('health.')) beats++
        else {
          const { source, epoch, seq } = JSON.parse(data!.toString()) as Record<string, unknown>
          heard.set(`${String(source)}/${String(epoch)}/${String(seq)}`, { topic: name, data: data! })
        }
      }
    })()
    await until(() => beats > beatenBefore, 'the eavesdropper hears')
  }
  return heard
}

const beatOf = (name: string) =>
  JSON.parse(redis.cli('GET', `sim:arbees:health:${name}`) || 'null') as Heartbeat | null

describe('the mirror', () => {
  it('holds what was published: 20,000 messages in bursts, in order, once each, byte for byte', async () => {
    const mirror = await readyMirror()
    const kalshi = await bind('kalshi')
    const heard = await eavesdrop('kalshi')
    await until(() => beatOf('monitor:kalshi') !== null, 'heartbeats come')
    const books = kalshi.channel('kalshi.orderbook')
    const prices = kalshi.channel('kalshi.prices')
    for (let sent = 0; sent < 10_000; sent += 500) {
      for (let i = 0; i < 500; i++) {
        const market_id = `T${i % 11}`
        books.publish(`orderbook.kalshi.${market_id}`, { ...samples.orderbook, venue: 'kalshi', market_id })
        prices.publish(`prices.kalshi.${market_id}`, { ...samples.prices, market_id, book_seq: sent + i })
      }
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await until(() => mirror.count('mirrored') >= 20_000 && heard.size >= 20_000, 'all are mirrored', 15_000)
    for (const [stream, channel] of [
      ['sim:prices:kalshi', prices],
      ['sim:orderbook:kalshi', books],
    ] as const) {
      const entries = await readStream(redis.look, stream)
      expect(entries.map(({ seq }) => seq)).toEqual(range(1, 10_000))
      for (const { source, epoch, seq, topic, data } of entries) {
        const sent = heard.get(`${source}/${epoch}/${seq}`)
        if (sent?.topic !== topic || !sent.data.equals(data)) expect.fail(`${source}/${epoch}/${seq} differs`)
      }
      expect(entries.every(({ source, epoch }) => source === channel.source && epoch === channel.epoch)).toBe(
        true,
      )
    }
    expect(await readGaps(redis.look)).toEqual([])
    expect(mirror.count('mirrored')).toBe(20_000)
    expect(mirror.count('gaps') + mirror.count('duplicates') + mirror.counters.total('parse_errors')).toBe(0)
  })

  it("fills the first design's keys, as redis-cli shows them", async () => {
    const mirror = await readyMirror()
    const publishers = new Map<Name, Publisher>()
    for (const name of NAMES) publishers.set(name, await bind(name))
    await until(() => NAMES.every((name) => beatOf(healthNames[name]) !== null), 'every heartbeat is kept')
    const publish = (name: Name, source: string, topic: string, payload: object) =>
      publishers.get(name)!.channel(source).publish(topic, payload)
    publish('kalshi', 'kalshi.prices', 'prices.kalshi.KX-1', samples.prices)
    publish('poly', 'poly.prices', 'prices.poly.0xabc', { ...samples.prices, venue: 'poly' })
    publish('poly', 'poly.orderbook', 'orderbook.poly.0xabc', samples.orderbook)
    publish('kalshi', 'kalshi.orderbook', 'orderbook.kalshi.KX-1', { ...samples.orderbook, venue: 'kalshi' })
    publish('orchestrator', 'orchestrator.games', 'games.nba.401', { ...samples.games, period: 3 })
    publish('orchestrator', 'orchestrator.games', 'games.nba.401', samples.games)
    publish('orchestrator', 'orchestrator.games', 'games.updated', { league: 'nba', game_id: '401' })
    publish('shard-0', 'shard-0.signals', 'signals.trade.abc', samples.signals)
    publish('exec', 'exec.orders', 'orders.kalshi.o', samples.orders)
    publish('exec', 'exec.orders', 'orders.kalshi.p', { ...samples.orders, mode: 'paper' })
    publish('exec', 'exec.trades', 'trades.partial.o', samples.trades)
    publish('exec', 'exec.trades', 'trades.partial.l', { ...samples.trades, mode: 'live' })
    await until(() => mirror.count('mirrored') === 12, 'all are mirrored')

    const lengths = {
      'prices:kalshi': 1,
      'prices:poly': 1,
      'orderbook:kalshi': 1,
      'orderbook:poly': 1,
      'games:events': 3,
      'signals:trades': 1,
      'orders:history': 1,
      'paper:orders:history': 1,
      'trades:history': 1,
      'paper:trades:history': 1,
    }
    for (const [key, length] of Object.entries(lengths)) {
      expect([key, redis.cli('XLEN', `sim:${key}`)]).toEqual([key, String(length)])
    }
    const entry = redis.cli('XRANGE', 'sim:signals:trades', '-', '+').split('\n')
    expect(entry.filter((_, i) => i % 2 === 1)).toEqual(['topic', 'data', 'source', 'epoch', 'seq'])
    expect(JSON.parse(redis.cli('GET', 'sim:games:nba:401'))).toMatchObject({ payload: { period: 4 } })
    const ttl = Number(redis.cli('TTL', 'sim:games:nba:401'))
    expect(ttl).toBeGreaterThan(86_000)
    expect(ttl).toBeLessThanOrEqual(86_400)
    expect(redis.cli('HGET', 'sim:arbees:checkpoint:exec.orders', 'seq')).toBe('2')
    expect(redis.cli('EXISTS', 'sim:arbees:gaps')).toBe('0')
    const known = /^sim:(prices|orderbook|games|signals|(paper:)?(orders|trades)|arbees):/
    expect(
      redis
        .cli('KEYS', '*')
        .split('\n')
        .filter((key) => !known.test(key)),
    ).toEqual([])

    await until(
      () => (beatOf('mirror:0')?.counts['mirrored'] ?? 0) === 12,
      "the mirror's own health is there",
    )
    expect(beatOf('mirror:0')!.channels).toContainEqual(
      expect.objectContaining({ source: 'exec.orders', last_seq: 2 }),
    )
    expect(beatOf('shard:0')!.publisher).toBe('shard-0')
    const kept = Number(redis.cli('PTTL', 'sim:arbees:health:exec:0'))
    expect(kept).toBeGreaterThan(0)
    expect(kept).toBeLessThanOrEqual(5_000)
  })

  it('a health key ends with its publisher, not with the mirror', async () => {
    await readyMirror()
    const kalshi = await bind('kalshi')
    await until(() => beatOf('monitor:kalshi') !== null, 'it is alive')
    kalshi.close()
    await until(() => redis.cli('EXISTS', 'sim:arbees:health:monitor:kalshi') === '0', 'it is gone', 15_000)
    expect(beatOf('mirror:0')).not.toBeNull()
  })

  it('a hole in the live bus of a source without a journal becomes exactly that gap record', async () => {
    const mirror = await readyMirror()
    const raw = await bindRaw('kalshi')
    const epoch = Date.now()
    await joined(raw, mirror, epoch)
    for (const seq of [1, 2, 3, 7, 8]) await raw.price(epoch, seq)
    await raw.beat(epoch, 11)
    await until(() => mirror.count('gaps') === 2, 'both holes are recorded')
    expect((await readStream(redis.look, 'sim:prices:kalshi')).map(({ seq }) => seq)).toEqual([1, 2, 3, 7, 8])
    expect(await readGaps(redis.look)).toEqual([
      { channel: 'kalshi.prices', epoch, from: 4, to: 6, reason: 'no_journal' },
      { channel: 'kalshi.prices', epoch, from: 9, to: 11, reason: 'no_journal' },
    ])
    expect(redis.cli('HGET', 'sim:arbees:checkpoint:kalshi.prices', 'seq')).toBe('11')
  })

  it('a publisher that ends in order and starts again leaves no gap, one that crashes leaves its end open', async () => {
    const mirror = await readyMirror()
    const first = await bindRaw('kalshi')
    const epochs = [Date.now(), Date.now() + 1_000, Date.now() + 2_000] as const
    await joined(first, mirror, epochs[0])
    await first.price(epochs[0], 1)
    await first.beat(epochs[0], 1, true)
    await until(
      () => redis.cli('HGET', 'sim:arbees:checkpoint:kalshi.prices', 'closed') === '1',
      'the end is kept',
    )
    first.close()
    const second = await bindRaw('kalshi')
    await joined(second, mirror, epochs[1])
    await second.price(epochs[1], 1)
    await until(() => mirror.count('mirrored') === 2, 'the second life is mirrored')
    expect(await readGaps(redis.look)).toEqual([])
    second.close()
    const third = await bindRaw('kalshi')
    await joined(third, mirror, epochs[2])
    await third.price(epochs[2], 1)
    await until(() => mirror.count('mirrored') === 3, 'the third life is mirrored')
    expect(await readGaps(redis.look)).toEqual([
      { channel: 'kalshi.prices', epoch: epochs[1], from: 2, to: null, reason: 'epoch_end_unknown' },
    ])
    const entries = await readStream(redis.look, 'sim:prices:kalshi')
    expect(entries.map(({ epoch, seq }) => [epoch, seq])).toEqual(epochs.map((epoch) => [epoch, 1]))
  })

  it('what was published while the mirror was down, and before a fresh Redis, is pulled', async () => {
    const kalshi = await bind('kalshi')
    const prices = kalshi.channel('kalshi.prices')
    for (let i = 0; i < 3_000; i++) prices.publish('prices.kalshi.T', samples.prices)
    const first = await readyMirror()
    await until(() => first.count('mirrored') === 3_000, 'what was before it is there')
    await first.stop()
    for (let i = 0; i < 5; i++) prices.publish('prices.kalshi.T', samples.prices)
    const second = await readyMirror()
    await until(() => second.count('mirrored') === 5, 'what it missed is there')
    const entries = await readStream(redis.look, 'sim:prices:kalshi')
    expect(entries.map(({ seq }) => seq)).toEqual(range(1, 3_005))
    expect(await readGaps(redis.look)).toEqual([])
    expect(second.count('duplicates')).toBe(0)
  })

  it('a publisher that comes back, and one that ran while the mirror was down: every life is there', async () => {
    const first = await readyMirror()
    const lives: number[] = []
    const live = async (messages: number) => {
      const publisher = await bind('kalshi')
      const prices = publisher.channel('kalshi.prices')
      lives.push(prices.epoch)
      for (let i = 0; i < messages; i++) prices.publish('prices.kalshi.T', samples.prices)
      return publisher
    }
    const one = await live(10)
    await until(() => first.count('mirrored') === 10, 'the first life is mirrored')
    await first.stop()
    one.close()
    ;(await live(20)).close()
    await live(30)
    const second = await readyMirror()
    await until(() => second.count('mirrored') === 50, 'the other lives are mirrored')
    const entries = await readStream(redis.look, 'sim:prices:kalshi')
    expect(entries.map(({ epoch, seq }) => [epoch, seq])).toEqual(
      [10, 20, 30].flatMap((count, i) => range(1, count).map((seq) => [lives[i], seq])),
    )
    expect(await readGaps(redis.look)).toEqual([])
  })

  it(
    'killed under load, again and again: the next one goes on without loss or doubles',
    { timeout: 60_000 },
    async () => {
      const kalshi = await bind('kalshi')
      const prices = kalshi.channel('kalshi.prices')
      let publishing = true
      let published = 0
      const load = (async () => {
        while (publishing) {
          for (let i = 0; i < 10; i++) prices.publish('prices.kalshi.T', samples.prices)
          published += 10
          await new Promise((resolve) => setTimeout(resolve, 5))
        }
      })()
      const held = async () => Number((await redis.look.hget(CHECKPOINT, 'seq')) ?? 0)
      for (let kill = 0; kill < 2; kill++) {
        const before = await held()
        const child = mirrorProcess()
        await until(async () => (await held()) > before + 200, 'it writes', 25_000)
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
      publishing = false
      await load
      mirrorProcess()
      await until(async () => (await held()) === published, 'it caught up', 25_000)
      const entries = await readStream(redis.look, 'sim:prices:kalshi')
      expect(entries.map(({ seq }) => seq)).toEqual(range(1, published))
      expect(await readGaps(redis.look)).toEqual([])
    },
  )

  it('drains what has been published when it is stopped', async () => {
    const mirror = await readyMirror()
    const kalshi = await bind('kalshi')
    const prices = kalshi.channel('kalshi.prices')
    await until(() => redis.cli('EXISTS', 'sim:arbees:checkpoint:kalshi.prices') === '1', 'it is joined')
    for (let i = 0; i < 1_000; i++) prices.publish('prices.kalshi.T', samples.prices)
    expect(await mirror.stop()).toEqual([])
    expect(redis.cli('XLEN', 'sim:prices:kalshi')).toBe('1000')
  })

  it('a squatter, first-design senders and bad input are counted, shown, and never mistaken for ours', async () => {
    const mirror = await readyMirror()
    const raw = await bindRaw('kalshi')
    const old = await bindRaw('legacy')
    const epoch = Date.now()
    await joined(raw, mirror, epoch)
    await raw.price(epoch, 1)
    await raw.price(epoch, 1)
    await raw.price(epoch, 1, 'poly.prices')
    await raw.send('prices.kalshi.T', 'not json \u001b[31m')
    await raw.send('prices.kalshi.T', '{"__proto__":{"x":1},"source":"kalshi.prices","epoch":1e400}')
    await raw.send('prices.kalshi.T', '{"ticker":"T","yes_bid":0.4,"yes_ask":0.5,"timestamp_ms":1}')
    const bare = '{"ticker":"KX-1","yes_bid":0.41,"yes_ask":0.44,"timestamp_ms":1769500000000}'
    await until(async () => {
      await old.send('prices.kalshi.KX-1', bare)
      return mirror.count('unguarded_mirrored') > 0
    }, 'the first-design sender is heard')
    await old.send('signals.trade.1', bare)
    await until(
      () => mirror.count('wrong_source') === 1 && mirror.count('legacy_refused') === 2,
      'all are counted',
    )
    expect(mirror.count('parse_errors:not_json')).toBe(1)
    expect(mirror.count('parse_errors:bad_header')).toBe(1)
    expect(mirror.count('duplicates')).toBe(1)
    expect(mirror.count('mirrored')).toBe(1)
    await until(() => mirror.count('unguarded') === mirror.count('unguarded_mirrored'), 'all are written')
    const entries = await readStream(redis.look, 'sim:prices:kalshi')
    const unguarded = entries.filter(({ source }) => source !== 'kalshi.prices')
    expect(unguarded.length).toBe(mirror.count('unguarded'))
    for (const entry of unguarded) {
      expect(entry).toMatchObject({ topic: 'prices.kalshi.KX-1', epoch: 0, seq: 0 })
      expect(entry.source).toBe(`legacy.127.0.0.1-${ports.legacy}`)
      expect(entry.data.toString()).toBe(bare)
    }
    expect(redis.cli('KEYS', 'sim:arbees:checkpoint:legacy*')).toBe('')
    expect(mirror.lines.filter((line) => line.includes('wrong_source')).length).toBe(1)
    expect(await readGaps(redis.look)).toEqual([])
  })

  it('without Redis at the start it says so once, keeps what comes, and catches up', async () => {
    await redis.kill()
    const mirror = startMirror()
    const kalshi = await bind('kalshi')
    const prices = kalshi.channel('kalshi.prices')
    const heard = await eavesdrop('kalshi')
    await until(() => mirror.count('redis_errors:REDIS_UNREACHABLE') > 0, 'it is noticed')
    for (let i = 0; i < 500; i++) prices.publish('prices.kalshi.T', samples.prices)
    await until(() => heard.size === 500 && mirror.count('lag:kalshi.prices') === 500, 'they are kept')
    expect(mirror.isReady()).toBe(false)
    expect(mirror.lines).toHaveLength(1)
    expect(mirror.lines[0]).toMatch(/^warn no Redis answers at redis:.*apt-get install redis-server/)
    await redis.start()
    await until(() => mirror.isReady() && mirror.count('mirrored') === 500, 'it catches up')
    expect((await readStream(redis.look, 'sim:prices:kalshi')).map(({ seq }) => seq)).toEqual(range(1, 500))
    expect(await readGaps(redis.look)).toEqual([])
    expect(mirror.lines).toHaveLength(2)
  })

  it('Redis away for a while under load: one line when it goes, one when it is back', async () => {
    const mirror = await readyMirror()
    const kalshi = await bind('kalshi')
    const prices = kalshi.channel('kalshi.prices')
    await until(() => redis.cli('EXISTS', 'sim:arbees:checkpoint:kalshi.prices') === '1', 'it is joined')
    const publish = async (messages: number) => {
      for (let i = 0; i < messages; i++) {
        prices.publish('prices.kalshi.T', samples.prices)
        if (i % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
      }
    }
    await publish(1_000)
    const before = mirror.lines.length
    await redis.kill()
    await publish(2_000)
    await redis.start()
    await until(() => mirror.count('redis_up') === 1, 'it is back')
    await publish(1_000)
    await until(() => mirror.count('lag:kalshi.prices') === 0, 'it caught up')
    const seqs = (await readStream(redis.look, 'sim:prices:kalshi')).map(({ seq }) => seq)
    expect(seqs).toEqual(range(1, 4_000))
    expect(await readGaps(redis.look)).toEqual([])
    const said = mirror.lines.slice(before).filter((line) => !line.includes('gap recorded'))
    expect(said).toHaveLength(2)
    expect(said[0]).toContain('kept until it is back')
    expect(said[1]).toContain('messages wait for it')
  })

  it('a Redis that it must not use ends it with a configuration error', async () => {
    const cluster = await TestRedis.start(['--cluster-enabled', 'yes'])
    cleanups.push(() => cluster.stop())
    await expect(startMirror(cluster.url).started).rejects.toMatchObject({ code: 'REDIS_CLUSTER', exit: 4 })
  })
})

const healthNames: Readonly<Record<Name, string>> = {
  kalshi: 'monitor:kalshi',
  poly: 'monitor:poly',
  orchestrator: 'orchestrator:0',
  'shard-0': 'shard:0',
  exec: 'exec:0',
}
