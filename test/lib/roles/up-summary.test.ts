import { describe, expect, it } from 'vitest'
import { summarize } from '../../../src/lib/roles/up-summary.js'

const redisOf = (url: string) => summarize([], new Map(), { url, version: '7.0.15', private: false }).redis

describe('what up tells of its Redis', () => {
  it.each([
    ['redis://arbees-up:secret-word@127.0.0.1:6380/2', 'redis://127.0.0.1:6380/2'],
    ['rediss://:secret-word@h:1?cacert=/a.pem&cert=/b.pem&key=/secret-word.key', 'rediss://h:1'],
    [
      'redis+sentinel://:secret-word@a:1,b:2/mymaster?sentinel_auth=same',
      'redis+sentinel://a:1,b:2/mymaster',
    ],
  ])('is where it is, not how to get in: %s', (url, shown) => {
    expect(redisOf(url)).toEqual({ url: shown, version: '7.0.15', private: false })
  })
})
