/** Real servers for tests: started on free ports, killed by pid, and a proxy that can lose their answers. */
import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { Redis } from 'ioredis'
import { freePort } from '../free-port.js'
import type { RedisUser } from '../../../src/lib/redis/acl.js'
import { findRedisBinary } from '../../../src/lib/redis/private-server.js'

export { freePort }

export const SERVER = findRedisBinary(process.env['PATH'] ?? '') ?? 'redis-server'
const CLI = join(dirname(SERVER), basename(SERVER).replace('server', 'cli'))

/** A redis-server that a test may kill and start again on the same port: empty, unless it was told to save something. */
export class TestRedis {
  private child: ChildProcess | undefined
  /** Where it keeps what it is told to save. */
  readonly dir = mkdtempSync(join(tmpdir(), 'arbees-redis-'))
  /** Default ioredis, for looking only. */
  look!: Redis

  private constructor(
    readonly port: number,
    private readonly extra: readonly string[],
    private readonly password: string | undefined,
  ) {}

  static async start(extra: readonly string[] = [], password?: string): Promise<TestRedis> {
    const redis = new TestRedis(await freePort(), extra, password)
    await redis.start()
    return redis
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  get pid(): number {
    return this.child!.pid!
  }

  async start(): Promise<void> {
    const args = ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
    this.child = spawn(SERVER, [...args, '--dir', this.dir, ...this.extra], { stdio: 'ignore' })
    this.look?.disconnect()
    this.look = new Redis(this.port, '127.0.0.1', {
      ...(this.password === undefined ? {} : { password: this.password }),
      retryStrategy: () => 20,
      maxRetriesPerRequest: null,
    })
    this.look.on('error', () => undefined)
    await this.look.ping()
  }

  async kill(): Promise<void> {
    this.look.disconnect()
    const { child } = this
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = new Promise((done) => child.once('exit', done))
    child.kill('SIGKILL')
    await exited
  }

  /** What an operator's redis-cli prints. */
  cli(...args: readonly string[]): string {
    return execFileSync(CLI, ['-p', String(this.port), ...args], { encoding: 'utf8' }).trim()
  }

  /** What it prints of commands that are piped into it. */
  cliInput(input: string): string {
    return execFileSync(CLI, ['-p', String(this.port)], { encoding: 'utf8', input })
  }

  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.dir, { recursive: true, force: true })
  }
}

/** Their lines and a password each, as an operator gives them. */
export async function makeUsers(server: TestRedis, users: readonly RedisUser[]): Promise<void> {
  for (const { name, line } of users) {
    await server.look.call('ACL', ...line.split(' ').slice(1))
    await server.look.call('ACL', 'SETUSER', name, `>${loginOf(name).password}`)
  }
}

/** What a user of `makeUsers` logs in by. */
export const loginOf = (username: string) => ({ username, password: `password-of-${username}` })

/** A TCP proxy before Redis. It can lose the answers to one request and cut, or change what the server says. */
export class FaultyProxy {
  private readonly server = createServer((client) => this.serve(client))
  private readonly sockets = new Set<Socket>()
  /** Requests that contain this are carried out, their answers lost and the connection cut, so many times. */
  private loss: { readonly marker: string; times: number } | undefined
  rewrite: (text: string) => string = (text) => text
  /** What happens before the next request that contains this is passed on. */
  before: { readonly marker: string; readonly happens: () => Promise<unknown> } | undefined
  /** Of what the server says, so much passes in a second. */
  bytesPerSecond = Infinity
  lost = 0

  private constructor(private readonly target: number) {}

  static async start(target: number): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(target)
    await new Promise<void>((done) => proxy.server.listen(0, '127.0.0.1', done))
    return proxy
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  loseAnswersTo(marker: string, times = 1): void {
    this.loss = { marker, times }
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    await new Promise((done) => this.server.close(done))
  }

  private serve(client: Socket): void {
    const server = createConnection(this.target, '127.0.0.1')
    this.sockets.add(client).add(server)
    let losing = false
    const cut = () => {
      client.destroy()
      server.destroy()
    }
    for (const socket of [client, server]) socket.on('error', cut).on('close', cut)
    client.on('data', (data) => {
      if (this.loss !== undefined && this.loss.times > 0 && data.includes(this.loss.marker)) {
        this.loss.times--
        losing = true
      }
      const { before } = this
      if (before === undefined || !data.includes(before.marker)) return void server.write(data)
      this.before = undefined
      client.pause()
      void before.happens().then(() => {
        server.write(data)
        client.resume()
      })
    })
    server.on('data', (data) => {
      if (this.bytesPerSecond < Infinity) {
        server.pause()
        setTimeout(() => server.resume(), (1_000 * data.length) / this.bytesPerSecond)
      }
      if (!losing) return void client.write(this.rewrite(data.toString('latin1')), 'latin1')
      this.lost++
      // Let Redis finish whatever else it was sent, then cut.
      setTimeout(cut, 50)
    })
  }
}

export interface StreamEntry {
  readonly id: string
  readonly topic: string
  readonly data: Buffer
  readonly source: string
  readonly epoch: number
  readonly seq: number
}

/** Every entry of a stream of ours, data as bytes. */
export async function readStream(redis: Redis, key: string): Promise<StreamEntry[]> {
  const entries = await redis.xrangeBuffer(key, '-', '+')
  return entries.map(([id, fields]) => {
    const value = (name: string) =>
      fields[fields.findIndex((field, at) => at % 2 === 0 && field.equals(Buffer.from(name))) + 1]!
    return {
      id: id.toString(),
      topic: value('topic').toString(),
      data: value('data'),
      source: value('source').toString(),
      epoch: Number(value('epoch')),
      seq: Number(value('seq')),
    }
  })
}

export interface GapRecord {
  readonly channel: string
  readonly epoch: number
  readonly from: number
  readonly to: number | null
  readonly reason: string
}

export async function readGaps(redis: Redis, key = 'sim:arbees:gaps'): Promise<GapRecord[]> {
  const entries = await redis.xrange(key, '-', '+')
  return entries.map(([, fields]) => {
    const at = (name: string) => fields[fields.indexOf(name) + 1]!
    return {
      channel: at('channel'),
      epoch: Number(at('epoch')),
      from: Number(at('from')),
      to: at('to') === '' ? null : Number(at('to')),
      reason: at('reason'),
    }
  })
}
