import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { mergeByTime } from '../../../src/lib/history/merge.js'
import type { MadePages, PastItem, StreamItem } from '../../../src/lib/history/past.js'
import { lastId, planStreams } from '../../../src/lib/history/stream-plan.js'
import type { StreamRequest } from '../../../src/lib/history/stream-plan.js'
import { readStream } from '../../../src/lib/history/stream-past.js'
import { PatientReader } from '../../../src/lib/redis/patient-reader.js'
import { RedisLink } from '../../../src/lib/redis/connection.js'
import { FaultyProxy, TestRedis, readStream as readAll } from '../redis/support.js'
import { encode } from '../../../src/lib/messages/codec.js'
import { orders } from '../messages/samples.js'
import { told } from './past-samples.js'
import { PRICE_STREAM, SIGNAL_STREAM, writeGap, writeMessages } from './redis-window.js'

const PRICES = 'kalshi.prices'
const NOTHING = Buffer.alloc(0)
const EVER = { sinceMs: -Infinity, untilMs: Infinity }

let server: TestRedis
let link: RedisLink
let reader: PatientReader
beforeAll(async () => {
  server = await TestRedis.start()
})
afterAll(() => server.stop())
beforeEach(async () => {
  await server.look.flushall()
  link = new RedisLink({ url: server.url, name: 'test' })
  await link.ready()
  reader = new PatientReader(link)
})
afterEach(() => link.close())

const write = (source: string, epoch: number, from: number, to: number, startMs = 0) =>
  writeMessages(server.look, source, epoch, from, to, startMs)
const recordGap = (channel: string, epoch: number, from: number, to: number | '', reason: string) =>
  writeGap(server.look, channel, epoch, from, to, reason)

async function read(
  request: Partial<StreamRequest> = {},
  between: () => Promise<unknown> = async () => undefined,
) {
  const gaps = { key: 'sim:arbees:gaps', to: await lastId(reader, 'sim:arbees:gaps') }
  const spans = await planStreams(reader, {
    env: 'sim',
    streams: [PRICE_STREAM, SIGNAL_STREAM],
    times: EVER,
    ...request,
  })
  await between()
  const { items, problems } = split(
    await allOf(mergeByTime(spans.map((span) => readStream({ reader, env: 'sim', span, gaps })))),
  )
  return { items, told: told(items), problems }
}

async function allOf(pages: MadePages<StreamItem>): Promise<StreamItem[]> {
  const items: StreamItem[] = []
  for await (const page of pages) items.push(...page)
  return items
}
const split = (items: readonly StreamItem[]) => ({
  items: items.filter((item): item is PastItem => item.kind !== 'refused'),
  problems: items.flatMap((item) => (item.kind === 'refused' ? [item.refusal] : [])),
})

const span = (from: number, to: number, epoch = 7) =>
  Array.from({ length: to - from + 1 }, (_, i) => `${epoch}/${from + i}`)

