/** Prices through our own publisher. */

import type { Publisher } from '../bus/publisher.js'
import { pricesSource } from '../messages/sources.js'
import type { Venue } from '../model/venue.js'
import type { Sink } from './pacing.js'
import { PriceWalk } from './price-walk.js'

export class BusSink implements Sink {
  private readonly walk: PriceWalk
  private readonly channel

  constructor(publisher: Publisher, venue: Venue) {
    this.walk = new PriceWalk(undefined, venue)
    this.channel = publisher.channel(pricesSource(venue))
  }

  get nextSeq(): number {
    return this.channel.nextSeq
  }

  publish(dueUs: number): void {
    const { topic, payload, topLevel } = this.walk.next()
    this.channel.publish(topic, payload, { stamps: { recv: dueUs }, topLevel })
  }

  flushed(): Promise<unknown> {
    return Promise.resolve()
  }
}
