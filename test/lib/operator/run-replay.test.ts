import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadSettings } from '../../../src/lib/core/config.js'
import { runReplay } from '../../../src/lib/operator/run-replay.js'
import type { ReplayFrom } from '../../../src/lib/operator/run-replay.js'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'arbees-run-replay-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const run = (from: Partial<ReplayFrom>, extra: { readonly step?: boolean } = {}) =>
  runReplay({
    loaded: loadSettings({ flags: { data_dir: dir, redis_url: 'redis://127.0.0.1:1' } }),
    from: { kind: 'redis', names: [], follow: false, ...from },
    to: { kind: 'file', path: join(dir, 'out') },
    speed: Infinity,
    step: false,
    talk: () => undefined,
    ...extra,
  })

describe('a replay that cannot begin', () => {
  it.each<[string, Partial<ReplayFrom>]>([
    ['UNKNOWN_STREAM', { names: ['prices:kalshi', 'sim:prices:kalsi'] }],
    ['BAD_STREAM_ID', { startId: 'yesterday' }],
    ['BAD_SPAN', { sinceMs: 2, untilMs: 1 }],
    ['NO_JOURNAL', { kind: 'journal' }],
    ['NO_JOURNAL', { kind: 'journal', names: ['kalshi.prices'] }],
    ['TOO_MANY_NAMES', { kind: 'journal', names: ['kalshi.prices', 'poly.prices'] }],
    ['NO_RECORDING', { kind: 'file', names: ['nowhere'] }],
    ['TOO_MANY_NAMES', { kind: 'file', names: ['a', 'prices:kalshi'] }],
  ])('says %s of %j', async (code, from) => {
    await expect(run(from)).rejects.toMatchObject({ code, exit: 2 })
  })

  it('says when there is no terminal for its steps, or no Redis', async () => {
    await expect(run({}, { step: true })).rejects.toMatchObject({ code: 'NO_TERMINAL', exit: 2 })
    await expect(run({ names: ['sim:prices:kalshi'] })).rejects.toMatchObject({ exit: 6 })
  })
})
