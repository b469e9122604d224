import { Redis } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import type { MirrorRecord } from '../../../src/lib/mirror/batch.js'
import { ChannelMirror } from '../../../src/lib/mirror/channel-mirror.js'
import type { QueueLimits } from '../../../src/lib/mirror/entry-queue.js'
import { BatchWriter } from '../../../src/lib/mirror/writer.js'
import { RedisLink } from '../../../src/lib/redis/connection.js'
import { Counters } from '../../../src/lib/telemetry/counters.js'
import { until } from '../poll.js'
import { FaultyProxy, TestRedis, readGaps, readStream } from '../redis/support.js'

const STREAM = 'sim:prices:kalshi'
const SOURCE = 'kalshi.prices'
const EPOCH = 1_769_500_000_123

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

function mirrorTo(url: string, { queue, timeoutMs }: { queue?: QueueLimits; timeoutMs?: number } = {}) {
  const counters = new Counters()
  const events: string[] = []
  const link = new RedisLink({
    url,
    name: 'test-mirror',
    commandTimeoutMs: timeoutMs ?? 1_500,
    onUp: () => channel.resume(),
  })
  const writer = new BatchWriter({ redis: link.redis, env: 'sim', source: SOURCE, maxLength: 1_000_000 })
  const channel: ChannelMirror = new ChannelMirror({
    source: SOURCE,
    writer,
    counters,
    isUp: () => link.isUp,
    events: {
      onGap: (_, gap) => events.push(`gap ${gap.kind === 'gap' ? gap.reason : 'epoch'}`),
      onFailing: (_, code) => events.push(`failing ${code}`),
      onRecovered: () => events.push('recovered'),
    },
    ...(queue === undefined ? {} : { queue }),
  })
  cleanups.push(() => {
    channel.stop()
    link.close()
  })
  const settled = () => until(() => channel.pending === 0 && link.isUp, 'everything is written')
  return { channel, counters, events, link, settled }
}

