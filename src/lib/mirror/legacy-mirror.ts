/**
 * Senders of the first design on their way into Redis: no seq, so no checkpoint, no gap check and no second try (it
 * could double). What is lost is counted.
 */

import type { RedisClient } from '../redis/connection.js'
import { redisErrorCode } from '../redis/errors.js'
import type { Counters } from '../telemetry/counters.js'

export interface LegacyEntry {
  readonly stream: string
  readonly source: string
  readonly topic: string
  readonly data: Buffer
}

export interface LegacyMirrorOptions {
  readonly redis: RedisClient
  readonly isUp: () => boolean
  readonly counters: Counters
  readonly maxLength: number
}

const BATCH = 512
/** Bounds of what waits while Redis is away: records, and bytes of them. */
const QUEUE = 10_000
const QUEUE_BYTES = 16 * 1024 * 1024

export class LegacyMirror {
  private queue: LegacyEntry[] = []
  private bytes = 0
  private running = false

  constructor(private readonly options: LegacyMirrorOptions) {}

  get pending(): number {
    return this.queue.length
  }

  add(entry: LegacyEntry): void {
    this.options.counters.add('unguarded')
    this.queue.push(entry)
    this.bytes += entry.data.length
    while (this.queue.length > QUEUE || this.bytes > QUEUE_BYTES) {
      this.bytes -= this.queue.shift()?.data.length ?? 0
      this.options.counters.add('unguarded_lost', 'overflow')
    }
    this.resume()
  }

  /** Call when Redis is there again. */
  resume(): void {
    if (!this.running) void this.run()
  }

  private async run(): Promise<void> {
    this.running = true
    while (this.queue.length > 0 && this.options.isUp()) {
      const batch = this.queue.slice(0, BATCH)
      this.queue = this.queue.slice(BATCH)
      for (const { data } of batch) this.bytes -= data.length
      await this.write(batch)
    }
    this.running = false
  }

  private async write(batch: readonly LegacyEntry[]): Promise<void> {
    const { redis, counters, maxLength } = this.options
    const pipeline = redis.pipeline()
    for (const { stream, source, topic, data } of batch) {
      const fields = ['topic', topic, 'data', data, 'source', source, 'epoch', '0', 'seq', '0']
      pipeline.xadd(stream, 'MAXLEN', '~', maxLength, '*', ...fields)
    }
    try {
      for (const [error] of (await pipeline.exec()) ?? []) {
        if (error === null) counters.add('unguarded_mirrored')
        else counters.add('unguarded_lost', redisErrorCode(error))
      }
    } catch (error) {
      counters.add('unguarded_lost', redisErrorCode(error), batch.length)
    }
  }
}
