/** Which channels a merged past was made of, and what of the quotes is missing in it. */

import { isUnguarded } from '../history/past.js'
import type { PastItem } from '../history/past.js'
import { orderbookSource, pricesSource } from '../messages/sources.js'
import { VENUES } from '../model/venue.js'

export interface ChannelRead {
  readonly source: string
  readonly messages: number
  /** Of its first and its last message, its publisher's wall clock, Unix ms. */
  readonly first_ms: number
  readonly last_ms: number
}

/** Without one of these there is nothing to be had between the venues. */
const QUOTES = VENUES.flatMap((venue) => [pricesSource(venue), orderbookSource(venue)])

export class Channels {
  private readonly channels = new Map<string, ChannelRead>()

  note(item: PastItem): void {
    if (item.kind === 'gap' || isUnguarded(item)) return
    const { source, timestampMs } = item
    const before = this.channels.get(source)
    this.channels.set(source, {
      source,
      messages: (before?.messages ?? 0) + 1,
      first_ms: before?.first_ms ?? timestampMs,
      last_ms: timestampMs,
    })
  }

  /** By name. */
  get read(): ChannelRead[] {
    return [...this.channels.values()].sort((a, b) => (a.source < b.source ? -1 : 1))
  }

  /** Channels of quotes of which there is nothing. */
  get absent(): string[] {
    return QUOTES.filter((source) => !this.channels.has(source))
  }
}
