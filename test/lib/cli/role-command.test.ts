import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import { KeyFolder } from '../../../src/lib/bus/key-files.js'
import { KeyRing } from '../../../src/lib/bus/key-ring.js'
import { Subscriber } from '../../../src/lib/bus/subscriber.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import { until } from '../poll.js'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup()
})

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'arbees-role-'))
  cleanups.push(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** A publisher of its own process: its log, its address, how it ended. */
async function startRole(environment: Readonly<Record<string, string>>, script = 'role-child.ts') {
  const loader = resolve(import.meta.dirname, '../run-typescript.mjs')
  const child = spawn(process.execPath, ['--import', loader, resolve(import.meta.dirname, script)], {
    cwd: folder(),
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      ARBEES_ENDPOINTS__KALSHI: 'tcp://127.0.0.1:*',
      ARBEES_RECOVERY__KALSHI: 'tcp://127.0.0.1:*',
      ...environment,
    },
  })
  cleanups.push(() => child.kill('SIGKILL'))
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()))
  const ended = new Promise<number | null>((done) => child.on('close', (code) => done(code)))
  const role = { child, log: () => log, ended }
  await until(() => log.includes('is ready') || child.exitCode !== null, 'the role is ready', 20_000)
  return { ...role, url: /publishes on (tcp:[^\s"]+)/.exec(log)?.[1] ?? '' }
}

describe('a role command', () => {
  it('reads the allowed keys again at SIGHUP, keeps its work, and keeps the list when the new one is broken', async () => {
    const [ours, theirs] = [new KeyFolder(join(folder(), 'keys')), new KeyFolder(join(folder(), 'keys'))]
    ours.generate('kalshi')
    const readerKey = theirs.generate('exec')
    theirs.allow('kalshi', ours.readPair('kalshi').publicKey)
    const role = await startRole({ ARBEES_KEYS_DIR: ours.dir })
    const refused: string[] = []
    let counts: Readonly<Record<string, number>> = {}
    let heartbeats = 0
    const subscriber = new Subscriber({
      endpoints: [{ publisher: 'kalshi', url: role.url, sources: sourcesOf('kalshi') }],
      prefixes: [],
      env: 'sim',
      clock: systemClock,
      keys: new KeyRing(theirs, 'exec', (reason) => refused.push(reason)),
      onMessage: () => undefined,
      onHeartbeat: (heartbeat) => {
        heartbeats++
        counts = heartbeat.counts
      },
    })
    cleanups.push(() => subscriber.close())
    await until(() => refused.includes('not_allowed_there'), 'the reader is refused')
    expect(role.log()).toContain(readerKey)

    ours.allow('exec', readerKey)
    role.child.kill('SIGHUP')
    await until(() => role.log().includes('SIGHUP: 2 keys are allowed'), 'the list is read')
    await until(() => heartbeats > 0, 'the reader is let in')
    expect(counts['handshake_refused:unlisted_key']).toBeGreaterThan(0)

    writeFileSync(join(ours.dir, 'allowed.keys'), 'garbage')
    role.child.kill('SIGHUP')
    await until(() => role.log().includes('the allow-list stays as it was'), 'it says so')
    const before = heartbeats
    await until(() => heartbeats > before + 1, 'it goes on')
    role.child.kill('SIGTERM')
    expect(await role.ended).toBe(0)
  }, 30_000)

  it('says that there are no keys at SIGHUP, and goes on', async () => {
    const role = await startRole({})
    role.child.kill('SIGHUP')
    await until(() => role.log().includes('no keys to read again'), 'it says so')
    expect(role.child.exitCode).toBeNull()
    role.child.kill('SIGTERM')
    expect(await role.ended).toBe(0)
  }, 30_000)

  it.each([
    ['SIGTERM', 'SIGINT', 130],
    ['SIGINT', 'SIGTERM', 143],
  ] as const)('cleans up at %s, and leaves at once at a second signal, %s', async (first, second, exit) => {
    const role = await startRole({}, 'stuck-role-child.ts')
    role.child.kill(first)
    await until(() => role.log().includes(`stops: ${first}`), 'it cleans up')
    expect(role.child.exitCode).toBeNull()
    role.child.kill(second)
    expect(await role.ended).toBe(exit)
  })

  it('does not start without its key', async () => {
    const keys = new KeyFolder(join(folder(), 'keys'))
    keys.generate('poly')
    const role = await startRole({ ARBEES_KEYS_DIR: keys.dir })
    expect(await role.ended).toBe(4)
    expect(role.log()).toContain('arbees keys generate kalshi')
  }, 30_000)
})
