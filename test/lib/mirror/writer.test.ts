import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { NOWHERE } from '../../../src/lib/bus/position.js'
import type { Checkpoint, Position } from '../../../src/lib/bus/position.js'
import type { Item, MirrorRecord } from '../../../src/lib/mirror/item.js'
import { BatchWriter } from '../../../src/lib/mirror/writer.js'
import { connectRedis } from '../../../src/lib/redis/connection.js'
import type { RedisLink } from '../../../src/lib/redis/connection.js'
import { TestRedis, readGaps, readStream } from '../redis/support.js'

const STREAM = 'sim:prices:kalshi'
const EPOCH = 1_769_500_000_123

let server: TestRedis
let link: RedisLink
let writer: BatchWriter
beforeAll(async () => {
  server = await TestRedis.start()
  link = await connectRedis(server.url, 'test')
})
afterAll(async () => {
  link.close()
  await server.stop()
})
beforeEach(async () => {
  await server.look.flushall()
  await server.look.config('SET', 'maxmemory', '0')
  writer = writerOf('kalshi.prices')
})

const writerOf = (source: string, maxLength = 10_000) =>
  new BatchWriter({ redis: link.redis, env: 'sim', source, maxLength })
const at = (seq: number, epoch = EPOCH): Checkpoint => ({ epoch, seq, closed: false })
const enter = (to = EPOCH, from = 0, reason: Extract<Item, { kind: 'epoch' }>['reason'] = null): Item => ({
  kind: 'epoch',
  from,
  to,
  reason,
})
const dataOf = (seq: number) => Buffer.from(`{"n":${seq},"bytes":"\u00e9\u0000\ud83c\udfc0"}`)
const record = (
  seq: number,
  { epoch = EPOCH, ...value }: Partial<MirrorRecord & Position> = {},
): Extract<Item, { kind: 'record' }> => ({
  kind: 'record',
  epoch,
  seq,
  value: { stream: STREAM, topic: 'prices.kalshi.T', data: dataOf(seq), ...value },
})
const seqs = async (key = STREAM) => (await readStream(server.look, key)).map(({ seq }) => seq)

