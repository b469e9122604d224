/**
 * `PUBLISH` for readers of the first design: sent once a loop turn, never awaited, nothing kept while Redis is away.
 * What was published and what was dropped is counted; nothing of ours reads it.
 */

import type { ArbeesError } from '../core/errors.js'
import { RedisLink } from './connection.js'
import { redisErrorCode } from './errors.js'

export interface BestEffortPublisherOptions {
  readonly url: string
  /** Shown by `CLIENT LIST`. */
  readonly name: string
  /** Bodies of one turn that Redis took. */
  readonly onPublished: (count: number) => void
  /** Bodies that it did not, with a stable reason: `DISCONNECTED`, `SLOW`, a code of the server. */
  readonly onDropped: (count: number, reason: string) => void
  readonly onDown?: (error: ArbeesError) => void
}

/** Unanswered bodies beyond so many are dropped: a slow Redis must not fill our memory. */
const MAX_UNANSWERED = 10_000

export class BestEffortPublisher {
  private readonly link: RedisLink
  private turn: [channel: string, body: string][] = []
  private unanswered = 0

  /** Connects in the background and keeps trying. Throws `BAD_REDIS_URL`. */
  constructor(private readonly options: BestEffortPublisherOptions) {
    const { url, name, onDown } = options
    // What a replica is told to publish, its master's subscribers never hear.
    this.link = new RedisLink({ url, name, writes: true, ...(onDown === undefined ? {} : { onDown }) })
  }

  /** Returns at once and never throws. */
  publish(channel: string, body: string): void {
    if (!this.link.isUp) return this.options.onDropped(1, 'DISCONNECTED')
    if (this.unanswered >= MAX_UNANSWERED) return this.options.onDropped(1, 'SLOW')
    this.unanswered++
    if (this.turn.push([channel, body]) === 1) setImmediate(() => void this.flush())
  }

  close(): void {
    this.link.close()
  }

  /** One write for all of a turn: a message costs the hot path no system call of its own. */
  private async flush(): Promise<void> {
    const { turn, options } = this
    this.turn = []
    try {
      const pipeline = this.link.redis.pipeline()
      for (const [channel, body] of turn) pipeline.publish(channel, body)
      const replies = (await pipeline.exec()) ?? []
      const failed = replies.filter(([error]) => error !== null)
      if (turn.length > failed.length) options.onPublished(turn.length - failed.length)
      for (const [error] of failed) options.onDropped(1, redisErrorCode(error))
    } catch (error) {
      options.onDropped(turn.length, redisErrorCode(error))
    } finally {
      this.unanswered -= turn.length
    }
  }
}