describe('a stream as a past', () => {
  it('is every entry byte for byte, oldest first, over many pages', async () => {
    await write(PRICES, 7, 1, 1_010)
    const { items, problems } = await read()
    const entries = await readAll(server.look, PRICE_STREAM)
    const bytes = Buffer.concat(items.map((item) => (item.kind === 'message' ? item.data : NOTHING)))
    expect(bytes.equals(Buffer.concat(entries.map(({ data }) => data)))).toBe(true)
    expect(items).toHaveLength(1_010)
    expect(items[3]).toMatchObject({ source: PRICES, epoch: 7, seq: 4, timestampMs: 4_000 })
    expect(problems).toEqual([])
  })

  it('ends where it ended when it was asked for', async () => {
    await write(PRICES, 7, 1, 10)
    const { told: got } = await read({}, () => write(PRICES, 7, 11, 20))
    expect(got).toEqual(span(1, 10))
  })

  it('is merged with others by the time of the messages, not of Redis', async () => {
    await write(PRICES, 7, 1, 6)
    await write('shard-0.signals', 8, 1, 3, 1_500)
    const { items } = await read()
    expect(items.map(({ timestampMs }) => timestampMs)).toEqual([
      1_000, 2_000, 2_500, 3_000, 3_500, 4_000, 4_500, 5_000, 6_000,
    ])
  })

  it('is nothing where nothing is', async () => {
    expect(await read()).toEqual({ items: [], told: [], problems: [] })
    expect(await read({ last: 5 })).toEqual({ items: [], told: [], problems: [] })
  })

  it('has the holes that the mirror recorded, each where it is, with its reason', async () => {
    await recordGap(PRICES, 6, 1, 3, 'retention')
    await write(PRICES, 7, 1, 3)
    await recordGap(PRICES, 7, 4, 6, 'degraded')
    await recordGap('poly.prices', 7, 4, 6, 'degraded')
    await write(PRICES, 7, 7, 8)
    await recordGap(PRICES, 7, 9, '', 'epoch_end_unknown')
    await write(PRICES, 9, 1, 2)
    await recordGap(PRICES, 9, 3, 5, 'retention')
    const { told: got } = await read()
    expect(got).toEqual([
      ...[...span(1, 3), '7/4..6 degraded', ...span(7, 8), '7/9.. epoch_end_unknown'],
      ...[...span(1, 2, 9), '9/3..5 retention'],
    ])
  })

  it('has no hole before a gap that was recorded behind its end', async () => {
    await write(PRICES, 7, 1, 10)
    const [planned] = await planStreams(reader, { env: 'sim', streams: [PRICE_STREAM], times: EVER })
    await recordGap(PRICES, 7, 11, 12, 'retention')
    await write(PRICES, 7, 13, 30)
    await recordGap(PRICES, 7, 31, 33, 'degraded')
    await recordGap(PRICES, 8, 5, 6, 'degraded')
    const gaps = { key: 'sim:arbees:gaps', to: await lastId(reader, 'sim:arbees:gaps') }
    const { items } = split(await allOf(readStream({ reader, env: 'sim', span: planned!, gaps })))
    expect(told(items)).toEqual([...span(1, 10), '7/11..12 retention'])
  })

  it('of one mode has no hole where the channel went on in the other', async () => {
    const streams = ['sim:orders:history', 'sim:paper:orders:history']
    const put = async (stream: string, epoch: number, from: number, to: number) => {
      for (let seq = from; seq <= to; seq++) {
        const header = {
          env: 'sim',
          source: 'exec.orders',
          epoch,
          seq,
          timestampMs: epoch * 1e6 + seq,
        } as const
        const data = encode({ ...header, host: 'h', stamps: {} }, orders)
        const place = ['source', 'exec.orders', 'epoch', epoch, 'seq', seq]
        await server.look.xadd(stream, '*', 'topic', 'orders.kalshi.o', 'data', data, ...place)
      }
    }
    await put(streams[0]!, 7, 1, 3)
    await put(streams[1]!, 8, 1, 3)
    await recordGap('exec.orders', 8, 4, 5, 'degraded')
    await put(streams[1]!, 8, 6, 6)
    await put(streams[0]!, 9, 1, 2)
    expect((await read({ streams })).told).toEqual([
      ...[...span(1, 3), ...span(1, 3, 8), '8/4..5 degraded', '8/6', ...span(1, 2, 9)],
    ])
  })

  it('tells two sources of one stream apart', async () => {
    await write('shard-0.signals', 7, 1, 2)
    await write('shard-1.signals', 8, 5, 5)
    await write('shard-0.signals', 7, 5, 5)
    await write('shard-1.signals', 8, 6, 6)
    await recordGap('shard-0.signals', 7, 3, 4, 'corrupt')
    expect((await read()).told).toEqual(['7/1', '7/2', '8/5', '7/3..4 corrupt', '7/5', '8/6'])
  })

  it('names a hole that nobody recorded', async () => {
    await write(PRICES, 7, 1, 3)
    await write(PRICES, 7, 6, 7)
    expect((await read()).told).toEqual([...span(1, 3), '7/4..5 missed', ...span(6, 7)])
  })

  it('gives nothing twice that is there twice', async () => {
    await write(PRICES, 7, 1, 5)
    await write(PRICES, 7, 3, 6)
    expect((await read()).told).toEqual(span(1, 6))
  })

  it('leaves out what is no message, and says what it was', async () => {
    const put = (...fields: string[]) => server.look.xadd(PRICE_STREAM, '*', ...fields)
    await write(PRICES, 7, 1, 1)
    await put('hello', 'world')
    const forged = ['topic', 'prices.kalshi.KX', 'data', '{"source":"x","epoch":1}']
    await put(...forged, 'source', PRICES, 'epoch', '7', 'seq', '2')
    await put('topic', 'prices.kalshi.KX', 'data', 'no json', 'source', PRICES, 'epoch', '7', 'seq', '3')
    await write(PRICES, 7, 4, 4)
    const { told: got, problems } = await read()
    expect(got).toEqual(['7/1', '7/2..3 missed', '7/4'])
    expect(problems.map(({ reason }) => reason)).toEqual(['bad_entry', 'bad_header', 'not_json'])
  })

  it('has what first-design senders sent, without a place', async () => {
    const body = '{"ticker":"KX","yes_bid":0.4,"yes_ask":0.5,"timestamp_ms":2500}'
    const fields = ['topic', 'prices.kalshi.KX', 'data', body, 'source', 'legacy.a', 'epoch', '0', 'seq', '0']
    await server.look.xadd(PRICE_STREAM, '*', ...fields)
    await server.look.xadd(PRICE_STREAM, '*', ...fields)
    const { items, problems } = await read()
    expect(items).toMatchObject([
      { source: 'legacy.a', seq: 0, timestampMs: 2_500, data: Buffer.from(body) },
      { source: 'legacy.a', seq: 0 },
    ])
    expect(problems).toEqual([])
  })
})

