import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { generateKeyPair } from '../../../src/lib/bus/curve.js'
import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import { KeyFolder } from '../../../src/lib/bus/key-files.js'
import { KeyRing } from '../../../src/lib/bus/key-ring.js'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import { ZapHandler } from '../../../src/lib/bus/zap.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import { loadSettings } from '../../../src/lib/core/config.js'
import type { SettingKey } from '../../../src/lib/core/config.js'
import { allowKey, fingerprint, generateKeys, showKeys } from '../../../src/lib/operator/keys.js'
import { nextSteps, renderKeys } from '../../../src/lib/operator/keys-view.js'
import { loadSignalKey } from '../../../src/lib/roles/bus-keys.js'
import { readStatus } from '../../../src/lib/operator/status.js'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup()
})

function settingsWith(given: Partial<Record<SettingKey, string>> = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'arbees-operator-keys-'))
  cleanups.push(() => rmSync(dir, { recursive: true, force: true }))
  const flags = { data_dir: dir, keys_dir: join(dir, 'keys'), redis_url: 'redis://127.0.0.1:1', ...given }
  return loadSettings({ flags }).settings
}
const secretOf = (dir: string, name: string) =>
  (JSON.parse(readFileSync(join(dir, `${name}.key`), 'utf8')) as { secret: string }).secret

describe('keys', () => {
  it('are made for every role of the deployment, each allowed, and no secret is told', () => {
    const settings = settingsWith({ shards: '2' })
    const report = generateKeys(settings, [], false)
    const names = ['kalshi', 'poly', 'orchestrator', 'shard-0', 'shard-1', 'exec', 'mirror', 'operator']
    expect(report.keys.map(({ name }) => name)).toEqual(names)
    expect(report.keys.every(({ allowed, secret_here: here }) => allowed && here)).toBe(true)
    expect(new Set(report.keys.map(({ public_key: key }) => key)).size).toBe(names.length)
    const told =
      JSON.stringify([report, showKeys(settings)]) + renderKeys(report, { width: 120, color: false })
    for (const name of names) expect(told).not.toContain(secretOf(report.dir, name))
    expect(told).not.toContain(readFileSync(join(report.dir, 'signals.hmac'), 'utf8').trim())
  })

  it('lie in the data dir and say that nothing uses them while keys_dir is not set', () => {
    const settings = settingsWith({ keys_dir: '' })
    const report = generateKeys(settings, ['kalshi'], false)
    expect(report.dir).toBe(join(settings.data_dir, 'keys'))
    expect(report.in_force).toBe(false)
    expect(nextSteps(report).join('\n')).toContain(`keys_dir: ${report.dir}`)
  })

  it('are never replaced unless it is said, and then nothing is half done', () => {
    const settings = settingsWith()
    const { dir } = generateKeys(settings, ['kalshi', 'signals.hmac'], false)
    const kept = secretOf(dir, 'kalshi')
    const seal = readFileSync(join(dir, 'signals.hmac'), 'utf8')
    expect(() => generateKeys(settings, ['poly', 'kalshi'], false)).toThrowError(
      expect.objectContaining({ code: 'KEY_EXISTS', exit: 7, message: expect.stringContaining('kalshi') }),
    )
    expect(existsSync(join(dir, 'poly.key'))).toBe(false)
    allowKey(settings, 'exec', generateKeyPair().publicKey, false)
    expect(() => generateKeys(settings, ['exec'], false)).toThrowError(
      expect.objectContaining({ code: 'KEY_EXISTS' }),
    )
    generateKeys(settings, ['kalshi'], true)
    expect(secretOf(dir, 'kalshi')).not.toBe(kept)
    expect(readFileSync(join(dir, 'signals.hmac'), 'utf8')).toBe(seal)
    generateKeys(settings, [], true)
    expect(readFileSync(join(dir, 'signals.hmac'), 'utf8')).not.toBe(seal)
  })

  it('of single roles come without a key for signals, which is of the deployment and not of a host', () => {
    const [first, second] = [settingsWith(), settingsWith()]
    const { signal_key_fingerprint: seal } = generateKeys(first, [], false)
    const report = generateKeys(second, ['shard-1'], false)
    expect(existsSync(join(report.dir, 'signals.hmac'))).toBe(false)
    expect(report.signal_key_fingerprint).toBeNull()
    const prod = loadSettings({ flags: { env: 'prod', data_dir: second.data_dir, keys_dir: report.dir } })
    expect(() => loadSignalKey(prod.settings)).toThrowError(
      expect.objectContaining({ code: 'NO_SIGNAL_KEY', exit: 4, hint: expect.stringContaining('copy') }),
    )
    const steps = nextSteps(report).join('\n')
    expect(steps).toMatch(/shard-1 needs the signals\.hmac .* copy it.* host of exec/)
    expect(steps).toContain(report.dir)
    expect(nextSteps(generateKeys(second, ['kalshi'], false)).join('\n')).not.toContain('signals.hmac')
    const copied = join(showKeys(first).dir, 'signals.hmac')
    copyFileSync(copied, join(report.dir, 'signals.hmac'))
    expect(generateKeys(second, ['exec'], false).signal_key_fingerprint).toBe(seal)
    expect(nextSteps(showKeys(second)).join('\n')).not.toContain('signals.hmac')
  })

  it('make the key for signals where it is named, alone too, and never a second one unless it is said', () => {
    const settings = settingsWith()
    const report = generateKeys(settings, ['signals.hmac'], false)
    expect(report).toMatchObject({ keys: [], signal_key_fingerprint: expect.any(String) })
    expect(renderKeys(report, { width: 120, color: false })).toMatch(/^signals are sealed with/)
    expect(() => generateKeys(settings, ['exec', 'signals.hmac'], false)).toThrowError(
      expect.objectContaining({
        code: 'KEY_EXISTS',
        exit: 7,
        message: expect.stringContaining('signals.hmac'),
      }),
    )
    expect(existsSync(join(report.dir, 'exec.key'))).toBe(false)
    const { signal_key_fingerprint: replaced } = generateKeys(settings, ['signals.hmac'], true)
    expect(replaced).not.toBe(report.signal_key_fingerprint)
    expect(generateKeys(settings, [], false).signal_key_fingerprint).toBe(replaced)
  })

  it('of others are allowed by name, pinned, and replaced only when it is said', () => {
    const settings = settingsWith()
    generateKeys(settings, ['exec'], false)
    const [first, second] = [generateKeyPair().publicKey, generateKeyPair().publicKey]
    expect(allowKey(settings, 'shard-0', first, false)).toEqual({
      name: 'shard-0',
      public_key: first,
      fingerprint: fingerprint(first),
      allowed: true,
      secret_here: false,
    })
    expect(allowKey(settings, 'shard-0', first, false)).toMatchObject({ public_key: first })
    expect(() => allowKey(settings, 'shard-0', second, false)).toThrowError(
      expect.objectContaining({ code: 'KEY_PINNED', exit: 7 }),
    )
    allowKey(settings, 'shard-0', second, true)
    const named = () => showKeys(settings).keys.map(({ name, public_key: key }) => [name, key])
    expect(named()).toContainEqual(['shard-0', second])
    expect(named()).toHaveLength(2)
  })

  it('show a secret that lies here and opens nothing', () => {
    const settings = settingsWith()
    generateKeys(settings, ['exec'], false)
    allowKey(settings, 'exec', generateKeyPair().publicKey, true)
    expect(showKeys(settings).keys.map(({ allowed, secret_here: here }) => [allowed, here])).toEqual([
      [true, false],
      [false, true],
    ])
  })
})

