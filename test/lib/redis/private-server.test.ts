import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EXIT } from '../../../src/lib/core/errors.js'
import { connectRedis } from '../../../src/lib/redis/connection.js'
import { findRedisBinary, startPrivateRedis } from '../../../src/lib/redis/private-server.js'
import { until } from '../poll.js'

let dir: string
const cleanups: (() => void | Promise<void>)[] = []
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'arbees-private-'))
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  rmSync(dir, { recursive: true, force: true })
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // A zombie waits for its parent, but runs no more.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

describe('private redis', () => {
  it('answers on loopback, keeps nothing on disk, evicts nothing, logs where it was told', async () => {
    const notices: string[] = []
    const run = join(dir, 'run')
    const server = await startPrivateRedis({ dir: run, onNotice: (text) => notices.push(text) })
    cleanups.push(() => server.stop())
    const link = await connectRedis(server.url, 'test')
    cleanups.push(() => link.close())
    const config = async (name: string) => (await link.redis.config('GET', name))[1]
    expect(await link.redis.ping()).toBe('PONG')
    expect(await config('save')).toBe('')
    expect(await config('appendonly')).toBe('no')
    expect(await config('maxmemory-policy')).toBe('noeviction')
    expect(await config('bind')).toBe('127.0.0.1')
    expect(readFileSync(join(run, 'redis.log'), 'utf8')).toContain('Ready to accept connections')
    expect(notices.join()).toContain(server.url)
  })

  it('is gone after stop, which may be said twice', async () => {
    const server = await startPrivateRedis({ dir, onNotice: () => undefined })
    await server.stop()
    await server.stop()
    expect(isAlive(server.pid)).toBe(false)
    expect(existsSync(join(dir, 'dump.rdb'))).toBe(false)
  })

  it('says so when the server ends by itself', async () => {
    const notices: string[] = []
    const server = await startPrivateRedis({ dir, onNotice: (text) => notices.push(text) })
    process.kill(server.pid, 'SIGKILL')
    await until(() => notices.some((text) => text.includes('ended by itself')), 'it is told')
    await server.stop()
  })

  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'ends when the process that started it gets %s',
    async (signal) => {
      const source = (name: string) => pathToFileURL(resolve(import.meta.dirname, name)).href
      const script = `
      const { startPrivateRedis } = await import(${JSON.stringify(source('../../../src/lib/redis/private-server.ts'))})
      const server = await startPrivateRedis({ dir: ${JSON.stringify(dir)}, onNotice: () => undefined })
      console.log(server.pid)
      setInterval(() => undefined, 1000)`
      const parent = spawn(
        process.execPath,
        ['--import', source('../run-typescript.mjs'), '--input-type=module', '-e', script],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      )
      cleanups.push(() => void parent.kill('SIGKILL'))
      const line = await new Promise<string>((found) => createInterface(parent.stdout).once('line', found))
      const pid = Number(line)
      expect(isAlive(pid)).toBe(true)
      parent.kill(signal)
      await until(() => !isAlive(pid), 'the server is gone too')
    },
  )

  it('takes valkey-server where there is no redis-server', async () => {
    const real = findRedisBinary(process.env['PATH'] ?? '')!
    mkdirSync(join(dir, 'bin'))
    symlinkSync(real, join(dir, 'bin', 'valkey-server'))
    const path = `/nowhere:${join(dir, 'bin')}`
    const server = await startPrivateRedis({ dir, path, onNotice: () => undefined })
    cleanups.push(() => server.stop())
    expect(server.binary).toBe(join(dir, 'bin', 'valkey-server'))
  })

  it('says what to install where there is neither', async () => {
    await expect(startPrivateRedis({ dir, path: dir, onNotice: () => undefined })).rejects.toMatchObject({
      code: 'NO_REDIS',
      exit: EXIT.UNREACHABLE,
      hint: 'apt-get install redis-server',
    })
  })
})
