import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import { loadSettings } from '../../../src/lib/core/config.js'
import type { Counts } from '../../../src/lib/messages/heartbeat.js'
import { readStatus } from '../../../src/lib/operator/status.js'
import { renderStatus } from '../../../src/lib/operator/status-view.js'
import { TestRedis } from '../redis/support.js'

const GAPS = 'sim:arbees:gaps'
const HOUR_MS = 3_600_000
const NOBODY = 'tcp://127.0.0.1:1'

let dir: string
let redis: TestRedis
let kalshi: Publisher
let counts: Counts = {}
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'arbees-status-gaps-'))
  redis = await TestRedis.start()
  kalshi = await Publisher.bind({
    ...{ name: 'kalshi', url: 'tcp://127.0.0.1:*', env: 'sim', clock: systemClock },
    sources: sourcesOf('kalshi'),
    details: () => ({ counts }),
  })
})
afterAll(async () => {
  kalshi.close()
  await redis.stop()
  rmSync(dir, { recursive: true, force: true })
})
beforeEach(() => redis.look.flushall())

const record = (hoursAgo: number) =>
  redis.look.xadd(GAPS, `${Date.now() - hoursAgo * HOUR_MS}-*`, 'channel', 'kalshi.prices', 'from', '1')

async function statusOf(role: string) {
  const flags = {
    ...{ data_dir: dir, redis_url: redis.url, 'endpoints.kalshi': kalshi.url },
    ...{ 'endpoints.poly': NOBODY, 'endpoints.orchestrator': NOBODY },
    ...{ 'endpoints.shards': NOBODY, 'endpoints.exec': NOBODY },
  }
  const report = await readStatus({ settings: loadSettings({ flags }).settings, clock: systemClock })
  const problems = report.problems.filter((each) => each.role === role).map(({ problem }) => problem)
  return { report, problems, text: renderStatus(report, { width: 140, color: false }) }
}

describe('gap records', () => {
  it('are a problem for a day, and on record from then on', async () => {
    await record(300)
    await record(25)
    const past = await statusOf('redis')
    expect(past.problems).toEqual([])
    expect(past.report.redis).toMatchObject({ gaps: 2, recent_gaps: 0 })
    expect(past.text).toContain('2 recorded gaps, 2 of them before the last 24 h')
    await record(23)
    await record(0)
    const now = await statusOf('redis')
    expect(now.problems).toEqual([`${GAPS} holds 4 records, 2 of the last 24 h`])
    expect(now.report.redis).toMatchObject({ gaps: 4, recent_gaps: 2 })
  })
})

it('a journal that could not be written, and garbage on the recovery socket, are problems', async () => {
  counts = { 'journal_errors:kalshi.prices': 1, 'recovery_bad_requests:not_json': 7 }
  const { problems } = await statusOf('kalshi')
  expect(problems).toEqual([
    expect.stringMatching(/^1 writes of a journal failed.*kalshi\.prices 1/),
    expect.stringMatching(/^7 requests on the recovery socket were none.*not_json 7/),
  ])
})

describe('a Redis that takes no write', () => {
  it('is the problem, and says nothing of the mirror, whose heartbeat it refuses too', async () => {
    await redis.look.config('SET', 'maxmemory', '1')
    const { problems } = await statusOf('redis')
    const mirror = await statusOf('mirror')
    await redis.look.config('SET', 'maxmemory', '0')
    expect(problems).toEqual([expect.stringMatching(/^it takes no write: OOM: it uses \d+ of 1 bytes/)])
    expect(mirror.problems).toEqual(['its heartbeat is kept in Redis, which does not tell'])
    expect((await statusOf('mirror')).problems).toEqual(['not running'])
  })
})
