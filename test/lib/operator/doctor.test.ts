import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { generateKeyPairSync } from 'node:crypto'
import { createServer as createHttp } from 'node:http'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KeyFolder } from '../../../src/lib/bus/key-files.js'
import { systemClock, type Clock } from '../../../src/lib/core/clock.js'
import { loadSettings } from '../../../src/lib/core/config.js'
import type { SettingKey, Settings } from '../../../src/lib/core/config.js'
import { latchPath, writeLatch } from '../../../src/lib/execution/halt-files.js'
import { runDoctor } from '../../../src/lib/operator/doctor.js'
import { checkPublishers } from '../../../src/lib/operator/doctor-bus.js'
import {
  checkCredentials,
  checkDataDir,
  checkDisk,
  checkHalt,
  checkKeys,
  checkNode,
  checkZeromq,
} from '../../../src/lib/operator/doctor-machine.js'
import { checkRedisServer } from '../../../src/lib/operator/doctor-redis.js'
import { skewMs } from '../../../src/lib/operator/doctor-skew.js'
import { checkVenues } from '../../../src/lib/operator/doctor-venues.js'
import { renderDoctor } from '../../../src/lib/operator/doctor-view.js'
import { redisUsers } from '../../../src/lib/redis/acl.js'
import { TestRedis, loginOf, makeUsers } from '../redis/support.js'
import { startBench } from '../sim/harness.js'
import { FakePublisher } from '../roles/role-harness.js'

let dir: string
const cleanups: (() => unknown)[] = []
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'arbees-doctor-'))
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  rmSync(dir, { recursive: true, force: true })
})

const settingsWith = (flags: Partial<Record<SettingKey, string>> = {}): Settings =>
  loadSettings({ flags: { data_dir: dir, ...flags }, environment: {} }).settings
const NOBODY = 'tcp://127.0.0.1:1'

async function redisServer(args: readonly string[] = []): Promise<TestRedis> {
  const server = await TestRedis.start(args)
  cleanups.push(() => server.stop())
  return server
}