describe('a part of the streams', () => {
  const START_MS = 100_000

  it('that begins before the window says what is trimmed', async () => {
    await write(PRICES, 7, 51, 53, START_MS)
    const since = (sinceMs: number) => read({ times: { ...EVER, sinceMs } })
    expect((await since(1)).told).toEqual(['7/1..50 trimmed', ...span(51, 53)])
    expect((await read()).told).toEqual(span(51, 53))
    expect((await read({ startId: '5-0' })).told[0]).toBe('7/1..50 trimmed')
  })

  it('that was never trimmed begins with nothing missing', async () => {
    await write(PRICES, 7, 1, 3)
    expect((await read({ times: { ...EVER, sinceMs: 1 } })).told).toEqual(span(1, 3))
  })

  it('begins with an entry of that id, and has no hole before it', async () => {
    await write(PRICES, 7, 1, 9)
    const entries = await readAll(server.look, PRICE_STREAM)
    const { told: got } = await read({ startId: entries[4]!.id })
    expect(got).toEqual(span(5, 9))
    expect((await read({ startId: '99999999999999-0' })).told).toEqual([])
  })

  it('that is the last messages is the last of all streams together', async () => {
    await write(PRICES, 7, 1, 600)
    await write('shard-0.signals', 8, 1, 520, 98_500)
    const { items } = await read({ last: 900 })
    const times = (await read()).items.map(({ timestampMs }) => timestampMs)
    expect(items.map(({ timestampMs }) => timestampMs)).toEqual(times.slice(-900))
    expect((await read({ last: 5_000 })).items).toHaveLength(1_120)
    expect((await read({ last: 1, times: { ...EVER, untilMs: 3_400 } })).told[0]).toBe('7/3')
    expect((await read({ last: 2, streams: [SIGNAL_STREAM] })).told).toEqual(span(519, 520, 8))
  })

  it('that is the last messages says what is trimmed where there are not as many', async () => {
    await write(PRICES, 7, 51, 55, START_MS)
    const times = { ...EVER, sinceMs: 1 }
    expect((await read({ last: 4, times })).told).toEqual(span(52, 55))
    expect((await read({ last: 6, times })).told).toEqual(['7/1..50 trimmed', ...span(51, 55)])
    expect((await read({ last: 6 })).told).toEqual(span(51, 55))
  })

  it('that is the last messages has no hole before the first of them', async () => {
    await write(PRICES, 7, 1, 3)
    await write(PRICES, 7, 6, 8)
    expect((await read({ last: 3 })).told).toEqual(span(6, 8))
    expect((await read({ last: 4 })).told).toEqual(['7/3', '7/4..5 missed', ...span(6, 8)])
  })
})

