import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SETTING_KEYS, environmentName, loadSettings, settingText } from '../../../src/lib/core/config.js'

describe('settings', () => {
  let dir: string
  let path: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'arbees-config-'))
    path = join(dir, 'arbees.yaml')
  })
  afterEach(() => rmSync(dir, { recursive: true }))

  it('takes flag before environment before up.json before file before default, and says which', () => {
    writeFileSync(
      path,
      'log_level: warn\nkalshi:\n  rest_url: http://file\n  ws_url: ws://file\nleagues: [nba, nfl]\n',
    )
    const { settings, origins } = loadSettings({
      flags: { 'kalshi.rest_url': 'http://flag' },
      environment: { ARBEES_KALSHI__REST_URL: 'http://env', ARBEES_SHARDS: '3' },
      up: { shards: '2', redis_url: 'redis://up' },
      file: { path, required: true },
    })
    expect(settings['kalshi.rest_url']).toBe('http://flag')
    expect(settings.shards).toBe(3)
    expect(settings.redis_url).toBe('redis://up')
    expect(settings['kalshi.ws_url']).toBe('ws://file')
    expect(settings.leagues).toEqual(['nba', 'nfl'])
    expect(settings.env).toBe('sim')
    expect(origins).toMatchObject({
      'kalshi.rest_url': 'flag',
      shards: 'environment ARBEES_SHARDS',
      redis_url: 'up.json',
      log_level: path,
      env: 'default',
    })
  })

  it.each([
    ['an unknown key', 'kalshi:\n  rest_ur: x\n', 'UNKNOWN_SETTING', /rest_ur.*|kalshi/],
    ['a wrong value', 'env: production\n', 'BAD_CONFIG', /env is 'production'.*one of sim, demo, prod/],
    ['broken YAML', 'env: [\n', 'BAD_CONFIG', /arbees\.yaml/],
    ['a wrong number', 'shards: -1\n', 'BAD_CONFIG', /shards is '-1'/],
  ])('refuses %s with exit 4', (_, yaml, code, message) => {
    writeFileSync(path, yaml)
    const load = () => loadSettings({ file: { path, required: true } })
    expect(load).toThrowError(expect.objectContaining({ code, exit: 4 }))
    expect(load).toThrowError(message)
  })

  it('points from a mistyped key to the one that was meant', () => {
    writeFileSync(path, 'polymarket:\n  gama_url: x\n')
    expect(() => loadSettings({ file: { path, required: true } })).toThrowError(
      expect.objectContaining({ hint: 'near: polymarket.gamma_url' }),
    )
  })

  it('needs the file only when it was named', () => {
    expect(loadSettings({ file: { path, required: false } }).settings.env).toBe('sim')
    expect(() => loadSettings({ file: { path, required: true } })).toThrowError(
      expect.objectContaining({ code: 'NO_CONFIG' }),
    )
  })

  it('hands every value on through the environment unchanged', () => {
    const first = loadSettings({
      flags: { leagues: 'nba,nhl', 'strategy.valid': '2s', shards: '2' },
    }).settings
    const environment = Object.fromEntries(
      SETTING_KEYS.map((key) => [environmentName(key), settingText(key, first[key])]),
    )
    expect(loadSettings({ environment }).settings).toEqual(first)
  })

  it('refuses a misspelled variable, and points to the one that was meant', () => {
    const load = (environment: Record<string, string>) => () => loadSettings({ environment })
    expect(load({ ARBEES_LIMITS__ORDER_UDS: '5' })).toThrowError(
      expect.objectContaining({ code: 'UNKNOWN_SETTING', exit: 4, hint: 'near: ARBEES_LIMITS__ORDER_USD' }),
    )
    const others = { ARBEES_CONFIG: 'x', ARBEES_SIM_SEED: '1', ARBEES_AC_BASH_SETUP_PATH: '/', PATH: '/' }
    expect(load(others)).not.toThrow()
  })

  it('writes a duration with its unit', () => {
    const { settings } = loadSettings({ flags: { 'strategy.valid': '2s' } })
    expect(settingText('strategy.valid', settings['strategy.valid'])).toBe('2000ms')
  })
})
