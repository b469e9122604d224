import { describe, expect, it } from 'vitest'
import { Channel } from '../../../src/lib/bus/channel.js'
import type { MessageIdentity } from '../../../src/lib/bus/channel.js'
import { Journal } from '../../../src/lib/bus/journal/journal.js'
import { readRecords } from '../../../src/lib/bus/journal/record.js'
import { NewestValues } from '../../../src/lib/bus/newest-values.js'
import type { SnapshotChunk } from '../../../src/lib/bus/recovery/recovery-server.js'
import { Outbox } from '../../../src/lib/bus/outbox.js'
import type { Frames } from '../../../src/lib/bus/outbox.js'
import { ManualClock } from '../../../src/lib/core/clock.js'
import { MAX_MESSAGE_BYTES, decode } from '../../../src/lib/messages/codec.js'
import type { Header } from '../../../src/lib/messages/payloads.js'
import * as samples from '../messages/samples.js'
import { MemoryStorage } from './journal/memory-storage.js'

const LIMITS = { records: 500, bytes: 256 * 1024 }

interface Life {
  readonly storage?: MemoryStorage
  readonly clock?: ManualClock
}

/** One life of a channel, its journal on a disk in memory, and what goes to the socket. */
function begin(source: string, { storage = new MemoryStorage(), clock = new ManualClock() }: Life = {}) {
  const events: string[] = []
  const sent: Frames[] = []
  const append = storage.append.bind(storage)
  storage.append = (name, bytes) => {
    if (name.endsWith('.seg')) events.push('write')
    return append(name, bytes)
  }
  const journal = Journal.open({
    ...{ storage, source, clock, retainBytes: 1_000_000, bootId: 'boot' },
    onNotice: () => undefined,
  })
  const outbox = new Outbox((frames) => {
    events.push('send')
    sent.push(frames)
  })
  const channel = new Channel({ source, epoch: journal.epoch, env: 'sim', clock, outbox, journal })
  const seqs = () => sent.map(([, body]) => (JSON.parse(body.toString()) as Header).seq)
  return { channel, journal, outbox, storage, clock, events, sent, seqs }
}

/** What the journal hands out from message `from` on. */
function pull({ channel }: ReturnType<typeof begin>, epoch: number, from = 1) {
  const answer = channel.range({ epoch, from }, LIMITS)
  if (answer?.kind !== 'answer') throw new Error('no answer')
  return { ...answer, seqs: readRecords(answer.bytes)!.map(({ seq }) => seq) }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))
const price = (id: string) => `prices.kalshi.${id}`

