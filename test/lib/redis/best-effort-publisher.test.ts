import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BestEffortPublisher } from '../../../src/lib/redis/best-effort-publisher.js'
import { until } from '../poll.js'
import { TestRedis } from './support.js'

let redis: TestRedis
const cleanups: (() => unknown)[] = []
beforeEach(async () => (redis = await TestRedis.start()))
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  await redis.stop()
})

function publisher() {
  let published = 0
  const dropped: Record<string, number> = {}
  const instance = new BestEffortPublisher({
    url: redis.url,
    name: 'test',
    onPublished: (count) => (published += count),
    onDropped: (count, reason) => (dropped[reason] = (dropped[reason] ?? 0) + count),
  })
  cleanups.push(() => instance.close())
  const droppedInAll = () => Object.values(dropped).reduce((sum, count) => sum + count, 0)
  let sent = 0
  const publish = (channel: string, body: string) => {
    sent++
    instance.publish(channel, body)
  }
  const settled = () => until(() => published + droppedInAll() === sent, 'every body is counted')
  const connected = async () => {
    await until(() => {
      publish('warm', 'up')
      return published > 0
    }, 'it is connected')
    await settled()
  }
  return { publish, settled, connected, published: () => published, dropped, droppedInAll }
}

async function listener(pattern: string): Promise<[string, string][]> {
  const heard: [string, string][] = []
  const client = new Redis(redis.port, '127.0.0.1', { retryStrategy: () => 20 })
  client.on('error', () => undefined)
  cleanups.push(() => client.disconnect())
  client.on('pmessage', (_, channel: string, body: string) => heard.push([channel, body]))
  await client.psubscribe(pattern)
  return heard
}

describe('best-effort publish', () => {
  it('reaches who listens, in order, and counts every body', async () => {
    const heard = await listener('prices:*')
    const { publish, connected, settled, published, dropped } = publisher()
    await connected()
    const before = published()
    for (let i = 0; i < 1_000; i++) publish('prices:kalshi:KX', String(i))
    await settled()
    expect(published()).toBe(before + 1_000)
    await until(() => heard.at(-1)?.[1] === '999', 'all are heard')
    expect(heard.map(([, body]) => Number(body))).toEqual(Array.from({ length: 1_000 }, (_, i) => i))
    expect(Object.keys(dropped)).toEqual(dropped['DISCONNECTED'] === undefined ? [] : ['DISCONNECTED'])
  })

  it('keeps nothing while Redis is away, says how much that was, and goes on after', async () => {
    const { publish, connected, published, droppedInAll } = publisher()
    await connected()
    await redis.kill()
    await until(() => {
      const before = droppedInAll()
      publish('c', 'y')
      return droppedInAll() > before
    }, 'a body is dropped at once')
    const lost = droppedInAll()
    const before = published()
    for (let i = 0; i < 100; i++) publish('c', 'z')
    expect(droppedInAll()).toBe(lost + 100)
    await redis.start()
    const heard = await listener('*')
    await until(() => {
      publish('c', 'again')
      return published() > before
    }, 'it is back')
    expect(heard.every(([, body]) => body === 'again')).toBe(true)
  })

  it('holds no more than its bound for a Redis that does not answer', async () => {
    const { publish, connected, settled, published, dropped } = publisher()
    await connected()
    const before = published()
    process.kill(redis.pid, 'SIGSTOP')
    cleanups.push(() => process.kill(redis.pid, 'SIGCONT'))
    for (let i = 0; i < 12_000; i++) publish('c', 'x')
    expect(dropped['SLOW']).toBe(2_000)
    await settled()
    expect(published()).toBe(before)
  })
})
