import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { loadSettings } from '../../../src/lib/core/config.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import type { PastItem } from '../../../src/lib/history/past.js'
import { record } from '../../../src/lib/history/recording/recorder.js'
import { RecordingFolder } from '../../../src/lib/history/recording/recording-folder.js'
import { openRecording } from '../../../src/lib/history/recording/recording-past.js'
import { decode, encode } from '../../../src/lib/messages/codec.js'
import { recordOf } from '../../../src/lib/mirror/routes.js'
import { fromRedis } from '../../../src/lib/operator/replay-origin.js'
import { redisKeys } from '../../../src/lib/redis/keys.js'
import { allEndpoints } from '../../../src/lib/roles/wiring.js'
import { games, orderbook, orders, prices, signals, trades } from '../messages/samples.js'
import { until } from '../poll.js'
import { TestRedis } from '../redis/support.js'
import { all } from './past-samples.js'

const keys = redisKeys('sim')
const EPOCH = 7

/** A message of each family; of orders and trades one of each mode. */
const CHANNELS: readonly (readonly [source: string, topic: string, payloads: readonly object[]])[] = [
  ['kalshi.prices', `prices.kalshi.${prices.market_id}`, [prices]],
  ['poly.orderbook', `orderbook.poly.${orderbook.market_id}`, [orderbook]],
  ['orchestrator.games', `games.${games.league}.${games.game_id}`, [games]],
  ['shard-0.signals', `signals.trade.${signals.id}`, [signals]],
  ['exec.orders', `orders.kalshi.${orders.order_id}`, [orders, { ...orders, mode: 'paper' }]],
  ['exec.trades', `trades.partial.${trades.order_id}`, [trades, { ...trades, mode: 'live' }]],
]
const SOURCES = CHANNELS.map(([source]) => source)

let redis: TestRedis
let dir: string
beforeAll(async () => {
  redis = await TestRedis.start()
})
afterAll(() => redis.stop())
beforeEach(async () => {
  await redis.look.flushall()
  dir = mkdtempSync(join(tmpdir(), 'arbees-families-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** Number `seq` of every channel where the mirror puts it; the modes take turns. */
async function mirror(seq: number): Promise<void> {
  for (const [source, topic, payloads] of CHANNELS) {
    const header = {
      env: 'sim',
      source,
      epoch: EPOCH,
      seq,
      timestampMs: Date.now(),
      host: 'h',
      stamps: {},
    } as const
    const data = Buffer.from(encode(header, payloads[seq % payloads.length]!))
    const decoded = decode(topic, data, 'sim')
    if (decoded.kind !== 'message') throw new Error(`${topic}: ${JSON.stringify(decoded)}`)
    const { stream } = recordOf(keys, decoded.message, topic, data)!
    await redis.look.xadd(stream, '*', ...Object.entries({ topic, data, source, epoch: EPOCH, seq }).flat())
    await redis.look.hset(keys.checkpoint(source), 'epoch', EPOCH, 'seq', seq, 'closed', '0')
  }
}

const seqsOf = (items: readonly PastItem[]): (readonly [source: string, seqs: number[]])[] =>
  SOURCES.map((source) => [
    source,
    items.flatMap((item) => (item.kind === 'message' && item.source === source ? [item.seq] : [])),
  ])
const everyFamily = (seqs: readonly number[]) => SOURCES.map((source) => [source, seqs])
const settings = () => loadSettings({ flags: { redis_url: redis.url, transport: 'redis' } }).settings

describe('over Redis alone', () => {
  it('every family is recorded', async () => {
    const items: PastItem[] = []
    const stop = new AbortController()
    const ended = record(
      {
        folder: new RecordingFolder(dir),
        limits: { segmentBytes: 1e9, segmentMs: 1e9, retainBytes: 1e9 },
        live: {
          transport: 'redis',
          reader: {
            name: 'test',
            redisUrl: redis.url,
            endpoints: allEndpoints(settings()),
            prefixes: ['prices.', 'orderbook.', 'games.', 'signals.', 'orders.', 'trades.'],
            env: 'sim',
            clock: systemClock,
            keys: undefined,
          },
        },
        onRecorded: (page) => items.push(...page),
        onFailure: (error) => expect.fail(String(error)),
      },
      stop.signal,
    )
    // What comes before the reader follows is not its own.
    let seq = 0
    await until(async () => {
      await mirror(++seq)
      return seqsOf(items).every(([, seqs]) => seqs.length > 0)
    }, 'it records every family')
    const last = seq + 3
    while (seq < last) await mirror(++seq)
    await until(() => seqsOf(items).every(([, seqs]) => seqs.includes(last)), 'it has recorded all')
    stop.abort()
    await ended
    const recorded = await Promise.all(
      openRecording(dir, { sinceMs: -Infinity, untilMs: Infinity }).map((open) => all(open())),
    )
    expect(seqsOf(recorded.flat())).toEqual(seqsOf(items))
    for (const [, seqs] of seqsOf(items)) {
      expect(seqs).toEqual(Array.from({ length: last - seqs[0]! + 1 }, (_, i) => seqs[0]! + i))
    }
  })

  it('every family is replayed, and followed into what comes then', async () => {
    for (const seq of [1, 2, 3]) await mirror(seq)
    const stop = new AbortController()
    const past = fromRedis([], {
      settings: settings(),
      times: { sinceMs: -Infinity, untilMs: Infinity },
      follow: true,
      keys: undefined,
      onProblem: ({ detail }) => expect.fail(detail),
    })(stop.signal)
    const items: PastItem[] = []
    const ended = (async () => {
      for await (const page of past) items.push(...page)
    })()
    await until(() => items.length >= 3 * SOURCES.length, 'the past is over')
    for (const seq of [4, 5, 6]) await mirror(seq)
    await until(() => items.length >= 6 * SOURCES.length, 'it goes on')
    stop.abort()
    await ended
    expect(seqsOf(items)).toEqual(everyFamily([1, 2, 3, 4, 5, 6]))
  })
})
