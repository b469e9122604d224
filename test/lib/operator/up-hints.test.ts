import { describe, expect, it } from 'vitest'
import { upHints } from '../../../src/lib/operator/up-hints.js'

const redisLines = (url: string | undefined, env: 'sim' | 'prod' = 'sim') =>
  upHints(url, env).filter((line) => line.includes('redis'))

describe('what up says to type next', () => {
  it.each([
    ['redis://127.0.0.1:6380', 'sim', 'redis-cli -u redis://127.0.0.1:6380 XLEN sim:prices:kalshi'],
    ['redis://host:6380/2', 'prod', 'redis-cli -u redis://host:6380/2 XLEN prices:kalshi'],
  ] as const)('is a redis-cli for %s', (url, env, line) => {
    expect(redisLines(url, env)).toEqual([line])
  })

  it.each([
    ['Sentinels', 'redis+sentinel://127.0.0.1:26379/mymaster'],
    ['TLS', 'rediss://127.0.0.1:6380?cacert=/tmp/ca.pem'],
    ['TLS by a public authority', 'rediss://redis.example.org'],
    ['a password', 'redis://:secret@127.0.0.1:6380'],
    ['a user', 'redis://arbees-up:secret@127.0.0.1:6380'],
    ['no Redis', undefined],
  ])('is none where it would not work: %s', (_, url) => {
    expect(redisLines(url)).toEqual([])
  })
})
