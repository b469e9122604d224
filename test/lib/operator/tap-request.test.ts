import { describe, expect, it } from 'vitest'
import { loadSettings } from '../../../src/lib/core/config.js'
import { runTapCommand } from '../../../src/lib/operator/run-tap.js'
import type { RunTapOptions } from '../../../src/lib/operator/run-tap.js'

const run = (options: Partial<RunTapOptions>) =>
  runTapCommand({
    settings: loadSettings({ flags: { data_dir: '/nonexistent', redis_url: 'redis://127.0.0.1:1' } })
      .settings,
    prefixes: ['prices.'],
    exclude: [],
    from: 'zmq',
    stats: false,
    snapshot: false,
    follow: false,
    isJson: true,
    color: false,
    forMs: 1,
    ...options,
  })

describe('a tap that cannot begin', () => {
  it.each<[string, Partial<RunTapOptions>]>([
    ['BAD_PREFIX', { prefixes: ['prices.*.KX'] }],
    ['BAD_PREFIX', { exclude: ['*.kalshi.'] }],
    ['BAD_WHERE', { where: 'yes_ask <' }],
    ['BAD_FIELDS', { fields: 'yes_ask,,seq' }],
    ['BAD_FIELDS', { fields: 'home-score' }],
    ['BAD_TIME', { since: 'yesterday' }],
    ['BAD_STREAM_ID', { since: '1-99999999999999999999' }],
    ['NO_PAST', { since: '5m', prefixes: ['prices.', 'health.'] }],
    ['NO_PAST', { last: 3, prefixes: ['replay.monday.'] }],
    ['NO_PAST', { from: 'redis', prefixes: ['health.'] }],
    ['NO_SNAPSHOT', { snapshot: true, prefixes: ['orders.', 'signals.'] }],
    ['NO_SNAPSHOT', { snapshot: true, prefixes: ['health.'] }],
    ['FILE_EXISTS', { record: import.meta.filename }],
  ])('says %s of %j', async (code, options) => {
    await expect(run(options)).rejects.toMatchObject({ code, exit: 2 })
  })

  it('says that Redis is out of reach', async () => {
    await expect(run({ since: '5m', forMs: 20_000 })).rejects.toMatchObject({ exit: 6 })
  })
})