describe('doctor, of the machine', () => {
  it.each([
    ['20.19.0', 'ok'],
    ['20.18.3', 'failed'],
    ['18.20.0', 'failed'],
    ['22.1.0', 'ok'],
  ])('judges Node %s: %s', (version, state) => {
    expect(checkNode(version).state).toBe(state)
  })

  it('hears its own heartbeat and gets its own answer', async () => {
    expect(await checkZeromq(systemClock)).toMatchObject({ state: 'ok' })
  })

  it('sees a data dir that others may change, and one that cannot be made', () => {
    expect(checkDataDir(settingsWith())).toMatchObject({ state: 'ok' })
    chmodSync(dir, 0o777)
    expect(checkDataDir(settingsWith())).toMatchObject({ state: 'warning', mend: `chmod go-w ${dir}` })
    writeFileSync(join(dir, 'file'), '')
    expect(checkDataDir(settingsWith({ data_dir: join(dir, 'file', 'x') }))).toMatchObject({
      state: 'failed',
    })
  })

  it('sees a disk that is smaller than what journals may take', () => {
    expect(checkDisk(settingsWith({ 'journal.retain': '1KiB' })).state).toBe('ok')
    expect(checkDisk(settingsWith({ 'journal.retain': '900000GiB' })).state).toBe('warning')
    expect(checkDisk(settingsWith({ data_dir: join(dir, 'none') })).state).toBe('failed')
  })

  it('sees keys that are missing, open, or without the one that seals signals', () => {
    expect(checkKeys(settingsWith()).state).toBe('skipped')
    expect(checkKeys(settingsWith({ env: 'prod' })).state).toBe('warning')
    const keysDir = join(dir, 'keys')
    expect(checkKeys(settingsWith({ keys_dir: keysDir }))).toMatchObject({ state: 'failed' })
    mkdirSync(keysDir, { mode: 0o700 })
    new KeyFolder(keysDir).generate('operator')
    expect(checkKeys(settingsWith({ keys_dir: keysDir })).found).toContain('signals.hmac')
    chmodSync(join(keysDir, 'operator.key'), 0o644)
    const open = checkKeys(settingsWith({ keys_dir: keysDir }))
    expect(open).toMatchObject({ state: 'failed' })
    expect(open.mend).toContain('chmod')
  })

  it('sees credentials that are missing or open', () => {
    const path = join(dir, 'kalshi.json')
    const settings = settingsWith({ env: 'prod', 'kalshi.credentials_file': path })
    expect(checkCredentials(settingsWith()).state).toBe('skipped')
    expect(checkCredentials(settingsWith({ env: 'demo' })).state).toBe('warning')
    expect(checkCredentials(settings)).toMatchObject({ state: 'failed' })
    writeFileSync(path, '{}', { mode: 0o640 })
    expect(checkCredentials(settings)).toMatchObject({ state: 'failed', mend: `chmod 600 ${path}` })
    chmodSync(path, 0o600)
    expect(checkCredentials(settings)).toMatchObject({ state: 'ok' })
    // As out of reach as a folder that is closed to this user, for root too.
    rmSync(path)
    symlinkSync(path, path)
    const closed = checkCredentials(settings)
    expect(closed).toMatchObject({
      state: 'failed',
      mend: expect.stringContaining('let this user reach it') as string,
    })
    expect(closed.found).toContain(path)
  })

  it('sees a monitor that holds the key which exec trades with', () => {
    const key = (name: string, keyId: string) => {
      const path = join(dir, name)
      writeFileSync(path, JSON.stringify({ key_id: keyId, key_file: `${name}.pem` }), { mode: 0o600 })
      return path
    }
    const given = (read: string, trade: string) =>
      checkCredentials(
        settingsWith({
          ...{ env: 'prod', 'kalshi.credentials_file': read, 'kalshi.trading_credentials_file': trade },
        }),
      )
    const trade = key('trade', 'T')
    expect(given(key('read', 'R'), trade)).toMatchObject({ state: 'ok' })
    expect(given(key('copy', 'T'), trade)).toMatchObject({
      ...{ state: 'warning', mend: expect.stringContaining('read-only') as string },
    })
    expect(given(trade, trade)).toMatchObject({ state: 'warning' })
  })

  it('sees a halt', () => {
    expect(checkHalt(settingsWith()).state).toBe('ok')
    const latch = { level: 'all', reason: 'odd fills', by: 'ops', atMs: 1 } as const
    writeLatch(latchPath(dir, 'sim', 'live'), latch)
    expect(checkHalt(settingsWith())).toMatchObject({
      state: 'warning',
      found: 'halted (all) by ops: odd fills',
    })
  })
})

describe('doctor, of the publishers', () => {
  it('hears one that runs, and tells who else holds a port from a port that is free', async () => {
    const kalshi = await FakePublisher.bind('kalshi')
    cleanups.push(() => kalshi.close())
    const wrong = await FakePublisher.bind('exec')
    cleanups.push(() => wrong.close())
    const taken = createServer()
    await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done))
    taken.on('connection', (socket) => socket.destroy())
    cleanups.push(() => void taken.close())
    const settings = settingsWith({
      'endpoints.kalshi': kalshi.url,
      'endpoints.poly': wrong.url,
      'endpoints.orchestrator': 'tcp://10.255.255.1:1',
      'endpoints.shards': NOBODY,
      'endpoints.exec': `tcp://127.0.0.1:${(taken.address() as AddressInfo).port}`,
    })
    const checks = await checkPublishers(settings, systemClock)
    const of = (name: string) => checks.find((check) => check.name === `publisher ${name}`)!
    expect(of('kalshi')).toMatchObject({ state: 'ok' })
    expect(of('poly')).toMatchObject({ state: 'failed' })
    expect(of('poly').found).toContain('somebody else')
    expect(of('exec').found).toContain('EADDRINUSE')
    expect(of('orchestrator')).toMatchObject({ state: 'skipped' })
  })
})