describe('one call of the mirror', () => {
  it('writes records byte for byte and the checkpoint with them', async () => {
    const items = [enter(), record(1), record(2), record(3)]
    const result = await writer.write(NOWHERE, items)
    expect(result).toEqual({ status: 'OK', checkpoint: at(3), written: 3, gaps: 0, message: '' })
    expect(await writer.readCheckpoint()).toEqual(at(3))
    const entries = await readStream(server.look, STREAM)
    expect(entries.map(({ id: _, ...entry }) => entry)).toEqual(
      [1, 2, 3].map((seq) => ({
        topic: 'prices.kalshi.T',
        data: dataOf(seq),
        source: 'kalshi.prices',
        epoch: EPOCH,
        seq,
      })),
    )
    expect(server.cli('HGET', 'sim:arbees:checkpoint:kalshi.prices', 'epoch')).toBe(String(EPOCH))
    expect(server.cli('HGET', 'sim:arbees:checkpoint:kalshi.prices', 'seq')).toBe('3')
  })

  it('keeps the lengths of text and bytes apart, whatever is in them', async () => {
    const topics = ['\u20ac\ud83c\udfc0'.repeat(60), 'r\u0000g', 'prices.kalshi.T']
    const data = [Buffer.alloc(0), Buffer.alloc(70_000, 0xff), Buffer.from('rgnc')]
    const items = topics.map((topic, i) => record(i + 1, { topic, data: data[i]! }))
    expect(await writer.write(NOWHERE, [enter(), ...items])).toMatchObject({ status: 'OK', written: 3 })
    const entries = await readStream(server.look, STREAM)
    expect(entries.map((entry) => entry.topic)).toEqual(topics)
    expect(entries.map((entry) => entry.data)).toEqual(data)
  })

  it('the same call again writes nothing, an overlapping one only what is new', async () => {
    const items = [enter(), record(1), record(2)]
    await writer.write(NOWHERE, items)
    expect(await writer.write(NOWHERE, items)).toMatchObject({ status: 'OK', checkpoint: at(2), written: 0 })
    expect(await writer.write(at(1), [record(2), record(3)])).toMatchObject({ status: 'OK', written: 1 })
    expect(await seqs()).toEqual([1, 2, 3])
  })

  it('refuses an epoch before the one in Redis', async () => {
    await writer.write(NOWHERE, [enter(), record(1)])
    const old = record(2, { epoch: EPOCH - 1 })
    const result = await writer.write({ epoch: EPOCH - 1, seq: 1 }, [old])
    expect(result).toMatchObject({ status: 'EPOCH_REGRESSED', checkpoint: at(1), written: 0 })
    expect(await seqs()).toEqual([1])
  })

  it('writes nothing when Redis has less than the caller believes', async () => {
    await writer.write(NOWHERE, [enter(), record(1)])
    expect(await writer.write(at(4), [record(5)])).toMatchObject({ status: 'BEHIND', checkpoint: at(1) })
    await server.look.flushall()
    expect(await writer.write(at(1), [record(2)])).toMatchObject({ status: 'BEHIND', checkpoint: NOWHERE })
    expect(await seqs()).toEqual([])
  })

  it('writes nothing past an epoch of another mirror', async () => {
    await writer.write(NOWHERE, [enter(EPOCH), record(1), enter(EPOCH + 5, EPOCH)])
    const late = [enter(EPOCH + 9, EPOCH, 'epoch_end_unknown'), record(1, { epoch: EPOCH + 9 })]
    expect(await writer.write(at(1), late)).toMatchObject({ status: 'MOVED', gaps: 0 })
  })

  it('refuses a batch with a hole that nothing explains', async () => {
    const result = await writer.write(NOWHERE, [enter(), record(1), record(3)])
    expect(result).toMatchObject({ status: 'BROKEN_BATCH', checkpoint: at(1), written: 1 })
    expect(await seqs()).toEqual([1])
  })

  it('keeps about 100,000 gap records, the newest', async () => {
    const many = "for i = 1, 100500 do redis.call('XADD', KEYS[1], '*', 'n', i) end"
    await server.look.eval(many, 1, 'sim:arbees:gaps')
    await writer.write(NOWHERE, [enter()])
    await writer.write(at(0), [{ kind: 'gap', epoch: EPOCH, from: 1, to: 5, reason: 'retention' }])
    const kept = await server.look.xlen('sim:arbees:gaps')
    expect(kept).toBeGreaterThanOrEqual(100_000)
    expect(kept).toBeLessThan(100_500)
    const [newest] = await server.look.xrevrange('sim:arbees:gaps', '+', '-', 'COUNT', 1)
    expect(newest![1]).toEqual(expect.arrayContaining(['channel', 'kalshi.prices', 'reason', 'retention']))
  })

  it('records a gap once, cut to what the checkpoint has not passed', async () => {
    await writer.write(NOWHERE, [enter(), record(1), record(2)])
    const items: Item[] = [{ kind: 'gap', epoch: EPOCH, from: 2, to: 5, reason: 'retention' }, record(6)]
    expect(await writer.write(at(1), items)).toMatchObject({ status: 'OK', gaps: 1, written: 1 })
    await writer.write(at(1), items)
    await writer.write(at(6), [enter(EPOCH + 5, EPOCH, 'epoch_end_unknown')])
    expect(await readGaps(server.look)).toEqual([
      { channel: 'kalshi.prices', epoch: EPOCH, from: 3, to: 5, reason: 'retention' },
      { channel: 'kalshi.prices', epoch: EPOCH, from: 7, to: null, reason: 'epoch_end_unknown' },
    ])
    expect(await writer.readCheckpoint()).toEqual(at(0, EPOCH + 5))
  })

  it('remembers that an epoch was closed, until the next one', async () => {
    const closed: Item = { kind: 'closed', epoch: EPOCH, seq: 1 }
    await writer.write(NOWHERE, [enter(), record(1), closed])
    expect(await writer.readCheckpoint()).toEqual({ ...at(1), closed: true })
    await writer.write(at(1), [enter(EPOCH + 5, EPOCH)])
    expect(await writer.readCheckpoint()).toEqual(at(0, EPOCH + 5))
  })

  it('stops at the first record that cannot be written, with the checkpoint at the last that was', async () => {
    await server.look.set('sim:orders:history', 'not a stream')
    const orders = writerOf('exec.orders')
    const live = (seq: number) => record(seq, { stream: 'sim:orders:history' })
    const paper = (seq: number) => record(seq, { stream: 'sim:paper:orders:history' })
    const items = [enter(), paper(1), paper(2), live(3), paper(4)]
    const result = await orders.write(NOWHERE, items)
    expect(result).toMatchObject({ status: 'ERROR', checkpoint: at(2), written: 2 })
    expect(result.message).toMatch(/^WRONGTYPE/)
    expect(await orders.readCheckpoint()).toEqual(at(2))
    await server.look.del('sim:orders:history')
    expect(await orders.write(NOWHERE, items)).toMatchObject({ status: 'OK', written: 2 })
    expect(await seqs('sim:paper:orders:history')).toEqual([1, 2, 4])
    expect(await seqs('sim:orders:history')).toEqual([3])
  })

  it('without memory writes nothing and moves nothing', async () => {
    await writer.write(NOWHERE, [enter(), record(1)])
    await server.look.config('SET', 'maxmemory', '1')
    const result = await writer.write(at(1), [record(2)])
    expect(result).toMatchObject({ status: 'ERROR', checkpoint: at(1), written: 0 })
    expect(result.message).toMatch(/^OOM/)
    await server.look.config('SET', 'maxmemory', '0')
    expect(await seqs()).toEqual([1])
  })

  it('a login that may not write the checkpoint writes nothing at all', async () => {
    server.cli('ACL', 'SETUSER', 'half', 'on', '>pw', '~*', '+@all', '-hset')
    const half = await connectRedis(`redis://half:pw@127.0.0.1:${server.port}`, 'half')
    const blocked = new BatchWriter({ redis: half.redis, env: 'sim', source: 'kalshi.prices', maxLength: 10 })
    const result = await blocked.write(NOWHERE, [enter(), record(1)])
    half.close()
    expect(result).toMatchObject({ status: 'ERROR', written: 0 })
    expect(await seqs()).toEqual([])
  })

  it.each([
    ['of another type', (key: string) => server.look.set(key, 'x'), 'WRONGTYPE'],
    [
      'that holds no numbers',
      (key: string) => server.look.hset(key, { epoch: 'x', seq: '1' }),
      'BAD_CHECKPOINT',
    ],
  ])('a checkpoint %s is an error, not a start from nothing', async (_, spoil, code) => {
    await spoil('sim:arbees:checkpoint:kalshi.prices')
    const result = await writer.write(NOWHERE, [enter(), record(1)])
    expect(result.status).toBe('ERROR')
    expect(result.message.startsWith(code)).toBe(true)
    await expect(writer.readCheckpoint()).rejects.toThrow()
    expect(await seqs()).toEqual([])
  })

  it('trims the stream to about its length', async () => {
    const short = writerOf('kalshi.prices', 200)
    let base: Checkpoint = NOWHERE
    for (let start = 1; start <= 2_000; start += 250) {
      const batch: Item[] = Array.from({ length: 250 }, (_, i) => record(start + i))
      base = (await short.write(base, start === 1 ? [enter(), ...batch] : batch)).checkpoint
    }
    const kept = await seqs()
    expect(kept.at(-1)).toBe(2_000)
    expect(kept.length).toBeGreaterThanOrEqual(200)
    expect(kept.length).toBeLessThanOrEqual(300)
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => 2_001 - kept.length + i))
  })
})

