import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { loadSettings } from '../../../src/lib/core/config.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import type { PastItem } from '../../../src/lib/history/past.js'
import { replay } from '../../../src/lib/operator/replay.js'
import { fromRedis } from '../../../src/lib/operator/replay-origin.js'
import type { OriginOptions } from '../../../src/lib/operator/replay-origin.js'
import { until } from '../poll.js'
import { all, told } from '../history/past-samples.js'
import { PRICE_STREAM, SIGNAL_STREAM, writeGap, writeMessages } from '../history/redis-window.js'
import { FaultyProxy, TestRedis, readStream } from '../redis/support.js'

const PRICES = 'kalshi.prices'
const SIGNALS = 'shard-0.signals'
const EVER = { sinceMs: -Infinity, untilMs: Infinity }

let redis: TestRedis
beforeAll(async () => {
  redis = await TestRedis.start()
})
afterAll(() => redis.stop())
beforeEach(() => redis.look.flushall())

/** What a replay of the streams tells. */
async function replayed(
  names: readonly string[],
  asked: Partial<OriginOptions> & { readonly startId?: string } = {},
): Promise<string[]> {
  const origin = fromRedis(names, {
    settings: loadSettings({ flags: { redis_url: redis.url } }).settings,
    times: EVER,
    follow: false,
    keys: undefined,
    onProblem: ({ detail }) => expect.fail(detail),
    ...asked,
  })
  return told(await all(origin(new AbortController().signal)))
}
const write = (source: string, epoch: number, from: number, to: number) =>
  writeMessages(redis.look, source, epoch, from, to)
/** Recorded at `atMs` by Redis's clock. */
const gap = (source: string, epoch: number, from: number, to: number | '', atMs: number) =>
  writeGap(redis.look, source, epoch, from, to, 'retention', `${atMs}-0`)
const firstId = async (stream: string) => (await readStream(redis.look, stream))[0]!.id

describe('gaps of a source that the streams have no message of', () => {
  it('are told where there is nothing else at all', async () => {
    await gap(PRICES, 7, 4, 6, 5_000)
    await gap(PRICES, 7, 9, '', 6_000)
    expect(await replayed([])).toEqual(['7/4..6 retention', '7/9.. retention'])
    expect(await replayed(['prices:kalshi'], { last: 5 })).toHaveLength(2)
    expect(await replayed(['prices:poly'])).toEqual([])
  })

  it('are told where its stream holds others, of a shard that is configured no more too', async () => {
    await write(SIGNALS, 8, 1, 2)
    await gap('shard-7.signals', 7, 4, 6, 5_000)
    expect(await replayed(['signals:trades'])).toEqual(['8/1', '8/2', '7/4..6 retention'])
    expect(await replayed(['prices:kalshi'])).toEqual([])
  })

  it('are told where they were recorded within what was asked for', async () => {
    await gap(PRICES, 7, 4, 6, 5_000)
    await gap(PRICES, 7, 8, 9, 9_000)
    expect(await replayed([], { times: { ...EVER, sinceMs: 6_000 } })).toEqual(['7/8..9 retention'])
    expect(await replayed([], { startId: '5001-0' })).toEqual(['7/8..9 retention'])
  })

  it('are told where they were recorded since the first of the last messages', async () => {
    await gap('poly.prices', 7, 4, 6, 5_000)
    await write(PRICES, 8, 1, 3)
    const recordedMs = Number((await firstId(PRICE_STREAM)).split('-')[0]) + 1_000
    await gap('poly.prices', 7, 8, 9, recordedMs)
    expect(await replayed([], { last: 3 })).toEqual(['8/1', '8/2', '8/3', '7/8..9 retention'])
  })
})

describe('gaps before the first message of a source', () => {
  it('count where more was asked for, in epochs before it, and not else', async () => {
    await gap(SIGNALS, 6, 4, 6, 5_000)
    await gap(SIGNALS, 7, 2, 2, 6_000)
    await write(SIGNALS, 7, 3, 3)
    await gap(SIGNALS, 7, 4, 4, 9_000)
    expect(await replayed(['signals:trades'])).toEqual(['7/3', '7/4..4 retention'])
    const since = (sinceMs: number) => replayed(['signals:trades'], { times: { ...EVER, sinceMs } })
    const within = ['7/1..2 trimmed', '7/3', '7/4..4 retention']
    expect(await since(1)).toEqual([...within, '6/4..6 retention'])
    expect((await since(5_500)).join()).not.toContain('6/')
    expect(await replayed([], { startId: await firstId(SIGNAL_STREAM) })).toEqual(['7/3', '7/4..4 retention'])
  })
})