describe('status with keys', () => {
  /** A Kalshi publisher with keys, or one without, and a status command whose folder pins the real one. */
  async function stage({ squatter = false, listed = true } = {}) {
    const server = new KeyFolder(join(settingsWith().data_dir, 'server'))
    server.generate('kalshi')
    const settings = settingsWith()
    generateKeys(settings, [], false)
    const mine = new KeyFolder(settings.keys_dir)
    mine.allow('kalshi', server.readPair('kalshi').publicKey)
    if (listed) server.allow('operator', mine.readPair('operator').publicKey)
    const counts: Record<string, number> = {}
    const ring = new KeyRing(server, 'kalshi', (reason) => {
      const name = `handshake_refused:${reason}`
      counts[name] = (counts[name] ?? 0) + 1
    })
    const zap = await ZapHandler.start({ allows: (key) => ring.allows(key), onRefused: () => undefined })
    cleanups.push(() => zap.close())
    const publisher = await Publisher.bind({
      name: 'kalshi',
      url: 'tcp://127.0.0.1:*',
      env: 'sim',
      clock: systemClock,
      sources: sourcesOf('kalshi'),
      details: () => ({ counts: { ...counts, 'bad_hmac:wrong': 2 } }),
      keys: squatter ? undefined : ring,
    })
    cleanups.push(() => publisher.close())
    const nobody = 'tcp://127.0.0.1:1'
    const endpoints = {
      'endpoints.kalshi': publisher.url,
      'endpoints.poly': nobody,
      'endpoints.orchestrator': nobody,
      'endpoints.shards': nobody,
      'endpoints.exec': nobody,
    } as const
    const all = loadSettings({
      flags: {
        data_dir: settings.data_dir,
        keys_dir: settings.keys_dir,
        redis_url: settings.redis_url,
        ...endpoints,
      },
    }).settings
    return { settings: all, counts, read: () => readStatus({ settings: all, clock: systemClock }) }
  }
  const problemsOf = (report: Awaited<ReturnType<typeof readStatus>>, role: string) =>
    report.problems.filter((problem) => problem.role === role).map(({ problem }) => problem)

  it('hears a publisher that allows it, and shows whom that one refused, by reason', async () => {
    const { read, counts } = await stage()
    counts['handshake_refused:unlisted_key'] = 3
    counts['handshake_refused:no_curve'] = 2
    const report = await read()
    expect(report.roles[0]).toMatchObject({ role: 'kalshi', state: 'up' })
    expect(problemsOf(report, 'kalshi')).toEqual([
      '5 handshakes were refused (handshake_refused: unlisted_key 3, no_curve 2)',
      '2 signals had no seal or a wrong one and were not taken (bad_hmac: wrong 2)',
    ])
  })

  it('says that its own key is not allowed instead of calling the publisher down', async () => {
    const { read } = await stage({ listed: false })
    const report = await read()
    expect(problemsOf(report, 'kalshi')).toEqual(["it does not allow the operator's key (not_allowed_there)"])
    expect(problemsOf(report, 'arbees')).toEqual([])
    expect(report.healthy).toBe(false)
  })

  it('names a publisher without keys on a port where one with keys belongs', async () => {
    const { read } = await stage({ squatter: true })
    expect(problemsOf(await read(), 'kalshi')).toEqual(['what answers there has no keys (no_curve)'])
  })

  it('does not start without the key of the operator', async () => {
    const settings = settingsWith()
    await expect(readStatus({ settings, clock: systemClock })).rejects.toMatchObject({
      code: 'NO_KEY',
      exit: 4,
      hint: expect.stringContaining('arbees keys generate operator'),
    })
  })
})
