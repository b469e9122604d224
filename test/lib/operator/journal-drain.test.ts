import { mkdtempSync, rmSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Journal } from '../../../src/lib/bus/journal/journal.js'
import { FileStorage } from '../../../src/lib/bus/journal/storage.js'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import { loadSettings } from '../../../src/lib/core/config.js'
import { bootId } from '../../../src/lib/core/ids.js'
import { redisUsers } from '../../../src/lib/redis/acl.js'
import { encode } from '../../../src/lib/messages/codec.js'
import { drainJournals } from '../../../src/lib/operator/journal-drain.js'
import * as samples from '../messages/samples.js'
import { TestRedis, loginOf, makeUsers, readGaps, readStream } from '../redis/support.js'

const STREAM = 'sim:prices:kalshi'
const cleanups: (() => void | Promise<void>)[] = []
let redis: TestRedis
let root: string
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'arbees-drain-'))
  cleanups.push(() => rmSync(root, { recursive: true, force: true }))
  redis = await TestRedis.start()
  cleanups.push(() => redis.stop())
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const settings = (flags: Record<string, string> = {}) =>
  loadSettings({ flags: { redis_url: redis.url, ...flags } }).settings
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const positions = async () => (await readStream(redis.look, STREAM)).map(({ epoch, seq }) => [epoch, seq])

/** A life of the Kalshi monitor that publishes and ends in order. */
async function live(messages: number, dir = root): Promise<number> {
  const publisher = await Publisher.bind({
    name: 'kalshi',
    url: 'tcp://127.0.0.1:*',
    env: 'sim',
    clock: systemClock,
    sources: ['kalshi.prices', 'kalshi.orderbook'],
    journal: { root: dir, retainBytes: 1e9 },
  })
  const prices = publisher.channel('kalshi.prices')
  for (let i = 0; i < messages; i++) prices.publish('prices.kalshi.T', samples.prices)
  const { epoch } = prices
  publisher.close()
  return epoch
}

function openPrices(retainBytes = 1e9, boot = bootId()): Journal {
  const storage = new FileStorage(join(root, 'kalshi.prices'))
  const onNotice = () => undefined
  return Journal.open({
    storage,
    source: 'kalshi.prices',
    clock: systemClock,
    retainBytes,
    bootId: boot,
    onNotice,
  })
}

function write(journal: Journal, from: number, to: number): void {
  for (let seq = from; seq <= to; seq++) {
    const at = { source: 'kalshi.prices', epoch: journal.epoch, seq, timestampMs: 1_000 }
    const text = encode({ env: 'sim', host: 'h', stamps: {}, ...at }, samples.prices)
    journal.stage(seq, 1_000, Buffer.from('prices.kalshi.T'), text)
  }
  journal.flush()
}

