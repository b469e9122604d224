import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readGroups } from '../../../src/lib/mirror/stream-groups.js'
import { TestRedis } from '../redis/support.js'

const STREAM = 'sim:prices:kalshi'
const MAX = 1_000
let redis: TestRedis
beforeAll(async () => void (redis = await TestRedis.start()))
afterAll(() => redis.stop())
beforeEach(async () => void (await redis.look.flushall()))

const watched = [
  { key: STREAM, maxLength: MAX },
  { key: 'sim:no:such', maxLength: MAX },
]
const groups = () => readGroups(redis.look, watched)

/** Trims to exactly MAX, so that the numbers of a test are exact. */
async function add(count: number): Promise<void> {
  const pipeline = redis.look.pipeline()
  for (let i = 0; i < count; i++) pipeline.xadd(STREAM, 'MAXLEN', '=', MAX, '*', 'seq', String(i))
  await pipeline.exec()
}
const create = (name: string, from = '0') => redis.look.xgroup('CREATE', STREAM, name, from, 'MKSTREAM')

/** Reads so many; acknowledges the first ones of them. */
async function read(group: string, count: number, acknowledged = count): Promise<void> {
  const reply = await redis.look.xreadgroup('GROUP', group, 'c', 'COUNT', count, 'STREAMS', STREAM, '>')
  const entries = (reply as [string, [string, string[]][]][])[0]![1]
  const ids = entries.slice(0, acknowledged).map(([id]) => id)
  if (ids.length > 0) await redis.look.xack(STREAM, group, ...ids)
}

describe('the groups of a stream', () => {
  it('are none where there are none, no stream, or something else under its name', async () => {
    expect(await groups()).toEqual([])
    await add(3)
    await redis.look.set('sim:no:such', 'a string')
    expect(await groups()).toEqual([])
  })

  it('close in as they fall behind, and lose once what they need is trimmed', async () => {
    await create('slow')
    await add(100)
    await read('slow', 100)
    await add(750)
    expect(await groups()).toMatchObject([{ stream: STREAM, group: 'slow', state: 'ok' }])
    await add(60)
    expect(await groups()).toMatchObject([{ state: 'close', percent: 81 }])
    await add(190)
    expect(await groups()).toMatchObject([{ state: 'close', percent: 100 }])
    await add(1)
    expect(await groups()).toMatchObject([{ state: 'lost' }])
    await read('slow', MAX)
    expect(await groups()).toMatchObject([{ state: 'ok', percent: 0 }])
  })

  it('are judged by the oldest that is not acknowledged, not by the newest that was read', async () => {
    await create('forgetful')
    await add(MAX)
    // Whoever reads everything and acknowledges only the first 150 still needs 850.
    await read('forgetful', MAX, 150)
    expect(await groups()).toMatchObject([{ group: 'forgetful', state: 'close', percent: 85 }])
    await add(150)
    expect(await groups()).toMatchObject([{ state: 'close', percent: 100 }])
    await add(1)
    expect(await groups()).toMatchObject([{ state: 'lost' }])
  })

  it('count across more entries than one look at the stream takes', async () => {
    await create('chunks')
    await add(MAX)
    await read('chunks', MAX, 900)
    const wide = [{ key: STREAM, maxLength: 125 }]
    expect(await readGroups(redis.look, wide)).toMatchObject([{ state: 'close', percent: 80 }])
  })

  it('say so when Redis does not let us ask', async () => {
    await create('secret')
    await redis.look.call('ACL', 'SETUSER', 'blind', 'on', '>pw', '~*', '+@all', '-xinfo')
    const blind = redis.look.duplicate({ username: 'blind', password: 'pw' })
    try {
      await expect(readGroups(blind, watched)).rejects.toThrow(/NOPERM/)
    } finally {
      blind.disconnect()
    }
  })
})
