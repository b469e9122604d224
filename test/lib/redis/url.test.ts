import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { EXIT } from '../../../src/lib/core/errors.js'
import { parseRedisUrl } from '../../../src/lib/redis/url.js'

describe('redis url', () => {
  it.each([
    ['redis://127.0.0.1', { kind: 'server', host: '127.0.0.1', port: 6379, db: 0 }],
    ['redis://127.0.0.1/', { kind: 'server', host: '127.0.0.1', port: 6379, db: 0 }],
    ['redis://[::1]:7000/3', { kind: 'server', host: '::1', port: 7000, db: 3 }],
    ['redis://:pw@h', { kind: 'server', host: 'h', port: 6379, db: 0, password: 'pw' }],
    [
      'rediss://u:p%40%2Fss:word@h:1',
      { kind: 'server', host: 'h', port: 1, db: 0, username: 'u', password: 'p@/ss:word', tls: {} },
    ],
    [
      'rediss://h?cacert=/etc/ca%20one.pem&cert=me.pem&key=me+you.key',
      {
        kind: 'server',
        host: 'h',
        port: 6379,
        db: 0,
        tls: { ca: '/etc/ca one.pem', cert: 'me.pem', key: 'me+you.key' },
      },
    ],
    [
      'redis+sentinel://s1,s2:5000,[::1]:26380/mymaster',
      {
        kind: 'sentinels',
        sentinels: [
          { host: 's1', port: 26_379 },
          { host: 's2', port: 5_000 },
          { host: '::1', port: 26_380 },
        ],
        name: 'mymaster',
        db: 0,
        sameLogin: false,
      },
    ],
    [
      'rediss+sentinel://u:pw@s1/mymaster/4?cacert=ca.pem&sentinel_auth=same',
      {
        kind: 'sentinels',
        sentinels: [{ host: 's1', port: 26_379 }],
        name: 'mymaster',
        db: 4,
        username: 'u',
        password: 'pw',
        tls: { ca: 'ca.pem' },
        sameLogin: true,
      },
    ],
  ])('reads %s', (url, expected) => {
    const { shown: _, ...address } = parseRedisUrl(url)
    expect(address).toEqual(expected)
  })

  it.each([
    ['redis://me:quokka@h:1/2', 'redis://h:1/2'],
    ['rediss://me:quokka@[::1]?cacert=/secret/place', 'rediss://[::1]:6379'],
    ['redis+sentinel://me:quokka@s1,s2:5/m/0?sentinel_auth=same', 'redis+sentinel://s1:26379,s2:5/m'],
  ])('shows of %s the place alone', (url, shown) => {
    expect(parseRedisUrl(url).shown).toBe(shown)
  })

  it.each([
    ['nothing', ''],
    ['no scheme', 'h:1'],
    ['another scheme', 'http://quokka@h'],
    ['no host', 'redis://'],
    ['no host behind the password', 'redis://:quokka@'],
    ['a database that is no number', 'redis://h/quokka'],
    ['a path behind the database', 'redis://h/1/quokka'],
    ['a port that is none', 'redis://u:quokka@h:99999'],
    ['port 0', 'redis://u:quokka@h:0'],
    ['a password with a bare @', 'redis://u:quo@kka@h'],
    ['a password with a bare /', 'redis://u:quo/kka@h'],
    ['several servers', 'redis://u:quokka@h,i'],
    ['Sentinels without the name of a master', 'redis+sentinel://u:quokka@s1,s2'],
    ['Sentinels with a database alone that is no number', 'redis+sentinel://u:quokka@s1/m/x'],
    ['files beside a plain connection', 'redis://u:quokka@h?cacert=ca.pem'],
    ['a parameter that nobody knows', 'rediss://u:quokka@h?verify=no'],
    ['a file without a name', 'rediss://u:quokka@h?cacert='],
    ['a certificate without its key', 'rediss://u:quokka@h?cert=quokka.pem'],
    ['the login of Sentinels for a server', 'redis://u:quokka@h?sentinel_auth=same'],
  ])('refuses %s, and repeats nothing of it', (_, url) => {
    try {
      parseRedisUrl(url)
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ code: 'BAD_REDIS_URL', exit: EXIT.CONFIG })
      expect(inspect(error)).not.toMatch(/quo|kka/)
    }
  })
})