describe('arbees journal drain', () => {
  it('writes all lives of a publisher, once, however often it is drained', async () => {
    const epochs = [await live(700), await live(20)]
    const report = await drainJournals(settings(), root)
    expect(report).toMatchObject({ written: 720, gaps: 0 })
    expect(report.channels.map(({ source }) => source)).toEqual(['kalshi.orderbook', 'kalshi.prices'])
    expect(report.channels[1]).toMatchObject({ epoch: epochs[1], seq: 20, end_known: true, gaps: [] })
    expect(await positions()).toEqual([
      ...range(1, 700).map((seq) => [epochs[0], seq]),
      ...range(1, 20).map((seq) => [epochs[1], seq]),
    ])
    expect(await drainJournals(settings(), join(root, 'kalshi.prices'))).toMatchObject({ written: 0 })
    expect(await redis.look.xlen(STREAM)).toBe(720)
    expect(await redis.look.hget('sim:arbees:checkpoint:kalshi.prices', 'closed')).toBe('1')
  })

  it('goes on behind what the mirror has written', async () => {
    const epoch = await live(100)
    await redis.look.hset('sim:arbees:checkpoint:kalshi.prices', { epoch, seq: 60, closed: 0 })
    expect(await drainJournals(settings(), root)).toMatchObject({ written: 40, gaps: 0 })
    expect(await positions()).toEqual(range(61, 100).map((seq) => [epoch, seq]))
  })

  it('says exactly what the journal keeps no more', async () => {
    const journal = openPrices(200_000)
    for (let from = 1; from < 3_000; from += 100) write(journal, from, from + 99)
    const oldest = journal.oldest!
    journal.close()
    expect(oldest.seq).toBeGreaterThan(1)
    const report = await drainJournals(settings(), root)
    const gap = { epoch: oldest.epoch, from: 1, to: oldest.seq - 1, reason: 'retention' }
    expect(report.channels[0]!.gaps).toEqual([gap])
    expect(await readGaps(redis.look)).toEqual([{ channel: 'kalshi.prices', ...gap }])
    expect(await positions()).toEqual(range(oldest.seq, 3_000).map((seq) => [oldest.epoch, seq]))
  })

  it('a machine that crashed: what is there is written, and that its end is not known is said', async () => {
    const journal = openPrices(1e9, 'another')
    write(journal, 1, 30)
    new FileStorage(join(root, 'kalshi.prices')).remove('lock')
    const report = await drainJournals(settings(), root)
    expect(report.channels).toMatchObject([{ written: 30, end_known: false, gaps: [] }])
    expect(await redis.look.hget('sim:arbees:checkpoint:kalshi.prices', 'closed')).not.toBe('1')
  })

  describe('a journal that Redis is past', () => {
    const drained = async (dir: string, maxLength: number) =>
      drainJournals(settings({ 'mirror.prices_maxlen': String(maxLength) }), join(dir, 'kalshi.prices'))
    const tooLate = async (maxLength = 10_000) => (await drained(root, maxLength)).too_late
    const replacement = () => join(root, 'replacement')

    it('cannot be written any more, which is said', async () => {
      const epoch = await live(100)
      await redis.look.hset('sim:arbees:checkpoint:kalshi.prices', { epoch: epoch + 1, seq: 5, closed: 0 })
      const report = await drained(root, 10_000)
      expect(report).toMatchObject({ written: 0, gaps: 0, too_late: 1 })
      expect(report.channels).toMatchObject([{ epoch: epoch + 1, seq: 5, too_late: true }])
      expect(await redis.look.xlen(STREAM)).toBe(0)
    })

    it('is looked into by whoever writes as the mirror does, and needs no more rights', async () => {
      const epoch = await live(5)
      await redis.look.hset('sim:arbees:checkpoint:kalshi.prices', { epoch: epoch + 1, seq: 5, closed: 0 })
      const users = redisUsers('sim', false)
      await makeUsers(redis, users)
      const { username, password } = loginOf(users.find(({ role }) => role === 'mirror')!.name)
      const redis_url = `redis://${username}:${password}@127.0.0.1:${redis.port}`
      expect(await drainJournals(settings({ redis_url }), root)).toMatchObject({ too_late: 1 })
    })

    it('is no loss when Redis has all of it, or has trimmed it since', async () => {
      await live(300)
      await drained(root, 10)
      await live(20, replacement())
      await drained(replacement(), 1_000)
      expect(await tooLate(1_000)).toBe(0)
      await live(1_000, replacement())
      await drained(replacement(), 100)
      expect((await positions()).length).toBeLessThan(1_020)
      expect(await tooLate(100)).toBe(0)
    })

    it('is a loss where Redis went on in its middle, also once its stream has moved on', async () => {
      const epoch = await live(300)
      await redis.look.hset('sim:arbees:checkpoint:kalshi.prices', { epoch, seq: 260, closed: 0 })
      await live(300, replacement())
      const { gaps } = await drained(replacement(), 300)
      expect(gaps).toBe(1)
      expect(await readGaps(redis.look)).toMatchObject([
        { epoch, from: 261, to: null, reason: 'journal_lost' },
      ])
      expect(await tooLate(300)).toBe(1)
      await redis.look.del('sim:arbees:gaps')
      expect(await tooLate(300)).toBe(0)
      expect(await tooLate(10_000)).toBe(1)
    })
  })

  it('refuses a journal that a live process writes, data of another env, and a folder without one', async () => {
    const dir = join(root, 'kalshi.prices')
    const script = `
      import { FileStorage } from './src/lib/bus/journal/storage.js'
      new FileStorage(process.argv[1]).lock()
      console.log('locked')
      setInterval(() => undefined, 1_000)`
    await live(3)
    const arguments_ = ['--import', './test/lib/run-typescript.mjs', '--input-type=module', '-e', script, dir]
    const child = spawn(process.execPath, arguments_, { stdio: ['ignore', 'pipe', 'inherit'] })
    cleanups.push(() => void child.kill('SIGKILL'))
    await once(child.stdout, 'data')
    const locked = { code: 'JOURNAL_LOCKED', exit: 7 }
    await expect(drainJournals(settings(), root)).rejects.toMatchObject(locked)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const foreign = { code: 'WRONG_ENV', exit: 7 }
    await expect(drainJournals(settings({ env: 'demo' }), root)).rejects.toMatchObject(foreign)
    await expect(drainJournals(settings(), tmpdir())).rejects.toMatchObject({ code: 'NO_JOURNAL', exit: 2 })
    expect(await redis.look.dbsize()).toBe(0)
    expect(await drainJournals(settings(), root)).toMatchObject({ written: 3 })
  })

  it('stops where Redis refuses, and goes on from there', async () => {
    await live(10)
    await redis.look.set(STREAM, 'x')
    await expect(drainJournals(settings(), root)).rejects.toMatchObject({ code: 'DRAIN_REFUSED' })
    await redis.look.del(STREAM)
    expect(await drainJournals(settings(), root)).toMatchObject({ written: 10, gaps: 0 })
  })
})
