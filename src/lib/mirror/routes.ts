/** Which stream a message goes to, and which string holds the newest of its topic. */

import type { Settings } from '../core/config.js'
import type { Message } from '../messages/codec.js'
import { familyOfSource } from '../messages/sources.js'
import type { Topic } from '../messages/topics.js'
import { isVenue } from '../model/venue.js'
import type { RedisKeys } from '../redis/keys.js'
import type { MirrorRecord } from './item.js'

/** A game's string outlives its last message by so much. */
const GAME_KEPT_MS = 24 * 3600 * 1000

/** Entries kept in the streams of a family, about. */
export interface StreamLengths {
  readonly prices: number
  readonly signals: number
  readonly history: number
}

export const streamLengths = (settings: Settings): StreamLengths => ({
  prices: settings['mirror.prices_maxlen'],
  signals: settings['mirror.signals_maxlen'],
  history: settings['mirror.history_maxlen'],
})

export function maxLengthOf(source: string, lengths: StreamLengths): number {
  switch (familyOfSource(source)) {
    case 'signals':
      return lengths.signals
    case 'orders':
    case 'trades':
      return lengths.history
    default:
      return lengths.prices
  }
}

/** What is kept of a message; undefined when its topic names no venue of ours. */
export function recordOf(
  keys: RedisKeys,
  { family, topic, header, payload }: Message,
  wireTopic: string,
  data: Buffer,
): MirrorRecord | undefined {
  const stream =
    family === 'orders'
      ? keys.orders(payload.mode)
      : family === 'trades'
        ? keys.trades(payload.mode)
        : publicStream(keys, topic)
  if (stream === undefined) return undefined
  const record = { stream, topic: wireTopic, data }
  // The two notices have no id, and no state to hold.
  if (family !== 'games' || topic.id === '') return record
  const key = keys.game(topic.scope, topic.id)
  return { ...record, snapshot: { key, expireAtMs: header.timestamp_ms + GAME_KEPT_MS } }
}

/** The stream of a topic whose messages are the same in paper and live mode; undefined for the others. */
export function publicStream(keys: RedisKeys, { family, scope }: Topic): string | undefined {
  switch (family) {
    case 'prices':
      return isVenue(scope) ? keys.prices(scope) : undefined
    case 'orderbook':
      return isVenue(scope) ? keys.orderbook(scope) : undefined
    case 'games':
      return keys.gameEvents()
    case 'signals':
      return keys.signals()
    case 'orders':
    case 'trades':
      return undefined
  }
}