describe("a game's string", () => {
  const KEY = 'sim:games:nba:401'
  const games = (seq: number, epoch = EPOCH, source = 'orchestrator.games', kept = 24 * 3600 * 1000) =>
    record(seq, {
      epoch,
      stream: 'sim:games:events',
      topic: 'games.nba.401',
      data: Buffer.from(JSON.stringify({ source, epoch, seq, timestamp_ms: 1 })),
      snapshot: { key: KEY, expireAtMs: Date.now() + kept },
    })
  const held = () => JSON.parse(server.cli('GET', KEY)) as { epoch: number; seq: number }

  it('holds the newest envelope for 24 h from the time of the message', async () => {
    await writerOf('orchestrator.games').write(NOWHERE, [enter(), games(1), games(2)])
    expect(server.cli('GET', KEY)).toBe(games(2).value.data.toString())
    const ttl = Number(server.cli('PTTL', KEY))
    expect(ttl).toBeGreaterThan(24 * 3600 * 1000 - 60_000)
    expect(ttl).toBeLessThanOrEqual(24 * 3600 * 1000)
  })

  it('never goes backwards, also when the checkpoint was lost and old messages come again', async () => {
    const writer = writerOf('orchestrator.games')
    await writer.write(NOWHERE, [enter(), games(1), games(2), enter(EPOCH + 5, EPOCH), games(1, EPOCH + 5)])
    await server.look.del('sim:arbees:checkpoint:orchestrator.games')
    await writer.write(NOWHERE, [enter(), games(1), games(2)])
    expect(held()).toMatchObject({ epoch: EPOCH + 5, seq: 1 })
    await writer.write(at(2), [enter(EPOCH + 5, EPOCH), games(1, EPOCH + 5), games(2, EPOCH + 5)])
    expect(held()).toMatchObject({ epoch: EPOCH + 5, seq: 2 })
  })

  it.each([
    ['of another source', JSON.stringify({ source: 'legacy.x', epoch: EPOCH * 2, seq: 9 })],
    ['of the first design', '{"home_score":1}'],
    ['that is no JSON', 'x'],
  ])('replaces one %s', async (_, before) => {
    await server.look.set(KEY, before)
    await writerOf('orchestrator.games').write(NOWHERE, [enter(), games(1)])
    expect(held()).toMatchObject({ epoch: EPOCH, seq: 1 })
  })

  it('a message older than a day leaves none behind', async () => {
    await writerOf('orchestrator.games').write(NOWHERE, [enter(), games(1, EPOCH, undefined, -1)])
    expect(server.cli('EXISTS', KEY)).toBe('0')
    expect(await seqs('sim:games:events')).toEqual([1])
  })

  it('of a wrong type stops the channel before the record is written', async () => {
    await server.look.lpush(KEY, 'x')
    const writer = writerOf('orchestrator.games')
    expect(await writer.write(NOWHERE, [enter(), games(1)])).toMatchObject({ status: 'ERROR', written: 0 })
    await server.look.del(KEY)
    expect(await writer.write(NOWHERE, [enter(), games(1)])).toMatchObject({ status: 'OK', written: 1 })
  })
})
