import { describe, expect, it } from 'vitest'
import { SETTINGS, SETTING_KEYS, loadSettings } from '../../../src/lib/core/config.js'
import type { SettingKey } from '../../../src/lib/core/config.js'

const load = (key: SettingKey, value: string) => () => loadSettings({ flags: { [key]: value } })

describe('the value of a setting', () => {
  it.each<[SettingKey, string[]]>([
    [
      'endpoints.kalshi',
      ['', '127.0.0.1:5555', 'tcp://127.0.0.1', 'tcp://127.0.0.1:0', 'tcp://127.0.0.1:65536', 'tcp://:5555'],
    ],
    [
      'endpoints.kalshi',
      ['tcp://a b:5555', ' tcp://a:5555', 'tcp://a:5555/x', 'ipc:///tmp/x', 'tcp://a;b:5555'],
    ],
    ['recovery.exec', ['6560', 'tcp://127.0.0.1:99999', 'tcp://[::1:5']],
    ['endpoints.shards', ['tcp://a:1,,tcp://b:2', 'tcp://a:1,', 'tcp://a:0', 'a:1']],
    ['legacy_endpoints', ['tcp://a:1;tcp://b:2']],
    [
      'kalshi.rest_url',
      ['kalshi.com', 'ws://kalshi.com', 'https://', 'https://a b', 'https://ann:pw@kalshi.com'],
    ],
    ['kalshi.rest_url', ['https://kalshi.com/?a=b', 'https://kalshi.com\n', 'https://kalshi.com:99999']],
    ['kalshi.ws_url', ['https://kalshi.com', 'wss:/kalshi.com']],
    ['redis_url', ['', '127.0.0.1:6379', 'http://127.0.0.1', 'redis://', 'redis://a b', 'redis://a\n']],
    ['espn.user_agent', ['', 'a\r\nx-evil: 1', 'a\nb', ' a', 'ärbees']],
    ['metrics_host', ['', ' ', 'http://a', 'a b']],
    ['metrics_port', ['-1', '65536', 'http', '1.5']],
    ['data_dir', ['', 'a\nb', ' a', 'a\u0000']],
    ['keys_dir', ['a\nb']],
    ['leagues', ['nba,,nhl', 'nba nhl', 'NBA', 'nba,']],
    ['shards', ['0', '65', '1e1', '']],
    ['mirror.prices_maxlen', ['0', '-1', '1.5']],
    ['strategy.valid', ['0s', '1500', '-1s', 's']],
    ['journal.retain', ['0', '1 GiB', '2GB']],
    ['env', ['production', 'PROD', '']],
    ['redis_publish', ['yes', '1', 'TRUE']],
  ])('of %s is not %j', (key, values) => {
    for (const value of values) {
      expect(load(key, value), value).toThrowError(
        expect.objectContaining({ code: 'BAD_CONFIG', exit: 4, hint: `${key}: ${SETTINGS[key].doc}` }),
      )
      expect(load(key, value), value).toThrowError(new RegExp(`^${key} .*\\(flag\\).* not `, 's'))
    }
  })

  it.each<[SettingKey, string[]]>([
    ['endpoints.kalshi', ['tcp://*:5555', 'tcp://[::1]:5555', 'tcp://127.0.0.1:*']],
    ['recovery.kalshi', ['', 'tcp://10.0.0.1:65535']],
    ['endpoints.shards', ['', 'tcp://a:1, tcp://b:2']],
    ['kalshi.rest_url', ['', 'https://a.b/trade-api/v2', 'http://[::1]:7001/']],
    ['redis_url', ['rediss://a:6379/1?cacert=/x', 'redis+sentinel://a,b:1/name', 'redis://u:p%40@[::1]:1']],
    ['metrics_port', ['', '0', '65535']],
    ['keys_dir', ['', '/etc/arbees keys']],
    ['journal.retain', ['64MiB', '1024']],
  ])('of %s may be %j', (key, values) => {
    for (const value of values) expect(load(key, value), value).not.toThrow()
  })

  it('is never repeated when it may hold a password', () => {
    for (const value of ['redis://:hunter2@a b', 'redis:/:hunter2@a'])
      expect(load('redis_url', value)).toThrowError(/^(?!.*hunter2)redis_url \(flag\) is not redis/s)
    expect(load('kalshi.rest_url', 'https://ann:hunter2@k.com')).toThrowError(
      /^(?!.*hunter2).*ann:\*\*\*\*@k\.com/s,
    )
  })

  it('of a publisher leaves room for its recovery socket, or that one is named', () => {
    const flags = { 'endpoints.exec': 'tcp://127.0.0.1:65000' }
    expect(() => loadSettings({ flags })).toThrowError(
      expect.objectContaining({
        code: 'BAD_CONFIG',
        hint: expect.stringContaining('recovery.exec') as string,
      }),
    )
    expect(() => loadSettings({ flags: { ...flags, 'recovery.exec': 'tcp://127.0.0.1:1' } })).not.toThrow()
    const shards = 'tcp://127.0.0.1:1,tcp://127.0.0.1:65000'
    expect(load('endpoints.shards', shards)).toThrowError(/endpoints\.shards is 'tcp:\/\/127\.0\.0\.1:65000'/)
  })

  it.each(SETTING_KEYS)('that %s has by default is one that it takes', (key) => {
    expect(SETTINGS[key].parse(SETTINGS[key].written)).toEqual(SETTINGS[key].fallback)
  })
})
