import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseHeartbeat } from '../../../src/lib/messages/heartbeat.js'
import { runMirror } from '../../../src/lib/roles/mirror.js'
import * as samples from '../messages/samples.js'
import { until } from '../poll.js'
import { TestRedis } from '../redis/support.js'
import { FakePublisher, testRole } from './role-harness.js'

const UNUSED = 'tcp://127.0.0.1:1'
const STREAM = 'sim:prices:kalshi'
const cleanups: (() => unknown)[] = []
let redis: TestRedis
let kalshi: FakePublisher
beforeEach(async () => {
  redis = await TestRedis.start()
  cleanups.push(() => redis.stop())
  kalshi = await FakePublisher.bind('kalshi')
  cleanups.push(() => kalshi.close())
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function startMirror() {
  const role = testRole('mirror', {
    redis_url: redis.url,
    'endpoints.kalshi': kalshi.url,
    'endpoints.poly': UNUSED,
    'endpoints.orchestrator': UNUSED,
    'endpoints.shards': UNUSED,
    'endpoints.exec': UNUSED,
    'mirror.prices_maxlen': '100',
  })
  cleanups.push(() => role.context.lifecycle.close())
  await runMirror(role.context)
  const count = (name: string) => role.context.report().counts[name]
  const said = (words: string) => role.lines.filter((line) => line.includes(words))
  return { ...role, count, said, stop: () => role.context.lifecycle.close() }
}
type Mirror = Awaited<ReturnType<typeof startMirror>>

const hears = (mirror: Mirror) =>
  until(async () => {
    kalshi.publish('kalshi.prices', 'prices.kalshi.T', samples.prices)
    return mirror.count('mirrored') !== undefined
  }, 'the mirror hears')
const price = (lost = false) => kalshi.publish('kalshi.prices', 'prices.kalshi.T', samples.prices, { lost })
const ownBeat = async () => parseHeartbeat((await redis.look.get('sim:arbees:health:mirror:0')) ?? '')

describe("the mirror's word on itself", () => {
  it('a storm of gaps is one alarm; its counts have every one', async () => {
    const mirror = await startMirror()
    await hears(mirror)
    const before = mirror.count('gaps') ?? 0
    for (let i = 0; i < 50; i++) {
      price(true)
      price()
    }
    await until(() => mirror.count('gaps') === before + 50, 'every gap is recorded')
    expect(mirror.said('gap recorded on kalshi.prices')).toHaveLength(1)
    expect(await redis.look.xlen('sim:arbees:gaps')).toBe(before + 50)
    await mirror.stop()
    expect(mirror.said('no new gap on kalshi.prices: ')).toHaveLength(1)
  })

  it('two mirrors each say that they are not alone, once, and the one that stays that it is again', async () => {
    const one = await startMirror()
    await until(async () => (await ownBeat())?.counts['other_mirrors'] === 0, 'it is alone')
    const two = await startMirror()
    await until(
      () => one.count('other_mirrors') === 1 && two.count('other_mirrors') === 1,
      'each sees the other',
    )
    await until(async () => (await ownBeat())?.counts['other_mirrors'] === 1, 'Redis says so')
    expect(one.said('not alone')).toHaveLength(1)
    expect(two.said('not alone')).toHaveLength(1)
    await hears(one)
    price()
    await two.stop()
    await until(() => one.count('other_mirrors') === 0, 'the first is alone again')
    expect(one.said('no other mirror')).toHaveLength(1)
    expect(one.said('not alone')).toHaveLength(1)
    const entries = await redis.look.xrange(STREAM, '-', '+')
    const seqs = entries.map(([, fields]) => fields.at(-1))
    expect(new Set(seqs).size).toBe(seqs.length)
  })

  it('two mirrors each say how fast Redis moves, not their own share of it', async () => {
    const [one, two] = [await startMirror(), await startMirror()]
    const rateOf = (mirror: Mirror) => mirror.count('mirrored_per_s:kalshi.prices') ?? 0
    const startMs = performance.now()
    let sent = 0
    await until(async () => {
      for (let i = 0; i < 10; i++, sent++) price()
      const perSecond = (sent * 1_000) / (performance.now() - startMs)
      return sent > 1_000 && rateOf(one) + rateOf(two) > 1.5 * perSecond
    }, 'both tell of more than was sent to one')
  })

  it('a mirror that follows one that was killed is alone', async () => {
    const dead = { ...(await beatOfADeadOne()), pid: 1 }
    await redis.look.set('sim:arbees:health:mirror:0', JSON.stringify(dead), 'PX', 5_000)
    const mirror = await startMirror()
    await until(async () => (await ownBeat())?.pid === process.pid, 'it beats')
    const first = (await ownBeat())!.mono_us
    await until(async () => (await ownBeat())!.mono_us > first, 'it beats again')
    expect(mirror.count('other_mirrors')).toBe(0)
    expect(mirror.said('not alone')).toEqual([])
  })

  it('a consumer group that falls behind is an alarm before it loses', async () => {
    await redis.look.xgroup('CREATE', STREAM, 'slow', '0', 'MKSTREAM')
    for (let i = 0; i < 90; i++) await redis.look.xadd(STREAM, '*', 'seq', String(i))
    const mirror = await startMirror()
    await until(() => mirror.count(`groups_close:${STREAM}/slow`) === 90, 'the alarm is raised')
    expect(mirror.said(`consumer group ${STREAM}/slow is 90 % of the stream behind`)).toHaveLength(1)
    await redis.look.xgroup('SETID', STREAM, 'slow', '$')
    // It looks again when Redis is back; without that, in a few seconds.
    redis.cli('CLIENT', 'KILL', 'TYPE', 'normal')
    await until(() => mirror.count(`groups_close:${STREAM}/slow`) === undefined, 'it is over')
    expect(mirror.said('has caught up')).toHaveLength(1)
  })

  it('says how far behind each channel is and how fast it goes', async () => {
    const mirror = await startMirror()
    await hears(mirror)
    for (let i = 0; i < 500; i++) price()
    await until(() => mirror.count('lag:kalshi.prices') === 0, 'all is written')
    expect(mirror.count('lag_ms:kalshi.prices')).toBe(0)
    await until(() => (mirror.count('mirrored_per_s:kalshi.prices') ?? 0) > 50, 'the rate is told')
    // Redis stands still: what comes is older with every moment.
    process.kill(redis.pid, 'SIGSTOP')
    try {
      price()
      await until(() => (mirror.count('lag_ms:kalshi.prices') ?? 0) > 300, 'the lag grows')
      expect(mirror.count('lag:kalshi.prices')).toBeGreaterThanOrEqual(1)
    } finally {
      process.kill(redis.pid, 'SIGCONT')
    }
    await until(() => mirror.count('lag_ms:kalshi.prices') === 0, 'it caught up')
  })
})

async function beatOfADeadOne() {
  const mirror = await startMirror()
  await until(async () => (await ownBeat()) !== undefined, 'it beats')
  const beat = await ownBeat()
  await mirror.stop()
  return { ...beat!, closing: false }
}
