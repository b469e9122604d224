import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { KeyFolder } from '../../src/lib/bus/key-files.js'
import type { HaltReport } from '../../src/lib/operator/halt.js'
import type { KeysReport } from '../../src/lib/operator/keys.js'
import type { StatusReport } from '../../src/lib/operator/status-report.js'
import type { UpSummary } from '../../src/lib/roles/up-summary.js'
import { totalOf } from '../../src/lib/telemetry/counters.js'
import { CommandProcess } from '../commands/command-process.js'
import { until } from '../lib/poll.js'
import { createPlace, launch } from './launch.js'
import type { Place, Run } from './launch.js'

let place: Place
/** Where what ends by itself is run. */
let commands: CommandProcess
beforeAll(() => {
  commands = new CommandProcess()
})
afterAll(async () => {
  expect(await commands.end()).toBe(0)
})
const runs: Run[] = []
beforeEach(async () => {
  place = await createPlace()
})
afterEach(async () => {
  for (const run of runs.splice(0)) {
    if (run.child.exitCode === null && run.child.signalCode === null) run.child.kill('SIGKILL')
    await run.ended
  }
  place.remove()
})

/** With the folder of keys named in the environment. */
const withKeys = (keysDir = join(place.dir, 'keys'), more = {}) => ({
  ...place.environment,
  ARBEES_KEYS_DIR: keysDir,
  ...more,
})
function launchUp(args: readonly string[]): Run {
  const run = launch(['up', ...args], withKeys())
  runs.push(run)
  return run
}
async function arbees(args: readonly string[], keysDir?: string, more = {}) {
  const run = commands.launch(args, withKeys(keysDir, more))
  return { code: await run.ended, out: run.stdout(), err: run.stderr() }
}

describe('a deployment with keys', () => {
  it('trades sealed signals, lets nobody else listen, and takes a new key at SIGHUP', async () => {
    expect(await launchUp(['--for', '1s']).ended).toBe(4)
    const made = await arbees(['keys', 'generate', '--json'])
    expect(made.code).toBe(0)
    const { keys } = JSON.parse(made.out) as KeysReport
    const up = launchUp(['--for', '90s', '--json'])
    await until(() => up.stderr().includes('everything is ready'), 'everything is ready', 40_000)

    const tap = ['tap', 'signals.', '-n', '1', '--for', '20s', '--json']
    const ours = await arbees(tap)
    expect(ours.code).toBe(0)
    expect(ours.out).toMatch(/"hmac":"[0-9a-f]{64}"/)
    const strange = join(place.dir, 'strange')
    const stranger = new KeyFolder(strange)
    const guest = stranger.generate('operator')
    for (const { name, public_key: key } of keys) if (name !== 'operator') stranger.allow(name, key)
    const listen = ['tap', 'prices.', '-n', '1', '--for', '1s', '--json']
    const refused = [await arbees(listen, strange), await arbees(listen, '')]
    expect(refused.map(({ code, out }) => [code, out])).toEqual([
      [5, ''],
      [5, ''],
    ])
    expect(refused[0]!.err).toContain('not_allowed_there')
    const status = JSON.parse((await arbees(['status', '--json', '--no-fail'])).out) as StatusReport
    const publishers = status.roles.filter(({ role }) => role !== 'mirror')
    for (const { counts } of publishers) {
      expect(counts['handshake_refused:unlisted_key']).toBeGreaterThan(0)
      // Who has no key may hang up before it is told why.
      const keyless = (counts['handshake_refused:no_curve'] ?? 0) + (counts['handshakes_unfinished'] ?? 0)
      expect(keyless).toBeGreaterThan(0)
    }

    expect((await arbees(['keys', 'allow', 'guest', guest])).code).toBe(0)
    up.child.kill('SIGHUP')
    await until(() => /\[exec\].*SIGHUP: \d+ keys/.test(up.stderr()), 'every role reads the list')
    expect((await arbees(['tap', 'prices.', '-n', '1', '--for', '10s'], strange)).code).toBe(0)

    // By the socket alone: no data dir of exec's, no Redis.
    const elsewhere = { ARBEES_DATA_DIR: join(place.dir, 'none'), ARBEES_REDIS_URL: 'redis://127.0.0.1:1' }
    const haltAs = async (keysDir: string) => {
      const { out } = await arbees(['halt', '--env', 'sim', '--json'], keysDir, elsewhere)
      const { halted, exec, steps } = JSON.parse(out) as HaltReport
      return { halted, exec, said: steps.find(({ step }) => step === 'exec')!.detail }
    }
    const uninvited = new KeyFolder(join(place.dir, 'uninvited'))
    uninvited.generate('operator')
    for (const { name, public_key: key } of keys) if (name !== 'operator') uninvited.allow(name, key)
    expect(await haltAs('')).toMatchObject({
      halted: null,
      said: expect.stringContaining('no keys_dir') as string,
    })
    expect(await haltAs(join(place.dir, 'uninvited'))).toMatchObject({
      halted: null,
      said: expect.stringContaining("does not allow the operator's key (not_allowed_there)") as string,
    })
    expect(await haltAs(join(place.dir, 'keys'))).toMatchObject({ halted: 'entries', exec: 'sim live' })

    up.child.kill('SIGINT')
    expect(await up.ended).toBe(0)
    const { summary } = JSON.parse(up.stdout().trimEnd().split('\n').at(-1) ?? '') as { summary: UpSummary }
    expect(summary.signals).toBeGreaterThan(0)
    expect(summary.sim).toMatchObject({ orders: summary.orders })
    expect(summary.mirrored).toBeGreaterThan(0)
    expect([summary.gaps, summary.parse_errors]).toEqual([0, 0])
    expect(totalOf(status.roles.find(({ role }) => role === 'exec')!.counts, 'bad_hmac')).toBe(0)
  }, 120_000)
})