type Feed = Pick<ChannelMirror, 'add'>
const record = (seq: number, epoch = EPOCH): MirrorRecord => ({
  kind: 'record',
  epoch,
  seq,
  stream: STREAM,
  topic: `prices.kalshi.T${seq % 7}`,
  data: Buffer.from(`{"epoch":${epoch},"seq":${seq}}`),
})
function feed(channel: Feed, from: number, to: number, epoch = EPOCH): void {
  for (let seq = from; seq <= to; seq++) channel.add(record(seq, epoch))
}
/** In bursts with pauses, as messages come. */
async function feedSlowly(channel: Feed, from: number, to: number): Promise<void> {
  for (let seq = from; seq <= to; seq += 20) {
    feed(channel, seq, Math.min(seq + 19, to))
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const seqsIn = async (server: TestRedis) => (await readStream(server.look, STREAM)).map(({ seq }) => seq)

describe('a channel on its way into Redis', () => {
  it('an answer that is lost after the write costs and doubles nothing; a plain XADD doubles', async () => {
    const server = await redisServer()
    const proxy = await proxyTo(server)
    const { channel, counters, settled, link } = mirrorTo(proxy.url)
    await link.ready()
    proxy.loseAnswersTo('prices.kalshi.T', 3)
    await feedSlowly(channel, 1, 3_000)
    await until(() => proxy.lost >= 3, 'three answers were lost')
    await settled()
    expect(await seqsIn(server)).toEqual(range(1, 3_000))
    expect(counters.get('mirrored')).toBe(3_000)
    expect(await readGaps(server.look)).toEqual([])

    // The control: ioredis as it comes, through the same fault. A proxy that loses nothing would show here.
    const naive = new Redis(proxy.port, '127.0.0.1')
    cleanups.push(() => naive.disconnect())
    await naive.ping()
    proxy.loseAnswersTo('naive-entry')
    await Promise.all(range(1, 100).map((n) => naive.xadd('naive', '*', 'naive-entry', String(n))))
    expect(await server.look.xlen('naive')).toBeGreaterThan(100)
  })

  it('Redis killed and back empty: an unbroken window from then on, and a record of what it lost', async () => {
    const server = await redisServer()
    const { channel, events, settled, link } = mirrorTo(server.url)
    await link.ready()
    feed(channel, 1, 500)
    await settled()
    await server.kill()
    await until(() => !link.isUp, 'the loss is noticed')
    feed(channel, 501, 900)
    await server.start()
    await settled()
    feed(channel, 901, 1_000)
    await settled()
    expect(await seqsIn(server)).toEqual(range(501, 1_000))
    expect(await readGaps(server.look)).toEqual([
      { channel: SOURCE, epoch: EPOCH, from: 1, to: 500, reason: 'redis_lost' },
    ])
    expect(events.filter((event) => event.startsWith('gap'))).toEqual(['gap redis_lost'])
  })

  it('Redis killed in the middle of a stream of messages: each is there or covered, none twice', async () => {
    const server = await redisServer()
    const { channel, settled, link } = mirrorTo(server.url)
    await link.ready()
    const feeding = feedSlowly(channel, 1, 6_000)
    await until(async () => (await server.look.xlen(STREAM)) > 1_000, 'some are written')
    await server.kill()
    await server.start()
    await feeding
    await settled()
    const seqs = await seqsIn(server)
    expect(seqs).toEqual(range(seqs[0]!, 6_000))
    const gaps = await readGaps(server.look)
    expect(gaps).toEqual([{ channel: SOURCE, epoch: EPOCH, from: 1, to: seqs[0]! - 1, reason: 'redis_lost' }])
    expect(seqs[0]).toBeGreaterThan(1_000)
  })

  it('Redis back empty is recorded when nothing more is published', async () => {
    const server = await redisServer()
    const { channel, settled, link } = mirrorTo(server.url)
    feed(channel, 1, 20)
    await settled()
    await server.kill()
    await until(() => !link.isUp, 'the loss is noticed')
    await server.start()
    await until(async () => (await readGaps(server.look)).length === 1, 'the gap is recorded')
    expect(await readGaps(server.look)).toMatchObject([{ from: 1, to: 20, reason: 'redis_lost' }])
    expect(channel.lag).toBe(0)
  })

  it('a FLUSHALL under way leaves no hole unexplained', async () => {
    const server = await redisServer()
    const { channel, settled } = mirrorTo(server.url)
    feed(channel, 1, 100)
    await settled()
    await server.look.flushall()
    feed(channel, 101, 200)
    await settled()
    expect(await seqsIn(server)).toEqual(range(101, 200))
    expect(await readGaps(server.look)).toMatchObject([{ from: 1, to: 100, reason: 'redis_lost' }])
  })

  it('a stream of a wrong type is an alarm that is said once, and mended by DEL', async () => {
    const server = await redisServer()
    await server.look.set(STREAM, 'not a stream')
    const { channel, counters, events, settled } = mirrorTo(server.url)
    feed(channel, 1, 100)
    await until(() => counters.get('redis_errors:WRONGTYPE') >= 3, 'it keeps trying')
    expect(events).toEqual(['failing WRONGTYPE'])
    expect(channel.lag).toBe(100)
    await server.look.del(STREAM)
    await settled()
    expect(events).toEqual(['failing WRONGTYPE', 'recovered'])
    expect(await seqsIn(server)).toEqual(range(1, 100))
    expect(channel.lag).toBe(0)
  })

  it('Redis out of memory is an alarm, and costs nothing once there is some', async () => {
    const server = await redisServer()
    const { channel, counters, settled, link } = mirrorTo(server.url)
    await link.ready()
    feed(channel, 1, 100)
    await settled()
    await server.look.config('SET', 'maxmemory', '1')
    feed(channel, 101, 200)
    await until(() => counters.get('redis_errors:OOM') >= 2, 'it is refused')
    expect(await seqsIn(server)).toEqual(range(1, 100))
    await server.look.config('SET', 'maxmemory', '0')
    await settled()
    expect(await seqsIn(server)).toEqual(range(1, 200))
  })

  it('Redis stopped for longer than a command may take: nothing lost, nothing twice', async () => {
    const server = await redisServer()
    const { channel, counters, settled, link } = mirrorTo(server.url, { timeoutMs: 100 })
    await link.ready()
    const feeding = feedSlowly(channel, 1, 4_000)
    await until(async () => (await server.look.xlen(STREAM)) > 100, 'some are written')
    process.kill(server.pid, 'SIGSTOP')
    await until(() => !link.isUp, 'the silence is noticed')
    process.kill(server.pid, 'SIGCONT')
    await feeding
    await settled()
    expect(await seqsIn(server)).toEqual(range(1, 4_000))
    expect(counters.get('redis_errors:TIMEOUT') + counters.get('redis_errors:DISCONNECTED')).toBeGreaterThan(
      0,
    )
    expect(await readGaps(server.look)).toEqual([])
  })

  it('two mirrors at once write each message once', async () => {
    const server = await redisServer()
    const one = mirrorTo(server.url)
    const two = mirrorTo(server.url)
    await Promise.all([one.link.ready(), two.link.ready()])
    await Promise.all([feedSlowly(one.channel, 1, 4_000), feedSlowly(two.channel, 1, 4_000)])
    feed(one.channel, 1, 50, EPOCH + 5)
    feed(two.channel, 1, 50, EPOCH + 5)
    await Promise.all([one.settled(), two.settled()])
    expect(await seqsIn(server)).toEqual([...range(1, 4_000), ...range(1, 50)])
    expect(one.counters.get('mirrored') + two.counters.get('mirrored')).toBe(4_050)
    expect(await readGaps(server.look)).toMatchObject([
      { from: 4_001, to: null, reason: 'epoch_end_unknown' },
    ])
  })

  it('what overflows while Redis is away is counted and recorded to the message', async () => {
    const server = await redisServer()
    const { channel, counters, settled, link } = mirrorTo(server.url, { queue: { records: 300, bytes: 1e9 } })
    await link.ready()
    feed(channel, 1, 100)
    await settled()
    process.kill(server.pid, 'SIGSTOP')
    feed(channel, 101, 101)
    await until(() => !link.isUp, 'the silence is noticed')
    feed(channel, 102, 1_000)
    process.kill(server.pid, 'SIGCONT')
    await settled()
    // 101 was on its way, the queue keeps the newest 300.
    expect(counters.get('overflow')).toBe(599)
    expect(await seqsIn(server)).toEqual([...range(1, 101), ...range(701, 1_000)])
    expect(await readGaps(server.look)).toEqual([
      { channel: SOURCE, epoch: EPOCH, from: 102, to: 700, reason: 'overflow' },
    ])
  })

  it('a source in an epoch before the one in Redis is refused with an alarm, until it is past it', async () => {
    const server = await redisServer()
    const first = mirrorTo(server.url)
    feed(first.channel, 1, 10)
    await first.settled()
    const { channel, counters, events, settled } = mirrorTo(server.url)
    feed(channel, 1, 5, EPOCH - 1_000)
    await settled()
    expect(counters.get('redis_errors:EPOCH_REGRESSED')).toBe(5)
    expect(events).toEqual(['failing EPOCH_REGRESSED'])
    expect(await seqsIn(server)).toEqual(range(1, 10))
    channel.reached(EPOCH + 1_000, 0, false)
    feed(channel, 1, 5, EPOCH + 1_000)
    await settled()
    expect(events).toContain('recovered')
    expect(await seqsIn(server)).toEqual([...range(1, 10), ...range(1, 5)])
  })

  it('starts from the checkpoint: what an earlier mirror wrote is not written again, what it missed is a gap', async () => {
    const server = await redisServer()
    const first = mirrorTo(server.url)
    feed(first.channel, 1, 10)
    await first.settled()
    const second = mirrorTo(server.url)
    feed(second.channel, 8, 12)
    await second.settled()
    const third = mirrorTo(server.url)
    feed(third.channel, 20, 22)
    await third.settled()
    expect(await seqsIn(server)).toEqual([...range(1, 12), 20, 21, 22])
    expect(await readGaps(server.look)).toMatchObject([{ from: 13, to: 19, reason: 'mirror_down' }])
  })

  it('a source that was closed in order and started again leaves no gap, across mirrors too', async () => {
    const server = await redisServer()
    const first = mirrorTo(server.url)
    first.channel.reached(EPOCH, 0, false)
    feed(first.channel, 1, 10)
    first.channel.reached(EPOCH, 10, true)
    await first.settled()
    const second = mirrorTo(server.url)
    second.channel.reached(EPOCH + 9, 0, false)
    feed(second.channel, 1, 3, EPOCH + 9)
    await second.settled()
    expect(await seqsIn(server)).toEqual([...range(1, 10), 1, 2, 3])
    expect(await readGaps(server.look)).toEqual([])
  })
})
