/** The envs differ by configuration alone: URLs and credentials. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { afterAll, describe, expect, it } from 'vitest'

import { loadSettings } from '../../../src/lib/core/config.js'
import { kalshiKeyFile } from '../../../src/lib/roles/credentials.js'
import { venueUrls } from '../../../src/lib/venues/urls.js'

const ENVS = ['sim', 'demo', 'prod'] as const
const ROOT = join(import.meta.dirname, '../../..')
const KALSHI = 'src/lib/venues/kalshi'

const folder = mkdtempSync(join(tmpdir(), 'arbees-envs-'))
const KEY_FILE = join(folder, 'read.json')
writeFileSync(KEY_FILE, '{"key_id":"id","key_file":"read.pem"}', { mode: 0o600 })
afterAll(() => rmSync(folder, { recursive: true }))

const settingsOf = (env: string, environment: Record<string, string> = {}) =>
  loadSettings({
    flags: { env },
    environment: { ARBEES_KALSHI__CREDENTIALS_FILE: KEY_FILE, ...environment },
    file: { path: '/nowhere/arbees.yaml', required: false },
  }).settings

describe('monitor kalshi on sim, demo and prod', () => {
  it('has an address of its own in each env, on the same paths', () => {
    const all = ENVS.map((env) => venueUrls(settingsOf(env)))
    expect(new Set(all.map(({ kalshiWs }) => new URL(kalshiWs).host)).size).toBe(3)
    expect(new Set(all.map(({ kalshiRest }) => new URL(kalshiRest).host)).size).toBe(3)
    for (const { kalshiWs, kalshiRest } of all) {
      expect(new URL(kalshiWs).pathname).toBe('/trade-api/ws/v2')
      expect(new URL(kalshiRest).pathname).toBe('/trade-api/v2')
    }
    expect(all.slice(1).every(({ kalshiWs }) => kalshiWs.startsWith('wss://'))).toBe(true)
    // The demo venue answers under another top level than the real one.
    expect(new URL(all[1]!.kalshiWs).hostname).toMatch(/\.demo\.kalshi\.co$/)
    expect(new URL(all[2]!.kalshiWs).hostname).toMatch(/\.kalshi\.com$/)
  })

  it('any env can be pointed at any address, key included', () => {
    const given = {
      ARBEES_KALSHI__WS_URL: 'ws://127.0.0.1:7101/trade-api/ws/v2',
      ARBEES_KALSHI__REST_URL: 'http://127.0.0.1:7101/trade-api/v2',
    }
    for (const env of ENVS) {
      const settings = settingsOf(env, given)
      const { kalshiWs, kalshiRest } = venueUrls(settings)
      expect([kalshiWs, kalshiRest]).toEqual(Object.values(given))
      expect(kalshiKeyFile(settings, 'read')).toEqual({ keyId: 'id', keyFile: join(folder, 'read.pem') })
    }
  })

  it('no code of the venue or the monitor asks which env it is', () => {
    const files = readdirSync(join(ROOT, KALSHI)).map((name) => `${KALSHI}/${name}`)
    for (const file of [...files, 'src/lib/roles/monitor.ts']) {
      const code = readFileSync(join(ROOT, file), 'utf8').replace(/\/\*[^]*?\*\/|\/\/.*$/gm, '')
      expect(code, file).not.toMatch(/settings\.env\b|['"](?:sim|demo|prod)['"]/)
    }
  })
})
