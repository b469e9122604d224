import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Dealer, Router } from 'zeromq'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sourcesOf } from '../../../../src/lib/bus/endpoints.js'
import type { PublisherEndpoint } from '../../../../src/lib/bus/endpoints.js'
import { recordBytes, writeRecord } from '../../../../src/lib/bus/journal/record.js'
import { Publisher } from '../../../../src/lib/bus/publisher.js'
import type { PublisherOptions } from '../../../../src/lib/bus/publisher.js'
import { RecoveryClient } from '../../../../src/lib/bus/recovery/recovery-client.js'
import type { PulledRecord } from '../../../../src/lib/bus/recovery/recovery-client.js'
import { MAX_REQUEST_BYTES, formatReply, formatRequest } from '../../../../src/lib/bus/recovery/messages.js'
import type { RecoveryReply } from '../../../../src/lib/bus/recovery/messages.js'
import { RecoveryServer } from '../../../../src/lib/bus/recovery/recovery-server.js'
import type { RecoverableChannel } from '../../../../src/lib/bus/recovery/recovery-server.js'
import { Subscriber } from '../../../../src/lib/bus/subscriber.js'
import { systemClock } from '../../../../src/lib/core/clock.js'
import { decode } from '../../../../src/lib/messages/codec.js'
import type { HaltOrder } from '../../../../src/lib/model/halt.js'
import type { ManualOrder } from '../../../../src/lib/model/manual-order.js'
import type { Counts } from '../../../../src/lib/messages/heartbeat.js'
import * as samples from '../../messages/samples.js'
import { until } from '../../poll.js'

const SOURCE = 'kalshi.prices'
const ANY_PORT = 'tcp://127.0.0.1:*'
const price = (id: string) => `prices.kalshi.${id}`

const cleanups: (() => void)[] = []
let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'recovery-'))
  cleanups.push(() => rmSync(root, { recursive: true, force: true }))
})
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup()
})

async function bind(options: Partial<PublisherOptions> = {}): Promise<Publisher> {
  const publisher = await Publisher.bind({
    ...{ name: 'kalshi', url: ANY_PORT, recoveryUrl: ANY_PORT, env: 'sim', clock: systemClock },
    ...{ sources: sourcesOf('kalshi'), journal: { root, retainBytes: 100_000_000 } },
    ...options,
  })
  cleanups.push(() => publisher.close())
  return publisher
}

function clientOf(recoveryUrl: string | undefined, timeoutMs = 1_000): RecoveryClient {
  const client = new RecoveryClient({
    endpoint: {
      ...{ publisher: 'kalshi', url: ANY_PORT, sources: sourcesOf('kalshi') },
      ...(recoveryUrl === undefined ? {} : { recoveryUrl }),
    },
    clock: systemClock,
    timeoutMs,
  })
  cleanups.push(() => client.close())
  return client
}

