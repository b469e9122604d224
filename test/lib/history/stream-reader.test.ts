import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { NOWHERE } from '../../../src/lib/bus/position.js'
import type { Position } from '../../../src/lib/bus/position.js'
import { StreamReader } from '../../../src/lib/history/stream-reader.js'
import type { StreamReaderOptions } from '../../../src/lib/history/stream-reader.js'
import type { StreamStart } from '../../../src/lib/history/stream-place.js'
import { redisKeys } from '../../../src/lib/redis/keys.js'
import { until } from '../poll.js'
import { FaultyProxy, TestRedis } from '../redis/support.js'

const STREAM = 'sim:signals:trades'
const [A, B] = ['shard-0.signals', 'shard-1.signals']

let server: TestRedis
const cleanups: (() => unknown)[] = []
beforeAll(async () => {
  server = await TestRedis.start()
})
afterAll(() => server.stop())
beforeEach(() => server.look.flushall())
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup()
})

const fields = (source: string, epoch: number, seq: number) => [
  ...['topic', `signals.trade.${seq}`, 'data', `{"seq":${seq}}`],
  ...['source', source, 'epoch', String(epoch), 'seq', String(seq)],
]
/** As the mirror does. */
async function write(
  source: string,
  epoch: number,
  from: number,
  to: number,
  stream = STREAM,
): Promise<void> {
  const pipeline = server.look.pipeline()
  for (let seq = from; seq <= to; seq++) pipeline.xadd(stream, '*', ...fields(source, epoch, seq))
  await pipeline.exec()
}

/** A reader that remembers what it was given, as roles do. */
function follow(starts: Readonly<Record<string, StreamStart>>, extra: Partial<StreamReaderOptions> = {}) {
  const got: (Position & { source: string; topic: string; data: string })[] = []
  const following: boolean[] = []
  const problems: string[] = []
  const downs: string[] = []
  const last = (source: string): Position | undefined => got.findLast((entry) => entry.source === source)
  const reader = new StreamReader({
    redisUrl: server.url,
    name: 'test',
    keys: redisKeys('sim'),
    sources: Object.keys(starts),
    startOf: (source) => last(source) ?? starts[source]!,
    onEntry: ({ source, topic, data, epoch, seq }) =>
      got.push({ source, topic, data: data.toString(), epoch, seq }),
    onFollowing: (isFollowing) => following.push(isFollowing),
    onProblem: (reason, detail) => problems.push(`${reason} ${detail}`),
    onDown: ({ code }) => downs.push(code),
    ...extra,
  })
  cleanups.push(() => reader.close())
  const seqs = (source = A) => got.filter((entry) => entry.source === source).map(({ seq }) => seq)
  const caughtUp = () => until(() => following.at(-1) === true, 'the reader follows')
  return { reader, got, seqs, following, problems, downs, caughtUp }
}

const span = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

