/**
 * A Redis stream as plain as ioredis offers it: XADD and XREAD BLOCK, a reference that the bus is measured against,
 * without the gate, the checkpoint and the batches of the mirror.
 */

import { Redis } from 'ioredis'
import { placeOptions } from './client-options.js'
import { redisError } from './errors.js'
import { parseRedisUrl } from './url.js'

/** Kept, about. */
const MAX_LENGTH = 10_000
/** Entries of one answer at most. */
const COUNT = 1_000

export class PlainStream {
  private readonly redis: Redis
  private readonly shownUrl: string
  private closed = false

  /** Connects in the background. Throws `BAD_REDIS_URL`. */
  constructor(
    url: string,
    private readonly key: string,
  ) {
    const address = parseRedisUrl(url)
    this.shownUrl = address.shown
    this.redis = new Redis({
      ...placeOptions(address),
      disableClientInfo: true,
      retryStrategy: () => null,
    })
    // Reported by the command that fails of it.
    this.redis.on('error', () => undefined)
  }

  /** Hands one entry to the socket; resolves when Redis has it. */
  add(topic: string, text: string): Promise<unknown> {
    return this.redis.xadd(this.key, 'MAXLEN', '~', MAX_LENGTH, '*', 'topic', topic, 'data', text)
  }

  /** Hands on every entry, the oldest first, until `close`. Throws `REDIS_UNREACHABLE`. */
  async follow(onEntry: (topic: string, body: Buffer) => void): Promise<void> {
    let last = '0-0'
    while (!this.closed) {
      try {
        const reply = await this.redis.xreadBuffer('COUNT', COUNT, 'BLOCK', 0, 'STREAMS', this.key, last)
        for (const [id, fields] of entriesOf(reply)) {
          last = id.toString('latin1')
          const [, topic, , body] = fields
          if (topic !== undefined && body !== undefined) onEntry(topic.toString('utf8'), body)
        }
      } catch (error) {
        if (!this.closed) throw redisError(this.shownUrl, error)
      }
    }
  }

  close(): void {
    this.closed = true
    this.redis.disconnect()
  }
}

type Entry = readonly [id: Buffer, fields: readonly Buffer[]]

/** One stream was asked for. */
const entriesOf = (reply: unknown): readonly Entry[] =>
  (reply as readonly [readonly [Buffer, readonly Entry[]]] | null)?.[0][1] ?? []