function dealer(url: string): Dealer {
  const socket = new Dealer({ linger: 0 })
  socket.connect(url)
  cleanups.push(() => socket.close())
  return socket
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Everything from `from` on, chunk by chunk. */
async function pullAll(client: RecoveryClient, epoch: number, from = 1) {
  const records: PulledRecord[] = []
  const holes: unknown[] = []
  for (;;) {
    const reply = await client.range(SOURCE, { epoch, from })
    if (reply === undefined) throw new Error('no answer')
    records.push(...reply.records.map(({ value }) => value!))
    from += reply.records.length
    if (reply.hole !== null) {
      holes.push({ from, ...reply.hole })
      from = reply.hole.to! + 1
    } else if (from > reply.last) return { ...reply, records, holes }
  }
}

/** The counts of the newest heartbeat. */
function watchCounts({ url }: Publisher): () => Counts {
  let counts: Counts = {}
  const subscriber = new Subscriber({
    endpoints: [{ publisher: 'kalshi', url, sources: sourcesOf('kalshi') }],
    ...{ prefixes: [], env: 'sim', clock: systemClock, onMessage: () => undefined },
    onHeartbeat: (heartbeat) => (counts = heartbeat.counts),
  })
  cleanups.push(() => subscriber.close())
  return () => counts
}

describe('a range', () => {
  it('is what was published, byte for byte, in bounded chunks', async () => {
    const publisher = await bind()
    const channel = publisher.channel(SOURCE)
    for (let i = 0; i < 1_300; i++)
      channel.publish(price(`M${i % 9}`), { ...samples.prices, book_seq: i, selection: 'São Paulo' })
    await turn()
    const client = clientOf(publisher.recoveryUrl)
    const first = await client.range(SOURCE, { epoch: channel.epoch, from: 1 })
    expect(first!.records.length).toBeGreaterThan(50)
    expect(first!.records.length).toBeLessThanOrEqual(500)
    const { records, known, last, end, next } = await pullAll(client, channel.epoch)
    expect({ known, last, end, next }).toEqual({ known: true, last: 1_300, end: null, next: null })
    expect(records.map(({ seq }) => seq)).toEqual(Array.from({ length: 1_300 }, (_, i) => i + 1))
    for (const { topic, data, seq } of records) {
      expect(topic).toBe(price(`M${(seq - 1) % 9}`))
      expect(decode(topic, data, 'sim')).toMatchObject({
        kind: 'message',
        message: { header: { seq, source: SOURCE }, payload: { book_seq: seq - 1 } },
      })
    }
    const part = await client.range(SOURCE, { epoch: channel.epoch, from: 7, to: 9 })
    expect(part!.records.map(({ seq }) => seq)).toEqual([7, 8, 9])
  })

  it('reaches the epochs before a restart, each to its end', async () => {
    const first = await bind()
    for (let i = 0; i < 20; i++) first.channel(SOURCE).publish(price('M'), samples.prices)
    const oldEpoch = first.channel(SOURCE).epoch
    first.close()
    const second = await bind()
    const { epoch } = second.channel(SOURCE)
    second.channel(SOURCE).publish(price('M'), samples.prices)
    await turn()
    const client = clientOf(second.recoveryUrl)
    expect(epoch).toBeGreaterThan(oldEpoch)
    expect(await client.range(SOURCE, { epoch: 0, from: 1 })).toMatchObject({ known: false, next: oldEpoch })
    const old = await pullAll(client, oldEpoch)
    expect(old).toMatchObject({ last: 20, end: 'known', next: epoch, holes: [] })
    expect(old.records).toHaveLength(20)
    expect((await pullAll(client, epoch)).records).toHaveLength(1)
  })

  it('comes from disk when memory has let it go, and is an exact hole where the disk has too', async () => {
    const publisher = await bind({ journal: { root, retainBytes: 800_000 } })
    const channel = publisher.channel(SOURCE)
    for (let i = 0; i < 4_000; i++) channel.publish(price('M'), samples.prices)
    await turn()
    const { oldest } = channel.beat()
    expect(oldest!.seq).toBeGreaterThan(100)
    expect(readdirSync(join(root, SOURCE)).filter((name) => name.endsWith('.seg')).length).toBeGreaterThan(3)
    const { records, holes } = await pullAll(clientOf(publisher.recoveryUrl), channel.epoch)
    expect(holes).toEqual([{ from: 1, to: oldest!.seq - 1, reason: 'retention' }])
    expect(records.map(({ seq }) => seq)).toEqual(
      Array.from({ length: 4_001 - oldest!.seq }, (_, i) => oldest!.seq + i),
    )
  })
})

describe('a snapshot', () => {
  it('under load joins what is live: nothing between its position and the first live message is missing', async () => {
    const publisher = await bind()
    const channel = publisher.channel(SOURCE)
    const newest = new Map<string, number>()
    const publish = (i: number) => {
      const topic = price(`M${i % 1_500}`)
      newest.set(topic, channel.publish(topic, { ...samples.prices, book_seq: i }).seq)
    }
    let i = 0
    for (; i < 1_200; i++) publish(i)
    const load = setInterval(() => {
      for (let burst = 0; burst < 10; burst++) publish(i++)
    }, 1)
    cleanups.push(() => clearInterval(load))
    const client = clientOf(publisher.recoveryUrl)
    const first = await client.snapshot(SOURCE)
    const values = new Map(first!.values.map(({ topic, seq }) => [topic, seq]))
    for (let cursor = first!.next; cursor !== null;) {
      const chunk: typeof first = await client.snapshot(SOURCE, cursor)
      expect(chunk).toMatchObject({ complete: true, epoch: channel.epoch })
      for (const { topic, seq, value } of chunk!.values) {
        expect(decode(topic, value!.data, 'sim')).toMatchObject({ kind: 'message' })
        values.set(topic, seq)
      }
      cursor = chunk!.next
    }
    clearInterval(load)
    await turn()
    const since = await pullAll(client, channel.epoch, first!.seq + 1)
    expect(first!.seq).toBeLessThan(channel.lastSeq)
    for (const { topic, seq } of since.records) values.set(topic, Math.max(seq, values.get(topic) ?? 0))
    expect(values).toEqual(newest)
  })

  it('of a channel that keeps no newest values is refused, and so is a source that nobody publishes', async () => {
    const publisher = await Publisher.bind({
      ...{ name: 'shard-0', url: ANY_PORT, recoveryUrl: ANY_PORT, env: 'sim', clock: systemClock },
      sources: ['shard-0.signals'],
    })
    cleanups.push(() => publisher.close())
    const counts = watchRecovery(publisher)
    const client = clientOf(publisher.recoveryUrl)
    expect(await client.ping()).toBe(true)
    expect(await client.snapshot('shard-0.signals')).toBeUndefined()
    expect(await client.range('shard-0.signals', { epoch: 1, from: 1 })).toBeUndefined()
    expect(await client.range('kalshi.prices', { epoch: 1, from: 1 })).toBeUndefined()
    expect(counts()).toEqual({
      'recovery_requests:pong': 1,
      'recovery_requests:no_snapshot': 1,
      'recovery_requests:no_journal': 1,
      'recovery_requests:unknown_source': 1,
    })
  })
})

/** What the recovery socket of a publisher counts, without waiting for a heartbeat. */
const watchRecovery = (publisher: Publisher) => () =>
  (publisher as unknown as { recovery: RecoveryServer }).recovery.counts()

describe('a recovery socket', () => {
  it('counts garbage by its kind and goes on', async () => {
    const publisher = await bind()
    const counts = watchCounts(publisher)
    const socket = dealer(publisher.recoveryUrl!)
    const good = formatRequest({ op: 'ping', id: 1 })
    await socket.send('not json')
    await socket.send(Buffer.from([0xff, 0x00, 0x81]))
    await socket.send('[]')
    await socket.send([good, 'second frame'])
    await socket.send(['', good])
    await socket.send('{"v":1,"id":1,"op":"stop"}')
    await socket.send('{"v":1,"id":1,"op":"range","source":"kalshi.prices","epoch":1,"from":-1}')
    await socket.send(good)
    expect((await socket.receive()).map(String)).toEqual(['{"v":1,"op":"pong","id":1}'])
    const badByReason = () =>
      Object.fromEntries(Object.entries(counts()).filter(([name]) => name.startsWith('recovery_bad')))
    await until(() => Object.keys(badByReason()).length >= 5, 'a heartbeat tells of them')
    expect(badByReason()).toEqual({
      'recovery_bad_requests:not_json': 2,
      'recovery_bad_requests:not_an_object': 1,
      'recovery_bad_requests:bad_frames': 2,
      'recovery_bad_requests:bad_op': 1,
      'recovery_bad_requests:bad_field': 1,
    })
  })

  it('outlives what is too large and what speaks no ZeroMQ', async () => {
    const publisher = await bind()
    const { port } = new URL(publisher.recoveryUrl!.replace('tcp:', 'http:'))
    for (let i = 0; i < 10; i++) {
      const raw = connect(Number(port), '127.0.0.1')
      raw.on('error', () => undefined)
      raw.write(Buffer.from(Array.from({ length: 400 }, (_, byte) => (byte * 37 + i * 11) & 0xff)))
      cleanups.push(() => raw.destroy())
    }
    const large = dealer(publisher.recoveryUrl!)
    await large.send(Buffer.alloc(MAX_REQUEST_BYTES + 1, 0x20))
    const client = clientOf(publisher.recoveryUrl)
    expect(await client.ping()).toBe(true)
  })

  it('tells a client that floods it to come again, and serves the others', async () => {
    const publisher = await bind()
    const channel = publisher.channel(SOURCE)
    for (let i = 0; i < 600; i++) channel.publish(price('M'), samples.prices)
    await turn()
    const flood = dealer(publisher.recoveryUrl!)
    const beganMs = performance.now()
    for (let id = 1; id <= 900; id++)
      await flood.send(formatRequest({ op: 'range', id, source: SOURCE, epoch: channel.epoch, from: 1 }))
    expect(
      (await clientOf(publisher.recoveryUrl).range(SOURCE, { epoch: channel.epoch, from: 1 }))!.known,
    ).toBe(true)
    const counts = watchRecovery(publisher)
    const total = () => Object.values(counts()).reduce((sum, each) => sum + each, 0)
    await until(() => total() === 901, 'each request has an outcome')
    const served = counts()['recovery_requests:range']!
    const elapsedMs = performance.now() - beganMs
    expect(served - 1).toBeGreaterThanOrEqual(20)
    expect(served - 1).toBeLessThanOrEqual(20 + (elapsedMs * 200) / 1000 + 1)
    expect(counts()['recovery_requests:rate_limited']).toBe(901 - served)
  })

  it('that has a queue full of garbage reads it bit by bit', async () => {
    const server = await RecoveryServer.bind({ url: ANY_PORT, clock: systemClock })
    cleanups.push(() => server.close())
    const noise = dealer(server.url)
    const frame = Buffer.from(JSON.stringify({ v: 1, op: 'range', pad: Array(700).fill([0]) }))
    const COUNT = 900
    for (let i = 0; i < COUNT; i++) await noise.send(frame)
    await new Promise((resolve) => setTimeout(resolve, 300))
    server.serve(new Map())
    const read = () => Object.values(server.counts()).reduce((sum, each) => sum + each, 0)
    await until(() => read() > 0, 'it begins')
    expect(read()).toBeLessThan(COUNT)
    await until(() => read() === COUNT, 'it has read all')
    expect(await clientOf(server.url).ping()).toBe(true)
  })

  it('serves others while a segment is read, and gives up on one that cannot be', async () => {
    const loads: ((error?: Error) => void)[] = []
    const channel: RecoverableChannel = {
      range: () => ({ kind: 'load', segment: 'a' }),
      load: () =>
        new Promise((resolve, reject) =>
          loads.push((error) => (error === undefined ? resolve() : reject(error))),
        ),
      snapshot: () => ({ epoch: 1, seq: 0, complete: true, count: 0, next: null, bytes: Buffer.alloc(0) }),
    }
    const server = await RecoveryServer.bind({ url: ANY_PORT, clock: systemClock })
    cleanups.push(() => server.close())
    server.serve(new Map([[SOURCE, channel]]))
    const stuck = clientOf(server.url, 10_000).range(SOURCE, { epoch: 1, from: 1 })
    await until(() => loads.length === 1, 'the segment is being read')
    expect(await clientOf(server.url).snapshot(SOURCE)).toMatchObject({ values: [] })
    loads[0]!(new Error('EIO'))
    for (let i = 1; i < 4; i++) {
      await until(() => loads.length === i + 1, 'it is tried again')
      loads[i]!()
    }
    expect(await stuck).toBeUndefined()
    expect(server.counts()).toMatchObject({ 'journal_errors:load': 1, 'recovery_requests:failed': 1 })
  })
})

describe('a request to halt', () => {
  const order = { level: 'all', reason: 'odd fills', by: 'ops@host' } as const

  it('is told to exec and answered, whatever others ask for, and however often', async () => {
    const told: HaltOrder[] = []
    const exec = { level: 'all', env: 'demo', mode: 'paper' } as const
    const none = { env: 'demo', mode: 'paper', refused: 'NOT_READY' } as const
    const publisher = await bind({
      exec: { onHalt: (halted) => (told.push(halted), exec), onOrder: () => none },
    })
    const flood = dealer(publisher.recoveryUrl!)
    const request = { op: 'range' as const, source: SOURCE, epoch: publisher.channel(SOURCE).epoch, from: 1 }
    for (let id = 1; id <= 500; id++) await flood.send(formatRequest({ ...request, id }))
    const client = clientOf(publisher.recoveryUrl, 5_000)
    // More than any client may ask for within a second.
    for (let i = 0; i < 300; i++) expect(await client.halt(order)).toEqual(exec)
    expect(told).toEqual(Array(300).fill(order))
  })

  it('is refused by whoever does not trade', async () => {
    const publisher = await bind()
    const client = clientOf(publisher.recoveryUrl)
    expect(await client.halt(order)).toBeUndefined()
    const typed: ManualOrder = {
      ...{ order_id: '0'.repeat(32), env: 'demo', mode: 'paper', by: 'ops', venue: 'kalshi', market_id: 'M' },
      ...{
        outcome: 'yes',
        side: 'buy',
        limit: 0.5,
        size: 1,
        valid_ms: 1,
        asked_ms: 1,
        asked_us: 1,
        host: 'h',
      },
    }
    expect(await client.order(typed)).toBeUndefined()
    expect(publisher.heartbeat.counts).not.toHaveProperty('recovery_requests:ordered')
  })
})

describe('a recovery client', () => {
  it('gets no answer while the publisher is away, and the next one when it is back', async () => {
    const publisher = await bind()
    const { recoveryUrl } = publisher
    const client = clientOf(recoveryUrl, 300)
    expect(await client.ping()).toBe(true)
    publisher.close()
    expect(await client.ping()).toBe(false)
    let back: Publisher | undefined
    await until(async () => {
      back = await bind({ recoveryUrl: recoveryUrl! }).catch(() => undefined)
      return back !== undefined
    }, 'the port is free again')
    await until(() => client.ping(), 'it answers')
  })

  it('asks again over a new connection when an answer was late', async () => {
    const socket = new Router({ linger: 0 })
    await socket.bind(ANY_PORT)
    cleanups.push(() => socket.close())
    const clients = new Set<string>()
    void (async () => {
      for await (const [client, frame] of socket) {
        clients.add(client!.toString('hex'))
        const { id } = JSON.parse(frame!.toString()) as { id: number }
        if (clients.size > 1) await socket.send([client!, formatReply({ op: 'pong', id })])
      }
    })()
    const client = clientOf(socket.lastEndpoint!, 200)
    expect(await client.ping()).toBe(false)
    expect(await client.ping()).toBe(true)
    expect(clients.size).toBe(2)
  })

  it('asks one by one, in order', async () => {
    const publisher = await bind()
    const channel = publisher.channel(SOURCE)
    for (let i = 0; i < 10; i++) channel.publish(price('M'), samples.prices)
    await turn()
    const client = clientOf(publisher.recoveryUrl)
    const replies = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        client.range(SOURCE, { epoch: channel.epoch, from: i + 1, to: i + 1 }),
      ),
    )
    expect(replies.map((reply) => reply!.records[0]!.seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })

  it.each([
    ['waits as long as it is told and asks again', 2, true],
    ['gives up when it is told to wait again and again', Infinity, false],
  ])('%s', async (_, refusals, answers) => {
    const socket = new Router({ linger: 0 })
    await socket.bind(ANY_PORT)
    cleanups.push(() => socket.close())
    const askedMs: number[] = []
    void (async () => {
      for await (const [client, frame] of socket) {
        askedMs.push(performance.now())
        const { id } = JSON.parse(frame!.toString()) as { id: number }
        const reply: RecoveryReply =
          askedMs.length > refusals ? { op: 'pong', id } : { op: 'rate_limited', id, retry_ms: 60 }
        await socket.send([client!, formatReply(reply)])
      }
    })()
    expect(await clientOf(socket.lastEndpoint!, 100).ping()).toBe(answers)
    if (answers) expect(askedMs).toHaveLength(3)
    expect(askedMs[2]! - askedMs[0]!).toBeGreaterThan(100)
  })

  it('needs the key of a publisher that it asks, and none of a sender that has no recovery socket', async () => {
    const keys = { own: { publicKey: 'x', secretKey: 'y' }, serverKeyOf: () => undefined }
    const endpoint = { publisher: 'kalshi', url: ANY_PORT, sources: [] }
    const recoveryUrl = 'tcp://127.0.0.1:1'
    const clientWithKeys = (where: PublisherEndpoint) =>
      new RecoveryClient({ endpoint: where, clock: systemClock, keys })
    expect(() => clientWithKeys({ ...endpoint, recoveryUrl })).toThrowError(
      expect.objectContaining({ code: 'UNKNOWN_KEY', exit: 4 }),
    )
    expect(await clientWithKeys(endpoint).ping()).toBe(false)
  })

  it('has nobody to ask where there is no recovery socket, and nothing to say when it is closed', async () => {
    expect(await clientOf(undefined).ping()).toBe(false)
    const silent = createServer(() => undefined)
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => silent.close())
    const client = clientOf(`tcp://127.0.0.1:${(silent.address() as AddressInfo).port}`, 60_000)
    const asked = client.ping()
    setTimeout(() => client.close(), 20)
    expect(await asked).toBe(false)
    expect(await client.ping()).toBe(false)
  })

  const TOPIC = Buffer.from(price('M'))
  const record = (seq: number, epoch = 5): Buffer => {
    const bytes = Buffer.alloc(recordBytes(TOPIC, 2))
    writeRecord(bytes, 0, { epoch, seq, timestampMs: 1, topic: TOPIC, text: '{}' })
    return bytes
  }
  const damaged = record(2)
  damaged[damaged.length - 1]! ^= 1

  it.each<[string, { readonly header?: object; readonly bytes?: Buffer | null; readonly answers: boolean }]>([
    ['takes', { answers: true }],
    ['takes no damaged record', { bytes: Buffer.concat([record(1), damaged]), answers: false }],
    [
      'takes no torn record',
      { bytes: Buffer.concat([record(1), record(2)]).subarray(0, -1), answers: false },
    ],
    ['takes no record that was skipped to', { bytes: Buffer.concat([record(1), record(3)]), answers: false }],
    ['takes no other epoch', { bytes: Buffer.concat([record(1), record(2, 6)]), answers: false }],
    ['takes no other count', { header: { count: 3 }, answers: false }],
    ['takes no reply without its records', { bytes: null, answers: false }],
    ['takes no other range', { header: { from: 2 }, answers: false }],
    ['takes no other source', { header: { source: 'poly.prices' }, answers: false }],
    ['takes no answer to another question', { header: { id: 99 }, answers: false }],
    ['takes no answer of another kind', { header: { op: 'pong' }, answers: false }],
  ])('%s', async (_, { header = {}, bytes = Buffer.concat([record(1), record(2)]), answers }) => {
    const socket = new Router({ linger: 0 })
    await socket.bind(ANY_PORT)
    cleanups.push(() => socket.close())
    const serving = (async () => {
      for await (const [client, frame] of socket) {
        const { id } = JSON.parse(frame!.toString()) as { id: number }
        const honest: RecoveryReply = {
          ...{ op: 'range', id, source: SOURCE, epoch: 5, from: 1, count: 2, known: true },
          ...{ hole: null, last: 2, end: null, next: null },
        }
        const text = formatReply({ ...honest, ...header })
        await socket.send(bytes === null ? [client!, text] : [client!, text, bytes])
      }
    })()
    const reply = await clientOf(socket.lastEndpoint!, 300).range(SOURCE, { epoch: 5, from: 1 })
    expect(reply?.records.map(({ seq }) => seq)).toEqual(answers ? [1, 2] : undefined)
    socket.close()
    await serving
  })
})