describe('a replay while the mirror writes', () => {
  it('makes no hole of what comes before it knows where the streams end', async () => {
    await write(PRICES, 7, 1, 10)
    const proxy = await FaultyProxy.start(redis.port)
    proxy.before = {
      marker: 'sim:arbees:gaps',
      happens: async () => {
        await write(PRICES, 7, 11, 30)
        await gap(PRICES, 7, 31, 33, 5_000)
      },
    }
    const { settings } = loadSettings({ flags: { redis_url: proxy.url } })
    const got = await replayed(['prices:kalshi'], { settings })
    await proxy.stop()
    expect(proxy.before).toBeUndefined()
    expect(got).toEqual([...Array.from({ length: 30 }, (_, i) => `7/${i + 1}`), '7/31..33 retention'])
  })
})

describe('an entry that is no message', () => {
  /** What was left out of a replay of a hundred messages, the entry, and another message. */
  async function leftOut(
    asked: Partial<OriginOptions>,
    { count, transport = 'zmq' }: { readonly count?: number; readonly transport?: 'zmq' | 'redis' } = {},
  ) {
    await redis.look.flushall()
    await write(PRICES, 7, 1, 100)
    await redis.look.xadd(PRICE_STREAM, '*', 'hello', 'world')
    await write(PRICES, 7, 101, 101)
    const fields = [
      'topic',
      'prices.kalshi.KX',
      'data',
      'no json',
      'source',
      PRICES,
      'epoch',
      '7',
      'seq',
      '102',
    ]
    await redis.look.xadd(PRICE_STREAM, '*', ...fields)
    // Nothing of it is of this millisecond.
    await new Promise((resolve) => setTimeout(resolve, 20))
    const problems: string[] = []
    const got: PastItem[] = []
    const stop = new AbortController()
    const past = fromRedis(['prices:kalshi'], {
      settings: loadSettings({ flags: { redis_url: redis.url, transport } }).settings,
      times: EVER,
      follow: false,
      keys: undefined,
      onProblem: ({ reason }) => void problems.push(reason),
      ...asked,
    })
    const ended = replay({
      past,
      speed: Infinity,
      sink: { write: async (items) => void got.push(...items), close: async () => undefined },
      clock: systemClock,
      count,
      onProgress: () => undefined,
      signal: stop.signal,
    })
    if (asked.follow === true) {
      await until(() => got.length >= 101, 'the past is over')
      await until(async () => {
        const clients = String(await redis.look.call('CLIENT', 'LIST'))
        return clients.includes('arbees-replay-streams')
      }, 'it follows')
      await write(PRICES, 7, 103, 103)
      await until(() => got.some((item) => item.kind === 'message' && item.seq === 103), 'it goes on')
      stop.abort()
    }
    await ended
    return problems
  }

  it('counts where it is reached, and only there', async () => {
    expect(await leftOut({})).toEqual(['bad_entry', 'not_json'])
    expect(await leftOut({}, { count: 2 })).toEqual([])
    expect(await leftOut({}, { count: 101 })).toEqual(['bad_entry'])
  })

  it('counts where it lies within the times, by its id', async () => {
    const now = Date.now()
    expect(await leftOut({ times: { ...EVER, untilMs: now - 3_600_000 } })).toEqual([])
    expect(await leftOut({ times: { ...EVER, sinceMs: now + 3_600_000 } })).toEqual([])
    expect(await leftOut({ times: { ...EVER, sinceMs: now - 3_600_000 } })).toEqual(['bad_entry', 'not_json'])
  })

  it('counts once where it is read again by what goes on', async () => {
    expect(await leftOut({ follow: true }, { transport: 'redis' })).toEqual(['bad_entry', 'not_json'])
  })
})
