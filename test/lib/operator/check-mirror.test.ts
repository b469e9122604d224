import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import { loadSettings } from '../../../src/lib/core/config.js'
import type { SettingKey, Settings } from '../../../src/lib/core/config.js'
import { checkMirror } from '../../../src/lib/operator/check-mirror.js'
import { runMirror } from '../../../src/lib/roles/mirror.js'
import * as samples from '../messages/samples.js'
import { until } from '../poll.js'
import { TestRedis } from '../redis/support.js'
import { FakePublisher, testRole } from '../roles/role-harness.js'
import type { TestRole } from '../roles/role-harness.js'

const STREAM = 'sim:prices:kalshi'
const GAPS = 'sim:arbees:gaps'
const dir = mkdtempSync(join(tmpdir(), 'arbees-check-'))
const cleanups: (() => unknown)[] = []
let redis: TestRedis
let kalshi: Publisher
let flags: Partial<Record<SettingKey, string>>
let mirror: TestRole

beforeAll(async () => {
  redis = await TestRedis.start()
  cleanups.push(() => redis.stop())
  const url = 'tcp://127.0.0.1:*'
  kalshi = await Publisher.bind({
    name: 'kalshi',
    url,
    recoveryUrl: url,
    journal: { root: dir, retainBytes: 1e8 },
    env: 'sim',
    clock: systemClock,
    sources: sourcesOf('kalshi'),
  })
  cleanups.push(() => kalshi.close())
  const others = new Map<string, FakePublisher>()
  for (const name of ['poly', 'orchestrator', 'shard-0', 'exec']) {
    const publisher = await FakePublisher.bind(name)
    others.set(name, publisher)
    cleanups.push(() => publisher.close())
  }
  const urlOf = (name: string) => others.get(name)!.url
  flags = {
    redis_url: redis.url,
    'endpoints.kalshi': kalshi.url,
    'recovery.kalshi': kalshi.recoveryUrl!,
    'endpoints.poly': urlOf('poly'),
    'endpoints.orchestrator': urlOf('orchestrator'),
    'endpoints.shards': urlOf('shard-0'),
    'endpoints.exec': urlOf('exec'),
  }
  mirror = testRole('mirror', flags)
  cleanups.push(() => mirror.context.lifecycle.close())
  await runMirror(mirror.context)
  await until(() => price() && mirror.context.report().counts['mirrored'] !== undefined, 'it mirrors')
})
afterAll(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  rmSync(dir, { recursive: true, force: true })
})

const settingsWith = (given: Partial<Record<SettingKey, string>> = {}): Settings =>
  loadSettings({ flags: { ...flags, ...given } }).settings
const prices = () => kalshi.channel('kalshi.prices')
function price(): true {
  prices().publish('prices.kalshi.T', samples.prices)
  return true
}
const settled = () =>
  until(async () => {
    const seq = await redis.look.hget('sim:arbees:checkpoint:kalshi.prices', 'seq')
    return Number(seq) === prices().beat().last_seq
  }, 'Redis has everything')
/** So slow a machine as this may be under tests; lag is judged where it is the subject. */
const PATIENT = { warnMs: 5_000, criticalMs: 20_000 }
const check = (given: Partial<Record<SettingKey, string>> = {}, thresholds = PATIENT) =>
  checkMirror({ settings: settingsWith(given), clock: systemClock, thresholds })
const problemsOf = (report: Awaited<ReturnType<typeof check>>) =>
  report.problems.map(({ state, subject, problem }) => `${state} ${subject}: ${problem}`)
const channelOf = (report: Awaited<ReturnType<typeof check>>, source: string) =>
  report.channels.find((channel) => channel.source === source)!

