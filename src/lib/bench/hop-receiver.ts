/** The reading end of the hop benchmark: our subscriber, or Redis pub/sub with the same checks behind it. */

import type { BusKeys } from '../bus/curve.js'
import { sourcesOf } from '../bus/endpoints.js'
import { SequenceTracker } from '../bus/sequence-tracker.js'
import { Subscriber } from '../bus/subscriber.js'
import { systemClock } from '../core/clock.js'
import { decode } from '../messages/codec.js'
import type { Header } from '../messages/payloads.js'
import { RedisPubSub } from '../redis/pubsub.js'
import { HOP_ENV, HOP_PREFIX, HOP_PUBLISHER } from './hop-messages.js'
import type { BusTransport, Transport } from './hop-messages.js'
import type { HopWindow } from './hop-window.js'

export class HopReceiver {
  private readonly windows: Partial<Record<Transport, HopWindow>> = {}
  private readonly subscribers: Subscriber[] = []
  private redis: RedisPubSub | undefined

  /** Resolves when the publisher's heartbeat arrives: the subscription stands. */
  join(transport: BusTransport, url: string, keys?: BusKeys): Promise<void> {
    return new Promise((resolve) => {
      const subscriber = new Subscriber({
        endpoints: [{ publisher: HOP_PUBLISHER, url, sources: sourcesOf(HOP_PUBLISHER) }],
        prefixes: [HOP_PREFIX],
        env: HOP_ENV,
        clock: systemClock,
        ...(keys === undefined ? {} : { keys }),
        onMessage: ({ message }) => this.record(transport, message.header),
        onHeartbeat: () => resolve(),
      })
      this.subscribers.push(subscriber)
    })
  }

  /** Throws `REDIS_UNREACHABLE`. */
  async joinRedis(url: string): Promise<void> {
    this.redis = new RedisPubSub(url)
    await this.redis.liftSubscriberLimit()
    const tracker = new SequenceTracker(() => true)
    await this.redis.subscribe(`${HOP_PREFIX}*`, (topic, bytes) => {
      const decoded = decode(topic, bytes, HOP_ENV)
      if (decoded.kind !== 'message') return
      const { header } = decoded.message
      if (tracker.observe(header, topic, () => undefined).kind !== 'duplicate') this.record('redis', header)
    })
  }

  /** Where the messages of a transport are noted from now on. */
  watch(transport: Transport, window: HopWindow): void {
    this.windows[transport] = window
  }

  close(): void {
    for (const subscriber of this.subscribers) subscriber.close()
    this.redis?.close()
  }

  private record(transport: Transport, { seq, stamps }: Header): void {
    const nowUs = systemClock.monoUs()
    this.windows[transport]?.record(seq, stamps.recv ?? nowUs, stamps.pub ?? nowUs, nowUs)
  }
}
