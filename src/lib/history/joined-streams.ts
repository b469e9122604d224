/**
 * Streams that hold one source between them, as one: orders of paper and of live mode are of one channel, and a part of
 * each is read at a time. Pure.
 */

import { isBefore, laterOf } from '../bus/position.js'
import type { Position } from '../bus/position.js'
import { parseEntry } from './stream-entry.js'
import type { RawEntry } from './stream-entry.js'

/** What was read of a stream, behind its place. */
export interface StreamBatch {
  readonly key: string
  readonly entries: readonly RawEntry[]
  /** There may be more behind it. */
  readonly isFull: boolean
}

export interface KeyedEntry {
  readonly key: string
  readonly raw: RawEntry
}

export interface JoinedBatches {
  /** To be handed on, in the order of their source. */
  readonly entries: readonly KeyedEntry[]
  /** By stream: the id of the last entry of which that, and all before it, were handed on. */
  readonly places: ReadonlyMap<string, string>
}

/** What lies behind the end of a part that is not all is left for later: something before it may still be unread. */
export function joinBatches(batches: readonly StreamBatch[]): JoinedBatches {
  const ends = batches
    .filter(({ isFull }) => isFull)
    .map(({ entries }) => entries.map(placeOf).reduce(laterOf, NOTHING))
  const limit = ends.reduce<Position | undefined>(
    (least, end) => (least === undefined || isBefore(end, least) ? end : least),
    undefined,
  )
  const isDue = (raw: RawEntry): boolean => limit === undefined || !isBefore(limit, placeOf(raw))
  const places = new Map<string, string>()
  const entries = batches.flatMap(({ key, entries: all }) => {
    const rest = all.findIndex((raw) => !isDue(raw))
    const due = rest === -1 ? all : all.slice(0, rest)
    const last = due.at(-1)
    if (last !== undefined) places.set(key, last[0].toString('latin1'))
    return due.map((raw) => ({ key, raw, at: placeOf(raw) }))
  })
  entries.sort((a, b) => (isBefore(a.at, b.at) ? -1 : isBefore(b.at, a.at) ? 1 : 0))
  return { entries, places }
}

const NOTHING: Position = { epoch: 0, seq: 0 }
const placeOf = (raw: RawEntry): Position => parseEntry(raw) ?? NOTHING
