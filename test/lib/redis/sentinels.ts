/** Sentinels of a test: real processes that watch a master and name another one when it is gone. */

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { until } from '../poll.js'
import { SERVER, freePort } from './support.js'

export const MASTER = 'mymaster'

export interface SentinelOptions {
  readonly quorum: number
  readonly downAfterMs: number
  /** More lines of its configuration. */
  readonly lines?: readonly string[]
}

export class TestSentinel {
  private readonly look: Redis

  private constructor(
    readonly port: number,
    private readonly dir: string,
    private readonly child: ChildProcess,
    password: string | undefined,
  ) {
    this.look = new Redis(port, '127.0.0.1', {
      ...(password === undefined ? {} : { password }),
      retryStrategy: () => 20,
      maxRetriesPerRequest: null,
    })
    this.look.on('error', () => undefined)
  }

  static async start(
    masterPort: number,
    { quorum, downAfterMs, lines = [] }: SentinelOptions,
    password?: string,
  ): Promise<TestSentinel> {
    const port = await freePort()
    const dir = mkdtempSync(join(tmpdir(), 'arbees-sentinel-'))
    const path = join(dir, 'sentinel.conf')
    const config = [
      ...[`port ${port}`, 'bind 127.0.0.1', `dir ${dir}`],
      `sentinel monitor ${MASTER} 127.0.0.1 ${masterPort} ${quorum}`,
      `sentinel down-after-milliseconds ${MASTER} ${downAfterMs}`,
      // A second failover may follow after twice this time.
      `sentinel failover-timeout ${MASTER} ${downAfterMs * 2}`,
      ...(password === undefined ? [] : [`requirepass ${password}`]),
      ...lines,
    ]
    writeFileSync(path, `${config.join('\n')}\n`)
    const child = spawn(SERVER, [path, '--sentinel'], { stdio: 'ignore' })
    const sentinel = new TestSentinel(port, dir, child, password)
    await sentinel.look.ping()
    return sentinel
  }

  get pid(): number {
    return this.child.pid!
  }

  /** Port of the master that it names. */
  async masterPort(): Promise<number> {
    const address = (await this.look.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER)) as string[]
    return Number(address[1])
  }

  /** Until it could replace the master: it knows so many replicas that are in order, and so many other Sentinels. */
  async ready(replicas: number, others = 0): Promise<void> {
    await until(
      async () => {
        const known = (await this.look.call('SENTINEL', 'REPLICAS', MASTER)) as string[][]
        const fit = known.filter((fields) => {
          const field = (name: string) => fields[fields.indexOf(name) + 1]
          return field('master-link-status') === 'ok' && field('flags') === 'slave'
        })
        const sentinels = (await this.look.call('SENTINEL', 'SENTINELS', MASTER)) as string[][]
        return fit.length >= replicas && sentinels.length >= others
      },
      `the Sentinel knows ${replicas} replicas and ${others} Sentinels`,
      20_000,
    )
  }

  async stop(): Promise<void> {
    this.look.disconnect()
    const { child } = this
    const exited = new Promise((done) => child.once('exit', done))
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await exited
    }
    rmSync(this.dir, { recursive: true, force: true })
  }
}
