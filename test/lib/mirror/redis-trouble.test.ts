/** What happens to a Redis under a mirror, as it happens to people: the window in it stays true. */

import { readdirSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../poll.js'
import { TestRedis, readGaps, readStream } from '../redis/support.js'
import { channelRig } from './channel-rig.js'
import type { ChannelRig, RigOptions } from './channel-rig.js'
import { JournaledSource, STREAM } from './journaled-source.js'

const cleanups: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const CHECKPOINT = 'sim:arbees:checkpoint:kalshi.prices'
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const seqsIn = async (server: TestRedis) => (await readStream(server.look, STREAM)).map(({ seq }) => seq)

async function redisServer(...extra: readonly string[]): Promise<TestRedis> {
  const server = await TestRedis.start(extra)
  cleanups.push(() => server.stop())
  return server
}

async function mirrored(server: TestRedis, options?: RigOptions) {
  const source = new JournaledSource()
  const rig = channelRig(server.url, source, options)
  cleanups.push(rig.end)
  source.beat()
  await rig.link.ready()
  return { source, ...rig }
}

async function expectWhole(server: TestRedis, source: JournaledSource): Promise<void> {
  expect(await seqsIn(server)).toEqual(range(1, source.seq))
  expect(await readGaps(server.look)).toEqual([])
}

/** What Redis came back with: where its checkpoint is, and that its data end exactly there. */
async function checkpointOf(server: TestRedis): Promise<number> {
  const seq = Number(await server.look.hget(CHECKPOINT, 'seq'))
  expect(await seqsIn(server)).toEqual(range(1, seq))
  return seq
}

describe('a channel whose Redis is in trouble', () => {
  it('lost the end of its AOF: data and checkpoint are back at the same place, the rest is pulled', async () => {
    const server = await redisServer('--appendonly', 'yes', '--appendfsync', 'always')
    const { source, settled, link } = await mirrored(server)
    await source.publishSlowly(1_000)
    await settled()
    source.mute = true
    await server.kill()
    await until(() => !link.isUp, 'the loss is noticed')
    cutAof(server, 0.4)
    await server.start()
    await link.ready()
    const kept = await checkpointOf(server)
    expect(kept).toBeGreaterThan(0)
    expect(kept).toBeLessThan(1_000)
    source.mute = false
    await settled()
    await expectWhole(server, source)
  })

  it('was restored from an old backup: what came since is pulled', async () => {
    const server = await redisServer()
    const { source, settled, link } = await mirrored(server)
    source.publish(700)
    await settled()
    await server.look.save()
    source.publish(1_500)
    await settled()
    source.mute = true
    await server.kill()
    await until(() => !link.isUp, 'the loss is noticed')
    await server.start()
    await link.ready()
    expect(await checkpointOf(server)).toBe(700)
    source.mute = false
    await settled()
    await expectWhole(server, source)
  })

  it('became a read-only replica and a master again: an alarm that names it, then all of it', async () => {
    const server = await redisServer()
    const other = await redisServer('--repl-diskless-sync-delay', '0')
    const { source, settled, linkEvents, counters } = await mirrored(server)
    const publishing = source.publishSlowly(1_000)
    await until(async () => (await server.look.xlen(STREAM)) > 100, 'some are written')
    await server.look.replicaof('127.0.0.1', other.port)
    await until(() => linkEvents.includes('REDIS_READ_ONLY'), 'the mirror says what is wrong')
    await publishing
    expect(counters.get('redis_errors:READONLY')).toBeGreaterThan(0)
    expect(linkEvents.filter((event) => event === 'REDIS_READ_ONLY')).toHaveLength(1)
    // What it had is what its master has: nothing.
    await until(async () => (await server.look.dbsize()) === 0, 'it has the data of its master')
    await server.look.call('REPLICAOF', 'NO', 'ONE')
    await settled()
    await expectWhole(server, source)
  })

  it('loads its data while it is asked: what it refuses is pulled when it is done', async () => {
    const server = await redisServer('--enable-debug-command', 'yes', ...SLOW_LOADING)
    const { source, settled, counters } = await mirrored(server)
    for (let i = 0; i < 40; i++) await server.look.set(`ballast:${i}`, 'x'.repeat(2_000))
    const publishing = source.publishSlowly(1_500)
    await until(async () => (await server.look.xlen(STREAM)) > 100, 'some are written')
    await server.look.call('DEBUG', 'RELOAD')
    await publishing
    await settled()
    expect(counters.get('redis_errors:LOADING')).toBeGreaterThan(0)
    await expectWhole(server, source)
  })

  it.each<[string, Trouble, (rig: ChannelRig, refusals: string) => number]>([
    [
      'forgot its scripts',
      (server) => server.look.script('FLUSH'),
      (_, refusals) => Number(/NOSCRIPT:count=(\d+)/.exec(refusals)?.[1]),
    ],
    [
      'cut every connection',
      (server) => server.look.call('CLIENT', 'KILL', 'TYPE', 'normal'),
      ({ linkEvents }) => linkEvents.length - 1,
    ],
    [
      'answered nobody for longer than a command may take',
      (server) => server.look.client('PAUSE', 400),
      ({ counters }) => counters.get('redis_errors:TIMEOUT'),
    ],
    ['ran out of memory', outOfMemory, ({ counters }) => counters.get('redis_errors:OOM')],
    ['was emptied', (server) => server.look.flushall(), ({ counters }) => counters.get('pulled')],
  ])('%s, several times under load: nothing is lost, nothing is there twice', async (_, happen, evidence) => {
    const server = await redisServer()
    const { source, ...rig } = await mirrored(server, { timeoutMs: 150 })
    const publishing = source.publishSlowly(3_000)
    for (const seq of [300, 900, 1_500, 2_100]) {
      await until(() => source.seq >= seq, `message ${seq} is published`)
      await happen(server, rig)
    }
    await publishing
    await rig.settled()
    // What was emptied before the last look of the mirror is filled again a little later.
    await until(async () => (await server.look.xlen(STREAM)) >= source.seq, 'all of it is there')
    await expectWhole(server, source)
    expect(evidence(rig, await server.look.info('errorstats'))).toBeGreaterThan(0)
  })
})

type Trouble = (server: TestRedis, rig: ChannelRig) => Promise<unknown>

/** Keys are loaded one by one, and commands are answered in between. */
const SLOW_LOADING = ['--key-load-delay', '10000', '--loading-process-events-interval-bytes', '1024']

/** As after a power cut: the newest part of the file was never written. */
function cutAof(server: TestRedis, share: number): void {
  const folder = join(server.dir, 'appendonlydir')
  const name = readdirSync(folder).find((file) => file.includes('.incr.'))!
  const path = join(folder, name)
  truncateSync(path, Math.floor(statSync(path).size * share))
}

async function outOfMemory(server: TestRedis, { counters }: ChannelRig): Promise<void> {
  const before = counters.get('redis_errors:OOM')
  await server.look.config('SET', 'maxmemory', '1')
  await until(() => counters.get('redis_errors:OOM') > before, 'a write is refused')
  await server.look.config('SET', 'maxmemory', '0')
}
