/** `arbees:health:<role>:<instance>`: the latest heartbeat of each publisher, gone 5 s after its last one. */

import type { Heartbeat } from '../messages/heartbeat.js'
import type { RedisClient } from '../redis/connection.js'
import { redisErrorCode } from '../redis/errors.js'
import type { RedisKeys } from '../redis/keys.js'
import type { Counters } from '../telemetry/counters.js'

const KEPT_MS = 5_000

export class HealthWriter {
  private latest = new Map<string, Heartbeat>()
  private writing = false

  constructor(
    private readonly redis: RedisClient,
    private readonly keys: RedisKeys,
    private readonly counters: Counters,
  ) {}

  note(heartbeat: Heartbeat): void {
    this.latest.set(heartbeat.publisher, heartbeat)
  }

  /** Writes what came since the last time and `own`, in one round trip; skipped while one is under way. */
  async write(own: Heartbeat): Promise<void> {
    if (this.writing) return
    this.writing = true
    const heartbeats = [...this.latest.values(), own]
    this.latest = new Map()
    try {
      const pipeline = this.redis.pipeline()
      for (const heartbeat of heartbeats) {
        pipeline.set(this.keys.health(heartbeat.publisher), JSON.stringify(heartbeat), 'PX', KEPT_MS)
      }
      for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error
    } catch (error) {
      this.counters.add('health_errors', redisErrorCode(error))
    } finally {
      this.writing = false
    }
  }
}
