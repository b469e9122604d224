/** What our publisher does beside its channels, over a broker: a heartbeat every 200 ms. */

import { systemClock } from '../core/clock.js'
import { hostId } from '../core/ids.js'
import { HEARTBEAT_MS } from '../messages/heartbeat.js'
import type { FeedBeat, Heartbeat } from '../messages/heartbeat.js'
import { healthTopic } from '../messages/topics.js'
import type { Env } from '../model/venue.js'
import type { BrokerLink } from './brokers.js'
import { PlainChannel } from './plain-channel.js'

export interface PlainPublisherOptions {
  readonly name: string
  readonly env: Env
  readonly sources: readonly string[]
  readonly link: BrokerLink
  readonly feeds: () => readonly FeedBeat[]
}

export class PlainPublisher {
  private readonly channels: ReadonlyMap<string, PlainChannel>

  constructor(private readonly options: PlainPublisherOptions) {
    const { sources, env, link } = options
    this.channels = new Map(
      sources.map((source) => [
        source,
        new PlainChannel(source, env, (topic, text) => link.publish(topic, text)),
      ]),
    )
    setInterval(() => this.beat(), HEARTBEAT_MS)
  }

  channel(source: string): PlainChannel {
    const channel = this.channels.get(source)
    if (channel === undefined) throw new RangeError(`no channel '${source}'`)
    return channel
  }

  private beat(): void {
    const { name, env, link, feeds } = this.options
    const heartbeat: Heartbeat = {
      v: 1,
      publisher: name,
      env,
      host: hostId(),
      pid: process.pid,
      timestamp_ms: systemClock.nowMs(),
      mono_us: systemClock.monoUs(),
      channels: [...this.channels.values()].map(({ source, epoch, nextSeq }) => ({
        source,
        epoch,
        last_seq: nextSeq - 1,
        oldest: null,
        journal: 'none',
      })),
      feeds: feeds(),
      counts: {},
      hops: {},
      closing: false,
    }
    link.publish(healthTopic(name), JSON.stringify(heartbeat))
  }
}
