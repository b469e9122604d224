import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { NOWHERE } from '../../../src/lib/bus/position.js'
import type { Position } from '../../../src/lib/bus/position.js'
import { readLive } from '../../../src/lib/history/live-past.js'
import type { LivePastOptions } from '../../../src/lib/history/live-past.js'
import type { PastItem, PastPages } from '../../../src/lib/history/past.js'
import { encode } from '../../../src/lib/messages/codec.js'
import { prices } from '../messages/samples.js'
import { until } from '../poll.js'
import { TestRedis } from '../redis/support.js'
import { LivePublisher } from './live-publisher.js'
import { SOURCE, all, told } from './past-samples.js'

let publisher: LivePublisher
let stop: AbortController
beforeEach(async () => {
  stop = new AbortController()
  publisher = await LivePublisher.start()
})
afterEach(() => publisher.remove())

function follow(startAt: Position | 'live', extra: Partial<LivePastOptions> = {}) {
  const options = { transport: 'zmq', reader: publisher.reader, startAt: () => startAt, ...extra } as const
  return readLive(options, stop.signal)
}

/** Takes all that comes. */
function taken(pages: PastPages): PastItem[] {
  const items: PastItem[] = []
  void (async () => {
    for await (const page of pages) items.push(...page)
  })()
  return items
}

const span = (epoch: number, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `${epoch}/${from + i}`)

describe('what goes on, as a past', () => {
  it('goes on behind what its reader has, over the end of an epoch', async () => {
    const first = publisher.epoch
    publisher.publish(20)
    const items = taken(follow({ epoch: first, seq: 5 }))
    await until(() => items.length === 15, 'the backlog came')
    publisher.publish(5)
    await until(() => items.length === 20, 'news came')
    publisher.stop()
    await publisher.start()
    publisher.publish(3)
    await until(() => items.length === 23, 'the next epoch came')
    expect(told(items)).toEqual([...span(first, 6, 25), ...span(publisher.epoch, 1, 3)])
    stop.abort()
  })

  it('ends with the signal, after what has come', async () => {
    publisher.publish(3)
    const pages = follow(NOWHERE)
    const { value } = await pages.next()
    await new Promise((resolve) => setTimeout(resolve, 400))
    stop.abort()
    expect(told([...(value ?? []), ...(await all(pages))])).toEqual(span(publisher.epoch, 1, 3))
  })

  it('gives empty pages where nothing comes', async () => {
    const pages = follow('live')
    for (let i = 0; i < 2; i++) expect((await pages.next()).value).toEqual([])
    stop.abort()
    expect(await all(pages)).toEqual([])
  })

  it('leaves out what is not wanted', async () => {
    publisher.publish(10)
    const items = taken(follow(NOWHERE, { wants: ({ message }) => message.header.seq % 2 === 0 }))
    await until(() => items.length === 5, 'half of it came')
    expect(told(items)).toEqual([2, 4, 6, 8, 10].map((seq) => `${publisher.epoch}/${seq}`))
    stop.abort()
  })

  it('holds no more than fits, however long nobody takes anything, and loses nothing', async () => {
    const BYTES = 200_000
    const COUNT = 120
    const pages = follow(NOWHERE)
    const first = (await pages.next()).value ?? []
    for (let i = 0; i < COUNT; i++) {
      publisher.publish(1, 'x'.repeat(BYTES))
      await new Promise((resolve) => setImmediate(resolve))
    }
    let held: readonly PastItem[] = []
    await until(async () => {
      held = held.length === 0 ? ((await pages.next()).value ?? []) : held
      return held.length > 0
    }, 'what was held is given')
    // All that came while nobody took it.
    expect(held.length * BYTES).toBeLessThan(18 * 1024 * 1024)
    const items = [...first, ...held]
    await until(async () => {
      items.push(...((await pages.next()).value ?? []))
      return items.length >= COUNT
    }, 'all came')
    expect(told(items)).toEqual(span(publisher.epoch, 1, COUNT))
    stop.abort()
  })

  it('holds no more of Redis either, and gives nothing of it twice', async () => {
    const redis = await TestRedis.start()
    const COUNT = 120
    const write = async (seq: number) => {
      const place = {
        env: 'sim',
        source: SOURCE,
        epoch: 7,
        seq,
        timestampMs: 1,
        host: 'h',
        stamps: {},
      } as const
      const data = encode(place, { ...prices, market_id: 'KX', selection: 'x'.repeat(200_000) })
      const fields = [
        'topic',
        'prices.kalshi.KX',
        'data',
        data,
        'source',
        SOURCE,
        'epoch',
        '7',
        'seq',
        String(seq),
      ]
      await redis.look.xadd('sim:prices:kalshi', '*', ...fields)
    }
    for (let seq = 1; seq < COUNT; seq++) await write(seq)
    const reader = { ...publisher.reader, redisUrl: redis.url }
    const pages = follow({ epoch: 7, seq: 0 }, { transport: 'redis', reader })
    const items: PastItem[] = []
    const comes = (last: number) =>
      until(async () => {
        items.push(...((await pages.next()).value ?? []))
        return told(items).at(-1) === `7/${last}`
      }, 'all came')
    await comes(COUNT - 1)
    await write(COUNT)
    await comes(COUNT)
    expect(told(items)).toEqual(span(7, 1, COUNT))
    stop.abort()
    await all(pages)
    await redis.stop()
  })
})
