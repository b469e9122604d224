import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { Publisher as RawPublisher } from 'zeromq'
import { afterEach, describe, expect, it } from 'vitest'
import { isLoopback, sourcesOf } from '../../../src/lib/bus/endpoints.js'
import type { PublisherEndpoint } from '../../../src/lib/bus/endpoints.js'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import type { Gap } from '../../../src/lib/bus/gap.js'
import { Subscriber } from '../../../src/lib/bus/subscriber.js'
import type { Problem, Received, ReceivedLegacy } from '../../../src/lib/bus/subscriber.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import { MAX_MESSAGE_BYTES, encode } from '../../../src/lib/messages/codec.js'
import type { Heartbeat } from '../../../src/lib/messages/heartbeat.js'
import * as samples from '../messages/samples.js'
import { until } from '../poll.js'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup()
})

async function bind(name = 'kalshi', url = 'tcp://127.0.0.1:*'): Promise<Publisher> {
  const publisher = await Publisher.bind({
    name,
    url,
    env: 'sim',
    clock: systemClock,
    sources: sourcesOf(name),
  })
  cleanups.push(() => publisher.close())
  return publisher
}

function subscribe(
  endpoint: Partial<PublisherEndpoint> & { url: string },
  prefixes: readonly string[] = ['prices.', 'orderbook.'],
) {
  const seen = {
    received: [] as Received[],
    gaps: [] as Gap[],
    problems: [] as Problem[],
    heartbeats: [] as Heartbeat[],
    legacy: [] as ReceivedLegacy[],
  }
  const subscriber = new Subscriber({
    endpoints: [{ publisher: 'kalshi', sources: sourcesOf('kalshi'), ...endpoint }],
    prefixes,
    env: 'sim',
    clock: systemClock,
    onMessage: (received) => seen.received.push(received),
    onGap: (gap) => seen.gaps.push(gap),
    onProblem: (problem) => seen.problems.push(problem),
    onHeartbeat: (heartbeat) => seen.heartbeats.push(heartbeat),
    onLegacy: (received) => seen.legacy.push(received),
  })
  cleanups.push(() => subscriber.close())
  return { ...seen, subscriber }
}

/** A publisher that keeps no rule of ours. */
async function rawPublisher(): Promise<{ socket: RawPublisher; url: string }> {
  const socket = new RawPublisher({ linger: 0, sendTimeout: 0 })
  await socket.bind('tcp://127.0.0.1:*')
  cleanups.push(() => socket.close())
  return { socket, url: socket.lastEndpoint! }
}

const topicOf = (market: string) => `prices.kalshi.${market}`

describe('publisher and subscriber', () => {
  it('carry a burst far over the default high-water mark in order, each message once', async () => {
    const publisher = await bind()
    const { received, heartbeats, gaps, problems } = subscribe({ url: publisher.url })
    await until(() => heartbeats.length > 0, 'the subscriber has joined')
    const channel = publisher.channel('kalshi.prices')
    for (let i = 0; i < 20_000; i++) channel.publish(topicOf(`M${i % 7}`), { ...samples.prices, book_seq: i })
    await until(() => received.length === 20_000, 'all have arrived')
    expect(received.map(({ message }) => message.header.seq)).toEqual(
      Array.from({ length: 20_000 }, (_, i) => i + 1),
    )
    expect(received[8]!.message.header.prev).toBe(2)
    expect(received[0]!.message.header.prev).toBe(0)
    expect(gaps).toEqual([])
    expect(problems).toEqual([])
  })

  it('raise no alarm behind a prefix narrower than the channel', async () => {
    const publisher = await bind()
    const { received, heartbeats, gaps } = subscribe({ url: publisher.url }, [topicOf('A.')])
    await until(() => heartbeats.length > 0, 'the subscriber has joined')
    const channel = publisher.channel('kalshi.prices')
    for (let i = 0; i < 50; i++) channel.publish(topicOf(i % 5 === 0 ? 'A.1' : `B${i}`), samples.prices)
    await until(() => received.length === 10, 'the ten of the prefix have arrived')
    const beats = heartbeats.length
    await until(() => heartbeats.length > beats + 1, 'two more heartbeats')
    expect(gaps).toEqual([])
  })

  it('start a new epoch after a restart, without a gap when the stop was clean', async () => {
    const first = await bind()
    const { received, heartbeats, gaps } = subscribe({ url: first.url })
    await until(() => heartbeats.length > 0, 'the subscriber has joined')
    first.channel('kalshi.prices').publish(topicOf('A'), samples.prices)
    await until(() => received.length === 1, 'the first message')
    first.close()
    await until(() => heartbeats.at(-1)?.closing === true, 'the closing word')
    const second = await bind('kalshi', first.url)
    const before = heartbeats.length
    await until(() => heartbeats.length > before, 'the subscriber has rejoined')
    second.channel('kalshi.prices').publish(topicOf('A'), samples.prices)
    await until(() => received.length === 2, 'the second message')
    const [a, b] = received.map(({ message }) => message.header)
    expect(b!.epoch).toBeGreaterThan(a!.epoch)
    expect(b!.seq).toBe(1)
    expect(gaps).toEqual([])
  })

  it('let timestamps never fall, whatever the wall clock does', async () => {
    const wall = { ms: 1_769_500_000_000 }
    const publisher = await Publisher.bind({
      name: 'kalshi',
      url: 'tcp://127.0.0.1:*',
      env: 'sim',
      clock: { nowMs: () => wall.ms, monoUs: () => systemClock.monoUs() },
      sources: sourcesOf('kalshi'),
    })
    cleanups.push(() => publisher.close())
    const { received, heartbeats } = subscribe({ url: publisher.url })
    await until(() => heartbeats.length > 0, 'the subscriber has joined')
    const channel = publisher.channel('kalshi.prices')
    channel.publish(topicOf('A'), samples.prices)
    wall.ms -= 600_000
    channel.publish(topicOf('A'), samples.prices)
    await until(() => received.length === 2, 'both have arrived')
    expect(received[1]!.message.header.timestamp_ms).toBe(received[0]!.message.header.timestamp_ms)
  })
})