describe('a reader of streams', () => {
  it('hands on the window, then what comes, byte for byte', async () => {
    await write(A, 7, 1, 3)
    const { got, seqs, caughtUp } = follow({ [A]: 'window' })
    await caughtUp()
    expect(got[2]).toEqual({ source: A, topic: 'signals.trade.3', data: '{"seq":3}', epoch: 7, seq: 3 })
    await write(A, 7, 4, 5)
    await until(() => seqs().length === 5, 'the live ones came')
    expect(seqs()).toEqual(span(1, 5))
  })

  it.each<[string, StreamStart, readonly number[]]>([
    ['behind what it has', { epoch: 7, seq: 1_200 }, span(1_201, 1_500)],
    ['at the window when what it has was trimmed', { epoch: 6, seq: 99 }, span(1, 1_500)],
    ['at the window when it has nothing', NOWHERE, span(1, 1_500)],
    ['with nothing when it has everything', { epoch: 7, seq: 1_500 }, []],
    ['with nothing when it has more than Redis does', { epoch: 8, seq: 1 }, []],
    ['with nothing when only news are wanted', 'live', []],
  ])('begins %s, pages back or not', async (_, start, expected) => {
    await write(A, 7, 1, 1_500)
    const { seqs, caughtUp } = follow({ [A]: start })
    await caughtUp()
    expect(seqs()).toEqual(expected)
    await write(A, 9, 1, 1)
    await until(() => seqs().length === expected.length + 1, 'the new epoch came')
  })

  it('begins every source of one stream where that one is', async () => {
    for (let seq = 1; seq <= 20; seq++) {
      await write(A, 7, seq, seq)
      await write(B, 8, seq, seq)
      await write('shard-2.signals', 9, seq, seq)
    }
    const { got, seqs, caughtUp } = follow({ [A]: { epoch: 7, seq: 5 }, [B]: 'live' })
    await caughtUp()
    expect(seqs(A)).toEqual(span(6, 20))
    expect(seqs(B)).toEqual([])
    await write(B, 8, 21, 22)
    await until(() => seqs(B).length === 2, 'news of the other came')
    expect(got.every(({ source }) => source === A || source === B)).toBe(true)
  })

  it('reads more than one reply before it says that it follows', async () => {
    await write(A, 7, 1, 1_000)
    const had: number[] = []
    const view = follow({ [A]: 'window' }, { onFollowing: () => had.push(view.got.length) })
    await until(() => had.length > 0, 'the reader follows')
    expect(had[0]).toBe(1_000)
  })

  it('finds its place by what it has when Redis was emptied and filled under new ids', async () => {
    await write(A, 7, 1, 10)
    const { seqs, following, caughtUp } = follow({ [A]: 'window' })
    await caughtUp()
    await server.kill()
    await until(() => following.at(-1) === false, 'the reader knows that Redis is away')
    await server.start()
    await write(A, 7, 5, 12)
    await until(() => seqs().at(-1) === 12, 'it goes on')
    expect(seqs()).toEqual(span(1, 12))
  })

  it('goes on where the stream was shorter for a while: a backup that the mirror fills up again', async () => {
    await write(A, 7, 1, 10)
    const { seqs, following, caughtUp } = follow({ [A]: 'window' })
    await caughtUp()
    await server.kill()
    await until(() => following.at(-1) === false, 'the reader knows that Redis is away')
    await server.start()
    await write(A, 7, 1, 6)
    await until(() => following.at(-1) === true, 'it follows again')
    await write(A, 7, 7, 11)
    await until(() => seqs().at(-1) === 11, 'it goes on')
    // What was read before the restore is repeated to the owner's gate, or not, but nothing is skipped.
    expect([...new Set(seqs())]).toEqual(span(1, 11))
  })

  it('misses nothing of what came while Redis could not be asked, though it only wanted news', async () => {
    await write(A, 7, 1, 3)
    const { seqs, following, caughtUp } = follow({ [A]: 'live' })
    await caughtUp()
    // The connection alone is cut: Redis keeps its data.
    await server.look.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await write(A, 7, 4, 6)
    await until(() => following.filter((is) => is).length === 2, 'it follows again')
    await until(() => seqs().length === 3, 'all came')
    expect(seqs()).toEqual([4, 5, 6])
  })

  it('reads less at a time where the link is slow, and goes on until it has all', async () => {
    const proxy = await FaultyProxy.start(server.port)
    cleanups.push(() => proxy.stop())
    const { seqs, downs, caughtUp } = follow({ [A]: 'live' }, { redisUrl: proxy.url })
    await caughtUp()
    proxy.bytesPerSecond = 110_000
    const pipeline = server.look.pipeline()
    for (let seq = 1; seq <= 140; seq++)
      pipeline.xadd(STREAM, '*', ...fields(A, 7, seq), 'more', 'x'.repeat(2_000))
    await pipeline.exec()
    await until(() => seqs().length >= 140, 'it has all', 20_000)
    expect(seqs()).toEqual(span(1, 140))
    expect([...new Set(downs)]).toEqual(['REDIS_UNREACHABLE'])
  })

  it('passes over entries that nobody of ours wrote, and a handler that throws', async () => {
    await server.look.xadd(STREAM, '*', 'hello', 'world')
    await server.look.xadd(STREAM, '*', ...fields(A, 7, 1).map((text) => (text === '7' ? '1e3' : text)))
    await write(A, 7, 1, 2)
    const { got, problems } = follow(
      { [A]: 'window' },
      {
        onEntry: ({ source, topic, data, epoch, seq }) => {
          if (seq === 1) throw new Error('of its own')
          got.push({ source, topic, data: data.toString(), epoch, seq })
        },
      },
    )
    await until(() => got.length === 1, 'the good one came')
    expect(problems.map((text) => text.replace(/\d+-\d+/, 'ID'))).toEqual([
      'bad_entry entry ID of sim:signals:trades',
      'bad_entry entry ID of sim:signals:trades',
      'handler_failed signals.trade.1: of its own',
    ])
  })

  it('says once what is wrong with a key, and goes on when that is mended', async () => {
    await server.look.set(STREAM, 'a string')
    const { seqs, downs, following } = follow({ [A]: 'window' })
    await until(() => downs.length > 0, 'it was told')
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(downs).toEqual(['REDIS_WRONGTYPE'])
    expect(following).toEqual([])
    await server.look.del(STREAM)
    await write(A, 7, 1, 1)
    await until(() => seqs().length === 1, 'it reads')
  })
})

