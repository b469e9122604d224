/** A Redis of its own, that a case may kill, pause and start again; looked at over a Unix socket, past every fault. */

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { findRedisBinary } from '../../src/lib/redis/private-server.js'

export interface RedisOptions {
  readonly name: string
  readonly dir: string
  readonly host: string
  readonly port: number
  readonly namespace?: string | undefined
}

export class RedisProcess {
  private child: ChildProcess | undefined
  private exited: Promise<void> = Promise.resolve()
  private connection: Redis | undefined

  constructor(private readonly options: RedisOptions) {}

  get url(): string {
    return `redis://${this.options.host}:${this.options.port}`
  }

  /** For looking. */
  get look(): Redis {
    if (this.connection === undefined) throw new Error(`${this.options.name} was not started`)
    return this.connection
  }

  /** Starts empty. */
  async start(): Promise<void> {
    const { dir, host, port, name, namespace } = this.options
    const path = join(dir, `${name}.sock`)
    const binary = findRedisBinary(process.env['PATH'] ?? '') ?? 'redis-server'
    const server = [
      ...[binary, '--port', String(port), '--bind', host, '--protected-mode', 'no', '--dir', dir],
      ...['--unixsocket', path, '--save', '', '--appendonly', 'no', '--logfile', join(dir, `${name}.log`)],
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

  pause(): void {
    this.child?.kill('SIGSTOP')
  }

  resume(): void {
    this.child?.kill('SIGCONT')
  }
}