describe('a channel of prices', () => {
  it('writes a turn with one call, and sends behind it in the order that was published', async () => {
    const life = begin('kalshi.prices')
    for (let i = 0; i < 5; i++) life.channel.publish(price(`M${i % 2}`), samples.prices)
    expect(life.events).toEqual([])
    await turn()
    expect(life.events).toEqual(['write', 'send', 'send', 'send', 'send', 'send'])
    expect(life.seqs()).toEqual([1, 2, 3, 4, 5])
    life.channel.publish(price('M0'), samples.prices)
    await turn()
    expect(life.events.slice(6)).toEqual(['write', 'send'])
  })

  it('sends a turn of any size in bounded parts, each behind its write', async () => {
    const life = begin('kalshi.prices')
    for (let i = 0; i < 2_500; i++) life.channel.publish(price('M'), samples.prices)
    await turn()
    expect(life.seqs()).toEqual(Array.from({ length: 2_500 }, (_, i) => i + 1))
    const firstSend = life.events.indexOf('send')
    expect(life.events.slice(0, firstSend).every((event) => event === 'write')).toBe(true)
    expect(life.events.lastIndexOf('write')).toBe(life.events.lastIndexOf('send') - 500)
  })

  it('sends the very bytes that its journal hands out', async () => {
    const life = begin('kalshi.prices')
    life.channel.publish(price('KØBENHAVN'), { ...samples.prices, selection: 'Malmö 🏒' })
    await turn()
    const [[topic, body]] = life.sent as [Frames]
    const [record] = readRecords(pull(life, life.channel.epoch).bytes)!
    expect(record!.topic).toBe(topic.toString())
    expect(Buffer.compare(record!.data, Buffer.from(body))).toBe(0)
  })

  it('goes on when the disk is full, says so, and names the hole when it is back', async () => {
    const life = begin('kalshi.prices')
    const { channel, storage, clock } = life
    channel.publish(price('M'), samples.prices)
    await turn()
    storage.fill()
    for (let i = 0; i < 3; i++) channel.publish(price('M'), samples.prices)
    await turn()
    expect(life.seqs()).toEqual([1, 2, 3, 4])
    expect(channel.beat()).toMatchObject({ last_seq: 4, journal: 'degraded' })
    expect(pull(life, channel.epoch).seqs).toEqual([1, 2, 3, 4])
    storage.free()
    clock.advanceMs(1_100)
    life.journal.flush()
    channel.publish(price('M'), samples.prices)
    await turn()
    expect(channel.beat()).toMatchObject({ last_seq: 5, journal: 'on' })
    storage.kill()
    const after = begin('kalshi.prices', { storage, clock })
    expect(after.storage.list().length).toBeGreaterThan(0)
    const answer = after.channel.range({ epoch: channel.epoch, from: 2 }, LIMITS)
    if (answer?.kind === 'load') after.journal.loaded(answer.segment, storage.read(answer.segment))
    expect(pull(after, channel.epoch, 2)).toMatchObject({ hole: { to: 4, reason: 'degraded' }, last: 5 })
  })

  it('tells the newest of each topic, in chunks that leave nothing out', async () => {
    const life = begin('kalshi.prices')
    const { channel } = life
    for (let i = 0; i < 1_200; i++) channel.publish(price(`M${i}`), { ...samples.prices, book_seq: 1 })
    const values = new Map<string, number>()
    let cursor: number | null = 0
    let chunks = 0
    while (cursor !== null) {
      const chunk: SnapshotChunk = channel.snapshot(cursor, LIMITS)!
      expect(chunk).toMatchObject({ epoch: channel.epoch, seq: channel.lastSeq, complete: true })
      expect(chunk.bytes.length).toBeLessThanOrEqual(LIMITS.bytes)
      const records = readRecords(chunk.bytes)!
      expect(records).toHaveLength(chunk.count)
      for (const { topic, seq, data } of records) {
        const decoded = decode(topic, data, 'sim')
        expect(decoded).toMatchObject({ kind: 'message', message: { header: { seq, epoch: channel.epoch } } })
        values.set(topic, seq)
      }
      // While it is read, one that was told changes, and a new one comes.
      if (chunks++ === 0) {
        channel.publish(price('M0'), samples.prices)
        channel.publish(price('NEW'), samples.prices)
      }
      cursor = chunk.next
    }
    await turn()
    expect(chunks).toBeGreaterThan(2)
    expect(values.size).toBe(1_201)
    expect(values.get(price('NEW'))).toBe(1_202)
    expect(values.get(price('M0'))).toBe(1)
  })

  it('says that a snapshot is not complete when quiet topics had to be left out', () => {
    const newest = new NewestValues(100)
    for (let seq = 1; seq <= 101; seq++) newest.set(newest.of(`t${seq}`), seq, 1, '{}')
    const chunk = newest.chunk({ epoch: 9, seq: 101 }, 0, LIMITS)
    expect(chunk).toMatchObject({ complete: false, count: 91, next: null })
    expect(readRecords(chunk.bytes)![0]).toMatchObject({ topic: 't11', epoch: 9, seq: 11 })
  })

  it('gives a payload the identity of its message', async () => {
    const life = begin('kalshi.prices')
    const seen: MessageIdentity[] = []
    life.channel.publish(price('M'), (identity) => {
      seen.push(identity)
      return { ...samples.prices, selection: `sealed-${identity.seq}` }
    })
    await turn()
    const message = JSON.parse(life.sent[0]![1].toString()) as Header & { payload: { selection: string } }
    const { source, epoch, seq, timestamp_ms: timestampMs } = message
    expect(seen).toEqual([{ source, epoch, seq, timestampMs }])
    expect(message.payload.selection).toBe('sealed-1')
  })

  it('keeps timestamps from falling across epochs, and epochs rising, when the clock is set back', async () => {
    const storage = new MemoryStorage()
    const first = begin('kalshi.prices', { storage })
    first.channel.publish(price('M'), samples.prices)
    await turn()
    first.journal.close()
    const clock = new ManualClock(first.clock.nowMs() - 3_600_000)
    const second = begin('kalshi.prices', { storage, clock })
    second.channel.publish(price('M'), samples.prices)
    await turn()
    const headers = [first, second].map(({ sent }) => JSON.parse(sent[0]![1].toString()) as Header)
    expect(headers[1]!.epoch).toBe(headers[0]!.epoch + 1)
    expect(headers[1]!.timestamp_ms).toBe(headers[0]!.timestamp_ms)
  })

  it('numbers nothing that it refuses', async () => {
    const life = begin('kalshi.prices')
    const huge = { ...samples.prices, selection: 'é'.repeat(MAX_MESSAGE_BYTES / 2) }
    expect(() => life.channel.publish(price('M'), huge)).toThrowError(/at most/)
    const failing = () => {
      throw new Error('no seal')
    }
    expect(() => life.channel.publish(price('M'), failing)).toThrowError('no seal')
    life.channel.publish(price('M'), samples.prices)
    await turn()
    expect(life.seqs()).toEqual([1])
    expect(life.channel.snapshot(0, LIMITS)).toMatchObject({ count: 1 })
  })
})

describe('a channel of signals', () => {
  const publish = ({ channel }: ReturnType<typeof begin>) =>
    channel.publish('signals.trade.x', samples.signals)

  it('is written and sent when publish returns', () => {
    const life = begin('shard-0.signals')
    publish(life)
    publish(life)
    expect(life.events).toEqual(['write', 'send', 'write', 'send'])
    expect(life.channel.snapshot(0, LIMITS)).toBeNull()
  })

  it('falls silent on a full disk, uses no number twice, and goes on when the disk is back', () => {
    const life = begin('shard-0.signals')
    const { channel, clock, storage } = life
    publish(life)
    storage.fill(100)
    for (let i = 0; i < 3; i++) {
      expect(() => publish(life)).toThrowError(expect.objectContaining({ code: 'JOURNAL_FAILED' }))
    }
    expect(life.seqs()).toEqual([1])
    expect(channel.beat()).toMatchObject({ last_seq: 2, journal: 'degraded' })
    // Nobody is handed what was never sent.
    expect(pull(life, channel.epoch, 2)).toMatchObject({ seqs: [], hole: { to: 2, reason: 'degraded' } })
    storage.free()
    clock.advanceMs(1_100)
    life.journal.flush()
    expect(publish(life).seq).toBe(3)
    expect(life.seqs()).toEqual([1, 3])
    expect(pull(life, channel.epoch, 3).seqs).toEqual([3])
  })
})

it('orders are told on a full disk too: they have happened', () => {
  const life = begin('exec.orders')
  life.storage.fill()
  life.channel.publish('orders.kalshi.x', samples.orders)
  expect(life.seqs()).toEqual([1])
  expect(life.channel.beat()).toMatchObject({ last_seq: 1, journal: 'degraded' })
})
