import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { Publisher as PubSocket, Router } from 'zeromq'
import type { PublisherEndpoint } from '../../../src/lib/bus/endpoints.js'
import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import { hostId } from '../../../src/lib/core/ids.js'
import { encode } from '../../../src/lib/messages/codec.js'
import type { Interval } from '../../../src/lib/operator/latency-recorder.js'
import { runLatency } from '../../../src/lib/operator/latency.js'
import type { LatencyOptions, LatencyRun } from '../../../src/lib/operator/latency.js'
import { orders, prices, signals } from '../messages/samples.js'
import { until } from '../poll.js'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close()
})

async function bind(name: string): Promise<{ publisher: Publisher; endpoint: PublisherEndpoint }> {
  const sources = sourcesOf(name)
  const url = 'tcp://127.0.0.1:*'
  const publisher = await Publisher.bind({ name, url, env: 'sim', clock: systemClock, sources })
  closers.push(() => publisher.close())
  return { publisher, endpoint: { publisher: name, url: publisher.url, sources } }
}

function measure(options: Partial<LatencyOptions> & Pick<LatencyOptions, 'endpoints'>) {
  const stop = new AbortController()
  closers.push(() => stop.abort())
  const talk: string[] = []
  const intervals: Interval[] = []
  const ended = runLatency({
    prefixes: ['prices.', 'orderbook.', 'signals.', 'orders.'],
    env: 'sim',
    clock: systemClock,
    redisUrl: undefined,
    grouping: 'hop',
    intervalMs: 60_000,
    onInterval: (interval) => intervals.push(interval),
    signal: stop.signal,
    talk: (line) => talk.push(line),
    ...options,
  })
  return { ended, stop, talk, intervals }
}

const SHARD_IN_US = 5_000_000

/** Three roles, and a price that becomes an order again and again. */
async function fleet() {
  const [kalshi, shard, exec] = [await bind('kalshi'), await bind('shard-0'), await bind('exec')]
  let count = 0
  const trade = () => {
    const id = `s${++count}`
    const recv = systemClock.monoUs()
    const channel = kalshi.publisher.channel('kalshi.prices')
    const trace = `kalshi.prices/${channel.epoch}/${channel.nextSeq}`
    channel.publish('prices.kalshi.KX', prices, { stamps: { recv } })
    // Later than anything that is measured here.
    const decided = { recv, shard_in: recv + SHARD_IN_US, shard_out: recv + SHARD_IN_US + 1_000 }
    shard.publisher
      .channel('shard-0.signals')
      .publish(`signals.trade.${id}`, { ...signals, id }, { trace, stamps: decided })
    const stamps = { ...decided, exec_in: recv + SHARD_IN_US + 10_000, order: recv + SHARD_IN_US + 20_000 }
    const order = { ...orders, order_id: `o${id}`, signal_id: id, state: 'sent' }
    exec.publisher.channel('exec.orders').publish(`orders.kalshi.o${id}`, order, { trace, stamps })
  }
  const timer = setInterval(trade, 5)
  closers.push(() => clearInterval(timer))
  return { endpoints: [kalshi, shard, exec].map(({ endpoint }) => endpoint), kalshi }
}

const rowOf = ({ rows }: LatencyRun, hop: string) => rows.find((row) => row.hop === hop)

