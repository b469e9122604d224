/**
 * Where in a stream a reader goes on: found by the epoch and seq of what it has, never by an id that it remembers. A
 * Redis that lost its data is filled again under new ids, and a checkpoint, not an id, says what is there.
 */

import { isBefore } from '../bus/position.js'
import type { Position } from '../bus/position.js'
import type { RedisClient } from '../redis/connection.js'
import { parseEntry } from './stream-entry.js'

/** From where a source is wanted. */
export type StreamStart =
  | Position
  /** Everything that the stream still has. */
  | 'window'
  /** What comes from now on. */
  | 'live'

export interface StreamPlace {
  /** Read behind this id. */
  readonly after: string
  /** What each source has up to there, or before the start that was asked for: not to be handed on. */
  readonly floors: ReadonlyMap<string, Position>
  /** Where each source is in the stream up to there, as far as it was looked at. */
  readonly latest: ReadonlyMap<string, Position>
}

/** Before every entry. */
export const BEGINNING = '0-0'
const PAGE = 500

/**
 * Searches from the newest entry back to what every source has, and no further than `maxBehind` entries of it, `page`
 * entries at a time. Throws what ioredis throws.
 */
export async function findPlace(
  redis: RedisClient,
  key: string,
  starts: ReadonlyMap<string, StreamStart>,
  {
    maxBehind = Infinity,
    page: size = PAGE,
  }: { readonly maxBehind?: number | undefined; readonly page?: number } = {},
): Promise<StreamPlace> {
  const floors = new Map<string, Position>()
  const latest = new Map<string, Position>()
  const behind = new Map<string, number>()
  const wanted = new Set(starts.keys())
  for (const [source, start] of starts) if (typeof start === 'object') floors.set(source, start)
  let last = '+'
  for (;;) {
    const page = await redis.xrevrangeBuffer(key, last, '-', 'COUNT', size)
    for (const raw of page) {
      const entry = parseEntry(raw)
      if (entry === undefined || entry.id === last || !wanted.has(entry.source)) continue
      const { source, id, epoch, seq } = entry
      if (starts.get(source) === 'live') floors.set(source, { epoch, seq })
      const newer = behind.get(source) ?? 0
      behind.set(source, newer + 1)
      if (newer >= maxBehind) floors.set(source, { epoch, seq })
      const floor = floors.get(source)
      if (floor === undefined || isBefore(floor, entry)) continue
      latest.set(source, { epoch, seq })
      wanted.delete(source)
      if (wanted.size === 0) return { after: id, floors, latest }
    }
    const oldest = page.at(-1)?.[0].toString('latin1')
    // The page before begins with the entry that this one ended with: exclusive bounds need Redis 6.2.
    if (oldest === undefined || oldest === last || page.length < size)
      return { after: BEGINNING, floors, latest }
    last = oldest
  }
}
