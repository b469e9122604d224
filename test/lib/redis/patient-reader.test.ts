import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RedisLink } from '../../../src/lib/redis/connection.js'
import { PatientReader } from '../../../src/lib/redis/patient-reader.js'
import { idBehind } from '../../../src/lib/history/stream-id.js'
import { FaultyProxy, TestRedis } from './support.js'

let server: TestRedis
beforeAll(async () => {
  server = await TestRedis.start()
})
afterAll(() => server.stop())

type OnFinished = (cleanup: () => Promise<void>) => void

async function connect(bytesPerSecond: number, onTestFinished: OnFinished) {
  const proxy = await FaultyProxy.start(server.port)
  const link = new RedisLink({ url: proxy.url, name: 'test' })
  onTestFinished(async () => {
    link.close()
    await proxy.stop()
  })
  await link.ready()
  proxy.bytesPerSecond = bytesPerSecond
  return { proxy, reader: new PatientReader(link) }
}

async function fill(key: string, count: number, bytes: number): Promise<void> {
  const pipeline = server.look.pipeline()
  for (let i = 0; i < count; i++) pipeline.xadd(key, '*', 'n', i, 'data', 'x'.repeat(bytes))
  await pipeline.exec()
}

/** Page by page, as pasts are read; what each asked for. */
async function readAll(reader: PatientReader, key: string) {
  const numbers: number[] = []
  const asked: number[] = []
  for (let from = '-'; ;) {
    const { page, isLast } = await reader.ask(async (redis, count) => {
      asked.push(count)
      const found = await redis.xrange(key, from, '+', 'COUNT', count)
      return { page: found, isLast: found.length < count }
    })
    numbers.push(...page.map(([, fields]) => Number(fields[1])))
    if (isLast) return { numbers, asked }
    from = idBehind(page.at(-1)![0])
  }
}

describe.concurrent('a reader of a Redis that is far away', () => {
  it('asks for less until the answers come in time, and has everything in the end', async ({
    onTestFinished,
  }) => {
    await fill('slow', 500, 900)
    const { reader } = await connect(200_000, onTestFinished)
    const { numbers, asked } = await readAll(reader, 'slow')
    expect(numbers).toEqual(Array.from({ length: 500 }, (_, i) => i))
    expect(Math.min(...asked)).toBeLessThan(asked[0]!)
  })

  it('asks again where it was cut', async ({ onTestFinished }) => {
    await fill('fast', 900, 10)
    const { proxy, reader } = await connect(Infinity, onTestFinished)
    proxy.loseAnswersTo('fast', 1)
    const { numbers } = await readAll(reader, 'fast')
    expect(numbers).toHaveLength(900)
    expect(proxy.lost).toBe(1)
  })

  it('gives up where not even one entry comes in time', { timeout: 30_000 }, async ({ onTestFinished }) => {
    await fill('huge', 2, 200_000)
    const { reader } = await connect(20_000, onTestFinished)
    await expect(readAll(reader, 'huge')).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE', exit: 6 })
  })
})
