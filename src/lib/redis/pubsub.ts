/**
 * Redis pub/sub as plain as ioredis offers it: the reference that the bus is measured against, without the deadlines
 * and checks of `RedisLink` that would slow it.
 */

import { Redis } from 'ioredis'
import { placeOptions } from './client-options.js'
import { redisError } from './errors.js'
import { parseRedisUrl } from './url.js'

export class RedisPubSub {
  private readonly redis: Redis
  private readonly shownUrl: string

  /** Connects in the background. Throws `BAD_REDIS_URL`. */
  constructor(url: string) {
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

  /** Hands one message to the socket; resolves to the number of subscribers that Redis sent it to. */
  publish(channel: string, text: string): Promise<number> {
    return this.redis.publish(channel, text)
  }

  /** Subscribes to patterns; resolves when Redis confirmed them. Throws `REDIS_UNREACHABLE`. */
  async subscribe(
    patterns: readonly string[],
    onMessage: (channel: string, body: Buffer) => void,
  ): Promise<void> {
    this.redis.on('pmessageBuffer', (_pattern: Buffer, channel: Buffer, body: Buffer) => {
      onMessage(channel.toString('utf8'), body)
    })
    try {
      await this.redis.psubscribe(...patterns)
    } catch (error) {
      throw redisError(this.shownUrl, error)
    }
  }

  /** Processor time that the server has used since its start, us. Throws `REDIS_UNREACHABLE`. */
  async serverCpuUs(): Promise<number> {
    try {
      const info = await this.redis.info('cpu')
      const seconds = (name: string) => Number(new RegExp(`^${name}:([0-9.]+)`, 'm').exec(info)?.[1] ?? 0)
      return Math.round((seconds('used_cpu_sys') + seconds('used_cpu_user')) * 1e6)
    } catch (error) {
      throw redisError(this.shownUrl, error)
    }
  }

  /** Lets Redis queue without bound for subscribers that fall behind: for a private server alone. */
  async liftSubscriberLimit(): Promise<void> {
    try {
      await this.redis.config('SET', 'client-output-buffer-limit', 'pubsub 0 0 0')
    } catch (error) {
      throw redisError(this.shownUrl, error)
    }
  }

  close(): void {
    this.redis.disconnect()
  }
}