describe('a subscriber', () => {
  it('refuses a source that its endpoint is not configured for', async () => {
    const squatter = await bind('poly')
    const { received, problems } = subscribe({ url: squatter.url }, ['prices.'])
    await until(
      () =>
        problems.some(({ kind }) => kind === 'foreign_heartbeat') ||
        problems.length > 0 ||
        squatter.joinGraceLeftMs() === 0,
      'the subscriber had time to join',
    )
    await until(() => {
      squatter.channel('poly.prices').publish('prices.poly.0xabc', samples.prices)
      return problems.some(({ kind }) => kind === 'wrong_source')
    }, 'the squatter is refused')
    expect(problems.find(({ kind }) => kind === 'wrong_source')!.detail).toContain('poly.prices')
    expect(received).toEqual([])
  })

  it('goes on when its own handler throws, and counts that message as unreadable', async () => {
    const publisher = await bind()
    const seen: number[] = []
    const problems: Problem[] = []
    let joined = false
    const subscriber = new Subscriber({
      endpoints: [{ publisher: 'kalshi', url: publisher.url, sources: sourcesOf('kalshi') }],
      prefixes: ['prices.'],
      env: 'sim',
      clock: systemClock,
      onHeartbeat: () => (joined = true),
      onMessage: ({ message }) => {
        if (message.header.seq === 1) throw new Error('broken handler')
        seen.push(message.header.seq)
      },
      onProblem: (problem) => problems.push(problem),
    })
    cleanups.push(() => subscriber.close())
    await until(() => joined, 'the subscriber has joined')
    const channel = publisher.channel('kalshi.prices')
    channel.publish(topicOf('A'), samples.prices)
    channel.publish(topicOf('A'), samples.prices)
    await until(() => seen.length === 1, 'the second message')
    expect(problems).toMatchObject([{ kind: 'parse_error', reason: 'handler_failed' }])
    expect(problems[0]!.detail).toContain('broken handler')
  })

  it('refuses a configured source on a topic of another', async () => {
    const { socket, url } = await rawPublisher()
    const { received, problems } = subscribe({ url })
    const text = encode(
      { env: 'sim', source: 'kalshi.prices', epoch: 1, seq: 1, timestampMs: 1, host: 'h', stamps: {} },
      samples.orderbook,
    )
    await until(async () => {
      await socket.send(['orderbook.kalshi.A', text])
      return problems.length > 0
    }, 'it is refused')
    expect(problems[0]).toMatchObject({ kind: 'parse_error', reason: 'topic_of_other_source' })
    expect(received).toEqual([])
  })

  it('counts garbage by reason and goes on', async () => {
    const { socket, url } = await rawPublisher()
    const { received, problems } = subscribe({ url })
    const good = encode(
      { env: 'sim', source: 'kalshi.prices', epoch: 1, seq: 1, timestampMs: 1, host: 'h', stamps: {} },
      samples.prices,
    )
    await until(async () => {
      await socket.send([topicOf('A'), 'not json'])
      return problems.length > 0
    }, 'the subscriber has joined')
    problems.length = 0
    await socket.send([topicOf('A'), '[]'])
    await socket.send(['prices.kalshi.'])
    await socket.send([topicOf('A'), good, 'third'])
    await socket.send(['prices.kalshi.\u001b[2J', good])
    await socket.send(['health.kalshi', '{"v":1}'])
    await socket.send([topicOf('A'), good.replace('"env":"sim"', '"env":"prod"')])
    await socket.send([topicOf('A'), good])
    await until(() => received.length === 1, 'the good message')
    expect(problems.map(({ reason }) => reason).filter((reason) => reason !== 'not_json')).toEqual([
      'not_an_object',
      'bad_frames',
      'bad_frames',
      'bad_topic',
      'bad_heartbeat',
      'wrong_env',
    ])
  })

  it('comes back by itself after an oversize frame has ended its session', async () => {
    const { socket, url } = await rawPublisher()
    const { received, problems } = subscribe({ url })
    const message = (seq: number) =>
      encode(
        { env: 'sim', source: 'kalshi.prices', epoch: 1, seq, timestampMs: 1, host: 'h', stamps: {} },
        samples.prices,
      )
    let seq = 0
    await until(async () => {
      await socket.send([topicOf('A'), message(++seq)])
      return received.length > 0
    }, 'the subscriber has joined')
    const seenBefore = received.length
    await socket.send([topicOf('A'), Buffer.alloc(MAX_MESSAGE_BYTES + 1, 0x20)])
    await until(
      async () => {
        await socket.send([topicOf('A'), message(++seq)])
        return received.length > seenBefore + 5
      },
      'messages flow again',
      15_000,
    )
    expect(problems.every(({ reason }) => reason === 'oversize')).toBe(true)
  })

  it('accepts the first design from endpoints marked legacy, and only prices and games', async () => {
    const { socket, url } = await rawPublisher()
    const marked = subscribe({ url, publisher: 'old', sources: [], legacy: true }, [
      'prices.',
      'games.',
      'signals.',
    ])
    const unmarked = subscribe({ url }, ['prices.', 'games.', 'signals.'])
    const body = JSON.stringify({ ticker: 'A', yes_ask: 0.5, yes_bid: 0.4, timestamp_ms: 1 })
    await until(async () => {
      await socket.send([topicOf('A'), body])
      return marked.legacy.length > 0 && unmarked.problems.length > 0
    }, 'both have joined')
    await socket.send(['signals.trade.x', '{"id":"x"}'])
    await until(() => marked.problems.length > 0, 'the signal is refused')
    expect(marked.legacy[0]!.source).toMatch(/^legacy\.127\.0\.0\.1-\d+$/)
    expect(marked.problems[0]).toMatchObject({
      kind: 'legacy_refused',
      detail: expect.stringContaining('signals.trade.x'),
    })
    expect(unmarked.legacy).toEqual([])
    expect(unmarked.problems[0]).toMatchObject({ kind: 'legacy_refused' })
  })
})