describe('check mirror', () => {
  it('proves flow by a position that moves and bytes that are the journaled ones; silence is no fault', async () => {
    const timer = setInterval(price, 20)
    const report = await check()
    clearInterval(timer)
    expect(problemsOf(report)).toEqual([])
    expect(report.state).toBe('ok')
    const flowing = channelOf(report, 'kalshi.prices')
    expect(flowing).toMatchObject({ flow: 'flowing', content: 'equal' })
    expect(flowing.per_s).toBeGreaterThan(0)
    expect(channelOf(report, 'kalshi.orderbook')).toMatchObject({ flow: 'idle', lag: 0, content: 'none' })
    expect(report.channels).toHaveLength(8)
    expect(report.notes).toEqual([])
  })

  it('sees that an entry is not what was published, or is gone, with everybody alive', async () => {
    await settled()
    const [[id, fields]] = (await redis.look.xrevrange(STREAM, '+', '-', 'COUNT', 1)) as [[string, string[]]]
    await redis.look.xdel(STREAM, id)
    const forged = fields.map((field) => (field.startsWith('{') ? field.replace('0.4', '0.5') : field))
    await redis.look.xadd(STREAM, '*', ...forged)
    expect(problemsOf(await check())).toEqual([
      expect.stringMatching(
        /^critical kalshi\.prices: #\d[\d,]* in Redis is not what its publisher journaled$/,
      ),
    ])
    await redis.look.del(STREAM)
    expect(problemsOf(await check())).toEqual([
      expect.stringMatching(
        /^critical kalshi\.prices: Redis claims #[\d,]+, and its stream does not hold it$/,
      ),
    ])
    price()
    await settled()
    expect(channelOf(await check(), 'kalshi.prices')).toMatchObject({ state: 'ok', content: 'equal' })
  })

  it('tells a publisher that the mirror does not hear, one that nobody hears, and recorded gaps', async () => {
    const unheard = await FakePublisher.bind('shard-1')
    cleanups.push(() => unheard.close())
    await redis.look.xadd(
      GAPS,
      '*',
      'channel',
      'x',
      'epoch',
      '1',
      'from',
      '1',
      'to',
      '2',
      'reason',
      'trimmed',
    )
    const report = await check({
      shards: '2',
      'endpoints.shards': `${flags['endpoints.shards']},${unheard.url}`,
      'endpoints.exec': 'tcp://127.0.0.1:1',
    })
    await redis.look.del(GAPS)
    expect(problemsOf(report)).toEqual([
      'warning redis: 1 gap recorded within 24 h: something is missing for good',
      'critical shard-1.signals: the mirror does not hear its publisher, which beats',
      'warning exec.orders: its publisher is not heard',
      'warning exec.trades: its publisher is not heard',
    ])
  })

  it('says what stands under a key instead of what belongs there', async () => {
    await redis.look.rename(STREAM, 'aside')
    await redis.look.set(STREAM, 'x')
    expect(problemsOf(await check())).toEqual([`critical redis: ${STREAM} holds something else (WRONGTYPE)`])
    await redis.look.rename('aside', STREAM)
  })

  it('a channel that ends on a gap is covered by its record, and unproven where newer ones hide that', async () => {
    await settled()
    const { epoch, seq } = await redis.look.hgetall('sim:arbees:checkpoint:kalshi.prices')
    const record = (channel: string) =>
      redis.look.xadd(
        GAPS,
        '*',
        ...['channel', channel, 'epoch', epoch!, 'from', '1', 'to', seq!, 'reason', 'missed'],
      )
    await redis.look.rename(STREAM, 'aside')
    const gapsAlone = [expect.stringMatching(/^warning redis: (1 gap|100 gaps or more) recorded within 24 h/)]
    await record('kalshi.prices')
    expect(problemsOf(await check())).toEqual(gapsAlone)
    await Promise.all(Array.from({ length: 100 }, () => record('poly.prices')))
    const report = await check()
    expect(problemsOf(report)).toEqual(gapsAlone)
    expect(channelOf(report, 'kalshi.prices').content).toBe('unproven')
    await redis.look.del(GAPS)
    await redis.look.rename('aside', STREAM)
  })

  it('a Redis that takes no write is what is wrong, not the mirror, whose heartbeat it refuses too', async () => {
    await redis.look.config('SET', 'maxmemory', '1')
    // As it goes by itself, 5 s later.
    await redis.look.del('sim:arbees:health:mirror:0')
    const problems = problemsOf(await check())
    await redis.look.config('SET', 'maxmemory', '0')
    expect(problems[0]).toMatch(/^critical redis: it takes no write: OOM: /)
    expect(problems.join()).not.toContain('no mirror')
    await until(() => redis.look.exists('sim:arbees:health:mirror:0').then(Boolean), 'it is written again')
  })

  it('a mirror that is gone: how much is missing, how old it is, and that nobody writes', async () => {
    await settled()
    await mirror.context.lifecycle.close()
    const before = Date.now()
    price()
    const published = Date.now()
    price()
    const asked = Date.now()
    const report = await check({}, { warnMs: 1, criticalMs: 2 })
    const channel = channelOf(report, 'kalshi.prices')
    expect(channel).toMatchObject({ flow: 'stuck', state: 'critical', lag: 2, per_s: 0, content: 'equal' })
    expect(channel.lag_ms).toBeGreaterThanOrEqual(asked - published)
    expect(channel.lag_ms).toBeLessThanOrEqual(Date.now() - before)
    expect(problemsOf(report)[0]).toBe('critical mirror: the mirror has stopped')
    await redis.look.del('sim:arbees:health:mirror:0')
    expect(problemsOf(await check())).toEqual([
      'critical mirror: no mirror writes to this Redis: no heartbeat of one is there',
    ])
  })

  it('a Redis that hangs, and one that is gone, is unreachable', async () => {
    process.kill(redis.pid, 'SIGSTOP')
    try {
      expect(await check()).toMatchObject({ state: 'critical', unreachable: true, channels: [] })
    } finally {
      process.kill(redis.pid, 'SIGCONT')
    }
    await redis.kill()
    const report = await check()
    expect(report).toMatchObject({ state: 'critical', unreachable: true })
    expect(report.summary).toMatch(/^no Redis answers at redis:\/\/127\.0\.0\.1:\d+: ECONNREFUSED$/)
  })
})
