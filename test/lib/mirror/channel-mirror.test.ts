import { Redis } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../../src/lib/core/clock.js'
import { MemoryStorage } from '../bus/journal/memory-storage.js'
import { until } from '../poll.js'
import { FaultyProxy, TestRedis, readGaps, readStream } from '../redis/support.js'
import { channelRig } from './channel-rig.js'
import type { ChannelRig, RigOptions } from './channel-rig.js'
import { JournaledSource, SOURCE, STREAM } from './journaled-source.js'
import type { SourceOptions } from './journaled-source.js'

const cleanups: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function redisServer(): Promise<TestRedis> {
  const server = await TestRedis.start()
  cleanups.push(() => server.stop())
  return server
}

async function proxyTo(server: TestRedis): Promise<FaultyProxy> {
  const proxy = await FaultyProxy.start(server.port)
  cleanups.push(() => proxy.stop())
  return proxy
}

function mirrorTo(url: string, source: JournaledSource, options?: RigOptions): ChannelRig {
  const rig = channelRig(url, source, options)
  cleanups.push(rig.end)
  return rig
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const seqsIn = async (server: TestRedis) => (await readStream(server.look, STREAM)).map(({ seq }) => seq)

async function mirrored(options: RigOptions & { source?: SourceOptions } = {}) {
  const server = await redisServer()
  const source = new JournaledSource(options.source)
  const mirror = mirrorTo(server.url, source, options)
  source.beat()
  await mirror.link.ready()
  return { server, source, ...mirror }
}

describe('a channel on its way into Redis', () => {
  it('holes on the bus are filled from the journal, in order, byte for byte', async () => {
    const { server, source, counters, settled } = await mirrored()
    for (let seq = 50; seq <= 3_000; seq += 50) source.publish(seq, { lost: seq % 150 === 0 })
    source.publish(3_010, { lost: true })
    source.beat()
    await settled()
    const entries = await readStream(server.look, STREAM)
    expect(entries.map(({ seq }) => seq)).toEqual(range(1, 3_010))
    for (const { data, epoch, seq } of entries) {
      expect(JSON.parse(data.toString())).toMatchObject({ epoch, seq, payload: { book_seq: seq } })
    }
    expect(counters.get('pulled')).toBeGreaterThanOrEqual(1_010)
    expect(counters.get('mirrored')).toBe(3_010)
    expect(counters.get('duplicates')).toBe(0)
    expect(await readGaps(server.look)).toEqual([])
  })

  it('an answer that is lost after the write costs and doubles nothing; a plain XADD doubles', async () => {
    const server = await redisServer()
    const proxy = await proxyTo(server)
    const source = new JournaledSource()
    const { counters, settled, link } = mirrorTo(proxy.url, source)
    await link.ready()
    source.beat()
    for (const times of [1, 2, 3]) {
      proxy.loseAnswersTo('prices.kalshi.T')
      await until(() => {
        source.publish(source.seq + 50)
        return proxy.lost >= times
      }, `${times} answers were lost`)
    }
    await settled()
    expect(await seqsIn(server)).toEqual(range(1, source.seq))
    expect(counters.get('mirrored')).toBe(source.seq)
    expect(await readGaps(server.look)).toEqual([])

    // The control: ioredis as it comes, through the same fault. A proxy that loses nothing would show here.
    const naive = new Redis(proxy.port, '127.0.0.1')
    cleanups.push(() => naive.disconnect())
    await naive.ping()
    proxy.loseAnswersTo('naive-entry')
    await Promise.all(range(1, 100).map((n) => naive.xadd('naive', '*', 'naive-entry', String(n))))
    expect(await server.look.xlen('naive')).toBeGreaterThan(100)
  })

  it('Redis killed and back empty, nothing more published: the whole window is there again, without a gap', async () => {
    const { server, source, settled, link } = await mirrored()
    source.publish(2_500)
    await settled()
    await server.kill()
    await until(() => !link.isUp, 'the loss is noticed')
    await server.start()
    await until(async () => (await seqsIn(server)).length === 2_500, 'it is filled again')
    expect(await seqsIn(server)).toEqual(range(1, 2_500))
    expect(await readGaps(server.look)).toEqual([])
  })

  it('Redis killed in the middle of a stream of messages: each is there, none twice', async () => {
    const { server, source, settled } = await mirrored()
    const publishing = source.publishSlowly(6_000)
    await until(async () => (await server.look.xlen(STREAM)) > 1_000, 'some are written')
    await server.kill()
    await server.start()
    await publishing
    await settled()
    expect(await seqsIn(server)).toEqual(range(1, 6_000))
    expect(await readGaps(server.look)).toEqual([])
  })

  it('what Redis lost is pulled while nothing is published: a FLUSHALL, an older backup', async () => {
    const { server, source, settled } = await mirrored()
    source.publish(700)
    await settled()
    await server.look.flushall()
    await until(async () => (await seqsIn(server)).length === 700, 'it is filled again')
    expect(await seqsIn(server)).toEqual(range(1, 700))

    const key = 'sim:arbees:checkpoint:kalshi.prices'
    const backup = [await server.look.dumpBuffer(STREAM), await server.look.dumpBuffer(key)] as const
    source.publish(1_200)
    await settled()
    await server.look
      .multi()
      .restore(STREAM, 0, backup[0], 'REPLACE')
      .restore(key, 0, backup[1], 'REPLACE')
      .exec()
    await until(async () => (await seqsIn(server)).length === 1_200, 'it is filled again')
    expect(await seqsIn(server)).toEqual(range(1, 1_200))
    expect(await readGaps(server.look)).toEqual([])
  })

  it('a stream of a wrong type is an alarm that is said once, and mended by DEL', async () => {
    const server = await redisServer()
    await server.look.set(STREAM, 'not a stream')
    const source = new JournaledSource()
    const { channel, counters, events, settled } = mirrorTo(server.url, source)
    source.publish(100)
    source.beat()
    await until(() => counters.get('redis_errors:WRONGTYPE') >= 3, 'it keeps trying')
    expect(events).toEqual(['failing WRONGTYPE'])
    expect(channel.lag).toBe(100)
    await server.look.del(STREAM)
    await settled()
    expect(events).toEqual(['failing WRONGTYPE', 'recovered'])
    expect(await seqsIn(server)).toEqual(range(1, 100))
    expect(channel.lag).toBe(0)
  })

  it('a checkpoint of a wrong type is an alarm, and nothing is written before it is mended', async () => {
    const server = await redisServer()
    await server.look.set('sim:arbees:checkpoint:kalshi.prices', 'x')
    const source = new JournaledSource()
    const { counters, settled } = mirrorTo(server.url, source)
    source.publish(10)
    source.beat()
    await until(() => counters.get('redis_errors:WRONGTYPE') >= 2, 'it is refused')
    expect(await seqsIn(server)).toEqual([])
    await server.look.del('sim:arbees:checkpoint:kalshi.prices')
    await settled()
    expect(await seqsIn(server)).toEqual(range(1, 10))
  })

  it('Redis out of memory is an alarm, and costs nothing once there is some', async () => {
    const { server, source, counters, settled } = await mirrored()
    source.publish(100)
    await settled()
    await server.look.config('SET', 'maxmemory', '1')
    source.publish(200)
    await until(() => counters.get('redis_errors:OOM') >= 2, 'it is refused')
    expect(await seqsIn(server)).toEqual(range(1, 100))
    await server.look.config('SET', 'maxmemory', '0')
    await settled()
    expect(await seqsIn(server)).toEqual(range(1, 200))
  })

  it('Redis stopped for longer than a command may take: nothing lost, nothing twice', async () => {
    const { server, source, counters, settled, link } = await mirrored({ timeoutMs: 100 })
    const publishing = source.publishSlowly(4_000)
    await until(async () => (await server.look.xlen(STREAM)) > 100, 'some are written')
    process.kill(server.pid, 'SIGSTOP')
    await until(() => !link.isUp, 'the silence is noticed')
    process.kill(server.pid, 'SIGCONT')
    await publishing
    await settled()
    expect(await seqsIn(server)).toEqual(range(1, 4_000))
    const failures = counters.get('redis_errors:TIMEOUT') + counters.get('redis_errors:DISCONNECTED')
    expect(failures).toBeGreaterThan(0)
    expect(await readGaps(server.look)).toEqual([])
  })

  it('two mirrors at once write each message once, whatever each of them missed', async () => {
    const { server, source, ...one } = await mirrored()
    const two = mirrorTo(server.url, source)
    await two.link.ready()
    const publishing = source.publishSlowly(2_000)
    await publishing
    source.publish(2_400, { lost: true })
    const listeners = source.listeners.splice(0, 2)
    source.listeners.push(listeners[1]!)
    source.publish(2_600)
    source.listeners.push(listeners[0]!)
    source.beat()
    await Promise.all([one.settled(), two.settled()])
    source.close()
    const again = new JournaledSource({ storage: source.crash() })
    one.follow(again)
    two.follow(again)
    again.publish(50)
    again.beat()
    await Promise.all([one.settled(), two.settled()])
    expect(await seqsIn(server)).toEqual([...range(1, 2_600), ...range(1, 50)])
    expect(one.counters.get('mirrored') + two.counters.get('mirrored')).toBe(2_650)
    expect(await readGaps(server.look)).toEqual([])
  })

  it('what memory cannot hold while Redis is away is pulled afterwards', async () => {
    const { server, source, counters, settled, link } = await mirrored({
      maxWaiting: { records: 300, bytes: 1e9 },
    })
    await server.kill()
    await until(() => !link.isUp, 'it is away')
    await source.publishSlowly(5_000)
    await server.start()
    await settled()
    expect(await seqsIn(server)).toEqual(range(1, 5_000))
    expect(counters.get('pulled')).toBeGreaterThanOrEqual(4_700)
    expect(await readGaps(server.look)).toEqual([])
  })

  it('further behind than the journal is kept: exactly the removed messages are a gap', async () => {
    const server = await redisServer()
    const source = new JournaledSource({ retainBytes: 400_000 })
    source.publish(100)
    const first = mirrorTo(server.url, source)
    source.beat()
    await first.settled()
    first.end()
    source.listeners.length = 0
    for (let to = 200; to <= 5_000; to += 100) source.publish(to)
    const oldest = oldestIn(source)
    expect(oldest).toBeGreaterThan(101)
    const second = mirrorTo(server.url, source)
    source.beat()
    await second.settled()
    expect(await seqsIn(server)).toEqual([...range(1, 100), ...range(oldest, 5_000)])
    expect(await readGaps(server.look)).toEqual([
      { channel: SOURCE, epoch: source.epoch, from: 101, to: oldest - 1, reason: 'retention' },
    ])
    expect(second.events).toEqual(['gap retention'])
  })

  it('no more is pulled than the stream keeps; the rest is a gap', async () => {
    const server = await redisServer()
    const source = new JournaledSource()
    source.publish(5_000)
    const { settled } = mirrorTo(server.url, source, { maxBehind: 1_000 })
    source.beat()
    await settled()
    expect(await seqsIn(server)).toEqual(range(4_001, 5_000))
    expect(await readGaps(server.look)).toMatchObject([{ from: 1, to: 4_000, reason: 'trimmed' }])
    expect(source.asked).toBeLessThanOrEqual(5)
  })

  it('a journal that does not answer is waited for, within bounds', async () => {
    const { server, source, counters, settled } = await mirrored({ outOfReachMs: 60_000 })
    source.mute = true
    source.publish(10, { lost: true })
    source.publish(20)
    source.beat()
    await until(() => counters.get('pulls_unanswered') >= 3, 'it keeps asking')
    expect(await seqsIn(server)).toEqual([])
    source.mute = false
    await settled()
    expect(await seqsIn(server)).toEqual(range(1, 20))
  })

  it('a journal that stays away leaves exactly that gap, and the channel goes on', async () => {
    const { server, source, settled } = await mirrored({ outOfReachMs: 300 })
    source.publish(5)
    await settled()
    source.mute = true
    source.publish(10, { lost: true })
    source.publish(20)
    source.beat()
    await settled()
    expect(await seqsIn(server)).toEqual([...range(1, 5), ...range(11, 20)])
    expect(await readGaps(server.look)).toEqual([
      { channel: SOURCE, epoch: source.epoch, from: 6, to: 10, reason: 'out_of_reach' },
    ])
  })

  it('a source without a journal: what was missed is a gap at once', async () => {
    const { server, source, settled } = await mirrored()
    source.publish(3)
    source.publish(6, { lost: true })
    source.publish(8)
    source.beat({ journal: 'none' })
    await settled()
    expect(await readGaps(server.look)).toMatchObject([{ from: 4, to: 6, reason: 'no_journal' }])
    expect(source.asked).toBe(0)
  })

  it('a source killed in a burst: its journal has the rest, and its next life follows without a gap', async () => {
    const { server, source, settled, follow } = await mirrored()
    source.publish(300)
    source.publish(420, { lost: true })
    const again = new JournaledSource({ storage: source.crash() })
    follow(again)
    again.publish(30)
    again.beat()
    await settled()
    expect(await seqsIn(server)).toEqual([...range(1, 420), ...range(1, 30)])
    expect(await readGaps(server.look)).toEqual([])
  })

  it('a machine that crashed: nobody knows the end of the epoch, and the record says so', async () => {
    const { server, source, settled, follow } = await mirrored()
    source.publish(100)
    await settled()
    const again = new JournaledSource({ storage: source.crash(), bootId: 'boot-2' })
    follow(again)
    again.publish(3)
    again.beat()
    await settled()
    expect(await seqsIn(server)).toEqual([...range(1, 100), ...range(1, 3)])
    expect(await readGaps(server.look)).toEqual([
      { channel: SOURCE, epoch: source.epoch, from: 101, to: null, reason: 'epoch_end_unknown' },
    ])
  })

  it('a journal that was deleted is a gap in the old epoch alone', async () => {
    const { server, source, settled, follow } = await mirrored()
    source.publish(100)
    await settled()
    const again = new JournaledSource({ storage: new MemoryStorage(), epochFloor: source.epoch + 5 })
    follow(again)
    again.publish(20, { lost: true })
    again.beat()
    await settled()
    expect(await seqsIn(server)).toEqual([...range(1, 100), ...range(1, 20)])
    expect(await readGaps(server.look)).toMatchObject([{ from: 101, to: null, reason: 'journal_lost' }])
  })

  it('a source in an epoch before the one in Redis is refused with an alarm, until it is past it', async () => {
    const { server, source, channel, counters, events, settled, follow } = await mirrored()
    source.publish(10)
    await settled()
    const past = new JournaledSource({ clock: new ManualClock(source.epoch - 1_000) })
    follow(past)
    past.publish(5)
    past.beat()
    past.beat()
    expect(counters.get('epoch_regressed:kalshi.prices')).toBe(1)
    expect(counters.get('old_epoch')).toBe(5)
    expect(events).toEqual(['failing EPOCH_REGRESSED'])
    expect(channel.isBehind).toBe(false)
    const mended = new JournaledSource({ storage: past.crash(), epochFloor: source.epoch + 1 })
    follow(mended)
    mended.publish(5)
    mended.beat()
    await settled()
    expect(events).toContain('recovered')
    expect(counters.get('epoch_regressed:kalshi.prices')).toBe(0)
    expect(await seqsIn(server)).toEqual([...range(1, 10), ...range(1, 5)])
  })

  it('starts from the checkpoint: what an earlier mirror wrote is not written again, what it missed is', async () => {
    const { server, source, settled, end } = await mirrored()
    source.publish(10)
    await settled()
    end()
    source.publish(19)
    const second = mirrorTo(server.url, source)
    source.publish(22)
    source.beat()
    await second.settled()
    expect(await seqsIn(server)).toEqual(range(1, 22))
    expect(second.counters.get('mirrored')).toBe(12)
    expect(await readGaps(server.look)).toEqual([])
  })
})

/** The first seq that the journal still gives out. */
function oldestIn(source: JournaledSource): number {
  const { hole } = source.answer({ epoch: source.epoch, from: 101 })
  return (hole?.to ?? 0) + 1
}
