/** The reading end of the hop benchmark: our subscriber, or a broker with the same checks behind it. */

import type { BusKeys } from '../bus/curve.js'
import { sourcesOf } from '../bus/endpoints.js'
import { Subscriber } from '../bus/subscriber.js'
import { systemClock } from '../core/clock.js'
import type { Header } from '../messages/payloads.js'
import { connectBroker } from './brokers.js'
import type { BrokerLink } from './brokers.js'
import { HOP_ENV, HOP_PREFIX, HOP_PUBLISHER } from './hop-messages.js'
import type { BrokerPlace, BusTransport, Transport } from './hop-messages.js'
import type { HopWindow } from './hop-window.js'
import { PlainReader } from './plain-reader.js'

export class HopReceiver {
  private readonly windows: Partial<Record<Transport, HopWindow>> = {}
  private readonly subscribers: Subscriber[] = []
  private readonly brokers: BrokerLink[] = []

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

  /** Resolves when the subscription stands. Throws where the broker does not answer. */
  async joinBroker(place: BrokerPlace): Promise<void> {
    const link = await connectBroker(place)
    this.brokers.push(link)
    const reader = new PlainReader(HOP_ENV, ({ header }) => this.record(place.transport, header))
    await link.subscribe([HOP_PREFIX], (topic, bytes) => reader.read(topic, bytes))
  }

  /** Where the messages of a transport are noted from now on. */
  watch(transport: Transport, window: HopWindow): void {
    this.windows[transport] = window
  }

  close(): void {
    for (const subscriber of this.subscribers) subscriber.close()
    for (const link of this.brokers) link.close()
  }

  private record(transport: Transport, { seq, stamps }: Header): void {
    const nowUs = systemClock.monoUs()
    this.windows[transport]?.record(seq, stamps.recv ?? nowUs, stamps.pub ?? nowUs, nowUs)
  }
}
