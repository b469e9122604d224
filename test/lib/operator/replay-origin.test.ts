import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { loadSettings } from '../../../src/lib/core/config.js'
import { fromRedis } from '../../../src/lib/operator/replay-origin.js'
import type { OriginOptions } from '../../../src/lib/operator/replay-origin.js'
import { all, told } from '../history/past-samples.js'
import { PRICE_STREAM, SIGNAL_STREAM, writeGap, writeMessages } from '../history/redis-window.js'
import { TestRedis, readStream } from '../redis/support.js'

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