describe('latency of live traffic', () => {
  it('is told hop by hop, with the messages that were measured', async () => {
    const { endpoints } = await fleet()
    const run = await measure({ endpoints, count: 90 }).ended
    expect(run).toMatchObject({ ended: 'count', messages: 90, gaps: 0, problems: {}, backwards: 0 })
    for (const [hop, us] of Object.entries({
      decision: 1_000,
      shard_exec: 9_000,
      exec_venue: 10_000,
      tick_to_order: SHARD_IN_US + 20_000,
    })) {
      const { min, max, n } = rowOf(run, hop)!.histogram.summary()
      expect([hop, min, max]).toEqual([hop, us, us])
      expect(n).toBeGreaterThan(20)
    }
    const [frame, trigger] = ['frame_to_quote', 'monitor_shard'].map((hop) => rowOf(run, hop)!.histogram)
    expect(trigger!.count).toBeGreaterThan(20)
    // Of each price both add up to the same; a bucket is at most 1.6 % wide.
    expect(trigger!.summary().min + frame!.summary().max).toBeGreaterThanOrEqual(SHARD_IN_US)
    expect(trigger!.summary().max).toBeLessThanOrEqual(SHARD_IN_US)
    expect(rowOf(run, 'receive')!.histogram.count).toBe(90)
    expect(run.channels.map(({ source }) => source).sort()).toEqual([
      'exec.orders',
      'kalshi.prices',
      'shard-0.signals',
    ])
    for (const { first_seq: first, last_seq: last, n } of run.channels) expect(last - first + 1).toBe(n)
    expect(run.channels.reduce((sum, { n }) => sum + n, 0)).toBe(90)
  })

  it('counts a reading that went backwards: there can be none', async () => {
    const { endpoint, publisher } = await bind('shard-0')
    const timer = setInterval(
      () =>
        publisher
          .channel('shard-0.signals')
          .publish('signals.trade.x', { ...signals, id: 'x' }, { stamps: { shard_in: 500, shard_out: 400 } }),
      5,
    )
    closers.push(() => clearInterval(timer))
    const wrong = await measure({ endpoints: [endpoint], prefixes: ['signals.'], count: 3 }).ended
    expect(wrong.backwards).toBe(3)
  })

  it('of a narrow prefix is of its messages alone', async () => {
    const { endpoints } = await fleet()
    const run = await measure({ endpoints, prefixes: ['signals.'], count: 10 }).ended
    expect(run.rows.map(({ hop }) => hop)).toEqual(['decision', 'receive'])
    expect(run.unmatched).toBe(10)
  })

  it('tells of each interval, which together are the run', async () => {
    const { endpoints } = await fleet()
    const { ended, intervals, stop } = measure({ endpoints, intervalMs: 50 })
    await until(() => intervals.filter(({ messages }) => messages > 0).length >= 3, 'three intervals')
    stop.abort()
    const run = await ended
    expect(intervals.reduce((sum, { messages }) => sum + messages, 0)).toBe(run.messages)
    expect(intervals.at(-1)?.toMs).toBeLessThanOrEqual(run.toMs)
    expect(intervals[1]?.fromMs).toBe(intervals[0]?.toMs)
  })

  it('of another host says how far its wall clock is off, and does not hide it', async () => {
    const [pub, recovery] = [new PubSocket({ sendTimeout: 0, linger: 0 }), new Router({ linger: 0 })]
    await pub.bind('tcp://127.0.0.1:*')
    await recovery.bind('tcp://127.0.0.1:*')
    closers.push(() => [pub, recovery].forEach((socket) => socket.close()))
    void (async () => {
      for await (const [client, request] of recovery) {
        const { id } = JSON.parse(String(request)) as { id: number }
        await recovery.send([client!, JSON.stringify({ v: 1, op: 'pong', id })])
      }
    })().catch(() => undefined)
    const aheadMs = 5_000
    let seq = 0
    const timer = setInterval(() => {
      const timestampMs = Date.now() + aheadMs
      const stamps = { recv: 7_000, pub: 7_250 }
      const envelope = { env: 'sim', source: 'kalshi.prices', epoch: 1, seq: ++seq, timestampMs } as const
      void pub.send(['prices.kalshi.KX', encode({ ...envelope, host: 'there/2', stamps }, prices)])
      const channels = [{ source: 'kalshi.prices', epoch: 1, last_seq: seq, oldest: null, journal: 'none' }]
      const beat = {
        v: 1,
        publisher: 'kalshi',
        env: 'sim',
        host: 'there/2',
        pid: 1,
        timestamp_ms: timestampMs,
      }
      const rest = { mono_us: 7_000, channels, feeds: [], counts: {}, hops: {}, closing: false }
      void pub.send(['health.kalshi', JSON.stringify({ ...beat, ...rest })])
    }, 5)
    closers.push(() => clearInterval(timer))
    const endpoint = {
      publisher: 'kalshi',
      url: pub.lastEndpoint!,
      recoveryUrl: recovery.lastEndpoint!,
      sources: sourcesOf('kalshi'),
    }
    const { ended, stop } = measure({ endpoints: [endpoint], prefixes: ['prices.'] })
    // Its first round trip takes as long as it takes to connect.
    await sleep(400)
    stop.abort()
    const run = await ended
    const [skew] = run.skews
    expect(skew).toMatchObject({ host: 'there/2', publishers: ['kalshi'] })
    expect(skew?.skew_error_us).toBeGreaterThan(0)
    const offUs = Math.abs(Number(skew?.skew_us) - aheadMs * 1_000)
    expect(offUs).toBeLessThanOrEqual(Number(skew?.skew_error_us))
    expect(rowOf(run, 'frame_to_quote')!.histogram.summary()).toMatchObject({ min: 250, max: 250 })
    expect(rowOf(run, 'receive')).toMatchObject({ clock: 'wall', from: 'there/2', to: hostId() })
    expect(rowOf(run, 'receive')!.belowZero).toBe(run.messages)
  })

  it('without traffic says who is up, and ends with nothing', async () => {
    const { endpoint } = await bind('kalshi')
    const { ended, talk, stop } = measure({ endpoints: [endpoint], prefixes: ['signals.'], silenceMs: 500 })
    await until(() => talk.length >= 3, 'a word')
    expect(talk[0]).toContain('nothing on signals.')
    expect(talk[1]).toContain('heartbeats from: kalshi')
    stop.abort()
    expect(await ended).toMatchObject({ ended: 'stopped', messages: 0, rows: [], channels: [] })
  })

  it('goes on without Redis, and says so', async () => {
    const { endpoints } = await fleet()
    const { ended, talk, stop } = measure({ endpoints, redisUrl: 'redis://127.0.0.1:1' })
    await until(() => talk.length > 0, 'a word')
    expect(talk[0]).toMatch(/^no mirror lag: .*127\.0\.0\.1:1/)
    stop.abort()
    expect((await ended).messages).toBeGreaterThan(0)
  })
})