describe('doctor, of Redis', () => {
  const statesOf = async (settings: Settings) =>
    Object.fromEntries((await checkRedisServer(settings)).map(({ name, state }) => [name, state]))

  it('is content with one that keeps what it is given', async () => {
    const server = await redisServer(['--appendonly', 'yes', '--dir', dir])
    expect(await statesOf(settingsWith({ redis_url: server.url }))).toEqual({
      ...{ redis: 'ok', 'redis eviction': 'ok', 'redis persistence': 'ok', 'redis rights': 'ok' },
    })
  })

  it('sees one that evicts, keeps nothing on disk, takes no write, or is not there', async () => {
    const server = await redisServer(['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'])
    const settings = settingsWith({ redis_url: server.url })
    const states = await statesOf(settings)
    expect(states).toMatchObject({ 'redis eviction': 'failed', 'redis persistence': 'warning' })
    await server.look.config('SET', 'maxmemory-policy', 'noeviction')
    await server.look.config('SET', 'maxmemory', '1')
    const [full] = await checkRedisServer(settings)
    expect(full).toMatchObject({ state: 'failed' })
    expect(full!.found).toContain('OOM')
    const [gone] = await checkRedisServer(settingsWith({ redis_url: 'redis://127.0.0.1:1' }))
    expect(gone).toMatchObject({ name: 'redis', state: 'failed' })
  })

  it('refuses a Cluster node', async () => {
    const server = await redisServer(['--cluster-enabled', 'yes', '--dir', dir])
    const [cluster] = await checkRedisServer(settingsWith({ redis_url: server.url }))
    expect(cluster).toMatchObject({ state: 'failed' })
    expect(cluster!.found).toContain('Cluster')
  })

  it('sees a user who may not read our keys', async () => {
    const server = await redisServer()
    const users = redisUsers('sim', false)
    await makeUsers(server, users)
    const urlOf = (role: string) => {
      const { username, password } = loginOf(users.find((user) => user.role === role)!.name)
      return `redis://${username}:${password}@127.0.0.1:${server.port}`
    }
    const rightsOf = async (role: string) =>
      (await statesOf(settingsWith({ redis_url: urlOf(role) })))['redis rights']
    expect(await rightsOf('operator')).toBe('ok')
    expect(await rightsOf('orchestrator')).toBe('failed')
  })
})

