import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ManualClock, systemClock } from '../../../src/lib/core/clock.js'
import { loadSettings } from '../../../src/lib/core/config.js'
import type { SettingKey, Settings } from '../../../src/lib/core/config.js'
import { codeOf } from '../../../src/lib/core/errors.js'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import { latchPath, writeLatch } from '../../../src/lib/execution/halt-files.js'
import type { Counts } from '../../../src/lib/messages/heartbeat.js'
import { checkClock, checkHalt, checkRedis, checkRole } from '../../../src/lib/operator/check-simple.js'
import { renderCheck, renderNagios } from '../../../src/lib/operator/check-view.js'
import { TestRedis } from '../redis/support.js'

const NOBODY = 'tcp://127.0.0.1:1'
let dir: string
let redis: TestRedis
const cleanups: (() => unknown)[] = []
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'arbees-check-'))
  redis = await TestRedis.start()
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  await redis.stop()
  rmSync(dir, { recursive: true, force: true })
})

const settingsWith = (flags: Partial<Record<SettingKey, string>> = {}): Settings =>
  loadSettings({
    flags: {
      ...{ data_dir: dir, redis_url: redis.url, 'endpoints.kalshi': NOBODY, 'endpoints.poly': NOBODY },
      ...{ 'endpoints.orchestrator': NOBODY, 'endpoints.shards': NOBODY, 'endpoints.exec': NOBODY },
      ...flags,
    },
    environment: {},
  }).settings

/** exec as far as its heartbeat goes. */
async function exec(counts: Counts, clock = systemClock): Promise<Settings> {
  const publisher = await Publisher.bind({
    ...{ name: 'exec', url: 'tcp://127.0.0.1:*', env: 'sim', clock, sources: [] },
    details: () => ({ counts }),
  })
  cleanups.push(() => publisher.close())
  return settingsWith({ 'endpoints.exec': publisher.url })
}

describe('check redis', () => {
  it('is well with one that keeps what it is given', async () => {
    await redis.look.config('SET', 'appendonly', 'yes')
    expect(await checkRedis(settingsWith())).toMatchObject({ state: 'ok', problems: [], unreachable: false })
  })

  it('warns of one that loses at a restart, and is critical of one that takes no write or is not there', async () => {
    expect(await checkRedis(settingsWith())).toMatchObject({ state: 'warning' })
    await redis.look.config('SET', 'maxmemory', '1')
    const full = await checkRedis(settingsWith())
    expect(full).toMatchObject({ state: 'critical', unreachable: false })
    expect(full.summary).toContain('takes no write: OOM')
    const gone = await checkRedis(settingsWith({ redis_url: 'redis://127.0.0.1:1' }))
    expect(gone).toMatchObject({ state: 'critical', unreachable: true })
  })
})

describe('check role', () => {
  it('is well with one that beats, critical of what it counts, of one that is down, and of nobody', async () => {
    const settings = await exec({})
    const well = await checkRole(settings, systemClock, 'exec')
    expect(well).toMatchObject({ state: 'ok', figures: [{ name: 'heartbeat_age_seconds' }] })
    const bad = await checkRole(await exec({ bad_hmac: 2 }), systemClock, 'exec')
    expect(bad.state).toBe('critical')
    expect(bad.summary).toContain('no seal or a wrong one')
    expect(await checkRole(settings, systemClock, 'kalshi')).toMatchObject({ state: 'critical', figures: [] })
    expect(await checkRole(settingsWith(), systemClock, 'exec')).toMatchObject({ summary: 'nothing runs' })
    const unknown = await checkRole(settings, systemClock, 'shard-7').catch((error: unknown) => error)
    expect(codeOf(unknown)).toBe('UNKNOWN_ROLE')
  })
})

describe('check halt', () => {
  it.each([
    [0, 'ok'],
    [1, 'warning'],
    [2, 'critical'],
  ])('with exec at %d is %s', async (halted, state) => {
    const report = await checkHalt(await exec({ halted }), systemClock)
    expect(report).toMatchObject({ state, figures: [{ name: 'halted', value: halted }] })
  })

  it.each<[string, Counts, string, string]>([
    [
      'cannot write its ledger',
      { halted: 0, ledger_failed: 1, recovering: 0 },
      'critical',
      'its ledger cannot be written',
    ],
    [
      'still recovers',
      { halted: 0, ledger_failed: 0, recovering: 1 },
      'warning',
      'it still asks what became',
    ],
    [
      'does both, halted',
      { halted: 1, ledger_failed: 1, recovering: 1 },
      'critical',
      'its ledger cannot be written',
    ],
  ])(
    'with an exec that %s is not well: it trades as little as a halted one',
    async (_, counts, state, words) => {
      const report = await checkHalt(await exec(counts), systemClock)
      expect(report.state).toBe(state)
      expect(report.summary).toContain(words)
    },
  )

  it('reads the latch where exec is not heard, and is unknown where there is neither', async () => {
    const settings = settingsWith()
    const nothing = await checkHalt(settings, systemClock)
    expect(nothing.state).toBe('unknown')
    expect(renderNagios(nothing)).toMatch(/^HALT UNKNOWN - exec is not heard/)
    writeLatch(latchPath(dir, 'sim', 'live'), { level: 'entries', reason: 'odd fills', by: 'ops', atMs: 1 })
    const left = await checkHalt(settings, systemClock)
    expect(left).toMatchObject({ state: 'warning', summary: 'halted (entries) by ops: odd fills' })
    expect(renderCheck(left, { width: 80, color: false })).toBe(
      'WARNING halt: halted (entries) by ops: odd fills',
    )
  })
})

describe('check clock', () => {
  const TIGHT = { warnMs: 2_000, criticalMs: 10_000 }

  it('finds who is off, and by how much', async () => {
    const late = new ManualClock(Date.now() - 60_000)
    const settings = await exec({}, late)
    const report = await checkClock(settings, systemClock, TIGHT)
    expect(report.state).toBe('critical')
    expect(report.problems).toHaveLength(1)
    expect(report.summary).toMatch(/^the clock of exec is -(59|6\d)\d{3} ms from ours$/)
    const ofRedis = report.figures.find(({ labels }) => labels['of'] === 'redis')!
    expect(Math.abs(ofRedis.value)).toBeLessThan(2)
  })

  it('is well where all agree, unknown where nobody tells a time, and wants its thresholds in order', async () => {
    expect(await checkClock(await exec({}), systemClock, TIGHT)).toMatchObject({ state: 'ok', problems: [] })
    const nobody = await checkClock(settingsWith({ redis_url: 'redis://127.0.0.1:1' }), systemClock, TIGHT)
    expect(nobody).toMatchObject({ state: 'unknown', unreachable: true })
    const wrong = checkClock(settingsWith(), systemClock, { warnMs: 2, criticalMs: 1 })
    expect(codeOf(await wrong.catch((error: unknown) => error))).toBe('BAD_THRESHOLDS')
  })
})
