import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadSettings } from '../../../src/lib/core/config.js'
import type { SettingKey } from '../../../src/lib/core/config.js'
import { kalshiKeyFile, polymarketKeyFile } from '../../../src/lib/roles/credentials.js'

describe('credentials', () => {
  let dir: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'arbees-credentials-'))
    mkdirSync(join(dir, 'account'))
  })
  afterEach(() => rmSync(dir, { recursive: true }))

  const settings = (flags: Partial<Record<SettingKey, string>> = {}) =>
    loadSettings({ flags: { data_dir: dir, ...flags } }).settings
  const write = (name: string, content: unknown, mode = 0o600) => {
    const path = join(dir, name)
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
    chmodSync(path, mode)
    return path
  }

  it("gives monitors the simulator's read-only key and exec its trading key", () => {
    write('account/monitor.json', { kalshi: { key_id: 'r', key_file: 'read.pem' } })
    write('account/exec.json', {
      kalshi: { key_id: 't', key_file: '/abs/trade.pem' },
      polymarket: { key_file: 'p.json' },
    })
    expect(kalshiKeyFile(settings(), 'read')).toEqual({ keyId: 'r', keyFile: join(dir, 'account/read.pem') })
    expect(kalshiKeyFile(settings(), 'trade')).toEqual({ keyId: 't', keyFile: '/abs/trade.pem' })
    expect(polymarketKeyFile(settings())).toBe(join(dir, 'account/p.json'))
  })

  it('takes the file that a setting names before the simulator, and never one for the other', () => {
    const read = write('mine.json', { key_id: 'm', key_file: 'mine.pem' })
    write('account/exec.json', { kalshi: { key_id: 't', key_file: 't.pem' } })
    const given = settings({
      'kalshi.credentials_file': read,
      'polymarket.credentials_file': '/some/poly.json',
    })
    expect(kalshiKeyFile(given, 'read')).toEqual({ keyId: 'm', keyFile: join(dir, 'mine.pem') })
    expect(kalshiKeyFile(given, 'trade').keyId).toBe('t')
    expect(polymarketKeyFile(given)).toBe('/some/poly.json')
  })

  it.each([0o644, 0o640, 0o604])('refuses a file of mode %o and says how to mend it', (mode) => {
    const path = write('account/monitor.json', { kalshi: { key_id: 'r', key_file: 'r.pem' } }, mode)
    expect(() => kalshiKeyFile(settings(), 'read')).toThrowError(
      expect.objectContaining({ code: 'OPEN_SECRET', exit: 4, hint: `chmod 600 ${path}` }),
    )
  })

  it.each([
    ['no JSON, without showing it', 'top secret', 'BAD_CREDENTIALS'],
    ['a list', '[]', 'BAD_CREDENTIALS'],
    ['no key id', { kalshi: { key_file: 'r.pem' } }, 'BAD_CREDENTIALS'],
    ['a key id that is no text', { kalshi: { key_id: 1, key_file: 'r.pem' } }, 'BAD_CREDENTIALS'],
  ])('refuses %s', (_, content, code) => {
    write('account/monitor.json', content)
    const read = () => kalshiKeyFile(settings(), 'read')
    expect(read).toThrowError(expect.objectContaining({ code, exit: 4 }))
    expect(read).not.toThrowError(/top secret/)
  })

  it('says what to start when the simulator has written nothing, and what to set elsewhere', () => {
    expect(() => kalshiKeyFile(settings(), 'read')).toThrowError(
      expect.objectContaining({ code: 'NO_CREDENTIALS', hint: expect.stringContaining('arbees sim') }),
    )
    expect(() => kalshiKeyFile(settings({ env: 'prod' }), 'read')).toThrowError(
      expect.objectContaining({
        code: 'NO_CREDENTIALS',
        exit: 4,
        message: expect.stringContaining('kalshi.credentials_file'),
      }),
    )
  })
})