describe('a stream that changes while it is read', () => {
  /** Reads one page, lets something happen, reads the rest. */
  async function readSlowly(happens: () => Promise<unknown>): Promise<PastItem[]> {
    const [planned] = await planStreams(reader, { env: 'sim', streams: [PRICE_STREAM], times: EVER })
    const gaps = { key: 'sim:arbees:gaps', to: await lastId(reader, 'sim:arbees:gaps') }
    const pages = readStream({ reader, env: 'sim', span: planned!, gaps })
    const { value } = await pages.next()
    await happens()
    return split([...(value ?? []), ...(await allOf(pages))]).items
  }
  const trimTo = (length: number) => server.look.xtrim(PRICE_STREAM, 'MAXLEN', length)

  it('tells what was trimmed in front of it', async () => {
    await write(PRICES, 7, 1, 1_000)
    expect(told(await readSlowly(() => trimTo(200)))).toEqual([
      ...[...span(1, 500), '7/501..800 trimmed', ...span(801, 1_000)],
    ])
  })

  it('misses nothing when what was trimmed had been read', async () => {
    await write(PRICES, 7, 1, 1_000)
    expect(told(await readSlowly(() => trimTo(500)))).toEqual(span(1, 1_000))
  })

  it('does not know how an epoch ended that was trimmed in front of it', async () => {
    await write(PRICES, 7, 1, 700)
    await write(PRICES, 8, 1, 300)
    expect(told(await readSlowly(() => trimTo(200)))).toEqual([
      ...[...span(1, 500), '7/501.. trimmed', '8/1..100 trimmed', ...span(101, 300, 8)],
    ])
  })

  it('tells of its end when all the rest was trimmed', async () => {
    await write(PRICES, 7, 1, 1_000)
    const emptied = async () => {
      await write(PRICES, 7, 1_001, 1_001)
      await trimTo(1)
    }
    expect(told(await readSlowly(emptied))).toEqual([...span(1, 500), '7/501.. trimmed'])
  })

  it('says so when all of it was trimmed before the first page', async () => {
    await write(PRICES, 7, 1, 5)
    const { items, problems } = await read({}, async () => {
      await write(PRICES, 7, 6, 6)
      await trimTo(1)
    })
    expect(items).toEqual([])
    expect(problems).toMatchObject([{ reason: 'trimmed' }])
  })

  it('goes on behind a cut while the gaps are read', async () => {
    await write(PRICES, 7, 1, 3)
    await recordGap(PRICES, 7, 4, 6, 'degraded')
    await write(PRICES, 7, 7, 8)
    const proxy = await FaultyProxy.start(server.port)
    const cutLink = new RedisLink({ url: proxy.url, name: 'test' })
    reader = new PatientReader(cutLink)
    await cutLink.ready()
    const { told: got } = await read({}, async () => proxy.loseAnswersTo('sim:arbees:gaps'))
    expect(got).toEqual([...span(1, 3), '7/4..6 degraded', ...span(7, 8)])
    expect(proxy.lost).toBeGreaterThan(0)
    cutLink.close()
    await proxy.stop()
  })

  it('goes on behind a cut of the connection', async () => {
    await write(PRICES, 7, 1, 1_010)
    const cut = () => server.look.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    expect(told(await readSlowly(cut))).toEqual(span(1, 1_010))
  })

  it('ends with an error where Redis was started again, empty', async () => {
    await write(PRICES, 7, 1, 1_010)
    const restarted = readSlowly(async () => {
      await server.kill()
      await server.start()
    })
    await expect(restarted).rejects.toMatchObject({ code: 'REDIS_REPLACED', exit: 8 })
  })

  it('ends with an error where a key is no stream', async () => {
    await server.look.set(SIGNAL_STREAM, 'a string')
    await expect(read()).rejects.toThrow('WRONGTYPE')
  })
})
