/** Asks Redis for the heartbeats that the mirror keeps there, several times a second. */

import { parseHeartbeat } from '../messages/heartbeat.js'
import type { Heartbeat } from '../messages/heartbeat.js'
import { RedisLink } from '../redis/connection.js'
import type { RedisKeys } from '../redis/keys.js'

export interface HealthReaderOptions {
  readonly redisUrl: string
  /** Shown by `CLIENT LIST`. */
  readonly name: string
  readonly keys: RedisKeys
  readonly publishers: readonly string[]
  /** What the key of that publisher holds now; the same again while nobody writes it. */
  readonly onHeartbeat: (heartbeat: Heartbeat, publisher: string) => void
  /** A key that holds no heartbeat. */
  readonly onUnreadable: (publisher: string) => void
}

const ASK_MS = 100

export class HealthReader {
  private readonly link: RedisLink
  private readonly timer: NodeJS.Timeout
  private isAsking = false

  /** Connects in the background and keeps trying. Throws `BAD_REDIS_URL`. */
  constructor(private readonly options: HealthReaderOptions) {
    this.link = new RedisLink({ url: options.redisUrl, name: options.name })
    this.timer = setInterval(() => void this.ask(), ASK_MS)
  }

  close(): void {
    clearInterval(this.timer)
    this.link.close()
  }

  /** What fails is asked for again: without heartbeats no quote is believed. */
  private async ask(): Promise<void> {
    if (this.isAsking || !this.link.isUp) return
    this.isAsking = true
    const { publishers, keys } = this.options
    const texts = await this.link.redis
      .mget(publishers.map((publisher) => keys.health(publisher)))
      .catch(() => [])
    this.isAsking = false
    publishers.forEach((publisher, i) => {
      const text = texts[i]
      if (typeof text === 'string') this.read(text, publisher)
    })
  }

  private read(text: string, publisher: string): void {
    const heartbeat = parseHeartbeat(text)
    if (heartbeat === undefined) this.options.onUnreadable(publisher)
    else this.options.onHeartbeat(heartbeat, publisher)
  }
}