describe('a publisher', () => {
  it('names port and role when the port is in use', async () => {
    const holder = createServer()
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => holder.close())
    const { port } = holder.address() as AddressInfo
    await expect(bind('orchestrator', `tcp://127.0.0.1:${port}`)).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      exit: 1,
      message: expect.stringMatching(new RegExp(`port ${port}.*orchestrator`)),
    })
  })

  it('refuses to bind beyond loopback without keys', async () => {
    await expect(bind('kalshi', 'tcp://0.0.0.0:*')).rejects.toMatchObject({
      code: 'PLAIN_BIND_REFUSED',
      exit: 7,
    })
    await expect(bind('kalshi', 'tcp://*:*')).rejects.toMatchObject({ code: 'PLAIN_BIND_REFUSED' })
    expect(
      ['tcp://127.0.0.1:1', 'tcp://localhost:1', 'tcp://[::1]:1', 'ipc:///tmp/x'].every(isLoopback),
    ).toBe(true)
    expect(['tcp://10.0.0.1:1', 'tcp://127.evil.example:1', 'tcp://*:1'].some(isLoopback)).toBe(false)
  })

  it('refuses a message over the limit and leaves no hole in the sequence', async () => {
    const publisher = await bind()
    const channel = publisher.channel('kalshi.prices')
    channel.publish(topicOf('A'), samples.prices)
    const huge = { ...samples.prices, selection: 'é'.repeat(MAX_MESSAGE_BYTES / 2) }
    expect(() => channel.publish(topicOf('A'), huge)).toThrowError(
      expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' }),
    )
    expect(channel.publish(topicOf('A'), samples.prices).seq).toBe(2)
  })

  it('has no channel that it was not given', async () => {
    const publisher = await bind()
    expect(() => publisher.channel('poly.prices')).toThrowError(
      expect.objectContaining({ code: 'UNKNOWN_SOURCE' }),
    )
  })
})
