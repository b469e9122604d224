import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/lib/core/clock.js'
import { hostId } from '../../../src/lib/core/ids.js'
import type { Heartbeat } from '../../../src/lib/messages/heartbeat.js'
import { MirrorLag } from '../../../src/lib/operator/latency-mirror.js'
import { redisKeys } from '../../../src/lib/redis/keys.js'
import { until } from '../poll.js'
import { TestRedis, freePort } from '../redis/support.js'

const SOURCE = 'kalshi.prices'
const KEY = redisKeys('sim').checkpoint(SOURCE)

let redis: TestRedis
beforeAll(async () => {
  redis = await TestRedis.start()
})
afterAll(() => redis.kill())
beforeEach(() => redis.look.flushall())

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close()
})

const beat = (lastSeq: number, source = SOURCE): Heartbeat => ({
  v: 1,
  publisher: 'kalshi',
  env: 'sim',
  host: hostId(),
  pid: 1,
  timestamp_ms: Date.now(),
  mono_us: systemClock.monoUs(),
  channels: [{ source, epoch: 5, last_seq: lastSeq, oldest: null, journal: 'on' }],
  feeds: [],
  counts: {},
  hops: {},
  closing: false,
})

const stored = (seq: number) => redis.look.hset(KEY, { epoch: 5, seq })

async function watch(redisUrl = redis.url) {
  const lags: number[] = []
  const trouble: string[] = []
  const lag = new MirrorLag({
    redisUrl,
    env: 'sim',
    clock: systemClock,
    sources: [SOURCE],
    onLag: (_source, us) => lags.push(us),
    onUnreachable: (why) => trouble.push(why),
  })
  closers.push(() => lag.close())
  const say = (heartbeat: Heartbeat) => lag.beat(heartbeat, systemClock.monoUs())
  if (redisUrl === redis.url) {
    await until(
      async () => String(await redis.look.client('LIST')).includes('arbees-latency'),
      'it is connected',
    )
    // It asks nothing before a heartbeat that moved: the first one that is answered shows that it is up.
    say(beat(1))
    await stored(10)
    let seq = 1
    await until(() => {
      if (lags.length === 0) say(beat(++seq))
      return lags.length > 0
    }, 'it measures')
    await until(() => lags.length >= 1, 'nothing more waits')
    lags.length = 0
  }
  return { lag, lags, trouble, say }
}

describe('mirror lag', () => {
  it('is the time until Redis has all that a heartbeat speaks of', async () => {
    const { lags, say } = await watch()
    const said = beat(1_000)
    say(said)
    await new Promise((resolve) => setTimeout(resolve, 60))
    await stored(999)
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(lags).toEqual([])
    const beforeUs = systemClock.monoUs()
    await stored(1_000)
    await until(() => lags.length > 0, 'it is seen')
    expect(lags).toHaveLength(1)
    expect(lags[0]).toBeGreaterThanOrEqual(beforeUs - said.mono_us)
    expect(lags[0]).toBeLessThanOrEqual(systemClock.monoUs() - said.mono_us)
  })

  it('is measured anew by each heartbeat, also while an earlier one waits', async () => {
    const { lags, say } = await watch()
    for (const seq of [1_001, 1_002, 1_003]) say(beat(seq))
    await stored(1_003)
    await until(() => lags.length === 3, 'three samples')
  })

  it('is not measured by a heartbeat that brings nothing new, or of a channel that is not asked for', async () => {
    const { lags, say } = await watch()
    say(beat(1_001))
    say(beat(1_001))
    say(beat(9_999, 'poly.prices'))
    await stored(2_000)
    await until(() => lags.length > 0, 'a sample')
    say(beat(1_001))
    say(beat(1_002))
    await until(() => lags.length > 1, 'the next one')
    expect(lags).toHaveLength(2)
  })

  it('of a mirror that stands still is counted at the end, with the time so far', async () => {
    const { lag, lags, say } = await watch()
    const said = beat(1_000)
    say({ ...said, mono_us: said.mono_us - 2_000_000 })
    say(beat(1_001))
    expect(lag.close()).toBe(1)
    expect(lags).toHaveLength(1)
    expect(lags[0]).toBeGreaterThanOrEqual(2_000_000)
    expect(lag.close()).toBe(0)
  })

  it('is not measured without Redis, and says why', async () => {
    const { lag, lags, trouble, say } = await watch(`redis://127.0.0.1:${await freePort()}`)
    say(beat(1))
    say(beat(2))
    await until(() => trouble.length > 0, 'it is told')
    expect(trouble[0]).toContain('no Redis answers')
    expect(lag.close()).toBe(0)
    expect(lags).toEqual([])
  })
})