describe('doctor, of the venues', () => {
  it.each([
    [0, 1_000, 1_400, 0],
    [0, 200, 900, 0],
    [5_000, 1_000, 1_400, 3_600],
    [0, 4_000, 4_400, -3_000],
  ])('a date of %d ms while ours was %d to %d is at least %d ms off', (theirs, before, after, skew) => {
    expect(skewMs(new Date(theirs).toUTCString(), before, after)).toBe(skew)
  })

  it.each([
    ['14', 0],
    [null, -13_000],
    ['no number', -13_000],
  ])('an answer that a cache kept for %s s is off by %d ms', (age, skew) => {
    expect(skewMs(new Date(1_000).toUTCString(), 15_000, 15_400, age)).toBe(skew)
  })

  it('asks Kalshi with each key: one that fits, one of another env, one of another file, a clock that is off', async () => {
    const bench = await startBench()
    cleanups.push(() => bench.close())
    const file = (name: string, keyId: string, pem: string) => {
      writeFileSync(join(dir, `${name}.pem`), pem, { mode: 0o600 })
      const path = join(dir, `${name}.json`)
      writeFileSync(path, JSON.stringify({ key_id: keyId, key_file: `${name}.pem` }), { mode: 0o600 })
      return path
    }
    const NAMES = ['kalshi read key', 'kalshi trade key']
    const asked = async (read: string, trade: string, clock: Clock = systemClock) => {
      const { sim } = bench
      const urls = { 'kalshi.rest_url': sim.urls.kalshiRest, 'polymarket.clob_url': sim.urls.kalshiRest }
      const rest = { 'polymarket.gamma_url': sim.urls.kalshiRest, 'espn.url': sim.urls.kalshiRest }
      const keys = { 'kalshi.credentials_file': read, 'kalshi.trading_credentials_file': trade }
      const sports = { 'polymarket.sports_ws': sim.urls.sports }
      const checks = await checkVenues(settingsWith({ ...urls, ...rest, ...keys, ...sports }), clock)
      expect(checks.find(({ name }) => name === 'scores polymarket')).toMatchObject({ state: 'ok' })
      return NAMES.map((name) => checks.find((check) => check.name === name)!)
    }
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const other = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const read = file('read', bench.read.id, bench.read.pem)
    const good = await asked(read, file('trade', bench.trade.id, bench.trade.pem))
    expect(good.map(({ state }) => state)).toEqual(['ok', 'ok'])
    expect(good[0]!.found).toMatch(/signs as the venue wants, \d+ ms; its clock is ours/)
    const bad = await asked(file('unknown', 'of-demo', other), file('crossed', bench.trade.id, other))
    for (const check of bad) {
      expect(check).toMatchObject({
        state: 'failed',
        mend: expect.stringContaining('demo and prod') as string,
      })
      expect(check.found).toContain('HTTP 401 authentication_error')
    }
    const late: Clock = { ...systemClock, nowMs: () => Date.now() - 60_000 }
    expect((await asked(read, read, late))[0]).toMatchObject({
      state: 'failed',
      mend: expect.stringContaining('synchronise') as string,
    })
  })

  it('tells one that answers, one that refuses this region, one of another time and one that is down', async () => {
    const answers = new Map<string, [status: number, headers: Record<string, string>]>([
      ['/exchange/status', [200, {}]],
      ['/time', [403, {}]],
      ['/portfolio/balance', [200, {}]],
      ['/sports', [200, { date: new Date(Date.now() + 60_000).toUTCString() }]],
    ])
    const server = createHttp((request, response) => {
      const [status, headers] = answers.get(request.url!) ?? [404, {}]
      response.writeHead(status, headers).end('x')
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    cleanups.push(() => new Promise((done) => server.close(done)))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const settings = settingsWith({
      ...{ 'kalshi.rest_url': url, 'polymarket.clob_url': url, 'polymarket.gamma_url': url },
      ...{ 'espn.url': 'http://127.0.0.1:1', 'kalshi.trading_credentials_file': join(dir, 'slow.json') },
    })
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 3072 })
    writeFileSync(join(dir, 'slow.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
    writeFileSync(join(dir, 'slow.json'), '{"key_id":"slow","key_file":"slow.pem"}', { mode: 0o600 })
    const checks = await checkVenues(settings, systemClock)
    const states = ['ok', 'failed', 'warning', 'failed', 'warning', 'warning']
    expect(checks.map(({ state }) => state)).toEqual(states)
    expect(checks[4]!.found).toContain('Unexpected server response: 404')
    const without = await checkVenues({ ...settings, 'polymarket.sports_ws': 'off' }, systemClock)
    expect(without[4]).toMatchObject({ state: 'ok', found: expect.stringContaining('off: ') as string })
    expect(checks[5]!.found).toMatch(/RSA-3072: each signature takes \d+\.\d ms/)
    expect(checks[2]!.found).toMatch(/its clock is 5\d{4} ms from ours/)
  })

  it('says which setting is no URL, and the way out', async () => {
    const settings = { ...settingsWith(), 'kalshi.rest_url': 'kalshi dot com' }
    expect(await checkVenues(settings, systemClock)).toEqual([
      {
        ...{ name: 'venues', state: 'failed', found: "kalshi.rest_url is not a URL: 'kalshi dot com'" },
        mend: expect.stringContaining('unset it') as string,
      },
    ])
  })
})

describe('doctor', () => {
  it('is healthy by what failed alone, and says below each fault what mends it', async () => {
    const settings = settingsWith({
      ...{ redis_url: 'redis://127.0.0.1:1', 'endpoints.kalshi': NOBODY, 'endpoints.poly': NOBODY },
      ...{ 'endpoints.orchestrator': NOBODY, 'endpoints.shards': NOBODY, 'endpoints.exec': NOBODY },
    })
    const report = await runDoctor({ settings, clock: systemClock, live: false })
    expect(report.healthy).toBe(false)
    for (const check of report.checks) {
      expect('mend' in check).toBe(check.state === 'failed' || check.state === 'warning')
    }
    const text = renderDoctor(report, { width: 80, color: false })
    expect(text).toMatch(/^FAIL {2}redis +no Redis answers/m)
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
    const checks = report.checks.filter(({ state }) => state !== 'failed')
    const healthy = { ...report, checks, healthy: true }
    expect(renderDoctor(healthy, { width: 80, color: false })).toContain('nothing is broken')
  })
})
