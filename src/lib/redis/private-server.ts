/** A Redis of our own on a free loopback port, without persistence, that ends when this process does. */

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { accessSync, constants, mkdirSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, join, resolve } from 'node:path'
import { ArbeesError, EXIT, messageOf } from '../core/errors.js'
import { checkRedis } from './connection.js'
import { KEEPER_SCRIPT } from './keeper.js'

/** Looked for on PATH, in this order. */
const BINARIES = ['redis-server', 'valkey-server']
const START_MS = 10_000
/** Another process may take the free port before the server does. */
const ATTEMPTS = 3

export interface PrivateRedisOptions {
  /** Where its log goes; created when missing. */
  readonly dir: string
  /** A line for people: started, ended by itself. */
  readonly onNotice: (text: string) => void
  /** Where to look for the server; PATH when not said. */
  readonly path?: string
}

export interface PrivateRedis {
  readonly url: string
  readonly version: string
  /** Path of the server that runs. */
  readonly binary: string
  readonly pid: number
  /** Ends it; safe to call twice. */
  stop(): Promise<void>
}

/** Starts it and waits until it answers. Throws `NO_REDIS`, `PRIVATE_REDIS_FAILED` (both exit 6). */
export async function startPrivateRedis(options: PrivateRedisOptions): Promise<PrivateRedis> {
  const binary = findRedisBinary(options.path ?? process.env['PATH'] ?? '')
  if (binary === undefined) {
    throw new ArbeesError('NO_REDIS', `neither ${BINARIES.join(' nor ')} is on PATH`, {
      exit: EXIT.UNREACHABLE,
      hint: 'apt-get install redis-server',
    })
  }
  const dir = resolve(options.dir)
  mkdirSync(dir, { recursive: true })
  let failure = ''
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      return await startOnce(binary, dir, options.onNotice)
    } catch (error) {
      failure = messageOf(error)
    }
  }
  throw new ArbeesError('PRIVATE_REDIS_FAILED', `${binary} did not start: ${failure}`, {
    exit: EXIT.UNREACHABLE,
    hint: `see ${join(dir, 'redis.log')}`,
  })
}

async function startOnce(
  binary: string,
  dir: string,
  onNotice: (text: string) => void,
): Promise<PrivateRedis> {
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  const kept = new KeptServer(binary, serverArguments(port, dir))
  try {
    const pid = await kept.pid
    const { version, pid: answering } = await Promise.race([checkRedis(url, START_MS), kept.failed])
    if (answering !== pid) throw new Error(`port ${port} belongs to another Redis`)
    kept.unref()
    onNotice(`private Redis ${version} at ${url} (${binary}, pid ${pid})`)
    void kept.ended.then(() => {
      if (!kept.stopping)
        onNotice(`the private Redis at ${url} ended by itself: see ${join(dir, 'redis.log')}`)
    })
    return { url, version, binary, pid, stop: () => kept.stop() }
  } catch (error) {
    await kept.stop()
    throw error
  }
}

/** The keeper and the server behind it. */
class KeptServer {
  readonly pid: Promise<number>
  /** Resolves when keeper and server are gone. */
  readonly ended: Promise<void>
  /** Rejects when they end. */
  readonly failed: Promise<never>
  stopping = false
  private readonly keeper: ChildProcess
  private serverPid: number | undefined

  constructor(binary: string, args: readonly string[]) {
    this.keeper = spawn(process.execPath, ['-e', KEEPER_SCRIPT, binary, ...args], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      detached: true,
      env: { PATH: process.env['PATH'] },
    })
    this.ended = new Promise((done) => {
      this.keeper.once('error', () => done())
      this.keeper.once('exit', (_code, signal) => {
        // It ends after its server, unless it was killed.
        if (signal !== null && this.serverPid !== undefined) killIfAlive(this.serverPid)
        done()
      })
    })
    this.failed = this.ended.then(() => {
      throw new Error('it ended at once')
    })
    this.failed.catch(() => undefined)
    this.pid = Promise.race([
      new Promise<number>((found, refuse) => {
        this.keeper.once('message', (message: { readonly pid?: number; readonly error?: string }) => {
          this.serverPid = message.pid
          if (message.pid === undefined) refuse(new Error(message.error ?? 'no pid'))
          else found(message.pid)
        })
      }),
      this.failed,
    ])
    this.pid.catch(() => undefined)
  }

  /** Once it runs it does not keep us alive: what ends us ends it. */
  unref(): void {
    this.keeper.unref()
    this.keeper.channel?.unref()
  }

  async stop(): Promise<void> {
    this.stopping = true
    if (this.keeper.connected) this.keeper.disconnect()
    this.keeper.ref()
    await this.ended
  }
}

/** The first of `redis-server` and `valkey-server` that can be run; `path` is a PATH. */
export function findRedisBinary(path: string): string | undefined {
  for (const name of BINARIES) {
    for (const folder of path.split(delimiter).filter((part) => part !== '')) {
      const candidate = join(folder, name)
      if (isExecutable(candidate)) return candidate
    }
  }
  return undefined
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

const serverArguments = (port: number, dir: string): string[] => [
  ...['--port', String(port), '--bind', '127.0.0.1', '--protected-mode', 'yes', '--daemonize', 'no'],
  ...['--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction'],
  ...['--dir', dir, '--logfile', join(dir, 'redis.log')],
]

function freePort(): Promise<number> {
  return new Promise((found, refuse) => {
    const probe = createServer()
    probe.once('error', refuse)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => {
        if (typeof address === 'object' && address !== null) found(address.port)
        else refuse(new Error('no free port'))
      })
    })
  })
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Gone already, as it should be.
  }
}
