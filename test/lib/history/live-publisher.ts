/** A real publisher with its journal, for what follows it. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import { codeOf } from '../../../src/lib/core/errors.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import type { LivePastOptions } from '../../../src/lib/history/live-past.js'
import { prices } from '../messages/samples.js'
import { until } from '../poll.js'
import { SOURCE } from './past-samples.js'

export class LivePublisher {
  readonly root = mkdtempSync(join(tmpdir(), 'arbees-live-'))
  private publisher!: Publisher
  private url = 'tcp://127.0.0.1:*'
  private recoveryUrl = 'tcp://127.0.0.1:*'

  static async start(): Promise<LivePublisher> {
    const publisher = new LivePublisher()
    await publisher.start()
    return publisher
  }

  /** Where it was before, in its next epoch. */
  async start(): Promise<void> {
    const { root, url, recoveryUrl } = this
    const journal = { root, retainBytes: 128 * 1024 * 1024 }
    const options = { name: 'kalshi', url, recoveryUrl, env: 'sim', clock: systemClock, journal } as const
    let publisher: Publisher | undefined
    await until(async () => {
      publisher = await Publisher.bind({ ...options, sources: [SOURCE] }).catch((error: unknown) => {
        // libzmq lets go of a port some time after it was told to.
        if (codeOf(error) !== 'PORT_IN_USE') throw error
        return undefined
      })
      return publisher !== undefined
    }, 'its ports are free')
    this.publisher = publisher!
    this.url = this.publisher.url
    this.recoveryUrl = this.publisher.recoveryUrl ?? ''
  }

  get epoch(): number {
    return this.publisher.channel(SOURCE).epoch
  }

  get lastSeq(): number {
    return this.publisher.channel(SOURCE).lastSeq
  }

  /** How its readers find it. */
  get reader(): LivePastOptions['reader'] {
    return {
      name: 'test',
      redisUrl: 'redis://127.0.0.1:1',
      endpoints: [{ publisher: 'kalshi', url: this.url, recoveryUrl: this.recoveryUrl, sources: [SOURCE] }],
      prefixes: ['prices.kalshi.'],
      env: 'sim',
      clock: systemClock,
      keys: undefined,
    }
  }

  publish(count: number, selection = 'UTA'): void {
    for (let i = 0; i < count; i++) {
      this.publisher.channel(SOURCE).publish('prices.kalshi.KX', { ...prices, market_id: 'KX', selection })
    }
  }

  stop(): void {
    this.publisher.close()
  }

  remove(): void {
    this.stop()
    rmSync(this.root, { recursive: true, force: true })
  }
}
