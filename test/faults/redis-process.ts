/**
 * A Redis of its own, that a case may kill, pause, start again and set back to an older dump; looked at over a Unix
 * socket, past every fault.
 */

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { until } from '../lib/poll.js'
import { findRedisBinary } from '../../src/lib/redis/private-server.js'

/** When its append-only file is synced; `none`: there is no file, and a start begins empty or with a dump. */
export type AppendSync = 'always' | 'everysec' | 'none'

export interface RedisOptions {
  readonly name: string
  readonly dir: string
  readonly host: string
  readonly port: number
  readonly namespace?: string | undefined
  /** `none` unless said. */
  readonly appendSync?: AppendSync | undefined
}

export class RedisProcess {
  private child: ChildProcess | undefined
  private exited: Promise<void> = Promise.resolve()
  private connection: Redis | undefined

  constructor(private readonly options: RedisOptions) {}

  get name(): string {
    return this.options.name
  }

  get host(): string {
    return this.options.host
  }

  get port(): number {
    return this.options.port
  }

  /** For looking. */
  get look(): Redis {
    if (this.connection === undefined) throw new Error(`${this.options.name} was not started`)
    return this.connection
  }

  /** Starts with what its files hold; resolves when that is loaded. */
  async start(): Promise<void> {
    const { dir, host, port, name, namespace, appendSync = 'none' } = this.options
    const path = join(dir, `${name}.sock`)
    const binary = findRedisBinary(process.env['PATH'] ?? '') ?? 'redis-server'
    mkdirSync(this.filesDir, { recursive: true })
    const server = [
      ...[binary, '--port', String(port), '--bind', host, '--protected-mode', 'no', '--dir', this.filesDir],
      ...['--unixsocket', path, '--save', '', '--logfile', join(dir, `${name}.log`)],
      ...(appendSync === 'none'
        ? ['--appendonly', 'no']
        : ['--appendonly', 'yes', '--appendfsync', appendSync]),
    ]
    const [file = '', ...args] =
      namespace === undefined ? server : ['ip', 'netns', 'exec', namespace, ...server]
    const child = spawn(file, args, { stdio: 'ignore' })
    this.child = child
    this.exited = new Promise((done) => {
      child.once('error', () => done())
      child.once('exit', () => done())
    })
    this.connection?.disconnect()
    this.connection = new Redis({ path, retryStrategy: () => 20, maxRetriesPerRequest: null })
    this.connection.on('error', () => undefined)
    await this.connection.ping()
  }

  async kill(): Promise<void> {
    this.connection?.disconnect()
    this.child?.kill('SIGKILL')
    await this.exited
  }

  /** Dumps what it holds now. */
  async backUp(): Promise<void> {
    await this.look.save()
    copyFileSync(this.dump, `${this.dump}.old`)
  }

  /** The next start begins with the dump of `backUp`. Only while it is dead. */
  restore(): void {
    rmSync(this.dump, { force: true })
    copyFileSync(`${this.dump}.old`, this.dump)
  }

  /** Read-only from now on, with what the other holds; resolves when it has all that. */
  async follow({ host, port }: RedisProcess): Promise<void> {
    await this.look.replicaof(host, port)
    const isLinked = async () => (await this.look.info('replication')).includes('master_link_status:up')
    await until(isLinked, `${this.name} follows port ${port}`)
  }

  /** A primary of its own from now on. */
  async takeOver(): Promise<void> {
    await this.look.replicaof('NO', 'ONE')
  }

  pause(): void {
    this.child?.kill('SIGSTOP')
  }

  resume(): void {
    this.child?.kill('SIGCONT')
  }

  private get filesDir(): string {
    return join(this.options.dir, this.options.name)
  }

  private get dump(): string {
    return join(this.filesDir, 'dump.rdb')
  }
}
