/** The brokers that our bus is compared with, as both ends of the benchmark use them: publish, and hand on what comes. */

import { PlainStream } from '../redis/plain-stream.js'
import { RedisPubSub } from '../redis/pubsub.js'
import type { BrokerPlace } from './hop-messages.js'
import { NatsClient } from './nats-client.js'

const STREAM = 'arbees:bench'

export interface BrokerLink {
  publish(topic: string, text: string): void
  /** Resolves when what was published has reached the broker. */
  flushed(): Promise<unknown>
  /** All topics that begin with one of the prefixes, each ending in a dot. Resolves when the subscription stands. */
  subscribe(prefixes: readonly string[], onMessage: (topic: string, body: Buffer) => void): Promise<void>
  close(): void
}

/** Throws where the broker does not answer. */
export async function connectBroker({ transport, redisUrl, natsPort }: BrokerPlace): Promise<BrokerLink> {
  switch (transport) {
    case 'redis':
      return redisPubSub(new RedisPubSub(redisUrl))
    case 'redis-streams':
      return redisStream(new PlainStream(redisUrl, STREAM))
    case 'nats': {
      const client = await NatsClient.connect(natsPort)
      return {
        publish: (topic, text) => client.publish(topic, text),
        flushed: () => client.flushed(),
        subscribe: (prefixes, onMessage) =>
          client.subscribe(
            prefixes.map((prefix) => `${prefix}>`),
            onMessage,
          ),
        close: () => client.close(),
      }
    }
  }
}

function redisPubSub(redis: RedisPubSub): BrokerLink {
  let last: Promise<unknown> = Promise.resolve()
  return {
    publish: (topic, text) => {
      last = redis.publish(topic, text).catch(() => undefined)
    },
    flushed: () => last,
    subscribe: async (prefixes, onMessage) => {
      await redis.liftSubscriberLimit()
      await redis.subscribe(
        prefixes.map((prefix) => `${prefix}*`),
        onMessage,
      )
    },
    close: () => redis.close(),
  }
}

function redisStream(stream: PlainStream): BrokerLink {
  let last: Promise<unknown> = Promise.resolve()
  return {
    publish: (topic, text) => {
      last = stream.add(topic, text).catch(() => undefined)
    },
    flushed: () => last,
    subscribe: (_prefixes, onMessage) => {
      stream.follow(onMessage).catch(() => undefined)
      return Promise.resolve()
    },
    close: () => stream.close(),
  }
}
