import { describe, expect, it } from 'vitest'
import { nearest } from '../../../src/lib/core/nearest.js'
import { nearestKey } from '../../../src/lib/core/settings.js'

describe('the name that was meant', () => {
  it.each([
    ['evn', 'env'],
    ['data_dri', 'data_dir'],
    ['log_leve', 'log_level'],
    ['shard', 'shards'],
    ['league', 'leagues'],
    ['limits.order_uds', 'limits.order_usd'],
    ['limit.order_usd', 'limits.order_usd'],
    ['order_usd', 'limits.order_usd'],
    ['oder_usd', 'limits.order_usd'],
    ['kalshi.rest_ur', 'kalshi.rest_url'],
    ['kalshi.credential_file', 'kalshi.credentials_file'],
    ['Redis_URL', 'redis_url'],
    ['dataDir', 'data_dir'],
  ])('by %s is %s', (mistyped, meant) => {
    expect(nearestKey(mistyped)).toBe(meant)
  })

  it.each(['base', '<<', 'x', '', 'profiles', 'version', 'sim_seed', 'password', 'constructor'])(
    'by %j is none',
    (mistyped) => {
      expect(nearestKey(mistyped)).toBeUndefined()
    },
  )

  it('is the first of those that are as near', () => {
    expect(nearest('cat', ['bat', 'cut'])).toBe('bat')
    expect(nearest('cat', [])).toBeUndefined()
  })
})
