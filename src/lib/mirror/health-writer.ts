/** `arbees:health:<role>:<instance>`: the latest heartbeat of each publisher, gone 5 s after its last one. */

import type { Heartbeat } from '../messages/heartbeat.js'
import type { RedisClient } from '../redis/connection.js'
import { redisErrorCode } from '../redis/errors.js'
import type { RedisKeys } from '../redis/keys.js'
import type { Counters } from '../telemetry/counters.js'
import { OtherMirror } from './other-mirror.js'

/** Life of a key behind its last heartbeat. */
export const HEALTH_KEPT_MS = 5_000

export class HealthWriter {
  private latest = new Map<string, Heartbeat>()
  private writing: Promise<void> | undefined
  private readonly others = new OtherMirror()

  constructor(
    private readonly redis: RedisClient,
    private readonly keys: RedisKeys,
    private readonly counters: Counters,
  ) {}

  note(heartbeat: Heartbeat): void {
    this.latest.set(heartbeat.publisher, heartbeat)
  }

  /** Of another mirror that writes to the same Redis; undefined while there is none. Our monotonic clock. */
  otherMirror(nowMs: number): Heartbeat | undefined {
    return this.others.at(nowMs)
  }

  /** Writes what came since the last time and `own`, in one round trip; skipped while one is under way. */
  async write(own: Heartbeat): Promise<void> {
    this.writing ??= this.exchange(own).finally(() => (this.writing = undefined))
    await this.writing
  }

  /** As `write`, and never skipped: the last word. */
  async writeLast(own: Heartbeat): Promise<void> {
    await this.writing
    await this.write(own)
  }

  private async exchange(own: Heartbeat): Promise<void> {
    const heartbeats = [...this.latest.values()]
    this.latest = new Map()
    try {
      const ownText = JSON.stringify(own)
      const ownKey = this.keys.health(own.publisher)
      const pipeline = this.redis.pipeline().get(ownKey).set(ownKey, ownText, 'PX', HEALTH_KEPT_MS)
      for (const heartbeat of heartbeats) {
        pipeline.set(this.keys.health(heartbeat.publisher), JSON.stringify(heartbeat), 'PX', HEALTH_KEPT_MS)
      }
      const replies = (await pipeline.exec()) ?? []
      const held = replies[0]?.[1]
      this.others.look(typeof held === 'string' ? held : null, ownText, own.mono_us / 1000)
      for (const [error] of replies) if (error !== null) throw error
    } catch (error) {
      this.counters.add('health_errors', redisErrorCode(error))
    }
  }
}