describe('a reader of a channel with a stream a mode', () => {
  const ORDERS = 'exec.orders'
  const [LIVE, PAPER] = ['sim:orders:history', 'sim:paper:orders:history']
  const places = (got: readonly Position[]) => got.map(({ epoch, seq }) => `${epoch}/${seq}`)
  const of = (epoch: number, from: number, to: number) => span(from, to).map((seq) => `${epoch}/${seq}`)

  it('hands on both in the order of the channel, however far it is behind', async () => {
    await write(ORDERS, 7, 1, 700, LIVE)
    await write(ORDERS, 8, 1, 300, PAPER)
    await write(ORDERS, 9, 1, 10, LIVE)
    const { got, caughtUp } = follow({ [ORDERS]: 'window' })
    await caughtUp()
    await write(ORDERS, 10, 1, 5, PAPER)
    await until(() => got.length >= 1_015, 'news came')
    expect(places(got)).toEqual([...[...of(7, 1, 700), ...of(8, 1, 300), ...of(9, 1, 10), ...of(10, 1, 5)]])
  })

  it('begins behind what its owner has, and says what came before', async () => {
    await write(ORDERS, 7, 1, 20, LIVE)
    await write(ORDERS, 8, 1, 20, PAPER)
    const before: (Position | undefined)[] = []
    const got: Position[] = []
    const { caughtUp } = follow(
      { [ORDERS]: { epoch: 7, seq: 18 } },
      {
        onEntry: ({ epoch, seq }, previous) => {
          got.push({ epoch, seq })
          before.push(previous)
        },
      },
    )
    await caughtUp()
    expect(places(got)).toEqual([...of(7, 19, 20), ...of(8, 1, 20)])
    expect(before.slice(0, 3)).toEqual([
      { epoch: 7, seq: 18 },
      { epoch: 7, seq: 19 },
      { epoch: 7, seq: 20 },
    ])
  })

  it('hands on only what comes where it wants news alone', async () => {
    await write(ORDERS, 7, 1, 5, LIVE)
    await write(ORDERS, 8, 1, 5, PAPER)
    const { got, caughtUp } = follow({ [ORDERS]: 'live' })
    await caughtUp()
    await write(ORDERS, 8, 6, 8, PAPER)
    await until(() => got.length >= 3, 'news came')
    expect(places(got)).toEqual(of(8, 6, 8))
  })

  it('is refused where no stream holds a source', () => {
    expect(() => follow({ 'replay.run.kalshi.prices': 'live' })).toThrow(
      expect.objectContaining({ code: 'NO_STREAM', exit: 2 }),
    )
  })
})
